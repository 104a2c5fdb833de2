/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/test_random.h"
#include "plan.h"

/* Which lcore gets which role. */

/* 'n' lcores with a CPU each, two ports, and event_sw or event_dsw as it is when made by name. */
static struct plan_facts
machine(uint16_t n, bool distributed)
{
	struct plan_facts f = {
		.n_ports = 2,
		.n_lcores = n,
		.n_cpus = n,
		.max_txq = 16,
		.distributed = distributed,
		.unordered = distributed,
		.max_event_ports = 64,
		.max_event_queues = distributed ? 16 : 255,
		.max_events = distributed ? 16384 : 4096,
	};

	for (uint16_t i = 0; i < n; i++) {
		f.lcore_id[i] = i;
		f.cpu[i] = i;
	}
	return f;
}

static struct fwd_conf
settings(void)
{
	return (struct fwd_conf){.rxq = 1, .stages = 1, .fuse = true};
}

/* The lcore whose event port is linked to a queue behind the stages: the k-th that sends, or the
 * one that has the Tx adapter of the k-th port. */
static uint16_t
sender_of(const struct plan *p, uint8_t queue)
{
	uint16_t i = 0;

	if (p->roles.adapters)
		return p->roles.adapter_lcore[queue - p->roles.n_queues];
	for (unsigned k = queue - p->roles.n_queues;; i++) {
		assert_true(i < p->n_lcores);
		if ((p->roles.role[i] & ROLE_TX) && k-- == 0)
			return i;
	}
}

/* A flow takes one way to each port, to an lcore with a transmit queue there, and no lcore that
 * sends is without flows. */
static void
assert_senders_sound(const struct plan *p, const struct plan_facts *f)
{
	const struct plan_roles *r = &p->roles;
	bool busy[PLAN_MAX_LCORES] = {false};

	if (r->n_tx == 0)
		return;
	assert_true(r->n_queues + r->n_tx <= f->max_event_queues);
	for (uint16_t e = 0; e < p->n_ports; e++)
		for (uint32_t flow = 0; flow < 256; flow++) {
			uint8_t queue = plan_tx_queue(r, e, flow);
			uint16_t i;

			assert_true(queue >= r->n_queues && queue < r->n_queues + r->n_tx);
			i = sender_of(p, queue);
			assert_true(p->txq[i][e] >= 0);
			busy[i] = true;
		}
	for (uint16_t i = 0; i < p->n_lcores; i++)
		assert_int_equal(busy[i], (r->role[i] & ROLE_TX) != 0);
}

/* Each receive queue is of one lcore that receives. */
static void
assert_links_sound(const struct plan *p)
{
	bool queue_placed[NF_MAX_PORTS][16] = {{false}};

	for (uint16_t i = 0; i < p->n_links; i++) {
		const struct plan_link *l = &p->link[i];

		assert_true(p->roles.role[l->lcore] & ROLE_RX);
		assert_false(queue_placed[l->rx_port][l->rxq]);
		queue_placed[l->rx_port][l->rxq] = true;
	}
}

/* Who sends has a transmit queue, and one at each port where all send by all; nobody else has. */
static void
assert_txqs_sound(const struct plan *p, uint16_t lcore)
{
	const struct plan_roles *r = &p->roles;
	bool sends = (r->role[lcore] & (r->n_tx > 0 ? ROLE_TX : ROLE_WORK)) != 0;
	unsigned n_his = 0;

	for (uint16_t e = 0; e < p->n_ports; e++) {
		n_his += p->txq[lcore][e] >= 0;
		if (r->n_tx == 0 || r->tx_span == r->n_tx)
			assert_int_equal(p->txq[lcore][e] >= 0, sends);
	}
	assert_int_equal(n_his > 0, sends);
}

