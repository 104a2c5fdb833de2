/* SPDX-License-Identifier: MIT */
/* One thing against another, of results that `nfvchain compare` made. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"

#include "html_parts.h"
#include "plot.h"
#include "text_page.h"
#include "text_parts.h"

/* A figure of the comparison at 'at' ("comparison", or "comparisons[1]"). */
static void
value(struct html *html, const char *at, enum figure_unit unit, const char *key)
{
	char *path = xasprintf("%s.%s", at, key);

	html_value(&html->page, html->result, unit, "%s", path);
	free(path);
}

/* ---- the verdict ---- */

static const char *
verdict_words(const char *verdict)
{
	static const struct {
		const char *verdict, *words;
	} known[] = {
		{"better", "is better than"},
		{"worse", "is worse than"},
		{"equal", "is as good as"},
	};

	for (size_t i = 0; i < N_ELEMS(known); i++)
		if (strcmp(verdict, known[i].verdict) == 0)
			return known[i].words;
	return "may or may not differ from";
}

static void
add_verdict(struct html *html, const char *at, const json_t *c, bool first)
{
	struct str *page = &html->page;
	const char *tag = first && html_n_measurements(html) == 0 ? "h1" : "p";
	double level = text_number(c, "level");

	str_addf(page, "<%s class=\"headline\">", tag);
	html_text(page, text_word(c, "b.label"));
	str_addf(page, " %s ", verdict_words(text_word(c, "verdict")));
	html_text(page, text_word(c, "a.label"));
	str_addf(page, ": <strong class=\"answer\">");
	value(html, at, FIGURE_PLAIN, "ratio");
	str_addf(page, "</strong> times its ");
	html_text(page, text_word(c, "metric"));
	str_addf(page, " <span class=\"sure\">(");
	if (level > 0)
		str_addf(page, "%.4g&nbsp;%% interval ", level <= 1 ? 100 * level : level);
	value(html, at, FIGURE_PLAIN, "ratio_low");
	str_addf(page, " to ");
	value(html, at, FIGURE_PLAIN, "ratio_high");
	str_addf(page, ", ");
	value(html, at, FIGURE_COUNT, "n_valid");
	str_addf(page, " of ");
	value(html, at, FIGURE_COUNT, "n_blocks");
	str_addf(page, " blocks valid)</span>.</%s>\n", tag);
}

static void
add_control(struct html *html, const char *at, const json_t *c)
{
	struct str *page = &html->page;

	if (!json_is_object(json_object_get(c, "control")))
		return;
	str_addf(page, "<p>Control, A against itself: ");
	value(html, at, FIGURE_PLAIN, "control.ratio");
	str_addf(page, " (");
	value(html, at, FIGURE_PLAIN, "control.ratio_low");
	str_addf(page, " to ");
	value(html, at, FIGURE_PLAIN, "control.ratio_high");
	str_addf(page, "): <strong>");
	html_text(page, text_word(c, "control.verdict"));
	str_addf(page, "</strong>. A control that is not equal to itself makes the verdict "
		       "worthless.</p>\n");
}

static void
add_instructions(struct html *html, const char *at, const json_t *c)
{
	struct str *page = &html->page;

	if (!json_is_object(json_object_get(c, "instructions")))
		return;
	if (json_is_string(json_at(c, "instructions.reason"))) {
		str_addf(page, "<p>Instructions per frame are unknown: ");
		html_text(page, text_word(c, "instructions.reason"));
		str_addf(page, ".</p>\n");
		return;
	}
	str_addf(page, "<p>The second witness, instructions per frame: A ");
	value(html, at, FIGURE_PLAIN, "instructions.a");
	str_addf(page, ", B ");
	value(html, at, FIGURE_PLAIN, "instructions.b");
	str_addf(page, ", ratio ");
	value(html, at, FIGURE_PLAIN, "instructions.ratio");
	str_addf(page, ". They are counted: no other program and no hypervisor can change "
		       "them.</p>\n");
}

/* ---- sides, asserts, blocks ---- */

static void
add_side(struct str *page, const char *name, const json_t *side)
{
	const json_t *command = json_object_get(side, "command");

	str_addf(page, "<div><dt>%s, ", name);
	html_text(page, text_word(side, "label"));
	str_addf(page, "</dt><dd>");
	if (json_is_string(command))
		html_text(page, json_string_value(command));
	for (size_t i = 0; i < json_array_size(command); i++) {
		html_text(page, text_word(json_array_get(command, i), ""));
		str_addf(page, " ");
	}
	str_addf(page, "</dd></div>\n");
}

