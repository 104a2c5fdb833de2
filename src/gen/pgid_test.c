/* SPDX-License-Identifier: MIT */
#include "pgid.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/assert_near.h"
#include "base/mem.h"
#include "base/test_random.h"

#define HZ 1000000000u

static struct pgid_rx *rx;
static struct pgid_table *table;
static uint8_t udp[80];

static int
begin(void **state)
{
	struct frame_spec spec;
	struct err err;

	(void)state;
	rx = xcalloc(1, sizeof(*rx));
	table = pgid_open(rx);
	frame_spec_init(&spec);
	spec.size = sizeof(udp) + FRAME_FCS;
	return frame_build(&spec, udp, sizeof(udp), &err) > 0 ? 0 : -1;
}

static int
end(void **state)
{
	(void)state;
	pgid_close(table);
	free(rx);
	return 0;
}

static struct stream
stream_of(uint32_t pg_id, enum stream_rule rule)
{
	return (struct stream){
		.id = 1, .pg_id = pg_id, .rule = rule, .frame = udp, .len = sizeof(udp)};
}

static uint16_t
must_add(uint32_t pg_id, enum stream_rule rule)
{
	struct stream s = stream_of(pg_id, rule);
	struct jsonrpc_error e;

	assert_int_equal(pgid_add(table, &s, &e), 0);
	return s.hw_id;
}

static void
assert_refused(struct stream *s, const char *why)
{
	struct jsonrpc_error e;

	assert_int_equal(pgid_add(table, s, &e), -22);
	assert_int_equal(e.code, JSONRPC_FAILED);
	assert_string_equal(e.specific, why);
}

static void
receive(unsigned port, enum stream_rule rule, uint16_t hw_id, uint8_t flow_seq, uint32_t seq)
{
	const uint16_t stats = (uint16_t)(CLASSIFY_ID_BASE + hw_id);
	uint8_t frame[sizeof(udp)];
	struct classify_ip ip;

	memcpy(frame, udp, sizeof(frame));
	if (rule != RULE_NONE && classify_ip(frame, sizeof(frame), &ip))
		classify_mark(frame, &ip, rule == RULE_LATENCY ? CLASSIFY_ID_LATENCY : stats);
	if (rule == RULE_LATENCY)
		latency_stamp(frame, sizeof(frame), hw_id, flow_seq, seq, 5 * (uint64_t)HZ);
	pgid_receive(rx, port, frame, sizeof(frame), sizeof(frame),
		     frame + sizeof(frame) - TRAILER_SIZE, 5 * (uint64_t)HZ + 20000, HZ);
}

static char *
stats(const char *list, const char *key)
{
	json_t *all = pgid_stats(table, NULL, 0, false);
	json_t *of = json_object_get(all, list);
	char *text = json_dumps(key != NULL ? json_object_get(of, key) : of,
				JSON_COMPACT | JSON_ENCODE_ANY | JSON_SORT_KEYS);

	json_decref(all);
	return text;
}

static void
assert_stats(const char *list, const char *key, const char *want)
{
	char *text = stats(list, key);

	assert_string_equal(text, want);
	free(text);
}

static void
nothing_active_has_trexs_shape(void **state)
{
	(void)state;
	assert_stats("flow_stats", NULL, "null");
	assert_stats("latency", NULL, "{\"g\":null}");
	assert_stats("ver_id", NULL, "null");
	assert_false(pgid_rx_active(rx));
}

static void
frames_are_counted_by_group_and_port(void **state)
{
	uint16_t a = must_add(12, RULE_STATS), b = must_add(7, RULE_STATS);

	(void)state;
	assert_true(pgid_rx_active(rx));
	assert_int_not_equal(a, b);
	for (int i = 0; i < 3; i++)
		receive(1, RULE_STATS, a, 0, 0);
	receive(0, RULE_STATS, b, 0, 0);
	assert_stats("flow_stats", "12",
		     "{\"rb\":{\"0\":0,\"1\":252},\"rbs\":{\"0\":0.0,\"1\":0.0},"
		     "\"rp\":{\"0\":0,\"1\":3},\"rps\":{\"0\":0.0,\"1\":0.0},"
		     "\"tb\":{\"0\":0,\"1\":0},\"tbs\":{\"0\":0.0,\"1\":0.0},"
		     "\"tp\":{\"0\":0,\"1\":0},\"tps\":{\"0\":0.0,\"1\":0.0}}");
	assert_stats("ver_id", NULL, "{\"12\":0,\"7\":1}");
}

