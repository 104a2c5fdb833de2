/* SPDX-License-Identifier: MIT */
#include "eal_args.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"

#define POLL "dpdk-l2fwd -l 0-1 -n 4"
#define EVENT "dpdk-l2fwd-event -l 0-3 -s 0x8 -n 4 --vdev event_sw0"
#define PIPELINE "dpdk-eventdev_pipeline -l 0-3 -n 4 --vdev event_sw0"

#define END " --file-prefix=nfvchain-4711 '--log-level=*:warning'"
#define MEMORY " --in-memory --single-file-segments --iova-mode=va"
#define HUGE " --no-pci" MEMORY END
#define PLAIN " --no-pci" END
#define SMALL " --no-pci --no-huge -m 128" END

static struct eal_facts
machine(unsigned n_cpus, bool hugepages)
{
	struct eal_facts facts = {.hugepages = hugepages, .need_mb = 128, .pid = 4711};

	for (unsigned i = 0; i < n_cpus; i++)
		cpus_add(&facts.allowed, i);
	return facts;
}

/* Splits the line at its spaces, as a shell would without quotes. */
static int
build(struct eal_args *args, const char *line, const struct eal_facts *facts, struct err *err)
{
	char *copy = xstrdup(line), *save = NULL;
	char *argv[200];
	int argc = 0, rc;

	for (char *w = strtok_r(copy, " ", &save); w != NULL; w = strtok_r(NULL, " ", &save))
		argv[argc++] = w;
	argv[argc] = NULL;
	rc = eal_args_build(args, argc, argv, facts, err);
	free(copy);
	return rc;
}

static bool
assert_line(const char *line, const struct eal_facts *facts, const char *want)
{
	struct eal_args args;
	struct err err;
	char *got;
	bool shares;

	assert_int_equal(build(&args, line, facts, &err), 0);
	assert_null(args.argv[args.argc]);
	got = eal_args_print(&args);
	assert_string_equal(got, want);
	shares = args.shares_cpus;
	free(got);
	eal_args_fini(&args);
	return shares;
}

static bool
has_word(const char *line, const struct eal_facts *facts, const char *word)
{
	struct eal_args args;
	struct err err;
	bool found = false;

	assert_int_equal(build(&args, line, facts, &err), 0);
	for (int i = 0; i < args.argc; i++)
		found |= strncmp(args.argv[i], word, strlen(word)) == 0;
	eal_args_fini(&args);
	return found;
}

