/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "server_rig.h"
#include "service.h"

/* 60 bytes, UDP over IPv4 with 18 bytes of payload. */
#define FRAME60 "AAAAAQAAAAAAAgAACABFAAAuAAEAAEAROrcQAAAEMAAABAQBAAwAGgAAeHh4eHh4eHh4eHh4eHh4eHh4"

static struct server_rig *rig;

static int
begin(void **state)
{
	(void)state;
	rig = server_rig_new();
	service_open(&rig->worker);
	rig->worker.tsc_hz = 1000000000;
	for (int port = 0; port < 2; port++) {
		char params[80];

		snprintf(params, sizeof(params),
			 "{\"port_id\": %d, \"user\": \"u\", \"session_id\": 1, \"force\": false}",
			 port);
		json_decref(server_rig_call(rig, "acquire", params));
	}
	return 0;
}

static int
end(void **state)
{
	struct gen_worker *w = &rig->worker;
	struct copy_ring copies = w->copies, pushes = w->pushes;

	(void)state;
	server_rig_free(rig);
	copy_ring_close(&copies);
	copy_ring_close(&pushes);
	return 0;
}

/* Asserts that the result is 'want', or that the failure's sentence is. */
static void
assert_call(const char *method, const char *params, const char *want)
{
	json_t *reply = server_rig_call(rig, method, params);
	const json_t *result = json_object_get(reply, "result");
	const json_t *error = json_object_get(reply, "error");
	char *text = result != NULL
			     ? json_dumps(result, JSON_COMPACT | JSON_ENCODE_ANY | JSON_SORT_KEYS)
			     : NULL;

	assert_string_equal(
		text != NULL ? text : json_string_value(json_object_get(error, "specific_err")),
		want);
	free(text);
	json_decref(reply);
}

static void
add_stream(int port, int id, int pg_id, const char *rule, const char *want)
{
	char params[600];

	snprintf(params, sizeof(params),
		 "{\"port_id\": %d, \"stream_id\": %d, \"stream\": {\"enabled\": true, "
		 "\"self_start\": "
		 "true, \"isg\": 0, \"flags\": 0, \"next_stream_id\": -1, \"mode\": {\"type\": "
		 "\"continuous\", \"rate\": {\"type\": \"pps\", \"value\": 10}}, \"packet\": "
		 "{\"binary\": \"" FRAME60 "\", \"meta\": \"\"}, \"vm\": {\"instructions\": []}, "
		 "\"flow_stats\": {\"enabled\": true, \"stream_id\": %d, \"rule_type\": \"%s\"}}}",
		 port, id, pg_id, rule);
	assert_call("add_stream", params, want);
}

static void
groups_are_there_as_long_as_streams(void **state)
{
	(void)state;
	assert_call("get_active_pgids", "{}", "{\"ids\":{\"flow_stats\":[],\"latency\":[]}}");
	assert_call("get_pgid_stats", "{\"pgids\": []}",
		    "{\"flow_stats\":null,\"latency\":{\"g\":null},\"ver_id\":null}");
	add_stream(0, 1, 30, "stats", "{}");
	add_stream(1, 1, 30, "stats", "{}");
	add_stream(0, 2, 7, "latency", "{}");
	add_stream(1, 2, 7, "latency",
		   "For payload rules: Can't have two streams with same pg_id, or same stream on "
		   "more than one port");
	assert_call("get_active_pgids", "{}", "{\"ids\":{\"flow_stats\":[30],\"latency\":[7]}}");
	assert_call("remove_stream", "{\"port_id\": 0, \"stream_id\": 1}", "{}");
	assert_call("get_active_pgids", "{}", "{\"ids\":{\"flow_stats\":[30],\"latency\":[7]}}");
	assert_call("remove_all_streams", "{\"port_id\": 1, \"profile_id\": \"*\"}", "{}");
	assert_call("remove_all_streams", "{\"port_id\": 0}", "{}");
	assert_call("get_active_pgids", "{}", "{\"ids\":{\"flow_stats\":[],\"latency\":[]}}");
	assert_false(pgid_rx_active(&rig->worker.pgid));
}

