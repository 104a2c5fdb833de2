/* SPDX-License-Identifier: MIT */
#include "console.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "console_words.h"

/* Lines to verbs, and what all verbs have in common. */

#define CONNECT_MS 3000
/* A server that is slow for once is not gone; within three seconds of its end both have failed. */
#define TICK_MS 900
#define TICK_TRIES 2

struct console_verb {
	const char *name;
	const char *about;
	/* 'argv[0]' is the verb. */
	int (*run)(struct console *c, int argc, char **argv, struct err *err);
	bool offline; /* works without a server */
	const struct console_opts *opts;
};

static int console_help(struct console *c, int argc, char **argv, struct err *err);
static int console_quit(struct console *c, int argc, char **argv, struct err *err);
static int console_reconnect(struct console *c, int argc, char **argv, struct err *err);
static int console_ping(struct console *c, int argc, char **argv, struct err *err);

static const struct opt connect_opts[] = {
	{"force", 'f', NULL, "take ports from their owners", opt_set_switch,
	 OPT_FIELD(struct console, force), NULL, OPT_NO_ENV},
};

static const struct console_opts console_connect_opts = {connect_opts, N_ELEMS(connect_opts)};

static const struct console_verb verbs[] = {
	{"clear", "count from here on", console_clear, false, &console_ports_opts},
	{"connect", "to the server again", console_reconnect, true, &console_connect_opts},
	{"help", "these lines; 'VERB --help' says more", console_help, true, NULL},
	{"pause", "ports that transmit", console_pause, false, &console_change_opts},
	{"ping", "how long the server takes to answer", console_ping, false, NULL},
	{"portattr", "show or set what ports are like", console_portattr, false,
	 &console_portattr_opts},
	{"quit", "end the console; what is sent goes on", console_quit, true, NULL},
	{"resume", "ports that are paused", console_resume, false, &console_change_opts},
	{"start", "send a profile: start -f imix -m 10kpps -p 0", console_start, false,
	 &console_start_opts},
	{"stats", "what was sent and received, and how fast", console_stats, false,
	 &console_stats_opts},
	{"stop", "end what ports send", console_stop, false, &console_change_opts},
	{"streams", "what ports would send", console_streams, false, &console_ports_opts},
	{"tui", "ports and rates, live", console_tui, false, &console_tui_opts},
	{"update", "change the rate: update -m 20kpps, -m +10%", console_update, false,
	 &console_update_opts},
	{"wait", "until ports have ended, or so many seconds", console_wait, false,
	 &console_wait_opts},
};

static const struct {
	const char *name, *means;
} aliases[] = {{"exit", "quit"}, {"q", "quit"}, {"?", "help"}};

/* Verbs of TRex's console that are not here, with what there is instead. */
static const struct {
	const char *name, *instead;
} absent[] = {
	{"acquire", "'connect' takes ports that are free, 'connect --force' all"},
	{"release", "'quit' gives the ports back"},
	{"capture", "TRex's own console records frames from this server (docs/trex.md)"},
	{"service", "TRex's own console has service mode, with this server (docs/trex.md)"},
	{"reset", "'connect --force', 'stop -a' and 'clear' are its parts"},
	{"history", "the arrow keys go through it"},
	{"push", "'start -f pcap -t file=FILE' replays a recording"},
};

static const struct console_verb *
find_verb(const char *name, struct err *err)
{
	const char *candidates[N_ELEMS(verbs)], *nearest;

	for (size_t i = 0; i < N_ELEMS(aliases); i++)
		if (strcmp(name, aliases[i].name) == 0)
			name = aliases[i].means;
	for (size_t i = 0; i < N_ELEMS(verbs); i++) {
		if (strcmp(name, verbs[i].name) == 0)
			return &verbs[i];
		candidates[i] = verbs[i].name;
	}
	for (size_t i = 0; i < N_ELEMS(absent); i++)
		if (strcmp(name, absent[i].name) == 0) {
			err_usage(err, "there is no '%s' here: %s", name, absent[i].instead);
			return NULL;
		}
	nearest = str_nearest(name, candidates, N_ELEMS(candidates));
	if (nearest != NULL)
		err_usage(err, "there is no '%s' (did you mean '%s'?)", name, nearest);
	else
		err_usage(err, "there is no '%s' ('help' lists what there is)", name);
	return NULL;
}

const struct console_opts *
console_verb_opts(const char *name)
{
	struct err err;
	const struct console_verb *verb = find_verb(name, &err);

	return verb != NULL ? verb->opts : NULL;
}

