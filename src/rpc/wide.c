/* SPDX-License-Identifier: MIT */
#include "wide.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

#define MARK "\xef\xb7\x90u64:" /* U+FDD0 */
#define MARK_LEN (sizeof(MARK) - 1)
#define INT64_MAX_TEXT "9223372036854775807"
#define INT64_MIN_TEXT "9223372036854775808" /* without its sign */
#define UINT64_MAX_TEXT "18446744073709551615"

/* What a number is to jansson. */
enum form {
	FITS, /* nothing to do */
	WIDE, /* becomes a marked string */
	REAL, /* an integer of more than 64 bits */
};

static bool
at_most(const char *digits, size_t n, const char *limit)
{
	size_t limit_len = strlen(limit);

	return n < limit_len || (n == limit_len && memcmp(digits, limit, n) <= 0);
}

static bool
all_digits(const char *text, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!isdigit((unsigned char)text[i]))
			return false;
	return n > 0;
}

static enum form
form_of(const char *token, size_t len)
{
	bool negative = token[0] == '-';
	const char *digits = token + negative;
	size_t n = len - negative;

	if (n < strlen(INT64_MAX_TEXT) || digits[0] == '0' || !all_digits(digits, n))
		return FITS;
	if (at_most(digits, n, negative ? INT64_MIN_TEXT : INT64_MAX_TEXT))
		return FITS;
	return !negative && at_most(digits, n, UINT64_MAX_TEXT) ? WIDE : REAL;
}

static size_t
string_len(const char *text, size_t len)
{
	size_t i = 1;

	while (i < len && text[i] != '"')
		i += text[i] == '\\' ? 2 : 1;
	return i < len ? i + 1 : len;
}

static size_t
number_len(const char *text, size_t len)
{
	size_t i = 1;

	while (i < len && (isalnum((unsigned char)text[i]) || memchr("+-.", text[i], 3) != NULL))
		i++;
	return i;
}

/* A number in the place of a key is a mistake that must remain one. */
static bool
is_key(const char *after, const char *end)
{
	while (after < end && memchr(" \t\r\n", *after, 4) != NULL)
		after++;
	return after < end && *after == ':';
}

static void
add_form(struct str *out, const char *token, size_t len, enum form form)
{
	if (form == WIDE)
		str_addn(out, "\"" MARK, MARK_LEN + 1);
	str_addn(out, token, len);
	if (form == WIDE)
		str_addn(out, "\"", 1);
	else
		str_addn(out, ".0", 2);
}

/* Rewrites the integers that jansson refuses; leaves 'out' empty when there are none. */
static void
hide(struct str *out, const char *text, size_t len)
{
	const char *end = text + len;
	const char *copied = text;
	const char *p = text;

	while (p < end) {
		size_t n = 1;

		if (*p == '"') {
			n = string_len(p, (size_t)(end - p));
		} else if (*p == '-' || isdigit((unsigned char)*p)) {
			enum form form;

			n = number_len(p, (size_t)(end - p));
			form = form_of(p, n);
			if (form != FITS && !is_key(p + n, end)) {
				str_addn(out, copied, (size_t)(p - copied));
				add_form(out, p, n, form);
				copied = p + n;
			}
		}
		p += n;
	}
	if (copied != text)
		str_addn(out, copied, (size_t)(end - copied));
}

json_t *
wide_loadb(const char *text, size_t len, size_t flags, json_error_t *error)
{
	struct str hidden = {0};
	json_t *json;

	hide(&hidden, text, len);
	if (hidden.len > 0)
		json = json_loadb(hidden.text, hidden.len, flags, error);
	else
		json = json_loadb(text, len, flags, error);
	str_fini(&hidden);
	return json;
}

/* Turns marked strings back into numbers.  A quote inside a string has a backslash before it, and
 * a key has a colon behind it: neither is taken for a marked value. */
static void
show(char *text)
{
	char *from = text;
	char *to = text;
	char *hit;

	while ((hit = strstr(from, "\"" MARK)) != NULL) {
		char *digits = hit + 1 + MARK_LEN;
		size_t n = strspn(digits, "0123456789");
		size_t before = (size_t)(hit - from);
		bool wide = hit > text && hit[-1] != '\\' && form_of(digits, n) == WIDE &&
			    digits[n] == '"' && digits[n + 1] != ':';

		memmove(to, from, before);
		to += before;
		if (wide) {
			memmove(to, digits, n);
			to += n;
			from = digits + n + 1;
		} else {
			*to++ = '"';
			from = hit + 1;
		}
	}
	memmove(to, from, strlen(from) + 1);
}

char *
wide_dumps(const json_t *json, size_t flags)
{
	char *text = json_dumps(json, flags);

	if (text != NULL)
		show(text);
	return text;
}

json_t *
wide_json(uint64_t value)
{
	if (value <= INT64_MAX)
		return json_integer((json_int_t)value);
	return json_sprintf(MARK "%" PRIu64, value);
}

bool
wide_is(const json_t *json)
{
	const char *text = json_string_value(json);

	return text != NULL && strncmp(text, MARK, MARK_LEN) == 0 &&
	       form_of(text + MARK_LEN, strlen(text + MARK_LEN)) == WIDE;
}

bool
wide_u64(const json_t *json, uint64_t *value)
{
	if (json_is_integer(json) && json_integer_value(json) >= 0) {
		*value = (uint64_t)json_integer_value(json);
		return true;
	}
	if (!wide_is(json))
		return false;
	*value = strtoull(json_string_value(json) + MARK_LEN, NULL, 10);
	return true;
}
