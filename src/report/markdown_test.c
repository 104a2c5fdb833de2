/* SPDX-License-Identifier: MIT */
#include "markdown.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "markdown_golden.h"
#include "test_result.h"

static json_t *
lossy(void)
{
	json_t *result = test_result_start();

	test_result_set_goal(result);
	test_result_add_selftest(result);
	json_object_set_new(result, "environment",
			    json_pack("{s:s, s:s, s:n, s:{s:s, s:[s]}}", "cpu_model", "A CPU",
				      "kernel", "6.1", "dpdk_version", "grade", "letter", "C",
				      "because", "it is shared"));
	result_add_measurement(result, "64", 64, &test_asked);
	test_result_add_search(result, 8.2e6, SEARCH_FOUND);
	test_result_add_search(result, 8.6e6, SEARCH_FOUND);
	result_end_measurement(result);
	result_add_measurement(result, "imix", 361.8, &test_fixed);
	result_begin_search(result);
	test_result_add(result, test_trial_lossy());
	result_end_search(result, NULL, 1.5);
	result_end_measurement(result);
	return result;
}

static void
answer_rates_and_ledger_fit_a_comment(void **state)
{
	json_t *result = lossy();
	char *text = markdown_render(result);

	(void)state;
	if (strcmp(text, golden_markdown) != 0)
		fprintf(stderr, "rendered:\n%s", text);
	assert_string_equal(text, golden_markdown);
	free(text);
	json_decref(result);
}

static void
names_make_no_markup_and_call_nobody(void **state)
{
	json_t *result = lossy();
	char *text;

	(void)state;
	json_object_set_new(json_object_get(result, "chain"), "name",
			    json_string("a|b <img src=x> [l](u) @everyone #1 `c`\n# d **e**"));
	json_object_set_new(result, "command", json_pack("[s, s]", "bench", "a\nb `c`"));
	text = markdown_render(result);
	assert_memory_equal(text,
			    "### a\\|b \\<img src=x\\> \\[l\\](u) &#64;everyone \\#1 \\`c\\` \\# d "
			    "\\*\\*e\\*\\*\n",
			    strcspn(text, "\n") + 1);
	assert_non_null(strstr(text, "    nfvchain bench 'a b `c`'\n"));
	free(text);
	json_decref(result);
}

static void
an_empty_result_says_so(void **state)
{
	json_t *empty = json_object();
	char *text = markdown_render(empty);

	(void)state;
	assert_non_null(strstr(text, "Nothing was measured."));
	free(text);
	json_decref(empty);
}

static void
a_comparison_comes_first(void **state)
{
	json_t *result = test_result_start();
	char *text;

	(void)state;
	json_object_set_new(result, "comparison",
			    json_pack("{s:s, s:{s:s}, s:{s:s}, s:f, s:f, s:f, s:s, s:{s:s}}",
				      "metric", "ndr_pps", "a", "label", "poll", "b", "label",
				      "event", "ratio", 1.05, "ratio_low", 1.01, "ratio_high", 1.1,
				      "verdict", "better", "control", "verdict", "equal"));
	text = markdown_render(result);
	assert_non_null(strstr(text, "\n**event against poll: better**, ndr\\_pps ratio 1.05 "
				     "(1.01 to 1.1), control equal\n"));
	assert_null(strstr(text, "Nothing was measured"));
	free(text);
	json_decref(result);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answer_rates_and_ledger_fit_a_comment),
		cmocka_unit_test(names_make_no_markup_and_call_nobody),
		cmocka_unit_test(an_empty_result_says_so),
		cmocka_unit_test(a_comparison_comes_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
