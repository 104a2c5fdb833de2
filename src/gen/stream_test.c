/* SPDX-License-Identifier: MIT */
#include "stream.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/assert_near.h"
#include "base/mem.h"

/* As TRex's console sent it for the bench profile, recorded. */
static const char bench_stream[] =
	"{\"flags\": 0, \"action_count\": 0, \"enabled\": true, \"self_start\": true, "
	"\"start_paused\": false, \"isg\": 0, \"core_id\": -1, "
	"\"mode\": {\"rate\": {\"type\": \"pps\", \"value\": 1}, \"type\": \"continuous\"}, "
	"\"packet\": {\"binary\": "
	"\"AAAAAQAAAAAAAgAACABFAAAuAAEAAEAROrcQAAAEMAAABAQBAAwAGgAAeHh4eHh4eHh4eHh4eHh4eHh4\", "
	"\"meta\": \"\"}, \"vm\": {\"instructions\": []}, \"flow_stats\": {\"enabled\": false}, "
	"\"next_stream_id\": -1}";

/* A stream with statistics, and the first of a chain of bursts, from the same recording. */
static const char stats_stream[] =
	"{\"flags\": 0, \"action_count\": 0, \"enabled\": true, \"self_start\": true, "
	"\"start_paused\": false, \"isg\": 0.0, \"core_id\": -1, "
	"\"mode\": {\"rate\": {\"type\": \"pps\", \"value\": 1000}, \"type\": \"continuous\"}, "
	"\"packet\": {\"binary\": "
	"\"AAAAAQAAAAAAAgAACABFAAAuAAEAAEAROr0QAAABMAAAAQQBAAwAGn9veHh4eHh4eHh4eHh4eHh4eHh4\", "
	"\"meta\": \"\"}, \"vm\": {\"instructions\": []}, "
	"\"flow_stats\": {\"enabled\": true, \"stream_id\": 12, \"vxlan\": false, "
	"\"ieee_1588\": false, \"rule_type\": \"latency\"}, \"next_stream_id\": -1}";
static const char chained_stream[] =
	"{\"flags\": 0, \"action_count\": 0, \"enabled\": true, \"self_start\": true, "
	"\"start_paused\": false, \"isg\": 10.0, \"core_id\": -1, "
	"\"mode\": {\"rate\": {\"type\": \"pps\", \"value\": 10}, \"type\": \"single_burst\", "
	"\"total_pkts\": 10000}, \"packet\": {\"binary\": "
	"\"AAAAAQAAAAAAAgAACABFAAAuAAEAAEAROr0QAAABMAAAAQQBAAwAGn9veHh4eHh4eHh4eHh4eHh4eHh4\", "
	"\"meta\": \"\"}, \"vm\": {\"instructions\": []}, \"flow_stats\": {\"enabled\": false}, "
	"\"name\": \"S0\", \"next\": \"S1\", \"next_stream_id\": 5}";

static json_t *
object(const char *text)
{
	json_t *json = json_loads(text, 0, NULL);

	assert_non_null(json);
	return json;
}

/* The recorded stream with 'changes' over it. */
static json_t *
changed(const char *changes)
{
	json_t *json = object(bench_stream), *over = object(changes);

	json_object_update_recursive(json, over);
	json_decref(over);
	return json;
}

static void
parse(struct stream *s, const char *changes)
{
	json_t *json = changed(changes);
	struct jsonrpc_error e = {0};

	if (stream_parse(s, 7, json, &e) < 0)
		fail_msg("%s: %s", changes, e.specific);
	json_decref(json);
}

static void
assert_refused(json_t *json, const char *why)
{
	struct jsonrpc_error e = {0};
	struct stream s;

	assert_true(stream_parse(&s, 7, json, &e) < 0);
	assert_string_equal(e.specific, why);
	assert_int_equal(e.code, JSONRPC_FAILED);
	assert_null(s.frame);
	json_decref(json);
}

