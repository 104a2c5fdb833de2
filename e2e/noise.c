/* SPDX-License-Identifier: MIT */
#include "chain_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/test_random.h"
#include "ctl/machine_grade.h"
#include "report/environment.h"

/* Disturbs half of the trials, at random: a program takes the CPU of the generator's or of the
 * hop's lcore, or somebody stops the hop for a while.  Those must come out noisy and the others
 * valid, and no trial may blame the chain, which carries many times the load.
 *
 *     NFVCHAIN_NOISE_TRIALS     how many, 24
 *     NFVCHAIN_NOISE_HOPS       length of the chain, 1; longer ones share CPUs
 *     NFVCHAIN_NOISE_RECALL     percent of the disturbed trials that must come out noisy, 90
 *     NFVCHAIN_NOISE_PRECISION  percent of the noisy trials that must be disturbed ones, 0: on a
 *                               machine that does other things too they disturb trials as well
 *
 * What others did is told apart by a second witness: a noisy trial that was left alone, and of
 * which the kernel knows neither that a lcore waited for its CPU nor that the hypervisor took one,
 * was called noisy for nothing. */

#define RATE_PPS 150000
#define TRIAL_NS (500 * NSEC_PER_MS)

static struct fixture chain;

enum kind { NOTHING, HOG_GENERATOR, HOG_HOP, STOP_HOP, KINDS };

static const char *const kind_names[KINDS] = {"nothing", "hog on the generator's CPU",
					      "hog on the hop's CPU", "hop stopped"};

/* ---- disturbing ---- */

/* A process that wants all of a CPU; it dies with us. */
static pid_t
start_hog(int cpu)
{
	pid_t pid = fork();
	cpu_set_t set;

	if (pid != 0)
		return pid;
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (sched_setaffinity(0, sizeof(set), &set) < 0)
		_exit(1);
	for (;;)
		__asm__ volatile("" ::: "memory");
}