/* The reference's lines, on machines with and without enough CPUs and hugepages. */
static const struct golden {
	const char *line;
	unsigned n_cpus;
	bool hugepages;
	const char *want;
	bool shares;
} goldens[] = {
	{POLL, 1, false, "dpdk-l2fwd -n 4 --lcores '(0-1)@(0)'" SMALL, true},
	{POLL, 1, true, "dpdk-l2fwd -n 4 --lcores '(0-1)@(0)'" HUGE, true},
	{POLL, 2, false, "dpdk-l2fwd -n 4 -l 0-1" SMALL, false},
	{POLL, 2, true, "dpdk-l2fwd -n 4 -l 0-1" HUGE, false},
	{POLL, 4, false, "dpdk-l2fwd -n 4 -l 0-1" SMALL, false},
	{POLL, 4, true, "dpdk-l2fwd -n 4 -l 0-1" HUGE, false},
	{POLL, 64, false, "dpdk-l2fwd -n 4 -l 0-1" SMALL, false},
	{POLL, 64, true, "dpdk-l2fwd -n 4 -l 0-1" HUGE, false},

	{EVENT, 1, false, "dpdk-l2fwd-event -n 4 --vdev event_sw0 --lcores '(0-3)@(0)' -S 3" SMALL,
	 true},
	{EVENT, 1, true, "dpdk-l2fwd-event -n 4 --vdev event_sw0 --lcores '(0-3)@(0)' -S 3" HUGE,
	 true},
	{EVENT, 2, false,
	 "dpdk-l2fwd-event -n 4 --vdev event_sw0 --lcores '(0-3)@(0-1)' -S 3" SMALL, true},
	{EVENT, 2, true, "dpdk-l2fwd-event -n 4 --vdev event_sw0 --lcores '(0-3)@(0-1)' -S 3" HUGE,
	 true},
	{EVENT, 4, false, "dpdk-l2fwd-event -n 4 --vdev event_sw0 -l 0-3 -S 3" SMALL, false},
	{EVENT, 4, true, "dpdk-l2fwd-event -n 4 --vdev event_sw0 -l 0-3 -S 3" HUGE, false},
	{EVENT, 64, false, "dpdk-l2fwd-event -n 4 --vdev event_sw0 -l 0-3 -S 3" SMALL, false},
	{EVENT, 64, true, "dpdk-l2fwd-event -n 4 --vdev event_sw0 -l 0-3 -S 3" HUGE, false},

	{PIPELINE, 1, false,
	 "dpdk-eventdev_pipeline -n 4 --vdev event_sw0 --lcores '(0-3)@(0)'" SMALL, true},
	{PIPELINE, 1, true,
	 "dpdk-eventdev_pipeline -n 4 --vdev event_sw0 --lcores '(0-3)@(0)'" HUGE, true},
	{PIPELINE, 2, false,
	 "dpdk-eventdev_pipeline -n 4 --vdev event_sw0 --lcores '(0-3)@(0-1)'" SMALL, true},
	{PIPELINE, 2, true,
	 "dpdk-eventdev_pipeline -n 4 --vdev event_sw0 --lcores '(0-3)@(0-1)'" HUGE, true},
	{PIPELINE, 4, false, "dpdk-eventdev_pipeline -n 4 --vdev event_sw0 -l 0-3" SMALL, false},
	{PIPELINE, 4, true, "dpdk-eventdev_pipeline -n 4 --vdev event_sw0 -l 0-3" HUGE, false},
	{PIPELINE, 64, false, "dpdk-eventdev_pipeline -n 4 --vdev event_sw0 -l 0-3" SMALL, false},
	{PIPELINE, 64, true, "dpdk-eventdev_pipeline -n 4 --vdev event_sw0 -l 0-3" HUGE, false},
};

static void
the_reference_lines_start_on_any_machine(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_ELEMS(goldens); i++) {
		const struct golden *g = &goldens[i];
		struct eal_facts facts = machine(g->n_cpus, g->hugepages);

		assert_int_equal(assert_line(g->line, &facts, g->want), g->shares);
	}
}

static void
lcores_go_to_the_cpus_we_may_use(void **state)
{
	struct eal_facts facts = {.hugepages = true, .pid = 4711};

	(void)state;
	/* As under taskset: CPUs 2, 3 and 7, none of which the line names. */
	cpus_add(&facts.allowed, 2);
	cpus_add(&facts.allowed, 3);
	cpus_add(&facts.allowed, 7);
	assert_false(assert_line(POLL, &facts, "dpdk-l2fwd -n 4 --lcores '(0-1)@(2-3,7)'" HUGE));
	assert_true(assert_line("x -l 0-3", &facts, "x --lcores '(0-3)@(2-3,7)'" HUGE));
	assert_false(assert_line("x -l 2,7", &facts, "x -l 2,7" HUGE));
	assert_false(assert_line("x", &facts, "x -l 2-3,7" HUGE));
}

static void
every_form_of_an_option_is_understood(void **state)
{
	static const char *const lines[] = {"x -l 0-1 -s 0x2", "x -l0-1 -s2", "x -c 0x3 -S 1",
					    "x -c3 -S1", "x -l 0,1 -S 1-1"};
	struct eal_facts facts = machine(2, true);

	(void)state;
	for (size_t i = 0; i < N_ELEMS(lines); i++)
		assert_line(lines[i], &facts, "x -l 0-1 -S 1" HUGE);
}

