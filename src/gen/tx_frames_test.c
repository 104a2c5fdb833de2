/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <rte_ethdev.h>

#include "base/mem.h"
#include "base/test_random.h"
#include "pkt/cksum.h"
#include "vm.h"
#include "worker_rig.h"

/* What frames without a signature look like: as given, as their program makes them, with the marks
 * and trailers of those that are counted and measured, whatever the link did not take. */

#define US 1000ull

/* A counter from 1 to 50000 in two bytes at 50, and a checksum that fits. */
static const char counting[] =
	"{\"instructions\": [{\"type\": \"flow_var\", \"name\": \"n\", \"size\": 2, \"op\": "
	"\"inc\", \"init_value\": 1, \"min_value\": 1, \"max_value\": 50000, \"step\": 1}, "
	"{\"type\": \"write_flow_var\", \"name\": \"n\", \"pkt_offset\": 50, \"add_value\": 0, "
	"\"is_big_endian\": true}, {\"type\": \"fix_checksum_ipv4\", \"pkt_offset\": 14}]}";
static const char trimming[] =
	"{\"instructions\": [{\"type\": \"flow_var\", \"name\": \"n\", \"size\": 2, \"op\": "
	"\"inc\", \"init_value\": 60, \"min_value\": 60, \"max_value\": 66, \"step\": 1}, "
	"{\"type\": \"trim_pkt_size\", \"name\": \"n\"}]}";

static struct stream *
add(struct worker_rig *r, uint16_t len, double pps, const char *program)
{
	uint8_t frame[FRAME_MAX_SIZE];
	struct frame_spec spec;
	struct stream *s;
	struct err err;

	frame_spec_init(&spec);
	spec.size = (uint16_t)(len + FRAME_FCS);
	assert_true(frame_build(&spec, frame, sizeof(frame), &err) > 0);
	s = worker_rig_add_raw(r, frame, len, pps);
	if (program != NULL) {
		json_t *object = json_loads(program, 0, NULL);
		struct jsonrpc_error e;

		assert_non_null(object);
		if (vm_parse(&s->vm, object, s->frame, s->len, &e) < 0)
			fail_msg("%s", e.specific);
		s->vm_users = xcalloc(1, sizeof(*s->vm_users));
		*s->vm_users = 1;
		json_decref(object);
	}
	return s;
}

static unsigned
counted(const struct rte_mbuf *m)
{
	const uint8_t *data = rte_pktmbuf_mtod(m, const uint8_t *);

	return (unsigned)(data[50] << 8 | data[51]);
}

/* Sends for a while over a link that takes few frames, and lets 'look' see each. */
static void
send_some(struct worker_rig *r, unsigned rounds, unsigned most,
	  void (*look)(const struct rte_mbuf *m, unsigned i))
{
	struct rte_mbuf *m;
	unsigned n = 0;

	for (unsigned k = 0; k < rounds; k++) {
		worker_rig_transmit(r, rng_below(3000));
		for (unsigned i = rng_below(most + 1); i > 0 && (m = rig_take(r->port[0].out));
		     i--) {
			look(m, n++);
			/* Functions on the way do with headers what they like. */
			memset(rte_pktmbuf_mtod(m, uint8_t *), (int)rng(), 42);
			rte_pktmbuf_free(m);
		}
	}
}

static void
look_at_count(const struct rte_mbuf *m, unsigned i)
{
	const uint8_t *data = rte_pktmbuf_mtod(m, const uint8_t *);

	assert_int_equal(counted(m), 1 + i % 50000);
	assert_int_equal(cksum_finish(cksum_add(0, data + 14, FRAME_IPV4)), 0);
}

static void
programs_lose_no_value_to_frames_that_are_given_up(void **state)
{
	struct worker_rig *r = *state;
	struct run *run;

	worker_rig_open(r, 12, WORKER_RIG_ROOM);
	add(r, 60, 2e6, counting);
	run = worker_rig_start(r, 0, -1, false);
	send_some(r, 20000, 4, look_at_count);
	assert_true(run_refused(run) > 5000 && run_sent(run) > 5000);
}

static uint64_t seen_of[2];

static void
look_at_either(const struct rte_mbuf *m, unsigned i)
{
	unsigned stream = m->data_len == 60 ? 0 : 1;

	(void)i;
	assert_int_equal(counted(m), 1 + seen_of[stream]++ % 50000);
}

static void
programs_of_several_streams_keep_apart(void **state)
{
	struct worker_rig *r = *state;

	worker_rig_open(r, 12, WORKER_RIG_ROOM);
	add(r, 60, 1.1e6, counting);
	add(r, 300, 7e5, counting);
	worker_rig_start(r, 0, -1, false);
	memset(seen_of, 0, sizeof(seen_of));
	send_some(r, 20000, 4, look_at_either);
	assert_true(seen_of[0] > 3000 && seen_of[1] > 3000);
}

static unsigned trimmed_bytes;

static void
look_at_length(const struct rte_mbuf *m, unsigned i)
{
	assert_int_equal(m->pkt_len, 60 + i % 7);
	assert_int_equal(m->data_len, 60 + i % 7);
	trimmed_bytes += m->pkt_len + FRAME_FCS;
}

