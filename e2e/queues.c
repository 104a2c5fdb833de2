/* SPDX-License-Identifier: MIT */
#include "chain_fixture.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/json.h"

/* Two hops of two lcores each, joined by links of two queues, with a trial of the generator that
 * the test watches itself.  64 neighbouring flows are 32 in each queue. */

#define CALL_MS 5000
#define PATIENCE_MS 20000
#define RATE_PPS 50000.0
#define DURATION_S 0.5
#define N_QUEUES 2
#define ATTEMPTS 8 /* trials of which the generator missed most say nothing */

static const char two_queues[] = "version: 1\n"
				 "name: queues\n"
				 "hops:\n"
				 "  - {kind: nfvchain-fwd, lcores: 2}\n"
				 "  - {kind: nfvchain-fwd, lcores: 2}\n"
				 "links: {kind: vhost-user, queues: 2, ring: 2048}\n"
				 "traffic: {flows: 64}\n";

static struct fixture chain;

static int
up(void **state)
{
	(void)state;
	fixture_up(&chain, two_queues);
	return 0;
}

static int
down(void **state)
{
	(void)state;
	fixture_down(&chain);
	return 0;
}

static uint64_t
number_of(const json_t *json, const char *list, unsigned i, const char *key)
{
	char path[64];

	snprintf(path, sizeof(path), "%s[%u].%s", list, i, key);
	return fixture_number(json, path);
}

static void
start(void)
{
	const struct tg_traffic traffic = {.frames = &chain.chain.traffic.frames[0],
					   .flows = chain.chain.traffic.flows};
	struct tg *tg = chain.session.backend.tg;
	struct err err = {0};

	fixture_must(tg_set_streams(tg, &traffic, &err), &err);
	fixture_must(tg_start(tg, RATE_PPS, DURATION_S, false, &err), &err);
}

static json_t *
trial(void)
{
	struct err err = {0};
	json_t *json = NULL;

	fixture_must(tg_trial(chain.session.backend.tg, &json, &err), &err);
	return json;
}

/* What the generator says once all that it sent has come back, or the test's patience is over. */
static json_t *
finished_trial(void)
{
	struct deadline d = deadline_in_ms(PATIENCE_MS);

	for (;;) {
		json_t *json = trial();
		const char *how = json_string_value(json_object_get(json, "state"));

		if (deadline_passed(&d) ||
		    (strcmp(how, "sent") == 0 &&
		     fixture_number(json, "ok") >= fixture_number(json, "sent")))
			return json;
		json_decref(json);
		clock_sleep_ms(10);
	}
}

/* Counters of a hop, once it is at rest if it is 'quiesce'. */
static json_t *
counters_of(size_t hop, const char *verb)
{
	struct control_client *c = chain.session.backend.hop[hop].control;
	struct err err = {0};
	json_t *json = NULL;

	fixture_must(control_client_call(c, verb, NULL, CALL_MS, &json, &err), &err);
	if (strcmp(verb, "quiesce") == 0)
		fixture_must(control_client_call(c, "resume", NULL, CALL_MS, NULL, &err), &err);
	return json;
}

/* Frames that each lcore of each hop has received. */
static void
read_received(uint64_t rx[][N_QUEUES])
{
	for (size_t i = 0; i < chain.chain.n_hops; i++) {
		json_t *c = counters_of(i, "quiesce");

		assert_int_equal(json_array_size(json_object_get(c, "lcores")), N_QUEUES);
		for (unsigned k = 0; k < N_QUEUES; k++)
			rx[i][k] = number_of(c, "lcores", k, "rx");
		json_decref(c);
	}
}

/* All that was sent came back, each frame once and in the order of its flow; and every slot of the
 * schedule is accounted for in its queue. */
static void
check_complete(const json_t *t)
{
	uint64_t sent = 0;

	assert_string_equal(json_string_value(json_object_get(t, "state")), "sent");
	for (unsigned q = 0; q < N_QUEUES; q++) {
		sent += number_of(t, "queues", q, "sent");
		assert_int_equal(number_of(t, "queues", q, "intended"),
				 number_of(t, "queues", q, "sent") +
					 number_of(t, "queues", q, "refused") +
					 number_of(t, "queues", q, "late"));
	}
	assert_int_equal(fixture_number(t, "sent"), sent);
	assert_int_equal(fixture_number(t, "ok"), sent);
	assert_int_equal(fixture_number(t, "received"), sent);
	assert_int_equal(fixture_number(t, "never_seen"), 0);
	assert_int_equal(fixture_number(t, "reordered"), 0);
}

