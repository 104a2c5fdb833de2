/* SPDX-License-Identifier: MIT */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>
#include <rte_ethdev.h>

#include "base/clock.h"
#include "nfs.h"
#include "poll_rig.h"

/* The polling engine as it runs, over ports made of rings: what it does with every frame. */

static void
frames_go_to_the_pair_in_their_order(void **state)
{
	poll_rig_frames_go_to_the_pair(*state);
}

static void
a_burst_takes_no_more_than_was_asked_for(void **state)
{
	struct poll_rig *r = *state;

	r->conf.burst = 7;
	poll_rig_open(r, 2048);
	poll_rig_put(r, 0, 0, 100);
	poll_rig_run(r, 10);
	assert_int_equal(poll_rig_totals(r).rx[0], 70);
	assert_int_equal(rte_ring_count(r->port[0].in), 30);
	poll_rig_run(r, 10);
	poll_rig_assert_sent(r, 1, 0, 100);
}

static void
the_largest_burst_fits(void **state)
{
	struct poll_rig *r = *state;

	r->conf.burst = CONF_MAX_BURST;
	poll_rig_open(r, 2048);
	poll_rig_put(r, 0, 0, 600);
	poll_rig_run(r, 3);
	poll_rig_assert_sent(r, 1, 0, 600);
}

static void
addresses_are_those_of_the_egress(void **state)
{
	struct poll_rig *r = *state;
	struct poll_frame f;
	uint8_t want[6];

	poll_rig_open(r, 64);
	poll_rig_put(r, 0, 0, 1);
	poll_rig_run(r, 1);
	assert_int_equal(poll_rig_take(r, 1, &f, 1), 1);
	poll_rig_addr(1, want);
	assert_memory_equal(f.src, want, 6);
	poll_rig_dest(1, want);
	assert_memory_equal(f.dst, want, 6);
}

static void
without_mac_updating_frames_pass_untouched(void **state)
{
	struct poll_rig *r = *state;
	struct poll_frame f;
	uint8_t own[6];

	r->conf.mac_updating = false;
	poll_rig_open(r, 64);
	poll_rig_put(r, 0, 0, 1);
	poll_rig_run(r, 1);
	assert_int_equal(poll_rig_take(r, 1, &f, 1), 1);
	poll_rig_addr(0, own);
	assert_memory_equal(f.dst, own, 6);
}

