/* SPDX-License-Identifier: MIT */
#include "drift.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "distribution.h"
#include "mem.h"
#include "stats.h"

/* Up to here the chance of each order is counted out, beyond it is as good as normal. */
#define MAX_EXACT 10

/* Chance that of all orders of 'n' different values at least 'inversions' fewer pairs fall than
 * rise, or the reverse: 'score' is rising minus falling pairs. */
static double
exact_p(size_t n, double score)
{
	/* ways[k]: orders of the values so far with k falling pairs; the next value, put into any
	 * of its places, adds 0 to i more. */
	double ways[MAX_EXACT * (MAX_EXACT - 1) / 2 + 1] = {1}, next[N_ELEMS(ways)];
	size_t pairs = 0, limit;
	double tail = 0, all = 0;

	for (size_t i = 1; i < n; i++) {
		memset(next, 0, sizeof(next));
		for (size_t k = 0; k <= pairs; k++)
			for (size_t add = 0; add <= i; add++)
				next[k + add] += ways[k];
		pairs += i;
		memcpy(ways, next, sizeof(ways));
	}
	limit = (size_t)(((double)pairs - fabs(score)) / 2);
	for (size_t k = 0; k <= pairs; k++) {
		all += ways[k];
		if (k <= limit)
			tail += ways[k];
	}
	return fmin(1, 2 * tail / all);
}

/* What values that occur more than once take away from the variance of the score. */
static double
ties_of(const double *v, size_t n)
{
	double sum = 0;

	for (size_t i = 0; i < n; i++) {
		double same = 0;
		bool first = true;

		for (size_t j = 0; j < n; j++) {
			if (v[j] < v[i] || v[j] > v[i])
				continue;
			same++;
			first = first && j >= i;
		}
		if (first)
			sum += same * (same - 1) * (2 * same + 5);
	}
	return sum;
}

static double
p_of(const double *v, size_t n, double score)
{
	double ties = ties_of(v, n);
	double variance = ((double)n * (double)(n - 1) * (2 * (double)n + 5) - ties) / 18;

	if (n < 4 || variance <= 0)
		return 1;
	if (n <= MAX_EXACT && ties <= 0)
		return exact_p(n, score);
	/* Less one: the score takes steps of two, and the normal distribution does not. */
	return 2 * normal_cdf(-fmax(fabs(score) - 1, 0) / sqrt(variance));
}

/* Fills in tau, p and slope; 'place' is where each value stood in the series. */
static void
judge_pairs(struct drift *d, const double *v, const double *place)
{
	double *slope = xcalloc(d->n * (d->n - 1) / 2, sizeof(*slope));
	double score = 0, untied = 0;
	size_t pairs = 0;

	for (size_t i = 0; i < d->n; i++) {
		for (size_t j = i + 1; j < d->n; j++) {
			score += (v[j] > v[i]) - (v[j] < v[i]);
			untied += v[j] > v[i] || v[j] < v[i];
			slope[pairs++] = (v[j] - v[i]) / (place[j] - place[i]);
		}
	}
	/* Kendall's b: the places are all different, the values need not be. */
	d->tau = untied > 0 ? score / sqrt(untied * (double)pairs) : 0;
	d->p = p_of(v, d->n, score);
	d->slope = stats_median(slope, pairs);
	free(slope);
}

struct drift
drift_of(const double *v, size_t n)
{
	struct drift d = {.tau = NAN, .p = 1, .slope = NAN};
	double *kept = xcalloc(2 * n + 1, sizeof(*kept)), *place = kept + n;
	size_t third;

	for (size_t i = 0; i < n; i++) {
		if (isnan(v[i]))
			continue;
		place[d.n] = (double)i;
		kept[d.n++] = v[i];
	}
	if (d.n > 1)
		judge_pairs(&d, kept, place);
	third = (d.n + 2) / 3;
	d.first_mean = stats_mean(kept, third);
	d.last_mean = stats_mean(kept + d.n - third, third);
	free(kept);
	return d;
}

bool
drift_found(const struct drift *d, double alpha)
{
	return d->p < alpha;
}
