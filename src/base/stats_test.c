/* SPDX-License-Identifier: MIT */
#include "stats.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "mem.h"

#define assert_near(a, b, tolerance) assert_true(fabs((a) - (b)) <= (tolerance))

static void
nothing_measured_is_unknown(void **state)
{
	const double v[] = {1, NAN, 2};

	(void)state;
	assert_true(isnan(stats_median(NULL, 0)));
	assert_true(isnan(stats_mean(NULL, 0)));
	assert_true(isnan(stats_stdev(NULL, 0)));
	assert_true(isnan(stats_quantile(NULL, 0, 0.9)));
	assert_true(isnan(stats_min(NULL, 0)));
	assert_true(isnan(stats_max(NULL, 0)));
	/* One unknown value makes the rest worthless. */
	assert_true(isnan(stats_median(v, 3)));
	assert_true(isnan(stats_mean(v, 3)));
	assert_true(isnan(stats_stdev(v, 3)));
	assert_true(isnan(stats_stdev(v + 1, 1)));
	assert_true(isnan(stats_quantile(v, 3, 0)));
	assert_true(isnan(stats_min(v, 3)));
	assert_true(isnan(stats_max(v, 3)));
	assert_true(isnan(stats_quantile(v, 1, NAN)));
}

static void
one_value_is_all_there_is(void **state)
{
	const double v[] = {42.5};

	(void)state;
	assert_true(stats_median(v, 1) == 42.5);
	assert_true(stats_mean(v, 1) == 42.5);
	assert_true(stats_stdev(v, 1) == 0);
	assert_true(stats_quantile(v, 1, 0) == 42.5);
	assert_true(stats_quantile(v, 1, 1) == 42.5);
	assert_true(stats_min(v, 1) == 42.5);
	assert_true(stats_max(v, 1) == 42.5);
}

static void
order_does_not_matter_and_stays(void **state)
{
	const double odd[] = {5, 1, 4, 2, 3};
	const double even[] = {4, -1, 3, 2};
	double v[5];

	(void)state;
	memcpy(v, odd, sizeof(v));
	assert_true(stats_median(v, 5) == 3);
	assert_true(stats_median(even, 4) == 2.5);
	assert_true(stats_min(v, 5) == 1);
	assert_true(stats_max(v, 5) == 5);
	assert_true(stats_min(even, 4) == -1);
	assert_true(stats_mean(even, 4) == 2);
	assert_memory_equal(v, odd, sizeof(v));
}

static void
deviation_is_that_of_a_sample(void **state)
{
	const double v[] = {2, 4, 4, 4, 5, 5, 7, 9};
	const double shifted[] = {1e9 + 2, 1e9 + 4, 1e9 + 4, 1e9 + 4,
				  1e9 + 5, 1e9 + 5, 1e9 + 7, 1e9 + 9};
	const double equal[] = {0.1, 0.1, 0.1};

	(void)state;
	/* The squares around the mean 5 sum up to 32; 7 degrees of freedom. */
	assert_near(stats_stdev(v, 8), sqrt(32.0 / 7), 1e-12);
	/* Large values that differ little lose nothing. */
	assert_near(stats_stdev(shifted, 8), sqrt(32.0 / 7), 1e-12);
	assert_near(stats_stdev(equal, 3), 0, 1e-16);
}

static void
quantiles_interpolate_between_ranks(void **state)
{
	const double v[] = {40, 10, 30, 20};

	(void)state;
	assert_true(stats_quantile(v, 4, 0) == 10);
	assert_true(stats_quantile(v, 4, 1) == 40);
	assert_near(stats_quantile(v, 4, 1.0 / 3), 20, 1e-12);
	assert_near(stats_quantile(v, 4, 0.5), 25, 1e-12);
	assert_near(stats_quantile(v, 4, 0.9), 37, 1e-12);
	assert_true(stats_quantile(v, 4, -1) == 10);
	assert_true(stats_quantile(v, 4, 2) == 40);
}

static void
quantiles_grow_and_stay_inside(void **state)
{
	double v[101];
	double last = -INFINITY;

	(void)state;
	for (size_t i = 0; i < N_ELEMS(v); i++)
		v[i] = (double)(i * 37 % 101);
	for (int i = 0; i <= 1000; i++) {
		double q = stats_quantile(v, N_ELEMS(v), i / 1000.0);

		assert_true(q >= last && q >= 0 && q <= 100);
		assert_near(q, i / 10.0, 1e-9);
		last = q;
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_measured_is_unknown),
		cmocka_unit_test(one_value_is_all_there_is),
		cmocka_unit_test(order_does_not_matter_and_stays),
		cmocka_unit_test(deviation_is_that_of_a_sample),
		cmocka_unit_test(quantiles_interpolate_between_ranks),
		cmocka_unit_test(quantiles_grow_and_stay_inside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