static void
the_recorded_bench_stream_is_understood(void **state)
{
	static const uint8_t head[] = {0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02,
				       0x00, 0x00, 0x08, 0x00, 0x45, 0x00, 0x00, 0x2e, 0x00, 0x01};
	struct frame_view v;
	struct stream s;

	(void)state;
	parse(&s, "{}");
	assert_int_equal(s.id, 7);
	assert_true(s.enabled);
	assert_true(s.self_start);
	assert_int_equal(s.mode, STREAM_CONTINUOUS);
	assert_int_equal(s.rate_kind, STREAM_PPS);
	assert_near(s.rate, 1, 0);
	assert_near(s.isg_us, 0, 0);
	assert_int_equal(s.len, 60);
	assert_memory_equal(s.frame, head, sizeof(head));
	assert_true(frame_parse(s.frame, s.len, &v));
	assert_int_equal(v.len, 60);
	for (unsigned i = v.payload; i < s.len; i++)
		assert_int_equal(s.frame[i], 'x');
	/* The port's own addresses go in. */
	assert_false(s.keep_src_mac);
	assert_false(s.keep_dst_mac);
	assert_false(s.signature);
	assert_int_equal(s.flows, 1);
	stream_fini(&s);
	stream_fini(&s);
}

static void
the_object_is_kept_for_queries(void **state)
{
	json_t *json = object(bench_stream), *copy = json_deep_copy(json);
	struct jsonrpc_error e;
	struct stream s;

	(void)state;
	assert_int_equal(stream_parse(&s, 1, json, &e), 0);
	json_decref(json);
	assert_true(json_equal(s.json, copy));
	json_decref(copy);
	stream_fini(&s);
}

static void
a_burst_has_its_number_of_frames(void **state)
{
	struct stream s;

	(void)state;
	parse(&s, "{\"mode\": {\"type\": \"single_burst\", \"total_pkts\": 10000}, \"isg\": 10.5}");
	assert_int_equal(s.mode, STREAM_SINGLE_BURST);
	assert_int_equal(s.total_pkts, 10000);
	assert_near(s.isg_us, 10.5, 0);
	stream_fini(&s);
}

static void
flags_say_which_addresses_stay(void **state)
{
	/* Bit 0: source of the packet.  Bits 1 and 2: destination of the port, the packet, ARP. */
	static const struct {
		const char *changes;
		bool src, dst;
	} flags[] = {
		{"{\"flags\": 0}", false, false}, {"{\"flags\": 1}", true, false},
		{"{\"flags\": 2}", false, true},  {"{\"flags\": 3}", true, true},
		{"{\"flags\": 4}", false, false}, {"{\"flags\": 5}", true, false},
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(flags); i++) {
		struct stream s;

		parse(&s, flags[i].changes);
		assert_int_equal(s.keep_src_mac, flags[i].src);
		assert_int_equal(s.keep_dst_mac, flags[i].dst);
		stream_fini(&s);
	}
}

static void
rates_come_in_four_kinds(void **state)
{
	/* Frames of 64 bytes with FCS, 84 on the wire, at 10 Gb/s. */
	static const struct {
		const char *type;
		double value, pps;
	} rates[] = {
		{"pps", 1234.5, 1234.5},	   {"bps_L2", 64 * 8 * 1000.0, 1000},
		{"bps_L1", 84 * 8 * 1000.0, 1000}, {"bps_L2", 100e6, 195312.5},
		{"bps_L1", 100e6, 148809.5238},	   {"percentage", 100, 14880952.381},
		{"percentage", 1, 148809.5238},
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(rates); i++) {
		char changes[160];
		struct stream s;

		snprintf(changes, sizeof(changes),
			 "{\"mode\": {\"rate\": {\"type\": \"%s\", \"value\": %.6f}}}",
			 rates[i].type, rates[i].value);
		parse(&s, changes);
		assert_near(stream_pps(&s, 10e9), rates[i].pps, rates[i].pps * 1e-9);
		stream_fini(&s);
	}
}

