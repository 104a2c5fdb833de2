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
#include "base/mem.h"

/* SIGKILL of any program of a chain at any moment of a trial: the trial says who died, nobody else
 * does, nothing stays behind, and the next chain comes up by itself. */

#define SURVIVE_MS 500

static const struct variant {
	const char *what;
	bool may_crash; /* DPDK's memif driver can take the survivor down with its peer */
	const char *yaml;
} variants[] = {
	{"ours over vhost-user", false,
	 "version: 1\n"
	 "name: kill\n"
	 "hops: [nfvchain-fwd, nfvchain-fwd]\n"},
	{"ours and testpmd over vhost-user", false,
	 "version: 1\n"
	 "name: kill\n"
	 "hops: [nfvchain-fwd, testpmd]\n"},
	{"ours over memif", true,
	 "version: 1\n"
	 "name: kill\n"
	 "hops: [nfvchain-fwd, nfvchain-fwd]\n"
	 "links: memif\n"},
	{"a template and ours over vhost-user", false,
	 "version: 1\n"
	 "name: kill\n"
	 "hops:\n"
	 "  - name: foreign\n"
	 "    kind: exec\n"
	 "    lcores: 2\n"
	 "    command: >-\n"
	 "      dpdk-testpmd --lcores {lcores} --no-huge -m {mem} --no-pci\n"
	 "      --file-prefix={prefix} --vdev={vdev0} --vdev={vdev1} -- --forward-mode=mac\n"
	 "      --eth-peer=0,{dest0} --eth-peer=1,{dest1} --rxd=1024 --txd=1024\n"
	 "      --total-num-mbufs=16384 --auto-start --no-lsc-interrupt --stats-period=86400\n"
	 "  - nfvchain-fwd\n"},
};

static unsigned n_kills = N_ELEMS(variants);
static unsigned n_crashes;

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

/* Watches those who were not killed, and returns how many of them died too. */
static unsigned
watch_survivors(struct fixture *f, size_t victim)
{
	struct backend *b = &f->session.backend;
	struct deadline d = deadline_in_ms(SURVIVE_MS);
	unsigned n;

	do {
		n = 0;
		clock_sleep_ms(10);
		for (size_t i = 0; i < b->n_started; i++)
			n += i != victim && !proc_alive(&b->proc[i]);
	} while (!deadline_passed(&d));
	for (size_t i = 0; n > 0 && i < b->n_started; i++) {
		char status[128], words[512];

		if (i == victim || proc_alive(&b->proc[i]))
			continue;
		print_message("%s died too: %s: %s\n", b->proc[i].name,
			      proc_print_status(status, sizeof(status), &b->proc[i]),
			      proc_last_words(words, sizeof(words), &b->proc[i]));
	}
	return n;
}

/* Does the sentence name one of the dead?  A survivor that crashed may have been found first. */
static bool
names_a_dead(struct fixture *f, const char *sentence)
{
	struct backend *b = &f->session.backend;

	for (size_t i = 0; i < b->n_started; i++)
		if (!proc_alive(&b->proc[i]) && strstr(sentence, b->proc[i].name) != NULL)
			return true;
	return false;
}

static void
check_death(struct fixture *f, size_t victim, const struct variant *v, const struct err *err)
{
	unsigned n = watch_survivors(f, victim);

	if (!v->may_crash) {
		assert_int_equal(n, 0);
		assert_non_null(strstr(err->msg, f->session.backend.proc[victim].name));
	}
	assert_true(names_a_dead(f, err->msg));
	assert_non_null(strstr(err->msg, n > 0 ? "killed by SIG" : "SIGKILL"));
	n_crashes += n;
}

static void
kill_one(struct fixture *f, size_t victim, const struct variant *v, unsigned after_ms)
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
	check_death(f, victim, v, &err);
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
		const struct variant *v = &variants[i % N_ELEMS(variants)];
		struct fixture f;
		size_t victim;

		fixture_up(&f, v->yaml);
		victim = (size_t)rand_r(&seed) % f.session.backend.n_started;
		print_message("kill %u: %s (%s)\n", i + 1, f.session.backend.proc[victim].name,
			      v->what);
		kill_one(&f, victim, v, (unsigned)rand_r(&seed) % 300);
	}
	print_message("%u survivors crashed over memif\n", n_crashes);
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
