/* SPDX-License-Identifier: MIT */
#include "chain_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/base64.h"
#include "base/clock.h"
#include "base/json.h"
#include "pkt/frame.h"
#include "rpc/zmq_client.h"

/* One hop between the generator's ports, and a client that speaks TRex's RPC: streams of packet
 * groups, captures, and frames that the client sends itself. */

#define CALL_MS 5000
#define PATIENCE_MS 20000
#define STATS_ID 5
#define LATENCY_ID 7
#define PORT 12 /* UDP, of all frames here */

static const char one_hop[] = "version: 1\n"
			      "name: groups\n"
			      "hops:\n"
			      "  - {kind: nfvchain-fwd}\n"
			      "traffic: {frames: [128]}\n";

static struct fixture chain;
static struct zmq_client *client;
static char api_h[16], handler[2][16];

/* The result of a method; 'port' below 0 for those that are about none. */
static json_t *
call(const char *method, int port, json_t *params)
{
	struct err err = {0};
	json_t *result = NULL;

	json_object_set_new(params, "api_h", json_string(api_h));
	if (port >= 0) {
		json_object_set_new(params, "port_id", json_integer(port));
		json_object_set_new(params, "handler", json_string(handler[port]));
	}
	if (zmq_client_call(client, method, params, CALL_MS, &result, &err) < 0)
		fail_msg("%s: %s", method, err.msg);
	return result;
}

static void
do_call(const char *method, int port, json_t *params)
{
	json_decref(call(method, port, params));
}

static void
take(char *to, size_t size, const char *text)
{
	assert_non_null(text);
	snprintf(to, size, "%s", text);
}

static int
up(void **state)
{
	struct err err = {0};
	json_t *result;

	(void)state;
	fixture_up(&chain, one_hop);
	if (zmq_client_open(&client, chain.session.plan.rpc_endpoint, &err) < 0)
		fail_msg("%s", err.msg);
	result = call("api_sync_v2", -1,
		      json_pack("{s:s, s:i, s:i}", "name", "STL", "major", 5, "minor", 1));
	take(api_h, sizeof(api_h), json_string_value(json_object_get(result, "api_h")));
	json_decref(result);
	for (int port = 0; port < 2; port++) {
		result = call(
			"acquire", port,
			json_pack("{s:s, s:i, s:b}", "user", "e2e", "session_id", 1, "force", 1));
		take(handler[port], sizeof(handler[port]), json_string_value(result));
		json_decref(result);
	}
	return 0;
}

static int
down(void **state)
{
	(void)state;
	zmq_client_close(client);
	fixture_down(&chain);
	return 0;
}

/* The text of a UDP frame of 'size' bytes to PORT, to be sent by port 0. */
static char *
packet(uint16_t size)
{
	struct frame_spec spec;
	struct err err;
	uint8_t frame[FRAME_MAX_SIZE];
	int len;

	frame_spec_init(&spec);
	spec.size = size;
	spec.dst_port = PORT;
	len = frame_build(&spec, frame, sizeof(frame), &err);
	assert_true(len > 0);
	return base64_encode(frame, (size_t)len);
}

static void
clear(void)
{
	do_call("stop_traffic", 0, json_object());
	do_call("remove_all_streams", 0, json_object());
}

static void
add(uint32_t id, uint32_t pg_id, const char *rule, double pps, uint32_t n)
{
	char *binary = packet(128);

	do_call("add_stream", 0,
		json_pack("{s:i, s:{s:b, s:b, s:f, s:i, s:i, s:{s:s, s:i, s:{s:s, s:f}}, s:{s:s, "
			  "s:s}, "
			  "s:{s:[]}, s:{s:b, s:i, s:s}}}",
			  "stream_id", (int)id, "stream", "enabled", 1, "self_start", 1, "isg", 0.0,
			  "flags", 0, "next_stream_id", -1, "mode", "type", "single_burst",
			  "total_pkts", (int)n, "rate", "type", "pps", "value", pps, "packet",
			  "binary", binary, "meta", "", "vm", "instructions", "flow_stats",
			  "enabled", 1, "stream_id", (int)pg_id, "rule_type", rule));
	free(binary);
}

static json_t *
stats(void)
{
	return call("get_pgid_stats", -1, json_pack("{s:[]}", "pgids"));
}

static bool
sends(void)
{
	json_t *status = call("get_port_status", 0, json_object());
	bool tx = strcmp(json_string_value(json_object_get(status, "state")), "TX") == 0;

	json_decref(status);
	return tx;
}

/* What is told of the groups once all was sent, and as much received as 'more' and 'less' than that
 * allow for, or the patience is over. */