/* 300 frames: for us, for somebody else, for all, in turn. */
static void
put_mixed_destinations(struct poll_rig *r)
{
	static const uint8_t foreign[6] = {0x02, 0, 0, 0, 0x77, 1};
	static const uint8_t all[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
	uint8_t own[6];
	const uint8_t *dst[] = {own, foreign, all};

	poll_rig_addr(0, own);
	for (uint32_t i = 0; i < 300; i++)
		poll_rig_put_to(r, 0, dst[i % 3], i);
}

static void
foreign_frames_are_dropped_and_counted(void **state)
{
	struct poll_rig *r = *state;
	struct poll_frame f[300];

	poll_rig_open(r, 2048);
	put_mixed_destinations(r);
	poll_rig_run(r, 20);
	assert_int_equal(poll_rig_totals(r).tx[1], 200);
	assert_int_equal(poll_rig_totals(r).drop_all, 100);
	assert_int_equal(poll_rig_drops(r, "l2fwd.foreign"), 100);
	assert_int_equal(poll_rig_take(r, 1, f, 300), 200);
	for (unsigned i = 0; i < 200; i++)
		assert_int_equal(f[i].seq, i / 2 * 3 + i % 2 * 2);
}

static void
promiscuous_ports_take_foreign_frames(void **state)
{
	struct poll_rig *r = *state;

	r->conf.promiscuous = true;
	poll_rig_open(r, 2048);
	put_mixed_destinations(r);
	poll_rig_run(r, 20);
	assert_int_equal(poll_rig_drops(r, "l2fwd.foreign"), 0);
	poll_rig_assert_sent(r, 1, 0, 300);
}

static uint8_t
by_turns(uint32_t seq)
{
	static const uint8_t verdicts[] = {NF_PORT(0), NF_FORWARD, NF_PORT(2), NF_PORT(1)};

	return verdicts[seq % 4];
}

static void
a_verdict_may_name_any_port(void **state)
{
	struct poll_rig *r = *state;
	struct poll_frame f[200];

	poll_rig_open_deciding(r, 2048, by_turns);
	poll_rig_put(r, 0, 0, 400);
	poll_rig_run(r, 20);
	assert_int_equal(poll_rig_totals(r).tx_all, 400);
	assert_int_equal(poll_rig_take(r, 0, f, 200), 100);
	for (unsigned i = 0; i < 100; i++)
		assert_int_equal(f[i].seq, 4 * i);
	assert_int_equal(poll_rig_take(r, 2, f, 200), 100);
	for (unsigned i = 0; i < 100; i++)
		assert_int_equal(f[i].seq, 4 * i + 2);
	assert_int_equal(poll_rig_take(r, 1, f, 200), 200);
	for (unsigned i = 0; i < 200; i++)
		assert_int_equal(f[i].seq, 2 * i + 1);
}

static uint8_t
nowhere(uint32_t seq)
{
	return (uint8_t)(seq % 3 == 0 ? NF_FORWARD : seq % 3 == 1 ? NF_PORT(9) : NF_PORT(63));
}

static void
a_port_that_is_not_there_is_a_counted_drop(void **state)
{
	struct poll_rig *r = *state;

	poll_rig_open_deciding(r, 2048, nowhere);
	poll_rig_put(r, 0, 0, 300);
	poll_rig_run(r, 20);
	assert_int_equal(poll_rig_totals(r).tx[1], 100);
	assert_int_equal(poll_rig_drops(r, "no_port"), 200);
}

static uint32_t dropped_seq;

static uint8_t
all_but_one(uint32_t seq)
{
	return (uint8_t)(seq == dropped_seq ? NF_PORT(9) : NF_FORWARD);
}

/* Runs a burst of 'n' frames of which frame 'at' is dropped, and the others leave for 'dst'. */
static void
drop_one_of(struct poll_rig *r, uint32_t n, uint32_t at, const uint8_t dst[6])
{
	const uint64_t drops = poll_rig_totals(r).drop_all;

	dropped_seq = at;
	poll_rig_put(r, 0, 0, n);
	poll_rig_run(r, 1);
	assert_int_equal(poll_rig_totals(r).drop_all, drops + 1);
	for (uint32_t seq = 0; seq < n; seq++) {
		struct poll_frame f;

		if (seq == at)
			continue;
		assert_int_equal(poll_rig_take(r, 1, &f, 1), 1);
		assert_int_equal(f.seq, seq);
		assert_memory_equal(f.dst, dst, 6);
	}
	assert_int_equal(rte_ring_count(r->port[1].out), 0);
}

static void
one_verdict_among_many_counts(void **state)
{
	struct poll_rig *r = *state;
	uint8_t dst[6];

	r->conf.burst = CONF_MAX_BURST;
	poll_rig_open_deciding(r, 2048, all_but_one);
	poll_rig_addr(0, dst);
	for (uint32_t n = 1; n <= 66; n++)
		for (uint32_t at = 0; at < n; at++)
			drop_one_of(r, n, at, dst);
	for (uint32_t at = 0; at < CONF_MAX_BURST; at++)
		drop_one_of(r, CONF_MAX_BURST, at, dst);
}

static void
every_function_sees_what_is_left(void **state)
{
	struct poll_rig *r = *state;
	const struct nf *deciding;
	struct fwd_lcore *w;
	uint8_t dst[6];
	struct err err;

	assert_int_equal(opt_set_list(&r->conf.nf, "l2fwd", &err), 0);
	poll_rig_open_deciding(r, 2048, all_but_one);
	assert_int_equal(r->fwd.n_nfs, 2);
	poll_rig_dest(1, dst);
	deciding = r->fwd.nf[0];
	w = &r->fwd.lcore[0];
	/* The one that drops before the one that rewrites. */
	r->fwd.nf[1] = &nf_l2fwd;
	w->nf_ctx[1] = r->fwd.nf_ctx[0][0];
	drop_one_of(r, 32, 20, dst);
	/* And the other way round. */
	r->fwd.nf[0] = &nf_l2fwd;
	r->fwd.nf[1] = deciding;
	w->nf_ctx[0] = w->nf_ctx[1];
	w->nf_ctx[1] = r;
	drop_one_of(r, 32, 20, dst);
	drop_one_of(r, 31, 30, dst);
	/* Where neither drops, all go. */
	dropped_seq = UINT32_MAX;
	poll_rig_put(r, 0, 0, 32);
	poll_rig_run(r, 1);
	poll_rig_assert_sent(r, 1, 0, 32);
}

static uint8_t
all_elsewhere(uint32_t seq)
{
	return (uint8_t)(seq < 1000 ? NF_PORT(2) : NF_FORWARD);
}

static void
verdicts_are_cleared_behind_a_burst(void **state)
{
	struct poll_rig *r = *state;

	r->conf.burst = CONF_MAX_BURST;
	poll_rig_open_deciding(r, 2048, all_elsewhere);
	poll_rig_put(r, 0, 0, CONF_MAX_BURST);
	poll_rig_put(r, 0, 1000, 5);
	poll_rig_run(r, 2);
	poll_rig_assert_sent(r, 2, 0, CONF_MAX_BURST);
	poll_rig_assert_sent(r, 1, 1000, 5);
	/* The short burst took the short way: nothing was left over that looked like its own. */
	for (size_t i = 0; i < sizeof(r->fwd.lcore[0].verdict); i++)
		assert_int_equal(r->fwd.lcore[0].verdict[i], NF_FORWARD);
}

/* What the control thread does and sees; asserts belong to the main thread. */
struct pause {
	struct poll_rig *r;
	bool paused, resumed;
	atomic_bool done;
	struct fwd_totals at_rest, later;
	unsigned waiting;
};

static void *
pause_and_resume(void *arg)
{
	struct pause *p = arg;
	struct fwd *fwd = &p->r->fwd;

	fwd_set_state(fwd, FWD_PAUSE);
	p->paused = fwd_wait_state(fwd, FWD_PAUSE, 5000);
	fwd_totals(fwd, &p->at_rest);
	clock_sleep_ms(2);
	fwd_totals(fwd, &p->later);
	p->waiting = rte_ring_count(p->r->port[0].in);
	fwd_set_state(fwd, FWD_RUN);
	p->resumed = fwd_wait_state(fwd, FWD_RUN, 5000);
	atomic_store(&p->done, true);
	return NULL;
}

static bool helper_started;
static pthread_t helper;
static struct pause pause_state;

static void
call_for_a_pause(struct poll_rig *r)
{
	if (!helper_started && poll_rig_totals(r).tx[1] == 10) {
		memset(&pause_state, 0, sizeof(pause_state));
		pause_state.r = r;
		helper_started = pthread_create(&helper, NULL, pause_and_resume, &pause_state) == 0;
	}
	/* The helper may share our CPU, and there must be frames left when it pauses us. */
	if (helper_started)
		clock_sleep_ms(1);
	if (helper_started && atomic_load(&pause_state.done))
		fwd_set_state(&r->fwd, FWD_STOP);
}

static void
counters_stand_still_in_a_pause(void **state)
{
	struct poll_rig *r = *state;

	r->conf.burst = 1;
	poll_rig_open(r, 2048);
	poll_rig_put(r, 0, 0, 2000);
	helper_started = false;
	r->tick = call_for_a_pause;
	poll_rig_run(r, UINT32_MAX);
	pthread_join(helper, NULL);
	assert_true(pause_state.paused);
	assert_true(pause_state.resumed);
	assert_true(pause_state.waiting > 0);
	assert_int_equal(pause_state.at_rest.rx_all + pause_state.waiting, 2000);
	assert_int_equal(pause_state.at_rest.in_flight, 0);
	assert_memory_equal(&pause_state.later, &pause_state.at_rest, sizeof(struct fwd_totals));
	/* What had waited went on when it was over. */
	r->tick = NULL;
	poll_rig_run(r, 2000);
	poll_rig_assert_sent(r, 1, 0, 2000);
}

static void
a_buffer_that_did_not_come_home_is_told(void **state)
{
	struct poll_rig *r = *state;
	struct rte_mbuf *gone;

	poll_rig_open(r, 64);
	poll_rig_put(r, 0, 0, 20);
	poll_rig_run(r, 2);
	gone = rte_pktmbuf_alloc(r->fwd.pool);
	r->fwd.missed_base[0] = 5;
	assert_int_equal(fwd_close_ports(&r->fwd), 1);
	/* Again, and the counters are still those of the run. */
	assert_int_equal(fwd_close_ports(&r->fwd), 1);
	assert_int_equal(poll_rig_totals(r).tx[1], 20);
	assert_int_equal(poll_rig_totals(r).miss[0], 5);
	rte_pktmbuf_free(gone);
	assert_int_equal(fwd_close_ports(&r->fwd), 0);
	r->on_round = NULL;
}

static void
closing_twice_and_half_open_is_harmless(void **state)
{
	struct poll_rig *r = *state;
	struct err err = {0};

	poll_rig_open(r, 64);
	rte_eth_remove_rx_callback(2, 0, r->on_round);
	r->on_round = NULL;
	fwd_close(&r->fwd);
	fwd_close(&r->fwd);
	assert_int_equal(fwd_close_ports(&r->fwd), 0);
	/* No device is left: nothing opens. */
	assert_true(fwd_open(&r->fwd, &r->conf, false, &err) < 0);
	assert_string_equal(err.msg, "there is no port: name one with --vdev or -a, or in "
				     "NFVCHAIN_EAL_ARGS");
	fwd_close(&r->fwd);
}

#define LAW(name) cmocka_unit_test_setup_teardown(name, poll_rig_init, poll_rig_fini)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		LAW(frames_go_to_the_pair_in_their_order),
		LAW(a_burst_takes_no_more_than_was_asked_for),
		LAW(the_largest_burst_fits),
		LAW(addresses_are_those_of_the_egress),
		LAW(without_mac_updating_frames_pass_untouched),
		LAW(foreign_frames_are_dropped_and_counted),
		LAW(promiscuous_ports_take_foreign_frames),
		LAW(a_verdict_may_name_any_port),
		LAW(a_port_that_is_not_there_is_a_counted_drop),
		LAW(one_verdict_among_many_counts),
		LAW(every_function_sees_what_is_left),
		LAW(verdicts_are_cleared_behind_a_burst),
		LAW(counters_stand_still_in_a_pause),
		LAW(a_buffer_that_did_not_come_home_is_told),
		LAW(closing_twice_and_half_open_is_harmless),
	};

	return cmocka_run_group_tests(tests, rig_start, rig_stop);
}
