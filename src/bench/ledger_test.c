/* SPDX-License-Identifier: MIT */
#include "ledger.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/test_random.h"

#define N_SENT 1000
#define CLEAN "every frame accounted for, none lost"

/* ---- a chain in which each frame is walked through by hand ---- */

enum fate {
	FATE_NONE,
	FATE_LINK,	/* vanishes on a link */
	FATE_MISS,	/* no descriptor at the port behind the link */
	FATE_DROP,	/* dropped by the hop (foreign: swallowed) */
	FATE_HELD,	/* still inside the hop after the drain */
	FATE_COPY,	/* duplicated by the hop */
	FATE_DAMAGE,	/* beyond recognition */
	FATE_FORGOTTEN, /* the hop loses it and does not count it: a bug */
};

/* What happens to one frame: 'fate' at the 'at'-th link or hop it comes to. */
struct plan {
	enum fate fate;
	unsigned at;
};

struct sim {
	struct ledger l;
	unsigned way;		 /* 0 forward, 1 backward */
	uint8_t seen[2][N_SENT]; /* by direction */
	uint64_t duplicates;
	uint64_t lost, dropped, missed, held, copied; /* the truth */
};

static void
sim_init(struct sim *sim, size_t n_hops)
{
	memset(sim, 0, sizeof(*sim));
	sim->l.n_hops = n_hops;
	for (size_t i = 0; i < n_hops; i++) {
		struct ledger_hop *hop = &sim->l.hop[i];

		snprintf(hop->name, sizeof(hop->name), "vnf%zu", i + 1);
		hop->known = true;
		hop->exact = true;
	}
}

/* The port that link 'at' of the walk leads to: the n-th from the sender's side. */
static struct ledger_port *
port_behind(struct sim *sim, unsigned at)
{
	size_t n = sim->l.n_hops;

	if (at == n)
		return &sim->l.gen[sim->way == 0 ? 1 : 0];
	return sim->way == 0 ? &sim->l.hop[at].port[0] : &sim->l.hop[n - 1 - at].port[1];
}

static struct ledger_hop *
hop_behind(struct sim *sim, unsigned at)
{
	return &sim->l.hop[sim->way == 0 ? at : sim->l.n_hops - 1 - at];
}

static void
arrive(struct sim *sim, long seq, bool damaged)
{
	if (seq < 0)
		return; /* none of ours: not counted by the generator */
	port_behind(sim, (unsigned)sim->l.n_hops)->rx++;
	if (damaged)
		sim->l.unidentified++;
	else if (sim->seen[sim->way][seq]++)
		sim->duplicates++;
}

/* From the beginning of link 'at' to the end; 'seq' is negative for a frame that is not ours. */
static void
walk(struct sim *sim, unsigned at, long seq, bool damaged, struct plan plan)
{
	enum fate fate = plan.at == at ? plan.fate : FATE_NONE;
	struct ledger_port *in = port_behind(sim, at);
	struct ledger_hop *hop;

	damaged |= fate == FATE_DAMAGE;
	if (fate == FATE_LINK) {
		sim->lost++;
		return;
	}
	if (fate == FATE_MISS) {
		in->miss++;
		sim->missed++;
		return;
	}
	if (at == sim->l.n_hops) {
		arrive(sim, seq, damaged);
		return;
	}
	hop = hop_behind(sim, at);
	in->rx++;
	if (fate == FATE_DROP) {
		sim->dropped++;
		if (hop->exact)
			ledger_drop(hop, "tx_full", 1);
		return;
	}
	if (fate == FATE_HELD && hop->exact) {
		sim->held++;
		hop->in_flight++;
		return;
	}
	if (fate == FATE_FORGOTTEN)
		return;
	if (fate == FATE_COPY) {
		sim->copied++;
		hop->created += hop->exact;
		hop->port[in == &hop->port[0]].tx++;
		walk(sim, at + 1, seq, damaged, (struct plan){0});
	}
	hop->port[in == &hop->port[0]].tx++;
	walk(sim, at + 1, seq, damaged, plan);
}

