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
#include "base/test_random.h"
#include "worker_rig.h"

/* The books of each stream: every slot of its schedule is sent, refused or late, and what is
 * counted as sent has left. */

#define US 1000ull
#define MS 1000000ull
#define AT_ID 20 /* offset of a byte that tells the stream */

/* A stream that nothing leads to would be refused: it starts by itself. */
static void
lead_to_all(struct stream *s, unsigned n)
{
	bool reached[16] = {false};

	for (unsigned i = 0; i < n; i++) {
		if (s[i].self_start)
			for (int64_t k = i + 1; k > 0 && !reached[k - 1]; k = s[k - 1].next_id)
				reached[k - 1] = true;
	}
	for (unsigned i = 0; i < n; i++)
		s[i].self_start |= !reached[i];
}

static void
random_streams(struct stream *s, unsigned n)
{
	static uint8_t frames[16][60];

	for (unsigned i = 0; i < n; i++) {
		frames[i][AT_ID] = (uint8_t)(i + 1);
		s[i] = (struct stream){
			.id = i + 1,
			.enabled = true,
			.self_start = i == 0 || rng_below(2),
			.dummy = rng_below(8) == 0,
			.mode = (enum stream_mode)rng_below(3),
			.total_pkts = 1 + rng_below(200),
			.pkts_per_burst = 1 + rng_below(40),
			.bursts = rng_below(5),
			.ibg_us = 1 + rng_below(100),
			.isg_us = 1 + rng_below(100),
			.rate = 1000.0 * (1 + rng_below(2000)),
			.next_id = rng_below(3) == 0 ? -1 : (int64_t)(1 + rng_below(n)),
			.action_count = rng_below(5),
			.len = 60,
			.frame = frames[i],
			.keep_src_mac = true,
			.keep_dst_mac = true,
			.flows = 1,
		};
	}
	lead_to_all(s, n);
}

/* Each frame that left is one that was counted as sent, of its stream. */
static void
count_frames(struct worker_rig *r, unsigned most, uint64_t *sent)
{
	struct rte_mbuf *m;

	for (unsigned i = 0; i < most && (m = rig_take(r->port[0].out)) != NULL; i++) {
		sent[rte_pktmbuf_mtod(m, uint8_t *)[AT_ID]]++;
		rte_pktmbuf_free(m);
	}
}

static void
assert_ledgers(const struct run *run, const uint64_t *sent)
{
	struct run_counters sum = {0};

	for (uint32_t id = 1; id <= 16; id++) {
		struct run_counters c;

		if (!run_stream_counters(run, id, &c))
			continue;
		assert_int_equal(c.intended, c.sent + c.refused + c.late);
		assert_int_equal(c.sent, sent[id]);
		assert_int_equal(c.sent_bytes, 64 * c.sent);
		sum.intended += c.intended;
		sum.sent += c.sent;
		sum.refused += c.refused;
		sum.late += c.late;
	}
	assert_int_equal(sum.intended, run_intended(run));
	assert_int_equal(sum.sent, run_sent(run));
	assert_int_equal(sum.refused, run_refused(run));
	assert_int_equal(sum.late, run_late(run));
}

static void
each_streams_slots_add_up(void **state)
{
	struct worker_rig *r = *state;
	uint64_t all_refused = 0, all_late = 0;

	worker_rig_open(r, 40, WORKER_RIG_ROOM);
	for (unsigned seed = 1; seed <= 150; seed++) {
		const unsigned n = 1 + seed % 16;
		const struct run_conf conf = {
			.n_queues = 1,
			.factor = 1,
			.speed_bps = 10e9,
			.duration_s = seed % 3 == 0 ? 0.004 : -1,
			.src_mac = r->w.ports[0].addr,
			.dst_mac = r->w.ports[0].dest,
		};
		uint64_t sent[256] = {0};
		struct stream s[16];
		struct jsonrpc_error e;
		struct run *run;
		unsigned most;

		rng_state = seed * 0x9e3779b97f4a7c15ull;
		random_streams(s, n);
		run = run_new(s, n, &conf, &e);
		assert_non_null(run);
		most = 1 + rng_below(rng_below(2) == 0 ? 3 : 40);
		worker_rig_take(r, 0, 0, run);
		for (unsigned i = 0; i < 3000 && run->state != RUN_SENT; i++) {
			uint64_t step_ns =
				rng_below(1000) == 0 ? rng_below(12 * MS) : rng_below(3000);

			if (rng_below(400) == 0)
				assert_int_equal(run_pause(run, rng_below(2), &e), 0);
			if (rng_below(400) == 0)
				assert_int_equal(run_set_factor(run, 0.5 + rng_unit(), NULL, 0, &e),
						 0);
			worker_rig_transmit(r, step_ns);
			count_frames(r, rng_below(most), sent);
		}
		run_request_stop(run);
		worker_rig_transmit(r, US);
		assert_int_equal(run->state, RUN_SENT);
		count_frames(r, UINT32_MAX, sent);
		assert_ledgers(run, sent);
		all_refused += run_refused(run);
		all_late += run_late(run);
		worker_rig_take(r, 0, 0, NULL);
		run_free(run);
	}
	print_message("# %lu refused, %lu late\n", all_refused, all_late);
	assert_true(all_refused > 10000 && all_late > 10000);
}

static void
twenty_thousand_streams_have_their_rates(void **state)
{
	struct worker_rig *r = *state;
	const struct run_conf conf = {
		.n_queues = 1,
		.factor = 1,
		.speed_bps = 10e9,
		.duration_s = 0.1,
		.src_mac = r->w.ports[0].addr,
		.dst_mac = r->w.ports[0].dest,
	};
	struct stream *s = xcalloc(STREAM_MAX + 1, sizeof(*s));
	uint8_t frame[60] = {0};
	struct jsonrpc_error e;
	struct run *run;

	worker_rig_open(r, WORKER_RIG_ROOM, WORKER_RIG_ROOM);
	for (unsigned i = 0; i <= STREAM_MAX; i++)
		s[i] = (struct stream){
			.id = i,
			.enabled = true,
			.self_start = true,
			.rate = 10 + 10 * (i % 5),
			.isg_us = i,
			.next_id = -1,
			.len = sizeof(frame),
			.frame = frame,
			.flows = 1,
		};
	assert_null(run_new(s, STREAM_MAX + 1, &conf, &e));
	assert_string_equal(e.specific, "more than 20000 streams");
	run = run_new(s, STREAM_MAX, &conf, &e);
	assert_non_null(run);
	worker_rig_take(r, 0, 0, run);
	for (unsigned i = 0; i < 200000 && run->state != RUN_SENT; i++) {
		worker_rig_transmit(r, 5 * US);
		rig_discard(r->port[0].out, WORKER_RIG_ROOM);
	}
	assert_int_equal(run->end, RUN_END_DURATION);
	for (unsigned i = 0; i < STREAM_MAX; i++) {
		double slots = (0.1 - i * 1e-6) * (10 + 10 * (i % 5));
		struct run_counters c;

		assert_true(run_stream_counters(run, i, &c));
		assert_within(c.sent, (uint64_t)slots, (uint64_t)slots + 1);
		assert_int_equal(c.sent, c.intended);
	}
	worker_rig_take(r, 0, 0, NULL);
	run_free(run);
	free(s);
}

#define LAW(name) cmocka_unit_test_setup_teardown(name, worker_rig_init, worker_rig_fini)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		LAW(each_streams_slots_add_up),
		LAW(twenty_thousand_streams_have_their_rates),
	};

	return cmocka_run_group_tests(tests, rig_start, rig_stop);
}
