/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>
#include <rte_cycles.h>
#include <rte_ethdev.h>

#include "poll_rig.h"

/* The polling engine when the next link has no room: hold, drop, and the way out at the end. */

static void
with_drop_what_finds_no_room_is_dropped(void **state)
{
	struct poll_rig *r = *state;
	struct fwd_totals t;

	r->conf.on_full = ON_FULL_DROP;
	poll_rig_open(r, 40);
	poll_rig_put(r, 0, 0, 100);
	poll_rig_run(r, 20);
	t = poll_rig_totals(r);
	assert_int_equal(t.rx[0], 100);
	assert_int_equal(t.tx[1], 40);
	assert_int_equal(t.drop[REASON_TX_FULL], 60);
	assert_int_equal(t.drop_all, 60);
	poll_rig_assert_sent(r, 1, 0, 40);
}

static uint32_t next_out; /* sequence that must come out next */

/* Takes three frames a round from the egress, and checks the books at each. */
static void
make_room_for_three(struct poll_rig *r)
{
	struct fwd_totals t = poll_rig_totals(r);
	struct poll_frame f[3];
	unsigned n;

	assert_int_equal(t.tx[1], next_out + rte_ring_count(r->port[1].out));
	assert_int_equal(t.rx[0], t.tx[1] + t.in_flight);
	assert_int_equal(t.rx[0] + rte_ring_count(r->port[0].in), 500);
	assert_true(t.in_flight <= r->conf.burst);
	n = poll_rig_take(r, 1, f, 3);
	for (unsigned i = 0; i < n; i++)
		assert_int_equal(f[i].seq, next_out++);
}

static void
with_hold_nothing_is_lost_and_nothing_overtakes(void **state)
{
	struct poll_rig *r = *state;
	struct fwd_totals t;

	r->conf.hold_ns = 5000000000ull;
	poll_rig_open(r, 8);
	next_out = 0;
	r->tick = make_room_for_three;
	poll_rig_put(r, 0, 0, 500);
	poll_rig_run(r, 400);
	t = poll_rig_totals(r);
	assert_int_equal(next_out, 500);
	assert_int_equal(t.tx[1], 500);
	assert_int_equal(t.drop_all, 0);
	assert_int_equal(t.in_flight, 0);
	assert_true(t.held_tsc[1] > 0);
	assert_int_equal(t.held_tsc[0], 0);
}

static void
a_link_that_holds_stops_reading_and_others_go_on(void **state)
{
	struct poll_rig *r = *state;

	r->conf.hold_ns = 5000000000ull;
	r->conf.drain_ns = 0;
	poll_rig_open(r, 40);
	poll_rig_put(r, 0, 0, 500);
	for (unsigned i = 0; i < 20; i++) {
		poll_rig_put(r, 1, 10 * i, 10);
		poll_rig_run(r, 1);
		assert_int_equal(rig_discard(r->port[0].out, 64), 10);
		if (i == 0)
			assert_int_equal(rte_ring_count(r->port[0].in), 500 - 32);
	}
	assert_int_equal(poll_rig_totals(r).rx[1], 200);
}

static uint64_t first_held_tsc, dropped_tsc;

static void
wait_for_the_drop(struct poll_rig *r)
{
	struct fwd_totals t = poll_rig_totals(r);

	if (t.in_flight > 0 && first_held_tsc == 0) {
		first_held_tsc = rte_rdtsc();
		assert_int_equal(t.in_flight, 24);
	}
	if (t.drop_all > 0 && dropped_tsc == 0) {
		dropped_tsc = rte_rdtsc();
		fwd_set_state(&r->fwd, FWD_STOP);
	}
}

static void
held_frames_are_dropped_after_the_deadline(void **state)
{
	struct poll_rig *r = *state;
	struct fwd_totals t;
	double ms;

	r->conf.hold_ns = 3000000;
	poll_rig_open(r, 8);
	first_held_tsc = dropped_tsc = 0;
	r->tick = wait_for_the_drop;
	poll_rig_put(r, 0, 0, 32);
	poll_rig_run(r, UINT32_MAX);
	t = poll_rig_totals(r);
	assert_int_equal(t.rx[0], 32);
	assert_int_equal(t.tx[1], 8);
	assert_int_equal(t.drop[REASON_TX_FULL], 24);
	assert_int_equal(t.drop_all, 24);
	/* The first sight of held frames is up to a round after they were. */
	ms = (double)(dropped_tsc - first_held_tsc) * 1e3 / (double)rte_get_tsc_hz();
	assert_true(ms > 2.5);
	assert_true((double)t.held_tsc[1] * 1e3 / (double)rte_get_tsc_hz() > 2.9);
	poll_rig_assert_sent(r, 1, 0, 8);
	/* And then the link reads again. */
	r->tick = NULL;
	poll_rig_put(r, 0, 100, 4);
	poll_rig_run(r, 2);
	poll_rig_assert_sent(r, 1, 100, 4);
}

static void
make_room_for_one_each_20_ms(struct poll_rig *r)
{
	static uint64_t last_tsc;
	struct poll_frame f;

	if (rte_rdtsc() - last_tsc < rte_get_tsc_hz() / 50)
		return;
	last_tsc = rte_rdtsc();
	if (poll_rig_take(r, 1, &f, 1) == 1)
		assert_int_equal(f.seq, next_out++);
	if (next_out == 18)
		fwd_set_state(&r->fwd, FWD_STOP);
}