int
console_line(struct console *c, const char *line, struct err *err)
{
	const struct console_verb *verb;
	struct console_words words;
	int rc = console_split(&words, line, err);

	if (rc == 0 && words.n > 0) {
		verb = find_verb(words.word[0], err);
		if (verb == NULL)
			rc = -EINVAL;
		else if (c->stl == NULL && !verb->offline)
			rc = err_set(err, ENOTCONN, "there is no generator ('connect' tries %s)",
				     c->at);
		else
			rc = verb->run(c, words.n, words.word, err);
	}
	console_words_fini(&words);
	return rc == OPT_HELPED ? 0 : rc;
}

const char *
console_verb(const char *start, size_t i)
{
	for (size_t k = 0; k < N_ELEMS(verbs); k++)
		if (strncmp(verbs[k].name, start, strlen(start)) == 0 && i-- == 0)
			return verbs[k].name;
	return NULL;
}

/* ---- the server ---- */

static void
forget_base(struct console *c)
{
	for (size_t i = 0; i < CONSOLE_PORTS; i++) {
		json_decref(c->base[i]);
		c->base[i] = NULL;
	}
}

int
console_connect(struct console *c, struct err *err)
{
	int rc;

	stl_close(c->stl);
	forget_base(c);
	rc = stl_open(&c->stl, c->at, CONNECT_MS, err);
	if (rc < 0)
		return rc;
	for (unsigned i = 0; !c->read_only && i < stl_ports(c->stl); i++) {
		struct err why = {0};

		if (stl_acquire(c->stl, i, c->force, &why) < 0)
			printf("port %u: %s; --force takes it\n", i, why.msg);
	}
	return 0;
}

void
console_fini(struct console *c)
{
	stl_close(c->stl);
	forget_base(c);
	free(c->at);
	profile_places_fini(&c->places);
}

/* What an event means to a person; NULL when it is nothing he need know. */
static char *
event_text(struct console *c, const json_t *event)
{
	const json_t *data = json_object_get(event, "data");
	const unsigned port = (unsigned)json_integer_value(json_object_get(data, "port_id"));
	const char *who = json_string_value(json_object_get(data, "who"));

	switch (json_integer_value(json_object_get(event, "type"))) {
	case 4:
		return xasprintf("port %u: has ended", port);
	case 5:
		/* Ours is no news. */
		if (json_integer_value(json_object_get(data, "session_id")) == getpid())
			return NULL;
		if (port < stl_ports(c->stl))
			stl_forget(c->stl, port);
		return xasprintf("port %u: taken by '%s'", port, who != NULL ? who : "?");
	case 7:
		return xasprintf("port %u: its settings were changed", port);
	default:
		return NULL;
	}
}

static int
read_events(struct console *c, json_t **result, struct err *err)
{
	const char *user = getenv("USER");
	int rc = -ETIMEDOUT;

	for (int i = 0; rc == -ETIMEDOUT && i < TICK_TRIES; i++) {
		memset(err, 0, sizeof(*err));
		rc = stl_call(c->stl, "get_async_events",
			      json_pack("{s:i, s:s}", "session_id", (int)getpid(), "user",
					user != NULL ? user : "nfvchain"),
			      TICK_MS, result, err);
	}
	return rc;
}

int
console_tick(struct console *c, void (*tell)(const char *line), struct err *err)
{
	json_t *result = NULL, *event;
	size_t i;
	int rc;

	if (c->stl == NULL)
		return 0;
	rc = read_events(c, &result, err);
	if (rc == -ETIMEDOUT) {
		stl_close(c->stl);
		c->stl = NULL;
		return err_set(err, ETIMEDOUT,
			       "the generator at %s is gone ('connect' tries again)", c->at);
	}
	json_array_foreach(json_object_get(result, "data"), i, event) {
		char *text = event_text(c, event);

		if (text != NULL)
			tell(text);
		free(text);
	}
	json_decref(result);
	return 0;
}

/* ---- ports ---- */

int
console_state(struct console *c, unsigned port, char state[16], struct err *err)
{
	json_t *result = NULL;
	const char *text = "";
	int rc = stl_call_port(c->stl, port, "get_port_status",
			       json_pack("{s:s}", "profile_id", "*"), &result, err);

	if (rc == 0)
		rc = json_get_text(result, "state", &text, err);
	str_copy(state, 16, text);
	json_decref(result);
	return rc;
}

static int
add_port(struct console *c, struct console_ports *ports, const char *text, struct err *err)
{
	char *end = NULL;
	unsigned long n = strtoul(text, &end, 10);

	if (end == text || *end != '\0' || *text == '-')
		return err_usage(err, "'%s' is no port", text);
	if (n >= stl_ports(c->stl))
		return err_usage(err, "there is no port %lu: the generator has %u", n,
				 stl_ports(c->stl));
	for (size_t i = 0; i < ports->n; i++)
		if (ports->port[i] == n)
			return err_usage(err, "port %lu is named twice", n);
	ports->port[ports->n++] = (unsigned)n;
	return 0;
}

