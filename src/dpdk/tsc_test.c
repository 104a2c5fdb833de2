/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "tsc.h"

/* The counter's rate is the kernel clock's to better than 0.01 %. */

static void
the_rate_is_that_of_the_kernels_clock(void **state)
{
	struct tsc_look from, to;
	double hz, ppm;

	(void)state;
	tsc_start();
	hz = (double)tsc_hz();
	from = tsc_look();
	clock_sleep_ms(500);
	to = tsc_look();
	ppm = (hz / tsc_rate(&from, &to) - 1) * 1e6;
	print_message("# %.0f Hz, %.3f ppm off over the next 500 ms\n", hz, ppm);
	assert_true(ppm > -100 && ppm < 100);
	assert_true((double)tsc_hz() == hz);
}

static void
a_rate_is_ticks_by_time(void **state)
{
	const struct tsc_look from = {.tsc = 1000, .ns = 5}, to = {.tsc = 22000, .ns = 10005};

	(void)state;
	assert_true(tsc_rate(&from, &to) == 2.1e9);
}

/* What it is known to, as long as nothing interrupts all of its tries. */
static void
a_look_is_narrow(void **state)
{
	const struct tsc_look one = tsc_look(), two = tsc_look();

	(void)state;
	assert_true(two.tsc > one.tsc && two.ns >= one.ns);
	assert_true((double)one.width_tsc < 20e-6 * (double)tsc_hz());
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_rate_is_that_of_the_kernels_clock),
		cmocka_unit_test(a_rate_is_ticks_by_time),
		cmocka_unit_test(a_look_is_narrow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
