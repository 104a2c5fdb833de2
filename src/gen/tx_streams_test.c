/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <rte_ethdev.h>

#include "base/assert_within.h"
#include "base/mem.h"
#include "worker_rig.h"

/* What leaves the port of the streams of a client: when, in which order, and what is counted of
 * each. */

#define US 1000ull
#define MS 1000000ull
#define AT_ID 20 /* offset of a byte that tells the stream */

static struct stream *
add(struct worker_rig *r, double pps)
{
	uint8_t frame[60] = {0};
	struct stream *s;

	frame[AT_ID] = (uint8_t)(r->n_streams + 1);
	s = worker_rig_add_raw(r, frame, sizeof(frame), pps);
	s->keep_src_mac = s->keep_dst_mac = true;
	return s;
}

static struct stream *
add_burst(struct worker_rig *r, double pps, unsigned pkts, int64_t next_id)
{
	struct stream *s = add(r, pps);

	s->mode = STREAM_SINGLE_BURST;
	s->total_pkts = pkts;
	s->next_id = next_id;
	return s;
}

/* What left: of which stream, in which step of the clock. */
struct seen {
	unsigned n;
	uint8_t stream[4096];
	uint64_t at_ns[4096];
};

/* Lets the port send in steps, for 'ns' or until it has come to its end. */
static struct seen *
watch(struct worker_rig *r, uint64_t step_ns, uint64_t ns)
{
	struct seen *seen = xcalloc(1, sizeof(*seen));
	const uint64_t from_ns = r->now_ns;
	struct rte_mbuf *m;

	for (uint64_t t = 0; t <= ns && r->w.ports[0].sending != 0; t += step_ns) {
		worker_rig_transmit(r, t == 0 ? 0 : step_ns);
		while ((m = rig_take(r->port[0].out)) != NULL) {
			assert_true(seen->n < N_ELEMS(seen->stream));
			seen->stream[seen->n] = rte_pktmbuf_mtod(m, uint8_t *)[AT_ID];
			seen->at_ns[seen->n++] = r->now_ns - from_ns;
			rte_pktmbuf_free(m);
		}
	}
	return seen;
}

static void
open_rig(struct worker_rig *r)
{
	worker_rig_open(r, WORKER_RIG_ROOM, WORKER_RIG_ROOM);
}

static void
bursts_come_after_their_gap(void **state)
{
	struct worker_rig *r = *state;
	struct stream *s;
	struct seen *seen;

	open_rig(r);
	s = add(r, 1000);
	s->mode = STREAM_MULTI_BURST;
	s->pkts_per_burst = 4;
	s->bursts = 3;
	s->ibg_us = 1e5;
	worker_rig_start(r, 0, -1, false);
	seen = watch(r, 100 * US, 10000 * MS);
	assert_int_equal(seen->n, 12);
	for (unsigned i = 0; i < 12; i++)
		assert_int_equal(seen->at_ns[i], (i / 4 * 103 + i % 4) * MS);
	assert_int_equal(r->run[0]->state, RUN_SENT);
	assert_int_equal(r->run[0]->end, RUN_END_DONE);
	free(seen);
}

static void
a_chain_goes_on_after_the_next_streams_gap(void **state)
{
	struct worker_rig *r = *state;
	struct stream *b;
	struct seen *seen;

	open_rig(r);
	add_burst(r, 1000, 2, 2);
	b = add_burst(r, 1000, 3, -1);
	b->self_start = false;
	b->isg_us = 50000;
	worker_rig_start(r, 0, -1, false);
	seen = watch(r, 100 * US, 10000 * MS);
	assert_int_equal(seen->n, 5);
	assert_memory_equal(seen->stream, ((uint8_t[]){1, 1, 2, 2, 2}), 5);
	assert_int_equal(seen->at_ns[2] - seen->at_ns[1], 50 * MS);
	assert_int_equal(seen->at_ns[4], 53 * MS);
	free(seen);
}

static void
the_last_action_starts_nothing(void **state)
{
	struct worker_rig *r = *state;
	struct stream *b;
	struct seen *seen;

	open_rig(r);
	add_burst(r, 1000, 2, 2)->isg_us = 10;
	b = add_burst(r, 1000, 1, 1);
	b->self_start = false;
	b->action_count = 2;
	worker_rig_start(r, 0, -1, false);
	seen = watch(r, 10 * US, 10000 * MS);
	assert_int_equal(seen->n, 6);
	assert_memory_equal(seen->stream, ((uint8_t[]){1, 1, 2, 1, 1, 2}), 6);
	free(seen);
}

