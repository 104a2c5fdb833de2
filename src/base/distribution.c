/* SPDX-License-Identifier: MIT */
#include "distribution.h"

#include <math.h>

double
normal_cdf(double z)
{
	return 0.5 * erfc(-z * M_SQRT1_2);
}

/* Rough quantile of the lower half, good to 5e-4 (Abramowitz and Stegun, 26.2.23). */
static double
rough_quantile(double p)
{
	double t = sqrt(-2 * log(p));

	return (2.515517 + t * (0.802853 + t * 0.010328)) /
		       (1 + t * (1.432788 + t * (0.189269 + t * 0.001308))) -
	       t;
}

double
normal_quantile(double p)
{
	double z;

	if (!(p > 0 && p < 1))
		return p == 0 ? -INFINITY : p == 1 ? INFINITY : NAN;
	if (p > 0.5)
		return -normal_quantile(1 - p);
	z = rough_quantile(p);
	/* Newton's steps with Halley's correction: each triples the number of digits. */
	for (unsigned i = 0; i < 3; i++) {
		double step = (normal_cdf(z) - p) * sqrt(2 * M_PI) * exp(z * z / 2);

		z -= step / (1 + z * step / 2);
	}
	return z;
}

/* The continued fraction of the incomplete beta function, by Lentz's method. */
static double
beta_fraction(double x, double a, double b)
{
	/* Far more terms than it takes for a, b < 1e5; and what stands for a zero in it. */
	const int max_terms = 2000;
	const double tiny = 1e-300;
	double c = 1, d = 1 - (a + b) * x / (a + 1);
	double f;

	d = 1 / (fabs(d) < tiny ? tiny : d);
	f = d;
	for (int i = 2; i < 2 * max_terms; i++) {
		int m = i / 2;
		double term =
			i % 2 == 0 ? m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
				   : -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));

		d = 1 + term * d;
		d = 1 / (fabs(d) < tiny ? tiny : d);
		c = 1 + term / c;
		c = fabs(c) < tiny ? tiny : c;
		f *= c * d;
		if (fabs(c * d - 1) < 1e-15)
			break;
	}
	return f;
}

/* lgamma() writes a global, and this may be called from several threads. */
static double
log_gamma(double x)
{
	int sign;

	return lgamma_r(x, &sign);
}

double
beta_cdf(double x, double a, double b)
{
	double front;

	if (isnan(x) || x <= 0 || x >= 1)
		return isnan(x) ? NAN : x > 0;
	/* The fraction converges fast on the lower side only. */
	if (x > (a + 1) / (a + b + 2))
		return 1 - beta_cdf(1 - x, b, a);
	front = log_gamma(a + b) - log_gamma(a) - log_gamma(b) + a * log(x) + b * log1p(-x);
	return exp(front) * beta_fraction(x, a, b) / a;
}

double
student_cdf(double t, double df)
{
	double tail = 0.5 * beta_cdf(df / (df + t * t), df / 2, 0.5);

	return t > 0 ? 1 - tail : tail;
}

double
student_quantile(double p, double df)
{
	double low = 0, high = 1;

	if (!(p > 0 && p < 1))
		return p == 0 ? -INFINITY : p == 1 ? INFINITY : NAN;
	if (p < 0.5)
		return -student_quantile(1 - p, df);
	while (student_cdf(high, df) < p && high < 1e12)
		high *= 2;
	/* Halving is slow, but cannot fail, and nobody asks often. */
	for (unsigned i = 0; i < 100 && high - low > 1e-14 * high; i++) {
		double middle = (low + high) / 2;

		if (student_cdf(middle, df) < p)
			low = middle;
		else
			high = middle;
	}
	return (low + high) / 2;
}

double
binomial_cdf(unsigned k, unsigned n, double p)
{
	return k >= n ? 1 : beta_cdf(1 - p, n - k, k + 1.0);
}
