/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/opt.h"
#include "chain/rundir.h"
#include "command.h"
#include "live_screen.h"
#include "session.h"

/* nfvchain top CHAIN: a chain that is up, live. */

struct top_conf {
	char *at;
	uint64_t every_ns;
	uint32_t count;
	bool json_stream;
};

#define FIELD(member) OPT_FIELD(struct top_conf, member)

static const struct opt top_opts[] = {
	{"at", 0, "ENDPOINT",
	 "the generator's RPC, where it is not the chain's own: tcp://127.0.0.1:4501", opt_set_text,
	 FIELD(at), NULL, 0},
	{"every", 0, "TIME", "how long from sample to sample (1s)", opt_set_duration,
	 FIELD(every_ns), NULL, 0},
	{"json-stream", 0, NULL, "samples on stdout, a line of JSON each", opt_set_switch,
	 FIELD(json_stream), NULL, 0},
	{"count", 'n', "N", "end after so many, with --json-stream", opt_set_u32, FIELD(count),
	 NULL, 0},
};

const struct opt_command top_command = {
	.name = "nfvchain top",
	.positional = "[CHAIN]",
	.summary = "Shows a chain that is up: ports, hops, how busy each is, and what is missing.",
	.examples = "nfvchain up chains/snake.yaml &\nnfvchain top snake\n"
		    "nfvchain top snake --json-stream -n 10 | jq .hops[0].rx_pps\n",
	.env_prefix = "NFVCHAIN",
	.opts = top_opts,
	.n_opts = N_ELEMS(top_opts),
};

/* The chain's own socket, else what 'up --trex-ports' opens. */
static char *
find_generator(const char *run_dir)
{
	char *path = xasprintf("%s/rpc", run_dir), *at;

	at = access(path, F_OK) == 0 ? xasprintf("ipc://%s", path)
				     : xstrdup("tcp://127.0.0.1:4501");
	free(path);
	return at;
}

static int
watch(const struct top_conf *conf, const char *name, const struct chain *chain, struct err *err)
{
	char *run_dir = rundir_path(name);
	struct console c = {.at = conf->at != NULL ? xstrdup(conf->at) : find_generator(run_dir),
			    .read_only = true};
	struct live_screen s = {.console = &c,
				.title = name,
				.every_ms = (int)(conf->every_ns / NSEC_PER_MS),
				.colours = getenv("NO_COLOR") == NULL};
	int rc = console_connect(&c, err);

	if (rc < 0 && access(run_dir, F_OK) < 0 && conf->at == NULL)
		rc = err_set(err, -rc, "chain '%s' is not up ('nfvchain up' brings it up): %s",
			     name, err->msg);
	if (rc == 0) {
		session_catch_signals();
		profile_places_find(&c.places);
		s.live = live_open(run_dir, chain);
		rc = conf->json_stream ? live_stream(&s, conf->count, err) : live_screen(&s, err);
		live_close(s.live);
	}
	/* Ctrl-C is how one ends it. */
	if (rc == 0 && session_stop == SIGTERM)
		rc = session_interrupted(err);
	console_fini(&c);
	free(run_dir);
	return rc;
}

/* A word with a dot or a slash is a file, as elsewhere; another is the name of a chain. */
static int
watch_named(const struct top_conf *conf, const char *word, struct err *err)
{
	struct chain chain = {0};
	int rc;

	if (strpbrk(word, "./") == NULL)
		return watch(conf, word, NULL, err);
	rc = chain_load(&chain, word, err);
	if (rc == 0)
		rc = watch(conf, chain.name, &chain, err);
	chain_fini(&chain);
	return rc;
}

int
cmd_top(int argc, char **argv, struct err *err)
{
	struct top_conf conf = {.every_ns = NSEC_PER_S};
	int rc = opt_parse(&top_command, &argc, &argv, &conf, NULL, err);

	if (rc == 0 && argc > 1)
		rc = err_usage(err, "one chain at a time ('%s' is one too many)", argv[1]);
	if (rc == 0 && conf.count > 0 && !conf.json_stream)
		rc = err_usage(err, "--count is of --json-stream");
	if (rc == 0 && (conf.every_ns < 100 * NSEC_PER_MS || conf.every_ns > 3600 * NSEC_PER_S))
		rc = err_usage(err, "--every: from 100ms to an hour");
	if (rc == 0)
		rc = watch_named(&conf, argc > 0 ? argv[0] : "snake", err);
	free(conf.at);
	return rc;
}
