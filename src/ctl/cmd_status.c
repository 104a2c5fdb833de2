/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/opt.h"
#include "command.h"
#include "live_find.h"
#include "live_view.h"
#include "session.h"

/* nfvchain status CHAIN: a chain that is up, once. */

#define COLS 100
#define ROWS (20 + CHAIN_MAX_HOPS)

struct status_conf {
	char *at;
	uint64_t over_ns;
	bool json;
};

#define FIELD(member) OPT_FIELD(struct status_conf, member)

static const struct opt status_opts[] = {
	{"over", 0, "TIME", "how long rates are measured (1s)", opt_set_duration, FIELD(over_ns),
	 NULL, 0},
	{"json", 0, NULL, "print JSON, as a line of 'top --json-stream'", opt_set_switch,
	 FIELD(json), NULL, 0},
	{"at", 0, "ENDPOINT", LIVE_AT_HELP, opt_set_text, FIELD(at), NULL, 0},
};

const struct opt_command status_command = {
	.name = "nfvchain status",
	.positional = "[CHAIN]",
	.summary = "Says what a chain that is up does: ports, hops, rates, how busy each lcore is.",
	.examples = "nfvchain status snake\nnfvchain status snake --json | jq .hops\n",
	.env_prefix = "NFVCHAIN",
	.opts = status_opts,
	.n_opts = N_ELEMS(status_opts),
};

static void
print(const struct live_sample *s, const char *title, bool as_json)
{
	static struct live_history history;
	const struct live_view v = {
		.title = title, .clock = "", .now = s, .history = &history, .base_s = -1};
	json_t *json;
	char *text;

	if (as_json) {
		json = live_json(s);
		json_object_set_new(json, "chain", json_string(title));
		json_write(json, stdout);
		json_decref(json);
		return;
	}
	text = live_view_text(&v, COLS, ROWS);
	fputs(text, stdout);
	free(text);
}

/* Two samples: rates are what lies between them. */
static int
show(struct live_chain *c, const struct status_conf *conf, struct err *err)
{
	struct live_sample *s = xcalloc(1, sizeof(*s));
	int rc = live_chain_connect(c, err);

	if (rc == 0)
		rc = live_read(c->live, c->console.stl, s, err);
	if (rc == 0) {
		clock_sleep_ms(conf->over_ns / NSEC_PER_MS);
		rc = live_read(c->live, c->console.stl, s, err);
	}
	if (rc == 0)
		print(s, c->name, conf->json);
	free(s);
	return rc;
}

int
cmd_status(int argc, char **argv, struct err *err)
{
	struct status_conf conf = {.over_ns = NSEC_PER_S};
	struct live_chain chain = {0};
	int rc = opt_parse(&status_command, &argc, &argv, &conf, NULL, err);

	if (rc == 0 && argc > 1)
		rc = err_usage(err, "one chain at a time ('%s' is one too many)", argv[1]);
	if (rc == 0 && (conf.over_ns < 100 * NSEC_PER_MS || conf.over_ns > 60 * NSEC_PER_S))
		rc = err_usage(err, "--over: from 100ms to a minute");
	if (rc == 0)
		rc = live_chain_find(&chain, argc > 0 ? argv[0] : "snake", conf.at, err);
	if (rc == 0)
		rc = show(&chain, &conf, err);
	live_chain_fini(&chain);
	free(conf.at);
	return rc;
}
