/* SPDX-License-Identifier: MIT */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/units.h"
#include "chain/stl.h"
#include "command.h"
#include "profile_places.h"
#include "progress.h"
#include "session.h"
#include "start_show.h"

/* nfvchain start: a traffic profile on a port of a running generator, ours or TRex. */

#define CONNECT_MS 3000
#define STEP_MS 100
#define SETTLE_STEPS 20
#define STILL_STEPS 5

struct start_conf {
	char *file, *mult, *at;
	uint32_t port;
	double duration_s;
	struct opt_list tunables;
	bool force, list, dry_run, json, quiet;
};

/* As TRex has it, a bare number is seconds. */
static int
set_seconds(void *field, const char *text, struct err *err)
{
	char *end = NULL;
	double s = strtod(text, &end);
	uint64_t ns;
	int rc;

	if (end != text && *end == '\0' && s > 0 && s < 1e9) {
		*(double *)field = s;
		return 0;
	}
	rc = duration_parse(text, &ns, err);
	if (rc == 0)
		*(double *)field = (double)ns / 1e9;
	return rc;
}

#define FIELD(member) OPT_FIELD(struct start_conf, member)

static const struct opt start_opts[] = {
	{"file", 'f', "PROFILE", "a file, or one of ours: bench, imix (see --list)", opt_set_text,
	 FIELD(file), NULL, OPT_NO_ENV},
	{"multiplier", 'm', "AMOUNT", "2 (times), 10kpps, 100mbps, 1gbpsl1, 50% (1)", opt_set_text,
	 FIELD(mult), NULL, OPT_NO_ENV},
	{"port", 'p', "PORT", "that sends (0)", opt_set_u32, FIELD(port), NULL, OPT_NO_ENV},
	{"duration", 'd', "TIME", "seconds, or as in 500ms (until Ctrl-C, or the profile's end)",
	 set_seconds, FIELD(duration_s), NULL, OPT_NO_ENV},
	{"tunable", 't', "NAME=VALUE", "of the profile; may be given again", opt_set_list,
	 FIELD(tunables), NULL, OPT_NO_ENV},
	{"at", 0, "ENDPOINT", "of the generator (tcp://127.0.0.1:4501)", opt_set_text, FIELD(at),
	 NULL, 0},
	{"force", 0, NULL, "take the port from its owner", opt_set_switch, FIELD(force), NULL,
	 OPT_NO_ENV},
	{"list", 0, NULL, "print the profiles there are, and exit", opt_set_switch, FIELD(list),
	 NULL, OPT_NO_ENV},
	{"dry-run", 'n', NULL, "print the streams, and send nothing", opt_set_switch,
	 FIELD(dry_run), NULL, OPT_NO_ENV},
	{"json", 0, NULL, "the result, or with --dry-run the streams, as JSON", opt_set_switch,
	 FIELD(json), NULL, OPT_NO_ENV},
	{"quiet", 'q', NULL, "no progress", opt_set_switch, FIELD(quiet), NULL, OPT_NO_ENV},
};

const struct opt_command start_command = {
	.name = "nfvchain start",
	.positional = NULL,
	.summary = "Sends a traffic profile from a port of a running generator.",
	.examples = "nfvchain up --trex-ports &\n"
		    "nfvchain start -f imix -m 10kpps -p 0 -d 10\n"
		    "nfvchain start -f bench -t size=1518 -t vm=var1 -m 50%\n",
	.env_prefix = "NFVCHAIN",
	.opts = start_opts,
	.n_opts = N_ELEMS(start_opts),
};

/* Prints the profiles of the first place that is there. */
static int
list_profiles(const struct profile_places *places, struct err *err)
{
	for (char *const *dir = places->dir; *dir != NULL; dir++) {
		struct dirent **names = NULL;
		int n = scandir(*dir, &names, NULL, alphasort);

		for (int i = 0; i < n; i++) {
			char *dot = strstr(names[i]->d_name, ".yaml");
			char *path = xasprintf("%s/%s", *dir, names[i]->d_name);
			struct profile *p = NULL;

			if (dot != NULL && profile_open(&p, path, NULL, err) == 0) {
				*dot = '\0';
				printf("%-20s%s\n", names[i]->d_name,
				       p->about != NULL ? p->about : "");
				for (size_t k = 0; k < p->n_tunables; k++)
					printf("%20s-t %s=%s  %s\n", "", p->tunables[k].name,
					       p->tunables[k].value,
					       p->tunables[k].about != NULL ? p->tunables[k].about
									    : "");
				profile_close(p);
			}
			free(path);
			free(names[i]);
		}
		free(names);
		if (n >= 0)
			return 0;
	}
	return err_set(err, ENOENT,
		       "the profiles are not where they were installed (set "
		       "NFVCHAIN_PROFILES)");
}

