/* SPDX-License-Identifier: MIT */
#include "rates.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/assert_near.h"

static void
rates_are_half_old_half_new(void **state)
{
	struct rate_counter r = {0};

	(void)state;
	rate_counter_update(&r, 1000, 0);
	assert_near(r.per_s, 0, 0);
	rate_counter_update(&r, 1500, 0.5);
	assert_near(r.per_s, 500, 1e-9);
	rate_counter_update(&r, 2000, 0.5);
	assert_near(r.per_s, 750, 1e-9);
	rate_counter_update(&r, 2000, 0.5);
	assert_near(r.per_s, 375, 1e-9);
}

static void
load_is_kept_newest_first(void **state)
{
	struct cpu_load cpu = {0};

	(void)state;
	cpu_load_update(&cpu, 5000, 0);
	cpu_load_update(&cpu, 5000 + 100000000, 0.5);
	assert_near(cpu.now, 20, 1e-9);
	assert_near(cpu.smooth, 10, 1e-9);
	assert_int_equal(cpu.history[0], 20);
	/* Two clocks differ a little: never more than all of the time. */
	cpu_load_update(&cpu, 5000 + 100000000 + 510000000, 0.5);
	assert_near(cpu.now, 100, 0);
	assert_int_equal(cpu.history[0], 100);
	assert_int_equal(cpu.history[1], 20);
	for (int i = 0; i < 2 * CPU_HISTORY; i++)
		cpu_load_update(&cpu, 610005000, 0.5);
	assert_int_equal(cpu.history[CPU_HISTORY - 1], 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rates_are_half_old_half_new),
		cmocka_unit_test(load_is_kept_newest_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
