/* SPDX-License-Identifier: MIT */
#include "procfs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void
schedstat(void **state)
{
	uint64_t ran = 1, delay = 2;

	(void)state;
	assert_true(procfs_schedstat("123456789 42 7\n", &ran, &delay));
	assert_int_equal(ran, 123456789);
	assert_int_equal(delay, 42);
	assert_false(procfs_schedstat("12", &ran, &delay));
	assert_false(procfs_schedstat("", &ran, &delay));
	assert_false(procfs_schedstat("-1 5 5", &ran, &delay));
	assert_false(procfs_schedstat("99999999999999999999999 5 5", &ran, &delay));
	assert_false(procfs_schedstat("5 99999999999999999999999 5", &ran, &delay));
	assert_int_equal(delay, 42);
	assert_int_equal(ran, 123456789);
}

static void
last_cpu(void **state)
{
	static const char stat[] =
		"2158 (a) b (c) S 2149 2149 10 0 -1 4194560 200 0 0 0 1 2 0 0 20 0 1 0 22 8192 "
		"300 18446744073709551615 1 1 0 0 0 0 0 4096 1073 0 0 0 17 3 0 0 0 0 0 0\n";
	uint64_t cpu = 99;

	(void)state;
	assert_true(procfs_last_cpu(stat, &cpu));
	assert_int_equal(cpu, 3);
	assert_false(procfs_last_cpu("2158 (a) S 1 2 3", &cpu));
	assert_false(procfs_last_cpu("", &cpu));
	assert_int_equal(cpu, 3);
}

static void
status(void **state)
{
	static const char text[] = "Name:\tx\nvoluntary_ctxt_switches:\t5\n"
				   "nonvoluntary_ctxt_switches:\t17\n";
	uint64_t n = 99;

	(void)state;
	assert_true(procfs_status(text, "nonvoluntary_ctxt_switches", &n));
	assert_int_equal(n, 17);
	assert_true(procfs_status(text, "voluntary_ctxt_switches", &n));
	assert_int_equal(n, 5);
	assert_false(procfs_status(text, "ctxt_switches", &n));
	assert_false(procfs_status(text, "Name", &n));
}

static void
steal(void **state)
{
	static const char text[] = "cpu  1 2 3 4 5 6 7 80 9 10\ncpu0 1 1 1 1 1 1 1 30 0 0\n"
				   "cpu1 1 1 1 1 1 1 1 50 0 0\ncpu10 0 0 0 0 0 0 0 7 0 0\n"
				   "intr 12 4\n";
	uint64_t ns = 0;

	(void)state;
	assert_true(procfs_steal(text, -1, &ns));
	assert_int_equal(ns, 800000000);
	assert_true(procfs_steal(text, 1, &ns));
	assert_int_equal(ns, 500000000);
	assert_true(procfs_steal(text, 10, &ns));
	assert_int_equal(ns, 70000000);
	assert_false(procfs_steal(text, 2, &ns));
	assert_false(procfs_steal("cpu10 0 0 0 0 0 0 0 7 0 0\n", 1, &ns));
	/* Kernels before 2.6.11 had no such column. */
	assert_false(procfs_steal("cpu0 1 2 3 4 5 6 7\n", 0, &ns));
}

static void
pressure(void **state)
{
	uint64_t ns = 9;

	(void)state;
	assert_true(procfs_pressure("some avg10=0.00 avg60=1.00 avg300=2.00 total=12345\n"
				    "full avg10=0.00 avg60=0.00 avg300=0.00 total=6\n",
				    &ns));
	assert_int_equal(ns, 12345000);
	assert_false(procfs_pressure("some avg10=0.00\nfull total=6\n", &ns));
	assert_false(procfs_pressure("full total=6\n", &ns));
	assert_false(procfs_pressure("", &ns));
	assert_int_equal(ns, 12345000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(schedstat), cmocka_unit_test(last_cpu), cmocka_unit_test(status),
		cmocka_unit_test(steal),     cmocka_unit_test(pressure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