static void
send_one(struct sim *sim, unsigned way, long seq, struct plan plan)
{
	sim->way = way;
	sim->l.gen[way].tx++;
	walk(sim, 0, seq, false, plan);
}

/* All other frames arrive; the ledger is closed. */
static void
finish(struct sim *sim, const uint8_t walked[2][N_SENT])
{
	for (unsigned way = 0; way < 2; way++)
		for (long seq = 0; seq < N_SENT; seq++) {
			if (!walked[way][seq])
				send_one(sim, way, seq, (struct plan){0});
			sim->l.never_seen += !sim->seen[way][seq];
		}
	ledger_close(&sim->l, sim->duplicates);
}

/* A chain of 'n' hops where one frame has the fate 'plan'. */
static void
sim_one(struct sim *sim, unsigned way, struct plan plan)
{
	uint8_t walked[2][N_SENT] = {{0}};

	walked[way][77] = 1;
	send_one(sim, way, 77, plan);
	finish(sim, walked);
}

static void
assert_explained(const struct ledger *l, const char *expected)
{
	char buf[512];

	assert_string_equal(ledger_explain(buf, sizeof(buf), l), expected);
}

/* ---- single faults ---- */

static void
nothing_lost_is_said_so(void **state)
{
	(void)state;
	for (size_t n = 0; n <= LEDGER_MAX_HOPS; n++) {
		struct sim sim;

		sim_init(&sim, n);
		sim_one(&sim, 0, (struct plan){0});
		assert_true(sim.l.balanced);
		assert_int_equal(sim.l.sent, 2 * N_SENT);
		assert_int_equal(sim.l.received, 2 * N_SENT);
		assert_int_equal(sim.l.lost, 0);
		assert_explained(&sim.l, CLEAN);
	}
}

/* What the explanation of one fault at the 'at'-th place of the way is. */
static char *
expected_text(char *buf, size_t size, enum fate fate, unsigned way, size_t n, unsigned at)
{
	size_t hop = way == 0 ? at + 1 : n - at; /* the name's number */
	size_t link = way == 0 ? at : n - at;

	if (fate == FATE_LINK)
		snprintf(buf, size, "link %zu lost 1%s", link, way ? " on the way back" : "");
	else if (fate == FATE_MISS && at == n)
		snprintf(buf, size, "generator missed 1 at port %u", way == 0 ? 1 : 0);
	else if (fate == FATE_MISS)
		snprintf(buf, size, "vnf%zu missed 1 at port %u", hop, way);
	else if (fate == FATE_DROP)
		snprintf(buf, size, "vnf%zu dropped 1 (tx_full)", hop);
	else if (fate == FATE_HELD)
		snprintf(buf, size, "vnf%zu still holds 1", hop);
	else if (fate == FATE_FORGOTTEN)
		snprintf(buf, size, "vnf%zu does not account for 1", hop);
	else
		snprintf(buf, size, CLEAN);
	return buf;
}

static void
assert_single_fault(enum fate fate, unsigned way, size_t n, unsigned at)
{
	struct sim sim;
	char text[128];

	sim_init(&sim, n);
	sim_one(&sim, way, (struct plan){fate, at});
	assert_explained(&sim.l, expected_text(text, sizeof(text), fate, way, n, at));
	assert_int_equal(sim.l.balanced, fate != FATE_FORGOTTEN);
	assert_int_equal(ledger_contradicts(&sim.l), fate == FATE_FORGOTTEN);
	assert_true(sim.l.lost_known);
	assert_int_equal(sim.l.lost, fate == FATE_LINK);
	assert_int_equal(sim.l.miss, fate == FATE_MISS);
	assert_int_equal(sim.l.drops, fate == FATE_DROP);
	assert_int_equal(sim.l.in_flight, fate == FATE_HELD);
	assert_int_equal(sim.l.created, fate == FATE_COPY);
	assert_int_equal(sim.l.residual, fate == FATE_FORGOTTEN);
}

