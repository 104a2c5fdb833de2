/* SPDX-License-Identifier: MIT */
#include "worker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "latency.h"
#include "service.h"
#include "worker_rig.h"

#define LEN 80
#define PG_ID 7
#define SENT_NS 1000000
#define TOOK_NS 20000 /* on its way */

/* A group in the rig, and a frame of it. */
struct watched {
	struct pgid_table *table;
	struct stream stream;
	uint8_t frame[LEN];
};

static void
watch(struct worker_rig *r, struct watched *w, enum stream_rule rule)
{
	struct jsonrpc_error e = {0};
	struct frame_spec spec;
	struct classify_ip ip;
	struct err err;

	worker_rig_open(r, WORKER_RIG_ROOM, WORKER_RIG_ROOM);
	w->table = pgid_open(&r->w.pgid);
	frame_spec_init(&spec);
	spec.size = LEN + FRAME_FCS;
	assert_true(frame_build(&spec, w->frame, LEN, &err) > 0);
	w->stream = (struct stream){
		.id = 1, .pg_id = PG_ID, .rule = rule, .frame = w->frame, .len = LEN};
	assert_int_equal(pgid_add(w->table, &w->stream, &e), 0);
	assert_true(classify_ip(w->frame, LEN, &ip));
	classify_mark(w->frame, &ip,
		      rule == RULE_LATENCY ? CLASSIFY_ID_LATENCY
					   : (uint16_t)(CLASSIFY_ID_BASE + w->stream.hw_id));
}

/* Puts the frame's first 'len' bytes into port 'id', in two segments if 'cut' is not 0. */
static void
put(struct worker_rig *r, unsigned id, const uint8_t *bytes, uint16_t len, uint16_t cut)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(r->w.rx_pool), *rest;
	const uint16_t n = cut != 0 ? cut : len;

	assert_non_null(m);
	memcpy(rte_pktmbuf_append(m, n), bytes, n);
	if (n < len) {
		rest = rte_pktmbuf_alloc(r->w.rx_pool);
		assert_non_null(rest);
		memcpy(rte_pktmbuf_append(rest, (uint16_t)(len - n)), bytes + n, len - n);
		assert_int_equal(rte_pktmbuf_chain(m, rest), 0);
	}
	assert_int_equal(rte_ring_enqueue(r->port[id].in, m), 0);
}

static json_int_t
told(const struct watched *w, const char *list, const char *what, const char *port)
{
	json_t *all = pgid_stats(w->table, NULL, 0, false);
	const json_t *group = json_object_get(json_object_get(all, list), "7");
	json_int_t n = json_integer_value(json_object_get(json_object_get(group, what), port));

	json_decref(all);
	return n;
}

static void
forget(struct watched *w)
{
	pgid_remove(w->table, &w->stream);
	pgid_close(w->table);
}

static void
frames_of_groups_are_counted_where_they_arrive(void **state)
{
	struct worker_rig *r = *state;
	struct watched w;

	watch(r, &w, RULE_STATS);
	for (unsigned i = 0; i < 100; i++)
		put(r, i % 4 == 0, w.frame, LEN, 0);
	worker_rig_receive(r);
	assert_int_equal(told(&w, "flow_stats", "rp", "0"), 75);
	assert_int_equal(told(&w, "flow_stats", "rp", "1"), 25);
	assert_int_equal(told(&w, "flow_stats", "rb", "1"), 25 * (LEN + FRAME_FCS));
	/* They are counted and freed as ever. */
	assert_int_equal(counter_get(&r->w.ports[0].ipackets), 75);
	assert_int_equal(counter_get(&r->w.ports[1].ipackets), 25);
	forget(&w);
}

static void
without_groups_nothing_is_looked_at(void **state)
{
	struct worker_rig *r = *state;
	struct watched w;
	const uint8_t *bytes;

	watch(r, &w, RULE_STATS);
	pgid_remove(w.table, &w.stream);
	put(r, 0, w.frame, LEN, 0);
	worker_rig_receive(r);
	for (unsigned k = 0; k < CLASSIFY_N_STATS; k++)
		assert_int_equal(counter_get(&r->w.pgid.stats[0][k].pkts), 0);
	assert_int_equal(counter_get(&r->w.ports[0].ipackets), 1);
	assert_null(copy_ring_peek(&r->w.copies, &bytes));
	pgid_close(w.table);
}

