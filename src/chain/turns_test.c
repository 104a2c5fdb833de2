/* SPDX-License-Identifier: MIT */
#include "turns.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/assert_within.h"
#include "base/test_random.h"

#define ROOM 16384

static void
a_turn_that_took_nearly_all_may_have_run_dry(void **state)
{
	(void)state;
	assert_true(turns_is_full(ROOM, 1));
	assert_true(turns_is_full(ROOM, ROOM / 2));
	assert_false(turns_is_full(ROOM, ROOM));
	assert_false(turns_is_full(ROOM, ROOM - 32));
	assert_false(turns_is_full(100, 2 * ROOM));
	/* Nothing forwarded: it did not get to run, or is dead. */
	assert_false(turns_is_full(ROOM, 0));
	assert_false(turns_is_full(0, 0));
}

/* A hop of any speed, woken 'late_ns' too late each time: soon a turn empties half the ring. */
static void
turns_come_to_empty_half_the_ring(void **state)
{
	(void)state;
	rng_seed(__func__);
	for (int i = 0; i < 1000; i++) {
		double pps = 1e6 * (9 + (double)rng_below(30));
		uint64_t late_ns = rng_below(200000), on_ns = 50000, frames = 0;

		for (int k = 0; k < 30; k++) {
			frames = (uint64_t)(pps * (double)(on_ns + late_ns) / 1e9);
			on_ns = turns_next_ns(on_ns, ROOM, frames);
		}
		assert_within(frames, ROOM / 2 - 50, ROOM / 2 + 50);
	}
}

static void
turns_have_limits(void **state)
{
	uint64_t on_ns = 50000;

	(void)state;
	for (int k = 0; k < 30; k++)
		on_ns = turns_next_ns(on_ns, ROOM, 0);
	assert_int_equal(on_ns, 2000000);
	for (int k = 0; k < 30; k++)
		on_ns = turns_next_ns(on_ns, ROOM, ROOM);
	assert_int_equal(on_ns, 10000);
	/* One odd turn is no reason for a leap. */
	assert_int_equal(turns_next_ns(100000, ROOM, 1), 150000);
	assert_int_equal(turns_next_ns(100000, ROOM, 1000000), 50000);
}

static void
few_turns_say_nothing(void **state)
{
	struct turns t = {.n = TURNS_MIN};

	(void)state;
	for (unsigned i = 0; i < TURNS_MIN; i++)
		t.cost_ns[i] = 100;
	assert_true(fabs(turns_rate(&t) - 1e7) < 1);
	t.n = TURNS_MIN - 1;
	assert_true(isnan(turns_rate(&t)));
}

static void
the_middle_half_counts(void **state)
{
	struct turns t = {.n = 8, .cost_ns = {5000, 90, 110, 100, 1, 120, 80, 9000}};

	(void)state;
	assert_true(fabs(turns_rate(&t) - 1e9 / 105) < 1);
}

static void
a_hop_that_waits_for_itself_has_no_rate(void **state)
{
	/* Of three threads that share a CPU in slices of 3 ms one forwards: the turns that count
	 * show it alone, three times too fast. */
	struct turns t = {.n = 2, .cost_ns = {100, 100}, .cpu_ns = 2000000, .idle_ns = 4000000};

	(void)state;
	assert_true(turns_is_stalled(&t));
	assert_true(isnan(turns_rate(&t)));
	/* One odd turn of 50 us. */
	t.idle_ns = 50000;
	assert_false(turns_is_stalled(&t));
	assert_true(fabs(turns_rate(&t) - 1e7) < 1);
	t.idle_ns = t.cpu_ns = 0;
	assert_false(turns_is_stalled(&t));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_turn_that_took_nearly_all_may_have_run_dry),
		cmocka_unit_test(turns_come_to_empty_half_the_ring),
		cmocka_unit_test(turns_have_limits),
		cmocka_unit_test(few_turns_say_nothing),
		cmocka_unit_test(the_middle_half_counts),
		cmocka_unit_test(a_hop_that_waits_for_itself_has_no_rate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
