/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "html_page.h"
#include "sweep.h"
#include "text_parts.h"

/* The picture of a sweep: a map of winners, or curves of all engines.  A colour is an engine, and
 * the cell or the end of the line names it as well. */

#define CELL_W 96
#define CELL_H 40
#define LABEL_W 76
#define HEAD_H 46
#define GAP 18
#define PLOT_W 520
#define PLOT_H 260
#define MARGIN_L 64
#define MARGIN_R 150
#define MARGIN_T 16
#define MARGIN_B 44
#define FULL_MARGIN 1.5 /* from here on a cell has its engine's full colour */

/* As in assets/report.css, which has these classes for pictures inside of a page. */
static const char style[] =
	"<style>\n"
	".sweep{--s0:#0072b2;--s1:#c24e00;--s2:#00795a;--s3:#8c4a9e;--s4:#8a6d00;--s5:#3d94c6;"
	"--s6:#b0306a;--s7:#5d5d59;--ink:#1b1b1a;--soft:#5d5d59;--line:#c9c8c1;--paper:#fdfdfb}\n"
	"@media (prefers-color-scheme: dark){.sweep{--s0:#56b4e9;--s1:#f58a3c;--s2:#3fc59b;"
	"--s3:#c99ad8;--s4:#e0c04a;--s5:#7cc5f0;--s6:#f07aa8;--s7:#a5a49d;--ink:#e9e8e3;"
	"--soft:#a5a49d;--line:#4a4d49;--paper:#161817}}\n"
	".sweep text{fill:var(--ink)}.sweep .soft{fill:var(--soft)}\n"
	".sweep .none{fill:none;stroke:var(--line)}.sweep .grid{stroke:var(--line)}\n"
	".sweep .paper{fill:var(--paper)}\n"
	".sweep .line{fill:none;stroke-width:2}\n"
	".sweep .e0{fill:var(--s0)}.sweep .e1{fill:var(--s1)}.sweep .e2{fill:var(--s2)}"
	".sweep .e3{fill:var(--s3)}.sweep .e4{fill:var(--s4)}.sweep .e5{fill:var(--s5)}"
	".sweep .e6{fill:var(--s6)}.sweep .e7{fill:var(--s7)}\n"
	".sweep .l0{stroke:var(--s0)}.sweep .l1{stroke:var(--s1)}.sweep .l2{stroke:var(--s2)}"
	".sweep .l3{stroke:var(--s3)}.sweep .l4{stroke:var(--s4)}.sweep .l5{stroke:var(--s5)}"
	".sweep .l6{stroke:var(--s6)}.sweep .l7{stroke:var(--s7)}\n"
	"</style>\n";

static void
open_svg(struct str *out, double w, double h, const char *title, bool alone)
{
	str_addf(out,
		 "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"sweep\" viewBox=\"0 0 %.0f "
		 "%.0f\" width=\"%.0f\" role=\"img\" font-family=\"system-ui, sans-serif\" "
		 "font-size=\"13\">\n<title>",
		 w, h, w);
	html_text(out, title);
	str_addf(out, "</title>\n%s", alone ? style : "");
	if (alone)
		str_addf(out, "<rect class=\"paper\" width=\"%.0f\" height=\"%.0f\"/>\n", w, h);
}

/* 'anchor' is start, middle or end; 'class' may be "". */
static void
add_text(struct str *out, double x, double y, const char *anchor, const char *class,
	 const char *text)
{
	str_addf(out, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\" class=\"%s\">", x, y, anchor,
		 class);
	html_text(out, text);
	str_addf(out, "</text>\n");
}

static void
add_taken(struct str *out, double x, double y, const char *anchor, const char *class, char *text)
{
	add_text(out, x, y, anchor, class, text);
	free(text);
}

/* ---- the map ---- */