/* "0,1" */
static int
add_ports(struct console *c, struct console_ports *ports, const char *text, struct err *err)
{
	char *copy = xstrdup(text), *rest = copy;
	const char *one;
	int rc = 0;

	while (rc == 0 && (one = strsep(&rest, ",")) != NULL)
		rc = add_port(c, ports, one, err);
	free(copy);
	return rc;
}

static int
default_ports(struct console *c, struct console_ports *ports, enum console_default fallback,
	      struct err *err)
{
	int rc = 0;

	for (unsigned i = 0; rc == 0 && i < stl_ports(c->stl); i++) {
		char state[16] = "";

		if (fallback != CONSOLE_ALL && !stl_owns(c->stl, i))
			continue;
		if (fallback == CONSOLE_SENDING)
			rc = console_state(c, i, state, err);
		if (fallback != CONSOLE_SENDING || strcmp(state, "TX") == 0 ||
		    strcmp(state, "PAUSE") == 0)
			ports->port[ports->n++] = i;
	}
	return rc;
}

/* Words behind the options are further ports of -p, as in "-p 0 1". */
int
console_parse(struct console *c, const struct opt_command *verb, int argc, char **argv, void *conf,
	      const struct console_ports_conf *which, enum console_default fallback,
	      struct console_ports *ports, struct err *err)
{
	int rc = opt_parse(verb, &argc, &argv, conf, NULL, err);

	ports->n = 0;
	if (rc == 0 && argc > 0 && which->list.n == 0)
		return err_usage(err, "'%s' is not an option ('%s --help')", argv[0], verb->name);
	if (rc == 0 && which->all && which->list.n > 0)
		return err_usage(err, "-a and -p at once");
	for (size_t i = 0; rc == 0 && i < which->list.n; i++)
		rc = add_ports(c, ports, which->list.items[i], err);
	for (int i = 0; rc == 0 && i < argc; i++)
		rc = add_ports(c, ports, argv[i], err);
	if (rc == 0 && ports->n == 0)
		rc = default_ports(c, ports, which->all ? CONSOLE_ALL : fallback, err);
	return rc;
}

int
console_mult(const char *text, struct stl_mult *mult, const char **op, struct err *err)
{
	const size_t len = strlen(text);
	const char last = len > 1 ? text[len - 1] : 0;
	char *amount;
	int rc;

	*op = "abs";
	if (text[0] == '+' || text[0] == '-') {
		*op = text[0] == '+' ? "add" : "sub";
		amount = xstrdup(text + 1);
	} else {
		amount = xstrdup(text);
		if (last == '+' || last == '-') {
			*op = last == '+' ? "add" : "sub";
			amount[len - 1] = '\0';
		}
	}
	rc = stl_mult_parse(amount, mult, err);
	free(amount);
	return rc;
}

/* ---- the plainest verbs ---- */

static int
console_help(struct console *c, int argc, char **argv, struct err *err)
{
	(void)c;
	if (argc > 1) {
		const struct console_verb *verb = find_verb(argv[1], err);

		if (verb == NULL)
			return -EINVAL;
		printf("%s: %s ('%s --help' says more)\n", verb->name, verb->about, verb->name);
		return 0;
	}
	for (size_t i = 0; i < N_ELEMS(verbs); i++)
		printf("  %-10s %s\n", verbs[i].name, verbs[i].about);
	return 0;
}

static int
console_quit(struct console *c, int argc, char **argv, struct err *err)
{
	(void)c;
	(void)argv;
	if (argc > 1)
		return err_usage(err, "'quit' takes nothing");
	return CONSOLE_QUIT;
}

static int
console_reconnect(struct console *c, int argc, char **argv, struct err *err)
{
	static const struct opt_command verb = {
		.name = "connect",
		.summary = "Connects to the generator again, and takes its ports.",
		.opts = connect_opts,
		.n_opts = N_ELEMS(connect_opts),
	};
	int rc = opt_parse(&verb, &argc, &argv, c, NULL, err);

	if (rc == 0 && argc > 0)
		rc = err_usage(err, "'%s' is not an option of connect", argv[0]);
	return rc == 0 ? console_connect(c, err) : rc;
}

static int
console_ping(struct console *c, int argc, char **argv, struct err *err)
{
	const uint64_t from_ns = clock_now_ns();
	int rc;

	(void)argv;
	if (argc > 1)
		return err_usage(err, "'ping' takes nothing");
	rc = stl_call(c->stl, "ping", NULL, CONNECT_MS, NULL, err);
	if (rc == 0)
		printf("it answers in %.1f ms\n", (double)(clock_now_ns() - from_ns) / 1e6);
	return rc;
}
