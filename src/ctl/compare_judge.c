/* SPDX-License-Identifier: MIT */
/* What the values come to: facts for assertions, who was the limit, the exit code. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/stats.h"
#include "base/str.h"
#include "compare.h"

#define LEVEL 0.95

/* ---- rates ---- */

/* The valid values of an arm, of one round or (negative) of all; for the caller to free. */
static double *
values_of(const struct paired *p, unsigned arm, int round, size_t *n)
{
	double *v;

	*n = 0;
	for (size_t i = 0; i < p->n_blocks; i++)
		*n += p->block[i].n_slices;
	v = xcalloc(*n + 1, sizeof(*v));
	*n = 0;
	for (size_t i = 0; i < p->n_blocks; i++) {
		const struct paired_block *b = &p->block[i];

		if (round >= 0 && b->round != (unsigned)round)
			continue;
		for (size_t k = 0; k < b->n_slices; k++)
			if (b->slice[k].arm == arm && b->slice[k].value > 0)
				v[(*n)++] = b->slice[k].value;
	}
	return v;
}

static double
median_of(const struct paired *p, unsigned arm, int round)
{
	size_t n;
	double *v = values_of(p, arm, round, &n), median = stats_median(v, n);

	free(v);
	return median;
}

double
compare_median(const struct paired *p, unsigned arm)
{
	return median_of(p, arm, -1);
}

static int
by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* How many of 'n' values to leave out at either end, so that what is left covers the median of what
 * they were drawn from with probability LEVEL, whatever its distribution; -1 when even all do not.
 */
static int
ranks_to_leave(size_t n)
{
	double term = pow(0.5, (double)n), below = 0;
	int leave = -1;

	for (size_t k = 0; k < n / 2; k++) {
		below += term;
		if (2 * below > 1 - LEVEL)
			break;
		leave = (int)k;
		term = term * (double)(n - k) / (double)(k + 1);
	}
	return leave;
}

/* Rounds are what differs between two sessions, so the interval is that of their medians. */
static struct claim_fact
rate_fact(const struct paired *p, unsigned arm)
{
	struct claim_fact f = {compare_median(p, arm), NAN, NAN};
	size_t n_rounds = p->n_blocks > 0 ? p->block[p->n_blocks - 1].round + 1 : 0, n = 0;
	double *v = xcalloc(n_rounds + 1, sizeof(*v));
	int leave;

	for (size_t r = 0; r < n_rounds; r++) {
		double median = median_of(p, arm, (int)r);

		if (!isnan(median))
			v[n++] = median;
	}
	leave = ranks_to_leave(n);
	qsort(v, n, sizeof(*v), by_value);
	if (leave >= 0) {
		f.low = v[leave];
		f.high = v[n - 1 - (size_t)leave];
	}
	free(v);
	return f;
}

/* ---- assertions ---- */

void
compare_facts(const struct compare *c, unsigned b, struct claim_facts *facts)
{
	static const enum claim_quantity percent[] = {
		[COMPARE_RATE] = CLAIM_LOSS,
		[COMPARE_P50] = CLAIM_P50,
		[COMPARE_P99] = CLAIM_P99,
	};
	const struct paired_estimate *e = &c->paired.result[b];

	claim_facts_init(facts);
	if (isnan(e->ratio) || isnan(e->low) || isnan(e->high))
		return;
	facts->fact[CLAIM_RATIO] = (struct claim_fact){e->ratio, e->low, e->high};
	facts->fact[CLAIM_RATIO_LOW] = (struct claim_fact){e->low, e->low, e->low};
	facts->fact[CLAIM_RATIO_HIGH] = (struct claim_fact){e->high, e->high, e->high};
	claim_set_percent(facts, percent[c->metric], e->ratio, e->low, e->high);
	if (c->metric != COMPARE_RATE)
		return;
	facts->fact[CLAIM_RATE_A] = rate_fact(&c->paired, PAIRED_A);
	facts->fact[CLAIM_RATE_B] = rate_fact(&c->paired, b);
}

void
compare_judge_claims(const struct compare_conf *conf, const struct claim_facts *facts,
		     struct paired *p)
{
	p->n_asserts = conf->asserts.n;
	for (size_t i = 0; i < conf->asserts.n; i++) {
		struct paired_assert *a = &p->asserts[i];

		str_copy(a->text, sizeof(a->text), conf->asserts.items[i]);
		a->holds = claim_judge(&conf->claim[i], facts, a->sentence, sizeof(a->sentence));
	}
}

bool
compare_is_limited(const struct compare *c)
{
	double most = 0;

	if (c->metric != COMPARE_RATE || c->in_turns || isnan(c->generator_pps))
		return false;
	for (unsigned i = 0; i < c->n_sides; i++)
		most = fmax(most, compare_median(&c->paired, i));
	return !(c->generator_pps >= COMPARE_HEAD_ROOM * most);
}

/* ---- the exit code ---- */

static const char *
text_at(const json_t *json, const char *key)
{
	const char *text = json_string_value(json_object_get(json, key));

	return text != NULL ? text : "";
}

static int
conclude_asserts(const json_t *asserts, struct err *err)
{
	const json_t *one, *undecided = NULL;
	size_t i;

	json_array_foreach(asserts, i, one) {
		const json_t *holds = json_object_get(one, "holds");

		if (json_is_false(holds))
			return err_class(err, ERR_ASSERT, "assertion '%s' does not hold: %s",
					 text_at(one, "text"), text_at(one, "sentence"));
		if (undecided == NULL && !json_is_true(holds))
			undecided = one;
	}
	if (undecided == NULL)
		return 0;
	return err_class(err, ERR_INCONCLUSIVE, "assertion '%s' cannot be decided: %s",
			 text_at(undecided, "text"), text_at(undecided, "sentence"));
}

static int
conclude_one(const json_t *comparison, char letter, struct err *err)
{
	const json_t *asserts = json_object_get(comparison, "asserts");
	const char *verdict = text_at(comparison, "verdict");

	if (json_array_size(asserts) > 0)
		return conclude_asserts(asserts, err);
	if (strcmp(verdict, "worse") == 0)
		return err_class(err, ERR_ASSERT, "%c is worse: %s", letter,
				 text_at(comparison, "reason"));
	if (strcmp(verdict, "better") == 0 || strcmp(verdict, "equal") == 0)
		return 0;
	return err_class(err, ERR_INCONCLUSIVE, "undecided: %s", text_at(comparison, "reason"));
}

int
compare_conclude(const json_t *result, struct err *err)
{
	const json_t *list = json_object_get(result, "comparisons");
	int rc = 0;

	if (list == NULL)
		return conclude_one(json_object_get(result, "comparison"), 'B', err);
	for (size_t i = 0; rc == 0 && i < json_array_size(list); i++)
		rc = conclude_one(json_array_get(list, i), (char)('B' + i), err);
	return rc;
}