static void
the_queue_is_one_of_service_mode(void **state)
{
	const struct copy_head h = {.len = 3, .wire_len = 3, .port = 1};

	(void)state;
	assert_call("set_rx_feature",
		    "{\"port_id\": 1, \"type\": \"queue\", \"enabled\": true, \"size\": 5}",
		    "setting RX queue is only available under service mode");
	assert_call("get_rx_queue_pkts", "{\"port_id\": 1}",
		    "fetching RX queue packets is only available under service mode");
	assert_call("service", "{\"port_id\": 1, \"enabled\": true, \"filtered\": false}", "{}");
	assert_call("set_rx_feature",
		    "{\"port_id\": 1, \"type\": \"queue\", \"enabled\": true, \"size\": 0}",
		    "queue size cannot be zero");
	assert_call("set_rx_feature",
		    "{\"port_id\": 1, \"type\": \"queue\", \"enabled\": true, \"size\": 5}", "{}");
	assert_int_equal(rig->worker.rx_copied, 2);
	memcpy(copy_ring_stage(&rig->worker.copies, &h), "abc", 3);
	copy_ring_publish(&rig->worker.copies, copy_ring_position(&rig->worker.copies));
	json_t *reply = server_rig_call(rig, "get_rx_queue_pkts", "{\"port_id\": 1}");
	json_t *pkts = json_object_get(json_object_get(reply, "result"), "pkts");
	assert_int_equal(json_array_size(pkts), 1);
	assert_string_equal(json_string_value(json_object_get(json_array_get(pkts, 0), "binary")),
			    "YWJj");
	json_decref(reply);
	assert_call("service", "{\"port_id\": 1, \"enabled\": false, \"filtered\": false}",
		    "unable to disable service mode - please remove RX queue");
	assert_call("set_rx_feature", "{\"port_id\": 1, \"type\": \"queue\", \"enabled\": false}",
		    "{}");
	assert_int_equal(rig->worker.rx_copied, 0);
	assert_call("service", "{\"port_id\": 1, \"enabled\": false, \"filtered\": false}", "{}");
}

static void
captures_ask_the_worker_for_copies(void **state)
{
	(void)state;
	json_decref(server_rig_call(rig, "capture",
				    "{\"command\": \"start\", \"limit\": 9, \"mode\": \"cyclic\", "
				    "\"tx\": [0], \"rx\": [1], \"filter\": \"arp\"}"));
	assert_int_equal(rig->worker.rx_copied, 2);
	assert_true(rig->worker.ports[0].tx_copied);
	assert_false(rig->worker.ports[1].tx_copied);
	assert_call("capture", "{\"command\": \"status\"}",
		    "[{\"bytes\":0,\"count\":0,\"fetched\":0,\"filter\":{\"bpf\":\"arp\",\"rx\":2,"
		    "\"tx\":1},\"id\":1,\"limit\":9,\"matched\":0,\"mode\":\"cyclic\",\"state\":"
		    "\"ACTIVE\"}]");
	assert_call("service", "{\"port_id\": 0, \"enabled\": false, \"filtered\": false}",
		    "unable to disable service mode - an active capture on port 0 exists");
	assert_call("capture", "{\"command\": \"stop\", \"capture_id\": 1}",
		    "{\"endpoint\":\"\",\"pkt_count\":0}");
	assert_int_equal(rig->worker.rx_copied, 0);
	assert_false(rig->worker.ports[0].tx_copied);
	assert_call("capture", "{\"command\": \"remove\", \"capture_id\": 1}", "{}");
	assert_call("capture", "{\"command\": \"remove\", \"capture_id\": 1}",
		    "capture ID not found");
	assert_call("capture",
		    "{\"command\": \"start\", \"limit\": 9, \"mode\": \"fixed\", \"tx\": [2], "
		    "\"rx\": []}",
		    "port_id - expecting value between 0 to 1");
	assert_call(
		"capture",
		"{\"command\": \"start\", \"limit\": 9, \"mode\": \"fixed\", \"tx\": [], \"rx\": "
		"[1], \"endpoint\": \"tcp://127.0.0.1:9\"}",
		"specified endpoint is unavailable");
}

static void
all_frames_of_a_call_are_pushed_or_none(void **state)
{
	struct copy_ring *pushes = &rig->worker.pushes;
	const struct copy_head *h;
	const uint8_t *bytes = NULL;

	(void)state;
	assert_call("push_pkts",
		    "{\"port_id\": 0, \"pkts\": [{\"binary\": \"" FRAME60
		    "\"}, {\"binary\": \"!\"}]}",
		    "pkts: a binary is not base64 of 14 to 1514 bytes");
	assert_true(copy_ring_is_empty(pushes));
	assert_call("push_pkts",
		    "{\"port_id\": 0, \"ipg_usec\": 600000, \"pkts\": [{\"binary\": \"" FRAME60
		    "\"}, {\"binary\": \"" FRAME60 "\"}]}",
		    "frames of one call are to be sent within 1 second");
	json_decref(
		server_rig_call(rig, "push_pkts",
				"{\"port_id\": 1, \"pkts\": [{\"binary\": \"" FRAME60
				"\", \"use_port_dst_mac\": true, \"use_port_src_mac\": true}]}"));
	h = copy_ring_peek(pushes, &bytes);
	assert_non_null(h);
	assert_int_equal(h->port, 1);
	assert_int_equal(h->len, 60);
	assert_memory_equal(bytes, rig->worker.ports[1].dest, 6);
	assert_memory_equal(bytes + 6, rig->worker.ports[1].addr, 6);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(groups_are_there_as_long_as_streams),
		TEST(the_queue_is_one_of_service_mode),
		TEST(captures_ask_the_worker_for_copies),
		TEST(all_frames_of_a_call_are_pushed_or_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
