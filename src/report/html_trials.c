/* SPDX-License-Identifier: MIT */
/* What the machine did during the trials, and every trial in a table. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"

#include "html_parts.h"
#include "plot.h"
#include "text_page.h"
#include "text_parts.h"
#include "trials.h"

/* ---- noise ---- */

static char *
noise_title(const struct trials *list)
{
	size_t disturbed = 0;
	double longest = NAN;
	char cell[PAGE_CELL];

	for (size_t i = 0; i < list->n; i++) {
		disturbed += strcmp(trials_class(list->one[i].json), "valid") != 0;
		longest = fmax(longest, text_number(list->one[i].json, "noise.gap_max_ns"));
	}
	return xasprintf("%zu of %zu trials were disturbed; the generator was away for %s at most",
			 disturbed, list->n, page_ns(cell, longest));
}

void
html_noise(struct html *html)
{
	if (html_n_measurements(html) == 0)
		return;
	html_section(html, "noise", "What the machine did meanwhile");
	str_addf(&html->page, "<div class=\"grid\">\n");
	for (size_t i = 0; i < html_n_measurements(html); i++) {
		const json_t *m = html_measurement(html, i);
		char *label = text_label(m), *about;
		struct trials list;

		trials_init(&list, m);
		about = xasprintf("%s: for each trial the longest gap between two rounds of the "
				  "generator's loop, the share of the time it was away, and the "
				  "share of its frames that were late.",
				  label);
		html_plot(html, "noise", i, plot_noise(&list), noise_title(&list), about);
		trials_fini(&list);
		free(about);
		free(label);
	}
	str_addf(&html->page, "</div>\n</section>\n");
}

/* ---- every trial ---- */

static double
share(const json_t *trial, const char *part, double whole)
{
	return text_number(trial, part) / (whole > 0 ? whole : NAN);
}

static void
add_trial(struct str *page, size_t no, const struct trials_one *one)
{
	const json_t *trial = one->json;
	double elapsed_ns = 1e9 * text_number(trial, "elapsed_s");
	const char *verdict = trials_verdict_name(one->verdict), *class = trials_class(trial);

	str_addf(page, "<tr class=\"%s\"><td>%zu</td><td>%zu</td>",
		 one->verdict == TRIALS_UNKNOWN ? "unknown" : verdict, no, one->search + 1);
	html_cell(page, one->pps, FIGURE_PPS);
	html_cell(page, text_number(trial, "spec.duration_ns"), FIGURE_NS);
	html_cell_text(page, verdict);
	html_cell_text(page, strcmp(class, verdict) == 0 ? "" : class);
	html_cell(page, text_number(trial, "slots.intended"), FIGURE_COUNT);
	html_cell(page, text_number(trial, "slots.refused"), FIGURE_COUNT);
	html_cell(page, text_number(trial, "slots.late"), FIGURE_COUNT);
	html_cell(page, text_number(trial, "loss_ratio"), FIGURE_RATIO);
	html_cell(page, text_number(trial, "latency.p99_ns"), FIGURE_NS);
	html_cell(page, text_number(trial, "noise.gap_max_ns"), FIGURE_NS);
	html_cell(page, share(trial, "noise.gaps_sum_ns", elapsed_ns), FIGURE_RATIO);
	html_cell_text(page, text_word(trial, "reason"));
	str_addf(page, "</tr>\n");
}

static void
add_table(struct html *html, const json_t *m)
{
	char *label = text_label(m), *caption;
	struct trials list;

	trials_init(&list, m);
	caption = xasprintf("%s: every trial", label);
	if (list.n > 0) {
		str_addf(&html->page, "<details><summary>%s, all %zu, ",
			 list.n == 1 ? "Trial" : "Trials", list.n);
		html_text(&html->page, label);
		str_addf(&html->page, "</summary>\n");
		html_table(&html->page, caption,
			   "No|Search|Load|Length|<Verdict|<Class|Intended|Refused|Late|Lost|p99|"
			   "Longest gap|Away|<Reason");
		for (size_t i = 0; i < list.n; i++)
			add_trial(&html->page, i + 1, &list.one[i]);
		str_addf(&html->page, HTML_TABLE_END "</details>\n");
	}
	trials_fini(&list);
	free(caption);
	free(label);
}

static void
add_search_row(struct html *html, size_t i, size_t k)
{
	static const struct {
		const char *key;
		enum figure_unit unit;
	} columns[] = {
		{"accepted_pps", FIGURE_PPS}, {"rejected_pps", FIGURE_PPS},
		{"n_trials", FIGURE_COUNT},   {"n_invalid", FIGURE_COUNT},
		{"elapsed_s", FIGURE_S},
	};
	const json_t *m = html_measurement(html, i);
	char *label = text_label(m);
	struct str *page = &html->page;

	str_addf(page, "<tr>");
	html_cell_text(page, label);
	str_addf(page, "<td>%zu</td>", k + 1);
	for (size_t c = 0; c < N_ELEMS(columns); c++) {
		str_addf(page, "<td>");
		html_value(page, html->result, columns[c].unit,
			   "measurements[%zu].searches[%zu].%s", i, k, columns[c].key);
		str_addf(page, "</td>");
	}
	html_cell_text(page, text_word(json_array_get(json_object_get(m, "searches"), k), "end"));
	str_addf(page, "</tr>\n");
	free(label);
}

static void
add_searches(struct html *html)
{
	html_table(&html->page, "Every search",
		   "<Frames|No|Accepted|Rejected|Trials|Invalid|Took|<End");
	for (size_t i = 0; i < html_n_measurements(html); i++) {
		const json_t *m = html_measurement(html, i);
		size_t n = json_array_size(json_object_get(m, "searches"));

		for (size_t k = 0; k < n && !text_is_fixed(m); k++)
			add_search_row(html, i, k);
	}
	str_addf(&html->page, HTML_TABLE_END);
}

void
html_trials(struct html *html)
{
	bool any_search = false;

	if (html_n_measurements(html) == 0)
		return;
	html_section(html, "trials", "Every trial");
	for (size_t i = 0; i < html_n_measurements(html); i++)
		any_search |= !text_is_fixed(html_measurement(html, i));
	if (any_search)
		add_searches(html);
	for (size_t i = 0; i < html_n_measurements(html); i++)
		add_table(html, html_measurement(html, i));
	str_addf(&html->page, "</section>\n");
}
