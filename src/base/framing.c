/* SPDX-License-Identifier: MIT */
#include "framing.h"

#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define ESCAPE 0x10
#define ESCAPED_RESYNC 'X'
#define ESCAPED_ESCAPE 'P'

static bool
is_special(char c)
{
	return c == FRAMING_RESYNC || c == ESCAPE;
}

void
framing_add(struct str *out, char kind, uint32_t id, const void *body, size_t len)
{
	const char *at = body;

	assert(len <= FRAMING_MAX_BODY);
	str_addf(out, "%c %u %zu\n", kind, id, len);
	for (size_t done = 0; done < len;) {
		size_t plain = done;

		while (plain < len && !is_special(at[plain]))
			plain++;
		str_addn(out, at + done, plain - done);
		if (plain < len) {
			char pair[2] = {ESCAPE,
					at[plain] == ESCAPE ? ESCAPED_ESCAPE : ESCAPED_RESYNC};

			str_addn(out, pair, 2);
			plain++;
		}
		done = plain;
	}
}

/* Reads a decimal number without sign or leading zeros at '*at'; false when there is none. */
static bool
read_number(const char **at, uint32_t max, uint32_t *value)
{
	const char *s = *at;
	uint64_t n = 0;

	if (!isdigit((unsigned char)*s) || (*s == '0' && isdigit((unsigned char)s[1])))
		return false;
	for (; isdigit((unsigned char)*s); s++) {
		n = 10 * n + (uint64_t)(*s - '0');
		if (n > max)
			return false;
	}
	*value = (uint32_t)n;
	*at = s;
	return true;
}

bool
framing_number(const struct frame *frame, uint32_t max, uint32_t *value)
{
	const char *at = frame->body;
	uint32_t n;

	if (!read_number(&at, max, &n) || at != frame->body + frame->len)
		return false;
	*value = n;
	return true;
}

/* "q 17 230" */
static bool
parse_head(struct framing *f)
{
	const char *at = f->head + 2;
	uint32_t len = 0;

	f->head[f->head_len] = '\0';
	if (!islower((unsigned char)f->head[0]) || f->head[1] != ' ')
		return false;
	f->frame.kind = f->head[0];
	if (!read_number(&at, UINT32_MAX, &f->frame.id) || *at++ != ' ')
		return false;
	if (!read_number(&at, FRAMING_MAX_BODY, &len) || *at != '\0')
		return false;
	f->want = len;
	return true;
}

static void
begin(struct framing *f)
{
	f->head_len = 0;
	f->in_body = f->is_escaped = f->is_lost = false;
	f->body.len = 0;
}

/* What is known of the frame once its body has 'want' bytes. */
static enum framing_event
complete(struct framing *f)
{
	str_addn(&f->body, "", 0);
	f->frame.body = f->body.text;
	f->frame.len = f->body.len;
	f->in_body = false;
	f->head_len = 0;
	return FRAMING_FRAME;
}

static enum framing_event
lose(struct framing *f)
{
	f->is_lost = true;
	return FRAMING_LOST;
}

static enum framing_event
read_head(struct framing *f, char c)
{
	if (c != '\n') {
		if (f->head_len + 1 == sizeof(f->head))
			return lose(f);
		f->head[f->head_len++] = c;
		return FRAMING_MORE;
	}
	if (f->head_len < 2 || !parse_head(f))
		return lose(f);
	f->body.len = 0;
	f->in_body = true;
	return f->want == 0 ? complete(f) : FRAMING_MORE;
}

static enum framing_event
read_escaped(struct framing *f, char c)
{
	char plain = c == ESCAPED_ESCAPE ? ESCAPE : FRAMING_RESYNC;

	if (c != ESCAPED_ESCAPE && c != ESCAPED_RESYNC)
		return lose(f);
	f->is_escaped = false;
	str_addn(&f->body, &plain, 1);
	return f->body.len == f->want ? complete(f) : FRAMING_MORE;
}

/* Takes as much of a body as stands there without a special byte. */
static enum framing_event
read_body(struct framing *f, const char **data, size_t *len)
{
	size_t room = f->want - f->body.len, n = 0;

	if (f->is_escaped) {
		(*len)--;
		return read_escaped(f, *(*data)++);
	}
	while (n < *len && n < room && !is_special((*data)[n]))
		n++;
	str_addn(&f->body, *data, n);
	*data += n;
	*len -= n;
	if (n == room)
		return complete(f);
	if (*len > 0 && **data == ESCAPE) {
		f->is_escaped = true;
		(*data)++;
		(*len)--;
	}
	return FRAMING_MORE;
}

enum framing_event
framing_read(struct framing *f, const char **data, size_t *len)
{
	while (*len > 0) {
		enum framing_event event = FRAMING_MORE;

		if (**data == FRAMING_RESYNC) {
			(*data)++;
			(*len)--;
			begin(f);
			return FRAMING_RESTART;
		}
		if (f->in_body && !f->is_lost) {
			event = read_body(f, data, len);
		} else {
			char c = *(*data)++;

			(*len)--;
			if (!f->is_lost)
				event = read_head(f, c);
		}
		if (event != FRAMING_MORE)
			return event;
	}
	return FRAMING_MORE;
}

void
framing_fini(struct framing *f)
{
	if (f == NULL)
		return;
	str_fini(&f->body);
	*f = (struct framing){0};
}
