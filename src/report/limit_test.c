/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "found.h"
#include "test_result.h"
#include "text_page.h"

/* A search of 64-byte frames that accepted 1 Mpps, still open for trials. */
static json_t *
accepted(void)
{
	json_t *result = test_result_start();

	result_add_measurement(result, "64", 64, &test_asked);
	result_begin_search(result);
	test_result_add(result, test_trial_new(1e6));
	return result;
}

static json_t *
measurement(json_t *result)
{
	return json_array_get(json_object_get(result, "measurements"), 0);
}

static void
finish(json_t *result, enum search_end end)
{
	struct search_result found = {.end = end, .accepted_pps = 1e6};

	if (end == SEARCH_BELOW_MIN || end == SEARCH_INCONCLUSIVE)
		found.accepted_pps = 0;
	result_end_search(result, &found, 1);
	result_end_measurement(result);
}

/* Frees the result. */
static void
assert_reason(json_t *result, const char *expected)
{
	char *reason = limit_reason(result, measurement(result));

	for (char *c = reason; *c != '\0'; c++)
		*c = *c == PAGE_GLUE ? ' ' : *c;
	assert_string_equal(reason, expected);
	free(reason);
	json_decref(result);
}

/* A trial above the answer of which 'late' slots of a million were late. */
static struct trial *
late_trial(void)
{
	struct trial *t = test_trial_new(2e6);

	t->sent -= 5000;
	t->late = 5000;
	t->ledger.gen[0].tx -= 5000;
	return t;
}

/* Gives the last trial of the first search a class; NULL: none, as in older files. */
static void
set_class(json_t *result, const char *class)
{
	json_t *search = json_array_get(json_object_get(measurement(result), "searches"), 0);
	json_t *trials = json_object_get(search, "trials");
	json_t *last = json_array_get(trials, json_array_size(trials) - 1);

	json_object_del(last, "class");
	if (class != NULL)
		json_object_set_new(last, "class", json_string(class));
}

/* ---- the chain ---- */

static void
the_largest_place_of_loss_is_the_bottleneck(void **state)
{
	struct trial *t = test_trial_new(1.1e6), *higher = test_trial_lossy();
	json_t *result = accepted();

	(void)state;
	/* A higher load fails elsewhere, which is not what limits. */
	higher->spec.rate_pps = 2e6;
	test_result_add(result, higher);
	t->ledger.hop[0].port[0].miss = 700;
	t->ledger.hop[0].port[0].rx -= 700;
	t->ledger.hop[0].port[1].tx -= 700;
	t->ledger.hop[1].port[0].rx -= 700;
	t->ledger.hop[1].port[1].tx -= 710;
	test_trial_lose(t, 710);
	test_result_add(result, t);
	higher = test_trial_lossy();
	higher->spec.rate_pps = 3e6;
	test_result_add(result, higher);
	finish(result, SEARCH_FOUND);
	assert_reason(result, "vnf1 missed 700 frames: vnf1 is the bottleneck");
}

static void
frames_refused_are_refused_by_the_chain(void **state)
{
	struct trial *t = test_trial_new(1.1e6), *alone = test_trial_new(1.1e6);
	json_t *result = accepted();

	(void)state;
	t->refused = 1000;
	t->sent -= 1000;
	t->ledger.gen[0].tx -= 1000;
	test_trial_lose(t, 0);
	for (unsigned i = 0; i < 2; i++) {
		t->ledger.hop[i].port[0].rx -= 1000;
		t->ledger.hop[i].port[1].tx -= 1000;
	}
	t->received -= 1000;
	t->ok -= 1000;
	t->ledger.gen[1].rx -= 1000;
	test_result_add(result, t);
	finish(result, SEARCH_FOUND);
	assert_reason(result, "1 000 frames refused at link 0: a hop behind it is the bottleneck, "
			      "and the counters do not tell which");

	result = accepted();
	alone->refused = 50;
	alone->sent -= 50;
	alone->received -= 50;
	alone->ok -= 50;
	alone->ledger.n_hops = 1;
	alone->ledger.gen[0].tx -= 50;
	alone->ledger.gen[1].rx -= 50;
	alone->ledger.hop[0].port[0].rx -= 50;
	alone->ledger.hop[0].port[1].tx -= 50;
	test_result_add(result, alone);
	finish(result, SEARCH_FOUND);
	assert_reason(result, "50 frames refused at link 0: vnf1 is the bottleneck");
}

