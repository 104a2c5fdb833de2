/* SPDX-License-Identifier: MIT */
/* What happened to the chain during a trial, and how long each of it blocked the way. */
#include <math.h>
#include <stdio.h>

#include "base/json.h"

#include "text_page.h"
#include "text_parts.h"

static void
add_event(struct str *page, const json_t *event)
{
	double until_s = text_number(event, "until_s"), at_s = text_number(event, "at_s");
	char blocked[PAGE_CELL], lost[PAGE_CELL], over[PAGE_CELL] = "-";

	if (until_s >= at_s)
		page_ns(over, (until_s - at_s) * 1e9);
	str_addf(page, "%7.2f s  ", at_s);
	page_cell(page, 12, page_ns(blocked, text_number(event, "blocked_s") * 1e9));
	page_cell(page, 14, page_count(lost, text_count(event, "lost")));
	page_cell(page, 12, over);
	str_addf(page, "  %.40s\n", text_word(event, "what"));
}

void
text_timeline(struct str *page, const json_t *trial)
{
	const json_t *events = json_at(trial, "timeline.events"), *event;
	size_t i;

	if (json_array_size(events) == 0)
		return;
	str_addf(page, "%9s  %12s%14s%12s  %s\n", "at", "blocked for", "frames lost", "over after",
		 "what happened");
	json_array_foreach(events, i, event)
		add_event(page, event);
	str_addf(page, "  blocked time is frames lost over the offered rate\n");
}
