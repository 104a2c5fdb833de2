/* SPDX-License-Identifier: MIT */
/* What depends on the load: latency, loss, and how long nothing is lost. */
#include <math.h>
#include <stdlib.h>

#include "base/json.h"
#include "base/mem.h"

#include "found.h"
#include "html_parts.h"
#include "plot.h"
#include "text_page.h"
#include "text_parts.h"
#include "trials.h"

/* ---- latency ---- */

static char *
latency_title(const json_t *m)
{
	double pps = text_number(m, "rate_pps"), p50 = text_number(m, "latency.p50_ns");
	double p99 = text_number(m, "latency.p99_ns");
	char load[PAGE_CELL], half[PAGE_CELL], rest[PAGE_CELL];

	if (!(pps >= 0) || !(p50 >= 0) || !(p99 >= 0))
		return xstrdup("How long frames take, by load");
	return xasprintf("At %s half of the frames arrive within %s, 99%c%% within %s",
			 page_pps(load, pps), page_ns(half, p50), PAGE_GLUE, page_ns(rest, p99));
}

static char *
tail_title(const json_t *m)
{
	double max = text_number(m, "latency.max_ns"), p999 = text_number(m, "latency.p999_ns");
	char most[PAGE_CELL], tail[PAGE_CELL];

	if (!(p999 >= 0))
		return xasprintf("The slowest frame took %s", page_ns(most, max));
	return xasprintf("One frame in 1000 takes more than %s, the slowest took %s",
			 page_ns(tail, p999), page_ns(most, max));
}

/* The latencies at the answer, for those who cannot see the plot. */
static void
add_quantiles(struct html *html)
{
	static const char *const keys[] = {"min_ns",  "p50_ns",	  "p90_ns", "p99_ns",
					   "p999_ns", "p9999_ns", "max_ns"};

	html_table(&html->page, "Latency at the answer, from the intended departure",
		   "<Frames|Samples|Least|p50|p90|p99|p99.9|p99.99|Most|Each &plusmn;");
	for (size_t i = 0; i < html_n_measurements(html); i++) {
		char *label = text_label(html_measurement(html, i));

		str_addf(&html->page, "<tr>");
		html_cell_text(&html->page, label);
		str_addf(&html->page, "<td>");
		html_value(&html->page, html->result, FIGURE_COUNT, "measurements[%zu].latency.n",
			   i);
		for (size_t k = 0; k < N_ELEMS(keys); k++) {
			str_addf(&html->page, "</td><td>");
			html_value(&html->page, html->result, FIGURE_NS,
				   "measurements[%zu].latency.%s", i, keys[k]);
		}
		str_addf(&html->page, "</td><td>");
		html_value(&html->page, html->result, FIGURE_NS,
			   "measurements[%zu].latency_accuracy_ns", i);
		str_addf(&html->page, "</td></tr>\n");
		free(label);
	}
	str_addf(&html->page, HTML_TABLE_END);
}

static void
add_latency(struct html *html, size_t i)
{
	const json_t *m = html_measurement(html, i);
	double floor = text_number(text_selftest(html->result, m), "latency_floor_p50_ns");
	char *label = text_label(m), *by_load, *tail;
	struct trials list;
	struct found found;

	trials_init(&list, m);
	found_get(&found, html->result, m, 0);
	by_load =
		xasprintf("%s: every valid trial is a mark, lines join the medians of each load%s.",
			  label, floor > 0 ? "; dotted: the generator without a chain, p50" : "");
	tail = xasprintf("%s: latency by percentile, all valid trials at the answer together.",
			 label);
	html_plot(html, "latency", i, plot_latency(&list, &found, floor), latency_title(m),
		  by_load);
	html_plot(html, "tail", i, plot_tail(json_object_get(m, "latency")), tail_title(m), tail);
	free(by_load);
	free(tail);
	free(label);
	found_fini(&found);
	trials_fini(&list);
}

void
html_latency(struct html *html)
{
	if (html_n_measurements(html) == 0)
		return;
	html_section(html, "latency", "Latency");
	str_addf(&html->page, "<div class=\"grid\">\n");
	for (size_t i = 0; i < html_n_measurements(html); i++)
		add_latency(html, i);
	str_addf(&html->page, "</div>\n");
	add_quantiles(html);
	str_addf(&html->page, "</section>\n");
}

/* ---- loss ---- */

static char *
loss_title(const struct loads *loads)
{
	double clean = -1, lossy = INFINITY;
	char low[PAGE_CELL], high[PAGE_CELL];

	for (size_t i = 0; i < loads->n; i++) {
		const struct load *load = &loads->load[i];

		if (load->loss_ratio == 0)
			clean = load->pps;
		else if (load->loss_ratio > 0)
			lossy = fmin(lossy, load->pps);
	}
	if (!isfinite(lossy) && clean >= 0)
		return xasprintf("No valid trial lost a frame, up to %s", page_pps(high, clean));
	if (!isfinite(lossy))
		return xstrdup("No valid trial says what is lost");
	if (clean >= 0)
		return xasprintf("Loss begins at %s; the highest load without any is %s",
				 page_pps(low, lossy), page_pps(high, clean));
	return xasprintf("Frames are lost from %s up, the lowest load that was tried",
			 page_pps(low, lossy));
}

