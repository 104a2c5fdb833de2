/* SPDX-License-Identifier: MIT */
#include "interval.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mem.h"
#include "random.h"

#define assert_near(a, b, tolerance) assert_true(fabs((a) - (b)) <= (tolerance))

static void
assert_interval(struct interval i, double low, double high, double tolerance)
{
	assert_near(i.low, low, tolerance);
	assert_near(i.high, high, tolerance);
}

static void
wilson_is_as_published(void **state)
{
	(void)state;
	/* The four examples of Newcombe (1998), table I, method 3. */
	assert_interval(interval_wilson(81, 263, 0.95), 0.2553, 0.3662, 6e-5);
	assert_interval(interval_wilson(15, 148, 0.95), 0.0624, 0.1605, 6e-5);
	assert_interval(interval_wilson(0, 20, 0.95), 0, 0.1611, 6e-5);
	assert_interval(interval_wilson(1, 29, 0.95), 0.0061, 0.1718, 6e-5);
	assert_interval(interval_wilson(20, 20, 0.95), 1 - 0.1611, 1, 6e-5);
	assert_interval(interval_wilson(0, 0, 0.95), 0, 1, 0);
	assert_true(interval_wilson(0, 20, 0.95).low >= 0);
	assert_true(interval_wilson(20, 20, 0.95).high <= 1);
}

static void
no_failures_still_bound(void **state)
{
	static const struct {
		unsigned n;
		double bound;
	} want[] = {{3, 0.63}, {7, 0.35}, {11, 0.24}, {21, 0.13}, {59, 0.05}};

	(void)state;
	for (unsigned i = 0; i < N_ELEMS(want); i++)
		assert_near(interval_no_failures(want[i].n, 0.95), want[i].bound, 0.005);
	assert_near(interval_no_failures(0, 0.95), 1, 0);
	assert_near(interval_no_failures(1, 0.95), 0.95, 1e-12);
}

/* Ranks as in tables of the sign test. */
static void
median_lies_between_ranks(void **state)
{
	static const struct {
		size_t n;
		double low, high;
	} rank[] = {{6, 1, 6},	 {8, 1, 8},    {9, 2, 8},    {10, 2, 9},
		    {20, 6, 15}, {50, 18, 33}, {100, 40, 61}};
	double v[100];

	(void)state;
	for (unsigned i = 0; i < N_ELEMS(rank); i++) {
		/* 1 to n, backwards. */
		for (size_t k = 0; k < rank[i].n; k++)
			v[k] = (double)(rank[i].n - k);
		assert_interval(interval_median(v, rank[i].n, 0.95), rank[i].low, rank[i].high, 0);
	}
	assert_interval(interval_median(v, 8, 0.99), 93, 100, 0);
	assert_true(isnan(interval_median(v, 5, 0.95).low));
	assert_true(isnan(interval_median(v, 7, 0.99).low));
	assert_true(isnan(interval_median(v, 0, 0.95).high));
	v[3] = NAN;
	assert_true(isnan(interval_median(v, 20, 0.95).low));
}

static void
mean_is_students(void **state)
{
	const double v[] = {1, 2, 3, 4, 5};
	struct interval i = interval_mean(v, 5, 0.95);

	(void)state;
	/* t with 4 degrees of freedom is 2.776445, the standard error sqrt(2.5 / 5). */
	assert_interval(i, 3 - 2.776445 * sqrt(0.5), 3 + 2.776445 * sqrt(0.5), 1e-6);
	assert_true(isnan(interval_mean(v, 1, 0.95).low));
	assert_true(isnan(interval_mean(v, 0, 0.95).low));
	assert_interval(interval_mean((double[]){7, 7}, 2, 0.95), 7, 7, 0);
}

static void
trimming_is_yuens(void **state)
{
	double v[] = {1, 10, 2, 9, 3, 8, 4, 7, 5, 6};
	struct interval_mean_parts p = interval_trimmed_parts(v, 10, 1);
	struct interval in = interval_of_parts(&p, 0.95);

	(void)state;
	/* 2 to 9 are left; with 1 and 10 moved to 2 and 9 the squares are 66.5. */
	assert_near(p.mean, 5.5, 1e-12);
	assert_near(p.se, sqrt(66.5 / (8 * 7)), 1e-12);
	assert_near(p.df, 7, 0);
	assert_interval(in, 5.5 - 2.364624 * p.se, 5.5 + 2.364624 * p.se, 1e-6);
	/* How far out the outermost is does not matter. */
	v[1] = 1e9;
	p = interval_trimmed_parts(v, 10, 1);
	assert_near(p.mean, 5.5, 1e-12);
	assert_near(p.se, sqrt(66.5 / (8 * 7)), 1e-12);
	assert_near(v[1], 1e9, 0);
	p = interval_trimmed_parts(v, 2, 1);
	assert_true(isnan(p.mean) && isnan(p.se));
	p = interval_trimmed_parts(v, 3, 1);
	assert_true(!isnan(p.mean) && isnan(p.se));
}

static void
p_and_interval_agree(void **state)
{
	struct random r;

	(void)state;
	random_init(&r, 1, 0);
	for (unsigned run = 0; run < 200; run++) {
		struct interval_mean_parts p;
		struct interval in;
		double v[9];

		for (unsigned i = 0; i < 9; i++)
			v[i] = 0.7 + random_normal(&r);
		p = interval_trimmed_parts(v, 9, run % 3);
		in = interval_of_parts(&p, 0.95);
		assert_int_equal(in.low > 0 || in.high < 0, interval_p_value(&p, 0) < 0.05);
	}
	assert_near(interval_p_value(&(struct interval_mean_parts){1, 0, 3}, 0), 0, 0);
	assert_near(interval_p_value(&(struct interval_mean_parts){1, 0, 3}, 1), 1, 0);
	/* t = 2.5706 with 5 degrees of freedom. */
	assert_near(interval_p_value(&(struct interval_mean_parts){3.570582, 1, 5}, 1), 0.05, 1e-6);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wilson_is_as_published),
		cmocka_unit_test(no_failures_still_bound),
		cmocka_unit_test(median_lies_between_ranks),
		cmocka_unit_test(mean_is_students),
		cmocka_unit_test(trimming_is_yuens),
		cmocka_unit_test(p_and_interval_agree),
	};

	return cmocka_run_group_tests_name("base_interval", tests, NULL, NULL);
}
