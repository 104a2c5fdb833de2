/* SPDX-License-Identifier: MIT */
/* The result for people: the answer, how it was found, where the frames went, what is not sure. */
#include "text.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"

#include "sweep.h"
#include "text_page.h"
#include "text_parts.h"

/* ---- the chain ---- */

static void
add_chain(struct str *page, const json_t *result)
{
	const json_t *chain = json_object_get(result, "chain");
	const json_t *hops = json_object_get(chain, "hops");
	const json_t *links = json_object_get(chain, "links");
	struct str s = {0};
	char *head;

	if (!json_is_object(chain))
		return;
	str_addf(&s, "generator");
	for (size_t i = 0; i < json_array_size(links); i++) {
		const json_t *hop = json_array_get(hops, i);

		str_addf(&s, " =%s=>", text_word(json_array_get(links, i), "kind"));
		if (hop == NULL) {
			str_addf(&s, " generator");
			continue;
		}
		str_addf(&s, " %s%c(%s", text_word(hop, "name"), PAGE_GLUE, text_word(hop, "kind"));
		if (json_is_string(json_object_get(hop, "engine")))
			str_addf(&s, ",%c%s", PAGE_GLUE, text_word(hop, "engine"));
		str_addf(&s, ")");
	}
	head = xasprintf("%s: ", text_word(chain, "name"));
	str_addf(page, "\n");
	page_wrap(page, head, 2, str_text(&s));
	free(head);
	str_fini(&s);
}

/* ---- searches and trials ---- */

/* What a search found for one goal, on the line begun; 'code' when there are several goals. */
static void
add_found(struct str *page, const json_t *found, const json_t *search, const char *code)
{
	double accepted = text_number(found, "accepted_pps");
	double rejected = text_number(found, "rejected_pps");
	double seconds = text_number(search, "elapsed_s");
	char cell[PAGE_CELL];

	page_cell(page, 14, accepted > 0 ? page_pps(cell, accepted) : "none");
	page_cell(page, 14, rejected > 0 ? page_pps(cell, rejected) : "none");
	page_cell(page, 8, page_count(cell, text_count(search, "n_trials")));
	page_cell(page, 9, page_count(cell, text_count(search, "n_invalid")));
	page_cell(page, 10, seconds >= 0 ? page_ns(cell, seconds * NSEC_PER_S) : "?");
	str_addf(page, "  %s%s%s\n", text_word(found, "end"), code[0] != '\0' ? "  " : "", code);
}

static void
add_search(struct str *page, size_t no, const json_t *search)
{
	const json_t *goals = json_object_get(search, "goals");
	size_t n = json_array_size(goals);
	char cell[PAGE_CELL];

	snprintf(cell, sizeof(cell), "%zu", no);
	page_cell(page, 4, cell);
	if (n < 2) {
		add_found(page, search, search, "");
		return;
	}
	for (size_t i = 0; i < n; i++) {
		const json_t *found = json_array_get(goals, i);

		if (i > 0)
			page_cell(page, 4, "");
		add_found(page, found, search, text_word(found, "code"));
	}
}

static void
add_searches(struct str *page, const json_t *m)
{
	const json_t *searches = json_object_get(m, "searches");

	str_addf(page, "%4s%14s%14s%8s%9s%10s  %s\n", "no", "accepted", "rejected", "trials",
		 "invalid", "took", "end");
	for (size_t i = 0; i < json_array_size(searches); i++)
		add_search(page, i + 1, json_array_get(searches, i));
}

static void
add_trial(struct str *page, size_t no, const json_t *trial)
{
	uint64_t lost = 0, intended = text_count(trial, "slots.intended");
	double ratio = text_number(trial, "loss_ratio");
	char cell[PAGE_CELL];

	if (ratio >= 0)
		lost = (uint64_t)llround(ratio * (double)intended);
	snprintf(cell, sizeof(cell), "%zu", no);
	page_cell(page, 4, cell);
	page_cell(page, 15, page_count(cell, intended));
	page_cell(page, 15, page_count(cell, text_count(trial, "slots.refused")));
	page_cell(page, 15, page_count(cell, text_count(trial, "slots.late")));
	page_cell(page, 15, ratio >= 0 ? page_count(cell, lost) : "?");
	str_addf(page, "  %s\n", text_word(trial, "verdict"));
}