/* Each port's Tx adapter has an event port to itself. */
static void
assert_adapters_sound(const struct plan *p, bool *port_used, unsigned *n_ports)
{
	for (uint16_t e = 0; e < p->n_ports; e++) {
		uint8_t port = p->roles.adapter_port[e];

		assert_int_equal(port != PLAN_NO_PORT, p->roles.adapters);
		if (port == PLAN_NO_PORT)
			continue;
		assert_true(port < p->roles.n_event_ports);
		assert_false(port_used[port]);
		port_used[port] = true;
		(*n_ports)++;
	}
}

/* What holds for any plan. */
static void
assert_sound(const struct plan *p, const struct fwd_conf *conf, const struct plan_facts *f)
{
	bool port_used[64] = {false};
	const struct plan_roles *r = &p->roles;
	unsigned n_sched = 0, n_tx = 0, n_work = 0, n_ports = 0;

	assert_true(p->n_lcores >= 1 && p->n_lcores <= f->n_lcores);
	for (uint16_t i = 0; i < p->n_lcores; i++) {
		const uint8_t port[] = {r->rx_port[i], r->work_port[i], r->tx_port[i]};
		uint8_t role = r->role[i];

		assert_true(role != 0);
		assert_true(p->position[i] < f->n_lcores);
		for (uint16_t k = 0; k < i; k++)
			assert_int_not_equal(p->position[i], p->position[k]);
		n_sched += (role & ROLE_SCHED) != 0;
		n_work += (role & ROLE_WORK) != 0;
		n_tx += (role & ROLE_TX) != 0;
		assert_int_equal(port[0] != PLAN_NO_PORT, (role & ROLE_RX) != 0);
		assert_int_equal(port[1] != PLAN_NO_PORT, (role & ROLE_WORK) != 0);
		assert_int_equal(port[2] != PLAN_NO_PORT, (role & ROLE_TX) && !r->adapters);
		for (unsigned k = 0; k < 3; k++) {
			if (port[k] == PLAN_NO_PORT ||
			    (k == 1 && port[1] == port[0] && !r->adapters))
				continue;
			assert_true(port[k] < r->n_event_ports);
			assert_false(port_used[port[k]]);
			port_used[port[k]] = true;
			n_ports++;
		}
		assert_txqs_sound(p, i);
	}
	assert_adapters_sound(p, port_used, &n_ports);
	assert_int_equal(n_ports, r->n_event_ports);
	assert_true(n_ports <= f->max_event_ports);
	assert_int_equal(n_sched, f->distributed ? 0 : 1);
	if (r->adapters)
		assert_true(n_tx >= 1 && r->n_tx == p->n_ports);
	else
		assert_int_equal(n_tx, r->n_tx);
	assert_senders_sound(p, f);
	assert_true(n_work >= 1);
	if (conf->sched == SCHED_ORDERED)
		assert_true(n_work == 1 || r->n_tx > 0);
	for (uint16_t e = 0; e < p->n_ports; e++)
		assert_true(p->n_txq[e] <= RTE_MAX(f->max_txq, 1));
	assert_int_equal(p->n_links, p->n_ports * conf->rxq);
	assert_links_sound(p);
	assert_true(r->threshold > 0 && r->threshold < r->events);
	assert_true(r->events <= f->max_events);
	/* Room for what ports may hold of the credits, where events under way need some. */
	if (f->distributed)
		assert_true(r->threshold + r->n_event_ports * (r->depth + 128u) <= r->events);
}

static struct plan
plan_of(const struct fwd_conf *conf, const struct plan_facts *f)
{
	struct err err = {0};
	struct plan p;

	if (plan_stages(&p, conf, f, &err) < 0)
		fail_msg("%s", err.msg);
	assert_sound(&p, conf, f);
	return p;
}

