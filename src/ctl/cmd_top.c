/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/opt.h"
#include "command.h"
#include "live_find.h"
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
	{"at", 0, "ENDPOINT", LIVE_AT_HELP, opt_set_text, FIELD(at), NULL, 0},
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

static int
watch(const struct top_conf *conf, struct live_chain *chain, struct err *err)
{
	struct live_screen s = {.console = &chain->console,
				.title = chain->name,
				.every_ms = (int)(conf->every_ns / NSEC_PER_MS),
				.colours = getenv("NO_COLOR") == NULL};
	int rc = live_chain_connect(chain, err);

	if (rc < 0)
		return rc;
	session_catch_signals();
	s.live = chain->live;
	rc = conf->json_stream ? live_stream(&s, conf->count, err) : live_screen(&s, err);
	/* Ctrl-C is how one ends it. */
	return rc == 0 && session_stop == SIGTERM ? session_interrupted(err) : rc;
}

int
cmd_top(int argc, char **argv, struct err *err)
{
	struct top_conf conf = {.every_ns = NSEC_PER_S};
	struct live_chain chain = {0};
	int rc = opt_parse(&top_command, &argc, &argv, &conf, NULL, err);

	if (rc == 0 && argc > 1)
		rc = err_usage(err, "one chain at a time ('%s' is one too many)", argv[1]);
	if (rc == 0 && conf.count > 0 && !conf.json_stream)
		rc = err_usage(err, "--count is of --json-stream");
	if (rc == 0 && (conf.every_ns < 100 * NSEC_PER_MS || conf.every_ns > 3600 * NSEC_PER_S))
		rc = err_usage(err, "--every: from 100ms to an hour");
	if (rc == 0)
		rc = live_chain_find(&chain, argc > 0 ? argv[0] : "snake", conf.at, err);
	if (rc == 0)
		rc = watch(&conf, &chain, err);
	live_chain_fini(&chain);
	free(conf.at);
	return rc;
}