static void
a_dummy_takes_its_time_and_sends_nothing(void **state)
{
	struct worker_rig *r = *state;
	struct run_counters c;
	struct stream *s;
	struct seen *seen;

	open_rig(r);
	s = add_burst(r, 1000, 10, 2);
	s->dummy = true;
	s = add_burst(r, 1000, 1, -1);
	s->self_start = false;
	worker_rig_start(r, 0, -1, false);
	seen = watch(r, 100 * US, 10000 * MS);
	assert_int_equal(seen->n, 1);
	assert_int_equal(seen->at_ns[0], 9 * MS);
	assert_true(run_stream_counters(r->run[0], 1, &c));
	assert_int_equal(c.intended, 0);
	assert_int_equal(run_intended(r->run[0]), 1);
	free(seen);
}

static void
a_duration_has_its_frames_and_its_length(void **state)
{
	struct worker_rig *r = *state;
	struct seen *seen;

	open_rig(r);
	add(r, 10);
	worker_rig_start(r, 0, 1, false);
	seen = watch(r, 10 * MS, 10000 * MS);
	assert_int_equal(seen->n, 10);
	assert_int_equal(seen->at_ns[0], 0);
	assert_int_equal(r->run[0]->end, RUN_END_DURATION);
	assert_int_equal(counter_get(&r->run[0]->elapsed_ns), 1000 * MS);
	free(seen);
}

static void
a_duration_ends_bursts_that_are_not_over(void **state)
{
	struct worker_rig *r = *state;
	struct stream *s;
	struct seen *seen;

	open_rig(r);
	s = add_burst(r, 1000, 100, 1);
	s->isg_us = 5000;
	add_burst(r, 1000, 3, -1)->isg_us = 1e9;
	worker_rig_start(r, 0, 0.02, false);
	seen = watch(r, 100 * US, 10000 * MS);
	assert_int_equal(seen->n, 15);
	assert_int_equal(r->run[0]->end, RUN_END_DURATION);
	assert_int_equal(counter_get(&r->run[0]->elapsed_ns), 20 * MS);
	free(seen);
}

static void
a_factor_leaves_bursts_as_long_as_they_are(void **state)
{
	struct worker_rig *r = *state;
	struct run_conf conf = {
		.n_queues = 1,
		.factor = 2,
		.speed_bps = 10e9,
		.duration_s = -1,
		.src_mac = r->w.ports[0].addr,
		.dst_mac = r->w.ports[0].dest,
	};
	struct jsonrpc_error e;
	struct seen *seen;

	open_rig(r);
	add_burst(r, 1000, 4, -1);
	add(r, 1000)->rule = RULE_LATENCY; /* whose rate is fixed */
	r->streams[1].mode = STREAM_SINGLE_BURST;
	r->streams[1].total_pkts = 4;
	r->streams[1].isg_us = 5e6;
	r->run[0] = run_new(r->streams, 2, &conf, &e);
	assert_non_null(r->run[0]);
	worker_rig_take(r, 0, 0, r->run[0]);
	seen = watch(r, 100 * US, 10000 * MS);
	assert_int_equal(seen->n, 8);
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(seen->at_ns[i], i * 500 * US);
	for (unsigned i = 4; i < 8; i++)
		assert_int_equal(seen->at_ns[i], 5000 * MS + (i - 4) * MS);
	free(seen);
}

static void
a_pause_stops_the_clock_and_nothing_else(void **state)
{
	struct worker_rig *r = *state;
	struct jsonrpc_error e;
	struct seen *seen;
	struct run *run;

	open_rig(r);
	add(r, 1000);
	add(r, 500);
	run = worker_rig_start(r, 0, -1, false);
	seen = watch(r, 100 * US, 10300 * US);
	assert_int_equal(seen->n, 17);
	free(seen);
	assert_int_equal(run_pause(run, true, &e), 0);
	seen = watch(r, 100 * US, 7000 * MS);
	assert_int_equal(seen->n, 0);
	assert_int_equal(run->state, RUN_PAUSED);
	free(seen);
	assert_int_equal(run_pause(run, false, &e), 0);
	seen = watch(r, 100 * US, 10 * MS);
	/* 700 us were left when it was paused, and nothing is late. */
	assert_int_equal(seen->at_ns[0], 700 * US);
	assert_int_equal(seen->n, 10 + 5);
	assert_int_equal(run->state, RUN_ACTIVE);
	assert_int_equal(run_late(run), 0);
	run_request_stop(run);
	worker_rig_transmit(r, US);
	assert_int_equal(run->end, RUN_END_STOPPED);
	(void)worker_rig_counts(run);
	free(seen);
}

