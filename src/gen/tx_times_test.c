/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/assert_within.h"
#include "worker_rig.h"

/* How late and how unevenly frames leave is noted of each of them, under a clock in our hand. */

#define US 1000ull
#define MS 1000000ull

static const uint8_t plain_frame[60] = {2};

/* So many streams of frames as given, 'step' apart. */
static struct run *
start(struct worker_rig *r, unsigned n, uint64_t step_ns, double duration_s, bool flat_out)
{
	worker_rig_open(r, WORKER_RIG_ROOM, WORKER_RIG_ROOM);
	for (unsigned i = 0; i < n; i++)
		worker_rig_add_raw(r, plain_frame, sizeof(plain_frame), 1e9 / (double)step_ns);
	return worker_rig_start(r, 0, duration_s, flat_out);
}

static void
finish(struct worker_rig *r, uint64_t step_ns)
{
	while (r->w.ports[0].sending != 0) {
		worker_rig_transmit(r, step_ns);
		rig_discard(r->port[0].out, WORKER_RIG_ROOM);
	}
}

static void
a_punctual_worker_has_no_lateness_and_no_jitter(void **state)
{
	struct worker_rig *r = *state;
	struct run *run = start(r, 1, 2 * US, 1e-3, false);
	struct run_times t;

	worker_rig_transmit(r, 0);
	finish(r, 2 * US);
	run_times_all(run, &t);
	assert_int_equal(run_sent(run), 500);
	assert_int_equal(t.lateness.n, 500);
	assert_int_equal(t.lateness.max_ns, 0);
	assert_int_equal(t.jitter.n, 499);
	assert_int_equal(t.jitter.max_ns, 0);
}

static void
a_constant_lateness_is_no_jitter(void **state)
{
	struct worker_rig *r = *state;
	struct run *run = start(r, 1, 2 * US, 1e-3, false);
	struct run_times t;

	worker_rig_transmit(r, 300);
	finish(r, 2 * US);
	run_times_all(run, &t);
	assert_int_equal(t.lateness.min_ns, 300);
	assert_int_equal(t.lateness.max_ns, 300);
	assert_int_equal(t.jitter.max_ns, 0);
}

static void
frames_of_a_burst_are_a_step_off_and_the_next_burst_makes_up_for_it(void **state)
{
	struct worker_rig *r = *state;
	struct run *run = start(r, 1, US, 1e-3, false);
	struct run_times t;

	/* Slots at 0 to 3 us leave at 3 us, those at 4 to 7 us at 7 us, and so on. */
	worker_rig_transmit(r, 3 * US);
	finish(r, 4 * US);
	run_times_all(run, &t);
	assert_int_equal(run_sent(run), 1000);
	assert_int_equal(t.lateness.sum_ns, 250 * (3 + 2 + 1) * US);
	assert_int_equal(t.jitter.n, 999);
	assert_int_equal(t.jitter.count[hist_index(US)], 750);
	assert_int_equal(t.jitter.count[hist_index(3 * US)], 249);
	assert_int_equal(t.jitter.sum_ns, (750 + 249 * 3) * US);
}

static void
a_gap_in_the_schedule_is_looked_at_slot_by_slot(void **state)
{
	struct worker_rig *r = *state;
	struct run_times t;
	struct stream *s;
	struct run *run;

	worker_rig_open(r, WORKER_RIG_ROOM, WORKER_RIG_ROOM);
	s = worker_rig_add_raw(r, plain_frame, sizeof(plain_frame), 1e6);
	s->mode = STREAM_MULTI_BURST;
	s->pkts_per_burst = 2;
	s->bursts = 2;
	s->ibg_us = 5;
	run = worker_rig_start(r, 0, -1, false);
	/* Due at 0, 1, 6 and 7 us, all leave at 7 us. */
	worker_rig_transmit(r, 7 * US);
	finish(r, US);
	run_times_all(run, &t);
	assert_int_equal(t.jitter.n, 3);
	assert_int_equal(t.jitter.count[hist_index(US)], 2);
	assert_int_equal(t.jitter.count[hist_index(5 * US)], 1);
}

static void
streams_are_kept_apart_as_long_as_there_are_few(void **state)
{
	struct worker_rig *r = *state;
	struct run_times t, all;
	struct run *run;

	worker_rig_open(r, WORKER_RIG_ROOM, WORKER_RIG_ROOM);
	for (unsigned i = 0; i < 3; i++)
		worker_rig_add_raw(r, plain_frame, sizeof(plain_frame), 1e5)->isg_us = i;
	run = worker_rig_start(r, 0, 1e-3, false);
	/* Slots at 0, 1 and 2 us of every 10 leave at 5 us. */
	worker_rig_transmit(r, 5 * US);
	finish(r, 10 * US);
	run_times_all(run, &all);
	assert_int_equal(all.lateness.n, 300);
	for (uint32_t i = 0; i < 3; i++) {
		assert_true(run_times_of(run, i + 1, &t));
		assert_int_equal(t.lateness.n, 100);
		assert_int_equal(t.lateness.min_ns, (5 - i) * US);
		assert_int_equal(t.lateness.max_ns, (5 - i) * US);
		assert_int_equal(t.jitter.n, 99);
		assert_int_equal(t.jitter.max_ns, 0);
	}
	assert_false(run_times_of(run, 4, &t));
}

