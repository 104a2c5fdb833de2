/* SPDX-License-Identifier: MIT */
#include "plan.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/assert_within.h"
#include "base/mem.h"

static struct plan
plan_of(const struct fwd_conf *conf, uint16_t n_ports, uint16_t n_lcores)
{
	struct plan plan;
	struct err err = {0};

	if (plan_poll(&plan, conf, n_ports, n_lcores, &err) < 0)
		fail_msg("%s", err.msg);
	return plan;
}

static void
assert_refused(const struct fwd_conf *conf, uint16_t n_ports, uint16_t n_lcores, const char *why)
{
	struct plan plan;
	struct err err = {0};

	assert_true(plan_poll(&plan, conf, n_ports, n_lcores, &err) < 0);
	assert_string_equal(err.msg, why);
}

/* What holds for any plan: each queue of each port in use is polled once, by an lcore that exists,
 * towards the port's pair; an lcore's transmit queue at a port is its alone, and they count from 0
 * without a gap; no lcore of the plan is without a queue to poll. */
static void
assert_plan_is_sound(const struct plan *p, uint16_t n_lcores)
{
	bool polled[NF_MAX_PORTS][16] = {0};
	bool busy[PLAN_MAX_LCORES] = {false};

	assert_true(p->n_lcores <= n_lcores);
	for (uint16_t i = 0; i < p->n_links; i++) {
		const struct plan_link *l = &p->link[i];

		assert_true(p->enabled[l->rx_port]);
		assert_true(l->rxq < p->n_rxq);
		assert_true(l->lcore < p->n_lcores);
		assert_int_equal(l->egress, p->pair[l->rx_port]);
		assert_true(p->txq[l->lcore][l->egress] >= 0);
		assert_false(polled[l->rx_port][l->rxq]);
		polled[l->rx_port][l->rxq] = true;
		busy[l->lcore] = true;
	}
	for (uint16_t k = 0; k < p->n_lcores; k++)
		assert_true(busy[k]);
	for (uint16_t port = 0; port < p->n_ports; port++) {
		bool used[PLAN_MAX_LCORES] = {false};

		for (uint16_t q = 0; q < p->n_rxq; q++)
			assert_int_equal(polled[port][q], p->enabled[port]);
		if (p->enabled[port])
			assert_int_equal(p->pair[p->pair[port]], port);
		for (uint16_t k = 0; k < PLAN_MAX_LCORES; k++) {
			int16_t q = p->txq[k][port];

			if (q < 0)
				continue;
			assert_true(k < p->n_lcores);
			assert_true(q < (int16_t)p->n_txq[port]);
			assert_false(used[q]);
			used[q] = true;
		}
		for (uint16_t q = 0; q < p->n_txq[port]; q++)
			assert_true(used[q]);
	}
}

static void
neighbours_pair_up(void **state)
{
	struct fwd_conf conf = {.rxq = 1};
	struct plan p = plan_of(&conf, 4, 1);

	(void)state;
	assert_int_equal(p.pair[0], 1);
	assert_int_equal(p.pair[1], 0);
	assert_int_equal(p.pair[2], 3);
	assert_int_equal(p.pair[3], 2);
	assert_int_equal(p.n_links, 4);
	assert_plan_is_sound(&p, 1);
}

static void
an_odd_port_sends_to_itself(void **state)
{
	struct fwd_conf conf = {.rxq = 1};
	struct plan one = plan_of(&conf, 1, 1), three = plan_of(&conf, 3, 2);

	(void)state;
	assert_int_equal(one.pair[0], 0);
	assert_int_equal(three.pair[0], 1);
	assert_int_equal(three.pair[2], 2);
	assert_plan_is_sound(&one, 1);
	assert_plan_is_sound(&three, 2);
}

static void
the_mask_chooses_ports_and_neighbours_are_those_chosen(void **state)
{
	struct fwd_conf conf = {.rxq = 1, .portmask = 0xd};
	struct plan p = plan_of(&conf, 4, 1);

	(void)state;
	/* Ports 0, 2 and 3: 1 is not there. */
	assert_int_equal(p.pair[0], 2);
	assert_int_equal(p.pair[2], 0);
	assert_int_equal(p.pair[3], 3);
	assert_false(p.enabled[1]);
	assert_int_equal(p.n_txq[1], 0);
	assert_int_equal(p.n_links, 3);
	assert_plan_is_sound(&p, 1);
	conf.portmask = 0x10;
	assert_refused(&conf, 4, 1, "--portmask 0x10 names a port that is not there (there are 4)");
}

