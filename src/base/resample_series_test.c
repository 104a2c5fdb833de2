/* SPDX-License-Identifier: MIT */
/* How often the interval of a series is right, in per cent, of means and medians (m) of n values
 * that inherit so much of the one before; with resample_runs of single values (1), with runs of the
 * best length for a variance (b), and as resample_series has it:
 *
 *                      n = 60           n = 120          n = 240          n = 1000
 *     inherited      1   b  here      1   b  here      1   b  here      1   b  here
 *     0             94  93    97     95  93    96     92  92    93     96  96    95
 *     0.5           70  81    93     71  87    94     74  91    94     75  92    96
 *     0.8           45  72    88     45  80    90     39  80    91     46  93    97
 *     0.9           28  61    83     30  68    89     39  82    93     30  85    92
 *     0, m          94  93    95     94  92    95     95  95    98     95  95    96
 *     0.5, m        76  85    90     81  89    95     80  90    95     81  94    96
 *     0.8, m        56  75    88     56  87    96     61  88    93     56  93    97
 *     0.9, m        43  65    87     40  74    88     33  83    93     40  89    94
 *
 * (300 series each: +- 1.5.)  A series shorter than some 15 times its memory tells too little of
 * it. */
#include "resample.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mem.h"
#include "random.h"

#define MAX_N 1000

static void
inherit(struct random *r, double share, double *v, size_t n)
{
	double x = random_normal(r);

	for (size_t i = 0; i < n; i++) {
		v[i] = x;
		x = share * x + sqrt(1 - share * share) * random_normal(r);
	}
}

struct rightness {
	double single; /* per cent, of runs of one value */
	double series;
};

static struct rightness
coverage(resample_statistic statistic, double share, size_t n, unsigned runs)
{
	unsigned n_single = 0, n_series = 0;
	double v[MAX_N];
	struct random r;

	random_init(&r, 6, n);
	for (unsigned run = 0; run < runs; run++) {
		const struct resample conf = {statistic, 0.95, 300, run};
		struct interval in;

		inherit(&r, share, v, n);
		in = resample_runs(&conf, v, n, 1);
		n_single += in.low <= 0 && in.high >= 0;
		in = resample_series(&conf, v, n);
		n_series += in.low <= 0 && in.high >= 0;
	}
	print_message("# %s of %zu, inherits %.1f: %.1f %%, single values %.1f %%\n",
		      statistic == resample_mean ? "mean" : "median", n, share,
		      100.0 * n_series / runs, 100.0 * n_single / runs);
	return (struct rightness){100.0 * n_single / runs, 100.0 * n_series / runs};
}

static void
coverage_is_as_told(void **state)
{
	struct rightness is;

	(void)state;
	/* Within three standard errors of what the top of this file tells. */
	is = coverage(resample_mean, 0, 120, 200);
	assert_true(is.series >= 91 && is.series <= 99);
	is = coverage(resample_mean, 0.5, 240, 200);
	assert_true(is.series >= 89 && is.series <= 98 && is.single < 84);
	is = coverage(resample_median, 0.5, 240, 200);
	assert_true(is.series >= 89 && is.series <= 99 && is.single < 88);
	is = coverage(resample_mean, 0.8, 1000, 40);
	assert_true(is.series >= 88 && is.single < 70);
	is = coverage(resample_median, 0.8, 120, 200);
	assert_true(is.series >= 91 && is.single < 67);
}

static void
longer_memory_longer_runs(void **state)
{
	static const double shares[] = {0, 0.97};
	size_t last = 0;
	double v[MAX_N];
	struct random r;

	(void)state;
	random_init(&r, 8, 0);
	for (size_t i = 0; i < N_ELEMS(shares); i++) {
		size_t length;

		inherit(&r, shares[i], v, MAX_N);
		length = resample_run_length(resample_mean, v, MAX_N);
		print_message("# inherits %.2f: runs of %zu\n", shares[i], length);
		assert_true(length > last && length >= MAX_N / 10 && length <= MAX_N / 3);
		last = length;
	}
	/* What alternates is no reason for runs either. */
	for (size_t i = 0; i < 100; i++)
		v[i] = i % 2 == 0 ? 1 : -1;
	assert_true(resample_run_length(resample_mean, v, 100) <= 100 / 3);
}

static void
nothing_and_unknown(void **state)
{
	const struct resample of_median = {resample_median, 0.95, 300, 1};
	const double same[] = {7, 7, 7, 7, 7, 7, 7, 7, 7}, unknown[] = {1, NAN, 2, 3};

	(void)state;
	assert_int_equal(resample_run_length(resample_mean, NULL, 0), 0);
	assert_true(isnan(resample_series(&of_median, NULL, 0).low));
	assert_true(isnan(resample_series(&of_median, unknown, 4).high));
	assert_int_equal(resample_run_length(resample_median, same, 9), 1);
	assert_true(fabs(resample_series(&of_median, same, 9).low - 7) <= 0);
	assert_true(fabs(resample_series(&of_median, same, 9).high - 7) <= 0);
	assert_true(fabs(resample_series(&of_median, same, 1).high - 7) <= 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(coverage_is_as_told),
		cmocka_unit_test(longer_memory_longer_runs),
		cmocka_unit_test(nothing_and_unknown),
	};

	return cmocka_run_group_tests_name("base_resample_series", tests, NULL, NULL);
}
