/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "pkt/flow.h"
#include "poll_rig.h"

/* DPDK's adapters under the event and the pipeline engine on one lcore, over ports made of rings:
 * they do what our own roles do, and every frame is accounted for. */

static const struct variant {
	const char *engine, *dev;
	enum sched sched;
	uint32_t stages;
} variants[] = {
	{"event", "event_sw0", SCHED_ATOMIC, 1},    {"event", "event_sw0", SCHED_ORDERED, 1},
	{"event", "event_sw0", SCHED_PARALLEL, 1},  {"event", "event_dsw0", SCHED_ATOMIC, 1},
	{"event", "event_dsw0", SCHED_PARALLEL, 1}, {"pipeline", "event_sw0", SCHED_ATOMIC, 3},
	{"pipeline", "event_dsw0", SCHED_ATOMIC, 2}};

/* Each law holds for each of them, on a forwarder of its own. */
static void
for_each_variant(void (*law)(struct poll_rig *r))
{
	for (size_t i = 0; i < N_ELEMS(variants); i++) {
		const struct variant *v = &variants[i];
		void *state = NULL;
		struct poll_rig *r;

		print_message("# %s, %s, sched %d, %u stages\n", v->engine, v->dev, (int)v->sched,
			      v->stages);
		poll_rig_init(&state);
		r = state;
		free(r->conf.engine);
		r->conf.engine = xstrdup(v->engine);
		r->conf.event_dev = xstrdup(v->dev);
		r->conf.sched = v->sched;
		r->conf.stages = v->stages;
		r->conf.adapters = true;
		law(r);
		poll_rig_fini(&state);
	}
}

static void
law_frames_go_to_the_pair_in_their_order(struct poll_rig *r)
{
	poll_rig_frames_go_to_the_pair(r);
	for (unsigned s = 0; s < r->conf.stages; s++)
		assert_int_equal(counter_get(&r->fwd.lcore[0].stage_frames[s]), 1500);
}

static void
frames_go_to_the_pair_in_their_order(void **state)
{
	(void)state;
	for_each_variant(law_frames_go_to_the_pair_in_their_order);
}

/* The adapter takes the flow from the frame's hash, which is ours. */
static void
law_flows_are_told_apart_by_our_hash(struct poll_rig *r)
{
	struct rte_mbuf *m;
	unsigned n = 0;

	poll_rig_open(r, 2048);
	poll_rig_put(r, 0, 0, 40);
	poll_rig_run(r, 20);
	while ((m = rig_take(r->port[1].out)) != NULL) {
		uint64_t hash = flow_hash(rte_pktmbuf_mtod(m, const uint8_t *), m->data_len);

		assert_true(m->ol_flags & RTE_MBUF_F_RX_RSS_HASH);
		assert_int_equal(m->hash.rss, hash >> 12);
		rte_pktmbuf_free(m);
		n++;
	}
	assert_int_equal(n, 40);
}

static void
flows_are_told_apart_by_our_hash(void **state)
{
	(void)state;
	for_each_variant(law_flows_are_told_apart_by_our_hash);
}

static uint8_t
by_turns(uint32_t seq)
{
	static const uint8_t verdicts[] = {NF_PORT(0), NF_FORWARD, NF_PORT(2), NF_PORT(9)};

	return verdicts[seq % 4];
}

static void
law_a_verdict_goes_with_its_frame(struct poll_rig *r)
{
	struct poll_frame f[200];

	poll_rig_open_deciding(r, 2048, by_turns);
	poll_rig_put(r, 0, 0, 400);
	poll_rig_run(r, 20);
	assert_int_equal(poll_rig_totals(r).tx_all, 300);
	assert_int_equal(poll_rig_drops(r, "no_port"), 100);
	assert_int_equal(poll_rig_totals(r).drop_all, 100);
	for (unsigned port = 0; port < 3; port++) {
		static const uint32_t first[] = {0, 1, 2};

		assert_int_equal(poll_rig_take(r, port, f, 200), 100);
		for (unsigned i = 0; i < 100; i++)
			assert_int_equal(f[i].seq, 4 * i + first[port]);
	}
}

static void
a_verdict_goes_with_its_frame(void **state)
{
	(void)state;
	for_each_variant(law_a_verdict_goes_with_its_frame);
}

/* The Tx adapter has no patience, and its drops have a name. */
static void
law_what_finds_no_room_is_dropped_by_name(struct poll_rig *r)
{
	struct fwd_totals t;

	poll_rig_open(r, 40);
	poll_rig_put(r, 0, 0, 900);
	poll_rig_run(r, 100);
	t = poll_rig_totals(r);
	assert_int_equal(t.rx[0], 900);
	assert_int_equal(t.tx[1], 40);
	assert_int_equal(poll_rig_drops(r, "tx_adapter"), 860);
	assert_int_equal(t.drop_all, 860);
	assert_int_equal(t.in_flight, 0);
	poll_rig_assert_sent(r, 1, 0, 40);
}

static void
what_finds_no_room_is_dropped_by_name(void **state)
{
	(void)state;
	for_each_variant(law_what_finds_no_room_is_dropped_by_name);
}

/* No patience at all, again and again, with frames in adapters and device: all have left or are
 * counted as dropped. */
static void
law_a_stop_without_patience_accounts_for_all(struct poll_rig *r)
{
	r->conf.drain_ns = 0;
	poll_rig_open(r, 2048);
	for (unsigned round = 0; round < 30; round++) {
		struct fwd_totals t;

		rig_discard(r->port[1].out, UINT32_MAX);
		rig_discard(r->port[0].in, UINT32_MAX);
		poll_rig_put(r, 0, round * 1000, 700);
		poll_rig_run(r, 1 + round % 4);
		t = poll_rig_totals(r);
		assert_int_equal(t.in_flight, 0);
		assert_int_equal(t.tx_all + t.drop[REASON_DRAIN], t.rx_all);
		assert_true(t.rx_all > 0);
	}
}

static void
a_stop_without_patience_accounts_for_all(void **state)
{
	(void)state;
	for_each_variant(law_a_stop_without_patience_accounts_for_all);
}

/* An adapter takes whole bursts, so that a few more may come. */
static void
law_it_ends_after_so_many_frames(struct poll_rig *r)
{
	r->conf.packets = 333;
	poll_rig_open(r, 2048);
	poll_rig_put(r, 0, 0, 2000);
	poll_rig_run(r, UINT32_MAX);
	assert_true(poll_rig_totals(r).rx_all >= 333);
	assert_true(poll_rig_totals(r).rx_all < 2000);
	poll_rig_assert_sent(r, 1, 0, (unsigned)poll_rig_totals(r).rx_all);
}

static void
it_ends_after_so_many_frames(void **state)
{
	(void)state;
	for_each_variant(law_it_ends_after_so_many_frames);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frames_go_to_the_pair_in_their_order),
		cmocka_unit_test(flows_are_told_apart_by_our_hash),
		cmocka_unit_test(a_verdict_goes_with_its_frame),
		cmocka_unit_test(what_finds_no_room_is_dropped_by_name),
		cmocka_unit_test(a_stop_without_patience_accounts_for_all),
		cmocka_unit_test(it_ends_after_so_many_frames),
	};

	return cmocka_run_group_tests(tests, rig_start, rig_stop);
}
