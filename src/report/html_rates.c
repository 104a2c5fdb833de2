/* SPDX-License-Identifier: MIT */
/* Rates by frame size and goal, and the trials that led there. */
#include <math.h>
#include <stdlib.h>

#include "base/json.h"
#include "base/mem.h"

#include "bench/trial.h"
#include "found.h"
#include "html_parts.h"
#include "plot.h"
#include "text_page.h"
#include "text_parts.h"
#include "trials.h"

/* The little picture of an interval, in pixels. */
#define BAR_WIDTH 220
#define BAR_HEIGHT 22
#define BAR_MARGIN 8

/* ---- the table ---- */

/* Highest rate in the table, so that all bars have one scale. */
static double
highest(const struct html *html)
{
	double most = 0;

	for (size_t i = 0; i < html_n_measurements(html); i++) {
		const json_t *m = html_measurement(html, i);

		for (size_t k = 0; k < found_count(m); k++) {
			struct found f;

			found_get(&f, html->result, m, k);
			most = fmax(most, fmax(f.rate_pps, f.high_pps));
			found_fini(&f);
		}
	}
	return most;
}

static double
bar_x(double pps, double most)
{
	return BAR_MARGIN + (BAR_WIDTH - 2 * BAR_MARGIN) * (most > 0 ? pps / most : 0);
}

/* The rates that the searches of the headline ended with. */
static void
add_searches(struct str *page, const json_t *m, double most)
{
	const json_t *searches = json_object_get(m, "searches");

	for (size_t i = 0; i < json_array_size(searches); i++) {
		double pps = text_number(json_array_get(searches, i), "accepted_pps");

		if (pps >= 0)
			str_addf(page, "<circle class=\"raw\" cx=\"%.1f\" cy=\"11\" r=\"3\"/>",
				 bar_x(pps, most));
	}
}

static void
add_bar(struct str *page, const struct found *f, const json_t *m, bool headline, double most)
{
	str_addf(page,
		 "<td class=\"text\"><svg class=\"bar\" width=\"%d\" height=\"%d\" "
		 "aria-hidden=\"true\"><line class=\"axis\" x1=\"%d\" x2=\"%d\" y1=\"11\" "
		 "y2=\"11\"/>",
		 BAR_WIDTH, BAR_HEIGHT, BAR_MARGIN, BAR_WIDTH - BAR_MARGIN);
	if (f->low_pps >= 0 && f->high_pps >= 0)
		str_addf(page,
			 "<line class=\"interval\" x1=\"%.1f\" x2=\"%.1f\" y1=\"11\" y2=\"11\"/>",
			 bar_x(f->low_pps, most), bar_x(f->high_pps, most));
	if (headline)
		add_searches(page, m, most);
	if (f->rate_pps >= 0)
		str_addf(page, "<line class=\"rate\" x1=\"%.1f\" x2=\"%.1f\" y1=\"3\" y2=\"19\"/>",
			 bar_x(f->rate_pps, most), bar_x(f->rate_pps, most));
	str_addf(page, "</svg></td>");
}

static void
add_goal_row(struct html *html, size_t i, size_t k, double most)
{
	struct str *page = &html->page;
	const json_t *m = html_measurement(html, i);
	char *label = text_label(m), *spread, *loss;
	struct found f;

	found_get(&f, html->result, m, k);
	spread = found_spread(&f);
	loss = found_loss(&f);
	str_addf(page, "<tr>");
	html_cell_text(page, label);
	html_cell_text(page, text_is_fixed(m) ? "load given" : loss);
	html_cell_text(page, text_is_fixed(m) || f.code == NULL ? "" : f.code);
	str_addf(page, "<td>%s", f.is_lower_bound ? "&ge;&nbsp;" : "");
	html_value(page, html->result, FIGURE_PPS, "measurements[%zu].%s", i, f.path);
	str_addf(page, "</td>");
	add_bar(page, &f, m, k == 0, most);
	html_cell_text(page, text_is_fixed(m) ? "" : spread);
	str_addf(page, "</tr>\n");
	free(label);
	free(spread);
	free(loss);
	found_fini(&f);
}

/* ---- the plots ---- */

/* Extremes of the loads of one verdict. */
struct range {
	size_t n;
	double low, high;
};

static struct range
range_of(const struct trials *list, enum trials_verdict verdict)
{
	struct range r = {.low = INFINITY};

	for (size_t i = 0; i < list->n; i++) {
		if (list->one[i].verdict != verdict || !isfinite(list->one[i].pps))
			continue;
		r.n++;
		r.low = fmin(r.low, list->one[i].pps);
		r.high = fmax(r.high, list->one[i].pps);
	}
	return r;
}

/* "4 trials passed, up to 1.795 Mpps; none failed; 38 were invalid, from 1.6 Mpps up" */
static char *
loads_title(const struct trials *list)
{
	struct range pass = range_of(list, TRIALS_PASS), fail = range_of(list, TRIALS_FAIL);
	struct range invalid = range_of(list, TRIALS_INVALID);
	char cell[PAGE_CELL];
	struct str s = {0};

	if (pass.n > 0)
		str_addf(&s, "%zu trial%s passed, up to %s; ", pass.n, pass.n == 1 ? "" : "s",
			 page_pps(cell, pass.high));
	else
		str_addf(&s, "No trial passed; ");
	if (fail.n > 0)
		str_addf(&s, "%zu failed, from %s up", fail.n, page_pps(cell, fail.low));
	else
		str_addf(&s, "none failed");
	if (invalid.n > 0)
		str_addf(&s, "; %zu say%s nothing, from %s up", invalid.n,
			 invalid.n == 1 ? "s" : "", page_pps(cell, invalid.low));
	return str_take(&s);
}

static void
add_loads(struct html *html, size_t i)
{
	const json_t *m = html_measurement(html, i);
	char *label = text_label(m), *about;
	struct trials list;
	struct found found;
	json_t *plot;

	trials_init(&list, m);
	found_get(&found, html->result, m, 0);
	plot = plot_loads(&list, &found);
	about = xasprintf("%s: load of each trial in the order they were run; the line is the "
			  "answer, the band its spread.",
			  label);
	html_plot(html, "loads", i, plot, loads_title(&list), about);
	free(about);
	free(label);
	found_fini(&found);
	trials_fini(&list);
}

void
html_rates(struct html *html)
{
	double most = highest(html);

	if (html_n_measurements(html) == 0)
		return;
	html_section(html, "rates", "Rates");
	html_table(&html->page, "Rate by frame size and goal",
		   "<Frames|<Loss allowed|<Goal|Rate|<0 to the highest|<How sure");
	for (size_t i = 0; i < html_n_measurements(html); i++)
		for (size_t k = 0; k < found_count(html_measurement(html, i)); k++)
			add_goal_row(html, i, k, most);
	str_addf(&html->page, HTML_TABLE_END "<div class=\"grid\">\n");
	for (size_t i = 0; i < html_n_measurements(html); i++)
		add_loads(html, i);
	str_addf(&html->page, "</div>\n</section>\n");
}
