/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "figure.h"
#include "sweep.h"
#include "text_page.h"
#include "text_parts.h"

/* A sweep for a terminal, and for a spreadsheet. */

#define ROW_COLS 10
#define MIN_CELL_COLS 14

/* ---- text ---- */

/* "poll 8.412", in Mpps, with the ratio to the first engine behind. */
static char *
engine_cell(const json_t *cell, size_t engine)
{
	const json_t *figures = sweep_view_figures(cell, engine);
	double pps = text_number(figures, "pps"), ratio = text_number(figures, "ratio");

	if (figures == NULL)
		return xstrdup("-");
	if (!(pps >= 0))
		return xstrdup("?");
	if (engine == 0 || !(ratio >= 0))
		return xasprintf("%.4g", pps / 1e6);
	return xasprintf("%.4g (%.2f)", pps / 1e6, ratio);
}

static int
widest(const struct sweep_view *v)
{
	size_t most = MIN_CELL_COLS;

	for (size_t i = 0; i < json_array_size(v->cells); i++) {
		char *text = sweep_view_winner(json_array_get(v->cells, i));

		most = strlen(text) + 2 > most ? strlen(text) + 2 : most;
		free(text);
	}
	for (size_t i = 0; i < v->n_engines; i++)
		most = strlen(v->engine[i]) + 2 > most ? strlen(v->engine[i]) + 2 : most;
	return (int)most;
}

static void
add_taken(struct str *page, int cols, char *text)
{
	page_cell(page, cols, text);
	free(text);
}

/* A row for each value, a column for each engine. */
static void
add_curve(struct str *page, const struct sweep_view *v)
{
	int cols = widest(v);

	page_cell(page, ROW_COLS, v->n_axes > 0 ? v->axis[0] : "");
	for (size_t e = 0; e < v->n_engines; e++)
		page_cell(page, cols + 4, v->engine[e]);
	page_cell(page, cols, v->n_engines > 1 ? "winner" : "");
	str_addf(page, "\n");
	for (size_t r = 0; r < sweep_view_rows(v); r++) {
		const json_t *cell = sweep_view_cell(v, 0, r, 0);

		add_taken(page, ROW_COLS, v->n_axes > 0 ? sweep_view_value(v, 0, r) : xstrdup(""));
		for (size_t e = 0; e < v->n_engines; e++)
			add_taken(page, cols + 4, engine_cell(cell, e));
		add_taken(page, cols, v->n_engines > 1 ? sweep_view_winner(cell) : xstrdup(""));
		str_addf(page, "\n");
	}
	str_addf(page, "\n  Mpps%s\n",
		 v->n_engines > 1 ? ", and in brackets the ratio to the first" : "");
}

static void
add_head(struct str *page, const struct sweep_view *v, int cols)
{
	page_cell(page, ROW_COLS, v->axis[0]);
	for (size_t c = 0; c < sweep_view_columns(v); c++) {
		char *value = sweep_view_value(v, 1, c);

		add_taken(page, cols, xasprintf("%s %s", v->axis[1], value));
		free(value);
	}
	str_addf(page, "\n");
}

static void
add_table(struct str *page, const struct sweep_view *v, size_t table)
{
	char *name = sweep_view_table_name(v, table);
	int cols = widest(v);

	str_addf(page, "%s%s%s", name, name[0] != '\0' ? "\n" : "",
		 sweep_view_has_table(v, table) ? "" : "  not measured\n");
	free(name);
	if (sweep_view_has_table(v, table)) {
		add_head(page, v, cols);
		for (size_t r = 0; r < sweep_view_rows(v); r++) {
			add_taken(page, ROW_COLS, sweep_view_value(v, 0, r));
			for (size_t c = 0; c < sweep_view_columns(v); c++)
				add_taken(page, cols,
					  sweep_view_winner(sweep_view_cell(v, table, r, c)));
			str_addf(page, "\n");
		}
	}
	str_addf(page, "\n");
}

/* Why some cells were not measured, once. */
static void
add_missing(struct str *page, const struct sweep_view *v)
{
	for (size_t i = 0; i < json_array_size(v->cells); i++) {
		const json_t *cell = json_array_get(v->cells, i);
		const char *reason = json_string_value(json_object_get(cell, "reason"));

		if (reason != NULL) {
			page_wrap(page, "not measured: ", 2, reason);
			return;
		}
	}
}

void
sweep_text(struct str *page, const struct sweep_view *v)
{
	char *fixed = sweep_view_fixed(v), *lesson = sweep_view_lesson(v);
	bool table = v->n_axes >= 2 && v->n_engines > 1;

	page_wrap(page, table ? "Which engine forwards most: " : "What engines forward: ", 2,
		  fixed);
	str_addf(page, "\n");
	if (!table && v->n_axes >= 2)
		page_wrap(page, "", 0, "one engine over several axes: see sweep.csv");
	if (v->n_axes < 2)
		add_curve(page, v);
	for (size_t t = 0; table && t < v->n_tables; t++)
		add_table(page, v, t);
	if (table)
		page_wrap(page, "", 0,
			  "The engine that forwards most, and its rate over that of the next; tie: "
			  "the intervals (95 %, all others together) do not tell which one it is.");
	add_missing(page, v);
	str_addf(page, "\n");
	page_wrap(page, "", 0, lesson);
	free(fixed);
	free(lesson);
}

/* ---- CSV ---- */

static void
add_number(struct str *out, const json_t *json, const char *key)
{
	str_addf(out, ",");
	figure_exact(out, text_number(json, key));
}

static void
add_row(struct str *out, const json_t *cell, const json_t *figures)
{
	static const char *const axes[] = {"work", "skew", "lcores", "stages", "flows", "burst"};
	static const char *const keys[] = {"pps",	 "ratio",   "ratio_low",
					   "ratio_high", "n_turns", "n_valid"};
	const char *best = json_string_value(json_object_get(cell, "best"));

	for (size_t i = 0; i < N_ELEMS(axes); i++)
		str_addf(out, "%s%.7g", i > 0 ? "," : "", text_number(cell, axes[i]));
	str_addf(out, ",%s", text_word(figures, "engine"));
	for (size_t i = 0; i < N_ELEMS(keys); i++)
		add_number(out, figures, keys[i]);
	str_addf(out, ",%s,%s", text_word(cell, "outcome"), best != NULL ? best : "");
	add_number(out, cell, "margin");
	add_number(out, cell, "margin_low");
	add_number(out, cell, "margin_high");
	str_addf(out, "\r\n");
}

void
sweep_csv(struct str *out, const struct sweep_view *v)
{
	str_addf(out, "work_cycles,skew,lcores,stages,flows,burst,engine,pps,ratio,ratio_low,"
		      "ratio_high,n_turns,n_valid,outcome,best,margin,margin_low,margin_high\r\n");
	for (size_t i = 0; i < json_array_size(v->cells); i++) {
		const json_t *cell = json_array_get(v->cells, i);

		if (!json_is_true(json_object_get(cell, "measured")))
			continue;
		for (size_t e = 0; e < v->n_engines; e++)
			add_row(out, cell, sweep_view_figures(cell, e));
	}
}