static void
add_trials(struct str *page, const json_t *m)
{
	const json_t *searches = json_object_get(m, "searches");
	size_t no = 0;

	str_addf(page, "%4s%15s%15s%15s%15s  %s\n", "no", "intended", "refused", "late", "all lost",
		 "verdict");
	for (size_t i = 0; i < json_array_size(searches); i++) {
		const json_t *trials = json_object_get(json_array_get(searches, i), "trials");

		for (size_t k = 0; k < json_array_size(trials); k++)
			add_trial(page, ++no, json_array_get(trials, k));
	}
}

/* "Last accepted trial, 8.412 Mpps for 1 s: pass, lost 0 of 8412000"; for the caller to free. */
static char *
shown_title(const struct text_shown *shown)
{
	const struct trial *t = &shown->t;
	char load[PAGE_CELL], took[PAGE_CELL];

	if (t->spec.flat_out || !(t->spec.rate_pps >= 0))
		snprintf(load, sizeof(load), "as fast as possible");
	else
		page_pps(load, t->spec.rate_pps);
	return xasprintf("%s trial, %s for %s: %s, %s",
			 shown->only	   ? "The"
			 : shown->accepted ? "Last accepted"
					   : "Last",
			 load, page_ns(took, (double)t->spec.duration_ns),
			 trial_verdict_name(t->verdict), t->reason);
}

/* ---- the whole ---- */

static void
add_mix(struct str *page, const json_t *m)
{
	const char *frames = text_word(m, "frames");
	bool is_imix = strcmp(frames, "imix") == 0;

	if (is_imix || strchr(frames, ':') != NULL)
		str_addf(page, "  %s%.4g bytes on average, with FCS\n",
			 is_imix ? "64:7,594:4,1518:1 (bytes:frames), " : "",
			 text_number(m, "mean_frame_size"));
}

static void
add_measurement(struct str *page, const json_t *m)
{
	struct text_shown *shown = text_find_shown(m);
	char *label = text_label(m), *title;

	str_addf(page, "\n" PAGE_BOLD "%s" PAGE_PLAIN "\n", label);
	free(label);
	add_mix(page, m);
	text_attrib(page, m);
	if (!text_is_fixed(m))
		add_searches(page, m);
	else if (shown == NULL || !shown->only)
		add_trials(page, m);
	if (shown == NULL)
		return;
	title = shown_title(shown);
	page_wrap(page, "", 0, title);
	free(title);
	/* Of a trial that passed in a search there is nothing to say that the ledger does not. */
	if (text_is_fixed(m) || shown->t.verdict != TRIAL_PASS)
		text_frames(page, &shown->t);
	text_ledger(page, &shown->t);
	text_timeline(page, shown->json);
	text_times(page, &shown->t);
	free(shown);
}

static void
add_end(struct str *page, const json_t *result)
{
	int64_t status = json_integer_value(json_at(result, "outcome.exit"));
	char *head;

	if (status == 0)
		return;
	head = xasprintf("\nEnded with %" PRId64 ": ", status);
	page_wrap(page, head, 0, text_word(result, "outcome.sentence"));
	free(head);
}

char *
text_render(const json_t *result, bool colour)
{
	const json_t *list = json_object_get(result, "measurements");
	struct str page = {0};
	struct sweep_view sweep;

	if (sweep_view_init(&sweep, result)) {
		sweep_text(&page, &sweep);
		add_end(&page, result);
		return page_finish(&page, colour);
	}
	for (size_t i = 0; i < json_array_size(list); i++)
		text_answer(&page, result, json_array_get(list, i));
	if (json_array_size(list) == 0)
		str_addf(&page, "nothing was measured\n");
	add_chain(&page, result);
	text_guests(&page, result);
	for (size_t i = 0; i < json_array_size(list); i++)
		add_measurement(&page, json_array_get(list, i));
	text_doubts(&page, result);
	add_end(&page, result);
	return page_finish(&page, colour);
}
