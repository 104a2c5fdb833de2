/* SPDX-License-Identifier: MIT */
#include "html.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "assets.h"
#include "base/json.h"
#include "test_result.h"

/* Both kinds of measurements, with everything in them that a file can have. */
static json_t *
full_result(void)
{
	json_t *result = test_result_start(), *m;

	test_result_set_goal(result);
	test_result_add_selftest(result);
	json_object_set_new(result, "environment",
			    json_pack("{s:s, s:i, s:{s:s, s:[s], s:[s]}}", "cpu_model", "A CPU",
				      "memory_bytes", 1 << 30, "grade", "letter", "D", "because",
				      "it is shared", "raise", "isolate CPUs"));
	result_add_measurement(result, "64", 64, &test_asked);
	test_result_add_search(result, 8.6e6, SEARCH_FOUND);
	test_result_add_search(result, 8.2e6, SEARCH_FOUND);
	result_end_measurement(result);
	m = json_array_get(json_object_get(result, "measurements"), 0);
	json_object_set_new(m, "goals",
			    json_pack("[{s:s, s:f, s:f, s:f, s:b}, {s:s, s:n}]", "code", "1f3d0l0e",
				      "rate_pps", 8.4e6 + 1.0 / 3, "rate_low_pps", 8.1e6,
				      "rate_high_pps", 8.7e6, "rate_is_lower_bound", 1, "code",
				      "1f3d.5l0e", "rate_pps"));
	json_object_set_new(m, "loss_free",
			    json_pack("[{s:f, s:f, s:f, s:f, s:b}, {s:f, s:f, s:n, s:n, s:b}]",
				      "duration_s", 1.0, "rate_pps", 8e6, "rate_low_pps", 7e6,
				      "rate_high_pps", 9e6, "extrapolated", 0, "duration_s", 60.0,
				      "rate_pps", 7e6, "rate_low_pps", "rate_high_pps",
				      "extrapolated", 1));
	result_add_measurement(result, "imix", 361.8, &test_fixed);
	result_begin_search(result);
	test_result_add(result, test_trial_lossy());
	result_end_measurement(result);
	result_finish(result, 95, 4, "the chain lost frames");
	return result;
}

static void
add_comparison(json_t *result)
{
	json_object_set_new(
		result, "comparison",
		json_pack("{s:s, s:{s:s, s:s}, s:{s:s, s:[s]}, s:f, s:i, s:i, s:f, s:f, s:f, s:s,"
			  " s:{s:f, s:s}, s:[{s:s, s:[f], s:[f], s:[f], s:b, s:s}, {s:s, s:[f]}],"
			  " s:[{s:s, s:n, s:s}]}",
			  "metric", "ndr_pps", "a", "label", "poll", "command", "x", "b", "label",
			  "event", "command", "y", "level", 0.95, "n_blocks", 2, "n_valid", 1,
			  "ratio", 1.05, "ratio_low", 1.01, "ratio_high", 1.1, "verdict", "better",
			  "control", "ratio", 1.0, "verdict", "equal", "blocks", "order", "ab", "a",
			  1.0, "b", 1.1, "control", 1.0, "valid", 1, "reason", "", "order", "ba",
			  "a", 2.0, "asserts", "text", "ndr >= 1", "holds", "sentence", "?"));
}

static size_t
count(const char *text, const char *what)
{
	size_t n = 0;

	for (; (text = strstr(text, what)) != NULL; text += strlen(what))
		n++;
	return n;
}

/* The page without styles and scripts, which may hold anything; for the caller to free. */
static char *
body_of(const char *html)
{
	const char *begin = strstr(html, "<body>"), *end = strstr(html, "<script type");

	assert_non_null(begin);
	assert_non_null(end);
	return strndup(begin, (size_t)(end - begin));
}

/* ---- texts of others ---- */

#define EVIL "</script><img src=x onerror=\"a()\">'&\001\006]]>"

/* Replaces each text of a tree. */
static void
poison(json_t *node)
{
	const char *key;
	json_t *value;

	if (json_is_string(node))
		json_string_set(node, EVIL);
	for (size_t i = 0; i < json_array_size(node); i++)
		poison(json_array_get(node, i));
	json_object_foreach(node, key, value)
		poison(value);
}

static void
assert_harmless(const json_t *result)
{
	char *html = html_render(result), *body = body_of(html);

	assert_null(strstr(html, "<img"));
	assert_null(strstr(body, "]]>"));
	assert_null(strstr(body, "onerror=\""));
	assert_null(strpbrk(body, "\001\006"));
	assert_int_equal(count(body, "</script"), 0);
	assert_int_equal(count(html, "</script"), 3);
	assert_int_equal(count(body, "<strong"), count(body, "</strong>"));
	free(body);
	free(html);
}

