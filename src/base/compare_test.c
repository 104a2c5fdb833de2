/* SPDX-License-Identifier: MIT */
#include "compare.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mem.h"
#include "random.h"

#define assert_near(a, b, tolerance) assert_true(fabs((a) - (b)) <= (tolerance))

/* Darwin's 15 pairs of maize plants, eighths of an inch, as Fisher (1935) analysed them: 863 of the
 * 32768 flips give 314 or more. */
static const double darwin[] = {49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48};

static void
flips_are_fishers(void **state)
{
	(void)state;
	assert_near(compare_sign_flips(darwin, 15, 0, 0), 2 * 863.0 / 32768, 1e-12);
	assert_near(compare_sign_flips((double[]){1, 2, 3}, 3, 0, 0), 0.25, 0);
	assert_near(compare_sign_flips((double[]){-1, -2, -3}, 3, 0, 0), 0.25, 0);
	assert_near(compare_sign_flips((double[]){0.1, 0.2, -0.3}, 3, 0, 0), 1, 0);
	assert_near(compare_sign_flips((double[]){5}, 1, 0, 0), 1, 0);
	assert_near(compare_sign_flips((double[]){0, 0}, 2, 0, 0), 1, 0);
	assert_true(isnan(compare_sign_flips(NULL, 0, 0, 0)));
	assert_true(isnan(compare_sign_flips((double[]){1, NAN}, 2, 0, 0)));
}

/* The exact value for 20 from counting, for 21 and more by chance; both find it. */
static void
random_flips_come_close(void **state)
{
	double v[30], exact, drawn;

	(void)state;
	for (unsigned i = 0; i < 15; i++)
		v[i] = darwin[i];
	for (unsigned i = 15; i < 30; i++)
		v[i] = 0; /* adds nothing to any sum */
	exact = compare_sign_flips(v, 20, 0, 0);
	assert_near(exact, 2 * 863.0 / 32768, 1e-12);
	drawn = compare_sign_flips(v, 30, 20000, 7);
	/* Three standard errors. */
	assert_near(drawn, exact, 3 * sqrt(exact * (1 - exact) / 20000));
	assert_near(drawn, compare_sign_flips(v, 30, 20000, 7), 0);
	assert_true(compare_sign_flips(v, 30, 20000, 8) > drawn ||
		    compare_sign_flips(v, 30, 20000, 8) < drawn);
	for (unsigned i = 0; i < 30; i++)
		v[i] = 1;
	assert_near(compare_sign_flips(v, 30, 999, 7), 0.001, 1e-12);
}

/* The share of p < 0.05 among 2000 comparisons of what does not differ: 5 %, within three standard
 * errors; a discrete test may have less. */
static void
tests_hold_their_level(void **state)
{
	unsigned flips = 0, random_flips = 0, ranks = 0;
	struct random r;

	(void)state;
	random_init(&r, 2, 0);
	for (unsigned run = 0; run < 2000; run++) {
		double a[25], b[25];

		for (unsigned i = 0; i < 25; i++) {
			a[i] = exp(random_normal(&r)) - exp(random_normal(&r));
			b[i] = exp(random_normal(&r)) - exp(random_normal(&r));
		}
		flips += compare_sign_flips(a, 10, 0, 0) < 0.05;
		random_flips += compare_sign_flips(a, 25, 199, run) < 0.05;
		ranks += compare_mann_whitney(a, 10, b, 8) < 0.05;
	}
	assert_true(flips > 70 && flips < 130);
	/* Of 200 the nine most extreme: 4.5 %. */
	assert_true(random_flips > 60 && random_flips < 120);
	assert_true(ranks > 60 && ranks < 130);
}

static void
ranks_are_those_of_mann_and_whitney(void **state)
{
	const double a[] = {19, 22, 16, 29, 24}, b[] = {20, 11, 17, 12};
	const double tied[] = {1, 1, 2, 2}, more[] = {2, 2, 3, 3};

	(void)state;
	/* U is 17 of 20; mean 10, variance 16.667. */
	assert_near(compare_mann_whitney(a, 5, b, 4), 0.11134688653314041, 1e-12);
	assert_near(compare_mann_whitney(b, 4, a, 5), 0.11134688653314041, 1e-12);
	/* Ranks 1.5, 1.5 and four times 4.5: sum 12, 6 below the mean; the ties take 72 of 504. */
	assert_near(compare_mann_whitney(tied, 4, more, 4),
		    erfc(5.5 / sqrt(16.0 / 12 * (9 - 72.0 / 56)) / M_SQRT2), 1e-12);
	assert_near(compare_mann_whitney(tied, 2, tied, 2), 1, 0);
	assert_true(isnan(compare_mann_whitney(a, 0, b, 4)));
	assert_true(isnan(compare_mann_whitney(a, 5, b, 0)));
}

static void
holm_steps_down(void **state)
{
	double p[] = {0.01, 0.04, 0.03, 0.005}, one[] = {0.2}, large[] = {0.9, 0.6};

	(void)state;
	compare_holm(p, 4);
	assert_near(p[0], 0.03, 1e-15);
	assert_near(p[1], 0.06, 1e-15);
	assert_near(p[2], 0.06, 1e-15);
	assert_near(p[3], 0.02, 1e-15);
	compare_holm(one, 1);
	assert_near(one[0], 0.2, 0);
	compare_holm(large, 2);
	assert_near(large[0], 1, 0);
	assert_near(large[1], 1, 0);
	compare_holm(NULL, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(flips_are_fishers),
		cmocka_unit_test(random_flips_come_close),
		cmocka_unit_test(tests_hold_their_level),
		cmocka_unit_test(ranks_are_those_of_mann_and_whitney),
		cmocka_unit_test(holm_steps_down),
	};

	return cmocka_run_group_tests_name("base_compare", tests, NULL, NULL);
}
