/* SPDX-License-Identifier: MIT */
#include "result.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"

#include "result_golden.h"

/* ---- a result to look at ---- */

static json_t *
start(void)
{
	char program[] = "nfvchain", verb[] = "bench", bad[] = "\xff";
	char *const argv[] = {program, verb, bad};

	return result_new(3, argv, json_pack("{s:s}", "name", "snake"), NULL, json_object());
}

static const struct goal goals[] = {
	{.trial_ns = 1000000000, .sum_ns = 3000000000, .width = 0.02},
	{.trial_ns = 1000000000, .sum_ns = 3000000000, .loss_ratio = 0.005, .width = 0.02},
};
static const struct result_asked asked = {
	.preset = "search", .procedure = "binary", .goals = goals, .n_goals = 1};
static const struct result_asked asked_two = {
	.preset = "quick", .procedure = "mlrsearch", .goals = goals, .n_goals = 2};
static const struct result_asked fixed = {.procedure = "fixed"};

/* A judged trial of 'n' frames in a second, of which 'lost' are lost on the last link. */
static struct trial *
new_trial(uint64_t n, uint64_t lost, uint64_t latency_ns)
{
	struct trial *t = xcalloc(1, sizeof(*t));
	struct ledger *l = &t->ledger;

	trial_init(t, &(struct trial_spec){.rate_pps = (double)n, .duration_ns = 1000000000});
	t->elapsed_s = 1;
	t->intended = t->sent = n;
	t->received = t->ok = n - lost;
	t->latency_accuracy_ns = latency_ns / 10;
	for (unsigned i = 0; i < 1000; i++)
		hist_record(&t->latency, latency_ns);
	l->n_hops = 1;
	l->hop[0] = (struct ledger_hop){.name = "vnf1", .known = true, .exact = true};
	ledger_drop(&l->hop[0], "tx_full", 0);
	l->hop[0].port[0].rx = l->hop[0].port[1].tx = l->gen[0].tx = n;
	l->gen[1].rx = n - lost;
	l->never_seen = lost;
	ledger_close(l, 0);
	trial_judge(t, 0);
	return t;
}

static void
add_trial(json_t *result, struct trial *t)
{
	result_add_trial(result, t);
	free(t);
}

/* A trial that says nothing. */
static void
add_invalid(json_t *result, uint64_t n)
{
	struct trial *t = new_trial(n, 0, 1000);

	t->interrupted = true;
	trial_judge(t, 0);
	add_trial(result, t);
}

/* A search that ended so, with one trial at what it accepted and one that failed above. */
static void
add_search(json_t *result, enum search_end end, uint64_t pps, uint64_t latency_ns)
{
	struct search_result found = {.end = end, .accepted_pps = (double)pps};

	result_begin_search(result);
	add_trial(result, new_trial(pps + 1000, 400, 9000000));
	if (pps > 0)
		add_trial(result, new_trial(pps, 0, latency_ns));
	result_end_search(result, &found, 2.5);
}

static const json_t *
headline(const json_t *result, const char *key)
{
	return json_at(json_at(result, "measurements[0]"), key);
}

static double
number(const json_t *result, const char *key)
{
	const json_t *value = headline(result, key);

	assert_true(json_is_number(value));
	return json_number_value(value);
}

/* ---- the layout ---- */

static void describe(struct str *out, json_t *value, unsigned depth);

static void
describe_object(struct str *out, json_t *object, unsigned depth)
{
	const char *key;
	json_t *value;

	json_object_foreach(object, key, value) {
		str_addf(out, "%*s%s", (int)(2 * depth), "", key);
		describe(out, value, depth + 1);
	}
}

/* Keys in their order, types, and the first element of each list. */
static void
describe(struct str *out, json_t *value, unsigned depth)
{
	static const char *const names[] = {
		[JSON_OBJECT] = "",	[JSON_ARRAY] = " []",  [JSON_STRING] = " text",
		[JSON_INTEGER] = " n",	[JSON_REAL] = " real", [JSON_TRUE] = " bool",
		[JSON_FALSE] = " bool", [JSON_NULL] = " null",
	};

	str_addf(out, "%s", names[json_typeof(value)]);
	if (json_is_array(value) && json_array_size(value) > 0) {
		describe(out, json_array_get(value, 0), depth);
		return;
	}
	str_addf(out, "\n");
	if (json_is_object(value))
		describe_object(out, value, depth);
}

