/* SPDX-License-Identifier: MIT */
#include "cpus.h"

#include <errno.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"

static struct cpus
list(const char *text)
{
	struct cpus set;
	struct err err;

	assert_int_equal(cpus_parse_list(text, &set, &err), 0);
	return set;
}

static const char *
print(const struct cpus *set)
{
	static char buf[CPUS_TEXT];

	return cpus_print(buf, sizeof(buf), set);
}

static void
lists_say_which_cpus(void **state)
{
	static const struct {
		const char *text, *printed;
		size_t n;
	} lists[] = {
		{"0", "0", 1},		{"0-3", "0-3", 4},
		{"0,2", "0,2", 2},	{"7,0-3", "0-3,7", 5},
		{"3,2,1,0", "0-3", 4},	{"0-2,1-3", "0-3", 4},
		{"5,5,5", "5", 1},	{"1-1", "1", 1},
		{"1023", "1023", 1},	{"0-1023", "0-1023", 1024},
		{"007,010", "7,10", 2},
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(lists); i++) {
		struct cpus set = list(lists[i].text);

		assert_int_equal(set.n, lists[i].n);
		assert_string_equal(print(&set), lists[i].printed);
	}
}

static void
masks_say_which_cpus(void **state)
{
	static const struct {
		const char *text, *printed;
	} masks[] = {
		{"0x1", "0"},
		{"3", "0-1"},
		{"0X8", "3"},
		{"0xF0", "4-7"},
		{"0x00000005", "0,2"},
		{"8000000000000000", "63"},
		{"0x10000000000000000", "64"},
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(masks); i++) {
		struct cpus set;
		struct err err;

		assert_int_equal(cpus_parse_mask(masks[i].text, &set, &err), 0);
		assert_string_equal(print(&set), masks[i].printed);
	}
}

static void
garbage_lists_are_refused(void **state)
{
	static const char *const bad[] = {
		"",
		" ",
		"x",
		"0-",
		"-1",
		"3-1",
		"0,",
		",0",
		"0,,1",
		"0-3x",
		"0 1",
		"1024",
		"0-1024",
		"+1",
		"0x3",
		"0-1-2",
		"1.5",
		"0;1",
		"0@1",
		"(0-3)",
		"18446744073709551616",
		"99999999999999999999999",
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(bad); i++) {
		struct cpus set;
		struct err err = {0};
		char want[128];

		assert_int_equal(cpus_parse_list(bad[i], &set, &err), -EINVAL);
		snprintf(want, sizeof(want), "'%s' is not a list of CPUs (try 0-3 or 0,2)", bad[i]);
		assert_string_equal(err.msg, want);
		assert_int_equal(err.class, ERR_USAGE);
	}
}

static void
garbage_masks_are_refused(void **state)
{
	static const char *const bad[] = {"", "0x", "x3", "0xg", "-1", "3 ", "0-3", "0x1,2"};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(bad); i++) {
		struct cpus set;
		struct err err = {0};

		assert_int_equal(cpus_parse_mask(bad[i], &set, &err), -EINVAL);
		assert_non_null(strstr(err.msg, "is not a hexadecimal mask (try 0x3)"));
	}
}

static void
a_mask_of_nothing_is_refused(void **state)
{
	struct cpus set;
	struct err err;

	(void)state;
	/* Taken for "not given" it would silently mean all CPUs. */
	assert_int_equal(cpus_parse_mask("0x0", &set, &err), -EINVAL);
	assert_int_equal(cpus_parse_mask("0000", &set, &err), -EINVAL);
}

static void
a_mask_longer_than_any_machine_is_refused(void **state)
{
	char text[CPUS_MAX / 4 + 2];
	struct cpus set;
	struct err err;

	(void)state;
	memset(text, '0', sizeof(text));
	text[0] = '8';
	text[CPUS_MAX / 4] = '\0';
	assert_int_equal(cpus_parse_mask(text, &set, &err), 0);
	assert_string_equal(print(&set), "1023");
	text[CPUS_MAX / 4] = '0';
	text[CPUS_MAX / 4 + 1] = '\0';
	assert_int_equal(cpus_parse_mask(text, &set, &err), -EINVAL);
}

static void
what_is_printed_reads_back(void **state)
{
	unsigned seed = 20;

	(void)state;
	for (int round = 0; round < 200; round++) {
		struct cpus set = {0}, back;

		for (unsigned i = 0; i < 1 + (unsigned)round; i++)
			cpus_add(&set, (unsigned)rand_r(&seed) % CPUS_MAX);
		back = list(print(&set));
		assert_memory_equal(&back, &set, sizeof(set));
	}
}

static void
the_longest_list_fits(void **state)
{
	(void)state;
	/* Runs of one, two and three with a gap between them: the most text for 1024 CPUs. */
	for (unsigned run = 1; run <= 3; run++) {
		for (unsigned offset = 0; offset <= run; offset++) {
			struct cpus set = {0}, back;

			for (unsigned i = 0; i < CPUS_MAX; i++)
				if ((i + offset) % (run + 1) != 0)
					cpus_add(&set, i);
			back = list(print(&set));
			assert_memory_equal(&back, &set, sizeof(set));
		}
	}
}

static void
a_cpu_counts_once_and_only_when_it_exists(void **state)
{
	struct cpus set = {0};

	(void)state;
	cpus_add(&set, 4);
	cpus_add(&set, 4);
	cpus_add(&set, CPUS_MAX);
	assert_int_equal(set.n, 1);
	assert_string_equal(print(&set), "4");
}

static void
subsets(void **state)
{
	struct cpus all = list("0-3"), some = list("1,3"), other = list("3-4"), none = {0};

	(void)state;
	assert_true(cpus_subset(&some, &all));
	assert_true(cpus_subset(&all, &all));
	assert_true(cpus_subset(&none, &all));
	assert_false(cpus_subset(&all, &some));
	assert_false(cpus_subset(&other, &all));
}

static void
binding_leaves_out_the_data_cpus_unless_nothing_is_left(void **state)
{
	struct cpus before, now, but = {0};
	struct err err;

	(void)state;
	assert_int_equal(cpus_allowed(&before, &err), 0);
	assert_true(before.n > 0);
	for (unsigned i = 0; i < CPUS_MAX && but.n == 0; i++)
		if (before.has[i])
			cpus_add(&but, i);
	cpus_bind_thread(&before, &but);
	assert_int_equal(cpus_allowed(&now, &err), 0);
	assert_int_equal(now.n, before.n > 1 ? before.n - 1 : 1);
	cpus_bind_thread(&before, &before);
	assert_int_equal(cpus_allowed(&now, &err), 0);
	assert_memory_equal(&now, &before, sizeof(now));
	cpus_bind_thread(&but, NULL);
	assert_int_equal(cpus_allowed(&now, &err), 0);
	assert_memory_equal(&now, &but, sizeof(now));
	cpus_bind_thread(&before, NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lists_say_which_cpus),
		cmocka_unit_test(masks_say_which_cpus),
		cmocka_unit_test(garbage_lists_are_refused),
		cmocka_unit_test(garbage_masks_are_refused),
		cmocka_unit_test(a_mask_of_nothing_is_refused),
		cmocka_unit_test(a_mask_longer_than_any_machine_is_refused),
		cmocka_unit_test(what_is_printed_reads_back),
		cmocka_unit_test(the_longest_list_fits),
		cmocka_unit_test(a_cpu_counts_once_and_only_when_it_exists),
		cmocka_unit_test(subsets),
		cmocka_unit_test(binding_leaves_out_the_data_cpus_unless_nothing_is_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
