/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>

/* Statistics of a few measured values; none of these changes its input.  All return NaN for
 * n = 0, and when one of the values is NaN: with an unknown among them nothing is known. */

double stats_median(const double *v, size_t n);
double stats_mean(const double *v, size_t n);
/* Sample standard deviation (n - 1); 0 for one value. */
double stats_stdev(const double *v, size_t n);
/* Linear interpolation between closest ranks, 'q' from 0 to 1. */
double stats_quantile(const double *v, size_t n, double q);
double stats_min(const double *v, size_t n);
double stats_max(const double *v, size_t n);
