/* SPDX-License-Identifier: MIT */
#include "text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/assert_within.h"
#include "result.h"
#include "test_result.h"
#include "text_golden.h"

/* What a terminal has at least. */
#define COLS 80

/* Frees the result. */
static void
assert_text(json_t *result, const char *expected)
{
	char *text = text_render(result, false);

	/* cmocka cuts long texts. */
	if (strcmp(text, expected) != 0)
		fprintf(stderr, "rendered:\n%s", text);
	assert_string_equal(text, expected);
	free(text);
	json_decref(result);
}

/* Columns of the widest line, counting characters of UTF-8. */
static size_t
widest(const char *text)
{
	size_t most = 0, cols = 0;

	for (; *text != '\0'; text++) {
		cols = *text == '\n' ? 0 : cols + (((unsigned char)*text & 0xc0) != 0x80);
		most = cols > most ? cols : most;
	}
	return most;
}

/* ---- guests ---- */

static json_t *
guest(const char *name, json_t *second_promiscuous)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:[{s:s, s:b}, {s:s, s:o}]}", "name", name,
			 "program", "nfvchain-fwd", "dpdk_version", "DPDK 25.11.4", "kernel",
			 "7.2-cloud", "ports", "driver", "uio_pci_generic", "promiscuous", 0,
			 "driver", "uio_pci_generic", "promiscuous", second_promiscuous);
}

/* What is not known is not called off. */
static void
guests_say_what_they_are(void **state)
{
	json_t *result = result_new(0, NULL, NULL, NULL,
				    json_pack("{s:[o, o, o]}", "guests", guest("a", json_false()),
					      guest("b", json_true()), guest("c", json_null())));
	char *text = text_render(result, false);
	size_t len = 0;

	(void)state;
	/* Lines are broken wherever they get too long. */
	for (char *c = text; *c != '\0'; c++)
		if (!((*c == ' ' || *c == '\n') && len > 0 && text[len - 1] == ' '))
			text[len++] = *c == '\n' ? ' ' : *c;
	text[len] = '\0';
	assert_non_null(strstr(text,
			       "guests: a (nfvchain-fwd, DPDK 25.11.4), Linux 7.2-cloud, NICs "
			       "of uio_pci_generic, promiscuous mode off; b"));
	assert_non_null(strstr(text, "promiscuous mode mixed; c"));
	assert_null(strstr(strstr(text, "; c"), "mode off"));
	free(text);
	json_decref(result);
}

/* ---- grade ---- */

static void
the_grade_stands_beside_the_rate(void **state)
{
	json_t *result =
		result_new(0, NULL, NULL, NULL,
			   json_pack("{s:{s:s, s:[s, s], s:[]}}", "grade", "letter", "D", "because",
				     "CPUs are away", "no hugepages are free", "raise"));
	char *text;

	(void)state;
	result_add_measurement(result, "64", 64, &test_asked);
	test_result_add_search(result, 1e6, SEARCH_FOUND);
	result_end_measurement(result);
	text = text_render(result, false);
	assert_non_null(strstr(text, "grade D: CPUs are away"));
	assert_null(strstr(text, "no hugepages"));
	free(text);
	json_decref(result);
}

/* ---- golden ---- */

static void
the_answer_comes_first_with_all_that_qualifies_it(void **state)
{
	json_t *result = test_result_start();

	(void)state;
	test_result_set_goal(result);
	test_result_add_selftest(result);
	result_add_measurement(result, "64", 64, &test_asked);
	test_result_add_search(result, 8.2e6, SEARCH_FOUND);
	test_result_add_search(result, 8.6e6, SEARCH_FOUND);
	test_result_add_search(result, 8.412e6, SEARCH_FOUND);
	result_end_measurement(result);
	result_finish(result, 95, 0, "");
	assert_text(result, golden_search);
}

static void
a_loss_is_shown_where_it_happened(void **state)
{
	json_t *result = test_result_start();

	(void)state;
	result_add_measurement(result, "64", 64, &test_fixed);
	result_begin_search(result);
	test_result_add(result, test_trial_lossy());
	result_end_search(result, NULL, 1.5);
	result_end_measurement(result);
	result_finish(result, 3, 4, "the chain lost frames");
	assert_text(result, golden_loss);
}

