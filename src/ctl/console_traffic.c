/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/units.h"
#include "console.h"
#include "session.h"
#include "start_show.h"

/* The console's verbs that start, change and end what ports send. */

#define STEP_MS 100

struct traffic_conf {
	struct console_ports_conf ports;
	char *file, *mult;
	double duration_s;
	struct opt_list tunables;
	bool force, dry_run, sync;
};

#define FIELD(member) OPT_FIELD(struct traffic_conf, member)

/* As TRex has it, a bare number is seconds, and -1 for ever. */
static int
set_seconds(void *field, const char *text, struct err *err)
{
	uint64_t ns = 0;
	int rc;

	if (strcmp(text, "-1") == 0) {
		*(double *)field = -1;
		return 0;
	}
	rc = duration_parse(text, &ns, err);
	if (rc == 0 && ns == 0)
		return err_usage(err, "'%s' is no time to send for", text);
	if (rc == 0)
		*(double *)field = (double)ns / 1e9;
	return rc;
}

#define OPT_PORTS                                                                                 \
	{"ports",	    'p',  "PORT...", "0, or several: 0 1", opt_set_list,                  \
	 FIELD(ports.list), NULL, OPT_NO_ENV},                                                    \
	{                                                                                         \
		"all", 'a', NULL, "all ports", opt_set_switch, FIELD(ports.all), NULL, OPT_NO_ENV \
	}
#define OPT_FORCE(about)                                                                \
	{                                                                               \
		"force", 0, NULL, about, opt_set_switch, FIELD(force), NULL, OPT_NO_ENV \
	}

static const struct opt start_opts[] = {
	{"file", 'f', "PROFILE", "a file, or one of ours: bench, imix (nfvchain start --list)",
	 opt_set_text, FIELD(file), NULL, OPT_NO_ENV},
	{"multiplier", 'm', "AMOUNT", "2 (times), 10kpps, 100mbps, 1gbpsl1, 50% (1)", opt_set_text,
	 FIELD(mult), NULL, OPT_NO_ENV},
	OPT_PORTS,
	{"duration", 'd', "TIME", "seconds, or as in 500ms (until 'stop', or the profile's end)",
	 set_seconds, FIELD(duration_s), NULL, OPT_NO_ENV},
	{"tunables", 't', "NAME=VALUE", "of the profile; several by commas", opt_set_list,
	 FIELD(tunables), NULL, OPT_NO_ENV},
	OPT_FORCE("end what the port sends first, and above its speed"),
	{"dry-run", 'n', NULL, "print the streams, and send nothing", opt_set_switch,
	 FIELD(dry_run), NULL, OPT_NO_ENV},
	{"sync", 's', NULL, "wait until it has ended", opt_set_switch, FIELD(sync), NULL,
	 OPT_NO_ENV},
};

const struct console_opts console_start_opts = {start_opts, N_ELEMS(start_opts)};

static const struct opt change_opts[] = {
	OPT_PORTS,
};

const struct console_opts console_change_opts = {change_opts, N_ELEMS(change_opts)};

static const struct opt update_opts[] = {
	{"multiplier", 'm', "AMOUNT", "20kpps, or +10%, -5kpps of what is sent", opt_set_text,
	 FIELD(mult), NULL, OPT_NO_ENV},
	OPT_PORTS,
	OPT_FORCE("above the port's speed"),
};

const struct console_opts console_update_opts = {update_opts, N_ELEMS(update_opts)};

static const struct opt wait_opts[] = {
	OPT_PORTS,
	{"duration", 'd', "TIME", "at most so long (until they have ended)", set_seconds,
	 FIELD(duration_s), NULL, OPT_NO_ENV},
};

const struct console_opts console_wait_opts = {wait_opts, N_ELEMS(wait_opts)};

static void
conf_fini(struct traffic_conf *conf)
{
	free(conf->file);
	free(conf->mult);
	opt_list_fini(&conf->tunables);
	opt_list_fini(&conf->ports.list);
}

/* ---- start ---- */

/* TRex's users write "-t size=64,vm=none". */
static void
split_tunables(const struct opt_list *in, struct opt_list *out)
{
	struct err none = {0};

	for (size_t i = 0; i < in->n; i++) {
		char *copy = xstrdup(in->items[i]), *rest = copy;
		const char *one;

		while ((one = strsep(&rest, ",")) != NULL)
			(void)opt_set_list(out, one, &none);
		free(copy);
	}
}