/* "0:rws 3:t", lcores by their number. */
static const char *
roles(const struct plan *p, const struct plan_facts *f)
{
	static char text[2048];

	text[0] = '\0';
	for (uint16_t i = 0; i < p->n_lcores; i++) {
		uint8_t role = p->roles.role[i];

		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%u:%s%s%s%s",
			 i > 0 ? " " : "", f->lcore_id[p->position[i]], role & ROLE_RX ? "r" : "",
			 role & ROLE_SCHED ? "s" : "", role & ROLE_WORK ? "w" : "",
			 role & ROLE_TX ? "t" : "");
	}
	return text;
}

static void
assert_roles(const struct fwd_conf *conf, const struct plan_facts *f, const char *expected)
{
	struct plan p = plan_of(conf, f);

	assert_string_equal(roles(&p, f), expected);
}

static void
a_central_scheduler_gets_an_lcore_when_there_are_three(void **state)
{
	static const struct {
		uint16_t n;
		const char *roles;
	} table[] = {
		{1, "0:rsw"},
		{2, "0:rs 1:w"},
		{3, "0:r 1:s 2:w"},
		{4, "0:r 1:s 2:w 3:w"},
		{8, "0:r 1:s 2:w 3:w 4:w 5:w 6:w 7:w"},
	};
	struct fwd_conf conf = settings();

	(void)state;
	for (size_t i = 0; i < N_ELEMS(table); i++) {
		struct plan_facts f = machine(table[i].n, false);

		assert_roles(&conf, &f, table[i].roles);
	}
}

static void
without_one_every_lcore_works(void **state)
{
	static const struct {
		uint16_t n;
		const char *roles;
	} table[] = {
		{1, "0:rw"},
		{2, "0:rw 1:rw"},
		{3, "0:rw 1:rw 2:w"},
		{4, "0:rw 1:rw 2:w 3:w"},
		{8, "0:rw 1:rw 2:w 3:w 4:w 5:w 6:w 7:w"},
	};
	struct fwd_conf conf = settings();

	(void)state;
	for (size_t i = 0; i < N_ELEMS(table); i++) {
		struct plan_facts f = machine(table[i].n, true);

		assert_roles(&conf, &f, table[i].roles);
	}
}

static void
sixty_four_lcores_have_work(void **state)
{
	struct plan_facts sw = machine(64, false), dsw = machine(64, true);
	struct fwd_conf conf = settings();
	struct plan p;

	(void)state;
	conf.rxq = 4;
	p = plan_of(&conf, &sw);
	assert_int_equal(p.n_lcores, 64);
	assert_int_equal(p.roles.n_tx, 1); /* a port has 16 transmit queues */
	assert_int_equal(p.link[0].lcore, 0);
	assert_int_equal(p.link[1].lcore, 2);
	assert_int_equal(p.link[4].lcore, 0);
	p = plan_of(&conf, &dsw);
	assert_int_equal(p.n_lcores, 63); /* the lcore that sends needs a port more */
	dsw.max_txq = 64;
	assert_int_equal(plan_of(&conf, &dsw).n_lcores, 64);
}

static void
the_example_s_masks_place_roles(void **state)
{
	struct plan_facts f = machine(4, false);
	struct fwd_conf conf = settings();
	struct plan p;

	(void)state;
	conf.rx_mask = 1, conf.tx_mask = 2, conf.sched_mask = 4, conf.worker_mask = 8;
	assert_roles(&conf, &f, "0:r 1:t 2:s 3:w");
	/* Where the worker and the sender are one, frames need no queue to it. */
	conf.tx_mask = 8;
	p = plan_of(&conf, &f);
	assert_string_equal(roles(&p, &f), "0:r 2:s 3:w");
	conf.rx_mask = conf.tx_mask = conf.sched_mask = conf.worker_mask = 1;
	assert_roles(&conf, &f, "0:rsw");
	/* Of several lcores for what only one can do, the lowest does it; several can send. */
	conf.rx_mask = 3, conf.tx_mask = 6, conf.sched_mask = 0xc, conf.worker_mask = 0xe;
	assert_roles(&conf, &f, "0:r 1:rwt 2:swt 3:w");
	/* What no mask says is laid on what is left. */
	conf.rx_mask = 1, conf.tx_mask = conf.sched_mask = conf.worker_mask = 0;
	assert_roles(&conf, &f, "0:rs 1:w 2:w 3:w");
	conf.worker_mask = 0xc, conf.rx_mask = 0;
	assert_roles(&conf, &f, "2:rsw 3:w");
	f.distributed = true;
	f.max_events = 16384;
	conf.sched_mask = 1;
	assert_roles(&conf, &f, "2:rw 3:w");
}

