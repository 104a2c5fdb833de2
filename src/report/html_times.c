/* SPDX-License-Identifier: MIT */
/* Where frames spent their time inside the hops of one trial: a bar for each hop, and a table. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "bench/trial.h"

#include "html_parts.h"
#include "text_page.h"
#include "text_parts.h"

/* Pixels.  A service is a block as high as the bar, a wait half as high. */
#define WIDTH 640
#define HEIGHT 40
#define BAR_HEIGHT 28

/* ---- the bar ---- */

/* A part of the bar from '*x' on, and its figure for who points at it. */
static void
add_part(struct str *page, double *x, const char *class, const char *what,
	 const struct time_span *span, double share)
{
	bool is_wait = class[0] == 'w';
	double width = span->n > 0 ? share * WIDTH : 0;
	char cell[PAGE_CELL], *title;

	if (!(width > 0))
		return;
	title = xasprintf("%s: %s", what, page_ns(cell, span->mean_ns));
	str_addf(page,
		 "<rect class=\"%s\" x=\"%.2f\" y=\"%d\" width=\"%.2f\" height=\"%d\"><title>",
		 class, *x, is_wait ? BAR_HEIGHT / 4 : 0, width,
		 is_wait ? BAR_HEIGHT / 2 : BAR_HEIGHT);
	html_marked(page, title);
	str_addf(page, "</title></rect>");
	*x += width;
	free(title);
}

/* Shares are of the sums, for frames that were dropped have been in some parts too. */
static void
add_bar(struct str *page, const struct hop_times *t, const char *name, double sum)
{
	double x = 0;
	char what[128];

	str_addf(page,
		 "<svg class=\"times\" viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\" "
		 "role=\"img\" "
		 "aria-label=\"Time inside ",
		 WIDTH, HEIGHT, WIDTH, HEIGHT);
	html_text(page, name);
	str_addf(page, ", stage by stage; the table has its figures\">\n");
	for (unsigned i = 0; i < t->n_stages; i++) {
		const struct stage_times *stage = &t->stage[i];

		snprintf(what, sizeof(what), "wait for stage %u", i);
		add_part(page, &x, "wait", what, &stage->wait, (double)stage->wait.sum_tsc / sum);
		snprintf(what, sizeof(what), "stage %u, %s", i, stage->nf);
		add_part(page, &x, "service", what, &stage->service,
			 (double)stage->service.sum_tsc / sum);
	}
	add_part(page, &x, "wait", "wait to be sent", &t->tx_wait,
		 (double)t->tx_wait.sum_tsc / sum);
	str_addf(page, "\n</svg>\n");
}

/* ---- the table ---- */

static void
add_row(struct str *page, const char *class, const char *name, const struct time_span *span)
{
	bool any = span->n > 0;

	str_addf(page, "<tr class=\"%s\"><th scope=\"row\">", class);
	html_text(page, name);
	str_addf(page, "</th>");
	html_cell(page, (double)span->n, FIGURE_COUNT);
	html_cell(page, any ? span->mean_ns : NAN, FIGURE_NS);
	html_cell(page, any ? span->p50_ns : NAN, FIGURE_NS);
	html_cell(page, any ? span->p99_ns : NAN, FIGURE_NS);
	html_cell(page, any ? span->max_ns : NAN, FIGURE_NS);
	str_addf(page, "</tr>\n");
}

static void
add_table(struct str *page, const struct hop_times *t, const char *name)
{
	char *caption = xasprintf("Time inside %s", name), row[128];

	html_table(page, caption, "<Part|Frames|Mean|p50|p99|Longest");
	for (unsigned i = 0; i < t->n_stages; i++) {
		snprintf(row, sizeof(row), "wait for stage %u", i);
		if (t->stage[i].wait.n > 0)
			add_row(page, "link", row, &t->stage[i].wait);
		snprintf(row, sizeof(row), "stage %u: %s", i, t->stage[i].nf);
		add_row(page, "hop", row, &t->stage[i].service);
	}
	add_row(page, "link", "wait to be sent", &t->tx_wait);
	add_row(page, "generator", "received to sent", &t->total);
	str_addf(page, HTML_TABLE_END);
	free(caption);
}

/* ---- both, of each hop that tells ---- */

static void
add_hop(struct str *page, const struct trial *t, size_t i)
{
	const struct hop_times *times = &t->inside[i];
	double sum = (double)times->tx_wait.sum_tsc;
	char *text = text_times_hop(t, i);

	if (text == NULL)
		return;
	for (unsigned k = 0; k < times->n_stages; k++)
		sum += (double)times->stage[k].wait.sum_tsc +
		       (double)times->stage[k].service.sum_tsc;
	str_addf(page, "<p>");
	html_marked(page, text);
	str_addf(page, ".</p>\n");
	if (sum > 0)
		add_bar(page, times, t->ledger.hop[i].name, sum);
	add_table(page, times, t->ledger.hop[i].name);
	free(text);
}

static void
add_trial(struct html *html, const json_t *m, const struct trial *t, const char *share)
{
	struct str *page = &html->page;

	html_heading(html, m);
	str_addf(page, "<p>");
	html_marked(page, share);
	str_addf(page, ". High, dark blocks are services, low, light ones are waits.</p>\n");
	for (size_t i = 0; i < t->ledger.n_hops; i++)
		add_hop(page, t, i);
}

void
html_times(struct html *html)
{
	bool any = false;

	for (size_t i = 0; i < html_n_measurements(html); i++) {
		const json_t *m = html_measurement(html, i);
		struct text_shown *shown = text_find_shown(m);
		char *share = shown != NULL ? text_times_share(&shown->t) : NULL;

		if (share != NULL && !any)
			html_section(html, "times", "Where the time goes");
		any |= share != NULL;
		if (share != NULL)
			add_trial(html, m, &shown->t, share);
		free(share);
		free(shown);
	}
	if (any)
		str_addf(&html->page, "</section>\n");
}
