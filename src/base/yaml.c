/* SPDX-License-Identifier: MIT */
#include "yaml.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "str.h"
#include "units.h"
#include "yaml_tree.h"

/* Limits of what one message quotes, so that it always fits struct err as a whole: at most
 * 200 + 30 + 340 + 4 * 72 + 6 + 75 bytes. */
#define QUOTE_NAME 200
#define QUOTE_MSG 340
#define QUOTE_COLS 72
#define QUOTE_LEAD 48 /* columns kept before the caret when a line has to be cut */

static bool
is_continuation(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

static size_t
count_chars(const char *text, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++)
		n += !is_continuation(text[i]);
	return n;
}

/* Bytes of the first 'chars' characters of 'text'. */
static size_t
skip_chars(const char *text, size_t len, size_t chars)
{
	size_t i = 0;

	while (i < len && chars-- > 0)
		for (i++; i < len && is_continuation(text[i]);)
			i++;
	return i;
}

/* Adds text that came from outside: a terminal must not obey it. */
static void
add_clean(struct str *out, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		str_addn(out, (c < 0x20 && c != '\t') || c == 0x7f ? "?" : text + i, 1);
	}
}

static void
add_message(struct str *out, const char *msg)
{
	size_t len = strlen(msg);

	if (len <= QUOTE_MSG) {
		add_clean(out, msg, len);
		return;
	}
	for (len = QUOTE_MSG - 3; len > 0 && is_continuation(msg[len]);)
		len--;
	add_clean(out, msg, len);
	str_addf(out, "...");
}

static void
add_name(struct str *out, const char *name)
{
	size_t len = strlen(name);

	if (len > QUOTE_NAME) {
		str_addf(out, "...");
		name += len - (QUOTE_NAME - 3);
		while (is_continuation(*name))
			name++;
	}
	add_clean(out, name, strlen(name));
}

/* Adds a line of 'len' bytes and below it the underline of 'n_chars' characters from 'col' on. */
static void
add_source(struct str *out, const char *line, size_t len, size_t col, size_t n_chars)
{
	size_t chars = count_chars(line, len);
	size_t first = chars > QUOTE_COLS && col > QUOTE_LEAD ? col - QUOTE_LEAD : 0;
	size_t from = skip_chars(line, len, first);
	size_t shown = skip_chars(line + from, len - from, QUOTE_COLS);
	size_t caret = from + skip_chars(line + from, len - from, col - first);

	str_addf(out, "\n%s", first > 0 ? "..." : "");
	add_clean(out, line + from, shown);
	str_addf(out, "%s\n%s", from + shown < len ? "..." : "", first > 0 ? "   " : "");
	for (size_t i = from; i < caret; i++)
		if (!is_continuation(line[i]))
			str_addn(out, line[i] == '\t' ? "\t" : " ", 1);
	str_addn(out, "^", 1);
	for (size_t i = 1; i < n_chars && col - first + i < QUOTE_COLS; i++)
		str_addn(out, "~", 1);
}

/* The line around an offset. */
struct place {
	size_t at;    /* the offset itself */
	size_t line;  /* its number, from 1 */
	size_t start; /* offset of its first byte */
	size_t end;   /* offset behind its last byte, without the line break */
};

static struct place
locate(const struct yaml *doc, size_t at)
{
	const char *text = doc->text;
	struct place p = {.at = at, .line = 1};

	/* The end of the file is shown as the end of its last line with something on it. */
	if (at >= doc->len)
		for (p.at = doc->len; p.at > 0 && strchr("\r\n", text[p.at - 1]) != NULL;)
			p.at--;
	for (size_t i = 0; i < p.at; i++)
		if (text[i] == '\n') {
			p.line++;
			p.start = i + 1;
		}
	for (p.end = p.at; p.end < doc->len && text[p.end] != '\n';)
		p.end++;
	if (p.end > p.at && text[p.end - 1] == '\r')
		p.end--;
	return p;
}

size_t
yaml_line(const struct yaml *doc, size_t at)
{
	return locate(doc, at).line;
}

int
yaml_report(const struct yaml *doc, size_t at, size_t span, struct err *err, const char *msg)
{
	struct place p = locate(doc, at);
	size_t col = count_chars(doc->text + p.start, p.at - p.start);
	struct str out = {0};

	span = span < p.end - p.at ? span : p.end - p.at;
	add_name(&out, doc->name);
	str_addf(&out, ":%zu:%zu: error: ", p.line, col + 1);
	add_message(&out, msg);
	add_source(&out, doc->text + p.start, p.end - p.start, col,
		   count_chars(doc->text + p.at, span));
	err_usage(err, "%s", str_text(&out));
	str_fini(&out);
	return -EINVAL;
}

int
yaml_error(const struct yaml *doc, const struct yaml_node *node, struct err *err, const char *fmt,
	   ...)
{
	va_list ap;
	char *msg;
	int rc;

	va_start(ap, fmt);
	msg = xvasprintf(fmt, ap);
	va_end(ap);
	rc = yaml_report(doc, node ? node->at : 0, node ? node->span : 1, err, msg);
	free(msg);
	return rc;
}

