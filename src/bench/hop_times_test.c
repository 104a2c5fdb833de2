/* SPDX-License-Identifier: MIT */
#include "hop_times.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

/* A forwarder's counters with one stage; 'more' frames beside the first ten, each of them dearer.
 */
static json_t *
counters(unsigned more, bool waits)
{
	const int n = 10 + (int)more, dear = 1000 * (int)more;
	json_t *wait = waits ? json_pack("{s:i, s:i, s:i, s:[[i,i],[i,i]]}", "n", n, "sum_tsc",
					 20 * n, "max_ns", 15, "buckets", 10, n, 20, 0)
			     : json_null();

	/* Two cycles a nanosecond. */
	return json_pack("{s:f, s:[{s:s, s:o, s:{s:i, s:i, s:i, s:[[i,i],[i,i]]}}],"
			 " s:{s:{s:i, s:i, s:i, s:[]}, s:{s:i, s:i, s:i, s:[]}, s:{s:i, s:i}}}",
			 "tsc_hz", 2e9, "stages", "nf", "l2fwd", "wait", wait, "service", "n", n,
			 "sum_tsc", 100 + dear, "max_ns", 510, "buckets", 8, 10, 512, (int)more,
			 "times", "tx_wait", "n", n, "sum_tsc", 4 * n, "max_ns", 2, "buckets",
			 "total", "n", n, "sum_tsc", 24 * n + 100 + dear, "max_ns", 600, "buckets",
			 "dropped", "n", 0, "sum_tsc", 0);
}

static void
what_passed_is_the_difference(void **state)
{
	json_t *before = counters(0, true), *after = counters(5, true);
	struct hop_times t;

	(void)state;
	hop_times_between(&t, before, after);
	assert_true(t.known);
	assert_int_equal(t.n_stages, 1);
	assert_string_equal(t.stage[0].nf, "l2fwd");
	assert_int_equal(t.stage[0].service.n, 5);
	assert_int_equal(t.stage[0].service.sum_tsc, 5000);
	assert_true(t.stage[0].service.mean_ns == 500);
	/* The ten before are none of them; no figure is above the longest that was ever seen. */
	assert_true(t.stage[0].service.p50_ns == 510);
	assert_true(t.stage[0].service.p99_ns == 510);
	assert_true(t.stage[0].service.max_ns == 510);
	assert_true(t.stage[0].wait.p50_ns == 10);
	assert_int_equal(t.total.n, 5);
	/* (20 + 1000 + 4) cycles of a frame. */
	assert_true(hop_times_parts_ns(&t) == 512);
	assert_true(t.total.mean_ns == 512);
	json_decref(before);
	json_decref(after);
}

static void
what_went_backwards_is_not_known(void **state)
{
	json_t *before = counters(5, true), *after = counters(0, true);
	struct hop_times t;

	(void)state;
	hop_times_between(&t, before, after);
	assert_false(t.known);
	hop_times_between(&t, NULL, after);
	assert_false(t.known);
	hop_times_between(&t, before, NULL);
	assert_false(t.known);
	json_decref(before);
	json_decref(after);
}

static void
nothing_passed_and_nothing_is_known_of_it(void **state)
{
	json_t *one = counters(3, true), *json;
	struct hop_times t;

	(void)state;
	hop_times_between(&t, one, one);
	assert_true(t.known);
	assert_int_equal(t.total.n, 0);
	assert_true(isnan(t.total.mean_ns));
	assert_true(isnan(hop_times_parts_ns(&t)));
	json = hop_times_to_json(&t, "vnf1");
	assert_true(json_is_null(json_object_get(json, "total")));
	json_decref(json);
	json_decref(one);
}

static void
json_carries_all(void **state)
{
	for (unsigned waits = 0; waits < 2; waits++) {
		json_t *before = counters(0, waits), *after = counters(5, waits), *json, *again;
		struct hop_times t, back;
		struct err err;

		(void)state;
		hop_times_between(&t, before, after);
		json = hop_times_to_json(&t, "vnf1");
		assert_int_equal(hop_times_from_json(&back, json, &err), 0);
		again = hop_times_to_json(&back, "vnf1");
		assert_true(json_equal(json, again));
		assert_int_equal(back.stage[0].wait.n, waits ? 5 : 0);
		assert_true(back.known);
		json_decref(before);
		json_decref(after);
		json_decref(json);
		json_decref(again);
	}
}

static void
bad_json_is_refused(void **state)
{
	struct hop_times t;
	struct err err;
	json_t *unknown = json_pack("{s:s, s:n}", "name", "vnf1", "stages");
	json_t *word = json_pack("{s:s}", "stages", "three");
	json_t *lacks = json_pack("{s:[{s:s, s:{s:i}}]}", "stages", "nf", "l2fwd", "wait", "n", 1);

	(void)state;
	assert_int_equal(hop_times_from_json(&t, unknown, &err), 0);
	assert_false(t.known);
	assert_true(hop_times_from_json(&t, word, &err) < 0);
	assert_false(t.known);
	assert_true(hop_times_from_json(&t, lacks, &err) < 0);
	assert_non_null(strstr(err.msg, "stages[0]: wait: "));
	assert_false(t.known);
	json_decref(unknown);
	json_decref(word);
	json_decref(lacks);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_passed_is_the_difference),
		cmocka_unit_test(what_went_backwards_is_not_known),
		cmocka_unit_test(nothing_passed_and_nothing_is_known_of_it),
		cmocka_unit_test(json_carries_all),
		cmocka_unit_test(bad_json_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
