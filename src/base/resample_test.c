/* SPDX-License-Identifier: MIT */
/* How often resampling is right, in per cent, of means and medians (m) of n values, at 95 %:
 *
 *                       n = 10   20   50
 *     normal                89   92   95   BCa; Student's: 94 to 96
 *     lognormal, sd 0.5     87   90   92   BCa; Student's: 92 to 94
 *     lognormal, sd 1       82   87   90   BCa; Student's: 84 to 90
 *     normal, m             91   95   94   BCa; order statistics: 97
 *     lognormal, m          94   95   94   BCa; order statistics: 97 to 98
 *     clusters              90   92   95   BCa; Student's of the clusters' means: 94 to 96
 *
 * Series whose values inherit half of the one before need runs of 10 and 200 values for 93 %, and
 * those that inherit 0.8 of it reach 87 % with 1000 values and runs of 20; resample_series_test.c
 * has those whose runs are chosen. */
#include "resample.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mem.h"
#include "random.h"
#include "stats.h"

#define assert_near(a, b, tolerance) assert_true(fabs((a) - (b)) <= (tolerance))

static const struct resample of_mean = {resample_mean, 0.95, RESAMPLE_N, 1};
static const struct resample of_median = {resample_median, 0.95, RESAMPLE_N, 1};

/* ---- statistics ---- */

static void
selection_is_sorting(void **state)
{
	struct random r;

	(void)state;
	random_init(&r, 1, 0);
	for (unsigned run = 0; run < 3000; run++) {
		size_t n = 1 + random_below(&r, 40);
		double v[40], want;

		/* Few different values, so that many are equal. */
		for (size_t i = 0; i < n; i++)
			v[i] = (double)random_below(&r, 1 + run % 50);
		want = stats_median(v, n);
		assert_near(resample_median(v, n), want, 0);
		assert_near(resample_mean(v, n), stats_mean(v, n), 1e-12);
	}
}

/* ---- what can be told without chance ---- */

static void
two_values_have_three_means(void **state)
{
	const double v[] = {0, 1};
	struct interval in = resample_percentile(&of_mean, v, 2);

	(void)state;
	/* A quarter of the resamples are 0, a quarter 1. */
	assert_near(in.low, 0, 0);
	assert_near(in.high, 1, 0);
	in = resample_percentile(&(struct resample){resample_mean, 0.4, RESAMPLE_N, 1}, v, 2);
	assert_near(in.low, 0.5, 0);
	assert_near(in.high, 0.5, 0);
}

/* Normal theory for the mean of many: 1.96 standard deviations of the values over sqrt(n). */
static void
many_values_give_the_normal_interval(void **state)
{
	double v[400], half;
	struct interval percentile, bca, single, runs;
	size_t length[400];
	struct random r;

	(void)state;
	random_init(&r, 2, 0);
	for (unsigned i = 0; i < 400; i++) {
		v[i] = random_normal(&r);
		length[i] = 1;
	}
	half = 1.96 * stats_stdev(v, 400) / 20;
	percentile = resample_percentile(&of_mean, v, 400);
	bca = resample_bca(&of_mean, v, 400);
	single = resample_clusters(&of_mean, v, length, 400);
	runs = resample_runs(&of_mean, v, 400, 1);
	assert_near(percentile.high - stats_mean(v, 400), half, 0.04 * half);
	assert_near(stats_mean(v, 400) - percentile.low, half, 0.04 * half);
	assert_near(bca.high, percentile.high, 0.05 * half);
	assert_near(bca.low, percentile.low, 0.05 * half);
	assert_near(single.low, bca.low, 0);
	assert_near(single.high, bca.high, 0);
	assert_near(runs.high - runs.low, 2 * half, 0.06 * half);
}

static void
bca_leans_to_the_long_side(void **state)
{
	struct interval percentile, bca;
	double v[30];

	(void)state;
	for (unsigned i = 0; i < 30; i++)
		v[i] = exp(i / 8.0);
	percentile = resample_percentile(&of_mean, v, 30);
	bca = resample_bca(&of_mean, v, 30);
	assert_true(bca.low > percentile.low && bca.high > percentile.high);
	for (unsigned i = 0; i < 30; i++)
		v[i] = -v[i];
	percentile = resample_percentile(&of_mean, v, 30);
	bca = resample_bca(&of_mean, v, 30);
	assert_true(bca.low < percentile.low && bca.high < percentile.high);
}

static void
clusters_stay_together(void **state)
{
	const double v[] = {1, 1, 1, 1, 5, 5};
	const size_t length[] = {4, 2};
	struct interval in = resample_clusters(&of_mean, v, length, 2);

	(void)state;
	/* Means of 1, of 7/3 or of 5 and nothing between; the percentiles of single values would
	 * have been closer. */
	assert_near(in.low, 1, 1e-12);
	assert_near(in.high, 5, 1e-12);
	in = resample_percentile(&of_mean, v, 6);
	assert_true(in.high < 5);
}

static void
same_seed_same_interval(void **state)
{
	const double v[] = {3, 1, 4, 1.5, 9, 2.6, 5};
	struct resample other = of_mean;
	struct interval a = resample_bca(&of_mean, v, 7), b = resample_bca(&of_mean, v, 7);

	(void)state;
	assert_near(a.low, b.low, 0);
	assert_near(a.high, b.high, 0);
	other.seed++;
	b = resample_bca(&other, v, 7);
	assert_true(a.low < b.low || a.low > b.low);
	assert_near(a.low, b.low, 0.05 * (a.high - a.low));
}

