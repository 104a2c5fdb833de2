/* SPDX-License-Identifier: MIT */
#include "distribution.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mem.h"

#define assert_near(a, b, tolerance) assert_true(fabs((a) - (b)) <= (tolerance))

static void
normal_is_as_in_tables(void **state)
{
	(void)state;
	assert_near(normal_cdf(0), 0.5, 1e-15);
	assert_near(normal_cdf(1), 0.841344746068543, 1e-14);
	assert_near(normal_quantile(0.975), 1.959963984540054, 1e-13);
	assert_near(normal_quantile(0.995), 2.575829303548901, 1e-13);
	assert_near(normal_quantile(1e-10), -6.361340902404056, 1e-12);
	assert_true(isinf(normal_quantile(0)) && normal_quantile(0) < 0);
	assert_true(isinf(normal_quantile(1)) && normal_quantile(1) > 0);
	assert_true(isnan(normal_quantile(-0.1)) && isnan(normal_quantile(1.1)));
	assert_true(isnan(normal_quantile(NAN)));
}

static void
student_is_as_in_tables(void **state)
{
	static const struct {
		double p, df, t;
	} table[] = {
		{0.975, 1, 12.7062}, {0.975, 2, 4.3027},   {0.975, 5, 2.5706},	{0.975, 10, 2.2281},
		{0.975, 30, 2.0423}, {0.995, 5, 4.0321},   {0.995, 10, 3.1693}, {0.95, 4, 2.1318},
		{0.9995, 7, 5.4079}, {0.975, 120, 1.9799},
	};

	(void)state;
	for (unsigned i = 0; i < N_ELEMS(table); i++) {
		assert_near(student_quantile(table[i].p, table[i].df), table[i].t, 6e-5);
		assert_near(student_quantile(1 - table[i].p, table[i].df), -table[i].t, 6e-5);
	}
	/* Of one degree of freedom it is Cauchy's, of many it is normal. */
	for (double t = -5; t <= 5; t += 0.5) {
		assert_near(student_cdf(t, 1), 0.5 + atan(t) / M_PI, 1e-12);
		assert_near(student_cdf(t, 1e6), normal_cdf(t), 1e-6);
	}
	assert_near(student_quantile(0.5, 3), 0, 1e-12);
	assert_true(isinf(student_quantile(1, 3)) && isnan(student_quantile(2, 3)));
}

static void
binomial_adds_up(void **state)
{
	(void)state;
	assert_near(binomial_cdf(3, 10, 0.5), 176.0 / 1024, 1e-14);
	assert_near(binomial_cdf(0, 10, 0.5), 1.0 / 1024, 1e-14);
	assert_near(binomial_cdf(2, 5, 0.1), 0.99144, 1e-12);
	assert_near(binomial_cdf(5, 5, 0.1), 1, 0);
	/* Term by term. */
	for (double p = 0.05; p < 1; p += 0.1) {
		double term = pow(1 - p, 21), sum = 0;

		for (unsigned k = 0; k < 21; k++) {
			sum += term;
			assert_near(binomial_cdf(k, 21, p), sum, 1e-12);
			term *= p / (1 - p) * (21 - k) / (k + 1);
		}
	}
}

static void
beta_is_symmetric(void **state)
{
	(void)state;
	for (double x = 0.05; x < 1; x += 0.05) {
		assert_near(beta_cdf(x, 2.5, 7), 1 - beta_cdf(1 - x, 7, 2.5), 1e-13);
		assert_near(beta_cdf(x, 1, 1), x, 1e-14);
		assert_near(beta_cdf(x, 3, 1), x * x * x, 1e-14);
	}
	assert_near(beta_cdf(0, 2, 3), 0, 0);
	assert_near(beta_cdf(1, 2, 3), 1, 0);
	assert_true(isnan(beta_cdf(NAN, 2, 3)));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(normal_is_as_in_tables),
		cmocka_unit_test(student_is_as_in_tables),
		cmocka_unit_test(binomial_adds_up),
		cmocka_unit_test(beta_is_symmetric),
	};

	return cmocka_run_group_tests_name("base_distribution", tests, NULL, NULL);
}
