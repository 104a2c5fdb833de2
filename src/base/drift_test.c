/* SPDX-License-Identifier: MIT */
#include "drift.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "random.h"

#define assert_near(a, b, tolerance) assert_true(fabs((a) - (b)) <= (tolerance))

static void
straight_lines_drift(void **state)
{
	const double up[] = {1, 3, 5, 7, 9}, down[] = {4, 3, 2, 1};
	struct drift d = drift_of(up, 5);

	(void)state;
	assert_near(d.tau, 1, 1e-12);
	/* One of 120 orders, and its reverse. */
	assert_near(d.p, 2 / 120.0, 1e-12);
	assert_near(d.slope, 2, 1e-12);
	assert_near(d.first_mean, 2, 1e-12);
	assert_near(d.last_mean, 8, 1e-12);
	assert_true(drift_found(&d, 0.05) && !drift_found(&d, 0.01));
	d = drift_of(down, 4);
	assert_near(d.tau, -1, 1e-12);
	assert_near(d.p, 2 / 24.0, 1e-12);
	assert_near(d.slope, -1, 1e-12);
}

/* One-sided probabilities of Kendall's table. */
static void
exact_probabilities_are_the_tables(void **state)
{
	/* 6 and 7 of 28 pairs fall, 11 and 12 of 45. */
	const double s16[] = {3, 2, 1, 6, 5, 4, 7, 8}, s14[] = {3, 2, 1, 5, 4, 8, 7, 6};
	const double s23[] = {4, 3, 2, 1, 6, 5, 9, 8, 10, 7};
	const double s21[] = {4, 3, 2, 1, 6, 5, 10, 8, 9, 7};
	struct drift d;

	(void)state;
	d = drift_of(s14, 8);
	assert_near(d.tau, 14 / 28.0, 1e-12);
	assert_near(d.p, 2 * 0.054, 1e-3);
	d = drift_of(s16, 8);
	assert_near(d.p, 2 * 0.031, 1e-3);
	d = drift_of(s21, 10);
	assert_near(d.tau, 21 / 45.0, 1e-12);
	assert_near(d.p, 2 * 0.036, 1e-3);
	d = drift_of(s23, 10);
	assert_near(d.p, 2 * 0.023, 1e-3);
}

/* Eight pairs rise, two are tied; the ties take 2 * 18 of 300, and one is for continuity. */
static void
ties_make_it_normal(void **state)
{
	struct drift d = drift_of((double[]){1, 1, 2, 2, 3}, 5);

	(void)state;
	assert_near(d.p, erfc(7 / sqrt(264 / 18.0) / M_SQRT2), 1e-12);
	assert_near(d.tau, 8 / sqrt(8 * 10), 1e-12);
}

static void
one_wild_value_is_no_drift(void **state)
{
	double v[21];
	struct drift d;

	(void)state;
	for (int i = 0; i < 21; i++)
		v[i] = 10 + 0.1 * i;
	v[20] = -1000;
	d = drift_of(v, 21);
	assert_near(d.slope, 0.1, 1e-9);
	assert_true(drift_found(&d, 0.001));
}

static void
missing_values_keep_their_place(void **state)
{
	const double v[] = {0, NAN, 2, 3, NAN, NAN, 6};
	struct drift d = drift_of(v, 7);

	(void)state;
	assert_int_equal(d.n, 4);
	assert_near(d.slope, 1, 1e-12);
	assert_near(d.first_mean, 1, 1e-12);
	assert_near(d.last_mean, 4.5, 1e-12);
}

static void
little_is_nothing(void **state)
{
	struct drift d = drift_of(NULL, 0);

	(void)state;
	assert_int_equal(d.n, 0);
	assert_true(isnan(d.tau) && isnan(d.slope) && isnan(d.first_mean));
	assert_near(d.p, 1, 0);
	d = drift_of((double[]){1, 2, 3}, 3);
	assert_near(d.p, 1, 0);
	assert_near(d.slope, 1, 0);
	d = drift_of((double[]){5, 5, 5, 5, 5, 5}, 6);
	assert_near(d.p, 1, 0);
	assert_near(d.tau, 0, 0);
	d = drift_of((double[]){5}, 1);
	assert_near(d.first_mean, 5, 0);
	assert_near(d.last_mean, 5, 0);
}

/* 5 % of steady series are called drifting, by the exact and by the normal way, with and without
 * ties; within four standard errors of 2000. */
static void
the_level_is_held(void **state)
{
	unsigned n_found[3] = {0};
	struct random r;

	(void)state;
	random_init(&r, 1, 0);
	for (unsigned run = 0; run < 2000; run++) {
		double v[40], coarse[40];
		struct drift d;

		for (unsigned i = 0; i < 40; i++) {
			v[i] = random_normal(&r);
			coarse[i] = round(v[i]);
		}
		d = drift_of(v, 10);
		n_found[0] += drift_found(&d, 0.05);
		d = drift_of(v, 40);
		n_found[1] += drift_found(&d, 0.05);
		d = drift_of(coarse, 40);
		n_found[2] += drift_found(&d, 0.05);
	}
	/* The steps of the exact one leave it at 4.7 %. */
	for (unsigned i = 0; i < 3; i++)
		assert_true(n_found[i] > 61 && n_found[i] < 139);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(straight_lines_drift),
		cmocka_unit_test(exact_probabilities_are_the_tables),
		cmocka_unit_test(ties_make_it_normal),
		cmocka_unit_test(one_wild_value_is_no_drift),
		cmocka_unit_test(missing_values_keep_their_place),
		cmocka_unit_test(little_is_nothing),
		cmocka_unit_test(the_level_is_held),
	};

	return cmocka_run_group_tests_name("base_drift", tests, NULL, NULL);
}
