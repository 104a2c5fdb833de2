/* SPDX-License-Identifier: MIT */
#include "latency.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/test_random.h"

#define FLOW 7
#define US 1000u

static struct latency_rx *l;
static struct latency_view view;

static int
begin(void **state)
{
	(void)state;
	l = latency_new(FLOW);
	view = (struct latency_view){0};
	return 0;
}

static int
end(void **state)
{
	(void)state;
	free(l);
	return 0;
}

/* Frame number 'i' of the stream. */
static enum latency_verdict
receive(uint32_t i, uint64_t ns)
{
	const struct trailer t = {.flow_seq = FLOW, .seq = LATENCY_FIRST_SEQ + i};

	return latency_receive(l, &t, ns);
}

static uint64_t
number(const char *list, const char *key)
{
	json_t *lat = latency_to_json(l, &view, false);
	json_t *of = list != NULL ? json_object_get(lat, list) : lat;
	uint64_t n = (uint64_t)json_number_value(json_object_get(of, key));

	json_decref(lat);
	return n;
}

static void
assert_errors(const char *want)
{
	json_t *er = latency_errors_to_json(l);
	char *text = er != NULL ? json_dumps(er, JSON_COMPACT) : NULL;

	assert_string_equal(text != NULL ? text : "", want);
	free(text);
	json_decref(er);
}

static void
a_stamp_is_the_frames_last_16_bytes(void **state)
{
	uint8_t frame[64], want[64];
	struct trailer t;

	(void)state;
	memset(frame, 0x55, sizeof(frame));
	memset(want, 0x55, sizeof(want));
	latency_stamp(frame, 60, 127, 9, 0xfffffffe, 0x1122334455667788);
	assert_memory_equal(frame, want, 44);
	assert_memory_equal(frame + 60, want, 4);
	assert_true(trailer_read(frame + 44, &t));
	assert_int_equal(t.hw_id, 127);
	assert_int_equal(t.tsc, 0x1122334455667788);
}

static void
frames_in_order_are_no_error(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < 10000; i++)
		assert_int_equal(receive(i, 1000), LATENCY_OK);
	assert_errors("");
	assert_int_equal(l->n, 10000);
}

/* The rules as TRex has them, one at a time. */
static void
each_rule_counts(void **state)
{
	(void)state;
	receive(0, 0);
	receive(3, 0);
	assert_errors("{\"drp\":2,\"sth\":1}");
	receive(3, 0);
	assert_errors("{\"drp\":2,\"dup\":1,\"sth\":1,\"stl\":1}");
	receive(1, 0);
	assert_errors("{\"drp\":1,\"ooo\":1,\"dup\":1,\"sth\":1,\"stl\":2}");
	/* A copy of one from further back is a copy all the same. */
	receive(1, 0);
	receive(0, 0);
	assert_errors("{\"drp\":1,\"ooo\":1,\"dup\":3,\"sth\":1,\"stl\":4}");
	receive(4, 0);
	assert_errors("{\"drp\":1,\"ooo\":1,\"dup\":3,\"sth\":1,\"stl\":4}");
}

static void
what_was_never_lost_makes_no_negative_loss(void **state)
{
	(void)state;
	receive(10000, 0);
	assert_errors("{\"drp\":10000,\"sth\":1}");
	free(l);
	begin(NULL);
	for (uint32_t i = 0; i < 10; i++)
		receive(i, 0);
	/* From before the first. */
	receive((uint32_t)-5, 0);
	assert_errors("{\"ooo\":1,\"stl\":1}");
}

/* A chain that loses, copies and delays frames, against what a list of all that came says. */
static void
a_bad_chain_is_counted_exactly(void **state)
{
	enum { SENT = 20000 };
	static uint32_t order[2 * SENT];
	static uint8_t times[SENT];

	(void)state;
	rng_seed("latency");
	for (int round = 0; round < 30; round++) {
		uint64_t distinct = 0, copies = 0, stragglers = 0;
		uint32_t n = 0, next = 0;

		free(l);
		begin(NULL);
		memset(times, 0, sizeof(times));
		for (uint32_t i = 0; i < SENT; i++)
			for (unsigned k = rng_below(50) == 0 ? rng_below(3) : 1; k > 0; k--)
				order[n++] = i;
		/* Swaps over less than the window. */
		for (uint32_t i = 0; i < n; i++) {
			uint32_t to = i + rng_below(LATENCY_WINDOW / 8);
			uint32_t keep = order[i];

			if (rng_below(20) != 0 || to >= n)
				continue;
			order[i] = order[to];
			order[to] = keep;
		}
		for (uint32_t i = 0; i < n; i++) {
			distinct += times[order[i]]++ == 0;
			copies += times[order[i]] > 1;
			stragglers += times[order[i]] == 1 && order[i] < next;
			next = order[i] >= next ? order[i] + 1 : next;
			assert_int_equal(receive(order[i], 0), LATENCY_OK);
		}
		assert_int_equal(l->dropped, next - distinct);
		assert_int_equal(l->duplicate, copies);
		assert_int_equal(l->out_of_order, stragglers);
		assert_int_equal(l->seq_too_low, copies + stragglers);
		assert_int_equal(l->n, n);
	}
}

