/* SPDX-License-Identifier: MIT */
#include "counting.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/test_random.h"

#define WANTED 1024

/* A hop of any speed that callgrind leaves it, which now and then does something that takes longer
 * than a turn: its fastest turns come to forward what is wanted, and less than twice that.
 */
static void
turns_are_as_long_as_the_fastest_may_be(void **state)
{
	(void)state;
	rng_seed(__func__);
	for (int i = 0; i < 1000; i++) {
		double pps = 150e3 * (1 + (double)rng_below(20));
		uint64_t on_ns = 500000, most = 0;

		for (int k = 0; k < 300; k++) {
			bool is_busy = rng_below(3) == 0;
			uint64_t frames = is_busy ? 0 : (uint64_t)(pps * (double)on_ns / 1e9);

			on_ns = counting_next_ns(on_ns, WANTED, frames);
			if (k >= 150)
				most = frames > most ? frames : most;
		}
		assert_true(most > WANTED / 2 && most < 2 * WANTED);
	}
}

static void
turns_stay_within_their_limits(void **state)
{
	uint64_t on_ns = 500000;

	(void)state;
	for (int i = 0; i < 1000; i++)
		on_ns = counting_next_ns(on_ns, WANTED, 1);
	assert_true(on_ns >= 1000000 && on_ns <= 20000000);
	/* One late turn is answered at once. */
	assert_true(counting_next_ns(on_ns, WANTED, 4 * WANTED) <= on_ns / 4 + 1);
	for (int i = 0; i < 1000; i++)
		on_ns = counting_next_ns(on_ns, WANTED, 100000000);
	assert_true(on_ns >= 1000 && on_ns < 100000);
	/* One that got no time to run gets more. */
	assert_true(counting_next_ns(on_ns, WANTED, 0) > on_ns);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(turns_are_as_long_as_the_fastest_may_be),
		cmocka_unit_test(turns_stay_within_their_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
