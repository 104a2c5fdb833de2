/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

/* A page of text for a terminal while it is put together.  Colours and blanks at which no line may
 * end are single control characters until page_finish, so they take no columns, and control
 * characters in foreign texts never reach the terminal. */

#define PAGE_COLS 80

#define PAGE_BOLD "\001"
#define PAGE_GOOD "\002"
#define PAGE_BAD "\003"
#define PAGE_DOUBT "\004"
#define PAGE_PLAIN "\005" /* ends any of these */
#define PAGE_GLUE '\006'  /* a blank that stays in its line */

/* Columns that 'text' takes. */
size_t page_width(const char *text);

/* Adds 'text' behind 'head', broken at blanks, with further lines beginning in column 'indent'. */
void page_wrap(struct str *page, const char *head, size_t indent, const char *text);

/* Adds 'text' and blanks in front of it (or behind it when 'cols' is negative) up to 'cols'. */
void page_cell(struct str *page, int cols, const char *text);

/* Replaces blanks by PAGE_GLUE; returns 'text'. */
char *page_glue(char *text);

/* "8.412 Mpps", "1 234 567", "12.3 us" with glue; into 'buf' of PAGE_CELL bytes, returned. */
#define PAGE_CELL 48
char *page_pps(char buf[PAGE_CELL], double pps);
char *page_bps(char buf[PAGE_CELL], double bps);
char *page_count(char buf[PAGE_CELL], uint64_t n);
/* Three digits, as many as a histogram knows; "?" for what is no duration. */
char *page_ns(char buf[PAGE_CELL], double ns);

/* "8.2" of "8.2 Mpps" where the other text has the same unit, since it follows; returns
 * it. */
char *page_drop_unit(char *low, const char *high);

/* The finished text, for the caller to free; 'page' is empty afterwards. */
char *page_finish(struct str *page, bool colour);
