/* SPDX-License-Identifier: MIT */
#include "spin.h"

#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define MS 1000000ull

static int
first_cpu(void)
{
	cpu_set_t set;
	int cpu = 0;

	assert_int_equal(sched_getaffinity(0, sizeof(set), &set), 0);
	while (!CPU_ISSET(cpu, &set))
		cpu++;
	return cpu;
}

static void
a_cpu_is_looked_at_as_long_as_asked(void **state)
{
	struct spin spin = {.cpu = first_cpu(), .gaps_1ms = 99, .gap_max_ns = UINT64_MAX};

	(void)state;
	spin_run(&spin, 1, 5 * MS);
	assert_true(spin.known);
	assert_true(spin.elapsed_ns >= 5 * MS);
	assert_true(spin.piece_ns > 0 && spin.piece_ns < spin.elapsed_ns);
	assert_true(spin.gap_max_ns > 0 && spin.gap_max_ns < spin.elapsed_ns);
	assert_true(spin.gaps_20us_ns <= spin.elapsed_ns);
	assert_true(spin.gaps_1ms <= spin.gaps_20us);
}

static void
cpus_that_are_not_there_are_unknown(void **state)
{
	struct spin spin[] = {{.cpu = CPU_SETSIZE - 1}, {.cpu = first_cpu()}, {.cpu = -1}};

	(void)state;
	spin_run(spin, 3, MS);
	assert_false(spin[0].known);
	assert_true(spin[1].known);
	assert_false(spin[2].known);
}

/* Two on the same CPU: each sees that somebody takes about half of it. */
static void
a_rival_is_seen(void **state)
{
	struct spin spin[] = {{.cpu = first_cpu()}, {.cpu = first_cpu()}};
	double away;

	(void)state;
	spin_run(spin, 2, 300 * MS);
	away = (double)(spin[0].gaps_20us_ns + spin[1].gaps_20us_ns) /
	       (double)(spin[0].elapsed_ns + spin[1].elapsed_ns);
	assert_true(away > 0.3);
	assert_true(spin[0].gaps_1ms + spin[1].gaps_1ms > 10);
	assert_true(spin[0].gap_max_ns > MS);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_cpu_is_looked_at_as_long_as_asked),
		cmocka_unit_test(cpus_that_are_not_there_are_unknown),
		cmocka_unit_test(a_rival_is_seen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