static void
many_streams_are_noted_together(void **state)
{
	static struct stream s[RUN_TIMES_MOST + 1];
	static uint8_t frame[60];
	struct worker_rig *r = *state;
	struct run_times t;
	struct jsonrpc_error e;
	struct run *run;

	worker_rig_open(r, WORKER_RIG_ROOM, WORKER_RIG_ROOM);
	for (unsigned i = 0; i <= RUN_TIMES_MOST; i++)
		s[i] = (struct stream){
			.id = i + 1,
			.enabled = true,
			.self_start = true,
			.rate = 1e4,
			.next_id = -1,
			.len = sizeof(frame),
			.frame = frame,
			.flows = 1,
		};
	run = run_new(s, RUN_TIMES_MOST + 1,
		      &(struct run_conf){.n_queues = 1,
					 .factor = 1,
					 .speed_bps = 10e9,
					 .duration_s = 1e-3,
					 .src_mac = r->w.ports[0].addr,
					 .dst_mac = r->w.ports[0].dest},
		      &e);
	assert_non_null(run);
	worker_rig_take(r, 0, 0, run);
	worker_rig_transmit(r, 0);
	finish(r, US);
	assert_false(run_times_of(run, 1, &t));
	run_times_all(run, &t);
	assert_int_equal(run_sent(run), 10 * (RUN_TIMES_MOST + 1));
	assert_int_equal(t.lateness.n, 10 * (RUN_TIMES_MOST + 1));
	assert_int_equal(t.jitter.n, 9 * (RUN_TIMES_MOST + 1));
	worker_rig_take(r, 0, 0, NULL);
	run_free(run);
}

static void
without_a_schedule_there_is_nothing_to_be_late_for(void **state)
{
	struct worker_rig *r = *state;
	struct run *run = start(r, 1, US, 1e-3, true);
	struct run_times t;

	finish(r, 100 * US);
	run_times_all(run, &t);
	assert_true(run_sent(run) > 0);
	assert_int_equal(t.lateness.max_ns, 0);
	assert_int_equal(t.jitter.n, 0);
}

/* All that is sent is noted, and with a full link too the books are of what was sent. */
static void
an_overloaded_link_shows_in_each_stream(void **state)
{
	struct worker_rig *r = *state;
	struct run_counters sum = {0}, c;
	struct run_times t;
	struct run *run;

	worker_rig_open(r, WORKER_RIG_ROOM, WORKER_RIG_ROOM);
	for (unsigned i = 0; i < 4; i++)
		worker_rig_add_raw(r, plain_frame, sizeof(plain_frame), 1e5)->isg_us = 3 * i;
	run = worker_rig_start(r, 0, 20e-3, false);
	/* Four frames in 10 us, of which the link takes one or two in 7. */
	for (unsigned i = 0; r->w.ports[0].sending != 0; i++) {
		worker_rig_transmit(r, US);
		if (rte_ring_count(r->port[0].out) == WORKER_RIG_ROOM && i % 7 == 0)
			rig_discard(r->port[0].out, 1 + i % 2);
	}
	for (uint32_t id = 1; id <= 4; id++) {
		assert_true(run_stream_counters(run, id, &c));
		assert_within(c.intended, 1999, 2000);
		assert_int_equal(c.intended, c.sent + c.refused + c.late);
		assert_true(c.refused > 0);
		assert_true(run_times_of(run, id, &t));
		assert_int_equal(t.lateness.n, c.sent);
		assert_int_equal(t.jitter.n, c.sent - 1);
		sum.sent += c.sent;
		sum.refused += c.refused;
		sum.late += c.late;
	}
	assert_int_equal(sum.sent, run_sent(run));
	assert_int_equal(sum.sent, counter_get(&r->w.ports[0].opackets));
	assert_int_equal(sum.refused, run_refused(run));
	assert_int_equal(sum.late, run_late(run));
}

#define LAW(name) cmocka_unit_test_setup_teardown(name, worker_rig_init, worker_rig_fini)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		LAW(a_punctual_worker_has_no_lateness_and_no_jitter),
		LAW(a_constant_lateness_is_no_jitter),
		LAW(frames_of_a_burst_are_a_step_off_and_the_next_burst_makes_up_for_it),
		LAW(a_gap_in_the_schedule_is_looked_at_slot_by_slot),
		LAW(streams_are_kept_apart_as_long_as_there_are_few),
		LAW(many_streams_are_noted_together),
		LAW(without_a_schedule_there_is_nothing_to_be_late_for),
		LAW(an_overloaded_link_shows_in_each_stream),
	};

	return cmocka_run_group_tests(tests, rig_start, rig_stop);
}
