/* SPDX-License-Identifier: MIT */
/* The page around its sections. */
#include "html.h"

#include <stdlib.h>

#include "base/json.h"
#include "base/mem.h"
#include "bench/trial.h"

#include "assets.h"
#include "html_parts.h"
#include "text_page.h"
#include "text_parts.h"

/* ---- for the sections ---- */

size_t
html_n_measurements(const struct html *html)
{
	return json_array_size(json_object_get(html->result, "measurements"));
}

const json_t *
html_measurement(const struct html *html, size_t i)
{
	return json_array_get(json_object_get(html->result, "measurements"), i);
}

void
html_section(struct html *html, const char *id, const char *title)
{
	str_addf(&html->page, "\n<section id=\"%s\" aria-labelledby=\"%s-title\">\n", id, id);
	str_addf(&html->page, "<h2 id=\"%s-title\">%s</h2>\n", id, title);
}

void
html_heading(struct html *html, const json_t *m)
{
	char *label;

	if (html_n_measurements(html) < 2)
		return;
	label = text_label(m);
	str_addf(&html->page, "<h3>");
	html_text(&html->page, label);
	str_addf(&html->page, "</h3>\n");
	free(label);
}

void
html_plot(struct html *html, const char *name, size_t i, json_t *data, char *title,
	  const char *about)
{
	struct str *page = &html->page;
	char *id = xasprintf("%s-%zu", name, i);

	if (data != NULL) {
		json_object_set_new(html->plots, id, data);
		str_addf(page,
			 "<figure class=\"plot\" id=\"%s\" tabindex=\"0\" role=\"group\" "
			 "aria-labelledby=\"%s-title\">\n<figcaption id=\"%s-title\"><strong>",
			 id, id, id);
		html_marked(page, title);
		str_addf(page, "</strong> <span>");
		html_marked(page, about);
		str_addf(page, "</span></figcaption>\n<div class=\"canvas\"></div>\n"
			       "<p class=\"readout\" aria-live=\"polite\"></p>\n</figure>\n");
	}
	free(title);
	free(id);
}

/* ---- the page ---- */

/* "snake: 8.412 Mpps, zero-loss": what the tab of a browser has room for. */
static void
add_title(struct html *html)
{
	const json_t *m = html_measurement(html, 0);
	char cell[PAGE_CELL];

	str_addf(&html->page, "<title>");
	html_text(&html->page, text_word(html->result, "chain.name"));
	if (text_number(m, "rate_pps") >= 0) {
		str_addf(&html->page, ": ");
		html_marked(&html->page, page_pps(cell, text_number(m, "rate_pps")));
	}
	str_addf(&html->page, " &middot; nfvchain report</title>\n");
}

/* The page may run the scripts and use the styles that are in it, and ask nobody for anything. */
static void
add_policy(struct str *page)
{
	str_addf(page,
		 "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
		 "script-src 'sha256-%s' 'sha256-%s'; style-src 'sha256-%s' 'sha256-%s'; "
		 "img-src data:; base-uri 'none'; form-action 'none'\">\n",
		 asset_uplot_js_sha256, asset_report_js_sha256, asset_uplot_css_sha256,
		 asset_report_css_sha256);
}

static void
add_head(struct html *html)
{
	struct str *page = &html->page;

	str_addf(page, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
	add_policy(page);
	str_addf(page, "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
		       "<meta name=\"color-scheme\" content=\"light dark\">\n"
		       "<meta name=\"generator\" content=\"nfvchain " NFVCHAIN_VERSION "\">\n"
		       "<link rel=\"icon\" href=\"data:,\">\n");
	add_title(html);
	str_addf(page, "<style>%s</style>\n<style>%s</style>\n</head>\n", asset_uplot_css,
		 asset_report_css);
}

static void
add_foot(struct html *html)
{
	struct str *page = &html->page;

	str_addf(page, "</main>\n<footer>\n<p>nfvchain ");
	html_text(page, text_word(html->result, "nfvchain"));
	str_addf(page, " measured, nfvchain " NFVCHAIN_VERSION " drew this page from result.json. "
		       "It is one file and asks nobody for anything.</p>\n"
		       "<details><summary>The plots are drawn by uPlot, MIT</summary><pre>");
	html_text(page, asset_uplot_license);
	str_addf(page,
		 "</pre></details>\n</footer>\n<script type=\"application/json\" id=\"data\">");
	html_json(page, html->plots);
	str_addf(page, "</script>\n<script>%s</script>\n<script>%s</script>\n</body>\n</html>\n",
		 asset_uplot_js, asset_report_js);
}

char *
html_render(const json_t *result)
{
	static void (*const sections[])(struct html *) = {
		html_answer, html_timeline,    html_comparison, html_sweep,
		html_rates,  html_latency,     html_loss,	html_loss_free,
		html_ledger, html_attrib,      html_times,	html_noise,
		html_trials, html_environment, html_repeat,	html_doubts,
	};
	struct html html = {.result = result, .plots = json_object()};

	add_head(&html);
	str_addf(&html.page, "<body>\n<a class=\"skip\" href=\"#main\">To the answer</a>\n"
			     "<main id=\"main\">\n");
	for (size_t i = 0; i < N_ELEMS(sections); i++)
		sections[i](&html);
	add_foot(&html);
	json_decref(html.plots);
	return str_take(&html.page);
}