static void
what_is_unknown_is_a_question_mark_and_what_is_unsure_is_said(void **state)
{
	struct search_result found = {.end = SEARCH_INCONCLUSIVE, .accepted_pps = 5e5};
	struct trial *late = test_trial_new(2e6), *blind = test_trial_new(1e6);
	json_t *result = test_result_start();

	(void)state;
	test_result_set_goal(result);
	json_object_set_new(result, "plan",
			    json_pack("{s:[s]}", "warnings", "the generator shares CPU 0"));
	result_add_measurement(result, "imix", 361.8, &test_asked);
	result_begin_search(result);
	late->sent -= 500;
	late->late = 500;
	late->noise.gap_max_ns = 250000;
	test_result_add(result, late);
	/* One hop tells nothing, and 7 are lost beside it or in it. */
	blind->ledger.hop[1] = (struct ledger_hop){.name = "vnf2"};
	test_trial_lose(blind, 7);
	test_result_add(result, blind);
	result_end_search(result, &found, 2);
	result_end_measurement(result);
	result_finish(result, 3, 6, "too noisy");
	assert_text(result, golden_unsure);
}

/* ---- laws ---- */

/* The text without ANSI colours, in place. */
static void
strip(char *text)
{
	char *out = text;

	for (; *text != '\0'; text++) {
		if (*text == '\033')
			text += strcspn(text, "m");
		else
			*out++ = *text;
	}
	*out = '\0';
}

static void
colours_change_nothing_but_colours(void **state)
{
	json_t *result = test_result_start();
	char *plain, *coloured;

	(void)state;
	result_add_measurement(result, "64", 64, &test_fixed);
	result_begin_search(result);
	test_result_add(result, test_trial_lossy());
	result_end_measurement(result);
	plain = text_render(result, false);
	coloured = text_render(result, true);
	assert_null(strchr(plain, '\033'));
	assert_non_null(strchr(coloured, '\033'));
	strip(coloured);
	assert_string_equal(coloured, plain);
	free(plain);
	free(coloured);
	json_decref(result);
}

/* The longest names, the largest counters, both directions, all reasons for a drop. */
static struct trial *
huge_trial(void)
{
	struct trial *t = test_trial_new(1e6);
	struct ledger *l = &t->ledger;

	t->intended = t->sent = t->refused = t->late = t->received = 99999999999;
	l->n_hops = LEDGER_MAX_HOPS;
	for (unsigned i = 0; i < LEDGER_MAX_HOPS; i++) {
		struct ledger_hop *hop = &l->hop[i];

		*hop = (struct ledger_hop){.known = i % 3 != 0, .exact = i % 2 == 0};
		snprintf(hop->name, sizeof(hop->name), "%s-%u",
			 i % 2 ? "a-name-as-long-as-names-get" : "short", i);
		hop->created = hop->in_flight = 12345678;
		for (unsigned p = 0; p < 2; p++)
			hop->port[p] = (struct ledger_port){99999999999, 88888888888, 77777777};
		for (unsigned k = 0; k < LEDGER_MAX_REASONS; k++) {
			char name[32];

			snprintf(name, sizeof(name), "reason_number_%u_is_long", k);
			ledger_drop(hop, name, 1234567 + k);
		}
	}
	return t;
}

static void
no_line_is_wider_than_a_terminal(void **state)
{
	json_t *result = test_result_start();
	char *text;

	(void)state;
	test_result_set_goal(result);
	test_result_add_selftest(result);
	result_add_measurement(result, "64:7,128:3,256:1,512:5,594:4,1024:1,1518:1", 361.8,
			       &test_asked);
	test_result_add_search(result, 123.4567e6, SEARCH_AT_MAX);
	test_result_add_search(result, 23.4567e6, SEARCH_INCONCLUSIVE);
	result_end_measurement(result);
	result_add_measurement(result, "1518", 1518, &test_fixed);
	result_begin_search(result);
	test_result_add(result, huge_trial());
	test_result_add(result, huge_trial());
	result_end_search(result, NULL, 1e6);
	result_end_measurement(result);
	result_finish(result, 3, 5,
		      "a sentence that is quite long and goes on and on, as "
		      "sentences do when nobody stops them in time");
	text = text_render(result, false);
	if (widest(text) > COLS)
		fprintf(stderr, "rendered:\n%s", text);
	assert_within(widest(text), 40, COLS);
	free(text);
	json_decref(result);
}

static void
names_from_a_file_do_not_steer_the_terminal(void **state)
{
	json_t *result = test_result_start();
	char *text;

	(void)state;
	json_object_set_new(json_object_get(result, "chain"), "name",
			    json_string("evil\033]0;title\007\r"));
	text = text_render(result, true);
	assert_null(strpbrk(text, "\033\007\r"));
	assert_non_null(strstr(text, "evil?]0;title??: generator"));
	free(text);
	json_decref(result);
}