static void
incarnations_are_told_apart(void **state)
{
	struct trailer t = {.flow_seq = FLOW, .seq = LATENCY_FIRST_SEQ};

	(void)state;
	assert_int_equal(latency_receive(l, &t, 0), LATENCY_OK);
	t.flow_seq = FLOW + 2;
	assert_int_equal(latency_receive(l, &t, 0), LATENCY_BAD_HEADER);
	latency_expect(l, FLOW + 1);
	/* Until the new one shows, the old one is what there is. */
	t = (struct trailer){.flow_seq = FLOW, .seq = LATENCY_FIRST_SEQ + 1};
	assert_int_equal(latency_receive(l, &t, 0), LATENCY_OK);
	t = (struct trailer){.flow_seq = FLOW + 1, .seq = LATENCY_FIRST_SEQ};
	assert_int_equal(latency_receive(l, &t, 0), LATENCY_OK);
	t = (struct trailer){.flow_seq = FLOW, .seq = LATENCY_FIRST_SEQ + 2};
	assert_int_equal(latency_receive(l, &t, 0), LATENCY_OLD_FLOW);
	t.flow_seq = LATENCY_NO_FLOW;
	assert_int_equal(latency_receive(l, &t, 0), LATENCY_BAD_HEADER);
	assert_errors("");
	assert_int_equal(l->n, 3);
}

static void
histogram_has_nine_steps_in_each_of_five_decades(void **state)
{
	uint32_t i = 0;

	(void)state;
	receive(i++, 0);
	receive(i++, 9999);
	assert_int_equal(number("histogram", "0"), 2);
	for (uint64_t low = 10; low <= 100000; low *= 10) {
		for (uint64_t step = 1; step <= 9; step++) {
			char key[24];

			snprintf(key, sizeof(key), "%llu", (unsigned long long)(low * step));
			receive(i++, low * step * US);
			assert_int_equal(number("histogram", key), 1);
			receive(i++, low * (step + 1) * US - 1);
			assert_int_equal(number("histogram", key), 2);
		}
	}
	receive(i++, 5000000000);
	assert_int_equal(number("histogram", "900000"), 3);
}

static void
first_frames_are_no_maximum_for_a_while(void **state)
{
	uint32_t i = 0;

	(void)state;
	for (; i < LATENCY_HOT; i++)
		receive(i, 1000 * US);
	receive(i++, 5 * US);
	latency_end_period(l, &view);
	assert_int_equal(number(NULL, "total_max"), 5);
	assert_int_equal(number(NULL, "last_max"), 5);
	/* A slow stream's are one, as soon as four periods have passed. */
	free(l);
	begin(NULL);
	for (i = 0; i <= LATENCY_HOT_PERIODS; i++) {
		receive(i, 70 * US);
		latency_end_period(l, &view);
		assert_int_equal(number(NULL, "total_max"), 0);
	}
	receive(i, 80 * US);
	latency_end_period(l, &view);
	assert_int_equal(number(NULL, "total_max"), 80);
}

static void
periods_have_maxima_and_means_of_their_own(void **state)
{
	uint32_t i = 0;

	(void)state;
	for (; i < LATENCY_HOT; i++)
		receive(i, 100 * US);
	receive(i++, 320 * US);
	latency_end_period(l, &view);
	assert_int_equal(number(NULL, "last_max"), 320);
	assert_int_equal(number(NULL, "average"), 120);
	receive(i++, 200 * US);
	receive(i++, 280 * US);
	/* The last period is the one that has ended. */
	assert_int_equal(number(NULL, "last_max"), 320);
	assert_int_equal(number(NULL, "average"), 120);
	latency_end_period(l, &view);
	assert_int_equal(number(NULL, "last_max"), 280);
	assert_int_equal(number(NULL, "average"), 180);
	/* One without frames does not count. */
	latency_end_period(l, &view);
	latency_end_period(l, &view);
	assert_int_equal(number(NULL, "last_max"), 280);
	assert_int_equal(number(NULL, "total_max"), 320);
	assert_int_equal(number(NULL, "total_min"), 100);
	assert_int_equal(number(NULL, "average"), 180);
}

static void
jitter_follows_rfc_3550(void **state)
{
	double jitter = 0;
	uint64_t last = 0;

	(void)state;
	for (uint32_t i = 0; i < 5000; i++) {
		uint64_t ns = 50 * US + rng_below(400 * US);
		double d = ns > last ? (double)(ns - last) : (double)(last - ns);

		receive(i, ns);
		if (i > 0)
			jitter += (d - jitter) / 16;
		last = ns;
		assert_true(jitter - (double)l->jitter_ns < 3 && (double)l->jitter_ns - jitter < 3);
	}
	assert_int_equal(number(NULL, "jit"), (uint64_t)l->jitter_ns / US);
}

static void
nothing_received_is_told_as_0(void **state)
{
	(void)state;
	latency_end_period(l, &view);
	assert_int_equal(number(NULL, "total_min"), 0);
	assert_int_equal(number(NULL, "last_max"), 0);
	assert_int_equal(number(NULL, "average"), 0);
	assert_errors("");
}

static void
the_whole_histogram_on_request(void **state)
{
	json_t *lat = latency_to_json(l, &view, true);

	(void)state;
	assert_non_null(json_string_value(json_object_get(lat, "hdrh")));
	assert_memory_equal(json_string_value(json_object_get(lat, "hdrh")), "HISTFAAAA", 9);
	json_decref(lat);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_stamp_is_the_frames_last_16_bytes),
		TEST(frames_in_order_are_no_error),
		TEST(each_rule_counts),
		TEST(what_was_never_lost_makes_no_negative_loss),
		TEST(a_bad_chain_is_counted_exactly),
		TEST(incarnations_are_told_apart),
		TEST(histogram_has_nine_steps_in_each_of_five_decades),
		TEST(first_frames_are_no_maximum_for_a_while),
		TEST(periods_have_maxima_and_means_of_their_own),
		TEST(jitter_follows_rfc_3550),
		TEST(nothing_received_is_told_as_0),
		TEST(the_whole_histogram_on_request),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
