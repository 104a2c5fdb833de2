/* SPDX-License-Identifier: MIT */
#include "interval.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "distribution.h"
#include "mem.h"
#include "stats.h"

static const struct interval unknown = {NAN, NAN};

struct interval
interval_wilson(unsigned bad, unsigned n, double level)
{
	double z = normal_quantile((1 + level) / 2);
	double p, middle, half, scale;

	if (n == 0)
		return (struct interval){0, 1};
	p = (double)bad / n;
	scale = 1 / (1 + z * z / n);
	middle = scale * (p + z * z / (2.0 * n));
	half = scale * z * sqrt(p * (1 - p) / n + z * z / (4.0 * n * n));
	/* At the ends the formula gives 0 and 1 but for rounding. */
	return (struct interval){
		.low = bad == 0 ? 0 : middle - half,
		.high = bad >= n ? 1 : middle + half,
	};
}

double
interval_no_failures(unsigned n, double level)
{
	return n == 0 ? 1 : 1 - pow(1 - level, 1.0 / n);
}

static int
compare(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static double *
sorted_copy(const double *v, size_t n)
{
	double *copy = xcalloc(n, sizeof(*copy));

	memcpy(copy, v, n * sizeof(*copy));
	qsort(copy, n, sizeof(*copy), compare);
	return copy;
}

struct interval
interval_median(const double *v, size_t n, double level)
{
	struct interval result = unknown;
	unsigned k = 0;
	double *sorted;

	if (isnan(stats_mean(v, n)))
		return unknown;
	/* The median is below the k-th smallest with the probability that at most k - 1 of n coin
	 * tosses are heads; the largest k that keeps both sides within 1 - level. */
	while (k < n / 2 && 2 * binomial_cdf(k, (unsigned)n, 0.5) <= 1 - level)
		k++;
	if (k == 0)
		return unknown;
	sorted = sorted_copy(v, n);
	result = (struct interval){sorted[k - 1], sorted[n - k]};
	free(sorted);
	return result;
}

/* The sum of squares around their mean of 'sorted' with the outer values moved inwards. */
static double
winsorized_squares(double *sorted, size_t n, size_t trim)
{
	double stdev;

	for (size_t i = 0; i < trim; i++) {
		sorted[i] = sorted[trim];
		sorted[n - 1 - i] = sorted[n - 1 - trim];
	}
	stdev = stats_stdev(sorted, n);
	return stdev * stdev * (double)(n - 1);
}

struct interval_mean_parts
interval_trimmed_parts(const double *v, size_t n, size_t trim)
{
	struct interval_mean_parts parts = {NAN, NAN, NAN};
	size_t left;
	double *sorted;

	if (isnan(stats_mean(v, n)) || 2 * trim >= n)
		return parts;
	left = n - 2 * trim;
	sorted = sorted_copy(v, n);
	parts.mean = stats_mean(sorted + trim, left);
	if (left > 1) {
		double squares = winsorized_squares(sorted, n, trim);

		parts.df = (double)(left - 1);
		parts.se = sqrt(squares / ((double)left * parts.df));
	}
	free(sorted);
	return parts;
}

struct interval
interval_of_parts(const struct interval_mean_parts *parts, double level)
{
	double half;

	if (isnan(parts->se))
		return unknown;
	half = student_quantile((1 + level) / 2, parts->df) * parts->se;
	return (struct interval){parts->mean - half, parts->mean + half};
}

double
interval_p_value(const struct interval_mean_parts *parts, double mean)
{
	double distance = fabs(parts->mean - mean);

	if (isnan(parts->se))
		return NAN;
	if (parts->se <= 0)
		return distance > 0 ? 0 : 1;
	return 2 * student_cdf(-distance / parts->se, parts->df);
}

struct interval
interval_mean(const double *v, size_t n, double level)
{
	struct interval_mean_parts parts = interval_trimmed_parts(v, n, 0);

	return interval_of_parts(&parts, level);
}