static void
a_full_link_blames_the_hop_behind_it(void **state)
{
	struct trial *t = test_trial_new(1.1e6);
	json_t *result = accepted();

	(void)state;
	ledger_drop(&t->ledger.hop[0], "tx_full", 30);
	t->ledger.hop[0].port[1].tx -= 30;
	t->ledger.hop[1].port[0].rx -= 30;
	t->ledger.hop[1].port[1].tx -= 30;
	test_trial_lose(t, 30);
	test_result_add(result, t);
	finish(result, SEARCH_FOUND);
	assert_reason(result, "vnf1 dropped 30 frames for which link 1 had no room: vnf2 is the "
			      "bottleneck");
}

static void
frames_that_were_damaged_have_no_place(void **state)
{
	struct trial *t = test_trial_new(1.1e6);
	json_t *result = accepted();

	(void)state;
	t->ok -= 5;
	t->misdelivered = 5;
	test_result_add(result, t);
	finish(result, SEARCH_FOUND);
	assert_reason(result, "5 frames arrived with another destination MAC than the port's");
}

static void
a_chain_too_slow_for_any_load_says_where(void **state)
{
	json_t *result = test_result_start();

	(void)state;
	result_add_measurement(result, "64", 64, &test_asked);
	result_begin_search(result);
	test_result_add(result, test_trial_lossy());
	finish(result, SEARCH_BELOW_MIN);
	assert_reason(result, "the lowest load that failed: 100 frames refused at link 0: a hop "
			      "behind it is the bottleneck, and the counters do not tell which");
}

/* ---- not the chain ---- */

