/* SPDX-License-Identifier: MIT */
/* Which hop limits the chain, and what it would carry without that one. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"

#include "text_page.h"
#include "text_parts.h"

static const json_t *
find_hop(const json_t *a, const char *name)
{
	const json_t *hops = json_object_get(a, "hops");

	for (size_t i = 0; i < json_array_size(hops); i++)
		if (strcmp(text_word(json_array_get(hops, i), "name"), name) == 0)
			return json_array_get(hops, i);
	return NULL;
}

/* "vnf3 (412 cycles a frame, 398 to 431; " */
static void
add_bottleneck(struct str *s, const json_t *a)
{
	const json_t *hop = find_hop(a, text_word(a, "bottleneck"));
	const json_t *next = find_hop(a, text_word(a, "next"));

	str_addf(s, "bottleneck: " PAGE_BOLD "%s" PAGE_PLAIN " (%.0f cycles a frame, %.0f to %.0f",
		 text_word(a, "bottleneck"), text_number(hop, "cycles"),
		 text_number(hop, "cycles_low"), text_number(hop, "cycles_high"));
	if (next != NULL)
		str_addf(s, "; the next, %s, %.0f", text_word(a, "next"),
			 text_number(next, "cycles"));
	str_addf(s, ")");
}

static void
add_tie(struct str *s, const json_t *a)
{
	const json_t *tied = json_object_get(a, "tied");
	size_t n = json_array_size(tied);

	str_addf(s, "bottleneck: a tie of ");
	for (size_t i = 0; i < n; i++) {
		const char *name = json_string_value(json_array_get(tied, i));

		str_addf(s, "%s%s (%.0f cycles a frame)",
			 i == 0	      ? ""
			 : i + 1 == n ? " and "
				      : ", ",
			 name != NULL ? name : "?",
			 text_number(name != NULL ? find_hop(a, name) : NULL, "cycles"));
	}
}

static void
add_without(struct str *s, const json_t *a)
{
	double pps = text_number(a, "without_pps");
	double low = text_number(a, "without_low_pps"), high = text_number(a, "without_high_pps");
	char cell[PAGE_CELL], from[PAGE_CELL], to[PAGE_CELL];

	if (!(pps > 0))
		return;
	str_addf(s, ": without it the chain would carry about %s", page_pps(cell, pps));
	if (!(low >= 0 && high >= 0))
		return;
	page_pps(to, high);
	str_addf(s, ", %s to %s", page_drop_unit(page_pps(from, low), to), to);
}

/* "; it shares its CPU with vnf1, vnf2" */
static void
add_mates(struct str *s, const json_t *a)
{
	const json_t *hop = find_hop(a, text_word(a, "dearest"));
	const json_t *mates = json_object_get(hop, "shares_with");
	size_t n = json_array_size(mates);

	for (size_t i = 0; i < n; i++) {
		const char *name = json_string_value(json_array_get(mates, i));

		str_addf(s, "%s%s",
			 i == 0	      ? "; it shares CPUs with "
			 : i + 1 == n ? " and "
				      : ", ",
			 name != NULL ? name : "?");
	}
}

char *
text_attribution(const json_t *m)
{
	const json_t *a = json_object_get(m, "attribution");
	const char *verdict = text_word(a, "verdict");
	struct str s = {0};

	if (!json_is_object(a))
		return NULL;
	if (strcmp(verdict, "tie") == 0) {
		add_tie(&s, a);
	} else if (strcmp(verdict, "hop") != 0) {
		str_addf(&s,
			 "bottleneck: not known, for not every hop tells its cycles, and nobody "
			 "waits for one hop alone");
	} else if (strcmp(text_word(a, "by"), "pressure") == 0) {
		str_addf(&s,
			 "bottleneck: " PAGE_BOLD "%s" PAGE_PLAIN
			 ", for which those before it wait",
			 text_word(a, "bottleneck"));
	} else {
		add_bottleneck(&s, a);
		add_without(&s, a);
		add_mates(&s, a);
	}
	return str_take(&s);
}

/* "vnf1 waits 34 % of the time for room" */
static void
add_held(struct str *s, const json_t *hop)
{
	double held = text_number(hop, "held[1]");

	if (!(held >= 0.01))
		return;
	str_addf(s, "%s%s %.0f%c%%", s->len > 0 ? ", " : "", text_word(hop, "name"),
		 fmin(100, 100 * held), PAGE_GLUE);
}

char *
text_pressure(const json_t *m)
{
	const json_t *a = json_object_get(m, "attribution");
	const json_t *hops = json_object_get(a, "hops");
	struct str s = {0}, held = {0};
	double refused = text_number(a, "pressure.refused_ratio");

	for (size_t i = 0; i < json_array_size(hops); i++)
		add_held(&held, json_array_get(hops, i));
	if (refused >= 0.01 || held.len > 0) {
		str_addf(&s, "offered all that the generator has");
		if (refused >= 0.01)
			str_addf(&s, ", link%c0 takes %.0f%c%% of it", PAGE_GLUE,
				 100 * (1 - refused), PAGE_GLUE);
		if (held.len > 0)
			str_addf(&s, "; frames wait for room at the next hop: %s of the time",
				 str_text(&held));
		if (json_is_string(json_at(a, "pressure.hop")))
			str_addf(&s, "; the waiting ends at %s", text_word(a, "pressure.hop"));
	}
	str_fini(&held);
	if (s.len == 0)
		return NULL;
	return str_take(&s);
}

void
text_attrib(struct str *page, const json_t *m)
{
	char *text[] = {text_attribution(m), text_pressure(m)};

	for (size_t i = 0; i < 2; i++) {
		if (text[i] != NULL)
			page_wrap(page, "  ", 2, text[i]);
		free(text[i]);
	}
}
