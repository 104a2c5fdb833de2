/* SPDX-License-Identifier: MIT */
/* Trials that were watched in intervals: rates over time, and what happened to the chain. */
#include <math.h>
#include <stdlib.h>

#include "base/json.h"
#include "base/mem.h"

#include "html_parts.h"
#include "text_page.h"
#include "text_parts.h"

/* Lists of the timeline as the script reads them. */
static json_t *
plot_of(const json_t *timeline)
{
	static const char *const keys[] = {"offered_pps", "sent_pps", "received_pps"};
	const json_t *events = json_object_get(timeline, "events"), *event;
	json_t *plot, *at = json_array(), *until = json_array(), *what = json_array();
	size_t i;

	plot = json_pack("{s:s, s:O?}", "kind", "timeline", "x", json_object_get(timeline, "at_s"));
	for (i = 0; i < N_ELEMS(keys); i++)
		json_object_set(plot, keys[i], json_object_get(timeline, keys[i]));
	json_array_foreach(events, i, event) {
		json_array_append(at, json_object_get(event, "at_s"));
		json_array_append(until, json_object_get(event, "until_s"));
		json_array_append(what, json_object_get(event, "what"));
	}
	json_object_set_new(plot, "event_at", at);
	json_object_set_new(plot, "event_until", until);
	json_object_set_new(plot, "event_what", what);
	return plot;
}

static char *
title_of(const json_t *timeline)
{
	size_t n = json_array_size(json_object_get(timeline, "events"));
	double most_s = text_number(timeline, "blocked_max_s");
	char blocked[PAGE_CELL];

	if (n == 0)
		return xstrdup("Nothing happened to the chain.");
	page_ns(blocked, most_s * 1e9);
	if (n == 1)
		return xasprintf("The chain was blocked for %s.", blocked);
	return xasprintf("Of %zu events the worst blocked the chain for %s.", n, blocked);
}

static void
add_events(struct str *page, const json_t *timeline)
{
	const json_t *events = json_object_get(timeline, "events"), *event;
	size_t i;

	if (json_array_size(events) == 0)
		return;
	html_table(page, "What happened", "<What|At|Over after|Frames lost|Blocked for");
	json_array_foreach(events, i, event) {
		double at_s = text_number(event, "at_s"), until_s = text_number(event, "until_s");

		str_addf(page, "<tr><th scope=\"row\">");
		html_text(page, text_word(event, "what"));
		str_addf(page, "</th>");
		html_cell(page, at_s * 1e9, FIGURE_NS);
		html_cell(page, until_s >= at_s ? (until_s - at_s) * 1e9 : NAN, FIGURE_NS);
		html_cell(page, text_number(event, "lost"), FIGURE_COUNT);
		html_cell(page, text_number(event, "blocked_s") * 1e9, FIGURE_NS);
		str_addf(page, "</tr>\n");
	}
	str_addf(page, HTML_TABLE_END);
}

static const json_t *
timeline_of(const json_t *m)
{
	struct text_shown *shown = text_find_shown(m);
	const json_t *timeline = shown != NULL ? json_object_get(shown->json, "timeline") : NULL;

	free(shown);
	return json_array_size(json_object_get(timeline, "at_s")) > 1 ? timeline : NULL;
}

void
html_timeline(struct html *html)
{
	bool any = false;

	for (size_t i = 0; i < html_n_measurements(html); i++) {
		const json_t *m = html_measurement(html, i), *timeline = timeline_of(m);

		if (timeline == NULL)
			continue;
		if (!any)
			html_section(html, "timeline", "What happened when");
		any = true;
		html_heading(html, m);
		html_plot(html, "timeline", i, plot_of(timeline), title_of(timeline),
			  "Frames offered and received in each tenth of a second. Blocked time is "
			  "the frames lost because of an event over the offered rate.");
		add_events(&html->page, timeline);
	}
	if (any)
		str_addf(&html->page, "</section>\n");
}