static json_t *
run(int more)
{
	struct deadline d = deadline_in_ms(PATIENCE_MS);

	do_call("start_traffic", 0,
		json_pack("{s:{s:s, s:f, s:s}, s:f, s:b, s:i}", "mul", "type", "raw", "value", 1.0,
			  "op", "abs", "duration", -1.0, "force", 1, "start_at_ts", 0));
	for (;;) {
		bool tx = sends();
		json_t *all = stats();
		uint64_t sent = fixture_number(all, "flow_stats.7.tp.0"),
			 received = fixture_number(all, "flow_stats.7.rp.1");

		if (deadline_passed(&d) || (!tx && received == sent + (uint64_t)(int64_t)more))
			return all;
		json_decref(all);
		clock_sleep_ms(20);
	}
}

/* Frames that the hop has forwarded. */
static uint64_t
forwarded(void)
{
	struct control_client *c = chain.session.backend.hop[0].control;
	struct err err = {0};
	json_t *json = NULL;
	uint64_t n;

	if (control_client_call(c, "counters", NULL, CALL_MS, &json, &err) < 0)
		fail_msg("%s", err.msg);
	n = fixture_number(json, "lcores[0].rx");
	json_decref(json);
	return n;
}

/* An error of the latency group, 0 when it is not told. */
static uint64_t
error_of(const json_t *all, const char *key)
{
	const json_t *er =
		json_object_get(json_object_get(json_object_get(all, "latency"), "7"), "er");

	return (uint64_t)json_integer_value(json_object_get(er, key));
}

static uint64_t
sum_of_histogram(const json_t *all)
{
	const json_t *lat =
		json_object_get(json_object_get(json_object_get(all, "latency"), "7"), "lat");
	const char *key;
	json_t *n;
	uint64_t sum = 0;

	json_object_foreach(json_object_get(lat, "histogram"), key, n)
		sum += (uint64_t)json_integer_value(n);
	return sum;
}

static void
what_was_sent_is_received_and_was_forwarded(void **state)
{
	uint64_t before, sent, timed;
	json_t *all;

	(void)state;
	clear();
	before = forwarded();
	add(1, STATS_ID, "stats", 20000, 4000);
	add(2, LATENCY_ID, "latency", 1000, 300);
	all = run(0);
	sent = fixture_number(all, "flow_stats.5.tp.0");
	timed = fixture_number(all, "flow_stats.7.tp.0");
	assert_true(sent > 0 && timed > 0);
	assert_int_equal(fixture_number(all, "flow_stats.5.rp.1"), sent);
	assert_int_equal(fixture_number(all, "flow_stats.7.rp.1"), timed);
	assert_int_equal(fixture_number(all, "flow_stats.5.rb.1"), sent * 128);
	assert_int_equal(fixture_number(all, "flow_stats.5.tb.0"), sent * 128);
	assert_int_equal(fixture_number(all, "flow_stats.5.rp.0"), 0);
	assert_int_equal(forwarded() - before, sent + timed);
	assert_int_equal(sum_of_histogram(all), timed);
	assert_null(json_object_get(json_object_get(json_object_get(all, "latency"), "7"), "er"));
	assert_true(json_is_null(json_object_get(json_object_get(all, "latency"), "g")));
	assert_non_null(json_string_value(json_object_get(
		json_object_get(json_object_get(json_object_get(all, "latency"), "7"), "lat"),
		"hdrh")));
	json_decref(all);
}

static void
a_second_run_goes_on_counting(void **state)
{
	uint64_t first;
	json_t *all;

	(void)state;
	clear();
	add(2, LATENCY_ID, "latency", 1000, 100);
	all = run(0);
	first = fixture_number(all, "flow_stats.7.tp.0");
	json_decref(all);
	all = run(0);
	assert_true(fixture_number(all, "flow_stats.7.tp.0") > first);
	assert_int_equal(fixture_number(all, "flow_stats.7.rp.1"),
			 fixture_number(all, "flow_stats.7.tp.0"));
	assert_null(json_object_get(json_object_get(json_object_get(all, "latency"), "7"), "er"));
	json_decref(all);
}

static void
order_fault(const char *kind, int count, int distance)
{
	struct err err = {0};
	json_t *params = json_pack("{s:s, s:i, s:i, s:i, s:i}", "kind", kind, "count", count,
				   "skip", 5, "spacing", 10, "distance", distance);

	if (control_client_call(chain.session.backend.hop[0].control, "fault", params, CALL_MS,
				NULL, &err) < 0)
		fail_msg("%s", err.msg);
}

