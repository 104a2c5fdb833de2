/* SPDX-License-Identifier: MIT */
#include "callgrind.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"

/* An answer as callgrind gives it, with what vgdb says between. */
#define ANSWER(main, worker)                         \
	"sending command status internal to pid 7\n" \
	"instrumentation: on\n"                      \
	"executed-bbs: 74533813\n"                   \
	"executed-calls: 7183905\n"                  \
	"events: Ir\n"                               \
	"part: 0\n"                                  \
	"threads: 1 2 14\n"                          \
	"current-tid: 1\n"                           \
	"events-1: " main "\n"                       \
	"frames-1: 2\n"                              \
	"function-1-0: 0x000000000001ab70\n"         \
	"calls-1-0: 1\n"                             \
	"events-1-0: 99\n"                           \
	"events-2: 12271\n"                          \
	"frames-2: 0\n"                              \
	"events-14: " worker "\n"                    \
	"frames-14: 0\n"

#define FIRST ANSWER("329291326", "5000000123")
#define SECOND ANSWER("329291999", "5000000456")

static void
counts_of_the_first_answer_are_read(void **state)
{
	struct callgrind_counts counts;

	(void)state;
	assert_int_equal(callgrind_parse(FIRST, &counts), CALLGRIND_HELD);
	assert_true(counts.thread[1] == 329291326);
	assert_true(counts.thread[2] == 12271);
	assert_true(counts.thread[14] == 5000000123);
	assert_true(counts.thread[3] == 0);
}

/* A second answer means that the program was not stopped in time. */
static void
a_second_answer_gives_it_away(void **state)
{
	struct callgrind_counts counts;

	(void)state;
	assert_int_equal(callgrind_parse(FIRST SECOND, &counts), CALLGRIND_WENT_ON);
	assert_true(counts.thread[1] == 329291326);
	assert_true(counts.thread[14] == 5000000123);
}

/* The file is read while it is written: however much of it there is, counts are right or absent. */
static void
half_an_answer_is_none(void **state)
{
	const char text[] = FIRST;
	const char *last = strstr(text, "events-14: ");
	size_t complete = (size_t)(strchr(last, '\n') - text) + 1;
	struct callgrind_counts counts;

	(void)state;
	for (size_t len = 0; len <= strlen(text); len++) {
		char *part = xstrdup(text);

		part[len] = '\0';
		assert_int_equal(callgrind_parse(part, &counts),
				 len < complete ? CALLGRIND_NOTHING : CALLGRIND_HELD);
		if (len >= complete)
			assert_true(counts.thread[14] == 5000000123);
		free(part);
	}
}

static void
what_else_vgdb_may_say_is_no_answer(void **state)
{
	struct callgrind_counts counts;

	(void)state;
	assert_int_equal(callgrind_parse("", &counts), CALLGRIND_NOTHING);
	assert_int_equal(callgrind_parse("vgdb error: no FIFO found and no pid\n", &counts),
			 CALLGRIND_NOTHING);
	assert_int_equal(callgrind_parse("instrumentation: off\n", &counts), CALLGRIND_NOTHING);
	assert_int_equal(callgrind_parse("executed-bbs: 1\nthreads: 1\n", &counts),
			 CALLGRIND_NOTHING);
}

static void
the_thread_that_works_is_found(void **state)
{
	struct callgrind_counts from = {.thread = {0, 1000, 70, 500}};
	struct callgrind_counts to = {.thread = {0, 1010, 9070, 0, 30}};
	uint64_t all;

	(void)state;
	/* Thread 3 has ended, thread 4 is new. */
	assert_true(callgrind_busiest(&from, &to, &all) == 9000);
	assert_true(all == 9040);
}

/* ---- the command line ---- */

static const char *const programs[] = {"valgrind", "vgdb"};

static int
make_valgrind(void **state)
{
	static char dir[] = "/tmp/callgrind-test-XXXXXX";

	if (mkdtemp(dir) == NULL)
		return -1;
	for (size_t i = 0; i < N_ELEMS(programs); i++) {
		char *path = xasprintf("%s/%s", dir, programs[i]);
		FILE *file = fopen(path, "we");

		if (file == NULL || fclose(file) != 0 || chmod(path, 0700) != 0)
			return -1;
		free(path);
	}
	*state = dir;
	return 0;
}

static int
remove_valgrind(void **state)
{
	for (size_t i = 0; i < N_ELEMS(programs); i++) {
		char *path = xasprintf("%s/%s", (char *)*state, programs[i]);

		unlink(path);
		free(path);
	}
	return rmdir(*state);
}

static void
fill(struct plan_proc *pp)
{
	*pp = (struct plan_proc){.argc = 2, .ours = true};
	pp->argv[0] = xstrdup("dpdk-l2fwd");
	pp->argv[1] = xstrdup("-l");
}

static void
empty(struct plan_proc *pp)
{
	for (size_t i = 0; i < pp->argc; i++)
		free(pp->argv[i]);
	for (size_t i = 0; i < pp->n_env; i++)
		free(pp->env[i]);
}

static void
a_wrapped_program_keeps_its_words(void **state)
{
	struct plan_proc pp;
	struct err err = {0};

	fill(&pp);
	setenv("PATH", *state, 1);
	assert_int_equal(callgrind_wrap(&pp, "/run/x", &err), 0);
	assert_string_equal(pp.argv[0], "valgrind");
	assert_string_equal(pp.argv[pp.argc - 3], "--vgdb-prefix=/run/x/vgdb");
	assert_string_equal(pp.argv[pp.argc - 2], "dpdk-l2fwd");
	assert_string_equal(pp.argv[pp.argc - 1], "-l");
	assert_null(pp.argv[pp.argc]);
	/* Nobody shall have to wait for it to drain. */
	assert_false(pp.ours);
	assert_non_null(strstr(pp.env[pp.n_env - 2], "NFVCHAIN_EAL_ARGS="));
	assert_non_null(strstr(pp.env[pp.n_env - 2], " --no-huge"));
	empty(&pp);
}

static void
without_valgrind_the_package_is_named(void **state)
{
	struct plan_proc pp;
	struct err err = {0};

	(void)state;
	fill(&pp);
	setenv("PATH", "/nonexistent", 1);
	assert_true(callgrind_wrap(&pp, "/run/x", &err) < 0);
	assert_int_equal(err.class, ERR_MACHINE);
	assert_string_equal(err.msg, "valgrind is not installed (Debian: valgrind)");
	/* It can still be started as it was. */
	assert_int_equal(pp.argc, 2);
	assert_string_equal(pp.argv[0], "dpdk-l2fwd");
	empty(&pp);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counts_of_the_first_answer_are_read),
		cmocka_unit_test(a_second_answer_gives_it_away),
		cmocka_unit_test(half_an_answer_is_none),
		cmocka_unit_test(what_else_vgdb_may_say_is_no_answer),
		cmocka_unit_test(the_thread_that_works_is_found),
		cmocka_unit_test_setup_teardown(a_wrapped_program_keeps_its_words, make_valgrind,
						remove_valgrind),
		cmocka_unit_test(without_valgrind_the_package_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