static void
short_packets_are_padded_with_zeros(void **state)
{
	static const uint8_t zeros[46];
	struct stream s;

	(void)state;
	parse(&s, "{\"packet\": {\"binary\": \"AAAAAQAAAAAAAgAACAA=\"}}");
	assert_int_equal(s.len, 60);
	assert_int_equal(s.frame[3], 1);
	assert_memory_equal(s.frame + 14, zeros, 46);
	stream_fini(&s);
	/* Padding of the text itself may be left out. */
	parse(&s, "{\"packet\": {\"binary\": \"AAAAAQAAAAAAAgAACAA\"}}");
	assert_int_equal(s.frame[9], 2);
	stream_fini(&s);
}

/* A packet of 'n' bytes that count up, as base64. */
static json_t *
packet_of(size_t n)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	char *text = xcalloc(n * 4 / 3 + 8, 1), *out = text;
	json_t *json = object(bench_stream);
	uint32_t bits = 0;
	unsigned have = 0;

	for (size_t i = 0; i < n; i++) {
		bits = bits << 8 | (uint8_t)i;
		for (have += 8; have >= 6; have -= 6)
			*out++ = digits[bits >> (have - 6) & 63];
	}
	if (have > 0)
		*out++ = digits[bits << (6 - have) & 63];
	json_object_set_new(json_object_get(json, "packet"), "binary", json_string(text));
	free(text);
	return json;
}

static void
packets_of_every_length_come_through(void **state)
{
	(void)state;
	for (size_t n = 14; n <= 9238; n = n < 80 ? n + 1 : n + 193) {
		json_t *json = packet_of(n);
		struct jsonrpc_error e;
		struct stream s;

		assert_int_equal(stream_parse(&s, 1, json, &e), 0);
		assert_int_equal(s.len, n < 60 ? 60 : n);
		for (size_t i = 0; i < n; i++)
			assert_int_equal(s.frame[i], (uint8_t)i);
		stream_fini(&s);
		json_decref(json);
	}
	for (size_t n = 9239; n < 9300; n += 26)
		assert_refused(packet_of(n),
			       "stream 7: packet.binary is not base64 of 14 to 9238 bytes");
	assert_refused(packet_of(13), "stream 7: packet.binary is not base64 of 14 to 9238 bytes");
}

static void
packets_that_are_not_base64_are_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"AAAAAQAAAAAAAgAACAA!",
		"AAAAAQAAAAAAAgAACAA ",
		"AAAAAQAAAAAAAgAACAA=AAAA", /* what follows would be cut off in silence */
		"AAAAAQAAAAAAAgAACABFA",    /* a digit too many */
		"====",
		"-_-_-_-_-_-_-_-_-_-_-_-_",
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(bad); i++) {
		json_t *json = object(bench_stream);

		json_object_set_new(json_object_get(json, "packet"), "binary", json_string(bad[i]));
		assert_refused(json, "stream 7: packet.binary is not base64 of 14 to 9238 bytes");
	}
}

static void
what_is_not_built_yet_is_refused_by_name(void **state)
{
	(void)state;
	assert_refused(changed("{\"flow_stats\": {\"enabled\": true, \"stream_id\": 1, "
			       "\"rule_type\": \"tpg\"}}"),
		       "stream 7: rule_type 'tpg' is neither stats nor latency");
	assert_refused(changed("{\"flow_stats\": {\"enabled\": true, \"stream_id\": 1, "
			       "\"rule_type\": \"stats\", \"ieee_1588\": true}}"),
		       "Driver doesn't support IEEE-1588.");
}

/* Of the recorded streams. */
static void
chains_and_statistics_are_understood(void **state)
{
	json_t *chained = object(chained_stream), *stats = object(stats_stream);
	struct jsonrpc_error e = {0};
	struct stream s;

	(void)state;
	assert_int_equal(stream_parse(&s, 4, chained, &e), 0);
	assert_int_equal(s.mode, STREAM_SINGLE_BURST);
	assert_int_equal(s.next_id, 5);
	assert_int_equal(s.action_count, 0);
	assert_near(s.isg_us, 10, 0);
	stream_fini(&s);
	assert_int_equal(stream_parse(&s, 4, stats, &e), 0);
	assert_int_equal(s.rule, RULE_LATENCY);
	assert_int_equal(s.pg_id, 12);
	assert_int_equal(s.next_id, -1);
	assert_int_equal(s.core_id, -1);
	assert_false(stream_is_variable(&s));
	stream_fini(&s);
	json_decref(chained);
	json_decref(stats);
}