static void
a_map_pairs_as_it_says(void **state)
{
	struct fwd_conf conf = {.rxq = 1, .portmap = (char *)(uintptr_t) "(0,3) (2,1)"};
	struct plan p = plan_of(&conf, 4, 1);

	(void)state;
	assert_int_equal(p.pair[0], 3);
	assert_int_equal(p.pair[3], 0);
	assert_int_equal(p.pair[1], 2);
	assert_int_equal(p.pair[2], 1);
	assert_plan_is_sound(&p, 1);
	conf.portmap = (char *)(uintptr_t) "(0,0)(1,2)";
	p = plan_of(&conf, 3, 1);
	assert_int_equal(p.pair[0], 0);
	assert_plan_is_sound(&p, 1);
}

static void
mistakes_in_a_map_are_named(void **state)
{
	static const struct {
		const char *map, *why;
	} bad[] = {
		{"0,1", "--portmap: '0,1' is not a list of pairs like (0,1)(2,3)"},
		{"(0,1", "--portmap: '(0,1' is not a list of pairs like (0,1)(2,3)"},
		{"(0;1)", "--portmap: '(0;1)' is not a list of pairs like (0,1)(2,3)"},
		{"(0,1)x", "--portmap: '(0,1)x' is not a list of pairs like (0,1)(2,3)"},
		{"(0)", "--portmap: '(0)' is not a list of pairs like (0,1)(2,3)"},
		{"(0,-1)", "--portmap: '(0,-1)' is not a list of pairs like (0,1)(2,3)"},
		{"(0,4294967297)",
		 "--portmap: '(0,4294967297)' is not a list of pairs like (0,1)(2,3)"},
		{"(0,7)", "--portmap: (0,7) names a port that is not in use"},
		{"(0,2)", "--portmap: (0,2) names a port that is not in use"},
		{"(0,1)(1,3)", "--portmap: port 1 is in two pairs"},
		{"(0,1)(3,1)", "--portmap: port 1 is in two pairs"},
		{"(0,1)", "--portmap: port 3 is in no pair"},
		{"", "--portmap: port 0 is in no pair"},
	};
	struct fwd_conf conf = {.rxq = 1, .portmask = 0xb};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(bad); i++) {
		conf.portmap = (char *)(uintptr_t)bad[i].map;
		assert_refused(&conf, 4, 1, bad[i].why);
	}
}

static void
no_port_and_too_many_ports_are_refused(void **state)
{
	struct fwd_conf conf = {.rxq = 1};
	struct plan plan;
	struct err err = {0};

	(void)state;
	assert_true(plan_poll(&plan, &conf, 0, 1, &err) < 0);
	assert_int_equal(err.class, ERR_MACHINE);
	assert_string_equal(err.msg, "there is no port: name one with --vdev or -a, or in "
				     "NFVCHAIN_EAL_ARGS");
	assert_refused(&conf, 17, 1, "17 ports, at most 16 are supported");
}

static void
one_lcore_does_it_all(void **state)
{
	struct fwd_conf conf = {.rxq = 2};
	struct plan p = plan_of(&conf, 2, 1);

	(void)state;
	assert_int_equal(p.n_lcores, 1);
	assert_int_equal(p.n_links, 4);
	assert_int_equal(p.n_txq[0], 1);
	assert_int_equal(p.n_txq[1], 1);
	assert_plan_is_sound(&p, 1);
}

static void
ports_go_round_the_lcores(void **state)
{
	struct fwd_conf conf = {.rxq = 1};
	struct plan p = plan_of(&conf, 2, 2);

	(void)state;
	/* The reference's polling line: -l 0-1 with two ports. */
	assert_int_equal(p.n_lcores, 2);
	assert_int_equal(p.link[0].lcore, 0);
	assert_int_equal(p.link[1].lcore, 1);
	assert_plan_is_sound(&p, 2);
	p = plan_of(&conf, 2, 8);
	assert_int_equal(p.n_lcores, 2);
	assert_plan_is_sound(&p, 8);
}

static void
the_queues_of_one_port_spread_over_the_lcores(void **state)
{
	struct fwd_conf conf = {.rxq = 4};
	struct plan p = plan_of(&conf, 2, 4);

	(void)state;
	/* Traffic in one direction only, as in the snake, still keeps all lcores busy. */
	for (uint16_t i = 0; i < p.n_links; i++)
		assert_int_equal(p.link[i].lcore, p.link[i].rxq);
	assert_int_equal(p.n_txq[0], 4);
	assert_int_equal(p.n_txq[1], 4);
	assert_plan_is_sound(&p, 4);
}

