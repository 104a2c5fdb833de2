/* SPDX-License-Identifier: MIT */
/* What limits the chain: the sentence, and a table of what each hop costs. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"

#include "html_parts.h"
#include "text_page.h"
#include "text_parts.h"

static void
add_sentence(struct str *page, char *text)
{
	if (text != NULL) {
		text[0] = (char)toupper((unsigned char)text[0]);
		str_addf(page, "<p>");
		html_marked(page, text);
		str_addf(page, ".</p>\n");
	}
	free(text);
}

static void
add_mates(struct str *page, const json_t *hop)
{
	const json_t *mates = json_object_get(hop, "shares_with");
	struct str s = {0};

	for (size_t i = 0; i < json_array_size(mates); i++) {
		const char *name = json_string_value(json_array_get(mates, i));

		str_addf(&s, "%s%s", i > 0 ? ", " : "", name != NULL ? name : "?");
	}
	html_cell_text(page, str_text(&s));
	str_fini(&s);
}

static void
add_row(struct str *page, const json_t *a, const json_t *hop)
{
	const char *name = text_word(hop, "name");
	bool limits = strcmp(name, text_word(a, "bottleneck")) == 0;

	str_addf(page, "<tr class=\"%s\"><th scope=\"row\">", limits ? "hop limits" : "hop");
	html_text(page, name);
	str_addf(page, "</th>");
	html_cell(page, text_number(hop, "cycles"), FIGURE_PLAIN);
	html_cell(page, text_number(hop, "cycles_low"), FIGURE_PLAIN);
	html_cell(page, text_number(hop, "cycles_high"), FIGURE_PLAIN);
	html_cell(page, text_number(hop, "marginal_cycles"), FIGURE_PLAIN);
	html_cell(page, text_number(hop, "busy"), FIGURE_RATIO);
	html_cell(page, text_number(hop, "held[1]"), FIGURE_RATIO);
	html_cell(page, text_number(hop, "held[0]"), FIGURE_RATIO);
	html_cell(page, text_number(hop, "capacity_pps"), FIGURE_PPS);
	add_mates(page, hop);
	str_addf(page, "</tr>\n");
}

static void
add_losses(struct str *page, const json_t *a)
{
	const json_t *losses = json_object_get(a, "losses");

	if (json_array_size(losses) == 0)
		return;
	html_table(page, "Lost in the last trial that was offered all the generator has",
		   "<Where|<Queue of lcore|<Cause|Frames");
	for (size_t i = 0; i < json_array_size(losses); i++) {
		const json_t *loss = json_array_get(losses, i);

		str_addf(page, "<tr class=\"hop\"><th scope=\"row\">");
		html_text(page, text_word(loss, "at"));
		str_addf(page, "</th>");
		if (json_is_integer(json_object_get(loss, "queue")))
			html_cell(page, text_number(loss, "queue"), FIGURE_PLAIN);
		else
			html_cell_text(page, "");
		html_cell_text(page, text_word(loss, "cause"));
		html_cell(page, text_number(loss, "frames"), FIGURE_COUNT);
		str_addf(page, "</tr>\n");
	}
	str_addf(page, HTML_TABLE_END);
}

static void
add_measurement(struct html *html, const json_t *m)
{
	const json_t *a = json_object_get(m, "attribution");
	const json_t *hops = json_object_get(a, "hops");
	struct str *page = &html->page;

	html_heading(html, m);
	add_sentence(page, text_attribution(m));
	add_sentence(page, text_pressure(m));
	html_table(page, "What a frame costs each hop, in busy cycles",
		   "<Hop|Cycles|from|to|of one more|Busy|Held onward|Held back|Capacity|"
		   "<CPU with");
	for (size_t i = 0; i < json_array_size(hops); i++)
		add_row(page, a, json_array_get(hops, i));
	str_addf(page, HTML_TABLE_END);
	add_losses(page, a);
}

void
html_attrib(struct html *html)
{
	bool any = false;

	for (size_t i = 0; i < html_n_measurements(html); i++) {
		const json_t *m = html_measurement(html, i);

		if (!json_is_object(json_object_get(m, "attribution")))
			continue;
		if (!any)
			html_section(html, "limits", "What limits the chain");
		any = true;
		add_measurement(html, m);
	}
	if (any)
		str_addf(&html->page, "</section>\n");
}