static void
add_cell(struct str *out, const struct sweep_view *v, const json_t *cell, double x, double y)
{
	double margin = text_number(cell, "margin"), strength = 0;
	bool won = strcmp(text_word(cell, "outcome"), "won") == 0;
	int engine = won ? sweep_view_engine(v, text_word(cell, "best")) : -1;
	char *text = sweep_view_winner(cell), *space = strchr(text, ' ');

	str_addf(out, "<rect class=\"none\" x=\"%.1f\" y=\"%.1f\" width=\"%d\" height=\"%d\"/>\n",
		 x + 1, y + 1, CELL_W - 2, CELL_H - 2);
	if (engine >= 0) {
		strength = fmin(log(margin) / log(FULL_MARGIN), 1);
		str_addf(out,
			 "<rect class=\"e%d\" opacity=\"%.2f\" x=\"%.1f\" y=\"%.1f\" width=\"%d\" "
			 "height=\"%d\"/>\n",
			 engine, 0.12 + 0.43 * strength, x + 1, y + 1, CELL_W - 2, CELL_H - 2);
	}
	if (engine >= 0 && space != NULL) {
		*space = '\0';
		add_text(out, x + CELL_W / 2.0, y + 17, "middle", "", text);
		add_text(out, x + CELL_W / 2.0, y + 33, "middle", "", space + 1);
	} else {
		add_text(out, x + CELL_W / 2.0, y + 25, "middle", "soft", text);
	}
	free(text);
}

static double
table_width(const struct sweep_view *v)
{
	return LABEL_W + CELL_W * (double)sweep_view_columns(v);
}

static void
add_table(struct str *out, const struct sweep_view *v, size_t table, double x, double y)
{
	char *name = sweep_view_table_name(v, table);

	if (name[0] != '\0')
		str_addf(out, "<g font-weight=\"600\">\n");
	add_taken(out, x + LABEL_W, y + 14, "start", "", name);
	if (table < v->n_tables && v->n_axes > 2)
		str_addf(out, "</g>\n");
	add_text(out, x + LABEL_W - 10, y + 38, "end", "soft", v->axis[0]);
	for (size_t c = 0; c < sweep_view_columns(v); c++) {
		char *value = sweep_view_value(v, 1, c);

		add_taken(out, x + LABEL_W + CELL_W * ((double)c + 0.5), y + 38, "middle", "soft",
			  xasprintf("%s %s", v->axis[1], value));
		free(value);
	}
	for (size_t r = 0; r < sweep_view_rows(v); r++) {
		double top = y + HEAD_H + CELL_H * (double)r;

		add_taken(out, x + LABEL_W - 10, top + 25, "end", "", sweep_view_value(v, 0, r));
		for (size_t c = 0; c < sweep_view_columns(v); c++)
			add_cell(out, v, sweep_view_cell(v, table, r, c),
				 x + LABEL_W + CELL_W * (double)c, top);
	}
}

static void
draw_map(struct str *out, const struct sweep_view *v, bool alone)
{
	double w = 0, h = HEAD_H + CELL_H * (double)sweep_view_rows(v) + GAP, x = 0;

	for (size_t t = 0; t < v->n_tables; t++)
		w += sweep_view_has_table(v, t) ? table_width(v) + GAP : 0;
	open_svg(out, w, h, "Which engine forwards most", alone);
	for (size_t t = 0; t < v->n_tables; t++) {
		if (!sweep_view_has_table(v, t))
			continue;
		add_table(out, v, t, x, 4);
		x += table_width(v) + GAP;
	}
	str_addf(out, "</svg>\n");
}

/* ---- curves ---- */

struct scale {
	double low, high; /* of the rates, in pps */
};

static bool
scale_init(struct scale *s, const struct sweep_view *v)
{
	*s = (struct scale){INFINITY, 0};
	for (size_t r = 0; r < sweep_view_rows(v); r++)
		for (size_t e = 0; e < v->n_engines; e++) {
			double pps = text_number(sweep_view_figures(sweep_view_cell(v, 0, r, 0), e),
						 "pps");

			if (pps > 0) {
				s->low = fmin(s->low, pps);
				s->high = fmax(s->high, pps);
			}
		}
	s->low *= 0.8;
	s->high *= 1.2;
	return s->high > 0;
}

static double
x_of(const struct sweep_view *v, size_t row)
{
	return MARGIN_L + PLOT_W * ((double)row + 0.5) / (double)sweep_view_rows(v);
}

static double
y_of(const struct scale *s, double pps)
{
	return MARGIN_T + PLOT_H * (1 - log(pps / s->low) / log(s->high / s->low));
}