static void
queues_per_lcore_fill_one_lcore_after_the_other(void **state)
{
	struct fwd_conf conf = {.rxq = 1, .queues_per_lcore = 2};
	struct plan p = plan_of(&conf, 4, 8);

	(void)state;
	assert_int_equal(p.n_lcores, 2);
	assert_int_equal(p.link[0].lcore, 0);
	assert_int_equal(p.link[1].lcore, 0);
	assert_int_equal(p.link[2].lcore, 1);
	assert_int_equal(p.link[3].lcore, 1);
	assert_plan_is_sound(&p, 8);
	conf.queues_per_lcore = 1;
	assert_refused(&conf, 4, 3,
		       "1 queues on each of 3 lcores are too few for 4 ports with 1 "
		       "queues (see -q, -l)");
	/* A port that is not in use takes no place. */
	conf.portmask = 0xb;
	p = plan_of(&conf, 4, 3);
	assert_plan_is_sound(&p, 3);
}

static void
more_queues_than_there_is_room_for_are_refused(void **state)
{
	struct fwd_conf conf = {.rxq = 5};

	(void)state;
	assert_refused(&conf, 16, 4, "more than 64 receive queues");
	conf.rxq = 4;
	(void)plan_of(&conf, 16, 4);
}

static void
any_plan_is_sound(void **state)
{
	unsigned seed = 7;

	(void)state;
	for (int round = 0; round < 3000; round++) {
		uint16_t n_ports = (uint16_t)(1 + (unsigned)rand_r(&seed) % 16);
		uint16_t n_lcores = (uint16_t)(1 + (unsigned)rand_r(&seed) % 80);
		struct fwd_conf conf = {
			.rxq = 1 + (unsigned)rand_r(&seed) % 8,
			.queues_per_lcore = (unsigned)rand_r(&seed) % 4,
			.portmask = (unsigned)rand_r(&seed) & ((1u << n_ports) - 1),
		};
		struct plan p;
		struct err err = {0};

		if (plan_poll(&p, &conf, n_ports, n_lcores, &err) == 0)
			assert_plan_is_sound(&p, n_lcores);
		else
			assert_int_equal(err.class, ERR_USAGE);
	}
}

static void
work_is_spread_evenly(void **state)
{
	(void)state;
	for (uint16_t n_lcores = 1; n_lcores <= 8; n_lcores++) {
		for (uint32_t rxq = 1; rxq <= 8; rxq++) {
			struct fwd_conf conf = {.rxq = rxq};
			struct plan p = plan_of(&conf, 2, n_lcores);
			unsigned links[PLAN_MAX_LCORES] = {0};

			for (uint16_t i = 0; i < p.n_links; i++)
				links[p.link[i].lcore]++;
			for (uint16_t k = 0; k < p.n_lcores; k++)
				assert_within(links[k], p.n_links / n_lcores,
					      p.n_links / n_lcores + 1);
		}
	}
}

static void
the_plan_is_told_as_json(void **state)
{
	struct fwd_conf conf = {.rxq = 1};
	struct plan p = plan_of(&conf, 2, 2);
	const struct plan_facts facts = {.n_lcores = 2, .lcore_id = {0, 1}};
	json_t *json = plan_to_json(&p, &facts, "poll");
	char *text = json_dumps(json, JSON_COMPACT);

	(void)state;
	assert_string_equal(text,
			    "{\"engine\":\"poll\",\"ports\":2,\"lcores\":2,\"links\":["
			    "{\"lcore\":0,\"rx_port\":0,\"rxq\":0,\"tx_port\":1,\"txq\":0},"
			    "{\"lcore\":1,\"rx_port\":1,\"rxq\":0,\"tx_port\":0,\"txq\":0}]}");
	free(text);
	json_decref(json);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(neighbours_pair_up),
		cmocka_unit_test(an_odd_port_sends_to_itself),
		cmocka_unit_test(the_mask_chooses_ports_and_neighbours_are_those_chosen),
		cmocka_unit_test(a_map_pairs_as_it_says),
		cmocka_unit_test(mistakes_in_a_map_are_named),
		cmocka_unit_test(no_port_and_too_many_ports_are_refused),
		cmocka_unit_test(one_lcore_does_it_all),
		cmocka_unit_test(ports_go_round_the_lcores),
		cmocka_unit_test(the_queues_of_one_port_spread_over_the_lcores),
		cmocka_unit_test(queues_per_lcore_fill_one_lcore_after_the_other),
		cmocka_unit_test(more_queues_than_there_is_room_for_are_refused),
		cmocka_unit_test(any_plan_is_sound),
		cmocka_unit_test(work_is_spread_evenly),
		cmocka_unit_test(the_plan_is_told_as_json),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
