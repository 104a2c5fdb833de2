/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

/* Text that grows.  Zero-initialised is empty; str_fini releases it and makes it empty again. */
struct str {
	char *text; /* NUL-terminated once anything was added, else NULL */
	size_t len;
	size_t size;
};

void str_addf(struct str *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void str_addn(struct str *s, const char *text, size_t len);
/* The text, never NULL; valid until the next change. */
const char *str_text(const struct str *s);
/* Hands the text over to the caller, who frees it; 's' is empty afterwards. */
char *str_take(struct str *s);
void str_fini(struct str *s);

/* Copies 'src' and returns whether it fitted with its NUL; a text that does not fit is cut, though
 * never inside a UTF-8 character. */
bool str_copy(char *dst, size_t size, const char *src);

/* vsnprintf for messages: a text that does not fit ends in "...".  Returns the length of what is in
 * 'dst', which has room for at least 4 bytes. */
size_t str_vprint(char *dst, size_t size, const char *fmt, va_list ap)
	__attribute__((format(printf, 3, 0)));

/* The one of the 'n' 'candidates' that 'word' was probably meant to be, or NULL: at most one third
 * of the letters of the longer one differ (Damerau-Levenshtein, without regard to case). */
const char *str_nearest(const char *word, const char *const *candidates, size_t n);
