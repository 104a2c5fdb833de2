/* SPDX-License-Identifier: MIT */
#include "capture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/test_random.h"
#include "pkt/frame.h"

static struct captures captures;

static int
end(void **state)
{
	(void)state;
	captures_fini(&captures);
	captures = (struct captures){0};
	return 0;
}

static void
add(uint8_t port, bool tx, uint32_t len, uint8_t fill)
{
	const struct copy_head h = {.len = len, .wire_len = len, .port = port, .tx = tx};
	uint8_t bytes[2000];

	memset(bytes, fill, sizeof(bytes));
	captures_add(&captures, &h, bytes, 12.5);
}

static uint32_t
start(uint32_t limit, bool cyclic, uint8_t tx, uint8_t rx, const char *filter)
{
	const struct capture_conf conf = {limit, cyclic, tx, rx, filter, 10};
	struct jsonrpc_error e;
	uint32_t id;

	assert_int_equal(capture_start(&captures, &conf, &id, &e), 0);
	return id;
}

/* What is kept of frames whose lengths count up, as the lengths of the first and the last. */
static void
a_store_keeps_the_first_or_the_last(void **state)
{
	(void)state;
	for (int round = 0; round < 200; round++) {
		size_t limit = rng_below(300), n = rng_below(600), kept = n < limit ? n : limit;
		bool cyclic = rng_below(2) == 0;
		uint8_t bytes[700] = {0};
		struct frame_store s;
		json_t *all;

		frame_store_init(&s, limit, cyclic);
		for (uint32_t i = 0; i < n; i++)
			frame_store_add(&s, &(struct copy_head){.len = i, .wire_len = i}, bytes, 1,
					i + 1);
		assert_int_equal(s.n, kept);
		all = frame_store_take(&s, SIZE_MAX, 0);
		assert_int_equal(json_array_size(all), kept);
		for (size_t i = 0; i < kept; i++) {
			json_t *f = json_array_get(all, i);

			assert_int_equal(json_integer_value(json_object_get(f, "wirelen")),
					 cyclic ? n - kept + i : i);
		}
		json_decref(all);
		assert_int_equal(s.n, 0);
		assert_int_equal(s.bytes, 0);
		frame_store_fini(&s);
	}
}

static void
a_store_has_a_limit_of_bytes(void **state)
{
	const struct copy_head h = {.len = 1 << 20, .wire_len = 1 << 20};
	uint8_t *bytes = calloc(1, h.len);
	struct frame_store s;

	(void)state;
	frame_store_init(&s, 1000, true);
	for (int i = 0; i < 300; i++)
		frame_store_add(&s, &h, bytes, 0, (uint64_t)i);
	assert_int_equal(s.n, 256);
	assert_int_equal(s.frames[s.first].index, 300 - 256);
	frame_store_fini(&s);
	free(bytes);
}

static void
a_frame_is_told_as_trex_tells_it(void **state)
{
	uint32_t id = start(10, false, 0, 2, "");
	struct jsonrpc_error e;
	json_t *result, *f;
	char *text;

	(void)state;
	add(1, false, 3, 0xab);
	assert_int_equal(capture_fetch(&captures, id, 10, 2, &result, &e), 0);
	f = json_array_get(json_object_get(result, "pkts"), 0);
	text = json_dumps(f, JSON_COMPACT | JSON_SORT_KEYS);
	assert_string_equal(text, "{\"binary\":\"q6s=\",\"index\":1,\"origin\":\"RX\",\"port\":1,"
				  "\"ts\":12.5,\"wirelen\":3}");
	free(text);
	assert_int_equal(json_integer_value(json_object_get(result, "pending")), 0);
	json_decref(result);
}