/* A hop that loses, copies or delays frames is found out, exactly. */
static void
faults_of_a_hop_are_counted(void **state)
{
	static const struct {
		const char *kind;
		int count, distance, more;
		uint64_t drp, dup, ooo;
	} faults[] = {
		{"drop", 6, 1, -6, 6, 0, 0},
		{"lose", 2, 1, -2, 2, 0, 0},
		{"duplicate", 5, 1, 5, 0, 5, 0},
		{"reorder", 4, 3, 0, 0, 0, 4},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		json_t *all;

		clear();
		add(2, LATENCY_ID, "latency", 1000, 300);
		order_fault(faults[i].kind, faults[i].count, faults[i].distance);
		all = run(faults[i].more);
		print_message("# %s: %llu sent, %llu received\n", faults[i].kind,
			      (unsigned long long)fixture_number(all, "flow_stats.7.tp.0"),
			      (unsigned long long)fixture_number(all, "flow_stats.7.rp.1"));
		assert_int_equal(fixture_number(all, "flow_stats.7.rp.1"),
				 fixture_number(all, "flow_stats.7.tp.0") +
					 (uint64_t)(int64_t)faults[i].more);
		assert_int_equal(error_of(all, "drp"), faults[i].drp);
		assert_int_equal(error_of(all, "dup"), faults[i].dup);
		assert_int_equal(error_of(all, "ooo"), faults[i].ooo);
		json_decref(all);
	}
}

static json_t *
capture(const char *command, json_t *params)
{
	json_object_set_new(params, "command", json_string(command));
	return call("capture", -1, params);
}

/* How many frames of 'origin' were captured at 'port'. */
static size_t
count_kept(const json_t *pkts, const char *origin, int port)
{
	size_t n = 0;

	for (size_t i = 0; i < json_array_size(pkts); i++) {
		const json_t *p = json_array_get(pkts, i);

		n += strcmp(json_string_value(json_object_get(p, "origin")), origin) == 0 &&
		     json_integer_value(json_object_get(p, "port")) == port;
	}
	return n;
}

static size_t
queued(void)
{
	json_t *status = call("get_port_status", 1, json_object());
	json_t *result = call("get_rx_queue_pkts", 1, json_object());
	size_t n = json_array_size(json_object_get(result, "pkts"));

	json_decref(result);
	json_decref(status);
	return n;
}

static void
push(int n, uint16_t size)
{
	json_t *pkts = json_array();
	char *binary = packet(size);

	for (int i = 0; i < n; i++)
		json_array_append_new(pkts,
				      json_pack("{s:s, s:b, s:b}", "binary", binary,
						"use_port_dst_mac", 1, "use_port_src_mac", 1));
	free(binary);
	do_call("push_pkts", 0, json_pack("{s:o, s:f}", "pkts", pkts, "ipg_usec", 100.0));
}

static void
a_client_sends_frames_and_sees_them_arrive(void **state)
{
	struct deadline d = deadline_in_ms(PATIENCE_MS);
	size_t seen = 0;
	json_int_t id;
	json_t *result;

	(void)state;
	clear();
	for (int port = 0; port < 2; port++)
		do_call("service", port, json_pack("{s:b, s:b}", "enabled", 1, "filtered", 0));
	do_call("set_rx_feature", 1,
		json_pack("{s:s, s:b, s:i}", "type", "queue", "enabled", 1, "size", 100));
	result = capture("start",
			 json_pack("{s:i, s:s, s:[i], s:[i], s:s}", "limit", 100, "mode", "fixed",
				   "tx", 0, "rx", 1, "filter", "udp dst port 12 and greater 90"));
	id = json_integer_value(json_object_get(result, "capture_id"));
	json_decref(result);
	push(3, 64);
	push(5, 128);
	while (seen < 8 && !deadline_passed(&d)) {
		seen += queued();
		clock_sleep_ms(10);
	}
	assert_int_equal(seen, 8);
	json_decref(capture("stop", json_pack("{s:I}", "capture_id", id)));
	result = capture("fetch", json_pack("{s:I, s:i}", "capture_id", id, "pkt_limit", 1000));
	assert_int_equal(count_kept(json_object_get(result, "pkts"), "TX", 0), 5);
	assert_int_equal(count_kept(json_object_get(result, "pkts"), "RX", 1), 5);
	assert_int_equal(json_array_size(json_object_get(result, "pkts")), 10);
	json_decref(result);
	json_decref(capture("remove", json_pack("{s:I}", "capture_id", id)));
	do_call("set_rx_feature", 1, json_pack("{s:s, s:b}", "type", "queue", "enabled", 0));
	for (int port = 0; port < 2; port++)
		do_call("service", port, json_pack("{s:b, s:b}", "enabled", 0, "filtered", 0));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_sent_is_received_and_was_forwarded),
		cmocka_unit_test(a_second_run_goes_on_counting),
		cmocka_unit_test(faults_of_a_hop_are_counted),
		cmocka_unit_test(a_client_sends_frames_and_sees_them_arrive),
	};

	return cmocka_run_group_tests(tests, up, down);
}