static void
single_faults_are_named(void **state)
{
	(void)state;
	for (unsigned way = 0; way < 2; way++)
		for (size_t n = 1; n <= LEDGER_MAX_HOPS; n++)
			for (unsigned at = 0; at <= n; at++)
				for (int fate = FATE_NONE; fate <= FATE_FORGOTTEN; fate++) {
					/* The generator's port is no hop. */
					if (at == n && fate >= FATE_DROP && fate != FATE_DAMAGE)
						continue;
					assert_single_fault((enum fate)fate, way, n, at);
				}
}

static void
a_foreign_hop_swallows(void **state)
{
	(void)state;
	for (unsigned at = 0; at < 4; at++) {
		struct sim sim;
		char text[64];

		sim_init(&sim, 4);
		sim.l.hop[at].exact = false;
		sim_one(&sim, 0, (struct plan){FATE_DROP, at});
		snprintf(text, sizeof(text), "vnf%u swallowed 1", at + 1);
		assert_explained(&sim.l, text);
		assert_int_equal(sim.l.inside, 1);
		assert_int_equal(sim.l.drops, 1);
		assert_true(sim.l.balanced);

		snprintf(text, sizeof(text), "vnf%u sent 1 more than it received", 4 - at);
		sim_init(&sim, 4);
		sim.l.hop[3 - at].exact = false;
		sim_one(&sim, 1, (struct plan){FATE_COPY, at});
		assert_explained(&sim.l, text);
		assert_int_equal(sim.l.inside, -1);
		assert_int_equal(sim.l.created, 1);
		assert_int_equal(sim.l.drops, 0);
		assert_true(sim.l.balanced);
	}
}

static void
an_unknown_hop_makes_lost_unknown(void **state)
{
	struct sim sim;

	(void)state;
	/* A loss somewhere around vnf2, whose counters cannot be read: told as far as it goes,
	 * and no contradiction. */
	sim_init(&sim, 3);
	sim.l.hop[1].known = false;
	sim_one(&sim, 0, (struct plan){FATE_LINK, 1});
	assert_false(sim.l.lost_known);
	assert_false(sim.l.link[1].known);
	assert_false(sim.l.link[2].known);
	assert_true(sim.l.link[0].known);
	assert_int_equal(sim.l.unexplained, 1);
	assert_int_equal(sim.l.disagreement, 0);
	assert_false(sim.l.balanced);
	assert_false(ledger_contradicts(&sim.l));
	assert_explained(&sim.l, "1 lost where no counter can be read (vnf2)");
	/* A loss elsewhere is told exactly all the same. */
	sim_init(&sim, 3);
	sim.l.hop[1].known = false;
	sim_one(&sim, 0, (struct plan){FATE_DROP, 0});
	assert_int_equal(sim.l.unexplained, 0);
	assert_true(sim.l.balanced);
	assert_explained(&sim.l, "vnf1 dropped 1 (tx_full)");
	/* A duplicate out of nowhere is more than nothing can explain. */
	sim_init(&sim, 3);
	sim.l.hop[1].known = false;
	sim_one(&sim, 0, (struct plan){FATE_COPY, 1});
	assert_int_equal(sim.l.unexplained, -1);
	assert_true(ledger_contradicts(&sim.l));
	assert_explained(&sim.l, "1 made where no counter can be read (vnf2)");
}

static void
without_signatures_nothing_is_compared(void **state)
{
	struct sim sim;

	(void)state;
	sim_init(&sim, 2);
	sim.l.seq_unknown = true;
	sim_one(&sim, 0, (struct plan){FATE_DROP, 1});
	sim.l.never_seen = 0;
	ledger_close(&sim.l, 0);
	assert_true(sim.l.balanced);
	assert_int_equal(sim.l.disagreement, 0);
	assert_explained(&sim.l, "vnf2 dropped 1 (tx_full)");
}

