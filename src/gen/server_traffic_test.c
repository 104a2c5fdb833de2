/* SPDX-License-Identifier: MIT */
#include "server_calls.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/assert_near.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"

#define FASTER "{\"type\":\"continuous\",\"rate\":{\"type\":\"pps\",\"value\":8}}"

static void
traffic_goes_through_its_states(void **state)
{
	struct server_rig *r = *state;

	calls_acquire(r, 0);
	calls_events(r);
	calls_refused(
		r, "start_traffic",
		"{\"port_id\":0,\"duration\":-1,\"force\":true,\"mul\":" CALLS_KPPS "}", -32000,
		"command 'start' cannot be executed on current state: 'IDLE on profile_id(_).");
	calls_add_stream(r, "_", 1, CALLS_CONTINUOUS);
	assert_string_equal(calls_events(r), "");
	calls_assert_state(r, "_", "STREAMS", "STREAMS");
	calls_start(r, "_", CALLS_KPPS);
	assert_string_equal(calls_events(r), "10 0 ");
	calls_assert_state(r, "_", "TX", "TX");
	calls_refused(
		r, "remove_all_streams", "{\"port_id\":0}", -32000,
		"command 'remove_and_delete_all_streams' cannot be executed on current state: 'TX "
		"on profile_id(_).");
	calls_ok(r, "pause_traffic", "{\"port_id\":0}");
	assert_string_equal(calls_events(r), "12 2 ");
	calls_assert_state(r, "_", "PAUSE", "PAUSE");
	calls_ok(r, "resume_traffic", "{\"port_id\":0}");
	assert_string_equal(calls_events(r), "13 3 ");
	calls_ok(r, "stop_traffic", "{\"port_id\":0}");
	assert_string_equal(calls_events(r), "11 1 ");
	calls_assert_state(r, "_", "STREAMS", "STREAMS");
	calls_ok(r, "stop_traffic", "{\"port_id\":0}");
	assert_string_equal(calls_events(r), "");
	calls_ok(r, "remove_all_streams", "{\"port_id\":0}");
	calls_assert_state(r, "_", "IDLE", "IDLE");
}

static void
the_end_of_a_burst_is_an_event(void **state)
{
	struct server_rig *r = *state;

	calls_acquire(r, 0);
	calls_add_stream(r, "_", 1, CALLS_BURST);
	calls_start(r, "_", "{\"type\":\"raw\",\"value\":1,\"op\":\"abs\"}");
	calls_events(r);
	calls_refused(r, "pause_traffic", "{\"port_id\":0}", -32000,
		      " pause is supported when all streams are in continues mode ");
	server_rig_end(r, 0, 0);
	assert_string_equal(calls_events(r), "14 4 ");
	calls_assert_state(r, "_", "STREAMS", "STREAMS");
	/* Stopping what has ended says nothing more. */
	calls_ok(r, "stop_traffic", "{\"port_id\":0}");
	assert_string_equal(calls_events(r), "");
}

static void
what_has_a_duration_is_not_paused(void **state)
{
	struct server_rig *r = *state;

	calls_acquire(r, 0);
	calls_add_stream(r, "_", 1, CALLS_CONTINUOUS);
	calls_ok(r, "start_traffic",
		 "{\"port_id\":0,\"duration\":3,\"force\":true,\"mul\":" CALLS_KPPS "}");
	server_rig_work(r);
	calls_refused(r, "pause_traffic", "{\"port_id\":0}", -32000,
		      " pause is supported when duration is not enable is start command ");
}

/* The worker's counts of three streams. */
static void
count_slots(struct run *run)
{
	struct run_lane *lane = run->lane;

	assert_int_equal(run->n_streams, 3);
	for (unsigned i = 0; i < 3; i++) {
		struct run_stream *s = &run->streams[i];

		counter_add(&s->intended, 100 + i);
		counter_add(&s->sent, 90);
		counter_add(&s->sent_bytes, 90 * 64);
		counter_add(&s->refused, 10 - i);
		counter_add(&s->late, 2 * i);
		hist_record(&s->times->lateness, 100 * (i + 1));
	}
	counter_add(&lane->intended, 303);
	counter_add(&lane->sent, 270);
	counter_add(&lane->refused, 27);
	counter_add(&lane->late, 6);
	counter_add(&run->sent_bytes, 270 * 64);
}

