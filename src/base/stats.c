/* SPDX-License-Identifier: MIT */
#include "stats.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "mem.h"

static bool
is_unknown(const double *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (isnan(v[i]))
			return true;
	return n == 0;
}

static int
compare(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

double
stats_quantile(const double *v, size_t n, double q)
{
	double rank, low, result;
	double *sorted;
	size_t i;

	if (is_unknown(v, n) || isnan(q))
		return NAN;
	sorted = xcalloc(n, sizeof(*sorted));
	memcpy(sorted, v, n * sizeof(*sorted));
	qsort(sorted, n, sizeof(*sorted), compare);
	rank = fmin(fmax(q, 0), 1) * (double)(n - 1);
	low = floor(rank);
	i = (size_t)low;
	result = sorted[i];
	if (rank > low)
		result += (sorted[i + 1] - sorted[i]) * (rank - low);
	free(sorted);
	return result;
}

double
stats_median(const double *v, size_t n)
{
	return stats_quantile(v, n, 0.5);
}

double
stats_mean(const double *v, size_t n)
{
	double sum = 0;

	if (is_unknown(v, n))
		return NAN;
	for (size_t i = 0; i < n; i++)
		sum += v[i];
	return sum / (double)n;
}

double
stats_stdev(const double *v, size_t n)
{
	double mean = stats_mean(v, n);
	double squares = 0;

	if (n == 1 && !isnan(mean))
		return 0;
	/* Around the mean, in a second pass: rates are large and differ little, so that the
	 * difference of their sums of squares would be mostly rounding. */
	for (size_t i = 0; i < n; i++)
		squares += (v[i] - mean) * (v[i] - mean);
	return isnan(mean) ? NAN : sqrt(squares / (double)(n - 1));
}

double
stats_min(const double *v, size_t n)
{
	double min;

	if (is_unknown(v, n))
		return NAN;
	min = v[0];
	for (size_t i = 1; i < n; i++)
		min = fmin(min, v[i]);
	return min;
}

double
stats_max(const double *v, size_t n)
{
	double max;

	if (is_unknown(v, n))
		return NAN;
	max = v[0];
	for (size_t i = 1; i < n; i++)
		max = fmax(max, v[i]);
	return max;
}