static void
progress_moves_the_deadline(void **state)
{
	struct poll_rig *r = *state;

	/* Ten frames are held and leave one by one: 200 ms in all, 20 ms from one to the next. */
	r->conf.hold_ns = 100000000;
	poll_rig_open(r, 8);
	next_out = 0;
	r->tick = make_room_for_one_each_20_ms;
	poll_rig_put(r, 0, 0, 18);
	poll_rig_run(r, UINT32_MAX);
	assert_int_equal(poll_rig_totals(r).drop_all, 0);
	assert_int_equal(poll_rig_totals(r).tx[1], 18);
}

/* Two ways to port 1, and frames for port 2 in between. */
static uint8_t
by_three_ways(uint32_t seq)
{
	static const uint8_t verdicts[] = {NF_FORWARD, NF_PORT(2), NF_PORT(1)};

	return verdicts[seq % 3];
}

static uint32_t next_of[POLL_RIG_PORTS];
static unsigned n_calls;

static void
take_one_in_order(struct poll_rig *r, unsigned port)
{
	struct poll_frame f;

	if (poll_rig_take(r, port, &f, 1) == 0)
		return;
	assert_true(f.seq >= next_of[port]);
	next_of[port] = f.seq + 1;
}

/* Before a transmission, so that later ones of the same burst find room that earlier ones did not.
 */
static uint16_t
make_room_now_and_then(uint16_t port, uint16_t queue, struct rte_mbuf **frames, uint16_t n,
		       void *arg)
{
	(void)queue, (void)frames;
	if (n_calls++ % 5 == 0)
		take_one_in_order(arg, port);
	return n;
}

static void
frames_for_one_port_never_overtake(void **state)
{
	struct poll_rig *r = *state;
	const struct rte_eth_rxtx_callback *cb[POLL_RIG_PORTS];

	r->conf.hold_ns = 5000000000ull;
	poll_rig_open_deciding(r, 8, by_three_ways);
	memset(next_of, 0, sizeof(next_of));
	n_calls = 0;
	for (uint16_t i = 1; i < POLL_RIG_PORTS; i++)
		cb[i] = rte_eth_add_tx_callback(i, 0, make_room_now_and_then, r);
	poll_rig_put(r, 0, 0, 300);
	poll_rig_run(r, 5000);
	for (uint16_t i = 1; i < POLL_RIG_PORTS; i++)
		rte_eth_remove_tx_callback(i, 0, cb[i]);
	assert_int_equal(poll_rig_totals(r).tx[1], 200);
	assert_int_equal(poll_rig_totals(r).tx[2], 100);
	for (unsigned i = 0; i < 8; i++) {
		take_one_in_order(r, 1);
		take_one_in_order(r, 2);
	}
	assert_int_equal(next_of[1], 300);
	assert_int_equal(next_of[2], 299);
}

static uint16_t
make_room_for_one(uint16_t port, uint16_t queue, struct rte_mbuf **frames, uint16_t n, void *arg)
{
	struct poll_frame f;

	(void)port, (void)queue, (void)frames;
	if (poll_rig_take(arg, 1, &f, 1) == 1)
		assert_int_equal(f.seq, next_out++);
	return n;
}

static void
draining_sends_what_is_held_once_there_is_room(void **state)
{
	struct poll_rig *r = *state;
	const struct rte_eth_rxtx_callback *cb;

	r->conf.hold_ns = 5000000000ull;
	poll_rig_open(r, 8);
	next_out = 0;
	poll_rig_put(r, 0, 0, 100);
	cb = rte_eth_add_tx_callback(1, 0, make_room_for_one, r);
	poll_rig_run(r, 1);
	rte_eth_remove_tx_callback(1, 0, cb);
	/* One burst was received and has left; the others were not touched. */
	assert_int_equal(poll_rig_totals(r).rx[0], 32);
	assert_int_equal(poll_rig_totals(r).tx[1], 32);
	assert_int_equal(poll_rig_totals(r).in_flight, 0);
	assert_int_equal(rte_ring_count(r->port[0].in), 68);
	poll_rig_assert_sent(r, 1, next_out, 32 - next_out);
}

static void
draining_ends_and_drops_what_is_still_held(void **state)
{
	struct poll_rig *r = *state;

	r->conf.hold_ns = 5000000000ull;
	r->conf.drain_ns = 5000000;
	poll_rig_open(r, 8);
	poll_rig_put(r, 0, 0, 100);
	poll_rig_run(r, 5);
	assert_int_equal(poll_rig_totals(r).rx[0], 32);
	assert_int_equal(poll_rig_totals(r).tx[1], 8);
	assert_int_equal(poll_rig_drops(r, "drain"), 24);
	assert_int_equal(poll_rig_totals(r).in_flight, 0);
	poll_rig_assert_sent(r, 1, 0, 8);
}

#define LAW(name) cmocka_unit_test_setup_teardown(name, poll_rig_init, poll_rig_fini)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		LAW(with_drop_what_finds_no_room_is_dropped),
		LAW(with_hold_nothing_is_lost_and_nothing_overtakes),
		LAW(a_link_that_holds_stops_reading_and_others_go_on),
		LAW(held_frames_are_dropped_after_the_deadline),
		LAW(progress_moves_the_deadline),
		LAW(frames_for_one_port_never_overtake),
		LAW(draining_sends_what_is_held_once_there_is_room),
		LAW(draining_ends_and_drops_what_is_still_held),
	};

	return cmocka_run_group_tests(tests, rig_start, rig_stop);
}