static uint64_t
at(const json_t *o, const char *path)
{
	return (uint64_t)json_integer_value(json_at(o, path));
}

static void
each_streams_slots_are_told_and_add_up(void **state)
{
	static const char *const keys[] = {"intended", "sent", "sent_bytes", "refused", "late"};
	struct server_rig *r = *state;
	json_t *all, *one, *streams;
	size_t i;

	calls_acquire(r, 0);
	calls_refused(r, "x_nfvchain_streams", "{\"port_id\":0}", -32000,
		      "port 0 has sent nothing yet");
	for (int id = 9; id > 0; id -= 4)
		calls_add_stream(r, "_", id, CALLS_CONTINUOUS);
	calls_start(r, "_", CALLS_KPPS);
	count_slots(r->worker.ports[0].slots[0].run);
	all = calls_result(r, "x_nfvchain_streams", "{\"port_id\":0}");
	assert_string_equal(json_string_value(json_object_get(all, "state")), "active");
	assert_true(json_is_null(json_object_get(all, "lateness")));
	json_decref(all);
	server_rig_end(r, 0, 0);
	all = calls_result(r, "x_nfvchain_streams", "{\"port_id\":0,\"buckets\":true}");
	streams = json_object_get(all, "streams");
	assert_int_equal(json_array_size(streams), 3);
	for (size_t k = 0; k < N_ELEMS(keys); k++) {
		uint64_t sum = 0;

		json_array_foreach(streams, i, one)
			sum += at(one, keys[k]);
		assert_int_equal(sum, at(all, keys[k]));
	}
	json_array_foreach(streams, i, one) {
		assert_int_equal(at(one, "id"), 1 + 4 * i);
		assert_int_equal(at(one, "intended"),
				 at(one, "sent") + at(one, "refused") + at(one, "late"));
		assert_int_equal(at(one, "lateness.n"), 1);
		assert_null(json_at(one, "lateness.buckets"));
	}
	assert_int_equal(at(all, "lateness.n"), 3);
	assert_int_equal(at(all, "lateness.max_ns"), 300);
	assert_int_equal(json_array_size(json_at(all, "lateness.buckets")), 3);
	json_decref(all);
}

/* By nobody, whether or not the port is theirs. */
static void
addresses_are_not_changed_under_traffic(void **state)
{
	static const struct {
		const char *method, *params, *command;
	} changes[] = {
		{"set_l2", "{\"port_id\":0,\"dst_mac\":\"02:00:00:00:00:07\"}", "set_l2_mode"},
		{"set_l3", "{\"port_id\":0,\"src_addr\":\"1.1.1.1\",\"dst_addr\":\"1.1.1.2\"}",
		 "set_l3_mode"},
		{"conf_ipv6", "{\"port_id\":0,\"enabled\":true,\"src_ipv6\":\"\"}", "conf_ipv6"},
		{"set_vlan", "{\"port_id\":0,\"vlan\":[7]}", "set_vlan_cfg"},
	};
	struct server_rig *r = *state;
	char why[128];

	calls_acquire(r, 0);
	calls_add_stream(r, "_", 1, CALLS_CONTINUOUS);
	calls_start(r, "_", CALLS_KPPS);
	for (int pause = 0; pause < 2; pause++) {
		for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
			snprintf(why, sizeof(why),
				 "command '%s' cannot be executed on current state: '%s'",
				 changes[i].command, pause ? "PAUSE" : "TX");
			calls_refused(r, changes[i].method, changes[i].params, -32000, why);
		}
		calls_ok(r, pause ? "stop_traffic" : "pause_traffic", "{\"port_id\":0}");
	}
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++)
		calls_ok(r, changes[i].method, changes[i].params);
}

static void
a_stop_is_at_once(void **state)
{
	struct server_rig *r = *state;

	calls_acquire(r, 0);
	calls_add_stream(r, "_", 1, CALLS_CONTINUOUS);
	/* The worker is away all the time: nothing waits for it, and nothing is lost track of. */
	for (int i = 0; i < 20; i++) {
		calls_ok(r, "start_traffic",
			 "{\"port_id\":0,\"duration\":-1,\"force\":true,\"mul\":" CALLS_KPPS "}");
		calls_ok(r, "stop_traffic", "{\"port_id\":0}");
	}
	server_rig_work(r);
	calls_start(r, "_", CALLS_KPPS);
	calls_assert_state(r, "_", "TX", "TX");
}