/* All is known but the pressure on CPUs, which not every kernel tells. */
static void
fill_noise(struct trial_noise *n)
{
	memset(n, 0, sizeof(*n));
	n->psi_ns = NOISE_UNKNOWN;
	strcpy(n->lcore[n->n_lcores++].hop, "vnf1");
	n->n_cpus = 1;
}

static json_t *
full_result(void)
{
	json_t *result = start();
	struct trial *t = new_trial(1000000, 0, 2000);
	const struct result_selftest s = {.frames = "64",
					  .max_pps = 1e7,
					  .scheduled_pps = 5e6,
					  .pacing_p50_ns = 20,
					  .pacing_p99_ns = 50,
					  .latency_floor_p50_ns = 3000,
					  .latency_floor_p99_ns = 4000,
					  .at_pps = 1e6,
					  .paced = NULL,
					  .flat_out = NULL};

	result_set_goal(result, &goals[0]);
	result_add_selftest(result, &s);
	result_add_measurement(result, "64", 64, &asked);
	result_begin_search(result);
	fill_noise(&t->noise);
	add_trial(result, t);
	result_end_search(result,
			  &(struct search_result){
				  .end = SEARCH_FOUND, .accepted_pps = 1e6, .rejected_pps = 2e6},
			  3);
	result_end_measurement(result);
	result_finish(result, 12.5, 0, "");
	return result;
}

/* Readers of other versions rely on it: keys may be added, nothing else. */
static void
the_layout_is_frozen(void **state)
{
	json_t *result = full_result();
	struct str out = {0};

	(void)state;
	assert_string_equal(RESULT_SCHEMA, "1.0");
	describe_object(&out, result, 0);
	if (strcmp(str_text(&out), golden_layout) != 0)
		fprintf(stderr, "rendered:\n%s", str_text(&out));
	assert_string_equal(str_text(&out), golden_layout);
	str_fini(&out);
	json_decref(result);
}

static void
the_order_of_keys_does_not_depend_on_the_order_of_events(void **state)
{
	json_t *early = start(), *late = full_result();
	struct str a = {0}, b = {0};
	const char *key;
	json_t *value;

	(void)state;
	json_object_foreach(early, key, value)
		str_addf(&a, "%s\n", key);
	json_object_foreach(late, key, value)
		str_addf(&b, "%s\n", key);
	assert_string_equal(str_text(&a), str_text(&b));
	str_fini(&a);
	str_fini(&b);
	json_decref(early);
	json_decref(late);
}

static void
the_head_says_what_was_run_and_when(void **state)
{
	json_t *result = start();
	const char *at = json_string_value(json_object_get(result, "started_at"));
	struct tm tm = {0};
	time_t then;

	(void)state;
	assert_string_equal(json_string_value(json_at(result, "command[1]")), "bench");
	/* An argument that is no UTF-8 cannot be told, and must not move the others. */
	assert_string_equal(json_string_value(json_at(result, "command[2]")), "?");
	assert_string_equal(json_string_value(json_at(result, "chain.name")), "snake");
	assert_true(json_is_null(json_object_get(result, "plan")));
	assert_string_equal(strptime(at, "%Y-%m-%dT%H:%M:%SZ", &tm), "");
	then = timegm(&tm);
	assert_true(then <= time(NULL) && then > time(NULL) - 60);
	json_decref(result);
}

/* ---- the headline ---- */

static void
the_rate_is_the_median_of_the_searches_that_found_one(void **state)
{
	json_t *result = start();

	(void)state;
	result_add_measurement(result, "64", 64, &asked);
	add_search(result, SEARCH_FOUND, 3000, 1000);
	add_search(result, SEARCH_FOUND, 1000, 1000);
	add_search(result, SEARCH_INCONCLUSIVE, 9000, 1000);
	add_search(result, SEARCH_FOUND, 2500, 1000);
	result_end_measurement(result);
	assert_true(number(result, "rate_pps") == 2500);
	assert_true(number(result, "rate_min_pps") == 1000);
	assert_true(number(result, "rate_max_pps") == 3000);
	assert_true(number(result, "rate_l2_bps") == 2500 * 64 * 8);
	assert_true(number(result, "rate_l1_bps") == 2500 * 84 * 8);
	assert_true(json_is_false(headline(result, "rate_is_lower_bound")));
	assert_true(number(result, "n_searches") == 4);
	assert_true(number(result, "n_inconclusive") == 1);
	json_decref(result);
}