/* The trailer is found also where a driver left it in two pieces. */
static void
a_trailer_may_lie_in_two_segments(void **state)
{
	struct worker_rig *r = *state;
	struct watched w;
	uint32_t seq = 0;
	json_t *all;
	const json_t *group;

	watch(r, &w, RULE_LATENCY);
	pgid_start(w.table, &w.stream);
	r->now_ns = SENT_NS;
	for (uint16_t cut = 0; cut < LEN; cut = (uint16_t)(cut < 42 ? 42 : cut + 1)) {
		/* Times are of the rig's TSC, which began before its clock. */
		latency_stamp(w.frame, LEN, w.stream.hw_id, w.stream.flow_seq, seq++,
			      1000000 + r->now_ns);
		r->now_ns += TOOK_NS;
		put(r, 1, w.frame, LEN, cut);
		worker_rig_receive(r);
	}
	assert_true(seq > 30);
	assert_int_equal(counter_get(&r->w.pgid.bad_header), 0);
	assert_int_equal(counter_get(&r->w.pgid.timed[1][w.stream.hw_id].pkts), seq);
	all = pgid_stats(w.table, NULL, 0, false);
	group = json_object_get(json_object_get(all, "latency"), "7");
	assert_int_equal(
		json_integer_value(json_object_get(json_object_get(group, "err_cntrs"), "drp")), 0);
	assert_int_equal(
		json_integer_value(json_object_get(json_object_get(group, "lat"), "total_min")),
		TOOK_NS / 1000);
	json_decref(all);
	forget(&w);
}

static void
frames_too_short_for_a_trailer_are_none_of_the_group(void **state)
{
	struct worker_rig *r = *state;
	struct watched w;

	watch(r, &w, RULE_LATENCY);
	pgid_start(w.table, &w.stream);
	for (uint16_t len = 1; len < LEN; len++)
		put(r, 0, w.frame, len, len > 20 ? 20 : 0);
	worker_rig_receive(r);
	assert_int_equal(counter_get(&r->w.pgid.timed[0][w.stream.hw_id].pkts), 0);
	assert_int_equal(counter_get(&r->w.ports[0].ipackets), LEN - 1);
	forget(&w);
}

static void
copies_are_of_the_ports_that_are_asked_for(void **state)
{
	struct worker_rig *r = *state;
	const struct copy_head *h;
	const uint8_t *bytes;
	struct watched w;

	watch(r, &w, RULE_STATS);
	for (uint32_t ports = 0; ports < 4; ports++) {
		unsigned n[GEN_PORTS] = {0};

		atomic_store(&r->w.rx_copied, ports);
		for (unsigned i = 0; i < 40; i++)
			put(r, i % 4 == 0, w.frame, LEN, i % 3 == 0 ? 50 : 0);
		worker_rig_receive(r);
		while ((h = copy_ring_peek(&r->w.copies, &bytes)) != NULL) {
			n[h->port]++;
			assert_int_equal(h->len, LEN);
			assert_memory_equal(bytes, w.frame, LEN);
			copy_ring_next(&r->w.copies);
		}
		assert_int_equal(n[0], ports & 1 ? 30 : 0);
		assert_int_equal(n[1], ports & 2 ? 10 : 0);
	}
	/* And the groups' counts are what they were. */
	assert_int_equal(told(&w, "flow_stats", "rp", "0"), 4 * 30);
	forget(&w);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, worker_rig_init, worker_rig_fini)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(frames_of_groups_are_counted_where_they_arrive),
		TEST(without_groups_nothing_is_looked_at),
		TEST(a_trailer_may_lie_in_two_segments),
		TEST(frames_too_short_for_a_trailer_are_none_of_the_group),
		TEST(copies_are_of_the_ports_that_are_asked_for),
	};

	return cmocka_run_group_tests(tests, rig_start, rig_stop);
}