static void
another_rate_takes_effect_at_once(void **state)
{
	struct worker_rig *r = *state;
	struct jsonrpc_error e;
	struct seen *seen;
	struct run *run;

	open_rig(r);
	add(r, 10);
	run = worker_rig_start(r, 0, -1, false);
	free(watch(r, 100 * US, 50 * MS));
	/* Half of the wait is left, of which a hundredth stays. */
	assert_int_equal(run_set_factor(run, 100, NULL, 0, &e), 0);
	seen = watch(r, 100 * US, 10 * MS);
	assert_int_equal(seen->at_ns[0], 500 * US);
	assert_int_equal(seen->at_ns[1], 1500 * US);
	assert_int_equal(seen->n, 10);
	free(seen);
	assert_true(run_set_factor(run, 1e9, NULL, 0, &e) < 0);
	assert_string_equal(e.specific,
			    "stream 1: 1e+10 frames a second is not within 0.001 and 1e9");
	assert_true(run_set_factor(run, 1, (uint32_t[]){2}, 1, &e) < 0);
	assert_string_equal(e.specific, "stream 2 is not transmitted");
}

static void
streams_that_are_paused_wait_to_be_resumed(void **state)
{
	struct worker_rig *r = *state;
	struct jsonrpc_error e;
	struct seen *seen;
	struct run *run;

	open_rig(r);
	add(r, 1000);
	add(r, 1000)->start_paused = true;
	run = worker_rig_start(r, 0, -1, false);
	seen = watch(r, 100 * US, 9950 * US);
	assert_int_equal(seen->n, 10);
	free(seen);
	assert_int_equal(run_pause_streams(run, (uint32_t[]){2}, 1, false, &e), 0);
	assert_int_equal(run_pause_streams(run, (uint32_t[]){1}, 1, true, &e), 0);
	seen = watch(r, 50 * US, 10 * MS);
	for (unsigned i = 0; i < seen->n; i++)
		assert_int_equal(seen->stream[i], 2);
	assert_within(seen->n, 10, 11);
	free(seen);
}

static void
a_run_waits_for_the_time_it_starts_at(void **state)
{
	struct worker_rig *r = *state;
	struct seen *seen;
	struct run *run;

	open_rig(r);
	add(r, 1000);
	run = worker_rig_start(r, 0, 0.003, false);
	run_set_start(run, run->start_tsc + 20 * MS);
	atomic_fetch_or(&run->attend, RUN_HOLD);
	seen = watch(r, 100 * US, 10000 * MS);
	assert_int_equal(seen->n, 3);
	assert_int_equal(seen->at_ns[0], 20 * MS);
	assert_int_equal(counter_get(&run->elapsed_ns), 3 * MS);
	free(seen);
}

/* Runs of a slot each, of one stream, at 'pps' each. */
static void
start_runs(struct worker_rig *r, struct run **runs, unsigned n, double pps)
{
	for (unsigned i = 0; i < n; i++) {
		add(r, pps);
		for (unsigned k = 0; k < i; k++)
			r->streams[k].enabled = false;
		runs[i] = worker_rig_make_run(r, 0, -1, false);
		worker_rig_take(r, 0, i * 5, runs[i]);
	}
}

static void
stop_runs(struct worker_rig *r, struct run **runs, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		run_request_stop(runs[i]);
	worker_rig_transmit(r, US);
	assert_int_equal(r->w.ports[0].sending, 0);
	for (unsigned i = 0; i < n; i++) {
		assert_int_equal(runs[i]->state, RUN_SENT);
		(void)worker_rig_counts(runs[i]);
		worker_rig_take(r, 0, i * 5, NULL);
		run_free(runs[i]);
	}
}

