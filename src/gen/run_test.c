/* SPDX-License-Identifier: MIT */
#include "run.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/assert_near.h"
#include "base/assert_within.h"
#include "base/mem.h"

static const uint8_t own_mac[6] = {2, 0, 0, 0, 0, 1};
static const uint8_t peer_mac[6] = {2, 0, 0, 0, 0, 2};
static uint8_t frames[4][FRAME_MAX_SIZE];

/* A signed stream of 'size' bytes with FCS, in slot 'i' of 'frames'. */
static struct stream
stream_of(unsigned i, uint16_t size, double pps)
{
	struct frame_spec spec;
	struct err err;

	frame_spec_init(&spec);
	spec.size = size;
	assert_true(frame_build(&spec, frames[i], sizeof(frames[i]), &err) > 0);
	return (struct stream){
		.id = i + 1,
		.enabled = true,
		.self_start = true,
		.rate_kind = STREAM_PPS,
		.rate = pps,
		.len = (uint16_t)(size - FRAME_FCS),
		.frame = frames[i],
		.signature = true,
		.flows = 1,
		.next_id = -1,
	};
}

static struct run_conf
conf_of(double factor, double duration_s)
{
	return (struct run_conf){
		.n_queues = 1,
		.factor = factor,
		.speed_bps = 10e9,
		.duration_s = duration_s,
		.src_mac = own_mac,
		.dst_mac = peer_mac,
	};
}

static struct run *
run_of(const struct stream *s, size_t n, const struct run_conf *conf)
{
	struct jsonrpc_error e = {0};
	struct run *run = run_new(s, n, conf, &e);

	if (run == NULL)
		fail_msg("%s", e.specific);
	return run;
}

static void
assert_refused(const struct stream *s, size_t n, const struct run_conf *conf, const char *why)
{
	struct jsonrpc_error e = {0};

	assert_null(run_new(s, n, conf, &e));
	assert_string_equal(e.specific, why);
}

static double
ns_of(const struct run_time *t)
{
	return (double)t->ns + (double)t->frac / 4294967296.0;
}

static void
the_step_between_slots_is_the_inverse_of_the_rate(void **state)
{
	static const double rates[] = {0.001, 1, 7, 1000, 1e6, 1488095.238, 14880952.38, 1e9};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(rates); i++) {
		struct stream s = stream_of(0, 64, rates[i]);
		struct run_conf conf = conf_of(1, -1);
		struct run *run = run_of(&s, 1, &conf);

		assert_near(ns_of(&run->streams[0].step), 1e9 / rates[i], 1e-6);
		run_free(run);
	}
}

static void
the_factor_multiplies_rates_of_every_kind(void **state)
{
	/* 64 bytes at 10 Gb/s: 14 880 952 frames a second are 100 % of the line. */
	static const struct {
		enum stream_rate kind;
		double rate, factor, pps;
	} rates[] = {
		{STREAM_PPS, 1000, 2.5, 2500},
		{STREAM_BPS_L2, 51200, 10, 1000},
		{STREAM_BPS_L1, 67200, 10, 1000},
		{STREAM_PERCENT, 1, 50, 7440476.19},
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(rates); i++) {
		struct stream s = stream_of(0, 64, rates[i].rate);
		struct run_conf conf = conf_of(rates[i].factor, -1);
		struct run *run;

		s.rate_kind = rates[i].kind;
		run = run_of(&s, 1, &conf);
		assert_near(1e9 / ns_of(&run->streams[0].step), rates[i].pps, 0.01);
		run_free(run);
	}
}

/* 'n' steps, by doubling: advancing is addition, so it may take any step. */
static struct run_time
after_steps(const struct run_time *step, uint64_t n)
{
	struct run_time at = {0, 0}, power = *step;

	for (; n > 0; n >>= 1) {
		struct run_time same = power;

		if (n & 1)
			run_advance(&at, &power);
		run_advance(&power, &same);
	}
	return at;
}

