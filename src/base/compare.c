/* SPDX-License-Identifier: MIT */
#include "compare.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "distribution.h"
#include "mem.h"
#include "random.h"
#include "stats.h"

#define MAX_EXACT 20 /* a million flips: some milliseconds */

/* Sums of the same values in another order differ by rounding; they are the same to us. */
static double
almost(double sum)
{
	return fabs(sum) * (1 - 1e-9);
}

/* All flips, each one sign away from the one before (Gray code).  The first sign stays: flipping
 * all of them gives the same sum, negative. */
static double
all_flips(const double *difference, size_t n, double measured)
{
	double signed_value[MAX_EXACT];
	double sum = 0, extreme = 1;
	uint32_t flips = UINT32_C(1) << (n - 1);

	for (size_t i = 0; i < n; i++)
		sum += signed_value[i] = difference[i];
	for (uint32_t i = 1; i < flips; i++) {
		double *flipped = &signed_value[1 + __builtin_ctz(i)];

		*flipped = -*flipped;
		sum += 2 * *flipped;
		extreme += fabs(sum) >= almost(measured);
	}
	return extreme / flips;
}

static double
random_flips(const double *difference, size_t n, double measured, unsigned n_random, uint64_t seed)
{
	struct random r;
	double extreme = 1;

	random_init(&r, seed, 0);
	for (unsigned k = 0; k < n_random; k++) {
		uint64_t bits = 0;
		double sum = 0;

		for (size_t i = 0; i < n; i++, bits >>= 1) {
			if (i % 64 == 0)
				bits = random_next(&r);
			sum += bits & 1 ? -difference[i] : difference[i];
		}
		extreme += fabs(sum) >= almost(measured);
	}
	return extreme / (n_random + 1.0);
}

double
compare_sign_flips(const double *difference, size_t n, unsigned n_random, uint64_t seed)
{
	double measured = stats_mean(difference, n) * (double)n;

	if (isnan(measured))
		return NAN;
	if (n <= MAX_EXACT)
		return all_flips(difference, n, measured);
	return random_flips(difference, n, measured, n_random, seed);
}

struct ranked {
	double value;
	bool is_a;
};

static int
by_value(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;

	return (x->value > y->value) - (x->value < y->value);
}

/* The sum of the ranks of a's values, equal values sharing theirs; 'ties' gets the sum of t^3 - t
 * over groups of t equal values. */
static double
rank_sum(struct ranked *v, size_t n, double *ties)
{
	double sum = 0;

	qsort(v, n, sizeof(*v), by_value);
	for (size_t i = 0, end; i < n; i = end) {
		double t;

		for (end = i + 1; end < n && by_value(&v[end], &v[i]) == 0; end++)
			;
		t = (double)(end - i);
		*ties += t * t * t - t;
		for (size_t k = i; k < end; k++)
			if (v[k].is_a)
				sum += (double)(i + 1 + end) / 2;
	}
	return sum;
}

double
compare_mann_whitney(const double *a, size_t n_a, const double *b, size_t n_b)
{
	double na = (double)n_a, nb = (double)n_b, n = na + nb;
	double ties = 0, distance, variance;
	struct ranked *v;

	if (isnan(stats_mean(a, n_a)) || isnan(stats_mean(b, n_b)))
		return NAN;
	v = xcalloc(n_a + n_b, sizeof(*v));
	for (size_t i = 0; i < n_a; i++)
		v[i] = (struct ranked){a[i], true};
	for (size_t i = 0; i < n_b; i++)
		v[n_a + i] = (struct ranked){b[i], false};
	distance = fabs(rank_sum(v, n_a + n_b, &ties) - na * (n + 1) / 2);
	free(v);
	variance = na * nb / 12 * (n + 1 - ties / (n * (n - 1)));
	if (variance <= 0)
		return 1;
	return 2 * normal_cdf(-fmax(distance - 0.5, 0) / sqrt(variance));
}

void
compare_holm(double *p, size_t n)
{
	bool *done = xcalloc(n + 1, sizeof(*done));
	double largest = 0;

	for (size_t step = 0; step < n; step++) {
		size_t least = n;

		for (size_t i = 0; i < n; i++)
			if (!done[i] && (least == n || p[i] < p[least]))
				least = i;
		done[least] = true;
		/* Never below one that was smaller before. */
		largest = fmax(largest, fmin(1, p[least] * (double)(n - step)));
		p[least] = largest;
	}
	free(done);
}