static void
a_worker_that_never_answers_is_said(void **state)
{
	struct server_rig *r = *state;

	calls_acquire(r, 0);
	calls_add_stream(r, "_", 1, CALLS_CONTINUOUS);
	for (int i = 0; i <= SERVER_MAX_RETIRED; i++) {
		calls_ok(r, "start_traffic",
			 "{\"port_id\":0,\"duration\":-1,\"force\":true,\"mul\":" CALLS_KPPS "}");
		calls_ok(r, "stop_traffic", "{\"port_id\":0}");
	}
	calls_refused(r, "start_traffic",
		      "{\"port_id\":0,\"duration\":-1,\"force\":true,\"mul\":" CALLS_KPPS "}",
		      -32000, "the data lcore does not answer");
	calls_assert_state(r, "_", "STREAMS", "STREAMS");
}

static void
profiles_send_side_by_side(void **state)
{
	struct server_rig *r = *state;

	calls_acquire(r, 0);
	calls_add_stream(r, "_", 1, CALLS_CONTINUOUS);
	calls_add_stream(r, "b", 1, CALLS_CONTINUOUS);
	calls_events(r);
	calls_start(r, "_", CALLS_KPPS);
	assert_string_equal(calls_events(r), "10 0 ");
	calls_start(r, "b", CALLS_KPPS);
	assert_string_equal(calls_events(r), "10 ");
	calls_ok(r, "pause_traffic", "{\"port_id\":0,\"profile_id\":\"b\"}");
	assert_string_equal(calls_events(r), "12 ");
	calls_assert_state(r, "b", "TX", "PAUSE");
	calls_ok(r, "stop_traffic", "{\"port_id\":0}");
	assert_string_equal(calls_events(r), "11 2 ");
	calls_assert_state(r, "_", "PAUSE", "STREAMS");
	calls_ok(r, "stop_traffic", "{\"port_id\":0,\"profile_id\":\"*\"}");
	assert_string_equal(calls_events(r), "11 1 ");
	calls_refused(r, "stop_traffic", "{\"port_id\":0,\"profile_id\":\"c\"}", -32000,
		      "profile_id c does not exists");
	calls_ok(r, "remove_all_streams", "{\"port_id\":0,\"profile_id\":\"*\"}");
	calls_assert_state(r, "_", "IDLE", "IDLE");
}

static double
multiplier_after(struct server_rig *r, const char *method, const char *mul)
{
	char params[256];
	json_t *result;
	double m;

	snprintf(params, sizeof(params),
		 "{\"port_id\":0,\"force\":true,\"duration\":-1,\"mul\":%s}", mul);
	result = calls_result(r, method, params);
	m = json_number_value(json_object_get(result, "multiplier"));
	json_decref(result);
	return m;
}

static void
updates_change_the_multiplier(void **state)
{
	struct server_rig *r = *state;

	calls_acquire(r, 0);
	calls_add_stream(r, "_", 1, CALLS_CONTINUOUS);
	assert_near(multiplier_after(r, "start_traffic",
				     "{\"type\":\"bps\",\"value\":1e8,\"op\":\"abs\"}"),
		    195312.5, 1e-6);
	server_rig_work(r);
	assert_near(multiplier_after(r, "update_traffic",
				     "{\"type\":\"pps\",\"value\":50000,\"op\":\"abs\"}"),
		    50000, 1e-6);
	assert_near(multiplier_after(r, "update_traffic",
				     "{\"type\":\"pps\",\"value\":7000,\"op\":\"add\"}"),
		    57000, 1e-6);
	assert_near(multiplier_after(r, "update_traffic",
				     "{\"type\":\"percentage\",\"value\":50,\"op\":\"sub\"}"),
		    28500, 1e-6);
	calls_refused(
		r, "update_traffic",
		"{\"port_id\":0,\"force\":true,\"mul\":{\"type\":\"pps\",\"value\":28500,\"op\":"
		"\"sub\"}}",
		-32000, "Update request will lower traffic to less than zero");
}

