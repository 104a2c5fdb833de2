/* SPDX-License-Identifier: MIT */
/* Why a measurement ended where it did, as far as its trials and their ledgers tell. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"

#include "found.h"
#include "text_page.h"
#include "text_parts.h"
#include "trials.h"

/* ---- where a trial lost its frames ---- */

/* The largest single place of loss so far, and the sentence on it. */
struct place {
	uint64_t n;
	char *sentence;
};

static void offer(struct place *place, uint64_t n, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Takes over when 'n' is more than what was offered before. */
static void
offer(struct place *place, uint64_t n, const char *fmt, ...)
{
	va_list ap;

	if (n <= place->n)
		return;
	free(place->sentence);
	va_start(ap, fmt);
	place->sentence = xvasprintf(fmt, ap);
	va_end(ap);
	place->n = n;
}

/* 'm' may have looked for the hop that limits the chain. */
static void
offer_refused(struct place *place, const struct trial *t, const json_t *m)
{
	const char *limits = json_string_value(json_at(m, "attribution.bottleneck"));
	char n[PAGE_CELL];

	page_count(n, t->refused);
	if (t->ledger.n_hops == 1)
		offer(place, t->refused, "%s frames refused at link%c0: %s is the bottleneck", n,
		      PAGE_GLUE, t->ledger.hop[0].name);
	else if (limits != NULL)
		offer(place, t->refused, "%s frames refused at link%c0: %s is the bottleneck", n,
		      PAGE_GLUE, limits);
	else
		offer(place, t->refused,
		      "%s frames refused at link%c0: a hop behind it is the bottleneck, and the "
		      "counters do not tell which",
		      n, PAGE_GLUE);
}

static void
offer_drop(struct place *place, const struct ledger *l, size_t hop, const struct ledger_reason *why)
{
	const char *next = hop + 1 < l->n_hops ? l->hop[hop + 1].name : "the generator's receiver";
	char n[PAGE_CELL];

	page_count(n, why->n);
	if (strcmp(why->name, "tx_full") == 0)
		offer(place, why->n,
		      "%s dropped %s frames for which link%c%zu had no room: %s is the "
		      "bottleneck",
		      l->hop[hop].name, n, PAGE_GLUE, hop + 1, next);
	else
		offer(place, why->n, "%s dropped %s frames (%s)", l->hop[hop].name, n, why->name);
}

static void
offer_hop(struct place *place, const struct ledger *l, size_t i)
{
	const struct ledger_hop *hop = &l->hop[i];
	uint64_t miss = hop->port[0].miss + hop->port[1].miss;
	char n[PAGE_CELL];

	if (!hop->known)
		return;
	offer(place, miss, "%s missed %s frames: %s is the bottleneck", hop->name,
	      page_count(n, miss), hop->name);
	for (size_t k = 0; k < hop->n_drops; k++)
		offer_drop(place, l, i, &hop->drop[k]);
	if (!hop->exact && ledger_hop_unnamed(hop) > 0)
		offer(place, (uint64_t)ledger_hop_unnamed(hop),
		      "%s swallowed %s frames for reasons of its own", hop->name,
		      page_count(n, (uint64_t)ledger_hop_unnamed(hop)));
}

/* Where most of the frames that a trial lost went; for the caller to free. */
static char *
where_lost(const struct trial *t, const json_t *m)
{
	const struct ledger *l = &t->ledger;
	struct place place = {0};
	uint64_t miss = l->gen[0].miss + l->gen[1].miss;
	char n[PAGE_CELL];

	offer_refused(&place, t, m);
	for (size_t i = 0; i < l->n_hops; i++)
		offer_hop(&place, l, i);
	for (size_t i = 0; i <= l->n_hops; i++) {
		int64_t lost = l->link[i].known ? l->link[i].lost_forward : 0;

		if (lost > 0)
			offer(&place, (uint64_t)lost, "link%c%zu lost %s frames", PAGE_GLUE, i,
			      page_count(n, (uint64_t)lost));
	}
	offer(&place, miss,
	      "the generator's receiver missed %s frames: the generator was the limit",
	      page_count(n, miss));
	if (place.sentence == NULL)
		return xstrdup(t->reason[0] != '\0' ? t->reason : "unknown");
	return place.sentence;
}

static char *
where_lost_json(const json_t *trial, const json_t *m)
{
	struct trial *t = xcalloc(1, sizeof(*t));
	char *text = trial_from_json(t, trial, NULL) == 0
			     ? where_lost(t, m)
			     : xstrdup("unknown: the trial that failed cannot be read");

	free(t);
	return text;
}

/* ---- what the trials above the answer were ---- */

struct above {
	size_t n, n_overload, n_noisy, n_fault, n_invalid;
	const struct trials_one *failed; /* the one of the lowest load */
};

static void
look_above(struct above *above, const struct trials *list, double pps)
{
	for (size_t i = 0; i < list->n; i++) {
		const struct trials_one *one = &list->one[i];
		const char *class = trials_class(one->json);

		if (!(one->pps > pps))
			continue;
		above->n++;
		above->n_overload += strcmp(class, "overload") == 0;
		above->n_noisy += strcmp(class, "noisy") == 0;
		above->n_fault += strcmp(class, "fault") == 0;
		above->n_invalid += one->verdict == TRIALS_INVALID;
		if (one->verdict == TRIALS_FAIL &&
		    (above->failed == NULL || one->pps < above->failed->pps))
			above->failed = one;
	}
}

/* No load was rejected: either there was none above, or the trials there say nothing. */
static char *
bound_reason(const json_t *m, const struct above *above)
{
	if (above->n_overload > 0 && above->n_overload >= above->n_noisy)
		return xasprintf("the generator was the limit: it could not offer more in %zu of "
				 "%zu trials above",
				 above->n_overload, above->n);
	if (above->n_noisy > 0)
		return xasprintf("the machine: %zu of %zu trials above were disturbed",
				 above->n_noisy, above->n);
	if (above->n_fault > 0)
		return xasprintf("unknown: %zu of %zu trials above ended with a fault",
				 above->n_fault, above->n);
	if (above->n_invalid > 0)
		return xasprintf("the generator or the machine, not the chain: %zu of %zu trials "
				 "above were invalid",
				 above->n_invalid, above->n);
	if (text_count(m, "n_at_max") > 0)
		return xstrdup("the generator was the limit: the highest load it can offer passed");
	return xstrdup("unknown: no trial above was run");
}

static char *
no_rate_reason(const json_t *m, const struct above *above)
{
	uint64_t invalid = text_count(m, "n_invalid");
	char *where, *text;

	if (above->failed != NULL) {
		where = where_lost_json(above->failed->json, m);
		text = xasprintf("the lowest load that failed: %s", where);
		free(where);
		return text;
	}
	if (invalid > 0)
		return xasprintf("the machine: %" PRIu64 " of %" PRIu64 " trials were invalid",
				 invalid, text_count(m, "n_trials"));
	return xstrdup("unknown: no search was finished");
}

static char *
fixed_reason(const json_t *m)
{
	struct text_shown *shown = text_find_shown(m);
	char *text;

	if (shown == NULL)
		return xstrdup("unknown: no trial was finished");
	if (shown->t.verdict == TRIAL_FAIL)
		text = where_lost(&shown->t, m);
	else if (shown->t.verdict == TRIAL_INVALID)
		text = xasprintf("the machine or the generator: %s", shown->t.reason);
	else
		text = xstrdup("unknown: one load was asked for and not searched");
	free(shown);
	return text;
}

char *
limit_reason(const json_t *result, const json_t *m)
{
	struct above above = {0};
	struct trials list;
	struct found found;
	char *text;

	if (text_is_fixed(m))
		return fixed_reason(m);
	found_get(&found, result, m, 0);
	if (found.is_mrr) {
		found_fini(&found);
		return xstrdup("not looked for: every trial offered all that the generator can");
	}
	trials_init(&list, m);
	look_above(&above, &list, found.rate_pps >= 0 ? found.rate_pps : 0);
	if (!(found.rate_pps >= 0))
		text = no_rate_reason(m, &above);
	else if (above.failed != NULL && !found.is_lower_bound)
		text = where_lost_json(above.failed->json, m);
	else
		text = bound_reason(m, &above);
	trials_fini(&list);
	found_fini(&found);
	return text;
}