static void
add_load_row(struct str *page, const struct load *load)
{
	str_addf(page, "<tr>");
	html_cell(page, load->pps, FIGURE_PPS);
	for (size_t v = 0; v <= TRIALS_INVALID; v++)
		html_cell(page, (double)load->n[v], FIGURE_COUNT);
	html_cell(page, load->loss_ratio, FIGURE_RATIO);
	for (size_t k = 0; k < TRIALS_QUANTILES; k++)
		html_cell(page, load->ns[k], FIGURE_NS);
	str_addf(page, "</tr>\n");
}

static void
add_load_table(struct html *html, const json_t *m, const struct loads *loads)
{
	char *label = text_label(m), *caption;

	if (loads->n == 0) {
		free(label);
		return;
	}
	caption = xasprintf("%s: loss and latency by load, medians of the valid trials", label);
	str_addf(&html->page, "<details><summary>Table by load, ");
	html_text(&html->page, label);
	str_addf(&html->page, "</summary>\n");
	html_table(&html->page, caption, "Load|Passed|Failed|Invalid|Lost|p50|p90|p99|p99.9");
	for (size_t i = 0; i < loads->n; i++)
		add_load_row(&html->page, &loads->load[i]);
	str_addf(&html->page, HTML_TABLE_END "</details>\n");
	free(caption);
	free(label);
}

static void
add_loss(struct html *html, size_t i)
{
	const json_t *m = html_measurement(html, i);
	char *label = text_label(m), *about;
	struct trials list;
	struct loads loads;
	struct found found;

	trials_init(&list, m);
	loads_init(&loads, &list);
	found_get(&found, html->result, m, 0);
	about = xasprintf("%s: share of the frames lost, each mark a trial; what is lost in an "
			  "invalid trial may be the machine's doing.",
			  label);
	html_plot(html, "loss", i, plot_loss(&list, &found, m), loss_title(&loads), about);
	add_load_table(html, m, &loads);
	free(about);
	free(label);
	found_fini(&found);
	loads_fini(&loads);
	trials_fini(&list);
}

void
html_loss(struct html *html)
{
	if (html_n_measurements(html) == 0)
		return;
	html_section(html, "loss", "Loss");
	str_addf(&html->page, "<div class=\"grid\">\n");
	for (size_t i = 0; i < html_n_measurements(html); i++) {
		str_addf(&html->page, "<div>\n");
		add_loss(html, i);
		str_addf(&html->page, "</div>\n");
	}
	str_addf(&html->page, "</div>\n</section>\n");
}

/* ---- how long nothing is lost ---- */

static char *
loss_free_title(const json_t *list)
{
	const json_t *first = json_array_get(list, 0);
	const json_t *last = json_array_get(list, json_array_size(list) - 1);
	char rate[2][PAGE_CELL], s[2][PAGE_CELL];

	return xasprintf("%s for %s without loss, %s for %s",
			 figure_print(rate[0], text_number(first, "rate_pps"), FIGURE_PPS),
			 page_ns(s[0], 1e9 * text_number(first, "duration_s")),
			 figure_print(rate[1], text_number(last, "rate_pps"), FIGURE_PPS),
			 page_ns(s[1], 1e9 * text_number(last, "duration_s")));
}

static bool
knows_rates(const json_t *list)
{
	for (size_t i = 0; i < json_array_size(list); i++)
		if (text_number(json_array_get(list, i), "rate_pps") >= 0)
			return true;
	return false;
}

static void
add_loss_free_table(struct html *html, size_t i, const json_t *list)
{
	struct str *page = &html->page;
	char *path;

	html_table(page, "Rate without loss by duration", "For|Rate|From|To|<Known by");
	for (size_t k = 0; k < json_array_size(list); k++) {
		const json_t *one = json_array_get(list, k);

		path = xasprintf("measurements[%zu].loss_free[%zu]", i, k);
		str_addf(page, "<tr><td>");
		html_value(page, html->result, FIGURE_S, "%s.duration_s", path);
		str_addf(page, "</td><td>");
		html_value(page, html->result, FIGURE_PPS, "%s.rate_pps", path);
		str_addf(page, "</td><td>");
		html_value(page, html->result, FIGURE_PPS, "%s.rate_low_pps", path);
		str_addf(page, "</td><td>");
		html_value(page, html->result, FIGURE_PPS, "%s.rate_high_pps", path);
		str_addf(page, "</td>");
		html_cell_text(page, json_is_true(json_object_get(one, "extrapolated"))
					     ? "extrapolation"
					     : "trials");
		str_addf(page, "</tr>\n");
		free(path);
	}
	str_addf(page, HTML_TABLE_END);
}

void
html_loss_free(struct html *html)
{
	bool begun = false;

	for (size_t i = 0; i < html_n_measurements(html); i++) {
		const json_t *m = html_measurement(html, i);
		const json_t *list = json_object_get(m, "loss_free");

		if (json_array_size(list) == 0)
			continue;
		if (!begun)
			html_section(html, "loss-free", "How long nothing is lost");
		begun = true;
		html_heading(html, m);
		if (!knows_rates(list))
			str_addf(&html->page, "<p>These trials tell bounds at most.</p>\n");
		html_plot(html, "loss-free", i, plot_loss_free(m), loss_free_title(list),
			  "The highest rate that loses nothing, against for how long; hollow: "
			  "extrapolated.");
		add_loss_free_table(html, i, list);
	}
	if (begun)
		str_addf(&html->page, "</section>\n");
}