/* ---- sending ---- */

static int
read_ports(struct stl *stl, json_t **all, struct err *err)
{
	int rc = 0;

	*all = json_array();
	for (unsigned i = 0; rc == 0 && i < stl_ports(stl); i++) {
		json_t *one = NULL;

		rc = stl_port_stats(stl, i, &one, err);
		json_array_append_new(*all, one);
	}
	return rc;
}

static void
show_progress(const struct start_conf *conf, const json_t *before, const json_t *now, double s)
{
	if (conf->duration_s > 0)
		progress_step("%.0f of %.0f s, %.0f frames sent", s, conf->duration_s,
			      start_growth(before, now, conf->port, "opackets"));
	else
		progress_step("%.0f s, %.0f frames sent; Ctrl-C ends it", s,
			      start_growth(before, now, conf->port, "opackets"));
}

/* Until it has ended by itself, or by Ctrl-C. */
static int
await_end(struct stl *stl, const struct start_conf *conf, const json_t *before, uint64_t start_ns,
	  struct err *err)
{
	bool sends = true;
	unsigned step = 0;
	int rc = 0;

	while (rc == 0 && sends && !session_stop) {
		usleep(STEP_MS * 1000);
		rc = stl_sends(stl, conf->port, &sends, err);
		if (rc == 0 && ++step % 10 == 0) {
			json_t *now = NULL;

			rc = read_ports(stl, &now, err);
			show_progress(conf, before, now, (double)(clock_now_ns() - start_ns) / 1e9);
			json_decref(now);
		}
	}
	if (rc == 0 && sends)
		rc = stl_stop(stl, conf->port, err);
	progress_done();
	return rc;
}

static double
total_growth(const json_t *from, const json_t *to, const char *key)
{
	double sum = 0;

	for (unsigned i = 0; i < json_array_size(to); i++)
		sum += start_growth(from, to, i, key);
	return sum;
}

/* Counters once all that was sent has arrived, or nothing does any more: TRex's follow on a slow
 * path, and a hop without a CPU of its own may pause. */
static int
read_settled(struct stl *stl, const json_t *start, json_t **after, struct err *err)
{
	unsigned still = 0;
	int rc = read_ports(stl, after, err);

	for (unsigned i = 0; rc == 0 && still < STILL_STEPS && i < SETTLE_STEPS; i++) {
		json_t *before = *after;

		usleep(STEP_MS * 1000);
		rc = read_ports(stl, after, err);
		if (total_growth(before, *after, "opackets") > 0)
			still = 0;
		else if (total_growth(start, *after, "ipackets") ==
			 total_growth(start, *after, "opackets"))
			still = STILL_STEPS;
		else
			still = total_growth(before, *after, "ipackets") > 0 ? 0 : still + 1;
		json_decref(before);
	}
	return rc;
}

/* What became of each stream's slots, once the last of them has been sent. */
static int
read_slots(struct stl *stl, unsigned port, json_t **streams, struct err *err)
{
	int rc = stl_streams(stl, port, streams, err);

	for (unsigned i = 0; rc == 0 && *streams != NULL && i < SETTLE_STEPS; i++) {
		const char *state = json_string_value(json_object_get(*streams, "state"));

		if (state != NULL && strcmp(state, "sent") == 0)
			break;
		json_decref(*streams);
		usleep(STEP_MS * 1000);
		rc = stl_streams(stl, port, streams, err);
	}
	return rc;
}

static int
show(struct stl *stl, const struct start_conf *conf, struct start_result *r, struct err *err)
{
	int rc = read_settled(stl, r->before, &r->after, err);

	if (rc == 0)
		rc = stl_pgid_stats(stl, &r->flows, err);
	if (rc == 0)
		rc = read_slots(stl, conf->port, &r->streams, err);
	if (rc < 0)
		return rc;
	/* The generator knows better than who asks it now and then. */
	if (r->streams != NULL)
		r->seconds = json_number_value(json_object_get(r->streams, "elapsed_s"));
	if (conf->json) {
		json_t *result = start_result_json(r);

		json_write(result, stdout);
		json_decref(result);
	} else {
		printf("sent for %.3g s, at %g times the profile's rates\n", r->seconds, r->factor);
		start_show_result(r, stdout);
	}
	return 0;
}

