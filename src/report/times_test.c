/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "html.h"
#include "markdown.h"
#include "test_result.h"
#include "text.h"

/* The time inside hops, in each form of a report. */

static struct time_span
span(double mean_ns)
{
	/* 1000 frames, two cycles a nanosecond. */
	return (struct time_span){.n = 1000,
				  .sum_tsc = (uint64_t)(mean_ns * 2000),
				  .mean_ns = mean_ns,
				  .p50_ns = mean_ns,
				  .p99_ns = 2 * mean_ns,
				  .max_ns = 3 * mean_ns};
}

/* The mean latency is 12.345 us; vnf2 is a foreign hop and tells nothing. */
static json_t *
result_with_times(void)
{
	json_t *result = test_result_start();
	struct trial *t = test_trial_new(1e6);
	struct hop_times *h = &t->inside[0];

	h->known = true;
	h->tsc_hz = 2e9;
	h->n_stages = 2;
	strcpy(h->stage[0].nf, "l2fwd");
	h->stage[0].wait = span(3000);
	h->stage[0].service = span(400);
	strcpy(h->stage[1].nf, "work:300");
	h->stage[1].wait = span(1500);
	h->stage[1].service = span(200);
	h->tx_wait = span(100);
	h->total = span(5200);
	result_add_measurement(result, "64", 64, &test_fixed);
	result_begin_search(result);
	test_result_add(result, t);
	result_end_search(result, NULL, 1);
	result_end_measurement(result);
	return result;
}

static void
assert_has(const char *text, const char *part)
{
	if (strstr(text, part) == NULL)
		fprintf(stderr, "rendered:\n%s", text);
	assert_non_null(strstr(text, part));
}

static void
text_names_each_part_and_the_share(void **state)
{
	json_t *result = result_with_times();
	char *text = text_render(result, false);

	(void)state;
	assert_has(text, "\n  vnf1: stage 0 l2fwd wait 3 us + service 400 ns, stage 1 work:300 ");
	assert_has(text, "; sum 5.2 us of 5.2 us inside");
	assert_has(text, "(p50 5.2 us, p99 10.4 us)\n");
	assert_has(text,
		   "\n  5.2 us on average inside the hops that tell, 42 % of 12.3 us end to ");
	assert_null(strstr(text, "vnf2: stage"));
	free(text);
	json_decref(result);
}

static void
markdown_has_it_as_a_list(void **state)
{
	json_t *result = result_with_times();
	char *text = markdown_render(result);

	(void)state;
	assert_has(text, "\n- vnf1: stage");
	assert_has(text, "; sum 5.2\302\240us of 5.2\302\240us inside (p50\302\2405.2\302\240us, ");
	assert_has(text, "p99\302\24010.4\302\240us)\n\n5.2\302\240us on average");
	free(text);
	json_decref(result);
}

static unsigned
count(const char *text, const char *part)
{
	unsigned n = 0;

	for (; (text = strstr(text, part)) != NULL; text++)
		n++;
	return n;
}

static void
html_has_a_bar_with_all_parts_and_a_table(void **state)
{
	json_t *result = result_with_times();
	char *html = html_render(result);

	(void)state;
	assert_int_equal(count(html, "<section id=\"times\""), 1);
	assert_int_equal(count(html, "<svg class=\"times\""), 1);
	assert_int_equal(count(html, "<rect class=\"wait\""), 3);
	assert_int_equal(count(html, "<rect class=\"service\""), 2);
	/* 400 of 5200 ns, of 640 pixels, behind the first wait. */
	assert_has(html, "<rect class=\"service\" x=\"369.23\" y=\"0\" width=\"49.23\" "
			 "height=\"28\"><title>stage 0, l2fwd: 400\302\240ns</title></rect>");
	assert_has(html, "<th scope=\"row\">received to sent</th>");
	free(html);
	json_decref(result);
}

static void
without_times_nothing_is_said(void **state)
{
	json_t *result = test_result_start();
	char *html, *text, *markdown;

	(void)state;
	result_add_measurement(result, "64", 64, &test_fixed);
	result_begin_search(result);
	test_result_add(result, test_trial_new(1e6));
	result_end_search(result, NULL, 1);
	result_end_measurement(result);
	html = html_render(result);
	text = text_render(result, false);
	markdown = markdown_render(result);
	assert_null(strstr(html, "id=\"times\""));
	assert_null(strstr(text, "on average inside"));
	assert_null(strstr(markdown, "on average inside"));
	free(html);
	free(text);
	free(markdown);
	json_decref(result);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_names_each_part_and_the_share),
		cmocka_unit_test(markdown_has_it_as_a_list),
		cmocka_unit_test(html_has_a_bar_with_all_parts_and_a_table),
		cmocka_unit_test(without_times_nothing_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