/* ---- reading the tree ---- */

struct yaml_node *
yaml_root(const struct yaml *doc)
{
	return doc->root;
}

bool
yaml_is_map(const struct yaml_node *node)
{
	return node != NULL && node->kind == YAML_MAP;
}

bool
yaml_is_list(const struct yaml_node *node)
{
	return node != NULL && node->kind == YAML_LIST;
}

bool
yaml_is_scalar(const struct yaml_node *node)
{
	return node != NULL && node->kind == YAML_SCALAR;
}

bool
yaml_is_null(const struct yaml_node *node)
{
	static const char *const words[] = {"", "~", "null", "Null", "NULL"};

	if (!yaml_is_scalar(node) || !node->plain)
		return false;
	for (size_t i = 0; i < N_ELEMS(words); i++)
		if (strcmp(node->text, words[i]) == 0)
			return true;
	return false;
}

const char *
yaml_text(const struct yaml *doc, const struct yaml_node *node)
{
	(void)doc;
	return yaml_is_scalar(node) ? node->text : NULL;
}

struct yaml_node *
yaml_get(const struct yaml_node *map, const char *key)
{
	if (yaml_is_map(map))
		for (uint32_t i = 0; i + 1 < map->n; i += 2)
			if (strcmp(map->items[i]->text, key) == 0)
				return map->items[i + 1];
	return NULL;
}

size_t
yaml_length(const struct yaml_node *node)
{
	if (node == NULL)
		return 0;
	return node->kind == YAML_MAP ? node->n / 2 : node->n;
}

struct yaml_node *
yaml_item(const struct yaml_node *list, size_t i)
{
	return yaml_is_list(list) && i < list->n ? list->items[i] : NULL;
}

const char *
yaml_key(const struct yaml *doc, const struct yaml_node *map, size_t i)
{
	(void)doc;
	return yaml_is_map(map) && i < map->n / 2 ? map->items[2 * i]->text : NULL;
}

struct yaml_node *
yaml_value(const struct yaml_node *map, size_t i)
{
	return yaml_is_map(map) && i < map->n / 2 ? map->items[2 * i + 1] : NULL;
}

int
yaml_check_keys(const struct yaml *doc, const struct yaml_node *map, const char *const *keys,
		struct err *err)
{
	size_t n = 0;

	while (keys[n] != NULL)
		n++;
	for (size_t i = 0; i < yaml_length(map) && yaml_is_map(map); i++) {
		const struct yaml_node *key = map->items[2 * i];
		const char *nearest;
		size_t k = 0;

		while (k < n && strcmp(keys[k], key->text) != 0)
			k++;
		if (k < n)
			continue;
		nearest = strlen(key->text) < 64 ? str_nearest(key->text, keys, n) : NULL;
		return yaml_error(doc, key, err, "unknown key '%.100s'%s%s%s", key->text,
				  nearest ? " (did you mean '" : "", nearest ? nearest : "",
				  nearest ? "'?)" : "");
	}
	return 0;
}

int
yaml_get_text(const struct yaml *doc, const struct yaml_node *map, const char *key,
	      const char **value, struct err *err)
{
	const struct yaml_node *node = yaml_get(map, key);

	if (node == NULL)
		return 0;
	if (!yaml_is_scalar(node) || yaml_is_null(node))
		return yaml_error(doc, node, err, "'%s' must be a text", key);
	*value = node->text;
	return 0;
}

int
yaml_get_uint(const struct yaml *doc, const struct yaml_node *map, const char *key, uint64_t min,
	      uint64_t max, uint64_t *value, struct err *err)
{
	const struct yaml_node *node = yaml_get(map, key);

	if (node == NULL)
		return 0;
	if (yaml_is_scalar(node) && node->plain &&
	    uint_parse(node->text, min, max, value, NULL) == 0)
		return 0;
	if (max < UINT64_MAX)
		return yaml_error(doc, node, err,
				  "'%s' must be an integer from %" PRIu64 " to %" PRIu64, key, min,
				  max);
	if (min > 1)
		return yaml_error(doc, node, err, "'%s' must be an integer of at least %" PRIu64,
				  key, min);
	return yaml_error(doc, node, err, "'%s' must be %s", key,
			  min == 1 ? "a positive integer" : "an integer, 0 or more");
}

int
yaml_get_bool(const struct yaml *doc, const struct yaml_node *map, const char *key, bool *value,
	      struct err *err)
{
	static const char *const words[] = {"false", "true", "False", "True", "FALSE", "TRUE"};
	const struct yaml_node *node = yaml_get(map, key);

	if (node == NULL)
		return 0;
	for (size_t i = 0; yaml_is_scalar(node) && node->plain && i < N_ELEMS(words); i++)
		if (strcmp(node->text, words[i]) == 0) {
			*value = i % 2 == 1;
			return 0;
		}
	return yaml_error(doc, node, err, "'%s' must be true or false", key);
}
