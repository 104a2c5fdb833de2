/* SPDX-License-Identifier: MIT */
#include "test_result.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static json_t *
chain_of(const char *second)
{
	return json_pack("{s:s, s:s, s:[{s:s, s:s, s:s}, {s:s, s:s, s:n}],"
			 " s:[{s:s, s:i}, {s:s, s:i}, {s:s, s:i}]}",
			 "name", "snake", "text", "version: 1\n", "hops", "name", "vnf1", "kind",
			 "nfvchain-fwd", "engine", "poll", "name", second, "kind", "testpmd",
			 "engine", "links", "kind", "vhost-user", "ring", 1024, "kind",
			 "vhost-user", "ring", 1024, "kind", "vhost-user", "ring", 1024);
}

json_t *
test_result_start(void)
{
	char program[] = "nfvchain", verb[] = "bench";
	char *const argv[] = {program, verb};

	return result_new(2, argv, chain_of("vnf2"), NULL, NULL);
}

static const struct goal goal = {
	.trial_ns = 1000000000, .sum_ns = 3000000000, .width = 1 - 1 / 1.02};
const struct result_asked test_asked = {
	.preset = "search", .procedure = "binary", .goals = &goal, .n_goals = 1};
const struct result_asked test_fixed = {.procedure = "fixed"};

void
test_result_set_goal(json_t *result)
{
	result_set_goal(result, &goal);
}

void
test_result_add_selftest(json_t *result)
{
	const struct result_selftest s = {
		.frames = "64", .max_pps = 10e6, .pacing_p50_ns = -1, .pacing_p99_ns = -1};

	result_add_selftest(result, &s);
}

/* A trial at 'pps' for a second through our forwarder and a foreign one, nothing lost. */
struct trial *
test_trial_new(double pps)
{
	struct trial *t = calloc(1, sizeof(*t));
	struct ledger *l = &t->ledger;
	uint64_t n = (uint64_t)pps;

	assert_non_null(t);
	trial_init(t, &(struct trial_spec){.rate_pps = pps, .duration_ns = 1000000000});
	t->elapsed_s = 1;
	t->intended = t->sent = t->received = t->ok = n;
	t->latency_accuracy_ns = 3200;
	for (unsigned i = 0; i < 2000; i++)
		hist_record(&t->latency, i < 1970 ? 12000 : 35000);
	l->n_hops = 2;
	l->hop[0] = (struct ledger_hop){.name = "vnf1", .known = true, .exact = true};
	l->hop[1] = (struct ledger_hop){.name = "vnf2", .known = true};
	for (unsigned i = 0; i < 2; i++)
		l->hop[i].port[0].rx = l->hop[i].port[1].tx = n;
	l->gen[0].tx = l->gen[1].rx = n;
	ledger_close(l, 0);
	return t;
}

/* 'n' frames fewer arrive. */
void
test_trial_lose(struct trial *t, uint64_t n)
{
	t->received -= n;
	t->ok -= n;
	t->ledger.gen[1].rx -= n;
	t->ledger.never_seen += n;
}

void
test_result_add(json_t *result, struct trial *t)
{
	ledger_close(&t->ledger, 0);
	trial_judge(t, 0);
	result_add_trial(result, t);
	free(t);
}

void
test_result_add_search(json_t *result, double pps, enum search_end end)
{
	struct search_result found = {.end = end, .accepted_pps = pps, .rejected_pps = 1.02 * pps};

	result_begin_search(result);
	for (unsigned i = 0; i < 3; i++)
		test_result_add(result, test_trial_new(pps));
	result_end_search(result, &found, 31.25);
}

/* 100 refused; the forwarder misses 5 and drops 12; 3 vanish on the last link. */
struct trial *
test_trial_lossy(void)
{
	struct trial *t = test_trial_new(1e6);
	struct ledger *l = &t->ledger;

	t->sent -= 100;
	t->refused = 100;
	test_trial_lose(t, 120);
	l->never_seen = 20;
	l->gen[0].tx -= 100;
	l->hop[0].port[0].rx -= 105;
	l->hop[0].port[0].miss = 5;
	ledger_drop(&l->hop[0], "tx_full", 10);
	ledger_drop(&l->hop[0], "runt", 2);
	l->hop[0].port[1].tx -= 117;
	l->hop[1].port[0].rx -= 117;
	l->hop[1].port[1].tx -= 117;
	return t;
}
