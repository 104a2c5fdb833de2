/* SPDX-License-Identifier: MIT */
/* The tree is built from libfyaml's events rather than taken from its documents: so an alias, a tag
 * or the 33rd level of nesting is refused where it stands, before anything has been spent on it. */
#include <errno.h>
#include <fcntl.h>
#include <libfyaml.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mem.h"
#include "yaml.h"
#include "yaml_tree.h"

struct builder {
	struct yaml *doc;
	struct fy_parser *parser;
	struct fy_diag *diag;
	struct yaml_node *stack[YAML_MAX_DEPTH]; /* open collections, the outermost first */
	unsigned depth;
	unsigned n_docs;
	size_t last; /* offset behind the last event, for what has no place of its own */
	struct err *err;
};

static int
refuse(struct builder *b, size_t at, size_t span, const char *msg)
{
	return yaml_report(b->doc, at, span, b->err, msg);
}

static struct yaml_node *
node_new(enum yaml_kind kind, const char *text, size_t len)
{
	struct yaml_node *node = xcalloc(1, sizeof(*node) + len + 1);

	node->kind = kind;
	if (len > 0)
		memcpy(node->text, text, len);
	return node;
}

static struct yaml_node *
builder_top(struct builder *b)
{
	return b->depth > 0 ? b->stack[b->depth - 1] : NULL;
}

/* Does the next node become a key? */
static bool
expects_key(struct builder *b)
{
	const struct yaml_node *top = builder_top(b);

	return top != NULL && top->kind == YAML_MAP && top->n % 2 == 0;
}

/* Puts a node where it belongs at once, so that closing the document always frees it. */
static void
attach(struct builder *b, struct yaml_node *node)
{
	struct yaml_node *top = builder_top(b);

	if (top == NULL) {
		b->doc->root = node;
		return;
	}
	if (top->n == top->room) {
		top->room = top->room ? 2 * top->room : 4;
		top->items = xrealloc(top->items, top->room, sizeof(struct yaml_node *));
	}
	top->items[top->n++] = node;
}

static bool
is_quoted(struct fy_event *ev)
{
	enum fy_node_style style = fy_event_get_node_style(ev);

	return style == FYNS_SINGLE_QUOTED || style == FYNS_DOUBLE_QUOTED;
}

/* Does the node stand anywhere in the text?  For "cores:" with nothing behind it libfyaml has a
 * scalar without marks (0.7), or with marks around nothing (since 0.8). */
static bool
is_written(const struct yaml_node *node, struct fy_event *ev)
{
	const struct fy_mark *start = fy_event_start_mark(ev), *end = fy_event_end_mark(ev);

	if (start == NULL || node->kind != YAML_SCALAR || is_quoted(ev))
		return start != NULL;
	return end == NULL || end->input_pos > start->input_pos;
}

/* Sets where the node is and what of it to underline. */
static void
place_node(struct builder *b, struct yaml_node *node, struct fy_event *ev)
{
	const struct fy_mark *start = fy_event_start_mark(ev), *end = fy_event_end_mark(ev);
	const struct yaml_node *top = builder_top(b);

	node->at = (uint32_t)b->last;
	node->span = 1;
	if (is_written(node, ev)) {
		node->at = (uint32_t)start->input_pos;
		if (node->kind == YAML_SCALAR && end != NULL && end->input_pos > start->input_pos)
			node->span = (uint32_t)(end->input_pos - start->input_pos);
	} else if (top != NULL && top->kind == YAML_MAP && top->n % 2 == 1) {
		/* A value that is missing is best shown as its key. */
		node->at = top->items[top->n - 1]->at;
		node->span = top->items[top->n - 1]->span;
	}
	if (is_quoted(ev) && node->at > 0) {
		node->at--;
		node->span +=
			start != NULL && end != NULL && end->input_pos > start->input_pos ? 2 : 1;
	}
}

/* The name behind the core schema's prefix, NULL for any other tag. */
static const char *
core_tag(const char *tag)
{
	static const char prefix[] = "tag:yaml.org,2002:";

	if (strcmp(tag, "!") == 0)
		return "";
	return strncmp(tag, prefix, sizeof(prefix) - 1) == 0 ? tag + sizeof(prefix) - 1 : NULL;
}