static void
stop_hog(pid_t pid)
{
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

struct stop {
	pid_t pid;
	uint64_t after_ms, for_ms;
};

static void *
stop_main(void *arg)
{
	const struct stop *s = arg;

	clock_sleep_ms(s->after_ms);
	kill(s->pid, SIGSTOP);
	clock_sleep_ms(s->for_ms);
	kill(s->pid, SIGCONT);
	return NULL;
}

static void
run_trial(struct trial *t)
{
	const struct trial_spec spec = {.rate_pps = RATE_PPS, .duration_ns = TRIAL_NS};
	struct err err = {0};

	if (measure_trial(&chain.measure, &spec, t, &err) < 0)
		fail_msg("%s", err.msg);
	trial_judge(t, 0);
}

static void
run_hogged(struct trial *t, size_t proc)
{
	pid_t hog = start_hog(chain.session.plan.proc[proc].cpus.cpu[0]);

	assert_true(hog > 0);
	run_trial(t);
	stop_hog(hog);
}

/* Some time within the trial, for 50 to 300 ms. */
static void
run_stopped(struct trial *t)
{
	const struct backend *b = &chain.session.backend;
	struct stop s = {.pid = b->proc[1 + rng_below((uint32_t)b->chain->n_hops)].pid};
	pthread_t thread;

	s.for_ms = 50 + rng_below(251);
	s.after_ms = 60 + rng_below(400 - (uint32_t)s.for_ms);
	assert_int_equal(pthread_create(&thread, NULL, stop_main, &s), 0);
	run_trial(t);
	pthread_join(thread, NULL);
}

static void
run_disturbed(struct trial *t, enum kind kind)
{
	switch (kind) {
	case HOG_GENERATOR:
		run_hogged(t, 0);
		break;
	case HOG_HOP:
		run_hogged(t, 1);
		break;
	case STOP_HOP:
		run_stopped(t);
		break;
	default:
		run_trial(t);
	}
}

/* ---- counting ---- */

static struct {
	unsigned disturbed, noisy, both, wrong, unfounded;
} tally;

/* Does the kernel know of half the time that the lcores were away? */
static bool
is_confirmed(const struct trial_noise *n)
{
	uint64_t away = n->gaps_1ms_ns, known = n->run_delay_ns + n->steal_ns;

	for (size_t i = 0; i < n->n_lcores; i++) {
		away += n->lcore[i].gaps_1ms_ns;
		known += n->lcore[i].run_delay_ns;
	}
	return known >= away / 2;
}

/* Longest, in all, and by the kernel; in ms. */
static void
print_away(uint64_t longest, uint64_t sum, uint64_t delay)
{
	printf(" %.1f/%.1f/%.1f", (double)longest / NSEC_PER_MS, (double)sum / NSEC_PER_MS,
	       (double)delay / NSEC_PER_MS);
}

static void
count(unsigned no, enum kind kind, const struct trial *t)
{
	bool noisy = t->class == TRIAL_NOISY;

	tally.disturbed += kind != NOTHING;
	tally.noisy += noisy;
	tally.both += kind != NOTHING && noisy;
	tally.wrong += t->verdict == TRIAL_FAIL;
	tally.unfounded += kind == NOTHING && noisy && !is_confirmed(&t->noise);
	printf("%3u %-26s %-8s %-7s away: generator", no, kind_names[kind],
	       trial_class_name(t->class), trial_verdict_name(t->verdict));
	print_away(t->noise.gap_max_ns, t->noise.gaps_1ms_ns, t->noise.run_delay_ns);
	print_away(t->noise.lcore[0].gap_max_ns, t->noise.lcore[0].gaps_1ms_ns,
		   t->noise.lcore[0].run_delay_ns);
	printf(" steal %llu: %s\n", (unsigned long long)(t->noise.steal_ns / NSEC_PER_MS),
	       t->reason);
	fflush(stdout);
}

static unsigned
setting(const char *name, unsigned usual)
{
	const char *text = getenv(name);

	return text != NULL ? (unsigned)strtoul(text, NULL, 10) : usual;
}

static unsigned
percent(unsigned part, unsigned of)
{
	return of > 0 ? 100 * part / of : 100;
}

/* Exactly half of the trials, in random order; each way to disturb as often as the others. */
static enum kind *
draw(unsigned n)
{
	enum kind *kinds = xcalloc(n, sizeof(*kinds));

	for (unsigned i = 0; i < n / 2; i++)
		kinds[i] = (enum kind)(1 + i % (KINDS - 1));
	for (unsigned i = n; i > 1; i--) {
		unsigned k = rng_below(i);
		enum kind moved = kinds[k];

		kinds[k] = kinds[i - 1];
		kinds[i - 1] = moved;
	}
	return kinds;
}

static void
disturbed_trials_are_noisy_and_no_others(void **state)
{
	unsigned n = setting("NFVCHAIN_NOISE_TRIALS", 24), recall, precision;
	static struct trial t;
	enum kind *kinds;

	(void)state;
	rng_seed(__func__);
	kinds = draw(n);
	for (unsigned i = 0; i < n; i++) {
		run_disturbed(&t, kinds[i]);
		count(i + 1, kinds[i], &t);
	}
	free(kinds);
	recall = percent(tally.both, tally.disturbed);
	precision = percent(tally.both, tally.noisy);
	printf("%u trials, %u disturbed, %u noisy: recall %u %%, precision %u %%, noisy for "
	       "nothing "
	       "%u, wrong verdicts %u\n",
	       n, tally.disturbed, tally.noisy, recall, precision, tally.unfounded, tally.wrong);
	assert_int_equal(tally.wrong, 0);
	assert_true(percent(tally.unfounded, n - tally.disturbed) <= 10);
	assert_true(recall >= setting("NFVCHAIN_NOISE_RECALL", 90));
	assert_true(precision >= setting("NFVCHAIN_NOISE_PRECISION", 0));
}

/* A program that takes half of a CPU is seen before anything is measured. */
static void
a_hog_lowers_the_grade(void **state)
{
	json_t *environment = environment_capture(NULL), *grade[2];
	const char *letter[2];
	struct chain_plan plan = {0};
	struct chain snake;
	struct err err = {0};

	(void)state;
	chain_default(&snake, 1);
	assert_int_equal(session_plan(&plan, &snake, false, false, &err), 0);
	for (int i = 0; i < 2; i++) {
		pid_t hog = i > 0 ? start_hog(plan.proc[1].cpus.cpu[0]) : 0;

		grade[i] = machine_grade(&snake, &plan, environment);
		letter[i] = json_string_value(json_object_get(grade[i], "letter"));
		printf("grade %s: %s\n", letter[i],
		       json_string_value(json_at(grade[i], "because[0]")));
		if (hog > 0)
			stop_hog(hog);
	}
	assert_true(letter[1][0] >= letter[0][0] && letter[1][0] >= 'E');
	json_decref(grade[0]);
	json_decref(grade[1]);
	json_decref(environment);
	chain_plan_fini(&plan);
	chain_fini(&snake);
}

static int
up(void **state)
{
	(void)state;
	char *yaml = xstrdup("version: 1\nname: noise\nhops: [nfvchain-fwd");

	for (unsigned i = setting("NFVCHAIN_NOISE_HOPS", 1); i > 0; i--) {
		char *longer = xasprintf("%s%s", yaml, i > 1 ? ", nfvchain-fwd" : "]\n");

		free(yaml);
		yaml = longer;
	}
	fixture_up(&chain, yaml);
	free(yaml);
	return 0;
}

static int
down(void **state)
{
	(void)state;
	fixture_down(&chain);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_hog_lowers_the_grade),
		cmocka_unit_test_setup_teardown(disturbed_trials_are_noisy_and_no_others, up, down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