static void
the_users_lcores_are_left_alone(void **state)
{
	struct eal_facts facts = machine(2, true);

	(void)state;
	assert_line("x --lcores (0-3)@0", &facts, "x --lcores '(0-3)@0'" HUGE);
	assert_line("x --lcores=0@1,1@0", &facts, "x --lcores=0@1,1@0" HUGE);
	assert_line("x --lcores=0,1 -s 0x2", &facts, "x --lcores=0,1 -S 1" HUGE);
}

static void
the_users_memory_is_left_alone(void **state)
{
	struct eal_facts small = machine(1, false), huge = machine(1, true);

	(void)state;
	assert_line("x -m 512", &small, "x -m 512 -l 0 --no-pci --no-huge" END);
	assert_line("x -m512", &small, "x -m512 -l 0 --no-pci --no-huge" END);
	assert_line("x --socket-mem=64", &small, "x --socket-mem=64 -l 0 --no-pci --no-huge" END);
	assert_line("x --no-huge", &small, "x --no-huge -l 0 --no-pci -m 128" END);
	assert_line("x --no-huge", &huge, "x --no-huge -l 0 --no-pci -m 128" END);
	assert_line("x --no-huge -m 64", &huge, "x --no-huge -m 64 -l 0 --no-pci" END);
	assert_line("x -m 64", &huge, "x -m 64 -l 0" HUGE);
}

static void
who_asks_for_hugepages_gets_no_other_memory(void **state)
{
	struct eal_facts small = machine(1, false), huge = machine(1, true);

	(void)state;
	/* EAL says best what it misses; and --no-huge with --in-memory it refuses before 25.11. */
	assert_line("x --in-memory", &small, "x --in-memory -l 0" PLAIN);
	assert_line("x --huge-dir /mnt/huge", &small, "x --huge-dir /mnt/huge -l 0" PLAIN);
	assert_line("x --huge-dir=/mnt/huge", &small, "x --huge-dir=/mnt/huge -l 0" PLAIN);
	assert_line("x --huge-unlink=never", &small, "x --huge-unlink=never -l 0" PLAIN);
	/* Files are how a secondary process finds its memory. */
	assert_line("x --proc-type=primary", &huge, "x --proc-type=primary -l 0" PLAIN);
	assert_line("x --legacy-mem", &huge, "x --legacy-mem -l 0" PLAIN);
}

static void
the_users_prefix_and_log_level_are_left_alone(void **state)
{
	struct eal_facts facts = machine(1, true);

	(void)state;
	assert_line("x --file-prefix mine", &facts,
		    "x --file-prefix mine -l 0 --no-pci" MEMORY " '--log-level=*:warning'");
	assert_line("x --file-prefix=mine", &facts,
		    "x --file-prefix=mine -l 0 --no-pci" MEMORY " '--log-level=*:warning'");
	assert_line("x --log-level lib.eal:debug", &facts,
		    "x --log-level lib.eal:debug -l 0 --no-pci" MEMORY
		    " --file-prefix=nfvchain-4711");
	assert_line("x --log-level=8", &facts,
		    "x --log-level=8 -l 0 --no-pci" MEMORY " --file-prefix=nfvchain-4711");
}

static void
pci_is_scanned_only_for_devices_that_were_named(void **state)
{
	struct eal_facts facts = machine(1, true);

	(void)state;
	/* Without --no-pci EAL probes the machine's own NIC. */
	assert_true(has_word("x --vdev=net_null0", &facts, "--no-pci"));
	assert_true(has_word("x --vdev=net_null0,a=1", &facts, "--no-pci"));
	assert_false(has_word("x -a 0000:03:00.0", &facts, "--no-pci"));
	assert_false(has_word("x -a0000:03:00.0", &facts, "--no-pci"));
	assert_false(has_word("x --allow 0000:03:00.0", &facts, "--no-pci"));
	assert_false(has_word("x --allow=0000:03:00.0", &facts, "--no-pci"));
	assert_line("x --no-pci", &facts, "x --no-pci -l 0" MEMORY END);
}