static bool
tag_fits(const char *tag, enum yaml_kind kind)
{
	static const char *const scalars[] = {"str", "int", "float", "bool", "null"};
	const char *name = core_tag(tag);

	if (name == NULL)
		return false;
	if (name[0] == '\0')
		return true;
	if (kind != YAML_SCALAR)
		return strcmp(name, kind == YAML_MAP ? "map" : "seq") == 0;
	for (size_t i = 0; i < N_ELEMS(scalars); i++)
		if (strcmp(name, scalars[i]) == 0)
			return true;
	return false;
}

static int
check_anchor(struct builder *b, struct fy_event *ev)
{
	struct fy_token *anchor = fy_event_get_anchor_token(ev);
	const struct fy_mark *mark;

	if (anchor == NULL)
		return 0;
	mark = fy_token_start_mark(anchor);
	return refuse(b, mark && mark->input_pos > 0 ? mark->input_pos - 1 : b->last,
		      1 + fy_token_get_text_length(anchor), "anchors are not supported");
}

/* Refuses tags beyond the core schema; '*plain' becomes false where a tag says text. */
static int
check_tag(struct builder *b, struct fy_event *ev, enum yaml_kind kind, bool *plain)
{
	struct fy_token *token = fy_event_get_tag_token(ev);
	const struct fy_mark *mark;
	const char *tag;
	char msg[200];

	if (token == NULL)
		return 0;
	tag = fy_token_get_text0(token);
	if (tag != NULL && tag_fits(tag, kind)) {
		if (tag[strlen(tag) - 1] == '!' || strcmp(core_tag(tag), "str") == 0)
			*plain = false;
		return 0;
	}
	mark = fy_token_start_mark(token);
	snprintf(msg, sizeof(msg), "tag '%.100s' is not supported here", tag ? tag : "");
	return refuse(b, mark ? mark->input_pos : b->last, 1, msg);
}

static int
take_scalar(struct builder *b, struct fy_event *ev)
{
	bool plain = fy_event_get_node_style(ev) == FYNS_PLAIN || ev->scalar.value == NULL;
	struct yaml_node *node;
	const char *text = NULL;
	size_t len = 0;
	bool is_key = expects_key(b);
	int rc;

	rc = check_tag(b, ev, YAML_SCALAR, &plain);
	if (rc < 0)
		return rc;
	if (ev->scalar.value != NULL)
		text = fy_token_get_text(ev->scalar.value, &len);
	node = node_new(YAML_SCALAR, text, text != NULL ? len : 0);
	node->plain = plain;
	place_node(b, node, ev);
	attach(b, node);
	if (text == NULL && ev->scalar.value != NULL)
		return refuse(b, node->at, node->span, "this text cannot be read");
	if (strlen(node->text) != (text != NULL ? len : 0))
		return refuse(b, node->at, node->span, "text must not contain the character NUL");
	if (is_key && plain && len == 0)
		return refuse(b, node->at, node->span, "a key is missing here");
	return 0;
}

static int
take_collection(struct builder *b, struct fy_event *ev, enum yaml_kind kind)
{
	bool is_key = expects_key(b), plain = false;
	struct yaml_node *node;
	int rc;

	rc = check_tag(b, ev, kind, &plain);
	if (rc < 0)
		return rc;
	node = node_new(kind, NULL, 0);
	node->flow = fy_event_get_node_style(ev) == FYNS_FLOW;
	place_node(b, node, ev);
	attach(b, node);
	if (is_key)
		return refuse(b, node->at, 1, "a key must be a word, not a list or a map");
	if (b->depth == YAML_MAX_DEPTH) {
		char msg[64];

		snprintf(msg, sizeof(msg), "nested deeper than %d levels", YAML_MAX_DEPTH);
		return refuse(b, node->at, 1, msg);
	}
	b->stack[b->depth++] = node;
	return 0;
}

static int
compare_keys(const void *a, const void *b)
{
	const struct yaml_node *const *x = a, *const *y = b;
	int diff = strcmp((*x)->text, (*y)->text);

	return diff != 0 ? diff : ((*x)->at > (*y)->at) - ((*x)->at < (*y)->at);
}

/* Refuses a map that has the same key twice; by sorting, since a hostile file could have 100 000
 * keys. */