static void
no_rate_drifts_over_a_thousand_million_slots(void **state)
{
	static const double rates[] = {7,
				       1000,
				       3e6,
				       148809.5238095238,
				       1488095.2380952381,
				       14880952.380952381,
				       999999.999,
				       59523809.5238,
				       333333333.3};
	const uint64_t slots = 1000000000;

	(void)state;
	for (size_t i = 0; i < N_ELEMS(rates); i++) {
		struct stream s = stream_of(0, 64, rates[i]);
		struct run_conf conf = conf_of(1, -1);
		struct run *run = run_of(&s, 1, &conf);
		struct run_time at = after_steps(&run->streams[0].step, slots);
		long double want = (long double)slots * 1e9L / (long double)rates[i];
		long double got = (long double)at.ns + (long double)at.frac / 4294967296.0L;

		/* Below one nanosecond, or as far as a double tells the step itself. */
		assert_true(fabsl(got - want) < 1.0L + want * 2.3e-16L);
		run_free(run);
	}
}

static void
each_slot_is_within_a_nanosecond_of_its_time(void **state)
{
	struct stream s = stream_of(0, 64, 1488095.238);
	struct run_conf conf = conf_of(1, -1);
	struct run *run = run_of(&s, 1, &conf);
	struct run_time at = {0, 0};

	(void)state;
	for (unsigned i = 0; i < 1000000; i++) {
		double want = i * (1e9 / 1488095.238);

		if (fabs(ns_of(&at) - want) > 1)
			fail_msg("slot %u: %f, not %f ns", i, ns_of(&at), want);
		run_advance(&at, &run->streams[0].step);
	}
	run_free(run);
}

static void
fractions_carry_into_nanoseconds(void **state)
{
	struct run_time at = {5, 0xffffffff}, step = {2, 1};

	(void)state;
	run_advance(&at, &step);
	assert_int_equal(at.ns, 8);
	assert_int_equal(at.frac, 0);
}

static void
a_duration_has_its_number_of_slots(void **state)
{
	static const struct {
		double pps, duration_s;
		uint64_t slots;
	} cases[] = {
		{1000, 1, 1000},
		{1000, 0.5, 500},
		{1e6, 10, 10000000},
		{3, 1, 3},
		{3, 0.3333333333, 1},
		{3, 0.34, 2},
		{0.5, 1, 1},
		{0.1, 100, 10},
		{1000, 0.0001, 1},
		{1000, 0, 0},
		{1488095.238, 2, 2976191},
		{1e9, 60, 60000000000ull},
		/* 0.1 is a little more than a tenth; that is no slot more. */
		{10, 0.1, 1},
		{30, 0.1, 3},
		{70, 0.1, 7},
		{1000, -1, UINT64_MAX},
		{1000, 1e300, UINT64_MAX},
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(cases); i++) {
		struct stream s = stream_of(0, 64, cases[i].pps);
		struct run_conf conf = conf_of(1, cases[i].duration_s);
		struct run *run = run_of(&s, 1, &conf);

		assert_int_equal(run->streams[0].slots_left, cases[i].slots);
		if (cases[i].slots == UINT64_MAX)
			assert_int_equal(run->duration_ns, UINT64_MAX);
		run_free(run);
	}
}

static void
all_slots_of_a_duration_lie_inside_it(void **state)
{
	unsigned seed = 3;

	(void)state;
	for (int round = 0; round < 2000; round++) {
		double pps = exp((double)rand_r(&seed) / RAND_MAX * 20);
		double duration_s = 0.001 + (double)rand_r(&seed) / RAND_MAX * 10;
		struct stream s = stream_of(0, 64, pps);
		struct run_conf conf = conf_of(1, duration_s);
		struct run *run = run_of(&s, 1, &conf);
		struct run_stream *rs = &run->streams[0];
		struct run_time last = after_steps(&rs->step, rs->slots_left - 1);
		struct run_time next = after_steps(&rs->step, rs->slots_left);

		assert_true(last.ns < run->duration_ns);
		assert_true(next.ns + 2 >= run->duration_ns);
		run_free(run);
	}
}

