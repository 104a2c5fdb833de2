/* SPDX-License-Identifier: MIT */
#include "random.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mem.h"

static void
the_algorithm_is_the_published_one(void **state)
{
	/* First numbers of xoshiro256** from the state 1, 2, 3, 4. */
	static const uint64_t want[] = {
		11520, 0, 1509978240, 1215971899390074240, 1216172134540287360, 607988272756665600,
	};
	struct random r = {{1, 2, 3, 4}};

	(void)state;
	for (unsigned i = 0; i < N_ELEMS(want); i++)
		assert_int_equal(random_next(&r), want[i]);
}

static void
sequences_never_change(void **state)
{
	/* Results name their seed, so that anybody can repeat the order: these are forever. */
	static const uint64_t want[][3] = {
		{0xfb5405f7bd79c540, 0x780c98e26cea5883, 0x2a146e0980febc66},
		{0xd392f9579a362d26, 0x47b7988996fab39a, 0x11ed0d7ad432a58f},
		{0xee127fe613436e33, 0xd6dad8d34a1874ea, 0x2a52c16cec1116a9},
		{0x54bb305d7741eaab, 0x9f4b8af5b5bf190f, 0x4505f524d793805d},
	};
	struct random r;

	(void)state;
	for (unsigned i = 0; i < N_ELEMS(want); i++) {
		random_init(&r, i / 2, i % 2);
		for (unsigned k = 0; k < 3; k++)
			assert_int_equal(random_next(&r), want[i][k]);
	}
}

static void
streams_and_seeds_differ(void **state)
{
	struct random a, b;

	(void)state;
	random_init(&a, 1, 2);
	random_init(&b, 2, 1);
	assert_int_not_equal(random_next(&a), random_next(&b));
	random_init(&a, 1, 2);
	random_init(&b, 1, 3);
	assert_int_not_equal(random_next(&a), random_next(&b));
}

static void
every_number_below_is_as_likely(void **state)
{
	unsigned n[7] = {0};
	struct random r;
	double chi2 = 0;

	(void)state;
	random_init(&r, 3, 0);
	for (unsigned i = 0; i < 70000; i++)
		n[random_below(&r, 7)]++;
	for (unsigned i = 0; i < 7; i++)
		chi2 += (n[i] - 10000.0) * (n[i] - 10000.0) / 10000;
	/* 99.9 % quantile of chi-squared with 6 degrees of freedom. */
	assert_true(chi2 < 22.46);
	assert_int_equal(random_below(&r, 1), 0);
	/* Where without rejection every third number would come twice as often. */
	for (unsigned i = n[0] = 0; i < 30000; i++)
		n[0] += random_below(&r, 3ull << 62) % 3 == 0;
	assert_true(n[0] > 9600 && n[0] < 10400);
}

static void
units_and_normals_have_their_moments(void **state)
{
	enum { N = 100000 };
	double sum = 0, squares = 0, unit = 0, fourth = 0;
	struct random r;

	(void)state;
	random_init(&r, 4, 0);
	for (unsigned i = 0; i < N; i++) {
		double u = random_unit(&r), z = random_normal(&r);

		assert_true(u >= 0 && u < 1);
		unit += u;
		sum += z;
		squares += z * z;
		fourth += z * z * z * z;
	}
	/* Four standard errors each. */
	assert_true(fabs(unit / N - 0.5) < 4 * sqrt(1 / 12.0 / N));
	assert_true(fabs(sum / N) < 4 * sqrt(1.0 / N));
	assert_true(fabs(squares / N - 1) < 4 * sqrt(2.0 / N));
	assert_true(fabs(fourth / N - 3) < 4 * sqrt(96.0 / N));
}

static void
all_orders_are_as_likely(void **state)
{
	unsigned n[27] = {0};
	struct random r;
	double chi2 = 0;

	(void)state;
	random_init(&r, 5, 0);
	for (unsigned i = 0; i < 60000; i++) {
		unsigned v[] = {0, 1, 2};

		random_shuffle(&r, v, 3);
		assert_int_equal(v[0] + v[1] + v[2], 3);
		n[v[0] * 9 + v[1] * 3 + v[2]]++;
	}
	for (unsigned i = 0; i < 27; i++)
		if (n[i] > 0)
			chi2 += (n[i] - 10000.0) * (n[i] - 10000.0) / 10000;
	/* 5 degrees of freedom; a missing order would show as 12000 in the others. */
	assert_true(chi2 < 20.52);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_algorithm_is_the_published_one),
		cmocka_unit_test(sequences_never_change),
		cmocka_unit_test(streams_and_seeds_differ),
		cmocka_unit_test(every_number_below_is_as_likely),
		cmocka_unit_test(units_and_normals_have_their_moments),
		cmocka_unit_test(all_orders_are_as_likely),
	};

	return cmocka_run_group_tests_name("base_random", tests, NULL, NULL);
}