static void
streams_are_changed_one_by_one(void **state)
{
	struct server_rig *r = *state;

	calls_acquire(r, 0);
	calls_add_stream(r, "_", 1, CALLS_CONTINUOUS);
	calls_add_stream(r, "_", 2, CALLS_CONTINUOUS);
	calls_refused(r, "pause_streams", "{\"port_id\":0,\"stream_ids\":[1]}", -32000,
		      "command 'pause' cannot be executed on current state: 'STREAMS on "
		      "profile_id(_).");
	calls_start(r, "_", CALLS_KPPS);
	calls_ok(r, "pause_streams", "{\"port_id\":0,\"stream_ids\":[1]}");
	calls_ok(r, "resume_streams", "{\"port_id\":0,\"stream_ids\":[1]}");
	calls_ok(r, "update_streams",
		 "{\"port_id\":0,\"stream_ids\":[1,2],\"force\":true,\"mul\":" CALLS_KPPS "}");
	calls_assert_state(r, "_", "TX", "TX");
	calls_refused(r, "pause_streams", "{\"port_id\":0,\"stream_ids\":[]}", -32602,
		      "please specify streams to pause");
	calls_refused(r, "pause_streams", "{\"port_id\":0,\"stream_ids\":[\"x\"]}", -32602,
		      "stream_ids[0] is not a stream's number");
	calls_refused(r, "resume_streams", "{\"port_id\":0,\"stream_ids\":[1,3]}", -32000,
		      "resume_streams: stream 3 does not exists in profile_id(_)");
	calls_refused(r, "update_streams",
		      "{\"port_id\":0,\"stream_ids\":[1],\"force\":true,\"mul\":{\"type\":\"pps\","
		      "\"value\":1,\"op\":\"add\"}}",
		      -32000, "Must use absolute multiplier for updating stream");
}

static void
a_whole_profile_is_updated_at_once(void **state)
{
	struct server_rig *r = *state;
	const struct run_change *change;
	struct str params = {0};
	const struct run *run;

	calls_acquire(r, 0);
	str_addf(&params, "{\"port_id\":0,\"force\":true,\"mul\":" CALLS_KPPS ",\"stream_ids\":[");
	for (int i = 1; i <= PROFILE_MAX_STREAMS; i++) {
		calls_add_stream(r, "_", i, i % 2 == 0 ? CALLS_CONTINUOUS : FASTER);
		str_addf(&params, "%s%d", i > 1 ? "," : "", i);
	}
	str_addf(&params, "]}");
	calls_start(r, "_", "{\"type\":\"raw\",\"value\":1,\"op\":\"abs\"}");
	run = r->worker.ports[0].slots[0].run;
	calls_ok(r, "update_streams", str_text(&params));
	str_fini(&params);
	/* Each is to send 1000 frames a second. */
	assert_int_equal(atomic_load(&run->n_asked), 1);
	change = &run->changes[0];
	assert_int_equal(change->kind, RUN_CHANGE_FACTOR);
	assert_int_equal(change->n, PROFILE_MAX_STREAMS);
	for (size_t i = 0; i < change->n; i++)
		assert_near(change->factors[i] * run->streams[change->streams[i]].pps, 1000, 1e-6);
}

static void
a_start_is_checked_unless_forced(void **state)
{
	struct server_rig *r = *state;

	calls_acquire(r, 0);
	calls_add_stream(r, "_", 1, CALLS_CONTINUOUS);
	/* There is no device here, so its link is down. */
	calls_refused(r, "start_traffic",
		      "{\"port_id\":0,\"duration\":-1,\"force\":false,\"mul\":" CALLS_KPPS "}",
		      -32000, "Link state is DOWN.");
	calls_refused(
		r, "start_traffic",
		"{\"port_id\":0,\"duration\":-1,\"force\":true,\"core_mask\":2,\"mul\":" CALLS_KPPS
		"}",
		-32602, "core_mask: '0x2' for 1 cores generates an empty set");
	calls_refused(r, "start_traffic",
		      "{\"port_id\":0,\"duration\":-1,\"force\":true,\"start_at_ts\":0.5,"
		      "\"mul\":" CALLS_KPPS "}",
		      -32000, "start_at_ts, if defined, should be at least 100ms from now_sec()");
	calls_refused(r, "start_traffic", "{\"port_id\":0,\"duration\":\"x\",\"force\":true}",
		      -32602, "parameter 'duration' must be a number but is a string");
	calls_assert_state(r, "_", "STREAMS", "STREAMS");
}