static void
a_full_link_is_shared_by_all_runs(void **state)
{
	struct worker_rig *r = *state;
	struct run *runs[3];
	uint64_t total = 0;

	worker_rig_open(r, 16, WORKER_RIG_ROOM);
	start_runs(r, runs, 3, 1e6);
	/* Two frames a microsecond fall short of three. */
	for (unsigned i = 0; i < 20000; i++) {
		worker_rig_transmit(r, US);
		rig_discard(r->port[0].out, 2);
	}
	for (unsigned i = 0; i < 3; i++)
		total += run_sent(runs[i]);
	assert_within(total, 40000, 40020);
	for (unsigned i = 0; i < 3; i++)
		assert_within(run_sent(runs[i]), 12800, 13900);
	stop_runs(r, runs, 3);
}

static void
runs_come_and_go_on_their_own(void **state)
{
	struct worker_rig *r = *state;
	struct run *runs[3];

	worker_rig_open(r, WORKER_RIG_ROOM, WORKER_RIG_ROOM);
	start_runs(r, runs, 3, 1e5);
	for (unsigned i = 0; i < 1000; i++) {
		if (i == 500)
			run_request_stop(runs[1]);
		worker_rig_transmit(r, 10 * US);
		rig_discard(r->port[0].out, WORKER_RIG_ROOM);
	}
	assert_within(run_sent(runs[0]), 1000, 1001);
	assert_within(run_sent(runs[1]), 500, 501);
	assert_within(run_sent(runs[2]), 1000, 1001);
	stop_runs(r, runs, 3);
}

static void
what_would_never_end_at_one_instant_is_refused(void **state)
{
	struct worker_rig *r = *state;
	const struct run_conf conf = {.n_queues = 1,
				      .factor = 1,
				      .speed_bps = 10e9,
				      .duration_s = -1,
				      .src_mac = r->w.ports[0].addr,
				      .dst_mac = r->w.ports[0].dest};
	struct jsonrpc_error e;

	open_rig(r);
	add_burst(r, 1000, 1, 2);
	add_burst(r, 1000, 1, 1)->self_start = false;
	assert_null(run_new(r->streams, 2, &conf, &e));
	assert_string_equal(e.specific, "stream 1: it would be sent without end at one instant: "
					"give it an isg or ibg, or an action_count");
	r->streams[1].action_count = 3;
	r->run[0] = run_new(r->streams, 2, &conf, &e);
	assert_non_null(r->run[0]);
	worker_rig_take(r, 0, 0, r->run[0]);
	assert_int_equal(worker_rig_transmit(r, 0), 6);
	r->streams[0].mode = STREAM_MULTI_BURST;
	r->streams[0].pkts_per_burst = 1;
	r->streams[0].isg_us = 5;
	assert_null(run_new(r->streams, 2, &conf, &e));
	assert_string_equal(e.specific, "stream 1: it would be sent without end at one instant: "
					"give it an isg or ibg, or an action_count");
	r->streams[0].mode = STREAM_SINGLE_BURST;
	r->streams[1].next_id = 9;
	assert_null(run_new(r->streams, 2, &conf, &e));
	assert_string_equal(e.specific, "stream 2: its next stream 9 is not in the profile");
	r->streams[1].next_id = 1;
	r->streams[1].enabled = false;
	assert_null(run_new(r->streams, 2, &conf, &e));
	assert_string_equal(e.specific, "stream 1: its next stream 2 is disabled");
}

#define LAW(name) cmocka_unit_test_setup_teardown(name, worker_rig_init, worker_rig_fini)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		LAW(bursts_come_after_their_gap),
		LAW(a_chain_goes_on_after_the_next_streams_gap),
		LAW(the_last_action_starts_nothing),
		LAW(a_dummy_takes_its_time_and_sends_nothing),
		LAW(a_duration_has_its_frames_and_its_length),
		LAW(a_duration_ends_bursts_that_are_not_over),
		LAW(a_factor_leaves_bursts_as_long_as_they_are),
		LAW(a_pause_stops_the_clock_and_nothing_else),
		LAW(another_rate_takes_effect_at_once),
		LAW(streams_that_are_paused_wait_to_be_resumed),
		LAW(a_run_waits_for_the_time_it_starts_at),
		LAW(a_full_link_is_shared_by_all_runs),
		LAW(runs_come_and_go_on_their_own),
		LAW(what_would_never_end_at_one_instant_is_refused),
	};

	return cmocka_run_group_tests(tests, rig_start, rig_stop);
}
