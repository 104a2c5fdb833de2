/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"

#include "rundir.h"

static char scratch[] = "/tmp/rundir_find_test.XXXXXX";
static char run[64];

static size_t
count(void)
{
	struct rundir_info *list;
	struct err err = {0};
	size_t n;

	assert_int_equal(rundir_list(&list, &n, &err), 0);
	rundir_list_free(list, n);
	return n;
}

static void
who_has_the_lock_is_told(void **state)
{
	struct rundir dir;
	struct rundir_info info;
	struct err err = {0};

	(void)state;
	rundir_look(&info, run);
	assert_int_equal(info.owner, 0);
	assert_false(info.exists);
	rundir_info_fini(&info);
	assert_int_equal(rundir_open(&dir, "snake", &err), 0);
	rundir_look(&info, run);
	assert_int_equal(info.owner, getpid());
	assert_string_equal(info.chain, "snake");
	assert_true(info.exists);
	rundir_info_fini(&info);
	assert_int_equal(count(), 1);
	rundir_close(&dir);
	assert_int_equal(count(), 0);
}

/* The child has the lock and dies with it. */
static void
leave_one(void)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		struct rundir dir;

		_exit(rundir_open(&dir, "snake", NULL) == 0 ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void
what_a_dead_one_left_is_seized_and_removed(void **state)
{
	struct rundir dir;
	struct rundir_info info;
	struct err err = {0};
	bool removed;
	struct stat st;

	(void)state;
	leave_one();
	rundir_look(&info, run);
	assert_int_equal(info.owner, 0);
	assert_string_equal(info.chain, "snake");
	assert_true(info.exists);
	rundir_info_fini(&info);
	assert_int_equal(count(), 1);
	assert_int_equal(rundir_seize(&dir, run, "snake", &err), 0);
	assert_int_equal(stat(run, &st), 0);
	assert_int_equal(rundir_remove(&dir, &removed, &err), 0);
	assert_true(removed);
	assert_int_equal(stat(run, &st), -1);
	assert_int_equal(count(), 0);
}

static void
a_number_that_somebody_else_has_is_nobody(void **state)
{
	struct rundir_info info;
	char *lock = xasprintf("%s.lock", run);
	FILE *out;

	(void)state;
	leave_one();
	out = fopen(lock, "w");
	assert_non_null(out);
	/* We are alive, and do not have that file open after this. */
	fprintf(out, "%d snake\n", getpid());
	fclose(out);
	free(lock);
	rundir_look(&info, run);
	assert_int_equal(info.owner, 0);
	rundir_info_fini(&info);
}

static void
one_that_is_up_cannot_be_seized(void **state)
{
	struct rundir dir, other;
	struct err err = {0};

	(void)state;
	assert_int_equal(rundir_open(&dir, "snake", &err), 0);
	assert_int_equal(rundir_seize(&other, run, "snake", &err), -EBUSY);
	assert_non_null(strstr(err.msg, "chain 'snake' is up"));
	rundir_close(&dir);
}

static void
one_without_our_mark_stays(void **state)
{
	struct rundir dir;
	struct err err = {0};
	bool removed = true;
	struct stat st;

	(void)state;
	assert_int_equal(mkdir(run, 0700), 0);
	assert_int_equal(count(), 0);
	assert_int_equal(rundir_seize(&dir, run, "snake", &err), 0);
	assert_int_equal(rundir_remove(&dir, &removed, &err), 0);
	assert_false(removed);
	assert_int_equal(stat(run, &st), 0);
}

static void
arms_are_meant_and_others_not(void **state)
{
	char *arm = xasprintf("%s-b", run), *other = xasprintf("%s-bb", run);

	(void)state;
	assert_true(rundir_is_meant(run));
	assert_true(rundir_is_meant(arm));
	assert_false(rundir_is_meant(other));
	assert_false(rundir_is_meant(""));
	unsetenv("NFVCHAIN_RUN");
	assert_true(rundir_is_meant(other));
	assert_true(rundir_is_meant(""));
	free(arm);
	free(other);
}

static int
clean(void **state)
{
	char *command = xasprintf("rm -rf '%s'/*", scratch);
	int rc = system(command);

	(void)state;
	free(command);
	setenv("NFVCHAIN_RUN", run, 1);
	return rc;
}

static int
make_scratch(void **state)
{
	(void)state;
	if (mkdtemp(scratch) == NULL)
		return -1;
	snprintf(run, sizeof(run), "%s/run", scratch);
	return 0;
}

static int
remove_scratch(void **state)
{
	return clean(state) == 0 ? rmdir(scratch) : -1;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(who_has_the_lock_is_told, clean),
		cmocka_unit_test_setup(what_a_dead_one_left_is_seized_and_removed, clean),
		cmocka_unit_test_setup(a_number_that_somebody_else_has_is_nobody, clean),
		cmocka_unit_test_setup(one_that_is_up_cannot_be_seized, clean),
		cmocka_unit_test_setup(one_without_our_mark_stays, clean),
		cmocka_unit_test_setup(arms_are_meant_and_others_not, clean),
	};

	return cmocka_run_group_tests(tests, make_scratch, remove_scratch);
}