static void
frames_that_are_trimmed_count_with_their_length(void **state)
{
	struct worker_rig *r = *state;
	struct run_counters c;
	struct run *run;

	worker_rig_open(r, 12, WORKER_RIG_ROOM);
	add(r, 200, 1e6, trimming);
	run = worker_rig_start(r, 0, -1, false);
	trimmed_bytes = 0;
	send_some(r, 5000, 4, look_at_length);
	run_request_stop(run);
	worker_rig_transmit(r, US);
	for (struct rte_mbuf *m; (m = rig_take(r->port[0].out)) != NULL; rte_pktmbuf_free(m))
		trimmed_bytes += m->pkt_len + FRAME_FCS;
	assert_int_equal(counter_get(&run->sent_bytes), trimmed_bytes);
	assert_true(run_stream_counters(run, 1, &c));
	assert_int_equal(c.sent_bytes, trimmed_bytes);
	assert_true(c.sent > 1000);
}

static void
look_at_trailer(const struct rte_mbuf *m, unsigned i)
{
	const uint8_t *data = rte_pktmbuf_mtod(m, const uint8_t *);
	struct trailer t;

	assert_true(trailer_read(data + m->data_len - TRAILER_SIZE, &t));
	assert_int_equal(t.seq, 0xfffffffeu + i);
	assert_int_equal(t.hw_id, 5);
	assert_int_equal(t.flow_seq, 3);
	assert_int_equal(classify_id(data, m->data_len), CLASSIFY_ID_LATENCY);
	assert_int_equal(data[15] & 1, 1);
	assert_int_equal(cksum_finish(cksum_add(0, data + 14, FRAME_IPV4)), 0);
}

static void
latency_streams_number_what_was_sent(void **state)
{
	struct worker_rig *r = *state;
	/* With a program, the mark is written behind it each time. */
	static const char *const programs[] = {NULL, counting};

	for (unsigned i = 0; i < 2; i++) {
		struct stream *s;
		struct run *run;

		worker_rig_open(r, 12, WORKER_RIG_ROOM);
		s = add(r, 124, 2e6, programs[i]);
		s->rule = RULE_LATENCY;
		s->hw_id = 5;
		s->flow_seq = 3;
		run = worker_rig_start(r, 0, -1, false);
		send_some(r, 4000, 4, look_at_trailer);
		assert_true(run_refused(run) > 1000 && run_sent(run) > 1000);
		worker_rig_fini(state);
		worker_rig_init(state);
		r = *state;
	}
}

static void
look_at_mark(const struct rte_mbuf *m, unsigned i)
{
	const uint8_t *data = rte_pktmbuf_mtod(m, const uint8_t *);

	(void)i;
	assert_int_equal(classify_id(data, m->data_len), CLASSIFY_ID_BASE + 77);
	assert_int_equal(cksum_finish(cksum_add(0, data + 14, FRAME_IPV4)), 0);
}

static void
streams_that_are_counted_are_marked(void **state)
{
	struct worker_rig *r = *state;
	struct stream *s;

	worker_rig_open(r, 12, WORKER_RIG_ROOM);
	s = add(r, 60, 1e6, NULL);
	s->rule = RULE_STATS;
	s->hw_id = 77;
	s = add(r, 60, 1e6, counting);
	s->rule = RULE_STATS;
	s->hw_id = 77;
	worker_rig_start(r, 0, -1, false);
	send_some(r, 2000, 8, look_at_mark);
}

static void
a_trailer_needs_room(void **state)
{
	struct worker_rig *r = *state;
	const struct run_conf conf = {.n_queues = 1,
				      .factor = 1,
				      .speed_bps = 10e9,
				      .duration_s = -1,
				      .src_mac = r->w.ports[0].addr,
				      .dst_mac = r->w.ports[0].dest};
	struct jsonrpc_error e;
	uint8_t vlans[60];

	worker_rig_open(r, 12, WORKER_RIG_ROOM);
	add(r, 60, 1e6, NULL)->rule = RULE_LATENCY;
	memcpy(vlans, r->streams[0].frame, sizeof(vlans));
	memmove(vlans + 16, vlans + 12, 44);
	memcpy(vlans + 12, (uint8_t[]){0x81, 0, 0, 7}, 4);
	memcpy(r->streams[0].frame, vlans, sizeof(vlans));
	assert_null(run_new(r->streams, 1, &conf, &e));
	assert_string_equal(e.specific, "Need at least 16 payload bytes for payload rules. Packet "
					"only has 14 bytes");
}

#define LAW(name) cmocka_unit_test_setup_teardown(name, worker_rig_init, worker_rig_fini)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		LAW(programs_lose_no_value_to_frames_that_are_given_up),
		LAW(programs_of_several_streams_keep_apart),
		LAW(frames_that_are_trimmed_count_with_their_length),
		LAW(latency_streams_number_what_was_sent),
		LAW(streams_that_are_counted_are_marked),
		LAW(a_trailer_needs_room),
	};

	return cmocka_run_group_tests(tests, rig_start, rig_stop);
}