static void
above_a_lower_bound_the_class_tells(void **state)
{
	static const struct {
		const char *class, *reason;
	} cases[] = {
		{"overload",
		 "the generator was the limit: it could not offer more in 1 of 1 trials "
		 "above"},
		{"noisy", "the machine: 1 of 1 trials above were disturbed"},
		{"fault", "unknown: 1 of 1 trials above ended with a fault"},
		{NULL, "the generator or the machine, not the chain: 1 of 1 trials above were "
		       "invalid"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		json_t *result = accepted();

		test_result_add(result, late_trial());
		set_class(result, cases[i].class);
		finish(result, SEARCH_AT_LEAST);
		assert_reason(result, cases[i].reason);
	}
}

static void
the_highest_load_that_passed_is_the_generators(void **state)
{
	json_t *result = accepted();

	(void)state;
	finish(result, SEARCH_AT_MAX);
	assert_reason(result, "the generator was the limit: the highest load it can offer passed");
}

static void
what_is_not_known_is_said_to_be_unknown(void **state)
{
	json_t *result = accepted(), *late = test_result_start(), *empty = json_object();
	char *reason;

	(void)state;
	result_end_measurement(result);
	assert_reason(result, "unknown: no search was finished");
	result_add_measurement(late, "64", 64, &test_asked);
	result_begin_search(late);
	test_result_add(late, late_trial());
	finish(late, SEARCH_INCONCLUSIVE);
	assert_reason(late, "the machine: 1 of 1 trials were invalid");
	reason = limit_reason(empty, empty);
	assert_string_equal(reason, "unknown: no search was finished");
	free(reason);
	json_decref(empty);
}

static void
a_load_that_was_given_has_no_limit_unless_it_lost(void **state)
{
	json_t *result = test_result_start();

	(void)state;
	result_add_measurement(result, "64", 64, &test_fixed);
	result_begin_search(result);
	test_result_add(result, test_trial_new(1e6));
	result_end_measurement(result);
	assert_reason(result, "unknown: one load was asked for and not searched");
}

/* ---- goals ---- */

static void
assert_words(json_t *goal, const char *loss, const char *spread)
{
	json_t *result = json_object(),
	       *m = json_pack("{s:i, s:[o]}", "n_searches", 3, "goals", goal);
	struct found found;
	char *words[2];

	found_get(&found, result, m, 0);
	words[0] = found_loss(&found);
	words[1] = found_spread(&found);
	for (size_t i = 0; i < 2; i++) {
		for (char *c = words[i]; *c != '\0'; c++)
			*c = *c == PAGE_GLUE ? ' ' : *c;
		assert_string_equal(words[i], i == 0 ? loss : spread);
		free(words[i]);
	}
	found_fini(&found);
	json_decref(m);
	json_decref(result);
}

static void
a_goal_is_told_with_all_that_it_allows(void **state)
{
	(void)state;
	assert_words(json_pack("{s:f, s:f, s:f, s:f, s:f, s:f}", "max_loss_ratio", 0.005,
			       "exceed_ratio", 0.5, "trial_s", 1.0, "rate_low_pps", 1e6,
			       "rate_high_pps", 2e6, "interval_level", 0.75),
		     "at most 0.5 % lost in at least 50 % of trials of 1 s",
		     "75 % interval 1 to 2 Mpps");
	assert_words(json_pack("{s:f, s:f, s:f, s:f, s:i}", "exceed_ratio", 0.5, "trial_s", 1.0,
			       "rate_min_pps", 1e6, "rate_max_pps", 2e6, "n_inconclusive", 1),
		     "no loss in at least 50 % of trials of 1 s",
		     "median of 2 searches, 1 to 2 Mpps");
	assert_words(json_pack("{s:f, s:f, s:n}", "rate_low_pps", 1e6, "rate_high_pps", 2e6,
			       "interval_level"),
		     "zero loss", "95 % interval 1 to 2 Mpps");
	assert_words(json_pack("{s:f, s:f}", "rate_min_pps", 1e6, "rate_max_pps", 1e6), "zero loss",
		     "the same in all 3 searches");
	assert_words(json_pack("{s:i}", "n_inconclusive", 3), "zero loss",
		     "no search was finished");
}

static void
what_comes_through_at_full_load_is_no_search(void **state)
{
	json_t *m = json_pack("{s:[], s:{s:f, s:f, s:f, s:i}}", "goals", "mrr_pps", "median", 2e6,
			      "low", 1e6, "high", 3e6, "n_trials", 10);
	struct found found;
	char *spread, *reason = limit_reason(m, m);

	(void)state;
	found_get(&found, m, m, 0);
	spread = found_spread(&found);
	assert_true(found.is_mrr && found.rate_pps == 2e6);
	assert_non_null(strstr(spread, "1 to 3"));
	assert_non_null(strstr(reason, "not looked for"));
	free(spread);
	free(reason);
	found_fini(&found);
	json_decref(m);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_largest_place_of_loss_is_the_bottleneck),
		cmocka_unit_test(frames_refused_are_refused_by_the_chain),
		cmocka_unit_test(a_full_link_blames_the_hop_behind_it),
		cmocka_unit_test(frames_that_were_damaged_have_no_place),
		cmocka_unit_test(a_chain_too_slow_for_any_load_says_where),
		cmocka_unit_test(above_a_lower_bound_the_class_tells),
		cmocka_unit_test(the_highest_load_that_passed_is_the_generators),
		cmocka_unit_test(what_is_not_known_is_said_to_be_unknown),
		cmocka_unit_test(a_goal_is_told_with_all_that_it_allows),
		cmocka_unit_test(what_comes_through_at_full_load_is_no_search),
		cmocka_unit_test(a_load_that_was_given_has_no_limit_unless_it_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
