/* SPDX-License-Identifier: MIT */
#pragma once

/* The few probability distributions that intervals and tests need, to about 12 digits. */

/* P(X <= z) of the standard normal, and its inverse; p of 0 and 1 give -inf and inf. */
double normal_cdf(double z);
double normal_quantile(double p);

/* The same of Student's t with 'df' > 0 degrees of freedom, which need not be whole. */
double student_cdf(double t, double df);
double student_quantile(double p, double df);

/* P(X <= k) of 'n' trials that succeed with probability 'p'. */
double binomial_cdf(unsigned k, unsigned n, double p);

/* Regularised incomplete beta function: what the others are made of. */
double beta_cdf(double x, double a, double b);