static void
add_asserts(struct str *page, const json_t *list)
{
	if (json_array_size(list) == 0)
		return;
	html_table(page, "Assertions", "<Assertion|<Holds|<Because");
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *one = json_array_get(list, i);
		const json_t *holds = json_object_get(one, "holds");

		str_addf(page, "<tr>");
		html_cell_text(page, text_word(one, "text"));
		html_cell_text(page, json_is_true(holds)    ? PAGE_GOOD "yes" PAGE_PLAIN
				     : json_is_false(holds) ? PAGE_BAD "no" PAGE_PLAIN
							    : PAGE_DOUBT "not known" PAGE_PLAIN);
		html_cell_text(page, text_word(one, "sentence"));
		str_addf(page, "</tr>\n");
	}
	str_addf(page, HTML_TABLE_END);
}

/* "1.2e+06, 1.3e+06"; a single number stands for itself. */
static void
add_values(struct str *page, const json_t *list)
{
	str_addf(page, "<td>");
	if (json_is_number(list))
		html_figure(page, json_number_value(list), FIGURE_PLAIN);
	for (size_t i = 0; i < json_array_size(list); i++) {
		str_addf(page, "%s", i > 0 ? ", " : "");
		html_figure(page, text_number(json_array_get(list, i), ""), FIGURE_PLAIN);
	}
	str_addf(page, "</td>");
}

static void
add_blocks(struct str *page, const json_t *list)
{
	if (json_array_size(list) == 0)
		return;
	str_addf(page, "<details><summary>Every block</summary>\n");
	html_table(page, "Every block", "No|<Order|A|B|Control|<Valid|<Reason");
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *one = json_array_get(list, i);
		const char *reason = json_string_value(json_object_get(one, "reason"));

		str_addf(page, "<tr><td>%zu</td>", i + 1);
		html_cell_text(page, text_word(one, "order"));
		add_values(page, json_object_get(one, "a"));
		add_values(page, json_object_get(one, "b"));
		add_values(page, json_object_get(one, "control"));
		html_cell_text(page, json_is_false(json_object_get(one, "valid")) ? "no" : "yes");
		html_cell_text(page, reason != NULL ? reason : "");
		str_addf(page, "</tr>\n");
	}
	str_addf(page, HTML_TABLE_END "</details>\n");
}

static void
add_rounds(struct str *page, const json_t *list)
{
	str_addf(page, "<details><summary>Every round</summary>\n");
	html_table(page, "Every round", "No|Valid blocks|B to A|Control to A");
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *one = json_array_get(list, i);

		str_addf(page, "<tr><td>%zu</td>", i + 1);
		add_values(page, json_object_get(one, "n_valid"));
		add_values(page, json_object_get(one, "ratio"));
		add_values(page, json_object_get(one, "control"));
		str_addf(page, "</tr>\n");
	}
	str_addf(page, HTML_TABLE_END "</details>\n");
}

static char *
blocks_title(const json_t *c)
{
	double low = text_number(c, "ratio_low"), high = text_number(c, "ratio_high");

	if (!(low >= 0) || !(high >= 0))
		return xstrdup("B against A");
	if (low > 1 || high < 1)
		return xasprintf("The interval from %.4g to %.4g does not hold 1", low, high);
	return xasprintf("The interval from %.4g to %.4g holds 1", low, high);
}

static void
add_plot(struct html *html, size_t i, const json_t *c)
{
	bool by_round = json_array_size(json_object_get(c, "rounds")) > 0;

	html_plot(html, "blocks", i, plot_blocks(c), blocks_title(c),
		  by_round ? "Ratio to A in each round of restarts; the band is its interval."
			   : "Ratio to A in each block; the band is its interval.");
	if (by_round)
		add_rounds(&html->page, json_object_get(c, "rounds"));
	else
		add_blocks(&html->page, json_object_get(c, "blocks"));
}

static void
add_one(struct html *html, const char *at, size_t i, const json_t *c)
{
	add_verdict(html, at, c, i == 0);
	if (i == 0)
		add_control(html, at, c);
	add_asserts(&html->page, json_object_get(c, "asserts"));
	add_plot(html, i, c);
	add_instructions(html, at, c);
	str_addf(&html->page, "<dl>\n");
	add_side(&html->page, "A", json_object_get(c, "a"));
	add_side(&html->page, "B", json_object_get(c, "b"));
	str_addf(&html->page, "</dl>\n");
}

/* Each against A, where there are several. */
void
html_comparison(struct html *html)
{
	const json_t *c = json_object_get(html->result, "comparison");
	const json_t *list = json_object_get(html->result, "comparisons");

	if (!json_is_object(c))
		return;
	html_section(html, "comparison",
		     json_array_size(list) > 1 ? "Each against A" : "B against A");
	if (json_array_size(list) == 0)
		add_one(html, "comparison", 0, c);
	for (size_t i = 0; i < json_array_size(list); i++) {
		char *at = xasprintf("comparisons[%zu]", i);

		add_one(html, at, i, json_array_get(list, i));
		free(at);
	}
	str_addf(&html->page, "</section>\n");
}