static int
check_duplicates(struct builder *b, const struct yaml_node *map)
{
	size_t n = map->n / 2;
	const struct yaml_node **keys = xcalloc(n + 1, sizeof(*keys));
	int rc = 0;

	for (size_t i = 0; i < n; i++)
		keys[i] = map->items[2 * i];
	qsort(keys, n, sizeof(*keys), compare_keys);
	for (size_t i = 1; i < n && rc == 0; i++)
		if (strcmp(keys[i - 1]->text, keys[i]->text) == 0)
			rc = yaml_error(b->doc, keys[i], b->err,
					"key '%.100s' was already given in line %zu", keys[i]->text,
					yaml_line(b->doc, keys[i - 1]->at));
	free(keys);
	return rc;
}

static int
take_event(struct builder *b, struct fy_event *ev)
{
	const struct fy_mark *mark = fy_event_start_mark(ev);
	size_t at = mark != NULL ? mark->input_pos : b->last;
	int rc = check_anchor(b, ev);

	if (rc < 0)
		return rc;
	switch (ev->type) {
	case FYET_DOCUMENT_START:
		return b->n_docs++ == 0 ? 0 : refuse(b, at, 3, "a second document starts here");
	case FYET_ALIAS:
		return refuse(b, at > 0 ? at - 1 : 0, 1, "aliases are not supported");
	case FYET_SCALAR:
		return take_scalar(b, ev);
	case FYET_SEQUENCE_START:
		return take_collection(b, ev, YAML_LIST);
	case FYET_MAPPING_START:
		return take_collection(b, ev, YAML_MAP);
	case FYET_SEQUENCE_END:
		b->depth--;
		return 0;
	case FYET_MAPPING_END:
		return check_duplicates(b, b->stack[--b->depth]);
	default:
		return 0;
	}
}

/* Offset of the first byte that a complaint is about. */
static size_t
offset_of(const struct yaml *doc, const struct fy_diag_error *e)
{
	const struct fy_mark *mark = e->fyt != NULL ? fy_token_start_mark(e->fyt) : NULL;
	size_t at = 0;

	if (mark != NULL) {
		at = mark->input_pos;
		/* The token of a text in quotes begins behind them. */
		return at > 0 && strstr(e->msg, "quoted scalar") != NULL ? at - 1 : at;
	}
	for (int line = e->line; line > 1 && at < doc->len; at++)
		line -= doc->text[at] == '\n';
	return at;
}

/* Reports the first of the parser's complaints. */
static int
report_syntax(struct builder *b)
{
	const struct yaml_node *top = builder_top(b);
	const struct fy_diag_error *e;
	void *iter = NULL;
	size_t at;

	e = fy_diag_errors_iterate(b->diag, &iter);
	if (e == NULL)
		return refuse(b, b->last, 1, "not valid YAML from here on");
	at = offset_of(b->doc, e);
	/* A bracket that is never closed is noticed at the end of the file: show the bracket. */
	if (at >= b->doc->len && top != NULL && top->flow)
		return refuse(b, top->at, 1, "this bracket is never closed");
	return refuse(b, at, 1, e->msg);
}

static int
take_events(struct builder *b)
{
	struct fy_event *ev;
	int rc = 0;

	while (rc == 0 && (ev = fy_parser_parse(b->parser)) != NULL) {
		const struct fy_mark *end = fy_event_end_mark(ev);

		rc = take_event(b, ev);
		if (end != NULL)
			b->last = end->input_pos;
		fy_parser_event_free(b->parser, ev);
	}
	if (rc == 0 && (fy_parser_get_stream_error(b->parser) || b->depth > 0))
		rc = report_syntax(b);
	if (rc == 0 && b->doc->root == NULL) {
		b->doc->root = node_new(YAML_SCALAR, NULL, 0);
		b->doc->root->plain = true;
	}
	return rc;
}

