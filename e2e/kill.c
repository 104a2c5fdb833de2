/* SPDX-License-Identifier: MIT */
#include "chain_fixture.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"

/* SIGKILL of any program of a chain at any moment of a trial: the trial says who died, nobody else
 * does, nothing stays behind, and the next chain comes up by itself. */

static const char mixed[] = "version: 1\n"
			    "name: kill\n"
			    "hops: [nfvchain-fwd, testpmd]\n";
static const char ours[] = "version: 1\n"
			   "name: kill\n"
			   "hops: [nfvchain-fwd, nfvchain-fwd]\n";

static unsigned n_kills = 6;

struct shot {
	pid_t pid;
	unsigned after_ms;
};

static void *
shoot(void *arg)
{
	const struct shot *shot = arg;

	clock_sleep_ms(shot->after_ms);
	kill(shot->pid, SIGKILL);
	return NULL;
}

static void
check_survivors(struct fixture *f, size_t victim)
{
	struct deadline d = deadline_in_ms(150);

	while (!deadline_passed(&d)) {
		for (size_t i = 0; i < f->session.backend.n_started; i++)
			if (i != victim && !proc_alive(&f->session.backend.proc[i]))
				fail_msg("%s died too", f->session.backend.proc[i].name);
		clock_sleep_ms(10);
	}
}

static void
kill_one(struct fixture *f, size_t victim, unsigned after_ms)
{
	const struct trial_spec spec = {.rate_pps = 500000, .duration_ns = 400000000};
	struct shot shot = {f->session.backend.proc[victim].pid, after_ms};
	char *run_dir = strdup(f->session.backend.dir.path);
	static struct trial t;
	struct err err = {0};
	pthread_t thread;
	struct stat st;

	assert_int_equal(pthread_create(&thread, NULL, shoot, &shot), 0);
	assert_int_equal(measure_trial(&f->measure, &spec, &t, &err), -ECHILD);
	pthread_join(thread, NULL);
	trial_judge(&t, 0);
	assert_int_equal(t.verdict, TRIAL_INVALID);
	assert_non_null(strstr(err.msg, f->session.backend.proc[victim].name));
	assert_non_null(strstr(err.msg, "SIGKILL"));
	check_survivors(f, victim);
	fixture_down(f);
	assert_int_equal(fixture_marked_processes("kill"), 0);
	assert_int_equal(stat(run_dir, &st), -1);
	free(run_dir);
}

static void
a_kill_is_named_and_leaves_nothing(void **state)
{
	unsigned seed = (unsigned)getpid();

	(void)state;
	print_message("seed %u, %u kills\n", seed, n_kills);
	for (unsigned i = 0; i < n_kills; i++) {
		struct fixture f;
		size_t victim;

		fixture_up(&f, i % 2 ? mixed : ours);
		victim = (size_t)rand_r(&seed) % f.session.backend.n_started;
		print_message("kill %u: %s\n", i + 1, f.session.backend.proc[victim].name);
		kill_one(&f, victim, (unsigned)rand_r(&seed) % 300);
	}
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_kill_is_named_and_leaves_nothing),
	};

	if (argc > 1)
		n_kills = (unsigned)atoi(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
