/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "base/err.h"
#include "base/opt.h"
#include "chain/stl.h"
#include "profile_places.h"

/* A console for a stateless TRex server, ours or a real one, with the verbs, flags and words of
 * TRex's own: a line comes in, text goes to stdout.  How lines come, and what a terminal does
 * besides, is cmd_console.c's business. */

#define CONSOLE_PORTS 16
#define CONSOLE_QUIT 2 /* returned by console_line: the user has had enough */

struct console {
	char *at;	 /* the server's endpoint */
	bool force;	 /* take ports from their owners */
	bool read_only;	 /* take none */
	struct stl *stl; /* NULL while there is none to talk to */
	struct profile_places places;
	json_t *base[CONSOLE_PORTS]; /* get_port_stats when they were last cleared, or NULL */
};

/* Connects, and takes all ports that nobody has (with 'force' all, with 'read_only' none). */
int console_connect(struct console *c, struct err *err);
void console_fini(struct console *c);

/* Does what the line says: 0, CONSOLE_QUIT, or negative with a sentence.  Ctrl-C (session_stop)
 * ends what waits. */
int console_line(struct console *c, const char *line, struct err *err);

/* To be called about once a second: is the server still there (else -ETIMEDOUT with the sentence,
 * once, and 'stl' is NULL), and what has happened?  Events are told by 'tell', a line each. */
int console_tick(struct console *c, void (*tell)(const char *line), struct err *err);

/* ---- for completion ---- */

/* The verb that starts with 'start' and comes after 'i' others, or NULL. */
const char *console_verb(const char *start, size_t i);

/* The options of a verb. */
struct console_opts {
	const struct opt *opts;
	size_t n;
};

/* Those of a verb or of another name for it; NULL when it has none. */
const struct console_opts *console_verb_opts(const char *verb);

extern const struct console_opts console_start_opts, console_update_opts, console_change_opts,
	console_wait_opts, console_stats_opts, console_ports_opts, console_portattr_opts,
	console_tui_opts;

/* What 'word' may become, which begins at byte 'at' of 'line' (verbs, options of the verb, words
 * that an option takes, profiles behind -f) and comes after 'i' others; for the caller to free, or
 * NULL.  Profiles of ours also under the name that TRex has for them, "stl/bench.py". */
char *console_complete(const char *line, size_t at, const char *word, size_t i);

/* ---- for the verbs ---- */

/* Ports named on a command line. */
struct console_ports {
	unsigned port[CONSOLE_PORTS];
	size_t n;
};

int console_start(struct console *c, int argc, char **argv, struct err *err);
int console_stop(struct console *c, int argc, char **argv, struct err *err);
int console_update(struct console *c, int argc, char **argv, struct err *err);
int console_pause(struct console *c, int argc, char **argv, struct err *err);
int console_resume(struct console *c, int argc, char **argv, struct err *err);
int console_wait(struct console *c, int argc, char **argv, struct err *err);
int console_tui(struct console *c, int argc, char **argv, struct err *err);
int console_stats(struct console *c, int argc, char **argv, struct err *err);
int console_streams(struct console *c, int argc, char **argv, struct err *err);
int console_clear(struct console *c, int argc, char **argv, struct err *err);
int console_portattr(struct console *c, int argc, char **argv, struct err *err);

/* What -p may be followed by: "0", "0 1", "0,1", nothing (then -a, or the default of 'find'). */
struct console_ports_conf {
	struct opt_list list; /* -p */
	bool all;	      /* -a */
};

enum console_default {
	CONSOLE_OURS,	 /* ports that we hold */
	CONSOLE_SENDING, /* of these, ports that transmit or are paused */
	CONSOLE_ALL,
};

/* Parses a verb's options and the ports behind -p into 'ports'. */
int console_parse(struct console *c, const struct opt_command *verb, int argc, char **argv,
		  void *conf, const struct console_ports_conf *which, enum console_default fallback,
		  struct console_ports *ports, struct err *err);

/* "10kpps", "50%", "2", and relative to what is sent now "+10%", "10%+", "5kpps-". */
int console_mult(const char *text, struct stl_mult *mult, const char **op, struct err *err);

/* The state of a port, as the server says: "IDLE", "STREAMS", "TX", "PAUSE". */
int console_state(struct console *c, unsigned port, char state[16], struct err *err);
