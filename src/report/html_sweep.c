/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "html_parts.h"
#include "sweep.h"
#include "text_parts.h"

/* A sweep on the page: the lesson, the picture, every figure as a table, the commands. */

static void
add_interval(struct str *page, const json_t *figures)
{
	double low = text_number(figures, "ratio_low"), high = text_number(figures, "ratio_high");
	char text[64] = "";

	if (low >= 0 && high >= 0)
		snprintf(text, sizeof(text), "%.3f to %.3f", low, high);
	html_cell_text(page, text);
}

static void
add_row(struct str *page, const struct sweep_view *v, const json_t *cell, size_t engine)
{
	const json_t *figures = sweep_view_figures(cell, engine);
	char *winner = sweep_view_winner(cell);

	str_addf(page, "<tr>");
	for (size_t a = 0; a < v->n_axes; a++)
		html_cell(page, text_number(cell, v->axis[a]), FIGURE_PLAIN);
	html_cell_text(page, v->engine[engine]);
	html_cell(page, text_number(figures, "pps"), FIGURE_PPS);
	html_cell(page, text_number(figures, "ratio"), FIGURE_PLAIN);
	add_interval(page, figures);
	html_cell(page, text_number(figures, "n_valid"), FIGURE_PLAIN);
	html_cell_text(page, engine == 0 ? winner : "");
	str_addf(page, "</tr>\n");
	free(winner);
}

static void
add_figures(struct str *page, const struct sweep_view *v)
{
	struct str columns = {0};

	for (size_t a = 0; a < v->n_axes; a++)
		str_addf(&columns, "%s|", v->axis[a]);
	str_addf(&columns, "<engine|rate|to %s|<95 %% interval|valid turns|<winner", v->engine[0]);
	str_addf(page, "<details><summary>Every figure</summary>\n");
	html_table(page, "Every figure", str_text(&columns));
	for (size_t i = 0; i < json_array_size(v->cells); i++) {
		const json_t *cell = json_array_get(v->cells, i);

		for (size_t e = 0; e < v->n_engines && sweep_view_figures(cell, e) != NULL; e++)
			add_row(page, v, cell, e);
	}
	str_addf(page, HTML_TABLE_END "</details>\n");
	str_fini(&columns);
}

static void
add_commands(struct str *page, const struct sweep_view *v)
{
	str_addf(page,
		 "<details><summary>The command of each engine in each cell</summary>\n<pre>");
	for (size_t i = 0; i < json_array_size(v->cells); i++)
		for (size_t e = 0; e < v->n_engines; e++) {
			const json_t *figures = sweep_view_figures(json_array_get(v->cells, i), e);

			if (figures == NULL)
				continue;
			html_text(page, text_word(figures, "command"));
			str_addf(page, "\n");
		}
	str_addf(page, "</pre></details>\n");
}

void
html_sweep(struct html *html)
{
	struct str *page = &html->page;
	struct sweep_view v;
	char *lesson, *fixed;

	if (!sweep_view_init(&v, html->result))
		return;
	html_section(html, "sweep", "Which engine suits where");
	lesson = sweep_view_lesson(&v);
	fixed = sweep_view_fixed(&v);
	str_addf(page, "<p class=\"lead\">");
	html_text(page, lesson);
	str_addf(page, "</p>\n<p>");
	html_text(page, fixed);
	str_addf(page, ".</p>\n<figure class=\"wide\">\n");
	sweep_svg(page, &v, false);
	str_addf(page, "</figure>\n<p>%s</p>\n",
		 v.n_axes < 2
			 ? "Frames a second of wall time, on all lcores together."
			 : "The engine that forwards most, and its rate over that of the next. "
			   "Tie: the intervals (95 %, all others together) do not tell which "
			   "one it is.");
	add_figures(page, &v);
	add_commands(page, &v);
	str_addf(page, "</section>\n");
	free(lesson);
	free(fixed);
}