static void
all_else_that_a_stream_says_is_understood(void **state)
{
	struct stream s, copy;

	(void)state;
	parse(&s, "{\"mode\": {\"type\": \"multi_burst\", \"pkts_per_burst\": 4, \"ibg\": 1e5, "
		  "\"count\": 3}, \"action_count\": 9, \"random_seed\": 77, \"core_id\": 0, "
		  "\"start_paused\": true, \"self_start\": false, \"flags\": 9, "
		  "\"next_stream_id\": 0}");
	assert_int_equal(s.mode, STREAM_MULTI_BURST);
	assert_int_equal(s.pkts_per_burst, 4);
	assert_int_equal(s.bursts, 3);
	assert_near(s.ibg_us, 1e5, 0);
	assert_int_equal(s.action_count, 9);
	assert_int_equal(s.random_seed, 77);
	assert_int_equal(s.core_id, 0);
	assert_int_equal(s.next_id, 0);
	assert_true(s.start_paused && s.dummy && s.keep_src_mac);
	assert_false(s.self_start || s.keep_dst_mac);
	assert_true(stream_is_variable(&s));
	stream_clone(&copy, &s);
	assert_ptr_not_equal(copy.frame, s.frame);
	assert_memory_equal(copy.frame, s.frame, s.len);
	stream_fini(&s);
	assert_int_equal(copy.pkts_per_burst, 4);
	stream_fini(&copy);
}

static void
mistakes_are_named(void **state)
{
	static const struct {
		const char *changes, *why;
	} bad[] = {
		{"{\"packet\": {\"binary\": null}}", "stream 7: packet.binary is missing"},
		{"{\"packet\": 5}", "stream 7: packet.binary is missing"},
		{"{\"mode\": 5}", "stream 7: mode.type is missing"},
		{"{\"mode\": {\"type\": 5}}", "stream 7: mode.type is missing"},
		{"{\"mode\": {\"rate\": {\"type\": \"mpps\"}}}",
		 "stream 7: unknown rate type 'mpps'"},
		{"{\"mode\": {\"rate\": {\"value\": 0}}}",
		 "stream 7: mode.rate needs a type and a value above 0"},
		{"{\"mode\": {\"rate\": {\"value\": -1}}}",
		 "stream 7: mode.rate needs a type and a value above 0"},
		{"{\"mode\": {\"rate\": {\"value\": \"1\"}}}",
		 "stream 7: mode.rate needs a type and a value above 0"},
		{"{\"mode\": {\"type\": \"single_burst\"}}",
		 "stream 7: mode.total_pkts must be at least 1"},
		{"{\"mode\": {\"type\": \"single_burst\", \"total_pkts\": 0}}",
		 "stream 7: mode.total_pkts must be at least 1"},
		{"{\"mode\": {\"type\": \"single_burst\", \"total_pkts\": -4}}",
		 "stream 7: mode.total_pkts must be at least 1"},
		{"{\"mode\": {\"type\": \"trickle\"}}",
		 "stream 7: mode 'trickle' is none of continuous, single_burst, multi_burst"},
		{"{\"mode\": {\"type\": \"multi_burst\"}}",
		 "stream 7: mode needs a count of bursts and an ibg"},
		{"{\"mode\": {\"type\": \"multi_burst\", \"count\": 1, \"ibg\": 0}}",
		 "stream 7: mode.pkts_per_burst must be at least 1"},
		{"{\"mode\": {\"type\": \"multi_burst\", \"count\": -1, \"ibg\": 0}}",
		 "stream 7: count must be an integer from 0 to 4294967295"},
		{"{\"mode\": {\"type\": \"multi_burst\", \"count\": 1, \"ibg\": \"x\"}}",
		 "stream 7: ibg is 0 to 3.6e9 us"},
		{"{\"enabled\": 1}", "stream 7: enabled must be true or false"},
		{"{\"flags\": -1}", "stream 7: flags must be an integer from 0 to 4294967295"},
		{"{\"next_stream_id\": -2}",
		 "stream 7: next_stream_id must be the id of a stream, or -1"},
		{"{\"core_id\": 1}", "stream 7: core_id: there is one data core, which is 0"},
		{"{\"flow_stats\": {\"enabled\": true}}",
		 "stream 7: flow_stats needs a stream_id and a rule_type"},
		{"{\"core_id\": 0, \"flow_stats\": {\"enabled\": true, \"stream_id\": 1, "
		 "\"rule_type\": \"latency\"}}",
		 "stream 7: a latency stream cannot be pinned by core_id"},
		{"{\"isg\": -1}", "stream 7: isg is 0 to 3.6e9 us"},
		{"{\"isg\": 1e300}", "stream 7: isg is 0 to 3.6e9 us"},
		{"{\"x_nfvchain\": {\"signature\": true, \"flows\": 0}}",
		 "stream 7: flows are 1 to 1000000"},
		{"{\"x_nfvchain\": {\"signature\": true, \"flows\": 1000001}}",
		 "stream 7: flows are 1 to 1000000"},
		{"{\"x_nfvchain\": {\"signature\": true, \"flows\": 1.5}}",
		 "stream 7: flows are 1 to 1000000"},
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(bad); i++)
		assert_refused(changed(bad[i].changes), bad[i].why);
	assert_refused(json_string("x"), "stream 7: not an object");
}