static int
build(struct yaml *doc, struct err *err)
{
	struct fy_diag_cfg diag_cfg;
	struct fy_parse_cfg cfg = {.flags = FYPCF_QUIET | FYPCF_COLLECT_DIAG | FYPCF_JSON_NONE |
					    FYPCF_DEFAULT_VERSION_1_2};
	struct builder b = {.doc = doc, .err = err};
	int rc;

	fy_diag_cfg_default(&diag_cfg);
	diag_cfg.fp = NULL;
	diag_cfg.colorize = false;
	b.diag = cfg.diag = fy_diag_create(&diag_cfg);
	if (b.diag != NULL) {
		fy_diag_set_collect_errors(b.diag, true);
		b.parser = fy_parser_create(&cfg);
	}
	if (b.parser == NULL || fy_parser_set_string(b.parser, doc->text, doc->len) < 0)
		rc = err_set(err, ENOMEM, "%s: no memory to read it", doc->name);
	else
		rc = take_events(&b);
	fy_parser_destroy(b.parser);
	fy_diag_destroy(b.diag);
	return rc;
}

/* ---- text ---- */

/* Bytes of the UTF-8 character at 's', 0 when it is none that a text file may have. */
static size_t
char_size(const unsigned char *s, size_t len)
{
	static const uint32_t lowest[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t n = s[0] < 0x80 ? 1 : s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : s[0] >= 0xc0 ? 2 : 0;
	uint32_t c = n == 1 ? s[0] : s[0] & (0x7fu >> n);

	if (n == 0 || n > len || s[0] >= 0xf8)
		return 0;
	for (size_t i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 0x3f);
	}
	if (c < lowest[n] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
		return 0;
	if (c < 0x20 ? strchr("\t\n\r", (int)c) == NULL || c == 0
		     : c >= 0x7f && c < 0xa0 && c != 0x85)
		return 0;
	return n;
}

/* libfyaml reads past bytes that are not text without a word, so they are looked for first. */
static int
check_text(const struct yaml *doc, struct err *err)
{
	size_t n;
	char msg[64];

	for (size_t i = 0; i < doc->len; i += n) {
		const unsigned char *s = (const unsigned char *)doc->text + i;

		n = char_size(s, doc->len - i);
		if (n > 0)
			continue;
		snprintf(msg, sizeof(msg), "byte 0x%02x here is not text in UTF-8", s[0]);
		return yaml_report(doc, i, 1, err, msg);
	}
	return 0;
}

int
yaml_parse(struct yaml **doc, const char *name, const char *text, size_t len, struct err *err)
{
	struct yaml *d;
	int rc;

	*doc = NULL;
	if (len > YAML_MAX_BYTES)
		return err_usage(err, "%s: larger than %u bytes", name, YAML_MAX_BYTES);
	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
		text += 3;
		len -= 3;
	}
	d = xcalloc(1, sizeof(*d));
	d->name = xstrdup(name);
	d->text = xcalloc(1, len + 1);
	d->len = len;
	if (len > 0)
		memcpy(d->text, text, len);
	rc = check_text(d, err);
	if (rc == 0)
		rc = build(d, err);
	if (rc < 0)
		yaml_close(d);
	else
		*doc = d;
	return rc;
}

/* Reads up to 'size' bytes, however many reads that takes; the length or -errno. */
static ssize_t
read_all(int fd, char *buf, size_t size)
{
	size_t len = 0;

	while (len < size) {
		ssize_t n = read(fd, buf + len, size - len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		len += (size_t)n;
	}
	return (ssize_t)len;
}

int
yaml_open(struct yaml **doc, const char *path, struct err *err)
{
	size_t size = YAML_MAX_BYTES + 1; /* one more tells a file that is too large */
	char *buf;
	ssize_t len;
	int fd, rc;

	*doc = NULL;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	buf = xcalloc(1, size);
	len = fd < 0 ? -errno : read_all(fd, buf, size);
	if (fd >= 0)
		close(fd);
	if (len < 0) {
		err_usage(err, "%s: %s", path, strerror((int)-len));
		rc = (int)len;
	} else {
		rc = yaml_parse(doc, path, buf, (size_t)len, err);
	}
	free(buf);
	return rc;
}

static void
node_free(struct yaml_node *node)
{
	if (node == NULL)
		return;
	for (uint32_t i = 0; i < node->n; i++)
		node_free(node->items[i]);
	free(node->items);
	free(node);
}

void
yaml_close(struct yaml *doc)
{
	if (doc == NULL)
		return;
	node_free(doc->root);
	free(doc->name);
	free(doc->text);
	free(doc);
}