static void
a_group_is_there_as_long_as_its_streams(void **state)
{
	struct stream s = stream_of(5, RULE_STATS);
	uint16_t hw_id = must_add(5, RULE_STATS);

	(void)state;
	assert_int_equal(must_add(5, RULE_STATS), hw_id);
	receive(0, RULE_STATS, hw_id, 0, 0);
	pgid_remove(table, &s);
	assert_stats("ver_id", NULL, "{\"5\":0}");
	pgid_remove(table, &s);
	assert_stats("ver_id", NULL, "null");
	assert_false(pgid_rx_active(rx));
	/* The next one is another, though of the same number: it begins at 0. */
	assert_int_equal(must_add(5, RULE_STATS), hw_id);
	assert_stats("ver_id", NULL, "{\"5\":1}");
	receive(0, RULE_STATS, hw_id, 0, 0);
	receive(0, RULE_STATS, hw_id, 0, 0);
	json_t *all = pgid_stats(table, NULL, 0, false);
	json_t *group = json_object_get(json_object_get(all, "flow_stats"), "5");
	assert_int_equal(json_integer_value(json_object_get(json_object_get(group, "rp"), "0")), 2);
	json_decref(all);
}

static void
bad_streams_are_refused_in_trexs_words(void **state)
{
	struct stream s = stream_of(1, RULE_LATENCY);
	uint8_t arp[60] = {[12] = 8, [13] = 6}, tcp[80];

	(void)state;
	must_add(1, RULE_LATENCY);
	assert_refused(&s, "For payload rules: Can't have two streams with same pg_id, or same "
			   "stream on more than one port");
	s.rule = RULE_STATS;
	assert_refused(&s, "For payload rules: Can't have two streams with same pg_id, or same "
			   "stream on more than one port");
	s = stream_of(2, RULE_LATENCY);
	s.len = 14 + 20 + 8 + 15;
	assert_refused(&s, "Need at least 16 payload bytes for payload rules. Packet only has 15 "
			   "bytes");
	s = stream_of(2, RULE_STATS);
	s.frame = arp;
	s.len = sizeof(arp);
	assert_refused(&s, "Failed parsing given packet for flow stat.  NIC does not support given "
			   "L2 header type");
	must_add(3, RULE_STATS);
	memcpy(tcp, udp, sizeof(tcp));
	tcp[23] = 6;
	s = stream_of(3, RULE_STATS);
	s.frame = tcp;
	assert_refused(&s, "Can't use same pg_id for streams with different l4 protocol");
	/* No group was left behind. */
	assert_stats("ver_id", NULL, "{\"1\":0,\"3\":1}");
}

static void
there_are_1023_and_128(void **state)
{
	struct stream s = stream_of(5000, RULE_STATS);

	(void)state;
	for (uint32_t i = 0; i < 1023; i++)
		must_add(i, RULE_STATS);
	assert_refused(&s, "Failed allocating statistic counter. Probably all are used for this "
			   "rule type.");
	for (uint32_t i = 0; i < 128; i++)
		must_add(2000 + i, RULE_LATENCY);
	s.rule = RULE_LATENCY;
	assert_refused(&s, "Failed allocating statistic counter. Probably all are used for this "
			   "rule type.");
	receive(0, RULE_STATS, 1022, 0, 0);
	assert_int_equal(counter_get(&rx->stats[0][1022].pkts), 1);
}

static void
latency_streams_begin_anew_with_each_run(void **state)
{
	struct stream s = stream_of(9, RULE_LATENCY);
	struct jsonrpc_error e;
	uint8_t first;

	(void)state;
	assert_int_equal(pgid_add(table, &s, &e), 0);
	pgid_start(table, &s);
	first = s.flow_seq;
	assert_int_not_equal(first, LATENCY_NO_FLOW);
	receive(1, RULE_LATENCY, s.hw_id, first, LATENCY_FIRST_SEQ);
	receive(1, RULE_LATENCY, s.hw_id, first, LATENCY_FIRST_SEQ + 1);
	pgid_start(table, &s);
	assert_int_not_equal(s.flow_seq, first);
	receive(1, RULE_LATENCY, s.hw_id, s.flow_seq, LATENCY_FIRST_SEQ);
	receive(1, RULE_LATENCY, s.hw_id, first, LATENCY_FIRST_SEQ + 2);
	receive(1, RULE_LATENCY, s.hw_id, (uint8_t)(s.flow_seq + 1), 3);
	pgid_tick(table, 1);
	assert_stats("latency", "g", "{\"bad_hdr\":1,\"old_flow\":1}");
	assert_stats("latency", "9",
		     "{\"lat\":{\"average\":20.0,\"histogram\":{\"20\":3},\"jit\":0,\"last_max\":0,"
		     "\"total_max\":0,\"total_min\":20}}");
	assert_int_equal(counter_get(&rx->timed[1][s.hw_id].pkts), 3);
	/* 255 more: the number that none has is left out. */
	for (int i = 0; i < 600; i++) {
		pgid_start(table, &s);
		assert_int_not_equal(s.flow_seq, LATENCY_NO_FLOW);
	}
}