static void
nothing_and_unknown(void **state)
{
	const double v[] = {1, NAN, 2}, same[] = {7, 7, 7, 7};

	(void)state;
	assert_true(isnan(resample_bca(&of_mean, NULL, 0).low));
	assert_true(isnan(resample_percentile(&of_mean, v, 3).low));
	assert_true(isnan(resample_runs(&of_mean, v, 3, 1).high));
	assert_true(isnan(resample_runs(&of_mean, same, 4, 0).high));
	assert_near(resample_bca(&of_mean, v, 1).low, 1, 0);
	assert_near(resample_bca(&of_median, same, 4).low, 7, 0);
	assert_near(resample_bca(&of_median, same, 4).high, 7, 0);
}

/* ---- how often it is right ---- */

/* Per mille of 'runs' intervals that hold the truth. */
static unsigned
coverage(struct random *r, size_t n, resample_statistic statistic, double skew, unsigned runs)
{
	/* A lognormal of median 1; of little skew it is all but normal. */
	double truth = statistic == resample_median ? 1 : exp(skew * skew / 2);
	unsigned n_right = 0;
	double v[200];

	for (unsigned run = 0; run < runs; run++) {
		struct resample conf = {statistic, 0.95, 400, run};
		struct interval in;

		for (size_t i = 0; i < n; i++)
			v[i] = exp(skew * random_normal(r));
		in = resample_bca(&conf, v, n);
		n_right += in.low <= truth && truth <= in.high;
	}
	print_message("# n %zu, skew %.2f: %.1f %%\n", n, skew, 100.0 * n_right / runs);
	return 1000 * n_right / runs;
}

static void
coverage_is_as_told(void **state)
{
	unsigned share;
	struct random r;

	(void)state;
	random_init(&r, 3, 0);
	/* Within three standard errors of what the top of this file tells. */
	share = coverage(&r, 10, resample_mean, 0.05, 1000);
	assert_true(share > 860 && share < 930);
	share = coverage(&r, 50, resample_mean, 0.05, 1000);
	assert_true(share > 920 && share < 970);
	share = coverage(&r, 50, resample_mean, 1, 1000);
	assert_true(share > 860 && share < 930);
	share = coverage(&r, 20, resample_median, 1, 1000);
	assert_true(share > 930 && share < 970);
	share = coverage(&r, 200, resample_median, 1, 300);
	assert_true(share > 920 && share < 980);
}

static void
shared_fate_needs_clusters(void **state)
{
	enum { RUNS = 600, CLUSTERS = 50, EACH = 5 };
	unsigned n_right = 0, n_right_without = 0;
	size_t length[CLUSTERS];
	struct random r;

	(void)state;
	random_init(&r, 4, 0);
	for (unsigned run = 0; run < RUNS; run++) {
		struct resample conf = {resample_mean, 0.95, 300, run};
		double v[CLUSTERS * EACH];
		struct interval in;

		for (unsigned i = 0; i < CLUSTERS; i++) {
			double fate = random_normal(&r);

			length[i] = EACH;
			for (unsigned k = 0; k < EACH; k++)
				v[i * EACH + k] = fate + random_normal(&r);
		}
		in = resample_clusters(&conf, v, length, CLUSTERS);
		n_right += in.low <= 0 && in.high >= 0;
		in = resample_percentile(&conf, v, N_ELEMS(v));
		n_right_without += in.low <= 0 && in.high >= 0;
	}
	assert_true(n_right > 0.92 * RUNS && n_right < 0.98 * RUNS);
	assert_true(n_right_without < 0.8 * RUNS);
}

static void
inheriting_values_need_runs(void **state)
{
	enum { RUNS = 400, N = 200 };
	unsigned n_right = 0, n_right_without = 0;
	struct random r;

	(void)state;
	random_init(&r, 5, 0);
	for (unsigned run = 0; run < RUNS; run++) {
		struct resample conf = {resample_mean, 0.95, 300, run};
		double v[N], x = random_normal(&r);
		struct interval in;

		for (unsigned i = 0; i < N; i++) {
			v[i] = x;
			x = 0.5 * x + sqrt(0.75) * random_normal(&r);
		}
		in = resample_runs(&conf, v, N, 10);
		n_right += in.low <= 0 && in.high >= 0;
		in = resample_runs(&conf, v, N, 1);
		n_right_without += in.low <= 0 && in.high >= 0;
	}
	assert_true(n_right > 0.88 * RUNS && n_right < 0.97 * RUNS);
	assert_true(n_right_without < 0.82 * RUNS);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(selection_is_sorting),
		cmocka_unit_test(two_values_have_three_means),
		cmocka_unit_test(many_values_give_the_normal_interval),
		cmocka_unit_test(bca_leans_to_the_long_side),
		cmocka_unit_test(clusters_stay_together),
		cmocka_unit_test(same_seed_same_interval),
		cmocka_unit_test(nothing_and_unknown),
		cmocka_unit_test(coverage_is_as_told),
		cmocka_unit_test(shared_fate_needs_clusters),
		cmocka_unit_test(inheriting_values_need_runs),
	};

	return cmocka_run_group_tests_name("base_resample", tests, NULL, NULL);
}