static void
bursts_have_their_own_number_and_gaps_come_first(void **state)
{
	struct stream s = stream_of(0, 64, 1000);
	struct run_conf conf = conf_of(1, 60);
	struct run *run;

	(void)state;
	s.mode = STREAM_SINGLE_BURST;
	s.total_pkts = 12345;
	s.isg_us = 10.5;
	run = run_of(&s, 1, &conf);
	assert_int_equal(run->streams[0].slots_left, 12345);
	assert_int_equal(run->streams[0].due.ns, 10500);
	run_free(run);
}

/* Slots of each stream among the first 'n' of the schedule: the earliest due goes first. */
static void
count_slots(struct run *run, unsigned n, unsigned *slots)
{
	for (unsigned k = 0; k < n; k++) {
		struct run_stream *best = &run->streams[0];

		for (uint16_t i = 1; i < run->n_streams; i++)
			if (run->streams[i].due.ns < best->due.ns)
				best = &run->streams[i];
		slots[best - run->streams]++;
		run_advance(&best->due, &best->step);
	}
}

static void
a_mix_keeps_its_proportions(void **state)
{
	static const uint16_t sizes[] = {64, 594, 1518};
	static const unsigned weights[] = {7, 4, 1};

	(void)state;
	/* Also without a schedule, where only the order of the slots counts. */
	for (int flat_out = 0; flat_out < 2; flat_out++) {
		struct stream s[3];
		struct run_conf conf = conf_of(1, 1);
		unsigned slots[3] = {0};
		struct run *run;

		conf.flat_out = flat_out;
		for (unsigned i = 0; i < 3; i++)
			s[i] = stream_of(i, sizes[i], 1e6 / 12 * weights[i]);
		run = run_of(s, 3, &conf);
		assert_int_equal(run->n_streams, 3);
		assert_int_equal(run->max_len, 1514);
		count_slots(run, 120000, slots);
		for (unsigned i = 0; i < 3; i++)
			assert_within(slots[i], 10000 * weights[i] - 3, 10000 * weights[i] + 3);
		run_free(run);
	}
}

static void
the_slots_of_a_mix_add_up(void **state)
{
	static const unsigned weights[] = {7, 4, 1};
	struct run_conf conf = conf_of(1.2, 10);
	struct stream s[3];
	struct run *run;
	uint64_t sum = 0;

	(void)state;
	for (unsigned i = 0; i < 3; i++)
		s[i] = stream_of(i, 64, 1e5 / 12 * weights[i]);
	run = run_of(s, 3, &conf);
	for (unsigned i = 0; i < 3; i++)
		sum += run->streams[i].slots_left;
	assert_int_equal(sum, 1200000);
	run_free(run);
}

static void
impossible_rates_are_refused(void **state)
{
	struct stream slow = stream_of(0, 64, 0.0009), fast = stream_of(1, 64, 1.1e9);
	struct run_conf conf = conf_of(1, 1);

	(void)state;
	assert_refused(&slow, 1, &conf,
		       "stream 1: 0.0009 frames a second is not within 0.001 and 1e9");
	assert_refused(&fast, 1, &conf,
		       "stream 2: 1.1e+09 frames a second is not within 0.001 and 1e9");
	conf.factor = 0;
	assert_refused(&fast, 1, &conf, "stream 2: 0 frames a second is not within 0.001 and 1e9");
	conf.factor = 1.0 / 0.0;
	assert_refused(&fast, 1, &conf,
		       "stream 2: inf frames a second is not within 0.001 and 1e9");
}