/* Was the generator there, in a trial that is over?  Else the next attempt may be better. */
static bool
was_there(const json_t *t)
{
	uint64_t late = fixture_number(t, "late"), intended = fixture_number(t, "intended");

	if (late * 2 > intended)
		print_message("# late with %lu of %lu slots\n", late, intended);
	return late * 2 <= intended;
}

static void
each_lcore_receives_what_its_queue_was_sent(void **state)
{
	uint64_t before[CHAIN_MAX_HOPS][N_QUEUES], after[CHAIN_MAX_HOPS][N_QUEUES];
	json_t *t = NULL;

	(void)state;
	for (unsigned i = 0; i < ATTEMPTS && (t == NULL || !was_there(t)); i++) {
		json_decref(t);
		read_received(before);
		start();
		t = finished_trial();
		check_complete(t);
		read_received(after);
	}
	for (unsigned q = 0; q < N_QUEUES; q++) {
		uint64_t sent = number_of(t, "queues", q, "sent");

		assert_int_equal(number_of(t, "queues", q, "intended"), RATE_PPS * DURATION_S / 2);
		assert_true(sent > 1000);
		/* The same frames in the next hop: no flow leaves its queue. */
		for (size_t i = 0; i < chain.chain.n_hops; i++)
			assert_int_equal(after[i][q] - before[i][q], sent);
	}
	json_decref(t);
}

/* Stops one thread of a program that this one has started, as a debugger does; the others run. */
static void
stop_thread(pid_t tid)
{
	int status;

	if (ptrace(PTRACE_SEIZE, tid, NULL, NULL) < 0 ||
	    ptrace(PTRACE_INTERRUPT, tid, NULL, NULL) < 0)
		fail_msg("ptrace: %s", strerror(errno));
	assert_int_equal(waitpid(tid, &status, __WALL), tid);
	assert_true(WIFSTOPPED(status));
}

static void
let_thread_run(pid_t tid)
{
	assert_int_equal(ptrace(PTRACE_DETACH, tid, NULL, NULL), 0);
}

/* Waits until the queue has refused so many, or the trial is over. */
static void
wait_refused(unsigned queue, uint64_t n)
{
	struct deadline d = deadline_in_ms(PATIENCE_MS);
	bool done = false;

	while (!done) {
		json_t *t = trial();
		const char *how = json_string_value(json_object_get(t, "state"));

		assert_false(deadline_passed(&d));
		done = strcmp(how, "sent") == 0 || number_of(t, "queues", queue, "refused") >= n;
		json_decref(t);
		clock_sleep_ms(5);
	}
}

static void
a_queue_that_nobody_reads_refuses_its_own_frames_alone(void **state)
{
	json_t *c = counters_of(0, "counters"), *t = NULL;
	pid_t tid = (pid_t)number_of(c, "lcores", 1, "tid");

	(void)state;
	json_decref(c);
	for (unsigned i = 0; i < ATTEMPTS && (t == NULL || !was_there(t)); i++) {
		json_decref(t);
		stop_thread(tid);
		start();
		wait_refused(1, 2000);
		let_thread_run(tid);
		t = finished_trial();
		check_complete(t);
	}
	assert_true(number_of(t, "queues", 1, "refused") >= 1000);
	assert_int_equal(number_of(t, "queues", 0, "refused"), 0);
	assert_true(number_of(t, "queues", 0, "sent") > 1000);
	/* The ring took what it has room for. */
	assert_true(number_of(t, "queues", 1, "sent") >= 1024);
	json_decref(t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_lcore_receives_what_its_queue_was_sent),
		cmocka_unit_test(a_queue_that_nobody_reads_refuses_its_own_frames_alone),
	};

	return cmocka_run_group_tests(tests, up, down);
}
