/* SPDX-License-Identifier: MIT */
#include "html_page.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"

#include "text_page.h"
#include "text_parts.h"

/* U+00A0, at which no line ends, and U+FFFD for what has no picture. */
#define BLANK "\302\240"
#define NO_CHARACTER "\357\277\275"

/* ---- text ---- */

static void
add_char(struct str *page, char c)
{
	static const struct {
		char c;
		const char *text;
	} entities[] = {
		{'&', "&amp;"}, {'<', "&lt;"}, {'>', "&gt;"}, {'"', "&quot;"}, {'\'', "&#39;"},
	};

	for (size_t i = 0; i < N_ELEMS(entities); i++)
		if (entities[i].c == c) {
			str_addf(page, "%s", entities[i].text);
			return;
		}
	if (((unsigned char)c < ' ' && c != '\n' && c != '\t') || c == 0x7f)
		str_addf(page, NO_CHARACTER);
	else
		str_addn(page, &c, 1);
}

void
html_text(struct str *page, const char *text)
{
	for (; *text != '\0'; text++)
		add_char(page, *text);
}

void
html_marked(struct str *page, const char *text)
{
	static const char *const tags[] = {
		[1] = "<strong>",
		[2] = "<strong class=\"good\">",
		[3] = "<strong class=\"bad\">",
		[4] = "<strong class=\"doubt\">",
	};
	bool open = false;

	for (; *text != '\0'; text++) {
		bool is_mark = *text >= PAGE_BOLD[0] && *text <= PAGE_PLAIN[0];

		/* Whatever marks a foreign text brings along, tags stay in pairs. */
		if (is_mark && open)
			str_addf(page, "</strong>");
		if (is_mark) {
			open = *text != PAGE_PLAIN[0];
			str_addf(page, "%s", open ? tags[(int)*text] : "");
		} else if (*text == PAGE_GLUE) {
			str_addf(page, BLANK);
		} else {
			add_char(page, *text);
		}
	}
	str_addf(page, "%s", open ? "</strong>" : "");
}

/* ---- figures ---- */

void
html_figure(struct str *page, double value, enum figure_unit unit)
{
	char cell[PAGE_CELL];

	html_marked(page, figure_print(cell, value, unit));
}

void
html_value(struct str *page, const json_t *result, enum figure_unit unit, const char *path, ...)
{
	va_list ap;
	char *full;

	va_start(ap, path);
	full = xvasprintf(path, ap);
	va_end(ap);
	str_addf(page, "<data data-path=\"%s\" value=\"", full);
	figure_exact(page, text_number(result, full));
	str_addf(page, "\">");
	html_figure(page, text_number(result, full), unit);
	str_addf(page, "</data>");
	free(full);
}

/* ---- tables ---- */

void
html_cell(struct str *page, double value, enum figure_unit unit)
{
	str_addf(page, "<td>");
	html_figure(page, value, unit);
	str_addf(page, "</td>");
}

void
html_cell_text(struct str *page, const char *text)
{
	str_addf(page, "<td class=\"text\">");
	html_marked(page, text);
	str_addf(page, "</td>");
}

void
html_table(struct str *page, const char *caption, const char *columns)
{
	/* The box can be scrolled where a table is wider than the screen, with the keyboard too. */
	str_addf(page, "<div class=\"wide\" tabindex=\"0\" role=\"region\" aria-label=\"");
	html_text(page, caption);
	str_addf(page, "\"><table><caption>");
	html_text(page, caption);
	str_addf(page, "</caption><thead><tr>");
	while (*columns != '\0') {
		size_t len = strcspn(columns, "|");
		bool text = columns[0] == '<';

		str_addf(page, "<th scope=\"col\"%s>%.*s</th>", text ? " class=\"text\"" : "",
			 (int)(len - text), columns + text);
		columns += len + (columns[len] == '|');
	}
	str_addf(page, "</tr></thead><tbody>\n");
}

/* ---- data ---- */

void
html_json(struct str *page, const json_t *json)
{
	char *text = json_dumps(json, JSON_COMPACT | JSON_ENCODE_ANY);

	/* These characters occur in strings only, where their escapes mean the same. */
	for (const char *c = text != NULL ? text : "null"; *c != '\0'; c++) {
		if (*c == '<' || *c == '>' || *c == '&')
			str_addf(page, "\\u%04x", (unsigned)*c);
		else
			str_addn(page, c, 1);
	}
	free(text);
}