static void
what_the_worker_may_read_is_freed_two_rounds_later(void **state)
{
	struct stream s = stream_of(9, RULE_LATENCY);
	struct latency_rx *held;
	struct jsonrpc_error e;

	(void)state;
	assert_int_equal(pgid_add(table, &s, &e), 0);
	held = atomic_load(&rx->latency[s.hw_id]);
	pgid_remove(table, &s);
	assert_null(atomic_load(&rx->latency[s.hw_id]));
	pgid_tick(table, 10);
	pgid_tick(table, 11);
	/* AddressSanitizer sees it if this is freed. */
	assert_int_equal(held->n, 0);
	receive(0, RULE_LATENCY, s.hw_id, s.flow_seq, 0);
	pgid_tick(table, 12);
}

static void
active_groups_are_listed_by_kind(void **state)
{
	json_t *active;
	char *text;

	(void)state;
	must_add(30, RULE_STATS);
	must_add(4000000000u, RULE_LATENCY);
	must_add(10, RULE_STATS);
	active = pgid_active(table);
	text = json_dumps(active, JSON_COMPACT);
	assert_string_equal(text, "{\"ids\":{\"flow_stats\":[10,30],\"latency\":[4000000000]}}");
	free(text);
	json_decref(active);
}

static void
only_groups_that_are_asked_for_are_told(void **state)
{
	const uint32_t ids[] = {2, 99};
	json_t *all;

	(void)state;
	must_add(1, RULE_STATS);
	must_add(2, RULE_STATS);
	all = pgid_stats(table, ids, 2, false);
	assert_int_equal(json_object_size(json_object_get(all, "flow_stats")), 1);
	assert_non_null(json_object_get(json_object_get(all, "ver_id"), "2"));
	json_decref(all);
}

static double
rate_of(const char *what, const char *port)
{
	json_t *all = pgid_stats(table, NULL, 0, false);
	json_t *group = json_object_get(json_object_get(all, "flow_stats"), "1");
	double rate = json_real_value(json_object_get(json_object_get(group, what), port));

	json_decref(all);
	return rate;
}

static void
rates_follow_by_halves(void **state)
{
	uint16_t hw_id = must_add(1, RULE_STATS);

	(void)state;
	pgid_update_rates(table, 1000000000);
	for (int i = 0; i < 100; i++)
		receive(0, RULE_STATS, hw_id, 0, 0);
	/* Too soon for a figure. */
	pgid_update_rates(table, 1050000000);
	assert_near(rate_of("rps", "0"), 0, 0);
	pgid_update_rates(table, 2000000000);
	assert_near(rate_of("rps", "0"), 100, 0.001);
	assert_near(rate_of("rbs", "0"), 100 * 84 * 8, 0.001);
	for (int i = 0; i < 200; i++)
		receive(0, RULE_STATS, hw_id, 0, 0);
	pgid_update_rates(table, 3000000000);
	assert_near(rate_of("rps", "0"), 150, 0.001);
	assert_near(rate_of("rps", "1"), 0, 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(nothing_active_has_trexs_shape),
		TEST(frames_are_counted_by_group_and_port),
		TEST(a_group_is_there_as_long_as_its_streams),
		TEST(bad_streams_are_refused_in_trexs_words),
		TEST(there_are_1023_and_128),
		TEST(latency_streams_begin_anew_with_each_run),
		TEST(what_the_worker_may_read_is_freed_two_rounds_later),
		TEST(active_groups_are_listed_by_kind),
		TEST(only_groups_that_are_asked_for_are_told),
		TEST(rates_follow_by_halves),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
