/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/mem.h"
#include "csv.h"
#include "html.h"
#include "sweep.h"
#include "text.h"

/* A made-up map: event wins where work is heavy and skewed. */

static json_t *
engine_json(const char *name, double pps, double ratio)
{
	return json_pack("{s:s, s:f, s:f, s:f, s:f, s:i, s:i, s:s}", "engine", name, "pps", pps,
			 "ratio", ratio, "ratio_low", ratio * 0.98, "ratio_high", ratio * 1.02,
			 "n_turns", 12, "n_valid", 11, "command", "nfvchain-fwd <a>");
}

static json_t *
cell_json(double work, double skew, double lcores)
{
	bool measured = lcores<4, event = work> 1000 && skew > 1 && lcores > 1;
	bool tie = work > 1000 && skew == 1;
	json_t *cell = json_pack("{s:f, s:f, s:f, s:f, s:f, s:f, s:b, s:s, s:s, s:f}", "work", work,
				 "skew", skew, "lcores", lcores, "stages", 2.0, "flows", 64.0,
				 "burst", 32.0, "measured", measured, "outcome",
				 !measured ? "unknown"
				 : tie	   ? "tie"
					   : "won",
				 "best", event ? "event" : "poll", "margin",
				 event ? 1.42
				 : tie ? 1.01
				       : 2.5);

	json_object_set_new(cell, "reason", measured ? json_null() : json_string("too few CPUs"));
	json_object_set_new(
		cell, "engines",
		json_pack("[o, o]", engine_json("poll", 5e6, 1),
			  engine_json("event", event ? 7.1e6 : 2e6, event ? 1.42 : 0.4)));
	return cell;
}

static json_t *
made_up(const char *work, const char *skew, const char *lcores)
{
	json_t *axes =
		json_pack("{s:o, s:[f], s:[f], s:[f], s:o, s:o}", "work", json_loads(work, 0, NULL),
			  "flows", 64.0, "stages", 2.0, "burst", 32.0, "skew",
			  json_loads(skew, 0, NULL), "lcores", json_loads(lcores, 0, NULL));
	json_t *cells = json_array();
	size_t i, k, m;
	json_t *w, *s, *l;

	json_array_foreach(json_object_get(axes, "work"), i, w)
		json_array_foreach(json_object_get(axes, "skew"), k, s)
			json_array_foreach(json_object_get(axes, "lcores"), m, l)
				json_array_append_new(cells, cell_json(json_number_value(w),
								       json_number_value(s),
								       json_number_value(l)));
	return json_pack("{s:s, s:{s:o, s:[s, s], s:o}}", "schema_version", "1.0", "sweep", "axes",
			 axes, "engines", "poll", "event", "cells", cells);
}

static void
has(const char *text, const char *part)
{
	if (strstr(text, part) == NULL)
		fail_msg("no '%s' in:\n%s", part, text);
}

static void
hasnt(const char *text, const char *part)
{
	if (strstr(text, part) != NULL)
		fail_msg("'%s' in:\n%s", part, text);
}

static void
the_map_is_a_table_for_each_number_of_lcores(void **state)
{
	json_t *result = made_up("[0, 2000]", "[0, 1, 2]", "[1, 2, 4]");
	char *text = text_render(result, false);

	(void)state;
	has(text, "lcores 1\n");
	has(text, "lcores 2\n");
	has(text, "lcores 4\n  not measured");
	has(text, "skew 2");
	has(text, "event 1.42x");
	has(text, "poll 2.50x");
	has(text, "tie");
	has(text, "64 flows, 2 stages, bursts of 32");
	has(text, "not measured: too few CPUs");
	for (const char *line = text; line != NULL; line = strchr(line, '\n')) {
		line += *line == '\n';
		assert_true(strcspn(line, "\n") <= 80);
	}
	free(text);
	json_decref(result);
}

static void
the_lesson_tells_where_who_wins(void **state)
{
	json_t *result = made_up("[0, 2000]", "[0, 1, 2]", "[1, 2, 4]");
	struct sweep_view v;
	char *lesson;

	(void)state;
	assert_true(sweep_view_init(&v, result));
	lesson = sweep_view_lesson(&v);
	assert_string_equal(lesson,
			    "poll wins in 9 of 12 cells, by 2.50x to 2.50x; event wins in 1 of 12 "
			    "cells, by 1.42x, all with work 2000 and skew 2 and lcores 2; 2 of 12 "
			    "are tied.");
	free(lesson);
	json_decref(result);
}

static void
one_axis_is_a_curve(void **state)
{
	json_t *result = made_up("[0, 300, 2000]", "[0]", "[2]");
	struct str svg = {0};
	struct sweep_view v;
	char *text = text_render(result, false);

	(void)state;
	has(text, "work ");
	has(text, "2 (0.40)");
	has(text, "poll 2.50x");
	hasnt(text, "lcores 2\n");
	assert_true(sweep_view_init(&v, result));
	sweep_svg(&svg, &v, true);
	has(str_text(&svg), "<path class=\"line l1\"");
	has(str_text(&svg), "prefers-color-scheme: dark");
	hasnt(str_text(&svg), "nan");
	str_fini(&svg);
	free(text);
	json_decref(result);
}

static void
a_spreadsheet_gets_a_row_for_each_engine_of_each_cell(void **state)
{
	json_t *result = made_up("[0, 2000]", "[0, 1, 2]", "[1, 2, 4]");
	char *csv = csv_render(result);
	unsigned n = 0;

	(void)state;
	for (const char *c = csv; *c != '\0'; c++)
		n += *c == '\n';
	assert_int_equal(n, 1 + 12 * 2);
	has(csv, "2000,2,2,2,64,32,event,7100000,1.42,");
	has(csv, ",won,event,1.42,");
	free(csv);
	json_decref(result);
}

static void
the_page_has_the_map_and_the_commands(void **state)
{
	json_t *result = made_up("[0, 2000]", "[0, 1, 2]", "[1, 2, 4]");
	char *html = html_render(result);

	(void)state;
	has(html, "id=\"sweep\"");
	has(html, "<svg");
	has(html, "1.42x");
	has(html, "nfvchain-fwd &lt;a&gt;");
	/* Its policy would refuse styles inside. */
	hasnt(html, "prefers-color-scheme: dark){.sweep");
	free(html);
	json_decref(result);
}

static void
other_results_have_no_sweep(void **state)
{
	json_t *result = json_pack("{s:s}", "schema_version", "1.0");
	struct sweep_view v;
	char *html = html_render(result);

	(void)state;
	assert_false(sweep_view_init(&v, result));
	hasnt(html, "id=\"sweep\"");
	free(html);
	json_decref(result);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_map_is_a_table_for_each_number_of_lcores),
		cmocka_unit_test(the_lesson_tells_where_who_wins),
		cmocka_unit_test(one_axis_is_a_curve),
		cmocka_unit_test(a_spreadsheet_gets_a_row_for_each_engine_of_each_cell),
		cmocka_unit_test(the_page_has_the_map_and_the_commands),
		cmocka_unit_test(other_results_have_no_sweep),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