static void
streams_are_told_as_they_came(void **state)
{
	struct server_rig *r = *state;
	json_t *all, *one;

	calls_acquire(r, 0);
	calls_add_stream(r, "_", 4, CALLS_BURST);
	calls_add_stream(r, "b", 5, CALLS_CONTINUOUS);
	calls_refused(r, "add_stream", "{\"port_id\":0,\"stream_id\":4,\"stream\":{}}", -32000,
		      "stream 4 already exists in profile_id(_)");
	all = calls_result(r, "get_all_streams", "{\"port_id\":0,\"profile_id\":\"*\"}");
	one = calls_result(r, "get_stream", "{\"port_id\":0,\"stream_id\":4,\"get_pkt\":true}");
	assert_true(json_equal(json_at(all, "profiles._.4"), json_at(one, "stream")));
	assert_non_null(json_at(all, "profiles.b.5"));
	assert_string_equal(json_string_value(json_at(one, "stream.packet.meta")), "m");
	json_decref(one);
	one = calls_result(r, "get_stream", "{\"port_id\":0,\"stream_id\":4,\"get_pkt\":false}");
	assert_null(json_at(one, "stream.packet"));
	assert_non_null(json_at(one, "stream.mode"));
	json_decref(one);
	json_decref(all);
	calls_refused(r, "get_stream", "{\"port_id\":0,\"stream_id\":9,\"get_pkt\":true}", -32000,
		      "stream id 9, profile id _ on port 0 does not exists");
	calls_ok(r, "remove_stream", "{\"port_id\":0,\"stream_id\":4}");
	calls_refused(r, "remove_stream", "{\"port_id\":0,\"stream_id\":4}", -32000,
		      "stream 4 does not exists in profile_id(_)");
	all = calls_result(r, "get_all_streams", "{\"port_id\":0,\"profile_id\":\"*\"}");
	assert_int_equal(json_object_size(json_object_get(all, "profiles")), 1);
	json_decref(all);
}

static void
a_bad_stream_leaves_nothing(void **state)
{
	struct server_rig *r = *state;
	json_t *list;

	calls_acquire(r, 0);
	calls_refused(r, "add_stream",
		      "{\"port_id\":0,\"profile_id\":\"new\",\"stream_id\":4,\"stream\":7}", -32000,
		      "stream 4: not an object");
	/* That is how TRex reports it, though it is a parameter. */
	calls_refused(
		r, "add_stream", "{\"port_id\":0,\"stream_id\":-4,\"stream\":7}", -32000,
		"parameter 'stream_id' must be an integer from 0 to 2^64 - 1 but is negative");
	list = calls_result(r, "get_profile_list", "{\"port_id\":0}");
	assert_int_equal(json_array_size(list), 1);
	json_decref(list);
	calls_assert_state(r, "_", "IDLE", "IDLE");
}

static void
validate_tells_the_graph(void **state)
{
	struct server_rig *r = *state;
	struct err err = {0};
	json_t *v;
	double x;

	calls_acquire(r, 0);
	calls_refused(r, "validate", "{\"port_id\":0}", -32000, "no streams attached to port");
	calls_add_stream(r, "_", 5, CALLS_CONTINUOUS);
	v = calls_result(r, "validate", "{\"port_id\":0}");
	assert_int_equal(json_get_double(v, "rate.max_bps_l2", &x, &err), 0);
	assert_near(x, 512, 0);
	assert_int_equal(json_get_double(v, "rate.min_pps", &x, &err), 0);
	assert_near(x, 0, 0);
	assert_int_equal(json_get_double(v, "graph.expected_duration", &x, &err), 0);
	assert_near(x, -1, 0);
	assert_int_equal(json_get_double(v, "graph.events[0].stream_id", &x, &err), 0);
	assert_near(x, 5, 0);
	json_decref(v);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, calls_init, calls_fini)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(traffic_goes_through_its_states),
		TEST(the_end_of_a_burst_is_an_event),
		TEST(what_has_a_duration_is_not_paused),
		TEST(each_streams_slots_are_told_and_add_up),
		TEST(addresses_are_not_changed_under_traffic),
		TEST(a_stop_is_at_once),
		TEST(a_worker_that_never_answers_is_said),
		TEST(profiles_send_side_by_side),
		TEST(updates_change_the_multiplier),
		TEST(streams_are_changed_one_by_one),
		TEST(a_whole_profile_is_updated_at_once),
		TEST(a_start_is_checked_unless_forced),
		TEST(streams_are_told_as_they_came),
		TEST(a_bad_stream_leaves_nothing),
		TEST(validate_tells_the_graph),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
