/* SPDX-License-Identifier: MIT */
#include "chain_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"

/* What a supervisor does when a program of a running chain has died: starts it anew and tells the
 * neighbours that were connected to it to attach their port again.  Nobody else is restarted. */

#define READY_MS 15000
#define CALL_MS 5000
#define GENERATOR 0 /* index among the processes; hop i is process i + 1 */

static const char three_hops[] = "version: 1\n"
				 "name: reopen\n"
				 "hops: [nfvchain-fwd, nfvchain-fwd, nfvchain-fwd]\n";
static const char one_hop[] = "version: 1\n"
			      "name: reopen\n"
			      "hops: [nfvchain-fwd]\n";

/* Of the test that runs: what a failed one leaves up is taken down behind it. */
static struct fixture chain;

static int
down(void **state)
{
	(void)state;
	fixture_down(&chain);
	assert_int_equal(fixture_marked_processes("reopen"), 0);
	return 0;
}

/* ---- the victim ---- */

/* Frames flow until then, so that the survivors' rings are in use. */
static void
kill_under_load(size_t victim)
{
	struct backend *b = &chain.session.backend;
	struct deadline d = deadline_in_ms(READY_MS);
	struct err err = {0};
	uint64_t first, now;
	bool sent;

	fixture_must(tg_start(b->tg, 100000, 60, false, &err), &err);
	fixture_must(tg_poll(b->tg, &sent, &first, &err), &err);
	do {
		assert_false(deadline_passed(&d));
		fixture_must(tg_poll(b->tg, &sent, &now, &err), &err);
	} while (now - first < 1000);
	kill(b->proc[victim].pid, SIGKILL);
	assert_true(proc_wait(&b->proc[victim], READY_MS));
	if (victim == GENERATOR)
		return;
	fixture_must(tg_stop(b->tg, &err), &err);
	do {
		assert_false(deadline_passed(&d));
		fixture_must(tg_poll(b->tg, &sent, &now, &err), &err);
	} while (!sent);
}

static void
start_again(size_t victim)
{
	struct backend *b = &chain.session.backend;
	const struct plan_proc *pp = &b->plan->proc[victim];
	const struct proc_conf conf = backend_proc_conf(pp);
	struct err err = {0};

	/* A listener finds its own stale socket in the way. */
	for (int i = 0; i < 2; i++)
		if (pp->listens[i] != NULL)
			assert_int_equal(unlink(pp->listens[i]), 0);
	proc_close(&b->proc[victim]);
	fixture_must(proc_start(&b->proc[victim], &conf, &err), &err);
}

/* Speaks to the new program: by then its ports are open. */
static void
greet_again(size_t victim)
{
	struct backend *b = &chain.session.backend;
	struct err err = {0};

	if (victim == GENERATOR) {
		tg_close(b->tg);
		b->tg = NULL;
		fixture_must(tg_open(&b->tg, b->plan->rpc_endpoint, READY_MS, &err), &err);
	} else {
		struct backend_hop *hop = &b->hop[victim - 1];

		control_client_close(hop->control);
		hop->control = NULL;
		fixture_must(control_client_open(&hop->control, b->plan->proc[victim].control_path,
						 READY_MS, &err),
			     &err);
	}
}

/* ---- its neighbours ---- */

static int
try_reopen(size_t hop, int port, struct err *err)
{
	return control_client_call(chain.session.backend.hop[hop].control, "port_reopen",
				   json_pack("{s:i}", "port", port), CALL_MS, NULL, err);
}

static void
reopen(size_t hop, int port)
{
	struct err err = {0};

	fixture_must(try_reopen(hop, port, &err), &err);
}

/* Who was connected to a listener of the victim never connects again by itself; who listens finds
 * the new program at its door. */
static void
reopen_neighbours(size_t victim)
{
	size_t n_hops = chain.chain.n_hops;

	if (victim == GENERATOR) {
		reopen(0, 0);
		reopen(n_hops - 1, 1);
	} else if (victim < n_hops) {
		reopen(victim, 0);
	}
}

/* ---- afterwards ---- */

static void
everything_flows(void)
{
	const struct trial_spec spec = {.rate_pps = 100000, .duration_ns = 100000000};
	const struct tg_traffic traffic = {.frames = &chain.chain.traffic.frames[0], .flows = 1};
	static struct trial t;
	struct err err = {0};

	fixture_must(measure_prepare(&chain.measure, &traffic, &err), &err);
	fixture_must(measure_trial(&chain.measure, &spec, &t, &err), &err);
	assert_true(t.ledger.balanced);
	assert_true(t.sent > 0);
	assert_int_equal(t.ok, t.sent);
}

/* Each forwarder ends with 0 only when every frame and every buffer is accounted for, those of the
 * device that was closed among them. */
static void
survivors_account_for_all(void)
{
	struct backend *b = &chain.session.backend;
	struct err err = {0};

	for (size_t i = 0; i < chain.chain.n_hops; i++) {
		struct proc *p = &b->proc[i + 1];
		char words[512];

		fixture_must(
			control_client_call(b->hop[i].control, "drain", NULL, CALL_MS, NULL, &err),
			&err);
		assert_true(proc_wait(p, READY_MS));
		proc_last_words(words, sizeof(words), p);
		print_message("%s: %s\n", p->name, words);
		assert_true(WIFEXITED(p->status));
		assert_int_equal(WEXITSTATUS(p->status), 0);
	}
}

static void
replace(size_t victim)
{
	pid_t before[PLAN_MAX_PROCS];
	struct backend *b = &chain.session.backend;

	for (size_t i = 0; i < b->n_started; i++)
		before[i] = b->proc[i].pid;
	print_message("kill %s\n", b->proc[victim].name);
	kill_under_load(victim);
	start_again(victim);
	greet_again(victim);
	reopen_neighbours(victim);
	everything_flows();
	for (size_t i = 0; i < b->n_started; i++) {
		assert_true(proc_alive(&b->proc[i]));
		assert_true((b->proc[i].pid == before[i]) == (i != victim));
	}
}

/* Before the new listener is there the port cannot be attached; later it can. */
static void
reopen_too_early(void)
{
	struct err err = {0};

	kill_under_load(GENERATOR);
	for (int port = 0; port < 2; port++) {
		assert_true(try_reopen(0, port, &err) < 0);
		assert_non_null(strstr(err.msg, "is its peer there?"));
	}
	start_again(GENERATOR);
	greet_again(GENERATOR);
	/* It would become port 0. */
	assert_true(try_reopen(0, 1, &err) < 0);
	assert_non_null(strstr(err.msg, "port 0 has to be attached before it"));
	reopen_neighbours(GENERATOR);
	everything_flows();
}

static void
a_generator_is_replaced(void **state)
{
	(void)state;
	fixture_up(&chain, one_hop);
	replace(GENERATOR);
	reopen_too_early();
	replace(GENERATOR);
	survivors_account_for_all();
}

/* A listener shuts the door on its client, which then has to come in again. */
static void
reopen_both_ends(void)
{
	reopen(0, 1);
	reopen(1, 0);
	everything_flows();
	reopen(0, 0);
	reopen(2, 1);
	everything_flows();
}

static void
any_hop_of_three_is_replaced(void **state)
{
	static const size_t victims[] = {2, 1, 3, 2, GENERATOR};

	(void)state;
	fixture_up(&chain, three_hops);
	reopen_both_ends();
	for (size_t i = 0; i < N_ELEMS(victims); i++)
		replace(victims[i]);
	reopen_both_ends();
	survivors_account_for_all();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(a_generator_is_replaced, down),
		cmocka_unit_test_teardown(any_hop_of_three_is_replaced, down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
