/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <signal.h>
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
#include "up_again.h"
#include "up_detach.h"

/* nfvchain up CHAIN: the chain in the foreground, until Ctrl-C. */

#define LOOK_MS 250

struct up_conf {
	bool trex_ports;
	bool detach;
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
	{"detach", 0, NULL, "return when it is up, and keep it up in the background",
	 opt_set_switch, FIELD(detach), NULL, OPT_NO_ENV},
	{"verbose", 'v', NULL, "print the command lines too", opt_set_switch, FIELD(verbose), NULL,
	 0},
};

const struct opt_command up_command = {
	.name = "nfvchain up",
	.positional = "[CHAIN]",
	.summary =
		"Brings a chain up and keeps it up until Ctrl-C.  Of one that is up already it "
		"has started what is dead, and of one that nobody keeps it takes down first what "
		"is left.",
	.examples = "nfvchain up chains/snake.yaml --trex-ports\n"
		    "nfvchain up chains/snake.yaml --detach && nfvchain down snake\n",
	.env_prefix = "NFVCHAIN",
	.opts = up_opts,
	.n_opts = N_ELEMS(up_opts),
};

static volatile sig_atomic_t asked_again;

static void
on_again(int signum)
{
	(void)signum;
	asked_again = 1;
}

/* Until somebody ends it, or a hop dies that nobody starts again. */
static int
keep(struct session *s, struct err *err)
{
	int rc;

	do {
		rc = backend_wait(&s->backend, LOOK_MS, err);
		if (asked_again) {
			asked_again = 0;
			(void)supervise_retry(&s->backend);
		}
	} while (rc == 0);
	return rc;
}

static int
keep_up(const struct chain *chain, const struct up_conf *conf, struct up_detach *detach,
	struct err *err)
{
	struct sigaction again = {.sa_handler = on_again};
	struct session s = {0};
	struct onlook *onlook = NULL;
	char *text;
	int rc;

	session_catch_signals();
	sigaction(UP_AGAIN_SIGNAL, &again, NULL);
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
	printf("generator: %s\n", s.backend.rpc_endpoint);
	if (detach != NULL)
		printf("up; 'nfvchain down %s' takes it down\n", chain->name);
	else
		printf("up; Ctrl-C takes it down\n");
	fflush(stdout);
	free(text);
	if (detach != NULL)
		up_detach_done(detach, s.backend.dir.path);
	rc = keep(&s, err);
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

static int
bring_up(const struct chain *chain, const struct up_conf *conf, struct err *err)
{
	struct up_detach detach;
	bool done;
	int rc = up_again(chain, conf->trex_ports, &done, err);

	if (rc < 0 || done)
		return rc;
	fflush(stdout);
	if (!conf->detach)
		return keep_up(chain, conf, NULL, err);
	rc = up_detach(&detach, err);
	return rc == UP_DETACH_KEEPER ? keep_up(chain, conf, &detach, err) : rc;
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
		rc = bring_up(&chain, &conf, err);
	chain_fini(&chain);
	free(conf.accel);
	free(conf.connect);
	return rc;
}