static void
the_environment_appends_words(void **state)
{
	struct eal_facts facts = machine(2, true);

	(void)state;
	facts.extra = " --vdev=net_memif0,socket=/run/a\t--vdev=net_memif1\n";
	assert_line(
		POLL, &facts,
		"dpdk-l2fwd -n 4 --vdev=net_memif0,socket=/run/a --vdev=net_memif1 -l 0-1" HUGE);
	facts.extra = "";
	assert_line(POLL, &facts, "dpdk-l2fwd -n 4 -l 0-1" HUGE);
	/* They count like words of the user's, and come last. */
	facts.extra = "-l 1 --file-prefix=theirs -a 0000:03:00.0";
	assert_line(POLL, &facts,
		    "dpdk-l2fwd -n 4 --file-prefix=theirs -a 0000:03:00.0 -l 1 --in-memory "
		    "--single-file-segments"
		    " '--log-level=*:warning'");
}

/* Only what was left open is added: the words a user wrote are all there, in their order, before
 * anything of ours; only lcores change their form. */
static void
no_word_of_the_user_gets_lost(void **state)
{
	static const char *const words[] = {
		"-n",
		"4",
		"--vdev",
		"event_sw0",
		"--vdev=net_null0",
		"--no-huge",
		"-m",
		"256",
		"--no-pci",
		"--file-prefix",
		"own",
		"--in-memory",
		"--iova-mode=va",
		"-a",
		"0000:03:00.0",
		"--log-level",
		"8",
		"--no-hpet",
		"--proc-type=auto",
	};
	unsigned seed = 11;

	(void)state;
	for (int round = 0; round < 500; round++) {
		struct eal_facts facts = machine(1 + (unsigned)round % 4, round % 2);
		char *argv[32] = {[0] = (char *)(uintptr_t) "x"};
		int argc = 1;
		struct eal_args args;
		struct err err;

		for (int i = 0; i < round % 20; i++)
			argv[argc++] =
				(char *)(uintptr_t)words[(unsigned)rand_r(&seed) % N_ELEMS(words)];
		assert_int_equal(eal_args_build(&args, argc, argv, &facts, &err), 0);
		for (int i = 0; i < argc; i++)
			assert_string_equal(args.argv[i], argv[i]);
		eal_args_fini(&args);
	}
}

static void
garbage_lists_are_refused(void **state)
{
	static const struct {
		const char *line, *why;
	} bad[] = {
		{"x -l 0-", "'0-' is not a list of CPUs (try 0-3 or 0,2)"},
		{"x -l a", "'a' is not a list of CPUs (try 0-3 or 0,2)"},
		{"x -l 3-1", "'3-1' is not a list of CPUs (try 0-3 or 0,2)"},
		{"x -l 0,5000", "'0,5000' is not a list of CPUs (try 0-3 or 0,2)"},
		{"x -S 1,", "'1,' is not a list of CPUs (try 0-3 or 0,2)"},
		{"x -c 0xz", "'0xz' is not a hexadecimal mask (try 0x3)"},
		{"x -c 0", "'0' is a mask of no CPU (try 0x3)"},
		{"x -l 0-1 -s 8x", "'8x' is not a hexadecimal mask (try 0x3)"},
	};
	struct eal_facts facts = machine(4, true);

	(void)state;
	for (size_t i = 0; i < N_ELEMS(bad); i++) {
		struct eal_args args;
		struct err err = {0};

		assert_int_equal(build(&args, bad[i].line, &facts, &err), -EINVAL);
		assert_string_equal(err.msg, bad[i].why);
		assert_int_equal(err.class, ERR_USAGE);
		assert_int_equal(args.argc, 0);
	}
}