static void
no_text_becomes_a_tag(void **state)
{
	json_t *result = full_result();

	(void)state;
	add_comparison(result);
	poison(json_object_get(result, "chain"));
	poison(json_object_get(result, "environment"));
	poison(json_object_get(result, "comparison"));
	poison(json_object_get(result, "command"));
	assert_harmless(result);
	/* And where a word decides what is shown. */
	poison(result);
	assert_harmless(result);
	json_decref(result);
}

static void
keys_are_escaped_too(void **state)
{
	json_t *result = full_result();
	char *html;

	(void)state;
	json_object_set_new(json_object_get(result, "environment"), "<img>", json_string("x"));
	html = html_render(result);
	assert_null(strstr(html, "<img>"));
	assert_non_null(strstr(html, "<dt>&lt;img&gt;</dt>"));
	free(html);
	json_decref(result);
}

/* ---- figures ---- */

/* Reads one <data data-path="PATH" value="VALUE">; returns where it ended, or NULL. */
static const char *
next_value(const char *html, char path[128], char value[64])
{
	const char *at = strstr(html, "<data data-path=\"");

	if (at == NULL)
		return NULL;
	assert_int_equal(sscanf(at, "<data data-path=\"%127[^\"]\"", path), 1);
	at = strstr(at, " value=\"") + strlen(" value=\"");
	value[0] = '\0';
	if (*at != '"')
		assert_int_equal(sscanf(at, "%63[^\"]", value), 1);
	return at;
}

static void
figures_are_those_of_the_result(void **state)
{
	json_t *result = full_result();
	char *html, path[128], value[64];
	size_t known = 0;

	(void)state;
	add_comparison(result);
	html = html_render(result);
	for (const char *at = html; (at = next_value(at, path, value)) != NULL;) {
		const json_t *json = json_at(result, path);

		if (value[0] == '\0') {
			assert_true(json == NULL || json_is_null(json));
			continue;
		}
		assert_true(strtod(value, NULL) == json_number_value(json));
		known++;
	}
	assert_true(known > 30);
	free(html);
	json_decref(result);
}

static void
the_answer_is_one_sentence_with_its_uncertainty(void **state)
{
	json_t *result = full_result();
	char *html = html_render(result);

	(void)state;
	assert_non_null(strstr(html, "<h1 class=\"headline\">snake carries at least <strong"));
	assert_non_null(strstr(html,
			       ">8.4\302\240Mpps</data></strong> of 64&#8209;byte frames with zero "
			       "loss <span class=\"sure\">(95\302\240% interval 8.1 to "
			       "8.7\302\240Mpps; goal&nbsp;1f3d0l0e)</span>.</h1>"));
	assert_non_null(strstr(html, "<span>Why not more:</span> "));
	assert_int_equal(count(html, "<h1"), 1);
	assert_non_null(
		strstr(html, "<title>snake: 8.4\302\240Mpps &middot; nfvchain report</title>"));
	free(html);
	json_decref(result);
}

static void
losses_stand_in_the_picture(void **state)
{
	json_t *result = full_result();
	char *html = html_render(result);

	(void)state;
	assert_non_null(strstr(html, "class=\"lost\">\342\210\222100 refused</text>"));
	assert_non_null(strstr(html, "class=\"lost\">\342\210\22212 dropped</text>"));
	assert_non_null(strstr(html, "class=\"lost\">\342\210\2225 missed</text>"));
	assert_non_null(strstr(html, "class=\"lost\">\342\210\2223 lost</text>"));
	assert_int_equal(count(html, "<svg class=\"chain\""), 2);
	free(html);
	json_decref(result);
}

/* ---- plots ---- */

static json_t *
plots_of(const char *html)
{
	const char *begin = strstr(html, "id=\"data\">") + strlen("id=\"data\">");
	size_t len = (size_t)(strstr(begin, "</script>") - begin);
	json_t *plots = json_loadb(begin, len, 0, NULL);

	assert_non_null(plots);
	return plots;
}