/* 1, 2 and 5 times powers of ten. */
static void
add_ticks(struct str *out, const struct scale *s)
{
	static const double steps[] = {1, 2, 5};

	for (double power = 1; power < 1e12; power *= 10)
		for (size_t i = 0; i < N_ELEMS(steps); i++) {
			double pps = power * steps[i];

			if (pps < s->low || pps > s->high)
				continue;
			str_addf(out,
				 "<line class=\"grid\" x1=\"%d\" x2=\"%d\" y1=\"%.1f\" "
				 "y2=\"%.1f\"/>\n",
				 MARGIN_L, MARGIN_L + PLOT_W, y_of(s, pps), y_of(s, pps));
			add_taken(out, MARGIN_L - 8, y_of(s, pps) + 4, "end", "soft",
				  xasprintf("%g", pps / 1e6));
		}
}

/* Where the name of each line can stand: at its end, or below the one before. */
static void
place_names(const struct sweep_view *v, const struct scale *s, double *y)
{
	const json_t *last = sweep_view_cell(v, 0, sweep_view_rows(v) - 1, 0);

	for (size_t e = 0; e < v->n_engines; e++) {
		double pps = text_number(sweep_view_figures(last, e), "pps");

		y[e] = pps > 0 ? y_of(s, pps) : MARGIN_T;
	}
	for (unsigned pass = 0; pass < 16; pass++)
		for (size_t a = 0; a < v->n_engines; a++)
			for (size_t b = 0; b < v->n_engines; b++)
				if (a != b && fabs(y[a] - y[b]) < 15 &&
				    (y[a] > y[b] || (y[a] == y[b] && a > b)))
					y[a] += 4;
}

static void
add_line(struct str *out, const struct sweep_view *v, const struct scale *s, size_t e)
{
	bool begun = false;

	str_addf(out, "<path class=\"line l%zu\" d=\"", e);
	for (size_t r = 0; r < sweep_view_rows(v); r++) {
		const json_t *figures = sweep_view_figures(sweep_view_cell(v, 0, r, 0), e);
		double pps = text_number(figures, "pps");

		if (!(pps > 0)) {
			begun = false;
			continue;
		}
		str_addf(out, "%s%.1f %.1f", begun ? "L" : "M", x_of(v, r), y_of(s, pps));
		begun = true;
	}
	str_addf(out, "\"/>\n");
	for (size_t r = 0; r < sweep_view_rows(v); r++) {
		const json_t *figures = sweep_view_figures(sweep_view_cell(v, 0, r, 0), e);
		double pps = text_number(figures, "pps");

		if (pps > 0)
			str_addf(out,
				 "<circle class=\"e%zu\" cx=\"%.1f\" cy=\"%.1f\" r=\"3.5\"/>\n", e,
				 x_of(v, r), y_of(s, pps));
	}
}

static void
draw_curves(struct str *out, const struct sweep_view *v, bool alone)
{
	double names[SWEEP_VIEW_ENGINES];
	struct scale s;

	if (!scale_init(&s, v))
		return;
	open_svg(out, MARGIN_L + PLOT_W + MARGIN_R, MARGIN_T + PLOT_H + MARGIN_B,
		 "What engines forward", alone);
	add_ticks(out, &s);
	add_text(out, MARGIN_L - 8, MARGIN_T - 4, "end", "soft", "Mpps");
	for (size_t r = 0; r < sweep_view_rows(v) && v->n_axes > 0; r++)
		add_taken(out, x_of(v, r), MARGIN_T + PLOT_H + 18, "middle", "soft",
			  sweep_view_value(v, 0, r));
	if (v->n_axes > 0)
		add_text(out, MARGIN_L + PLOT_W / 2.0, MARGIN_T + PLOT_H + 38, "middle", "",
			 v->axis[0]);
	place_names(v, &s, names);
	for (size_t e = 0; e < v->n_engines; e++) {
		char class[8];

		add_line(out, v, &s, e);
		snprintf(class, sizeof(class), "e%zu", e);
		add_text(out, x_of(v, sweep_view_rows(v) - 1) + 12, names[e] + 4, "start", class,
			 v->engine[e]);
	}
	str_addf(out, "</svg>\n");
}

void
sweep_svg(struct str *out, const struct sweep_view *v, bool alone)
{
	if (v->n_axes < 2)
		draw_curves(out, v, alone);
	else if (v->n_engines > 1)
		draw_map(out, v, alone);
}