static void
several_lcores_send(void **state)
{
	struct plan_facts f = machine(6, false);
	struct fwd_conf conf = settings();
	struct err err;
	struct plan p;

	(void)state;
	conf.rx_mask = 1, conf.sched_mask = 2, conf.worker_mask = 0xc, conf.tx_mask = 0x30;
	/* All by each port, each its flows. */
	p = plan_of(&conf, &f);
	assert_string_equal(roles(&p, &f), "0:r 1:s 2:w 3:w 4:t 5:t");
	assert_int_equal(p.n_txq[0], 2);
	assert_int_equal(p.n_txq[1], 2);
	assert_int_not_equal(plan_tx_queue(&p.roles, 1, 6), plan_tx_queue(&p.roles, 1, 7));
	/* A port with one queue has one that sends. */
	f.max_txq = 1;
	p = plan_of(&conf, &f);
	assert_int_equal(p.n_txq[0], 1);
	assert_true(p.txq[4][0] == 0 && p.txq[5][0] < 0);
	assert_true(p.txq[4][1] < 0 && p.txq[5][1] == 0);
	assert_int_equal(plan_tx_queue(&p.roles, 1, 6), plan_tx_queue(&p.roles, 1, 7));
	conf.vector = 8;
	assert_true(plan_stages(&p, &conf, &f, &err) < 0);
	assert_string_equal(err.msg, "--tx-mask: with --vector each of 2 lcores needs a transmit "
				     "queue at each port; a port here has 1");
	conf.vector = 0;
	conf.tx_mask = 0x38;
	assert_true(plan_stages(&p, &conf, &f, &err) < 0);
	assert_string_equal(err.msg, "--tx-mask: 3 lcores are more than 2 ports with 1 transmit "
				     "queues each have work for");
	f.max_txq = 3;
	f.max_event_queues = 3;
	assert_true(plan_stages(&p, &conf, &f, &err) < 0);
	assert_string_equal(err.msg, "1 queues to stages and 3 to who sends are more than the 3 of "
				     "the event device");
}

/* A Tx adapter for each port, and an event port for each adapter; worker or not, frames pass it. */
static void
adapters_have_ports_of_their_own(void **state)
{
	struct plan_facts sw = machine(4, false), dsw = machine(1, true);
	struct fwd_conf conf = settings();
	struct err err;
	struct plan p;

	(void)state;
	conf.adapters = true;
	assert_roles(&conf, &sw, "0:rt 1:s 2:w 3:w");
	assert_int_equal(plan_of(&conf, &sw).roles.n_tx, 2);
	assert_roles(&conf, &dsw, "0:rwt");
	assert_int_equal(plan_of(&conf, &dsw).roles.n_event_ports, 4);
	conf.tx_mask = 0xc, conf.worker_mask = 2, conf.sched_mask = 1;
	p = plan_of(&conf, &sw);
	assert_string_equal(roles(&p, &sw), "0:rs 1:w 2:t 3:t");
	assert_int_equal(p.roles.adapter_lcore[0], 2);
	assert_int_equal(p.roles.adapter_lcore[1], 3);
	conf.tx_mask = 0xe;
	assert_true(plan_stages(&p, &conf, &sw, &err) < 0);
	assert_string_equal(err.msg, "--tx-mask: 3 lcores are more than the Tx adapters of 2 ports "
				     "have work for");
	/* DPDK has 32 of them, and each has the number of its lcore. */
	sw = machine(40, false);
	conf.tx_mask = 0, conf.rx_mask = 1ull << 38, conf.worker_mask = UINT64_MAX >> 26;
	assert_true(plan_stages(&p, &conf, &sw, &err) < 0);
	assert_string_equal(err.msg, "--adapters: only the first 32 lcores can receive (see "
				     "--rx-mask)");
}