static void
opposite_errors_do_not_cancel(void **state)
{
	struct sim sim;

	(void)state;
	sim_init(&sim, 3);
	sim_one(&sim, 0, (struct plan){0});
	sim.l.hop[0].in_flight += 3;
	sim.l.hop[2].created += 3;
	ledger_close(&sim.l, 0);
	assert_int_equal(sim.l.residual, 0);
	assert_false(sim.l.balanced);
	assert_explained(&sim.l, "vnf1 accounts for 3 more than it received; "
				 "vnf3 does not account for 3; vnf1 still holds 3");
}

static void
strangers_cancel(void **state)
{
	struct sim sim;

	(void)state;
	/* An ARP of vnf1's kernel neighbour: in at link 1, through vnf2, to the generator. */
	sim_init(&sim, 2);
	sim.way = 0;
	walk(&sim, 1, -1, false, (struct plan){0});
	/* Another one that vnf2 drops. */
	walk(&sim, 1, -1, false, (struct plan){FATE_DROP, 1});
	sim_one(&sim, 0, (struct plan){0});
	assert_true(sim.l.balanced);
	assert_int_equal(sim.l.drops, 1);
	assert_int_equal(sim.l.lost, -1);
	assert_explained(&sim.l, "link 1 delivered 2 more than were put in; "
				 "vnf2 dropped 1 (tx_full); link 2 lost 1");
}

/* ---- properties ---- */

static void
random_traffic(struct sim *sim)
{
	uint8_t walked[2][N_SENT];

	memset(walked, 1, sizeof(walked));
	for (unsigned way = 0; way < 2; way++)
		for (long seq = 0; seq < N_SENT; seq++) {
			struct plan plan = {(enum fate)rng_below(FATE_DAMAGE + 1),
					    rng_below((unsigned)sim->l.n_hops * 2 + 2)};

			send_one(sim, way, seq, plan);
		}
	finish(sim, walked);
}

static void
any_mix_of_faults_is_conserved(void **state)
{
	(void)state;
	rng_seed(__func__);
	for (unsigned run = 0; run < 200; run++) {
		struct sim sim;
		struct ledger *l = &sim.l;

		sim_init(&sim, rng_below(LEDGER_MAX_HOPS + 1));
		for (size_t i = 0; i < l->n_hops; i++)
			l->hop[i].exact = rng_below(4) > 0;
		random_traffic(&sim);
		assert_true(l->lost_known);
		assert_true(l->balanced);
		assert_int_equal(l->lost, sim.lost);
		assert_int_equal(l->miss, sim.missed);
		assert_int_equal(l->in_flight, sim.held);
		/* Foreign hops show only the sum of what they swallowed and made. */
		assert_int_equal(l->drops - l->created, sim.dropped - sim.copied);
		assert_int_equal(l->sent + l->created, l->received + l->drops + l->miss +
							       l->in_flight + (uint64_t)l->lost);
	}
}

static void
unknown_hops_never_make_a_contradiction(void **state)
{
	(void)state;
	rng_seed(__func__);
	for (unsigned run = 0; run < 100; run++) {
		struct sim sim;
		int64_t gone;

		sim_init(&sim, 1 + rng_below(LEDGER_MAX_HOPS));
		sim.l.hop[rng_below((unsigned)sim.l.n_hops)].known = false;
		random_traffic(&sim);
		assert_false(sim.l.lost_known);
		assert_int_equal(sim.l.residual, 0);
		assert_int_equal(sim.l.disagreement, 0);
		gone = (int64_t)(sim.l.drops + sim.l.miss + sim.l.in_flight - sim.l.created) +
		       sim.l.lost + sim.l.unexplained;
		assert_int_equal(gone, (int64_t)(sim.l.sent - sim.l.received));
	}
}