/* Makes the port one that can be given streams. */
static int
free_port(struct console *c, unsigned port, bool force, struct err *err)
{
	char state[16];
	int rc = 0;

	if (c->read_only)
		return err_usage(err, "this console only looks on (--read-only)");
	if (!stl_owns(c->stl, port))
		rc = stl_acquire(c->stl, port, false, err);
	if (rc == 0)
		rc = console_state(c, port, state, err);
	if (rc < 0 || (strcmp(state, "TX") != 0 && strcmp(state, "PAUSE") != 0))
		return err_wrap(err, rc, "port %u", port);
	if (!force)
		return err_set(err, EBUSY, "port %u sends already (stop it, or start --force)",
			       port);
	return stl_stop(c->stl, port, err);
}

static int
start_port(struct console *c, unsigned port, const struct traffic_conf *conf,
	   const struct profile *profile, const struct stl_mult *mult, struct err *err)
{
	double factor = 0;
	int rc = free_port(c, port, conf->force, err);

	if (rc < 0)
		return rc;
	rc = stl_load(c->stl, port, profile, err);
	if (rc == 0)
		rc = stl_start(c->stl, port, mult, conf->duration_s, conf->force, &factor, err);
	if (rc < 0)
		return err_wrap(err, rc, "port %u", port);
	printf("port %u: sends %zu stream%s at %.4g times %s rate%s", port, profile->n_streams,
	       profile->n_streams == 1 ? "" : "s", factor,
	       profile->n_streams == 1 ? "its" : "their", profile->n_streams == 1 ? "" : "s");
	if (conf->duration_s > 0)
		printf(", for %g s", conf->duration_s);
	printf("\n");
	return 0;
}

static bool
any_sends(struct console *c, const struct console_ports *ports, int *rc, struct err *err)
{
	bool sends = false;

	for (size_t i = 0; *rc == 0 && !sends && i < ports->n; i++)
		*rc = stl_sends(c->stl, ports->port[i], &sends, err);
	return *rc == 0 && sends;
}

/* Until none of the ports sends, for 'seconds' at most; below 0: for ever. */
static int
await(struct console *c, const struct console_ports *ports, double seconds, struct err *err)
{
	const struct deadline d = deadline_in_ms(seconds < 0 ? 0 : (uint64_t)ceil(seconds * 1000));
	int rc = 0;

	while (any_sends(c, ports, &rc, err) && !session_stop &&
	       (seconds < 0 || !deadline_passed(&d)))
		clock_sleep_ms(STEP_MS);
	return rc;
}

static int
start(struct console *c, const struct traffic_conf *conf, const struct console_ports *ports,
      struct err *err)
{
	struct opt_list tunables = {0};
	struct profile *profile = NULL;
	struct stl_mult mult;
	bool ours = false;
	char *path = NULL;
	int rc = stl_mult_parse(conf->mult, &mult, err);

	if (rc < 0)
		return err_wrap(err, rc, "-m");
	path = profile_find(conf->file, (const char *const *)c->places.dir, &ours, err);
	if (path == NULL)
		return -EINVAL;
	split_tunables(&conf->tunables, &tunables);
	if (ours && strcmp(conf->file, path) != 0)
		printf("'%s' is %s\n", conf->file, path);
	if (conf->dry_run) {
		rc = profile_open_for(&profile, path, &tunables, ports->n > 0 ? ports->port[0] : 0,
				      err);
		if (rc == 0)
			start_show_streams(profile, stdout);
	}
	for (size_t i = 0; rc == 0 && !conf->dry_run && i < ports->n; i++) {
		profile_close(profile);
		rc = profile_open_for(&profile, path, &tunables, ports->port[i], err);
		if (rc == 0)
			rc = start_port(c, ports->port[i], conf, profile, &mult, err);
	}
	if (rc == 0 && conf->sync && !conf->dry_run)
		rc = await(c, ports, -1, err);
	profile_close(profile);
	opt_list_fini(&tunables);
	free(path);
	return rc;
}

int
console_start(struct console *c, int argc, char **argv, struct err *err)
{
	static const struct opt_command verb = {
		.name = "start",
		.positional = "[-p PORT...]",
		.summary = "Sends a traffic profile.",
		.examples =
			"start -f stl/bench.py -m 100mbps -p 0\nstart -f imix -m 10kpps -d 10\n",
		.opts = start_opts,
		.n_opts = N_ELEMS(start_opts),
	};
	struct traffic_conf conf = {.mult = xstrdup("1"), .duration_s = -1};
	struct console_ports ports;
	int rc = console_parse(c, &verb, argc, argv, &conf, &conf.ports, CONSOLE_OURS, &ports, err);

	if (rc == 0 && conf.file == NULL)
		rc = err_usage(err, "which profile? (start -f imix)");
	else if (rc == 0 && ports.n == 0 && !conf.dry_run)
		rc = err_usage(err, "which port? (-p 0; none is ours, see 'connect --force')");
	else if (rc == 0)
		rc = start(c, &conf, &ports, err);
	conf_fini(&conf);
	return rc;
}