static void
only_enabled_streams_run_and_each_has_to_come_to_its_turn(void **state)
{
	struct stream s[3] = {stream_of(0, 64, 1000), stream_of(1, 128, 1000),
			      stream_of(2, 256, 1000)};
	struct run_conf conf = conf_of(1, 1);
	struct run *run;

	(void)state;
	s[0].enabled = false;
	s[2].self_start = false;
	assert_refused(s, 3, &conf, "stream 3 is unreachable from any other stream");
	/* Its own end starts it, but who begins? */
	s[2].mode = STREAM_SINGLE_BURST;
	s[2].total_pkts = 2;
	s[2].next_id = 3;
	assert_refused(s, 3, &conf, "stream 3 is unreachable from any other stream");
	/* The stream before it has no end, so that it would not help, but TRex lets that pass. */
	s[1].next_id = 3;
	run = run_of(s, 3, &conf);
	assert_int_equal(run->lane[0].heap.n, 1);
	run_free(run);
	s[1].next_id = 9;
	assert_refused(s, 3, &conf, "stream 2: its next stream 9 is not in the profile");
	s[1].next_id = -1;
	s[2].enabled = false;
	run = run_of(s, 3, &conf);
	assert_int_equal(run->n_streams, 1);
	assert_int_equal(run->streams[0].len, 124);
	run_free(run);
	s[1].enabled = false;
	assert_refused(s, 3, &conf, "no stream is enabled");
	assert_refused(NULL, 0, &conf, "no stream is enabled");
}

static void
addresses_of_the_port_go_in_unless_the_stream_keeps_its_own(void **state)
{
	struct stream s = stream_of(0, 64, 1000);
	struct run_conf conf = conf_of(1, 1);
	uint8_t given[12];

	(void)state;
	memcpy(given, s.frame, 12);
	for (int keep = 0; keep < 4; keep++) {
		struct run *run;

		s.keep_src_mac = keep & 1;
		s.keep_dst_mac = keep & 2;
		run = run_of(&s, 1, &conf);
		assert_memory_equal(run->streams[0].frame, keep & 2 ? given : peer_mac, 6);
		assert_memory_equal(run->streams[0].frame + 6, keep & 1 ? given + 6 : own_mac, 6);
		assert_memory_equal(run->streams[0].tmpl.head, run->streams[0].frame, 12);
		/* The stream may start again with other addresses. */
		assert_memory_equal(s.frame, given, 12);
		run_free(run);
	}
}

static void
patience_fits_rate_and_signature(void **state)
{
	struct run_conf conf = conf_of(1, 1);

	(void)state;
	/* One frame or 10 us, whichever is longer; what is 10 ms late is not sent, unless frames
	 * are further apart than that. */
	for (double pps = 1; pps <= 1e8; pps *= 10) {
		struct stream s = stream_of(0, 64, pps);
		struct run *run = run_of(&s, 1, &conf);

		assert_int_equal(run->wait_ns, pps < 1e5 ? (uint64_t)(1e9 / pps) : 10000);
		assert_int_equal(run->late_ns, run->wait_ns > 10000000 ? run->wait_ns : 10000000);
		run_free(run);
	}
}

static void
only_the_usual_payload_may_stay_in_a_buffer(void **state)
{
	struct stream s = stream_of(0, 200, 1000);
	struct run_conf conf = conf_of(1, 1);
	struct run *run = run_of(&s, 1, &conf);

	(void)state;
	assert_true(run->streams[0].usual_payload);
	run_free(run);
	/* The signature's own bytes do not matter, the last byte does. */
	memset(s.frame + 42, 'x', SIG_SIZE);
	run = run_of(&s, 1, &conf);
	assert_true(run->streams[0].usual_payload);
	run_free(run);
	s.frame[s.len - 1] ^= 1;
	run = run_of(&s, 1, &conf);
	assert_false(run->streams[0].usual_payload);
	run_free(run);
	/* Nothing lies behind the signature of the smallest frame. */
	s = stream_of(0, 64, 1000);
	run = run_of(&s, 1, &conf);
	assert_true(run->streams[0].usual_payload);
	run_free(run);
}

