/* SPDX-License-Identifier: MIT */
/* What is not sure about a result. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"

#include "text_page.h"
#include "text_parts.h"

static void add_doubt(json_t *list, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void
add_doubt(json_t *list, const char *fmt, ...)
{
	va_list ap;
	json_t *one;
	char *text;

	va_start(ap, fmt);
	text = xvasprintf(fmt, ap);
	va_end(ap);
	one = json_string(text);
	json_array_append_new(list, one != NULL ? one : json_string("?"));
	free(text);
}

/* Why the last invalid trial of a measurement is one. */
static const char *
last_invalid(const json_t *m)
{
	const json_t *searches = json_object_get(m, "searches");
	const char *reason = "?";

	for (size_t i = 0; i < json_array_size(searches); i++) {
		const json_t *trials = json_object_get(json_array_get(searches, i), "trials");

		for (size_t k = 0; k < json_array_size(trials); k++) {
			const json_t *trial = json_array_get(trials, k);

			if (strcmp(text_word(trial, "verdict"), "invalid") == 0)
				reason = text_word(trial, "reason");
		}
	}
	return reason;
}

/* Trials of that class, and how many of those have the verdict. */
static uint64_t
count_class(const json_t *m, const char *class, const char *verdict, uint64_t *with_verdict)
{
	const json_t *searches = json_object_get(m, "searches");
	uint64_t n = 0;

	*with_verdict = 0;
	for (size_t i = 0; i < json_array_size(searches); i++) {
		const json_t *trials = json_object_get(json_array_get(searches, i), "trials");

		for (size_t k = 0; k < json_array_size(trials); k++) {
			const json_t *trial = json_array_get(trials, k);

			if (strcmp(text_word(trial, "class"), class) != 0)
				continue;
			n++;
			*with_verdict += strcmp(text_word(trial, "verdict"), verdict) == 0;
		}
	}
	return n;
}

static void
doubt_noise(json_t *list, const json_t *m, const char *label)
{
	uint64_t passed, noisy = count_class(m, "noisy", "pass", &passed);

	if (noisy > 0)
		add_doubt(list,
			  "%s: in %" PRIu64 " of %" PRIu64
			  " trials the machine kept lcores from running, long enough to matter; "
			  "%" PRIu64 " of them passed all the same",
			  label, noisy, text_count(m, "n_trials"), passed);
}

static void
doubt_trials(json_t *list, const json_t *m, const char *label)
{
	uint64_t invalid = text_count(m, "n_invalid"), unsure = text_count(m, "n_inconclusive");
	uint64_t below = text_count(m, "n_below_min"), at_least = text_count(m, "n_at_least");

	if (invalid > 0)
		add_doubt(list,
			  "%s: %" PRIu64 " of %" PRIu64
			  " trials were invalid and say nothing; the last: %s",
			  label, invalid, text_count(m, "n_trials"), last_invalid(m));
	if (unsure > 0)
		add_doubt(list,
			  "%s: %" PRIu64 " of %" PRIu64
			  " searches were inconclusive and do not count",
			  label, unsure, text_count(m, "n_searches"));
	if (below > 0)
		add_doubt(list,
			  "%s: %" PRIu64 " of %" PRIu64
			  " searches failed at the lowest load they tried",
			  label, below, text_count(m, "n_searches"));
	if (text_count(m, "n_at_max") > 0)
		add_doubt(list,
			  "%s: the highest load that was tried passed, so the chain may be faster",
			  label);
	if (at_least > 0)
		add_doubt(list,
			  "%s: in %" PRIu64 " of %" PRIu64
			  " searches the trials above the accepted load were invalid, so the chain "
			  "may be faster",
			  label, at_least, text_count(m, "n_searches"));
}

/* The longest duration for which the trials could tell at what rate nothing is lost. */
static void
doubt_long(json_t *list, const json_t *m, const char *label)
{
	const json_t *loss_free = json_object_get(m, "loss_free");
	const json_t *last = json_array_get(loss_free, json_array_size(loss_free) - 1);
	char cell[PAGE_CELL];

	if (json_array_size(loss_free) == 0 || text_number(last, "rate_pps") >= 0)
		return;
	add_doubt(list, "%s: these trials do not tell what rate would hold for %s", label,
		  page_ns(cell, text_number(last, "duration_s") * NSEC_PER_S));
}

static void
doubt_latency(json_t *list, const json_t *m, const char *label)
{
	uint64_t n = text_count(m, "latency.n");
	double accuracy = text_number(m, "latency_accuracy_ns");
	char cell[PAGE_CELL];

	if (n == 0) {
		add_doubt(list, "%s: latency is not known", label);
		return;
	}
	if (accuracy >= 0)
		add_doubt(list, "%s: a latency may be %s too high or too low", label,
			  page_ns(cell, accuracy));
	if (json_is_null(json_at(m, "latency.p99_ns")))
		add_doubt(list, "%s: %" PRIu64 " samples of latency are too few for p99", label, n);
}

static void
doubt_shown(json_t *list, const struct trial *t, const char *label)
{
	char cell[PAGE_CELL], of[PAGE_CELL];

	if (t->late > 0)
		add_doubt(list, "%s: %s of %s frames were late, so not offered", label,
			  page_count(cell, t->late), page_count(of, t->intended));
	if (t->ledger.seq_unknown)
		add_doubt(list,
			  "%s: frames without signature: loss by sequence, duplicates and damage "
			  "are not known",
			  label);
	if (!t->ledger.lost_known)
		add_doubt(list, "%s: not every hop tells its counters", label);
	if (t->ledger.seq_unknown || t->ledger.balanced)
		return;
	add_doubt(list, "%s: the ledger does not balance", label);
}

json_t *
text_doubt_list(const json_t *result)
{
	const json_t *measurements = json_object_get(result, "measurements");
	const json_t *warnings = json_at(result, "plan.warnings");
	json_t *list = json_array();

	for (size_t i = 0; i < json_array_size(measurements); i++) {
		const json_t *m = json_array_get(measurements, i);
		struct text_shown *shown = text_find_shown(m);
		char *label = text_label(m);

		doubt_trials(list, m, label);
		doubt_long(list, m, label);
		doubt_noise(list, m, label);
		doubt_latency(list, m, label);
		if (shown != NULL)
			doubt_shown(list, &shown->t, label);
		free(label);
		free(shown);
	}
	for (size_t i = 0; i < json_array_size(warnings); i++)
		add_doubt(list, "%s", text_word(json_array_get(warnings, i), ""));
	return list;
}

void
text_doubts(struct str *page, const json_t *result)
{
	json_t *list = text_doubt_list(result);

	if (json_array_size(list) > 0)
		str_addf(page, "\n" PAGE_DOUBT "Not sure" PAGE_PLAIN "\n");
	for (size_t i = 0; i < json_array_size(list); i++)
		page_wrap(page, "  - ", 4, json_string_value(json_array_get(list, i)));
	json_decref(list);
}
