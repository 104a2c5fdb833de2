/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <rte_ethdev.h>

#include "base/mem.h"
#include "poll_rig.h"

/* The event and the pipeline engine on one lcore, over ports made of rings: what they do with every
 * frame, whatever the event device, the order of service, vectors and stages. */

static const struct variant {
	const char *engine, *dev;
	enum sched sched;
	uint32_t stages, vector;
	bool fused;
} variants[] = {
	{"event", "event_sw0", SCHED_ATOMIC, 1, 0, false},
	{"event", "event_sw0", SCHED_ORDERED, 1, 0, false},
	{"event", "event_sw0", SCHED_PARALLEL, 1, 0, false},
	{"event", "event_dsw0", SCHED_ATOMIC, 1, 0, false},
	{"event", "event_dsw0", SCHED_PARALLEL, 1, 0, false},
	{"event", "event_sw0", SCHED_ATOMIC, 1, 16, false},
	{"event", "event_dsw0", SCHED_ATOMIC, 1, 64, false},
	{"pipeline", "event_sw0", SCHED_ATOMIC, 3, 0, false},
	{"pipeline", "event_sw0", SCHED_ORDERED, 8, 0, false},
	{"pipeline", "event_dsw0", SCHED_ATOMIC, 3, 0, false},
	{"pipeline", "event_sw0", SCHED_ATOMIC, 3, 7, false},
	{"pipeline", "event_dsw0", SCHED_ATOMIC, 2, 1, false},
	{"pipeline", "event_sw0", SCHED_ATOMIC, 3, 0, true},
	{"pipeline", "event_sw0", SCHED_ORDERED, 8, 0, true},
	{"pipeline", "event_dsw0", SCHED_ATOMIC, 4, 16, true},
};

