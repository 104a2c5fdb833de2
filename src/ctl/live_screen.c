/* SPDX-License-Identifier: MIT */
#include "live_screen.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "live_view.h"
#include "screen.h"
#include "session.h"

#define KEYS "q quit  + - rate by 10 %  space pause  s stop  c clear  : a line of the console"
#define MESSAGE_S 6 /* for how long one is shown */
#define KEY_ESCAPE 27

struct top {
	const struct live_screen *s;
	struct live_sample now, base;
	struct live_history history;
	char message[256];
	uint64_t message_ns; /* when it came; 0: there is none */
	bool quit;
};

static void
say(struct top *t, const char *text)
{
	const char *end = strchr(text, '\n');

	/* What a verb says fits a line, or its first does. */
	str_copy(t->message, sizeof(t->message), text);
	if (end != NULL && (size_t)(end - text) < sizeof(t->message))
		t->message[end - text] = '\0';
	t->message_ns = t->message[0] != '\0' ? clock_now_ns() : 0;
}

/* ---- what keys do ---- */

static int
take_ports(struct console *c, struct err *err)
{
	int rc = 0;

	c->read_only = false;
	for (unsigned i = 0; rc == 0 && i < stl_ports(c->stl); i++)
		if (!stl_owns(c->stl, i))
			rc = stl_acquire(c->stl, i, c->force, err);
	return rc;
}

/* A line of the console; what it prints becomes the message, for stdout is a screen now. */
static void
do_line(struct top *t, const char *line)
{
	FILE *terminal = stdout, *memory;
	struct err err = {0};
	char *text = NULL;
	size_t size = 0;
	int rc = take_ports(t->s->console, &err);

	memory = open_memstream(&text, &size);
	if (rc == 0 && memory != NULL) {
		stdout = memory;
		rc = console_line(t->s->console, line, &err);
		stdout = terminal;
	}
	if (memory != NULL)
		fclose(memory);
	if (rc < 0)
		say(t, err.msg);
	else if (text != NULL)
		say(t, text);
	t->quit = rc == CONSOLE_QUIT;
	free(text);
}

static bool
is_paused(const struct top *t)
{
	for (size_t i = 0; i < t->now.n_ports; i++)
		if (strcmp(t->now.port[i].state, "PAUSE") == 0)
			return true;
	return false;
}

static void
ask_line(struct top *t)
{
	char *line = screen_line(": ");

	if (line != NULL && line[0] != '\0')
		do_line(t, line);
	free(line);
}

static void
clear(struct top *t)
{
	t->base = t->now;
	say(t, "counting from here on");
}

static void
do_key(struct top *t, int key)
{
	switch (key) {
	case 'q':
	case KEY_ESCAPE:
		t->quit = true;
		return;
	case '+':
	case '=':
		do_line(t, "update -m 10%+");
		return;
	case '-':
		do_line(t, "update -m 10%-");
		return;
	case ' ':
	case 'p':
		do_line(t, is_paused(t) ? "resume" : "pause");
		return;
	case 's':
		do_line(t, "stop");
		return;
	case 'c':
		clear(t);
		return;
	case ':':
		ask_line(t);
		return;
	default:
		return;
	}
}

/* ---- the screen ---- */

static void
draw(struct top *t)
{
	unsigned cols, rows;
	char clock[16], *text;
	time_t seconds = time(NULL);
	struct live_sample grown;
	struct tm when;
	struct live_view v = {.title = t->s->title,
			      .clock = clock,
			      .now = &grown,
			      .history = &t->history,
			      .message = "",
			      .keys = KEYS,
			      .colours = t->s->colours};

	live_since(&grown, &t->now, &t->base);
	strftime(clock, sizeof(clock), "%H:%M:%S", localtime_r(&seconds, &when));
	v.base_s = (double)(t->now.at_ns - t->base.at_ns) / NSEC_PER_S;
	if (t->message_ns != 0 && clock_now_ns() - t->message_ns < MESSAGE_S * NSEC_PER_S)
		v.message = t->message;
	screen_size(&cols, &rows);
	text = live_view_text(&v, cols, rows);
	screen_draw(text);
	free(text);
}

static int
sample(struct top *t, struct err *err)
{
	int rc = live_read(t->s->live, t->s->console->stl, &t->now, err);

	if (rc < 0)
		return rc;
	live_remember(&t->history, &t->now);
	/* A hop that is first heard of now counts from now on. */
	for (size_t i = 0; i < t->now.n_hops; i++)
		if (!t->base.hop[i].known)
			t->base.hop[i] = t->now.hop[i];
	return 0;
}

/* Events are messages too. */
static struct top *hearing;

static void
hear(const char *line)
{
	say(hearing, line);
}

static int
turn(struct top *t, struct err *err)
{
	const uint64_t next = clock_now_ns() + (uint64_t)t->s->every_ms * NSEC_PER_MS;
	int rc = console_tick(t->s->console, hear, err);

	if (rc == 0)
		rc = sample(t, err);
	while (rc == 0 && !t->quit && !session_stop && clock_now_ns() < next) {
		int key;

		draw(t);
		key = screen_key((int)((next - clock_now_ns()) / NSEC_PER_MS) + 1);
		if (key != 0)
			do_key(t, key);
		if (t->s->console->stl == NULL)
			rc = err_set(err, ENOTCONN, "the generator is gone");
	}
	return rc;
}

int
live_screen(const struct live_screen *s, struct err *err)
{
	struct top *t = xcalloc(1, sizeof(*t));
	int rc;

	t->s = s;
	hearing = t;
	rc = sample(t, err);
	t->base = t->now;
	if (rc == 0)
		rc = screen_open(err);
	while (rc == 0 && !t->quit && !session_stop)
		rc = turn(t, err);
	screen_close();
	free(t);
	return rc;
}