/* Two lcores that share a CPU send as one. */
static void
senders_are_folded(void **state)
{
	struct plan_facts f = machine(4, false);
	struct fwd_conf conf = settings();

	(void)state;
	f.n_cpus = 3;
	f.cpu[3] = 2;
	conf.rx_mask = 1, conf.sched_mask = 1, conf.worker_mask = 2, conf.tx_mask = 0xc;
	assert_roles(&conf, &f, "0:rs 1:w 2:t");
	assert_int_equal(plan_of(&conf, &f).roles.n_tx, 1);
}

static void
masks_of_lcores_that_are_not_there_are_refused(void **state)
{
	struct plan_facts f = machine(2, false);
	struct fwd_conf conf = settings();
	struct err err;
	struct plan p;

	(void)state;
	conf.sched_mask = 0x4;
	assert_true(plan_stages(&p, &conf, &f, &err) < 0);
	assert_string_equal(err.msg, "--sched-mask: lcore 2 is not there (see -l)");
	conf.sched_mask = 0;
	conf.worker_mask = 1ull << 63;
	assert_true(plan_stages(&p, &conf, &f, &err) < 0);
	assert_string_equal(err.msg, "--worker-mask: lcore 63 is not there (see -l)");
}

/* l2fwd-event's -s: EAL lists service lcores last, whatever their number. */
static void
the_scheduler_lives_on_a_service_lcore(void **state)
{
	struct plan_facts f = machine(4, false);
	struct fwd_conf conf = settings();

	(void)state;
	f.n_service = 1;
	assert_roles(&conf, &f, "0:r 1:w 2:w 3:s");
	f.n_lcores = f.n_cpus = 2;
	assert_roles(&conf, &f, "0:rw 1:s");
	f.distributed = true;
	assert_roles(&conf, &f, "0:rw 1:rw");
}

/* Four lcores that may all run on any of 'n_cpus'. */
static struct plan_facts
floating(uint16_t n_cpus)
{
	struct plan_facts f = machine(4, false);

	for (uint16_t i = 0; i < 4; i++)
		f.cpu[i] = -1;
	f.n_cpus = n_cpus;
	return f;
}

static void
lcores_that_share_a_cpu_work_as_one(void **state)
{
	struct fwd_conf conf = settings();
	struct plan_facts f = floating(1);

	(void)state;
	assert_roles(&conf, &f, "0:rsw");
	f = floating(2);
	assert_roles(&conf, &f, "0:rs 1:w");
	assert_int_equal(plan_of(&conf, &f).roles.n_folded, 2);
	f = floating(4);
	assert_roles(&conf, &f, "0:r 1:s 2:w 3:w");
	/* Those that the user laid on CPUs. */
	f = machine(4, false);
	f.n_cpus = 2;
	f.cpu[0] = f.cpu[1] = 7;
	f.cpu[2] = f.cpu[3] = 5;
	assert_roles(&conf, &f, "0:rs 2:w");
	/* The reference's lines on two CPUs. */
	f = floating(2);
	f.n_service = 1;
	assert_roles(&conf, &f, "0:rw 1:sw");
	f.n_service = 0;
	conf.rx_mask = 1, conf.tx_mask = 2, conf.sched_mask = 4, conf.worker_mask = 8;
	assert_roles(&conf, &f, "0:rs 1:w");
	/* And as the user wants it. */
	conf.fuse = false;
	assert_roles(&conf, &f, "0:r 1:t 2:s 3:w");
	assert_true(plan_of(&conf, &f).roles.cooperative);
}

