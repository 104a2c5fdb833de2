/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/opt.h"
#include "base/str.h"
#include "chain/fault_act.h"
#include "chain/marks.h"
#include "command.h"
#include "live_find.h"
#include "session.h"

/* nfvchain fault CHAIN [HOP] KIND: disturbs a hop of a chain that is up, for a while. */

#define OPEN_MS 1000
#define LOOK_MS 50

struct fault_conf {
	uint64_t for_ns; /* 0: not given */
	char *by;
	bool quiet;
};

#define FIELD(member) OPT_FIELD(struct fault_conf, member)

static const struct opt fault_opts[] = {
	{"for", 0, "TIME", "how long: stop 300ms, slow and drop 1s, flap 200ms, hog 500ms",
	 opt_set_duration, FIELD(for_ns), NULL, OPT_NO_ENV},
	{"by", 0, "AMOUNT", "slow: cycles a frame (10000); drop: share of the frames (1%)",
	 opt_set_text, FIELD(by), NULL, OPT_NO_ENV},
	{"quiet", 'q', NULL, "do not say what was done", opt_set_switch, FIELD(quiet), NULL, 0},
};

const struct opt_command fault_command = {
	.name = "nfvchain fault",
	.positional = "CHAIN [HOP] KIND",
	.summary = "Disturbs a hop of a chain that is up, on purpose, and undoes it: kill, stop "
		   "(SIGSTOP), slow (more cycles a frame), flap (a port closed and opened), drop "
		   "(a share of the frames), hog (a busy process on its CPUs).",
	.examples = "nfvchain fault snake stop --for 300ms\n"
		    "nfvchain fault snake vnf1 slow --by 5000 --for 10s\n"
		    "nfvchain fault snake vnf1 kill\n",
	.env_prefix = "NFVCHAIN",
	.opts = fault_opts,
	.n_opts = N_ELEMS(fault_opts),
};

/* ---- which ---- */

static const struct chain_hop *
find_hop(const struct chain *chain, const char *word, struct err *err)
{
	for (size_t i = 0; i < chain->n_hops; i++)
		if (word == NULL || strcmp(chain->hop[i].name, word) == 0)
			return &chain->hop[i];
	err_usage(err, "chain '%s' has no hop '%s'", chain->name, word);
	return NULL;
}

static int
check_hop(const struct live_chain *c, const struct chain_hop *hop, const struct fault_order *order,
	  struct err *err)
{
	size_t i = (size_t)(hop - c->chain.hop);

	if (hop->place == PLACE_VM)
		return err_usage(err, "hop '%s' is in a VM", hop->name);
	if (order->kind == FAULT_ORDER_FLAP && c->chain.link[i].kind == LINK_MEMIF)
		return err_usage(err,
				 "link %zu is memif, which never connects again to a port that "
				 "was closed",
				 i);
	return 0;
}

/* Its process, by the mark that it was started with, or 0. */
static int
find_process(const struct live_chain *c, const char *hop, pid_t *pid, struct err *err)
{
	struct marked *found;
	size_t n;
	int rc = marked_find(c->name, c->run_dir, &found, &n, err);

	*pid = 0;
	for (size_t i = 0; rc == 0 && i < n; i++)
		/* What it has started has the mark too. */
		if (strcmp(found[i].name, hop) == 0 && getpgid(found[i].pid) == found[i].pid)
			*pid = found[i].pid;
	marked_free(found, n);
	if (rc == 0 && *pid == 0)
		rc = err_set(err, ESRCH, "hop '%s' of chain '%s' does not run", hop, c->name);
	return rc;
}

/* ---- doing it ---- */

static void
say(const struct fault_conf *conf, const struct fault_order *order, const struct chain_hop *hop,
    pid_t pid)
{
	char text[128];

	if (conf->quiet)
		return;
	printf("%s (pid %d)%s\n", fault_order_print(text, sizeof(text), order), pid,
	       order->kind != FAULT_ORDER_KILL ? ""
	       : hop->supervise		       ? ": it is supervised and started again"
					       : ": it is not supervised, so its chain ends");
	fflush(stdout);
}

static void
wait_for(uint64_t ns)
{
	struct deadline d = deadline_in_ms(ns / NSEC_PER_MS);

	while (!deadline_passed(&d) && session_stop == 0) {
		int ms = deadline_left_ms(&d);

		poll(NULL, 0, ms < LOOK_MS ? ms : LOOK_MS);
	}
}

static int
disturb(const struct live_chain *c, const struct fault_conf *conf, const struct chain_hop *hop,
	const struct fault_order *order, struct err *err)
{
	char *path = xasprintf("%s/%s.ctl", c->run_dir, hop->name);
	struct fault_target target = {.name = hop->name};
	struct fault_act act;
	int rc = find_process(c, hop->name, &target.pid, err);

	if (rc == 0 && access(path, F_OK) == 0)
		rc = control_client_open(&target.control, path, OPEN_MS, err);
	session_catch_signals();
	if (rc == 0)
		rc = fault_act_begin(&act, order, &target, err);
	if (rc == 0) {
		say(conf, order, hop, target.pid);
		wait_for(order->for_ns);
		/* By itself it is over by now, unless somebody has no patience. */
		fault_act_end(&act, session_stop != 0 ? target.control : NULL);
	}
	control_client_close(target.control);
	free(path);
	if (rc == 0 && session_stop != 0)
		rc = err_class(err, (enum err_class)(128 + session_stop),
			       "interrupted; what was done is undone");
	return rc;
}

static int
make_order(struct fault_order *order, const struct fault_conf *conf, const char *kind,
	   struct err *err)
{
	enum fault_order_kind k;
	int rc = fault_order_kind_parse(kind, &k, err);

	if (rc < 0)
		return rc;
	fault_order_init(order, k);
	if (conf->by != NULL)
		rc = fault_order_set_amount(order, conf->by, err);
	if (rc == 0 && conf->for_ns > 0)
		rc = fault_order_set_for(order, conf->for_ns, err);
	return rc;
}

static int
fault(const struct fault_conf *conf, int argc, char **argv, struct err *err)
{
	struct live_chain chain = {0};
	const struct chain_hop *hop = NULL;
	struct fault_order order;
	int rc = make_order(&order, conf, argv[argc - 1], err);

	if (rc == 0)
		rc = live_chain_find(&chain, argv[0], NULL, err);
	if (rc == 0 && chain.chain.n_hops == 0)
		rc = err_set(err, ESRCH, "chain '%s' is not up ('nfvchain up' brings it up)",
			     chain.name);
	if (rc == 0 && argc == 2 && chain.chain.n_hops > 1)
		rc = err_usage(err, "which hop? Chain '%s' has %zu", chain.name,
			       chain.chain.n_hops);
	if (rc == 0) {
		hop = find_hop(&chain.chain, argc == 3 ? argv[1] : NULL, err);
		rc = hop != NULL ? check_hop(&chain, hop, &order, err) : -EINVAL;
	}
	if (rc == 0) {
		str_copy(order.hop, sizeof(order.hop), hop->name);
		rc = disturb(&chain, conf, hop, &order, err);
	}
	live_chain_fini(&chain);
	return rc;
}

int
cmd_fault(int argc, char **argv, struct err *err)
{
	struct fault_conf conf = {0};
	int rc = opt_parse(&fault_command, &argc, &argv, &conf, NULL, err);

	if (rc == 0 && (argc < 2 || argc > 3))
		rc = err_usage(err, "say which chain, which hop and what: "
				    "nfvchain fault snake vnf1 stop");
	if (rc == 0)
		rc = fault(&conf, argc, argv, err);
	free(conf.by);
	return rc;
}
