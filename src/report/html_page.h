/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "base/str.h"

#include "figure.h"

/* What the files that write report.html share: text and figures on the page. */

/* Text of others: nothing in it can be a tag, end an attribute or be a control character. */
void html_text(struct str *page, const char *text);
/* Text of ours, with the marks and the glue of text_page.h, which become tags and blanks. */
void html_marked(struct str *page, const char *text);

/* The figure at a path of the result, printed, as an element that also carries its exact value and
 * where it stands: <data data-path="measurements[0].rate_pps" value="8412000">.  The path is ours.
 */
void html_value(struct str *page, const json_t *result, enum figure_unit unit, const char *path,
		...) __attribute__((format(printf, 4, 5)));
/* A figure that was computed from others, as text. */
void html_figure(struct str *page, double value, enum figure_unit unit);

/* A cell of a table that holds a figure or a text. */
void html_cell(struct str *page, double value, enum figure_unit unit);
void html_cell_text(struct str *page, const char *text);
/* <table> with its head; 'columns' are separated by '|', and those that begin with '<' hold text.
 * The caller adds rows and </tbody></table></div>. */
void html_table(struct str *page, const char *caption, const char *columns);
#define HTML_TABLE_END "</tbody></table></div>\n"

/* Adds 'json' as the content of a <script type="application/json">. */
void html_json(struct str *page, const json_t *json);
