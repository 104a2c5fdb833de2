/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Did a series of measured values move in one direction while it was measured?  The test of Mann
 * and Kendall, which asks only which of two values is the larger, and Sen's slope, the median over
 * all pairs: neither minds outliers.  Both take the values as independent; neighbours that resemble
 * each other look like a trend, so give it means of blocks long enough to have forgotten each
 * other. */
struct drift {
	size_t n;
	double tau;	   /* Kendall's: 1 = each value above all before it, 0 = no order */
	double p;	   /* two-sided: chance of such an order without any drift */
	double slope;	   /* Sen's: change from one value to the next, in their unit */
	double first_mean; /* of the first third of the values */
	double last_mean;  /* of the last third */
};

/* The drift of 'v', in the order measured; NaN values are left out, with their place kept.  With
 * fewer than 4 values left, or all the same, nothing can be told: p = 1, slope as it is, and of no
 * values everything else is NaN. */
struct drift drift_of(const double *v, size_t n);

/* Is it one, by a test that calls 'alpha' of the steady series drifting? */
bool drift_found(const struct drift *d, double alpha);
