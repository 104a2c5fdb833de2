/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/http.h"
#include "base/mem.h"
#include "base/opt.h"
#include "chain/rundir.h"
#include "command.h"
#include "live_find.h"
#include "live_metrics.h"
#include "session.h"

/* nfvchain metrics CHAIN: the counters of a chain that is up, for Prometheus. */

#define DEFAULT_LISTEN "127.0.0.1:9469"

struct metrics_conf {
	char *at, *listen;
	bool once, insecure;
};

#define FIELD(member) OPT_FIELD(struct metrics_conf, member)

static const struct opt metrics_opts[] = {
	{"listen", 0, "HOST:PORT", "where /metrics is read (" DEFAULT_LISTEN ")", opt_set_text,
	 FIELD(listen), NULL, 0},
	{"insecure", 0, NULL, "listen on other than loopback addresses: anybody may read",
	 opt_set_switch, FIELD(insecure), NULL, 0},
	{"once", 0, NULL, "print them, and end", opt_set_switch, FIELD(once), NULL, 0},
	{"at", 0, "ENDPOINT", LIVE_AT_HELP, opt_set_text, FIELD(at), NULL, 0},
};

const struct opt_command metrics_command = {
	.name = "nfvchain metrics",
	.positional = "[CHAIN]",
	.summary = "Gives the counters of a chain that is up to Prometheus, as OpenMetrics.",
	.examples = "nfvchain metrics snake &\ncurl http://" DEFAULT_LISTEN "/metrics\n"
		    "nfvchain metrics snake --once\n",
	.env_prefix = "NFVCHAIN",
	.opts = metrics_opts,
	.n_opts = N_ELEMS(metrics_opts),
};

/* A chain that is down is looked for again after this time: looking takes seconds where nobody
 * answers, and readers come each second. */
#define LOOK_AGAIN_NS (5 * NSEC_PER_S)

static bool
find_again(struct live_chain *chain)
{
	static uint64_t next_ns;
	struct err ignored = {0};

	if (clock_now_ns() < next_ns || !live_chain_may_be_up(chain))
		return false;
	if (live_chain_connect(chain, &ignored) == 0)
		return true;
	next_ns = clock_now_ns() + LOOK_AGAIN_NS;
	return false;
}

static bool
read_chain(struct live_chain *chain, struct live_sample *s)
{
	struct err ignored = {0};

	if (chain->console.stl == NULL && !find_again(chain))
		return false;
	if (live_read(chain->live, chain->console.stl, s, &ignored) == 0)
		return true;
	live_chain_disconnect(chain);
	return false;
}

static char *
make_page(void *arg, const char *accept, const char **type)
{
	struct live_chain *chain = arg;
	struct live_sample *s = xcalloc(1, sizeof(*s));
	const bool open = strstr(accept, "application/openmetrics-text") != NULL;
	char *text = live_metrics(read_chain(chain, s) ? s : NULL, chain->name, open);

	*type = open ? LIVE_METRICS_OPEN_TYPE : LIVE_METRICS_TEXT_TYPE;
	free(s);
	return text;
}

static int
print_once(struct live_chain *chain, struct err *err)
{
	struct live_sample *s = xcalloc(1, sizeof(*s));
	int rc = live_chain_connect(chain, err);
	char *text;

	if (rc == 0)
		rc = live_read(chain->live, chain->console.stl, s, err);
	if (rc == 0) {
		text = live_metrics(s, chain->name, true);
		fputs(text, stdout);
		free(text);
	}
	free(s);
	return rc;
}

/* "127.0.0.1:9469", "[::1]:9469": the host is cut off in place. */
static int
split_listen(char *listen, const char **host, unsigned *port, bool insecure, struct err *err)
{
	char *colon = strrchr(listen, ':'), *end = NULL;
	unsigned long n = colon != NULL ? strtoul(colon + 1, &end, 10) : 0;
	size_t len;

	if (colon == NULL || colon == listen || end == colon + 1 || *end != '\0' || n < 1 ||
	    n > 65535)
		return err_usage(err, "--listen %s: an address and a port, as in " DEFAULT_LISTEN,
				 listen);
	*colon = '\0';
	*port = (unsigned)n;
	len = strlen(listen);
	if (listen[0] == '[' && listen[len - 1] == ']') {
		listen[len - 1] = '\0';
		listen++;
	}
	*host = listen;
	if (!insecure && strncmp(listen, "127.", 4) != 0 && strcmp(listen, "::1") != 0)
		return err_usage(err,
				 "--listen %s: anybody who reaches it may read; --insecure if that "
				 "is meant",
				 listen);
	return 0;
}

static int
serve(struct live_chain *chain, const struct metrics_conf *conf, struct err *err)
{
	const struct http_page page = {.path = "/metrics", .make = make_page, .arg = chain};
	char *listen = xstrdup(conf->listen != NULL ? conf->listen : DEFAULT_LISTEN);
	const char *host = "";
	unsigned port = 0;
	int rc = split_listen(listen, &host, &port, conf->insecure, err);

	if (rc == 0) {
		session_catch_signals();
		fprintf(stderr, "nfvchain: http://%s:%u/metrics\n", host, port);
		rc = http_serve(host, port, &page, &session_stop, err);
	}
	free(listen);
	/* Ctrl-C is how one ends it. */
	return rc == 0 && session_stop == SIGTERM ? session_interrupted(err) : rc;
}

int
cmd_metrics(int argc, char **argv, struct err *err)
{
	struct metrics_conf conf = {0};
	struct live_chain chain = {0};
	int rc = opt_parse(&metrics_command, &argc, &argv, &conf, NULL, err);

	if (rc == 0 && argc > 1)
		rc = err_usage(err, "one chain at a time ('%s' is one too many)", argv[1]);
	if (rc == 0 && conf.once && (conf.listen != NULL || conf.insecure))
		rc = err_usage(err, "--once listens nowhere");
	if (rc == 0)
		rc = live_chain_find(&chain, argc > 0 ? argv[0] : "snake", conf.at, err);
	if (rc == 0)
		rc = conf.once ? print_once(&chain, err) : serve(&chain, &conf, err);
	live_chain_fini(&chain);
	free(conf.at);
	free(conf.listen);
	return rc;
}
