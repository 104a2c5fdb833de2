/* SPDX-License-Identifier: MIT */
#include "gaps.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void
gaps_are_counted_by_length(void **state)
{
	struct gaps g = {0};

	(void)state;
	gaps_note(&g, 20001, false, 0);
	gaps_note(&g, GAPS_LONG_NS, false, 0);
	gaps_note(&g, GAPS_LONG_NS + 1, false, 0);
	gaps_note(&g, 30000, false, 0);
	assert_int_equal(counter_get(&g.n_20us), 4);
	assert_int_equal(counter_get(&g.sum_ns), 20001 + 2 * GAPS_LONG_NS + 1 + 30000);
	assert_int_equal(counter_get(&g.n_1ms), 1);
	assert_int_equal(counter_get(&g.sum_1ms_ns), GAPS_LONG_NS + 1);
	assert_int_equal(gaps_max(&g, 0), GAPS_LONG_NS + 1);
	assert_int_equal(gaps_wait_max(&g, 0), 0);
}

static void
what_the_lcore_asked_for_is_no_gap(void **state)
{
	struct gaps g = {0};

	(void)state;
	gaps_note(&g, 9000000, true, 0);
	gaps_note(&g, 7000000, true, 0);
	assert_int_equal(gaps_wait_max(&g, 0), 9000000);
	assert_int_equal(gaps_max(&g, 0), 0);
	assert_int_equal(counter_get(&g.n_20us) + counter_get(&g.n_1ms), 0);
	assert_int_equal(counter_get(&g.sum_ns) + counter_get(&g.sum_1ms_ns), 0);
}

static void
a_new_window_forgets_the_longest_and_no_total(void **state)
{
	struct gaps g = {0};

	(void)state;
	gaps_note(&g, 5000000, false, 0);
	gaps_note(&g, 6000000, true, 0);
	/* Nothing has happened in the new window yet. */
	assert_int_equal(gaps_max(&g, 1), 0);
	assert_int_equal(gaps_wait_max(&g, 1), 0);
	gaps_note(&g, 40000, false, 1);
	assert_int_equal(gaps_max(&g, 1), 40000);
	assert_int_equal(gaps_wait_max(&g, 1), 0);
	assert_int_equal(gaps_max(&g, 0), 0);
	assert_int_equal(counter_get(&g.n_20us), 2);
	assert_int_equal(counter_get(&g.sum_ns), 5040000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gaps_are_counted_by_length),
		cmocka_unit_test(what_the_lcore_asked_for_is_no_gap),
		cmocka_unit_test(a_new_window_forgets_the_longest_and_no_total),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
