/* SPDX-License-Identifier: MIT */
#include "marks.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/mem.h"

#define PATIENCE_MS 10000

/* A chain that no other test has. */
static char chain[32];

/* A process that sleeps, with the mark of that name and run directory; 'deaf' to SIGTERM. */
static pid_t
start(const char *name, const char *run_dir, bool deaf)
{
	char *id = xasprintf("NFVCHAIN_ID=%s/%s", chain, name);
	char *place = xasprintf("RUNTIME_DIRECTORY=%s/rt/%s", run_dir, name);
	char sleep[] = "sleep", time[] = "100";
	char *argv[] = {sleep, time, NULL}, *env[] = {id, place, NULL};
	pid_t pid = fork();

	if (pid == 0) {
		if (deaf)
			signal(SIGTERM, SIG_IGN);
		execvpe("sleep", argv, env);
		_exit(127);
	}
	free(id);
	free(place);
	return pid;
}

/* Waits until 'want' processes of the chain are found, in 'run_dir' or anywhere. */
static size_t
find(const char *run_dir, size_t want, struct marked **found)
{
	struct deadline d = deadline_in_ms(PATIENCE_MS);
	struct err err = {0};
	size_t n;

	for (;;) {
		assert_int_equal(marked_find(chain, run_dir, found, &n, &err), 0);
		if (n == want || deadline_passed(&d))
			return n;
		marked_free(*found, n);
		clock_sleep_ms(5);
	}
}

static int
ended_by(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void
processes_are_found_by_their_environment(void **state)
{
	pid_t pid = start("vnf1", "/run/x", false);
	struct marked *found;

	(void)state;
	assert_int_equal(find("/run/x", 1, &found), 1);
	assert_int_equal(found[0].pid, pid);
	assert_string_equal(found[0].chain, chain);
	assert_string_equal(found[0].name, "vnf1");
	assert_string_equal(found[0].run_dir, "/run/x");
	assert_string_equal(found[0].program, "sleep");
	marked_free(found, 1);
	kill(pid, SIGKILL);
	ended_by(pid);
	assert_int_equal(find(NULL, 0, &found), 0);
	marked_free(found, 0);
}

static void
those_of_another_run_directory_are_not_meant(void **state)
{
	pid_t one = start("vnf1", "/run/x", false), other = start("vnf1", "/run/y", false);
	struct marked *found;
	struct err err = {0};

	(void)state;
	assert_int_equal(find(NULL, 2, &found), 2);
	marked_free(found, 2);
	assert_int_equal(find("/run/x", 1, &found), 1);
	assert_int_equal(marked_end(found, 1, PATIENCE_MS, &err), 0);
	marked_free(found, 1);
	assert_int_equal(ended_by(one), SIGTERM);
	assert_int_equal(kill(other, 0), 0);
	kill(other, SIGKILL);
	ended_by(other);
}

static void
who_does_not_hear_is_killed(void **state)
{
	pid_t deaf = start("deaf", "/run/x", true), stopped = start("stopped", "/run/x", false);
	struct marked *found;
	struct err err = {0};

	(void)state;
	assert_int_equal(find("/run/x", 2, &found), 2);
	kill(stopped, SIGSTOP);
	assert_int_equal(marked_end(found, 2, 500, &err), 0);
	marked_free(found, 2);
	assert_int_equal(ended_by(deaf), SIGKILL);
	/* One that is stopped is let go on, and obeys. */
	assert_int_equal(ended_by(stopped), SIGTERM);
}

static void
a_number_that_is_used_again_is_left_alone(void **state)
{
	pid_t pid = start("vnf1", "/run/x", false);
	struct marked *found;
	struct err err = {0};

	(void)state;
	assert_int_equal(find("/run/x", 1, &found), 1);
	free(found[0].name);
	found[0].name = xstrdup("vnf2");
	assert_int_equal(marked_end(found, 1, PATIENCE_MS, &err), 0);
	assert_int_equal(waitpid(pid, NULL, WNOHANG), 0);
	marked_free(found, 1);
	kill(pid, SIGKILL);
	ended_by(pid);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(processes_are_found_by_their_environment),
		cmocka_unit_test(those_of_another_run_directory_are_not_meant),
		cmocka_unit_test(who_does_not_hear_is_killed),
		cmocka_unit_test(a_number_that_is_used_again_is_left_alone),
	};

	snprintf(chain, sizeof(chain), "marks-%d", getpid());
	return cmocka_run_group_tests(tests, NULL, NULL);
}
