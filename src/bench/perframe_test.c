/* SPDX-License-Identifier: MIT */
#include "perframe.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/assert_near.h"
#include "base/test_random.h"

#define N_LOOKS 40
#define RING 4096

/* A hop that takes 'light' instructions for each frame, and for each ring full of them 'heavy' for
 * each at once; looked at from time to time.  Every 'gap' looks, unless that is 0, it did something
 * else, without end nearly. */
static void
look(struct perframe_point point[N_LOOKS], uint64_t light, uint64_t heavy, int gap)
{
	uint64_t frames = 1000000 + rng_below(RING), else_done = 123456789;

	for (int i = 0; i < N_LOOKS; i++) {
		bool is_gap = gap > 0 && i > 0 && i % gap == 0;

		frames += 12000 + rng_below(16000);
		else_done += is_gap ? rng_below(90000000) : 0;
		point[i] = (struct perframe_point){
			.frames = frames,
			.instructions = else_done + light * frames + frames / RING * RING * heavy,
			.stretch = (i > 0 ? point[i - 1].stretch : 7) + is_gap,
		};
	}
}

static void
an_even_hop_is_known_exactly(void **state)
{
	struct perframe_point point[N_LOOKS];
	struct perframe fit;

	(void)state;
	look(point, 137, 0, 0);
	assert_true(perframe_fit(point, N_LOOKS, &fit));
	assert_near(fit.per_frame, 137, 1e-6);
	assert_true(fit.accuracy < 1e-6);
	/* What it did between stretches does not show. */
	look(point, 137, 0, 5);
	assert_true(perframe_fit(point, N_LOOKS, &fit));
	assert_near(fit.per_frame, 137, 1e-6);
	assert_true(fit.accuracy < 1e-6);
}

static void
what_comes_in_lumps_is_counted_too(void **state)
{
	struct perframe_point point[N_LOOKS];
	struct perframe fit;

	(void)state;
	rng_seed(__func__);
	for (int i = 0; i < 100; i++) {
		look(point, 340, 60, i % 2 != 0 ? 13 : 0);
		assert_true(perframe_fit(point, N_LOOKS, &fit));
		assert_near(fit.per_frame, 400, 400 * 0.005);
		assert_true(fit.accuracy > 1e-5 && fit.accuracy < 0.005);
	}
}

static void
five_instructions_more_are_five_more(void **state)
{
	struct perframe_point a[N_LOOKS], b[N_LOOKS];
	struct perframe fit[2];

	(void)state;
	look(a, 120, 40, 0);
	look(b, 125, 40, 10);
	assert_true(perframe_fit(a, N_LOOKS, &fit[0]));
	assert_true(perframe_fit(b, N_LOOKS, &fit[1]));
	assert_near(fit[1].per_frame - fit[0].per_frame, 5, 0.5);
}

/* The stated accuracy is half a 95 % interval: of many hops about 1 in 20 lies outside. */
static void
the_accuracy_holds(void **state)
{
	enum { N = 4000 };
	struct perframe_point point[N_LOOKS];
	struct perframe fit;
	int outside = 0;

	(void)state;
	rng_seed(__func__);
	for (int i = 0; i < N; i++) {
		look(point, 120, 280, i % 4 == 0 ? 4 : 0);
		assert_true(perframe_fit(point, N_LOOKS, &fit));
		outside += fabs(fit.per_frame - 400) > fit.accuracy * fit.per_frame;
	}
	print_message("# %d of %d outside\n", outside, N);
	assert_true(outside > N / 40);
	assert_true(outside < N / 12);
}

static void
what_says_nothing_is_unknown(void **state)
{
	struct perframe_point point[N_LOOKS];
	struct perframe fit;

	(void)state;
	look(point, 137, 0, 0);
	assert_false(perframe_fit(point, 0, &fit));
	assert_false(perframe_fit(point, 2, &fit));
	assert_true(isnan(fit.per_frame) && isnan(fit.accuracy));
	assert_true(perframe_fit(point, 3, &fit));

	/* Each look a stretch of its own; and nothing forwarded between any two. */
	look(point, 137, 0, 1);
	assert_false(perframe_fit(point, N_LOOKS, &fit));
	for (int i = 0; i < N_LOOKS; i++)
		point[i] = (struct perframe_point){5, 100 + (uint64_t)i, 0};
	assert_false(perframe_fit(point, N_LOOKS, &fit));
	assert_true(isnan(fit.per_frame));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_even_hop_is_known_exactly),
		cmocka_unit_test(what_comes_in_lumps_is_counted_too),
		cmocka_unit_test(five_instructions_more_are_five_more),
		cmocka_unit_test(the_accuracy_holds),
		cmocka_unit_test(what_says_nothing_is_unknown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
