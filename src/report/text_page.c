/* SPDX-License-Identifier: MIT */
#include "text_page.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rate.h"
#include "base/units.h"

static bool
is_control(char c)
{
	return (unsigned char)c < ' ' || c == 0x7f;
}

/* Does the byte begin something that takes a column?  Not so the rest of a UTF-8 character. */
static bool
takes_column(char c)
{
	return c == PAGE_GLUE || (!is_control(c) && ((unsigned char)c & 0xc0) != 0x80);
}

static size_t
width_of(const char *text, size_t len)
{
	size_t cols = 0;

	for (size_t i = 0; i < len; i++)
		cols += takes_column(text[i]);
	return cols;
}

size_t
page_width(const char *text)
{
	return width_of(text, strlen(text));
}

/* Blanks at which a line may end, the last only where nothing else helps. */
static const char blanks[] = {' ', PAGE_GLUE, '\0'};

/* Bytes up to the next blank; glue holds as long as what it glues fits in 'cols'. */
static size_t
word_length(const char *text, size_t cols)
{
	size_t len = strcspn(text, " ");

	return width_of(text, len) <= cols ? len : strcspn(text, blanks);
}

void
page_wrap(struct str *page, const char *head, size_t indent, const char *text)
{
	size_t col = page_width(head);

	str_addf(page, "%s", head);
	if (col < indent && text[0] != '\0') {
		str_addf(page, "%*s", (int)(indent - col), "");
		col = indent;
	}
	for (bool first = true; text[0] != '\0'; first = false) {
		size_t len = word_length(text, PAGE_COLS - indent), width = width_of(text, len);

		if (!first && col + 1 + width > PAGE_COLS) {
			str_addf(page, "\n%*s", (int)indent, "");
			col = indent;
		} else if (!first) {
			str_addn(page, " ", 1);
			col++;
		}
		str_addn(page, text, len);
		col += width;
		text += len;
		text += strspn(text, blanks);
	}
	str_addn(page, "\n", 1);
}

void
page_cell(struct str *page, int cols, const char *text)
{
	int room = abs(cols) - (int)page_width(text);

	/* A figure too wide for its column still stands apart from the one before. */
	if (room < 1)
		room = text[0] != '\0';
	if (cols > 0)
		str_addf(page, "%*s%s", room, "", text);
	else
		str_addf(page, "%s%*s", text, room, "");
}

char *
page_glue(char *text)
{
	for (char *c = text; *c != '\0'; c++)
		if (*c == ' ')
			*c = PAGE_GLUE;
	return text;
}

char *
page_pps(char buf[PAGE_CELL], double pps)
{
	return page_glue(rate_print_pps(buf, PAGE_CELL, pps));
}

char *
page_bps(char buf[PAGE_CELL], double bps)
{
	return page_glue(rate_print_bps(buf, PAGE_CELL, bps));
}

char *
page_count(char buf[PAGE_CELL], uint64_t n)
{
	return page_glue(count_print(buf, PAGE_CELL, n));
}

char *
page_ns(char buf[PAGE_CELL], double ns)
{
	char digits[32];

	snprintf(buf, PAGE_CELL, "?");
	/* What no counter of nanoseconds holds comes from a file that is not ours. */
	if (!(ns >= 0 && ns < 0x1p63))
		return buf;
	snprintf(digits, sizeof(digits), "%.2e", ns);
	return page_glue(duration_print(buf, PAGE_CELL, (uint64_t)strtod(digits, NULL)));
}

char *
page_drop_unit(char *low, const char *high)
{
	char *unit = strrchr(low, PAGE_GLUE);
	const char *other = strrchr(high, PAGE_GLUE);

	if (unit != NULL && other != NULL && strcmp(unit, other) == 0)
		*unit = '\0';
	return low;
}

/* ---- the end ---- */

/* What stands for a mark on the terminal. */
static const char *const escapes[] = {
	[1] = "\033[1m", [2] = "\033[1;32m", [3] = "\033[1;31m", [4] = "\033[33m", [5] = "\033[0m",
};

char *
page_finish(struct str *page, bool colour)
{
	struct str out = {0};

	for (const char *c = str_text(page); *c != '\0'; c++) {
		if (*c == PAGE_GLUE)
			str_addn(&out, " ", 1);
		else if (*c >= 1 && *c <= 5)
			str_addf(&out, "%s", colour ? escapes[(int)*c] : "");
		else
			str_addn(&out, is_control(*c) && *c != '\n' ? "?" : c, 1);
	}
	str_fini(page);
	return str_take(&out);
}