static void
a_signature_needs_a_udp_frame_with_room(void **state)
{
	struct stream s;

	(void)state;
	parse(&s, "{\"x_nfvchain\": {\"signature\": true, \"flows\": 64}}");
	assert_true(s.signature);
	assert_int_equal(s.flows, 64);
	stream_fini(&s);
	parse(&s, "{\"x_nfvchain\": {\"signature\": true}}");
	assert_int_equal(s.flows, 1);
	stream_fini(&s);
	parse(&s, "{\"x_nfvchain\": {\"signature\": false, \"flows\": 64}}");
	assert_false(s.signature);
	assert_int_equal(s.flows, 1);
	stream_fini(&s);
	/* An ARP-sized frame of nothing. */
	assert_refused(changed("{\"packet\": {\"binary\": \"AAAAAQAAAAAAAgAACAA=\"}, "
			       "\"x_nfvchain\": {\"signature\": true}}"),
		       "stream 7: not a UDP frame, which a signature needs");
}

static void
absent_fields_have_defaults(void **state)
{
	struct jsonrpc_error e = {0};
	json_t *json = json_object();
	json_t *full = object(bench_stream);
	struct stream s;

	(void)state;
	json_object_set(json, "mode", json_object_get(full, "mode"));
	json_object_set(json, "packet", json_object_get(full, "packet"));
	assert_int_equal(stream_parse(&s, 1, json, &e), 0);
	assert_true(s.enabled);
	assert_true(s.self_start);
	assert_near(s.isg_us, 0, 0);
	stream_fini(&s);
	json_decref(json);
	json_decref(full);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_recorded_bench_stream_is_understood),
		cmocka_unit_test(the_object_is_kept_for_queries),
		cmocka_unit_test(a_burst_has_its_number_of_frames),
		cmocka_unit_test(flags_say_which_addresses_stay),
		cmocka_unit_test(rates_come_in_four_kinds),
		cmocka_unit_test(short_packets_are_padded_with_zeros),
		cmocka_unit_test(packets_of_every_length_come_through),
		cmocka_unit_test(packets_that_are_not_base64_are_refused),
		cmocka_unit_test(what_is_not_built_yet_is_refused_by_name),
		cmocka_unit_test(chains_and_statistics_are_understood),
		cmocka_unit_test(all_else_that_a_stream_says_is_understood),
		cmocka_unit_test(mistakes_are_named),
		cmocka_unit_test(a_signature_needs_a_udp_frame_with_room),
		cmocka_unit_test(absent_fields_have_defaults),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