/* ---- what changes ports that send ---- */

/* Calls the method for each port and says what it does now. */
static int
for_each(struct console *c, const struct console_ports *ports, const char *method,
	 const json_t *more, const char *now, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < ports->n; i++) {
		json_t *params = json_deep_copy(more);

		json_object_set_new(params, "profile_id", json_string("_"));
		rc = stl_call_port(c->stl, ports->port[i], method, params, NULL, err);
		if (rc < 0)
			err_wrap(err, rc, "port %u", ports->port[i]);
		else
			printf("port %u: %s\n", ports->port[i], now);
	}
	return rc;
}

/* A verb without options of its own, about ports that send. */
static int
change(struct console *c, const struct opt_command *verb, int argc, char **argv, const char *method,
       const char *now, struct err *err)
{
	struct traffic_conf conf = {0};
	struct console_ports ports;
	json_t *none = json_object();
	int rc = console_parse(c, verb, argc, argv, &conf, &conf.ports, CONSOLE_SENDING, &ports,
			       err);

	if (rc == 0 && ports.n == 0)
		printf("no port of ours sends\n");
	if (rc == 0)
		rc = for_each(c, &ports, method, none, now, err);
	json_decref(none);
	conf_fini(&conf);
	return rc;
}

#define CHANGE(verb_name, about)                                                       \
	&(const struct opt_command)                                                    \
	{                                                                              \
		.name = (verb_name), .positional = "[-p PORT...]", .summary = (about), \
		.opts = change_opts, .n_opts = N_ELEMS(change_opts)                    \
	}

int
console_stop(struct console *c, int argc, char **argv, struct err *err)
{
	return change(c, CHANGE("stop", "Ends what ports send."), argc, argv, "stop_traffic",
		      "stopped", err);
}

int
console_pause(struct console *c, int argc, char **argv, struct err *err)
{
	return change(c, CHANGE("pause", "Holds what ports send."), argc, argv, "pause_traffic",
		      "paused", err);
}

int
console_resume(struct console *c, int argc, char **argv, struct err *err)
{
	return change(c, CHANGE("resume", "Lets paused ports send on."), argc, argv,
		      "resume_traffic", "sends on", err);
}

static int
update(struct console *c, const struct traffic_conf *conf, const struct console_ports *ports,
       struct err *err)
{
	struct stl_mult mult;
	const char *op;
	json_t *params;
	char *now;
	int rc = console_mult(conf->mult, &mult, &op, err);

	if (rc < 0)
		return err_wrap(err, rc, "-m");
	params = json_pack("{s:{s:s, s:f, s:s}, s:b}", "mul", "type", mult.type, "value",
			   mult.value, "op", op, "force", conf->force);
	now = xasprintf("rate is %s now", conf->mult);
	if (strcmp(op, "abs") != 0) {
		free(now);
		now = xasprintf("rate changed by %s", conf->mult);
	}
	rc = for_each(c, ports, "update_traffic", params, now, err);
	json_decref(params);
	free(now);
	return rc;
}

int
console_update(struct console *c, int argc, char **argv, struct err *err)
{
	static const struct opt_command verb = {
		.name = "update",
		.positional = "[-p PORT...]",
		.summary = "Changes the rate of ports that send.",
		.examples = "update -m 20kpps\nupdate -m +10% -p 0\n",
		.opts = update_opts,
		.n_opts = N_ELEMS(update_opts),
	};
	struct traffic_conf conf = {0};
	struct console_ports ports;
	int rc = console_parse(c, &verb, argc, argv, &conf, &conf.ports, CONSOLE_SENDING, &ports,
			       err);

	if (rc == 0 && conf.mult == NULL)
		rc = err_usage(err, "to what? (update -m 20kpps)");
	else if (rc == 0 && ports.n == 0)
		printf("no port of ours sends\n");
	else if (rc == 0)
		rc = update(c, &conf, &ports, err);
	conf_fini(&conf);
	return rc;
}

int
console_wait(struct console *c, int argc, char **argv, struct err *err)
{
	static const struct opt_command verb = {
		.name = "wait",
		.positional = "[-p PORT...]",
		.summary = "Waits until ports have ended what they send.",
		.opts = wait_opts,
		.n_opts = N_ELEMS(wait_opts),
	};
	struct traffic_conf conf = {.duration_s = -1};
	struct console_ports ports;
	int rc = console_parse(c, &verb, argc, argv, &conf, &conf.ports, CONSOLE_SENDING, &ports,
			       err);

	if (rc == 0)
		rc = await(c, &ports, conf.duration_s, err);
	conf_fini(&conf);
	return rc;
}