static void
a_search_without_an_upper_bound_makes_the_median_a_lower_bound(void **state)
{
	/* Only where the median could have been higher without the limit. */
	static const struct {
		enum search_end end;
		uint64_t rate;
		bool lower_bound;
	} cases[] = {{SEARCH_AT_MAX, 1000, true},
		     {SEARCH_AT_MAX, 2000, true},
		     {SEARCH_AT_MAX, 3000, false},
		     {SEARCH_AT_LEAST, 1000, true},
		     {SEARCH_AT_LEAST, 3000, false}};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(cases); i++) {
		json_t *result = start();

		result_add_measurement(result, "64", 64, &asked);
		add_search(result, SEARCH_FOUND, 2000, 1000);
		add_search(result, cases[i].end, cases[i].rate, 1000);
		add_search(result, SEARCH_FOUND, 2000, 1000);
		result_end_measurement(result);
		assert_int_equal(json_is_true(headline(result, "rate_is_lower_bound")),
				 cases[i].lower_bound);
		assert_true(number(result, "rate_max_pps") == fmax(2000, (double)cases[i].rate));
		assert_true(number(result, "n_at_least") == (cases[i].end == SEARCH_AT_LEAST));
		assert_true(number(result, "n_inconclusive") == 0);
		json_decref(result);
	}
}

static void
what_rests_on_a_search_below_the_lowest_load_is_null(void **state)
{
	json_t *result = start();

	(void)state;
	result_add_measurement(result, "64", 64, &asked);
	add_search(result, SEARCH_BELOW_MIN, 0, 1000);
	add_search(result, SEARCH_FOUND, 2000, 1000);
	add_search(result, SEARCH_FOUND, 3000, 1000);
	result_end_measurement(result);
	assert_true(number(result, "rate_pps") == 2000);
	assert_true(json_is_null(headline(result, "rate_min_pps")));
	assert_true(json_is_null(headline(result, "searches[0].accepted_pps")));
	/* With two of four the median lies between nothing and something. */
	add_search(result, SEARCH_BELOW_MIN, 0, 1000);
	result_end_measurement(result);
	assert_true(json_is_null(headline(result, "rate_pps")));
	assert_true(json_is_null(headline(result, "rate_l1_bps")));
	assert_true(number(result, "rate_max_pps") == 3000);
	json_decref(result);
}

static void
loss_and_latency_are_of_the_valid_trials_at_the_accepted_loads(void **state)
{
	json_t *result = start();

	(void)state;
	result_add_measurement(result, "64", 64, &asked);
	add_search(result, SEARCH_FOUND, 2000, 1000);
	add_search(result, SEARCH_FOUND, 3000, 5000);
	add_invalid(result, 3000);
	result_end_measurement(result);
	assert_true(number(result, "intended") == 5000);
	assert_true(number(result, "lost") == 0);
	assert_true(number(result, "loss_ratio") == 0);
	assert_true(number(result, "offered_pps") == 2500);
	assert_true(number(result, "forwarding_pps") == 2500);
	assert_true(number(result, "latency.n") == 2000);
	assert_true(number(result, "latency.max_ns") == 5000);
	assert_true(number(result, "latency_accuracy_ns") == 500);
	assert_true(number(result, "n_trials") == 5);
	assert_true(number(result, "n_invalid") == 1);
	json_decref(result);
}

