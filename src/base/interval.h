/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>

/* Between which two values an unknown lies, from a few measurements.  'level' is the share of such
 * intervals that are right, 0.95 say.  NaN at both ends means that nothing can be said. */
struct interval {
	double low;
	double high;
};

/* Of a probability, after 'bad' of 'n' independent trials went wrong (Wilson, 1927): unlike the
 * usual formula it is right for small n and never leaves 0 to 1.  Of no trials: 0 to 1. */
struct interval interval_wilson(unsigned bad, unsigned n, double level);

/* What that probability is below when none of 'n' trials went wrong: 1 - (1 - level)^(1/n). */
double interval_no_failures(unsigned n, double level);

/* Of the median of whatever 'v' was drawn from, by the order of the values alone: no assumption
 * but independence, and right in at least 'level' of all cases.  NaN when 'n' is too small for the
 * level (below 6 for 95 %, below 8 for 99 %). */
struct interval interval_median(const double *v, size_t n, double level);

/* Student's interval of a mean; needs two values.  Without outliers right from n = 2 on, as long
 * as the values themselves are means of many. */
struct interval interval_mean(const double *v, size_t n, double level);

/* Estimate, standard error and degrees of freedom of a mean without the 'trim' lowest and highest
 * values each, after Yuen (1974): one wild value does not spoil it.  Without trimming it is
 * Student's.  se is NaN when fewer than two values are left. */
struct interval_mean_parts {
	double mean;
	double se;
	double df;
};
struct interval_mean_parts interval_trimmed_parts(const double *v, size_t n, size_t trim);
/* The interval of 'parts', and the two-sided p-value of the hypothesis that the mean is 'mean'. */
struct interval interval_of_parts(const struct interval_mean_parts *parts, double level);
double interval_p_value(const struct interval_mean_parts *parts, double mean);