/* Each law holds for each of them, on a forwarder of its own. */
static void
for_each_variant(void (*law)(struct poll_rig *r))
{
	for (size_t i = 0; i < N_ELEMS(variants); i++) {
		const struct variant *v = &variants[i];
		void *state = NULL;
		struct poll_rig *r;

		print_message("# %s, %s, sched %d, %u stages%s, vectors of %u\n", v->engine, v->dev,
			      (int)v->sched, v->stages, v->fused ? " at once" : "", v->vector);
		poll_rig_init(&state);
		r = state;
		free(r->conf.engine);
		r->conf.engine = xstrdup(v->engine);
		r->conf.event_dev = xstrdup(v->dev);
		r->conf.sched = v->sched;
		r->conf.stages = v->stages;
		r->conf.vector = v->vector;
		r->conf.fuse_stages = v->fused;
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

/* One frame leaves in the round in which it came: nothing waits for company. */
static void
law_a_single_frame_leaves_at_once(struct poll_rig *r)
{
	r->conf.drain_ns = 0;
	poll_rig_open(r, 64);
	poll_rig_put(r, 0, 7, 1);
	poll_rig_run(r, 1);
	assert_int_equal(poll_rig_totals(r).tx[1], 1);
	poll_rig_assert_sent(r, 1, 7, 1);
}

static void
a_single_frame_leaves_at_once(void **state)
{
	(void)state;
	for_each_variant(law_a_single_frame_leaves_at_once);
}

static void
law_foreign_frames_are_dropped_and_counted(struct poll_rig *r)
{
	static const uint8_t foreign[6] = {0x02, 0, 0, 0, 0x77, 1};
	struct poll_frame f[300];
	uint8_t own[6];

	poll_rig_open(r, 2048);
	poll_rig_addr(0, own);
	for (uint32_t i = 0; i < 300; i++)
		poll_rig_put_to(r, 0, i % 3 == 1 ? foreign : own, i);
	poll_rig_run(r, 20);
	assert_int_equal(poll_rig_totals(r).tx[1], 200);
	assert_int_equal(poll_rig_drops(r, "l2fwd.foreign"), 100);
	assert_int_equal(poll_rig_totals(r).drop_all, 100);
	assert_int_equal(poll_rig_take(r, 1, f, 300), 200);
	for (unsigned i = 0; i < 200; i++)
		assert_int_equal(f[i].seq, i / 2 * 3 + i % 2 * 2);
}

static void
foreign_frames_are_dropped_and_counted(void **state)
{
	(void)state;
	for_each_variant(law_foreign_frames_are_dropped_and_counted);
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
	for (unsigned port = 0; port < 3; port++) {
		assert_int_equal(poll_rig_take(r, port, f, 200), 100);
		for (unsigned i = 0; i < 100; i++)
			assert_int_equal(f[i].seq, 4 * i + port);
	}
}

static void
a_verdict_goes_with_its_frame(void **state)
{
	(void)state;
	for_each_variant(law_a_verdict_goes_with_its_frame);
}

static uint32_t dropped_seq;

static uint8_t
all_but_one(uint32_t seq)
{
	return (uint8_t)(seq == dropped_seq ? NF_DROP(0) : NF_FORWARD);
}

/* A drop at any place of a burst: the others keep their order, and events their sequence. */
static void
law_a_drop_leaves_the_others_in_order(struct poll_rig *r)
{
	poll_rig_open_deciding(r, 2048, all_but_one);
	/* The function that decides has a reason to drop, which the one it replaces had not. */
	strcpy(r->fwd.reason[r->fwd.n_reasons++], "decide.no");
	for (uint32_t at = 0; at < 40; at++) {
		uint64_t drops = poll_rig_totals(r).drop_all;
		struct poll_frame f;

		dropped_seq = at;
		poll_rig_put(r, 0, 0, 40);
		poll_rig_run(r, 1);
		assert_int_equal(poll_rig_totals(r).drop_all, drops + 1);
		assert_int_equal(poll_rig_totals(r).in_flight, 0);
		for (uint32_t seq = 0; seq < 40; seq++) {
			if (seq == at)
				continue;
			assert_int_equal(poll_rig_take(r, 1, &f, 1), 1);
			assert_int_equal(f.seq, seq);
		}
		assert_int_equal(rte_ring_count(r->port[1].out), 0);
	}
}

static void
a_drop_leaves_the_others_in_order(void **state)
{
	(void)state;
	for_each_variant(law_a_drop_leaves_the_others_in_order);
}

static uint32_t next_out; /* sequence that must come out next */

/* Takes three frames from the egress, and checks the books. */
static void
take_three(struct poll_rig *r)
{
	struct poll_frame f[3];
	struct fwd_totals t;
	unsigned n;

	fwd_totals(&r->fwd, &t);
	assert_true(t.rx_all + t.created >= t.tx_all + t.drop_all);
	assert_int_equal(t.tx[1], next_out + rte_ring_count(r->port[1].out));
	assert_int_equal(t.rx[0] + rte_ring_count(r->port[0].in), 900);
	n = poll_rig_take(r, 1, f, 3);
	for (unsigned i = 0; i < n; i++)
		assert_int_equal(f[i].seq, next_out++);
	if (next_out == 900)
		fwd_set_state(&r->fwd, FWD_STOP);
}

/* With frames held back nothing is received, so that attempts to send are all that can be seen. */
static uint16_t
before_sending(uint16_t port, uint16_t queue, struct rte_mbuf **frames, uint16_t n, void *arg)
{
	(void)port, (void)queue, (void)frames;
	take_three(arg);
	return n;
}

static void
law_with_hold_nothing_is_lost_and_nothing_overtakes(struct poll_rig *r)
{
	const struct rte_eth_rxtx_callback *on_sending;
	struct fwd_totals t;

	r->conf.hold_ns = 5000000000ull;
	poll_rig_open(r, 8);
	next_out = 0;
	r->tick = take_three;
	on_sending = rte_eth_add_tx_callback(1, 0, before_sending, r);
	assert_non_null(on_sending);
	poll_rig_put(r, 0, 0, 900);
	poll_rig_run(r, UINT32_MAX);
	rte_eth_remove_tx_callback(1, 0, on_sending);
	t = poll_rig_totals(r);
	assert_int_equal(next_out, 900);
	assert_int_equal(t.tx[1], 900);
	assert_int_equal(t.drop_all, 0);
	assert_int_equal(t.in_flight, 0);
	assert_true(t.held_tsc[1] > 0);
}

static void
with_hold_nothing_is_lost_and_nothing_overtakes(void **state)
{
	(void)state;
	for_each_variant(law_with_hold_nothing_is_lost_and_nothing_overtakes);
}

static void
law_with_drop_what_finds_no_room_is_dropped(struct poll_rig *r)
{
	struct fwd_totals t;

	r->conf.on_full = ON_FULL_DROP;
	poll_rig_open(r, 40);
	poll_rig_put(r, 0, 0, 900);
	poll_rig_run(r, 50);
	t = poll_rig_totals(r);
	assert_int_equal(t.rx[0], 900);
	assert_int_equal(t.tx[1], 40);
	assert_int_equal(t.drop[REASON_TX_FULL], 860);
	assert_int_equal(t.in_flight, 0);
	poll_rig_assert_sent(r, 1, 0, 40);
}

static void
with_drop_what_finds_no_room_is_dropped(void **state)
{
	(void)state;
	for_each_variant(law_with_drop_what_finds_no_room_is_dropped);
}

static unsigned attempts;

static uint16_t
stop_after_fifty(uint16_t port, uint16_t queue, struct rte_mbuf **frames, uint16_t n, void *arg)
{
	struct poll_rig *r = arg;

	(void)port, (void)queue, (void)frames;
	if (++attempts == 50)
		fwd_set_state(&r->fwd, FWD_STOP);
	return n;
}

/* Nobody takes what is sent, and patience ends with frames in hand, in the device and in vectors:
 * all are dropped and counted.  What comes afterwards passes as if nothing had been. */
static void
law_what_cannot_leave_at_the_end_is_counted(struct poll_rig *r)
{
	const struct rte_eth_rxtx_callback *on_sending;
	struct fwd_totals t;

	r->conf.hold_ns = 5000000000ull;
	r->conf.drain_ns = 1000000;
	poll_rig_open(r, 40);
	attempts = 0;
	on_sending = rte_eth_add_tx_callback(1, 0, stop_after_fifty, r);
	assert_non_null(on_sending);
	poll_rig_put(r, 0, 0, 2000);
	poll_rig_run(r, UINT32_MAX);
	rte_eth_remove_tx_callback(1, 0, on_sending);
	t = poll_rig_totals(r);
	assert_int_equal(t.tx[1], 40);
	assert_true(t.rx[0] > 40);
	assert_int_equal(t.drop[REASON_DRAIN], t.rx[0] - 40);
	assert_int_equal(t.drop_all, t.rx[0] - 40);
	assert_int_equal(t.in_flight, 0);
	rig_discard(r->port[0].in, UINT32_MAX);
	for (unsigned round = 0; round < 100; round++) {
		rig_discard(r->port[1].out, UINT32_MAX);
		poll_rig_put(r, 0, 0, 40);
		poll_rig_run(r, 3);
	}
	assert_int_equal(poll_rig_totals(r).tx[1], 40 + 100 * 40);
	assert_int_equal(poll_rig_totals(r).in_flight, 0);
}

static void
what_cannot_leave_at_the_end_is_counted(void **state)
{
	(void)state;
	for_each_variant(law_what_cannot_leave_at_the_end_is_counted);
}

static void
arm(struct poll_rig *r, enum fault_kind kind, uint32_t count, uint32_t distance)
{
	struct fault *f = &fwd_fault_lcore(&r->fwd)->fault;

	f->kind = kind;
	f->left = count;
	f->wait = 0;
	f->spacing = 10;
	f->distance = distance;
	atomic_store(&f->armed, 1);
}

static void
law_faults_are_counted(struct poll_rig *r)
{
	struct fwd_totals t;
	struct poll_frame f[2];

	poll_rig_open(r, 2048);
	arm(r, FAULT_DUPLICATE, 5, 0);
	poll_rig_put(r, 0, 0, 200);
	poll_rig_run(r, 20);
	t = poll_rig_totals(r);
	assert_int_equal(t.created, 5);
	assert_int_equal(t.tx[1], 205);
	rig_discard(r->port[1].out, UINT32_MAX);
	arm(r, FAULT_DROP, 5, 0);
	poll_rig_put(r, 0, 0, 200);
	poll_rig_run(r, 20);
	assert_int_equal(poll_rig_totals(r).drop[REASON_FAULT], 5);
	rig_discard(r->port[1].out, UINT32_MAX);
	/* Kept until no frame is left that could go first. */
	arm(r, FAULT_REORDER, 1, 1000);
	poll_rig_put(r, 0, 0, 200);
	poll_rig_run(r, 20);
	assert_int_equal(poll_rig_totals(r).in_flight, 0);
	assert_int_equal(poll_rig_take(r, 1, f, 1), 1);
	assert_int_equal(f[0].seq, 1);
	assert_int_equal(rig_discard(r->port[1].out, 198), 198);
	assert_int_equal(poll_rig_take(r, 1, f, 2), 1);
	assert_int_equal(f[0].seq, 0);
}

static void
faults_are_counted(void **state)
{
	(void)state;
	for_each_variant(law_faults_are_counted);
}

static void
law_it_ends_after_so_many_frames(struct poll_rig *r)
{
	r->conf.packets = 333;
	poll_rig_open(r, 2048);
	poll_rig_put(r, 0, 0, 1000);
	poll_rig_run(r, UINT32_MAX);
	assert_int_equal(poll_rig_totals(r).rx_all, 333);
	poll_rig_assert_sent(r, 1, 0, 333);
}

static void
it_ends_after_so_many_frames(void **state)
{
	(void)state;
	for_each_variant(law_it_ends_after_so_many_frames);
}

static void
closing_half_open_is_harmless(void **state)
{
	struct fwd_conf conf;
	struct err err = {0};
	struct fwd fwd;

	(void)state;
	fwd_conf_init(&conf);
	free(conf.engine);
	conf.engine = xstrdup("event");
	/* No device is left: nothing opens. */
	assert_true(fwd_open(&fwd, &conf, false, &err) < 0);
	fwd_close(&fwd);
	fwd_close(&fwd);
	fwd_conf_fini(&conf);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frames_go_to_the_pair_in_their_order),
		cmocka_unit_test(a_single_frame_leaves_at_once),
		cmocka_unit_test(foreign_frames_are_dropped_and_counted),
		cmocka_unit_test(a_verdict_goes_with_its_frame),
		cmocka_unit_test(a_drop_leaves_the_others_in_order),
		cmocka_unit_test(with_hold_nothing_is_lost_and_nothing_overtakes),
		cmocka_unit_test(with_drop_what_finds_no_room_is_dropped),
		cmocka_unit_test(what_cannot_leave_at_the_end_is_counted),
		cmocka_unit_test(faults_are_counted),
		cmocka_unit_test(it_ends_after_so_many_frames),
		cmocka_unit_test(closing_half_open_is_harmless),
	};

	return cmocka_run_group_tests(tests, rig_start, rig_stop);
}