static void
each_goal_has_its_own_answer_from_the_same_trials(void **state)
{
	const struct search_result found[] = {
		{.end = SEARCH_FOUND, .accepted_pps = 1000, .rejected_pps = 1500},
		{.end = SEARCH_AT_MAX, .accepted_pps = 2000, .conditional_pps = 1990},
	};
	json_t *result = start();

	(void)state;
	result_add_measurement(result, "64", 64, &asked_two);
	result_begin_search(result);
	add_trial(result, new_trial(1000, 0, 1000));
	add_trial(result, new_trial(2000, 10, 7000));
	result_end_search(result, found, 2);
	result_end_measurement(result);
	assert_true(number(result, "goals[0].rate_pps") == 1000);
	assert_true(number(result, "goals[0].lost") == 0);
	assert_true(json_is_null(headline(result, "goals[0].conditional_pps")));
	assert_true(number(result, "goals[1].rate_pps") == 2000);
	assert_true(number(result, "goals[1].loss_ratio") == 0.005);
	assert_true(number(result, "goals[1].conditional_pps") == 1990);
	assert_true(number(result, "goals[1].latency.max_ns") == 7000);
	assert_true(json_is_true(headline(result, "goals[1].rate_is_lower_bound")));
	assert_string_equal(json_string_value(headline(result, "goals[1].code")), "1f3d.5l0e");
	assert_string_equal(json_string_value(headline(result, "searches[0].goals[1].end")),
			    "at_max");
	/* The measurement itself speaks for the first. */
	assert_true(number(result, "rate_pps") == 1000);
	assert_true(json_is_false(headline(result, "rate_is_lower_bound")));
	assert_true(number(result, "n_at_max") == 0);
	assert_true(number(result, "n_trials") == 2);
	assert_true(number(result, "searches[0].accepted_pps") == 1000);
	json_decref(result);
}

static void
a_fixed_rate_counts_all_valid_trials(void **state)
{
	json_t *result = start();

	(void)state;
	result_add_measurement(result, "64", 64, &fixed);
	result_begin_search(result);
	add_trial(result, new_trial(1000, 0, 1000));
	add_trial(result, new_trial(1000, 10, 1000));
	add_invalid(result, 1000);
	result_end_search(result, NULL, 3);
	result_end_measurement(result);
	assert_true(number(result, "rate_pps") == 1000);
	assert_true(number(result, "intended") == 2000);
	assert_true(number(result, "loss_ratio") == 0.005);
	assert_true(number(result, "forwarding_pps") == 995);
	assert_true(number(result, "searches[0].n_trials") == 3);
	assert_true(number(result, "searches[0].n_invalid") == 1);
	assert_true(json_is_null(headline(result, "searches[0].end")));
	assert_true(json_is_null(headline(result, "rate_is_lower_bound")));
	assert_true(json_is_null(headline(result, "n_found")));
	json_decref(result);
}

static void
unknown_is_null_and_never_0(void **state)
{
	static const char *const keys[] = {
		"rate_pps", "rate_min_pps",   "rate_l1_bps",	     "rate_is_lower_bound",
		"intended", "lost",	      "loss_ratio",	     "offered_pps",
		"latency",  "forwarding_pps", "latency_accuracy_ns",
	};
	static const char *const self[] = {
		"max_pps",
		"at_pps",
		"pacing_p50_ns",
		"pacing_p99_ns",
		"latency_floor_p50_ns",
		"latency_floor_p99_ns",
		"flat_out",
		"paced",
	};
	const struct result_selftest s = {.frames = "64",
					  .pacing_p50_ns = -1,
					  .pacing_p99_ns = -1,
					  .latency_floor_p50_ns = -1};
	json_t *result = start();

	(void)state;
	result_set_goal(result, NULL);
	assert_true(json_is_null(json_object_get(result, "goal")));
	result_add_selftest(result, &s);
	for (size_t i = 0; i < N_ELEMS(self); i++)
		assert_true(json_is_null(json_at(json_at(result, "selftest[0]"), self[i])));
	result_add_measurement(result, "64", 64, &asked);
	result_begin_search(result);
	add_invalid(result, 1000);
	result_end_search(result, &(struct search_result){.end = SEARCH_INCONCLUSIVE}, 1);
	result_end_measurement(result);
	for (size_t i = 0; i < N_ELEMS(keys); i++)
		assert_true(json_is_null(headline(result, keys[i])));
	json_decref(result);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_layout_is_frozen),
		cmocka_unit_test(the_order_of_keys_does_not_depend_on_the_order_of_events),
		cmocka_unit_test(the_head_says_what_was_run_and_when),
		cmocka_unit_test(the_rate_is_the_median_of_the_searches_that_found_one),
		cmocka_unit_test(a_search_without_an_upper_bound_makes_the_median_a_lower_bound),
		cmocka_unit_test(what_rests_on_a_search_below_the_lowest_load_is_null),
		cmocka_unit_test(loss_and_latency_are_of_the_valid_trials_at_the_accepted_loads),
		cmocka_unit_test(each_goal_has_its_own_answer_from_the_same_trials),
		cmocka_unit_test(a_fixed_rate_counts_all_valid_trials),
		cmocka_unit_test(unknown_is_null_and_never_0),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