static void
each_plot_has_a_figure_and_each_figure_a_plot(void **state)
{
	json_t *result = full_result(), *plots, *value;
	char *html, *id;
	const char *key;

	(void)state;
	add_comparison(result);
	html = html_render(result);
	plots = plots_of(html);
	assert_int_equal(json_object_size(plots), count(html, "<figure class=\"plot\""));
	assert_true(json_object_size(plots) >= 7);
	json_object_foreach(plots, key, value) {
		assert_int_not_equal(asprintf(&id, "<figure class=\"plot\" id=\"%s\"", key), -1);
		assert_non_null(strstr(html, id));
		free(id);
	}
	/* Loads in the order they were run; loss by load; the percentiles up to the slowest. */
	assert_int_equal(json_array_size(json_at(plots, "loads-0.x")), 6);
	assert_int_equal(json_integer_value(json_at(plots, "loads-0.pps[3]")), 8200000);
	assert_int_equal(json_integer_value(json_at(plots, "loss-0.pps[0]")), 8200000);
	/* Highest of the bucket, as quantiles are. */
	assert_int_equal(json_integer_value(json_at(plots, "tail-0.ns[1]")), 12031);
	assert_int_equal(json_integer_value(json_at(plots, "tail-0.ns[2]")), 35000);
	assert_int_equal(json_integer_value(json_at(plots, "latency-0.line_p99_ns[0]")), 35000);
	assert_int_equal(json_integer_value(json_at(plots, "latency-0.line_p50_ns[3]")), 12031);
	assert_true(json_number_value(json_at(plots, "blocks-0.ratio[0]")) == 1.1);
	/* One load alone shows nothing by load. */
	assert_null(json_object_get(plots, "latency-1"));
	json_decref(plots);
	free(html);
	json_decref(result);
}

/* ---- the page ---- */

static void
nobody_is_asked_for_anything(void **state)
{
	json_t *result = full_result();
	char *html = html_render(result), *body = body_of(html);

	(void)state;
	assert_null(strstr(body, "http:"));
	assert_null(strstr(body, "https:"));
	assert_int_equal(count(body, " src="), 0);
	assert_int_equal(count(body, "href="), count(body, "href=\"#"));
	assert_null(strstr(html, "@import"));
	assert_null(strstr(html, "url("));
	assert_non_null(strstr(html, "default-src 'none'"));
	assert_non_null(strstr(html, asset_report_js_sha256));
	free(body);
	free(html);
	json_decref(result);
}

static void
rendering_again_gives_the_same_bytes(void **state)
{
	json_t *result = full_result(), *again;
	char *html = html_render(result), *text = json_dumps(result, 0), *other;

	(void)state;
	again = json_loads(text, 0, NULL);
	other = html_render(again);
	assert_string_equal(html, other);
	free(html);
	free(other);
	free(text);
	json_decref(again);
	json_decref(result);
}

static void
assert_whole(const json_t *result)
{
	char *html = html_render(result), *body = body_of(html), *nan = strstr(body, "nan");

	assert_string_equal(html + strlen(html) - strlen("</html>\n"), "</html>\n");
	if (nan != NULL)
		fprintf(stderr, "a figure that is none: %.80s\n", nan - 40);
	assert_null(nan);
	free(body);
	free(html);
}

/* Renders 'root' without each of its nodes, and with another type in its place. */
static size_t
damage_each(const json_t *root, json_t *node)
{
	const char *key;
	json_t *value;
	void *next;
	size_t n = 0;

	json_object_foreach_safe(node, next, key, value)
	{
		json_t *kept = json_incref(value);

		n += damage_each(root, value) + 1;
		json_object_set_new(node, key, json_null());
		assert_whole(root);
		json_object_set_new(node, key, json_integer(-3));
		assert_whole(root);
		json_object_set_new(node, key, json_pack("[{s:s}]", "x", "y"));
		assert_whole(root);
		json_object_set_new(node, key, kept);
	}
	/* The first of a list stands for all. */
	return n + (json_array_size(node) > 0 ? damage_each(root, json_array_get(node, 0)) : 0);
}

static void
whatever_is_missing_the_rest_is_shown(void **state)
{
	json_t *result = full_result(), *empty = json_object();

	(void)state;
	assert_whole(empty);
	add_comparison(result);
	/* The trials that count are enough, and quicker. */
	json_array_remove(
		json_object_get(json_array_get(json_object_get(result, "measurements"), 0),
				"searches"),
		1);
	assert_true(damage_each(result, result) > 200);
	json_decref(empty);
	json_decref(result);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_text_becomes_a_tag),
		cmocka_unit_test(keys_are_escaped_too),
		cmocka_unit_test(figures_are_those_of_the_result),
		cmocka_unit_test(the_answer_is_one_sentence_with_its_uncertainty),
		cmocka_unit_test(losses_stand_in_the_picture),
		cmocka_unit_test(each_plot_has_a_figure_and_each_figure_a_plot),
		cmocka_unit_test(nobody_is_asked_for_anything),
		cmocka_unit_test(rendering_again_gives_the_same_bytes),
		cmocka_unit_test(whatever_is_missing_the_rest_is_shown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
