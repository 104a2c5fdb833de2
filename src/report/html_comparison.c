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
add_verdict(struct html *html, const json_t *c)
{
	struct str *page = &html->page;
	const char *tag = html_n_measurements(html) == 0 ? "h1" : "p";
	double level = text_number(c, "level");

	str_addf(page, "<%s class=\"headline\">", tag);
	html_text(page, text_word(c, "b.label"));
	str_addf(page, " %s ", verdict_words(text_word(c, "verdict")));
	html_text(page, text_word(c, "a.label"));
	str_addf(page, ": <strong class=\"answer\">");
	html_value(page, html->result, FIGURE_PLAIN, "comparison.ratio");
	str_addf(page, "</strong> times its ");
	html_text(page, text_word(c, "metric"));
	str_addf(page, " <span class=\"sure\">(");
	if (level > 0)
		str_addf(page, "%.4g&nbsp;%% interval ", level <= 1 ? 100 * level : level);
	html_value(page, html->result, FIGURE_PLAIN, "comparison.ratio_low");
	str_addf(page, " to ");
	html_value(page, html->result, FIGURE_PLAIN, "comparison.ratio_high");
	str_addf(page, ", ");
	html_value(page, html->result, FIGURE_COUNT, "comparison.n_valid");
	str_addf(page, " of ");
	html_value(page, html->result, FIGURE_COUNT, "comparison.n_blocks");
	str_addf(page, " blocks valid)</span>.</%s>\n", tag);
}

static void
add_control(struct html *html, const json_t *c)
{
	struct str *page = &html->page;

	if (!json_is_object(json_object_get(c, "control")))
		return;
	str_addf(page, "<p>Control, A against itself: ");
	html_value(page, html->result, FIGURE_PLAIN, "comparison.control.ratio");
	str_addf(page, " (");
	html_value(page, html->result, FIGURE_PLAIN, "comparison.control.ratio_low");
	str_addf(page, " to ");
	html_value(page, html->result, FIGURE_PLAIN, "comparison.control.ratio_high");
	str_addf(page, "): <strong>");
	html_text(page, text_word(c, "control.verdict"));
	str_addf(page, "</strong>. A control that is not equal to itself makes the verdict "
		       "worthless.</p>\n");
}

static void
add_instructions(struct html *html, const json_t *c)
{
	struct str *page = &html->page;

	if (!json_is_object(json_object_get(c, "instructions")))
		return;
	str_addf(page, "<p>Instructions: A ");
	html_value(page, html->result, FIGURE_PLAIN, "comparison.instructions.a");
	str_addf(page, ", B ");
	html_value(page, html->result, FIGURE_PLAIN, "comparison.instructions.b");
	str_addf(page, ", ratio ");
	html_value(page, html->result, FIGURE_PLAIN, "comparison.instructions.ratio");
	str_addf(page, ".</p>\n");
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

static char *
blocks_title(const json_t *c)
{
	double low = text_number(c, "ratio_low"), high = text_number(c, "ratio_high");

	if (!(low >= 0) || !(high >= 0))
		return xstrdup("B against A, block by block");
	if (low > 1 || high < 1)
		return xasprintf("The interval from %.4g to %.4g does not hold 1", low, high);
	return xasprintf("The interval from %.4g to %.4g holds 1", low, high);
}

void
html_comparison(struct html *html)
{
	const json_t *c = json_object_get(html->result, "comparison");

	if (!json_is_object(c))
		return;
	html_section(html, "comparison", "B against A");
	add_verdict(html, c);
	add_control(html, c);
	add_asserts(&html->page, json_object_get(c, "asserts"));
	html_plot(html, "blocks", 0, plot_blocks(c), blocks_title(c),
		  "Ratio of B to A in each block, with the control, A to A; the band is the "
		  "interval of the ratio.");
	add_blocks(&html->page, json_object_get(c, "blocks"));
	add_instructions(html, c);
	str_addf(&html->page, "<dl>\n");
	add_side(&html->page, "A", json_object_get(c, "a"));
	add_side(&html->page, "B", json_object_get(c, "b"));
	str_addf(&html->page, "</dl>\n</section>\n");
}
