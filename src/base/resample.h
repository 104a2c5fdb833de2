/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "interval.h"

/* Intervals by resampling (bootstrap): how a statistic would vary if the measurement was repeated,
 * from drawing its own values again, with replacement.  No formula for the statistic is needed, but
 * values enough that they stand for what they were drawn from: below 20, intervals are too narrow
 * (see resample_test.c for by how much), and Student's or the order statistics' (interval.h) are
 * the better choice. */

#define RESAMPLE_N 10000 /* resamples: the ends then move by 1 % of the width between seeds */

/* A statistic of 'n' > 0 values, which it may reorder. */
typedef double (*resample_statistic)(double *v, size_t n);

double resample_mean(double *v, size_t n);
double resample_median(double *v, size_t n); /* by selection, much faster than sorting */

struct resample {
	resample_statistic statistic;
	double level;
	unsigned n_resamples;
	uint64_t seed;
};

/* The plain one: quantiles of the statistic over the resamples.  NaN for n = 0 or NaN values, as
 * from the others. */
struct interval resample_percentile(const struct resample *r, const double *v, size_t n);

/* Bias-corrected and accelerated (Efron, 1987): corrects for skewness; the better one of skewed
 * values. */
struct interval resample_bca(const struct resample *r, const double *v, size_t n);

/* Draws whole clusters of values instead of values: for values that share their fate within one
 * (slices of a round, searches of a day).  'v' holds the clusters one after the other, 'length' how
 * many values each of the 'n_clusters' has, none 0.  What counts is the number of clusters: below
 * 20 the interval is too narrow, as above.  The BCa interval. */
struct interval resample_clusters(const struct resample *r, const double *v, const size_t *length,
				  size_t n_clusters);

/* Draws runs of 'length' neighbours, for values of which each resembles the one before: long enough
 * that the ends of a run have forgotten each other, short enough that there are 20 of them in the
 * series, which is taken as a ring (Politis and Romano, 1992).  Percentiles. */
struct interval resample_runs(const struct resample *r, const double *v, size_t n, size_t length);

/* The same for a series of which nobody knows how long its values are remembered: runs as long as
 * the series itself asks for, 10 of them at most, and the interval widened as Student's is for how
 * few they are.  resample_series_test.c tells from how many values on that is enough. */
struct interval resample_series(const struct resample *r, const double *v, size_t n);

/* That length: what makes the variance of the statistic most exact (Politis and White, 2004, as
 * corrected in 2009), from how the influence of each value on it resembles its neighbours', and
 * twice that, for an interval needs longer runs than a variance does; a tenth to a third of the
 * series, 0 of nothing. */
size_t resample_run_length(resample_statistic statistic, const double *v, size_t n);