static void
too_many_words_are_refused_not_cut(void **state)
{
	struct eal_facts facts = machine(1, true);

	(void)state;
	/* -l 0, --no-pci, three for memory, --file-prefix and --log-level are eight words of ours.
	 */
	for (int argc = EAL_MAX_ARGS - 12; argc < EAL_MAX_ARGS + 40; argc++) {
		char *argv[EAL_MAX_ARGS + 40];
		struct eal_args args;
		struct err err = {0};
		bool fits = argc + 8 <= EAL_MAX_ARGS - 2;

		for (int i = 0; i < argc; i++)
			argv[i] = (char *)(uintptr_t) "--no-hpet";
		assert_int_equal(eal_args_build(&args, argc, argv, &facts, &err),
				 fits ? 0 : -EINVAL);
		if (fits)
			assert_int_equal(args.argc, argc + 8);
		else
			assert_string_equal(err.msg, "more than 126 EAL arguments");
		eal_args_fini(&args);
	}
}

static void
words_that_were_swallowed_leave_no_others_behind(void **state)
{
	struct eal_facts facts = machine(1, true);
	char *argv[EAL_MAX_ARGS + 2];
	struct eal_args args;
	struct err err;

	(void)state;
	/* 64 times "-l 0" fill the list of words although they come back as one; what follows must
	 * not be forgotten. */
	argv[0] = (char *)(uintptr_t) "x";
	for (int i = 1; i < EAL_MAX_ARGS + 1; i += 2) {
		argv[i] = (char *)(uintptr_t) "-l";
		argv[i + 1] = (char *)(uintptr_t) "0";
	}
	argv[EAL_MAX_ARGS + 1] = (char *)(uintptr_t) "--no-hpet";
	assert_int_equal(eal_args_build(&args, EAL_MAX_ARGS + 2, argv, &facts, &err), -EINVAL);
	eal_args_fini(&args);
}

static void
an_option_without_its_value_is_left_for_eal_to_refuse(void **state)
{
	struct eal_facts facts = machine(1, true);

	(void)state;
	assert_line("x -n 4 -l", &facts, "x -n 4 -l -l 0" HUGE);
}

static void
the_line_can_be_typed(void **state)
{
	char *words[] = {(char *)(uintptr_t) "x",    (char *)(uintptr_t) "--vdev=a,b=c d",
			 (char *)(uintptr_t) "it's", (char *)(uintptr_t) "$HOME",
			 (char *)(uintptr_t) "",     (char *)(uintptr_t) "[0-1]?"};
	struct eal_args args = {.argc = N_ELEMS(words)};
	char *line;

	(void)state;
	memcpy(args.argv, words, sizeof(words));
	line = eal_args_print(&args);
	assert_string_equal(line, "x '--vdev=a,b=c d' 'it'\\''s' '$HOME' '' '[0-1]?'");
	free(line);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_reference_lines_start_on_any_machine),
		cmocka_unit_test(lcores_go_to_the_cpus_we_may_use),
		cmocka_unit_test(every_form_of_an_option_is_understood),
		cmocka_unit_test(the_users_lcores_are_left_alone),
		cmocka_unit_test(the_users_memory_is_left_alone),
		cmocka_unit_test(who_asks_for_hugepages_gets_no_other_memory),
		cmocka_unit_test(the_users_prefix_and_log_level_are_left_alone),
		cmocka_unit_test(pci_is_scanned_only_for_devices_that_were_named),
		cmocka_unit_test(the_environment_appends_words),
		cmocka_unit_test(no_word_of_the_user_gets_lost),
		cmocka_unit_test(garbage_lists_are_refused),
		cmocka_unit_test(too_many_words_are_refused_not_cut),
		cmocka_unit_test(words_that_were_swallowed_leave_no_others_behind),
		cmocka_unit_test(an_option_without_its_value_is_left_for_eal_to_refuse),
		cmocka_unit_test(the_line_can_be_typed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
