/* SPDX-License-Identifier: MIT */
#include "str.h"

#include <assert.h>
#include <ctype.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mem.h"

/* Longest word that str_nearest looks at. */
#define NEAREST_MAX 63

/* Makes room for 'more' bytes and a NUL. */
static void
reserve(struct str *s, size_t more)
{
	size_t need;

	assert(more < SIZE_MAX / 4 && s->len < SIZE_MAX / 4);
	need = s->len + more + 1;
	if (need <= s->size)
		return;
	if (need < 2 * s->size)
		need = 2 * s->size;
	s->size = need < 64 ? 64 : need;
	s->text = xrealloc(s->text, s->size, 1);
}

void
str_addf(struct str *s, const char *fmt, ...)
{
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	assert(len >= 0);
	reserve(s, (size_t)len);
	va_start(ap, fmt);
	vsnprintf(s->text + s->len, s->size - s->len, fmt, ap);
	va_end(ap);
	s->len += (size_t)len;
}

void
str_addn(struct str *s, const char *text, size_t len)
{
	reserve(s, len);
	if (len > 0)
		memcpy(s->text + s->len, text, len);
	s->len += len;
	s->text[s->len] = '\0';
}

const char *
str_text(const struct str *s)
{
	return s->text != NULL ? s->text : "";
}

char *
str_take(struct str *s)
{
	char *text = s->text != NULL ? s->text : xstrdup("");

	*s = (struct str){0};
	return text;
}

void
str_fini(struct str *s)
{
	if (s == NULL)
		return;
	free(s->text);
	*s = (struct str){0};
}

/* The largest length up to 'len' at which 'text' can end without splitting a UTF-8 character; looks
 * at text[len].  Text that is no UTF-8 is cut anywhere. */
static size_t
cut_length(const char *text, size_t len)
{
	size_t cut = len;

	while (cut > 0 && len - cut < 4 && ((unsigned char)text[cut] & 0xc0) == 0x80)
		cut--;
	return len - cut < 4 ? cut : len;
}

bool
str_copy(char *dst, size_t size, const char *src)
{
	size_t len = strlen(src);
	bool fits = len < size;

	if (size == 0)
		return false;
	if (!fits)
		len = cut_length(src, size - 1);
	memcpy(dst, src, len);
	dst[len] = '\0';
	return fits;
}

size_t
str_vprint(char *dst, size_t size, const char *fmt, va_list ap)
{
	static const char dots[] = "...";
	size_t cut;
	int len;

	assert(size >= sizeof(dots));
	len = vsnprintf(dst, size, fmt, ap);
	if (len < 0) {
		dst[0] = '\0';
		return 0;
	}
	if ((size_t)len < size)
		return (size_t)len;
	cut = cut_length(dst, size - sizeof(dots));
	memcpy(dst + cut, dots, sizeof(dots));
	return cut + sizeof(dots) - 1;
}

static bool
same_letter(char a, char b)
{
	return tolower((unsigned char)a) == tolower((unsigned char)b);
}

static unsigned
min2(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/* How many letters to insert, delete, replace or swap with their neighbour to get from 'a' to 'b',
 * both at most NEAREST_MAX long. */
static unsigned
distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
	unsigned rows[3][NEAREST_MAX + 1]; /* of the table, the last three: row i is rows[i % 3] */

	for (size_t j = 0; j <= b_len; j++)
		rows[0][j] = (unsigned)j;
	for (size_t i = 1; i <= a_len; i++) {
		unsigned *row = rows[i % 3];
		const unsigned *above = rows[(i + 2) % 3];
		const unsigned *above2 = rows[(i + 1) % 3];

		row[0] = (unsigned)i;
		for (size_t j = 1; j <= b_len; j++) {
			row[j] = above[j - 1] + !same_letter(a[i - 1], b[j - 1]);
			row[j] = min2(row[j], min2(above[j], row[j - 1]) + 1);
			if (i > 1 && j > 1 && same_letter(a[i - 1], b[j - 2]) &&
			    same_letter(a[i - 2], b[j - 1]))
				row[j] = min2(row[j], above2[j - 2] + 1);
		}
	}
	return rows[a_len % 3][b_len];
}

const char *
str_nearest(const char *word, const char *const *candidates, size_t n)
{
	size_t len = strlen(word);
	const char *best = NULL;
	unsigned best_distance = UINT_MAX;

	if (len > NEAREST_MAX)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		size_t other_len = strlen(candidates[i]);
		size_t longer = len > other_len ? len : other_len;
		unsigned d;

		if (other_len > NEAREST_MAX)
			continue;
		d = distance(word, len, candidates[i], other_len);
		if (3 * d <= longer && d < best_distance) {
			best = candidates[i];
			best_distance = d;
		}
	}
	return best;
}
