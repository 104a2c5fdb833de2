/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/opt.h"
#include "chain/onlook.h"
#include "chain/supervise.h"
#include "command.h"
#include "session.h"

/* nfvchain up CHAIN: the chain in the foreground, until Ctrl-C. */

struct up_conf {
	bool trex_ports;
	bool verbose;
	uint32_t hops;
	char *accel;
	char *connect;
};

#define FIELD(member) OPT_FIELD(struct up_conf, member)

static const struct opt up_opts[] = {
	{"trex-ports", 0, NULL, "generator's RPC on tcp 127.0.0.1:4501 and 4500", opt_set_switch,
	 FIELD(trex_ports), NULL, 0},
	{"hops", 0, "N", "forwarders in the default chain (1)", opt_set_u32, FIELD(hops), NULL, 0},
	{"accel", 0, "ACCEL", SESSION_ACCEL_HELP, opt_set_text, FIELD(accel), session_accels, 0},
	{"connect", 0, "URI", SESSION_CONNECT_HELP, opt_set_text, FIELD(connect), NULL, 0},
	{"verbose", 'v', NULL, "print the command lines too", opt_set_switch, FIELD(verbose), NULL,
	 0},
};

const struct opt_command up_command = {
	.name = "nfvchain up",
	.positional = "[CHAIN]",
	.summary = "Brings a chain up and keeps it up until Ctrl-C.",
	.examples = "nfvchain up chains/snake.yaml --trex-ports\n",
	.env_prefix = "NFVCHAIN",
	.opts = up_opts,
	.n_opts = N_ELEMS(up_opts),
};

static int
keep_up(const struct chain *chain, const struct up_conf *conf, struct err *err)
{
	struct session s = {0};
	struct onlook *onlook = NULL;
	char *text;
	int rc;

	session_catch_signals();
	rc = session_up(&s, chain, conf->trex_ports, err);
	if (rc < 0)
		return rc == -EINTR ? session_interrupted(err) : rc;
	supervise_keep_others(&s.backend);
	/* Whoever drives the generator meanwhile finds its ports free. */
	tg_release(s.backend.tg);
	rc = onlook_open(&onlook, &s.backend, err);
	if (rc < 0) {
		session_down(&s);
		return rc;
	}
	s.plan.verbose = conf->verbose;
	text = chain_plan_print(&s.plan, chain);
	fputs(text, stdout);
	printf("generator: %s\nup; Ctrl-C takes it down\n", s.backend.rpc_endpoint);
	fflush(stdout);
	free(text);
	do {
		rc = backend_wait(&s.backend, 60000, err);
	} while (rc == 0);
	onlook_close(onlook);
	session_down(&s);
	/* Ctrl-C is how one ends this command: it has done what was asked. */
	return rc == -EINTR ? 0 : rc;
}

static int
check_conf(const struct up_conf *conf, int argc, char **argv, struct err *err)
{
	if (argc > 1)
		return err_usage(err, "one chain file at a time ('%s' is one too many)", argv[1]);
	if (argc > 0 && conf->hops > 0)
		return err_usage(err, "--hops shapes the default chain; '%s' says its own",
				 argv[0]);
	if (conf->hops > CHAIN_MAX_HOPS)
		return err_usage(err, "--hops: a chain has 1 to %d hops", CHAIN_MAX_HOPS);
	return 0;
}

int
cmd_up(int argc, char **argv, struct err *err)
{
	struct up_conf conf = {0};
	struct chain chain = {0};
	int rc = opt_parse(&up_command, &argc, &argv, &conf, NULL, err);

	if (rc == 0)
		rc = check_conf(&conf, argc, argv, err);
	if (rc == 0)
		rc = session_set_vms(conf.accel, conf.connect, err);
	if (rc == 0 && argc > 0)
		rc = chain_open(&chain, argv[0], err);
	else if (rc == 0)
		chain_default(&chain, conf.hops > 0 ? conf.hops : 1);
	if (rc == 0)
		rc = chain_check(&chain, err);
	if (rc == 0)
		rc = keep_up(&chain, &conf, err);
	chain_fini(&chain);
	free(conf.accel);
	free(conf.connect);
	return rc;
}