static int
send_profile(struct stl *stl, const struct start_conf *conf, const struct stl_mult *mult,
	     const struct profile *profile, struct err *err)
{
	struct start_result r = {.profile = profile, .port = conf->port};
	uint64_t start_ns;
	int rc;

	if (conf->port >= stl_ports(stl))
		return err_usage(err, "--port: the generator has %u ports", stl_ports(stl));
	rc = stl_acquire(stl, conf->port, conf->force, err);
	if (rc == 0)
		rc = stl_load(stl, conf->port, profile, err);
	if (rc == 0)
		rc = read_ports(stl, &r.before, err);
	session_catch_signals();
	start_ns = clock_now_ns();
	if (rc == 0)
		rc = stl_start(stl, conf->port, mult, conf->duration_s, conf->force, &r.factor,
			       err);
	if (rc == 0)
		rc = await_end(stl, conf, r.before, start_ns, err);
	r.seconds = (double)(clock_now_ns() - start_ns) / 1e9;
	/* It ended by itself a little before that was noticed. */
	if (conf->duration_s > 0 && r.seconds > conf->duration_s)
		r.seconds = conf->duration_s;
	if (rc == 0)
		rc = show(stl, conf, &r, err);
	json_decref(r.before);
	json_decref(r.after);
	json_decref(r.flows);
	json_decref(r.streams);
	return rc;
}

static void
print_dry(const struct start_conf *conf, const char *path, const struct profile *profile)
{
	json_t *all;

	if (!conf->json) {
		printf("%s: %zu streams\n", path, profile->n_streams);
		start_show_streams(profile, stdout);
		return;
	}
	all = json_array();
	for (size_t i = 0; i < profile->n_streams; i++)
		json_array_append(all, profile->streams[i].object);
	json_write(all, stdout);
	json_decref(all);
}

static int
run(const struct start_conf *conf, const struct profile_places *places, struct err *err)
{
	struct profile *profile = NULL;
	struct stl_mult mult;
	struct stl *stl = NULL;
	bool ours = false;
	char *path;
	int rc = stl_mult_parse(conf->mult, &mult, err);

	if (rc < 0)
		return err_wrap(err, rc, "--multiplier");
	path = profile_find(conf->file, (const char *const *)places->dir, &ours, err);
	if (path == NULL)
		return -EINVAL;
	rc = profile_open_for(&profile, path, &conf->tunables, conf->port, err);
	if (rc == 0 && conf->dry_run) {
		print_dry(conf, path, profile);
	} else if (rc == 0) {
		if (ours && !conf->quiet)
			progress_step("'%s' is %s", conf->file, path);
		rc = stl_open(&stl, conf->at, CONNECT_MS, err);
		if (rc == 0)
			rc = send_profile(stl, conf, &mult, profile, err);
		stl_close(stl);
	}
	profile_close(profile);
	free(path);
	return rc;
}

int
cmd_start(int argc, char **argv, struct err *err)
{
	struct start_conf conf = {
		.mult = xstrdup("1"), .at = xstrdup("tcp://127.0.0.1:4501"), .duration_s = -1};
	struct profile_places places;
	int rc = opt_parse(&start_command, &argc, &argv, &conf, NULL, err);

	profile_places_find(&places);
	if (rc == 0)
		progress_init(conf.quiet ? PROGRESS_NONE : PROGRESS_AUTO);
	if (rc == 0 && argc > 0)
		rc = err_usage(err, "'%s' is not an option (-f %s?)", argv[0], argv[0]);
	else if (rc == 0 && conf.list)
		rc = list_profiles(&places, err);
	else if (rc == 0 && conf.file == NULL)
		rc = err_usage(err, "which profile? (-f imix, or --list)");
	else if (rc == 0)
		rc = run(&conf, &places, err);
	profile_places_fini(&places);
	free(conf.file);
	free(conf.mult);
	free(conf.at);
	opt_list_fini(&conf.tunables);
	return rc;
}