static void
frames_pass_a_queue_where_workers_cannot_send(void **state)
{
	struct plan_facts f = machine(4, false);
	struct fwd_conf conf = settings();

	(void)state;
	assert_int_equal(plan_of(&conf, &f).roles.n_tx, 0);
	f.max_txq = 1;
	assert_roles(&conf, &f, "0:rt 1:s 2:w 3:w");
	f.max_txq = 16;
	conf.sched = SCHED_ORDERED;
	assert_roles(&conf, &f, "0:rt 1:s 2:w 3:w");
	f = machine(1, false);
	assert_roles(&conf, &f, "0:rsw");
}

static void
ordered_needs_a_device_that_has_it(void **state)
{
	struct plan_facts f = machine(2, true);
	struct fwd_conf conf = settings();
	struct err err;
	struct plan p;

	(void)state;
	conf.sched = SCHED_ORDERED;
	assert_true(plan_stages(&p, &conf, &f, &err) < 0);
	assert_int_equal(err.class, ERR_USAGE);
	assert_string_equal(err.msg,
			    "--sched ordered: event_dsw has no ordered queues (event_sw has)");
}

/* Any machine, any settings: sound, or refused in a sentence. */
static void
any_plan_is_sound(void **state)
{
	(void)state;
	rng_seed("any_plan_is_sound");
	for (unsigned k = 0; k < 20000; k++) {
		struct plan_facts f = machine((uint16_t)(1 + rng_below(64)), rng_below(2));
		struct fwd_conf conf = settings();
		struct err err = {0};
		struct plan p;

		f.n_ports = (uint16_t)(1 + rng_below(4));
		f.max_txq = (uint16_t)(1 + rng_below(32));
		f.n_service = (uint16_t)(rng_below(3) == 0 && f.n_lcores > 1);
		if (rng_below(3) == 0) {
			f.n_cpus = (uint16_t)(1 + rng_below(f.n_lcores));
			for (uint16_t i = 0; i < f.n_lcores; i++)
				f.cpu[i] = rng_below(2) ? -1 : (int)rng_below(f.n_cpus);
		}
		conf.rxq = 1 + rng_below(8);
		conf.stages = 1 + rng_below(8);
		conf.fuse = rng_below(4) != 0;
		conf.adapters = rng_below(4) == 0;
		conf.cq_depth = rng_below(2) * rng_below(129);
		conf.sched = f.distributed ? SCHED_ATOMIC : (enum sched)rng_below(3);
		if (rng_below(3) == 0) {
			uint64_t all = UINT64_MAX >> (64 - f.n_lcores);

			conf.rx_mask = rng() & all;
			conf.tx_mask = rng() & rng() & all;
			conf.sched_mask = rng() & rng() & all;
			conf.worker_mask = rng() & all;
		}
		if (plan_stages(&p, &conf, &f, &err) == 0)
			assert_sound(&p, &conf, &f);
		else
			assert_true(strlen(err.msg) > 0);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_central_scheduler_gets_an_lcore_when_there_are_three),
		cmocka_unit_test(without_one_every_lcore_works),
		cmocka_unit_test(sixty_four_lcores_have_work),
		cmocka_unit_test(the_example_s_masks_place_roles),
		cmocka_unit_test(several_lcores_send),
		cmocka_unit_test(adapters_have_ports_of_their_own),
		cmocka_unit_test(senders_are_folded),
		cmocka_unit_test(masks_of_lcores_that_are_not_there_are_refused),
		cmocka_unit_test(the_scheduler_lives_on_a_service_lcore),
		cmocka_unit_test(lcores_that_share_a_cpu_work_as_one),
		cmocka_unit_test(frames_pass_a_queue_where_workers_cannot_send),
		cmocka_unit_test(ordered_needs_a_device_that_has_it),
		cmocka_unit_test(any_plan_is_sound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
