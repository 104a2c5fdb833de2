/* SPDX-License-Identifier: MIT */
/* Around the figures: the machine, how to do it again, what is not sure. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"

#include "html_parts.h"
#include "repeat.h"
#include "text_page.h"
#include "text_parts.h"

/* An object with more keys than this is a list that few will read. */
#define MAX_UNFOLDED 4

/* ---- the machine ---- */

/* "memory_bytes" as "memory", with blanks for '_'; what the unit says stands behind the figure. */
static void
add_label(struct str *page, const char *key)
{
	char *label = xstrdup(key), *end = strstr(label, "_bytes");

	if (end != NULL && end[strlen("_bytes")] == '\0')
		*end = '\0';
	for (char *c = label; *c != '\0'; c++)
		*c = *c == '_' ? ' ' : *c;
	html_text(page, label);
	free(label);
}

static bool
ends_with(const char *text, const char *end)
{
	size_t len = strlen(text), part = strlen(end);

	return len >= part && strcmp(text + len - part, end) == 0;
}

static void add_any(struct str *page, const char *key, json_t *value);

static void
add_list(struct str *page, json_t *list)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		str_addf(page, "%s", i > 0 ? "; " : "");
		add_any(page, "", json_array_get(list, i));
	}
	str_addf(page, "%s", json_array_size(list) == 0 ? "none" : "");
}

static void
add_map(struct str *page, json_t *map)
{
	const char *key, *before = "";
	json_t *value;

	json_object_foreach(map, key, value) {
		str_addf(page, "%s", before);
		add_label(page, key);
		str_addf(page, "&nbsp;");
		add_any(page, key, value);
		before = ", ";
	}
}

/* A value of whatever kind, as words. */
static void
add_any(struct str *page, const char *key, json_t *value)
{
	if (json_is_object(value))
		add_map(page, value);
	else if (json_is_array(value))
		add_list(page, value);
	else if (json_is_string(value))
		html_text(page,
			  json_string_value(value)[0] != '\0' ? json_string_value(value) : "none");
	else if (json_is_number(value))
		html_figure(page, json_number_value(value),
			    ends_with(key, "_bytes") ? FIGURE_BYTES
			    : json_is_integer(value) ? FIGURE_COUNT
						     : FIGURE_PLAIN);
	else
		str_addf(page, json_is_null(value) ? "?" : json_is_true(value) ? "yes" : "no");
}

/* What is long is folded. */
static void
add_entry(struct str *page, const char *key, json_t *value)
{
	bool fold = json_object_size(value) > MAX_UNFOLDED;

	if (fold)
		str_addf(page, "<details><summary>%zu entries</summary>", json_object_size(value));
	add_any(page, key, value);
	str_addf(page, "%s", fold ? "</details>" : "");
}

static void
add_sentences(struct str *page, const char *title, const json_t *list)
{
	if (json_array_size(list) == 0)
		return;
	str_addf(page, "<h3>%s</h3>\n<ul>\n", title);
	for (size_t i = 0; i < json_array_size(list); i++) {
		str_addf(page, "<li>");
		html_marked(page, text_word(json_array_get(list, i), ""));
		str_addf(page, "</li>\n");
	}
	str_addf(page, "</ul>\n");
}

static void
add_grade(struct str *page, const json_t *grade)
{
	if (!json_is_string(json_object_get(grade, "letter")))
		return;
	str_addf(page, "<p class=\"grade\">Graded <strong>");
	html_text(page, text_word(grade, "letter"));
	str_addf(page, "</strong></p>\n");
	add_sentences(page, "Because", json_object_get(grade, "because"));
	add_sentences(page, "What would raise it", json_object_get(grade, "raise"));
}

void
html_environment(struct html *html)
{
	json_t *environment = json_object_get(html->result, "environment"), *value;
	struct str *page = &html->page;
	const char *key;

	if (!json_is_object(environment))
		return;
	html_section(html, "environment", "The machine");
	add_grade(page, json_object_get(environment, "grade"));
	str_addf(page, "<dl>\n");
	json_object_foreach(environment, key, value) {
		if (strcmp(key, "grade") == 0)
			continue;
		str_addf(page, "<div><dt>");
		add_label(page, key);
		str_addf(page, "</dt><dd>");
		add_entry(page, key, value);
		str_addf(page, "</dd></div>\n");
	}
	str_addf(page, "</dl>\n</section>\n");
}

/* ---- again ---- */

void
html_repeat(struct html *html)
{
	const char *text = json_string_value(json_at(html->result, "chain.text"));
	const char *dpdk = json_string_value(json_at(html->result, "environment.dpdk_version"));
	char *command = repeat_command(html->result);
	struct str *page = &html->page;

	html_section(html, "repeat", "Do it again");
	str_addf(page, "<pre tabindex=\"0\">");
	html_text(page, command);
	str_addf(page, "</pre>\n<p>nfvchain ");
	html_text(page, text_word(html->result, "nfvchain"));
	str_addf(page, ", ");
	html_text(page, dpdk != NULL ? dpdk : "DPDK of unknown version");
	str_addf(page, ", schema of the result ");
	html_text(page, text_word(html->result, "schema_version"));
	str_addf(page, ".</p>\n");
	if (text != NULL) {
		str_addf(page, "<details><summary>The chain as a file, everything spelled "
			       "out</summary>\n<pre tabindex=\"0\">");
		html_text(page, text);
		str_addf(page, "</pre></details>\n");
	}
	str_addf(page, "</section>\n");
	free(command);
}

/* ---- doubts ---- */

void
html_doubts(struct html *html)
{
	json_t *list = text_doubt_list(html->result);

	html_section(html, "doubts", "Not sure");
	if (json_array_size(list) == 0)
		str_addf(&html->page, "<p>Nothing that the result itself would tell.</p>\n");
	add_sentences(&html->page, "Read the figures with this in mind", list);
	str_addf(&html->page, "</section>\n");
	json_decref(list);
}