static void
a_result_cut_short_is_rendered_as_far_as_it_goes(void **state)
{
	json_t *result = test_result_start(), *empty = json_object();
	char *text = text_render(empty, false);

	(void)state;
	assert_string_equal(text, "nothing was measured\n");
	free(text);
	json_decref(empty);
	result_add_measurement(result, "64", 64, &test_asked);
	result_begin_search(result);
	test_result_add(result, test_trial_new(1e6));
	text = text_render(result, false);
	assert_memory_equal(
		text, "64 B    zero-loss: no rate found, no search was finished, goal 1f3d0l0e",
		71);
	free(text);
	json_decref(result);
}

static void
each_goal_has_a_paragraph_that_says_it_in_words(void **state)
{
	const struct goal goals[] = {
		{.trial_ns = 500000000, .sum_ns = 5500000000, .exceed_ratio = 0.5, .width = 0.02},
		{.trial_ns = 500000000,
		 .sum_ns = 5500000000,
		 .loss_ratio = 0.005,
		 .exceed_ratio = 0.5,
		 .width = 0.02},
	};
	const struct result_asked quick = {
		.preset = "quick", .procedure = "mlrsearch", .goals = goals, .n_goals = 2};
	const struct search_result found[] = {
		{.end = SEARCH_FOUND, .accepted_pps = 1e6, .rejected_pps = 1.02e6},
		{.end = SEARCH_AT_MAX, .accepted_pps = 2e6}};
	json_t *result = test_result_start();
	struct trial *t = test_trial_new(2e6);
	char *text;

	(void)state;
	result_add_measurement(result, "64", 64, &quick);
	result_begin_search(result);
	test_result_add(result, test_trial_new(1e6));
	test_trial_lose(t, 9000);
	test_result_add(result, t);
	result_end_search(result, found, 17);
	result_end_measurement(result);
	json_object_set_new(json_array_get(json_object_get(result, "measurements"), 0), "loss_free",
			    json_pack("[{s:f,s:f,s:f,s:f,s:b}]", "duration_s", 60., "rate_pps",
				      4.1e5, "rate_low_pps", 2.2e5, "rate_high_pps", 6e5,
				      "extrapolated", 1));
	text = text_render(result, false);
	assert_memory_equal(text, golden_goals, sizeof(golden_goals) - 1);
	assert_non_null(strstr(text, golden_goal_ends));
	free(text);
	json_decref(result);
}

static void
zero_loss_never_stands_alone(void **state)
{
	static const char *const beside[] = {"goal 1f3d0l0e", "ring 1024", "p99 35 us"};
	json_t *result = test_result_start();
	char *text, *end;

	(void)state;
	test_result_set_goal(result);
	result_add_measurement(result, "64", 64, &test_asked);
	test_result_add_search(result, 1e6, SEARCH_AT_MAX);
	result_end_measurement(result);
	text = text_render(result, false);
	end = strstr(text, "\n\n");
	assert_non_null(end);
	*end = '\0';
	assert_non_null(strstr(text, "zero-loss at least 1 Mpps"));
	for (size_t i = 0; i < 3; i++)
		assert_non_null(strstr(text, beside[i]));
	free(text);
	json_decref(result);
}

static void
a_lower_bound_says_what_it_lacks(void **state)
{
	json_t *result = test_result_start();
	char *text;

	(void)state;
	test_result_set_goal(result);
	result_add_measurement(result, "64", 64, &test_asked);
	test_result_add_search(result, 2e6, SEARCH_FOUND);
	test_result_add_search(result, 1e6, SEARCH_AT_LEAST);
	test_result_add_search(result, 1e6, SEARCH_FOUND);
	result_end_measurement(result);
	text = text_render(result, false);
	assert_non_null(strstr(text, "zero-loss at least 1 Mpps"));
	assert_non_null(strstr(text, "in 1 of 3 searches the trials above the accepted load"));
	assert_null(strstr(text, "the highest load that was tried passed"));
	free(text);
	json_decref(result);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_grade_stands_beside_the_rate),
		cmocka_unit_test(the_answer_comes_first_with_all_that_qualifies_it),
		cmocka_unit_test(a_loss_is_shown_where_it_happened),
		cmocka_unit_test(what_is_unknown_is_a_question_mark_and_what_is_unsure_is_said),
		cmocka_unit_test(colours_change_nothing_but_colours),
		cmocka_unit_test(no_line_is_wider_than_a_terminal),
		cmocka_unit_test(names_from_a_file_do_not_steer_the_terminal),
		cmocka_unit_test(a_result_cut_short_is_rendered_as_far_as_it_goes),
		cmocka_unit_test(each_goal_has_a_paragraph_that_says_it_in_words),
		cmocka_unit_test(zero_loss_never_stands_alone),
		cmocka_unit_test(guests_say_what_they_are),
		cmocka_unit_test(a_lower_bound_says_what_it_lacks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