static void
every_wrong_counter_is_noticed(void **state)
{
	(void)state;
	rng_seed(__func__);
	for (unsigned run = 0; run < 200; run++) {
		struct sim sim;
		struct ledger_hop *hop;
		uint64_t *counter[10];

		sim_init(&sim, 1 + rng_below(LEDGER_MAX_HOPS));
		random_traffic(&sim);
		hop = &sim.l.hop[rng_below((unsigned)sim.l.n_hops)];
		ledger_drop(hop, "acl", 0);
		counter[0] = &sim.l.gen[rng_below(2)].tx;
		counter[1] = &sim.l.gen[rng_below(2)].rx;
		counter[2] = &sim.l.never_seen;
		counter[3] = &sim.l.unidentified;
		counter[4] = &sim.duplicates;
		counter[5] = &hop->port[rng_below(2)].rx;
		counter[6] = &hop->port[rng_below(2)].tx;
		counter[7] = &hop->created;
		counter[8] = &hop->in_flight;
		counter[9] = &hop->drop[rng_below((unsigned)hop->n_drops)].n;
		*counter[rng_below(10)] += 1 + rng_below(5);
		ledger_close(&sim.l, sim.duplicates);
		assert_false(sim.l.balanced);
		assert_true(ledger_contradicts(&sim.l));
	}
}

/* ---- reasons, text ---- */

static void
reasons_add_up_and_none_is_lost(void **state)
{
	struct ledger_hop hop = {.known = true, .exact = true};
	uint64_t sum = 0;

	(void)state;
	ledger_drop(&hop, "acl", 5);
	ledger_drop(&hop, "tx_full", 1);
	ledger_drop(&hop, "acl", 2);
	assert_int_equal(hop.n_drops, 2);
	assert_int_equal(hop.drop[0].n, 7);
	ledger_drop(&hop, "a reason whose name is much too long for its field", 1);
	ledger_drop(&hop, "a reason whose name is much too long for its field", 1);
	assert_int_equal(hop.n_drops, 3);
	assert_int_equal(hop.drop[2].n, 2);
	sum = ledger_hop_drops(&hop);
	for (unsigned i = 0; i < 40; i++) {
		char name[16];

		snprintf(name, sizeof(name), "r%u", i);
		ledger_drop(&hop, name, 10);
		sum += 10;
	}
	assert_int_equal(hop.n_drops, LEDGER_MAX_REASONS);
	assert_string_equal(hop.drop[LEDGER_MAX_REASONS - 1].name, "other");
	assert_int_equal(ledger_hop_drops(&hop), sum);
}

static void
several_findings_are_one_sentence(void **state)
{
	struct sim sim;
	char buf[24];

	(void)state;
	sim_init(&sim, 2);
	for (unsigned i = 0; i < 3; i++)
		send_one(&sim, 0, i, (struct plan){FATE_LINK, 2});
	for (unsigned i = 3; i < 6; i++)
		send_one(&sim, 0, i, (struct plan){FATE_DROP, 0});
	sim_one(&sim, 0, (struct plan){FATE_DROP, 0});
	sim.l.hop[0].drop[0].n -= 1;
	ledger_drop(&sim.l.hop[0], "acl", 1);
	ledger_drop(&sim.l.hop[0], "never", 0);
	sim.l.never_seen++;
	ledger_close(&sim.l, sim.duplicates);
	assert_explained(&sim.l, "counters tell of 5 gone that the receiver does not miss; "
				 "vnf1 dropped 4 (tx_full 3, acl 1); link 2 lost 3");
	/* A short buffer holds the beginning. */
	assert_string_equal(ledger_explain(buf, sizeof(buf), &sim.l), "counters tell of 5 gone");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_lost_is_said_so),
		cmocka_unit_test(single_faults_are_named),
		cmocka_unit_test(a_foreign_hop_swallows),
		cmocka_unit_test(an_unknown_hop_makes_lost_unknown),
		cmocka_unit_test(without_signatures_nothing_is_compared),
		cmocka_unit_test(opposite_errors_do_not_cancel),
		cmocka_unit_test(strangers_cancel),
		cmocka_unit_test(any_mix_of_faults_is_conserved),
		cmocka_unit_test(unknown_hops_never_make_a_contradiction),
		cmocka_unit_test(every_wrong_counter_is_noticed),
		cmocka_unit_test(reasons_add_up_and_none_is_lost),
		cmocka_unit_test(several_findings_are_one_sentence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