static void
each_capture_gets_what_it_asked_for(void **state)
{
	uint32_t both = start(100, false, 3, 3, ""), sent = start(100, true, 1, 0, "");
	struct jsonrpc_error e;
	json_t *status, *result;
	char *text;

	(void)state;
	assert_int_equal(captures_wanted(&captures, true), 3);
	assert_int_equal(captures_wanted(&captures, false), 3);
	add(0, true, 60, 1);
	add(1, true, 60, 1);
	add(0, false, 60, 1);
	assert_int_equal(capture_stop(&captures, both, &result, &e), 0);
	json_decref(result);
	add(0, true, 60, 1);
	assert_int_equal(captures_wanted(&captures, true), 1);
	status = captures_status(&captures);
	text = json_dumps(json_array_get(status, 0), JSON_COMPACT | JSON_SORT_KEYS);
	assert_string_equal(text,
			    "{\"bytes\":180,\"count\":3,\"fetched\":0,\"filter\":{\"bpf\":\"\","
			    "\"rx\":3,\"tx\":3},\"id\":1,\"limit\":100,\"matched\":3,\"mode\":"
			    "\"fixed\",\"state\":\"STOPPED\"}");
	free(text);
	text = json_dumps(json_array_get(status, 1), JSON_COMPACT | JSON_SORT_KEYS);
	assert_string_equal(text,
			    "{\"bytes\":120,\"count\":2,\"fetched\":0,\"filter\":{\"bpf\":\"\","
			    "\"rx\":0,\"tx\":1},\"id\":2,\"limit\":100,\"matched\":2,\"mode\":"
			    "\"cyclic\",\"state\":\"ACTIVE\"}");
	free(text);
	json_decref(status);
	assert_int_equal(capture_remove(&captures, both, &e), 0);
	assert_int_equal(capture_remove(&captures, both, &e), -22);
	assert_string_equal(e.specific, "capture ID not found");
	assert_int_equal(capture_remove(&captures, sent, &e), 0);
	assert_int_equal(captures.n, 0);
}

static void
a_filter_decides(void **state)
{
	uint32_t id = start(100, false, 0, 1, "udp dst port 9");
	struct frame_spec spec;
	struct copy_head h = {.len = 60, .wire_len = 60};
	struct jsonrpc_error e;
	uint8_t frame[60];
	struct err err;
	json_t *result;

	(void)state;
	frame_spec_init(&spec);
	assert_int_equal(frame_build(&spec, frame, sizeof(frame), &err), 60);
	captures_add(&captures, &h, frame, 0);
	spec.dst_port = 10;
	assert_int_equal(frame_build(&spec, frame, sizeof(frame), &err), 60);
	captures_add(&captures, &h, frame, 0);
	assert_int_equal(capture_stop(&captures, id, &result, &e), 0);
	assert_int_equal(json_integer_value(json_object_get(result, "pkt_count")), 1);
	json_decref(result);
}

static void
bad_captures_are_refused(void **state)
{
	struct capture_conf conf = {.limit = 1, .filter = "no such thing"};
	struct jsonrpc_error e;
	json_t *result;
	uint32_t id;

	(void)state;
	assert_int_equal(capture_start(&captures, &conf, &id, &e), -22);
	assert_int_equal(e.code, JSONRPC_PARAMS);
	assert_non_null(strstr(e.specific, "BPF filter: 'no such thing' is not a valid pattern"));
	assert_int_equal(captures.n, 0);
	for (int i = 0; i < CAPTURE_MAX; i++)
		start(1, false, 1, 1, "");
	conf.filter = "";
	assert_int_equal(capture_start(&captures, &conf, &id, &e), -22);
	assert_string_equal(e.specific, "capture limit has reached");
	assert_int_equal(capture_fetch(&captures, 99, 1, 0, &result, &e), -22);
	assert_int_equal(capture_stop(&captures, 99, &result, &e), -22);
}

#define TEST(f) cmocka_unit_test_teardown(f, end)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_store_keeps_the_first_or_the_last),
		TEST(a_store_has_a_limit_of_bytes),
		TEST(a_frame_is_told_as_trex_tells_it),
		TEST(each_capture_gets_what_it_asked_for),
		TEST(a_filter_decides),
		TEST(bad_captures_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