static void
a_run_sums_what_its_streams_saw(void **state)
{
	static const uint32_t seen[] = {0, 1, 3, 2, 3, 7};
	struct stream s[3] = {stream_of(0, 64, 1000), stream_of(1, 64, 1000),
			      stream_of(2, 64, 1000)};
	struct run_conf conf = conf_of(1, 1);
	struct run *run;

	(void)state;
	s[1].signature = false;
	run = run_of(s, 3, &conf);
	for (unsigned i = 0; i < 3; i++)
		run->streams[i].seq = 10;
	for (size_t i = 0; i < N_ELEMS(seen); i++) {
		seqtrack_add(&run->streams[0].track, seen[i]);
		seqtrack_add(&run->streams[2].track, seen[i]);
	}
	/* 4, 5, 6, 8 and 9 never came, in each of the two; of the unsigned one nothing is known. */
	assert_int_equal(run_never_seen(run), 10);
	assert_int_equal(run_reordered(run), 2);
	assert_int_equal(run_repeated(run), 2);
	run_free(run);
	run_free(NULL);
}

/* The lane that has the stream with this id; -1 unless it is one. */
static int
lane_of(const struct run *run, uint32_t id)
{
	int found = -1, n = 0;

	for (uint16_t q = 0; q < run->n_lanes; q++)
		for (uint16_t i = 0; i < run->lane[q].n_streams; i++)
			if (run->lane[q].streams[i].id == id) {
				found = q;
				n++;
			}
	return n == 1 ? found : -1;
}

static void
a_chain_stays_in_one_lane(void **state)
{
	struct stream s[4] = {stream_of(0, 64, 1000), stream_of(1, 64, 1000),
			      stream_of(2, 64, 1000), stream_of(3, 64, 1000)};
	struct run_conf conf = conf_of(1, -1);
	unsigned n_moved = 0;

	(void)state;
	conf.n_queues = 4;
	for (unsigned i = 0; i < 4; i++) {
		s[i].signature = i == 1;
		s[i].flows = i == 1 ? 64 : 1;
		s[i].mode = STREAM_SINGLE_BURST;
		s[i].total_pkts = 10;
		s[i].next_id = i < 2 ? (int64_t)i + 2 : -1;
	}
	for (uint8_t port = 0; port < 16; port++) {
		struct run *run;

		for (unsigned i = 0; i < 4; i++)
			s[i].frame[35] = (uint8_t)(16 * i + port);
		run = run_of(s, 4, &conf);
		assert_true(lane_of(run, 1) >= 0);
		assert_int_equal(lane_of(run, 2), lane_of(run, 1));
		assert_int_equal(lane_of(run, 3), lane_of(run, 1));
		n_moved += lane_of(run, 4) != lane_of(run, 1);
		assert_int_equal(run->streams[0].sig_word, sig_stream_word(0));
		run_free(run);
	}
	assert_true(n_moved > 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_step_between_slots_is_the_inverse_of_the_rate),
		cmocka_unit_test(the_factor_multiplies_rates_of_every_kind),
		cmocka_unit_test(no_rate_drifts_over_a_thousand_million_slots),
		cmocka_unit_test(each_slot_is_within_a_nanosecond_of_its_time),
		cmocka_unit_test(fractions_carry_into_nanoseconds),
		cmocka_unit_test(a_duration_has_its_number_of_slots),
		cmocka_unit_test(all_slots_of_a_duration_lie_inside_it),
		cmocka_unit_test(bursts_have_their_own_number_and_gaps_come_first),
		cmocka_unit_test(a_mix_keeps_its_proportions),
		cmocka_unit_test(the_slots_of_a_mix_add_up),
		cmocka_unit_test(impossible_rates_are_refused),
		cmocka_unit_test(only_enabled_streams_run_and_each_has_to_come_to_its_turn),
		cmocka_unit_test(addresses_of_the_port_go_in_unless_the_stream_keeps_its_own),
		cmocka_unit_test(patience_fits_rate_and_signature),
		cmocka_unit_test(only_the_usual_payload_may_stay_in_a_buffer),
		cmocka_unit_test(a_run_sums_what_its_streams_saw),
		cmocka_unit_test(a_chain_stays_in_one_lane),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
