/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Is it chance?  p-values, all two-sided: the probability of a difference this large or larger when
 * there is none.  NaN of no values, or with NaN among them. */

/* Of paired differences, whose sign is a coin toss if the two sides do not differ: the sum of the
 * differences among those of all sign flips (Fisher's randomisation test).  Exact up to 20
 * differences; beyond from 'n_random' random flips, the measured one included, drawn from 'seed'.
 * With n differences p is never below 2^(1-n). */
double compare_sign_flips(const double *difference, size_t n, unsigned n_random, uint64_t seed);

/* Of two independent samples: are values of the one larger than values of the other more often than
 * the reverse (Mann and Whitney)?  Normal approximation with the corrections for ties and
 * continuity: good from 8 values on each side. */
double compare_mann_whitney(const double *a, size_t n_a, const double *b, size_t n_b);

/* Replaces 'n' p-values by what they are worth when all were looked at (Holm, 1979): calling what
 * is then below alpha a difference is wrong anywhere with at most probability alpha. */
void compare_holm(double *p, size_t n);
