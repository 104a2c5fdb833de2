/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_lcore.h>
#include <rte_version.h>

#include "base/log.h"
#include "conf_hops.h"
#include "control.h"
#include "dpdk/eal.h"
#include "dpdk/program.h"
#include "engine.h"
#include "facts.h"
#include "group.h"
#include "nfs.h"
#include "show.h"

/* nfvchain-fwd [EAL options] -- [options]: options, plan, launch, signals; nothing else. */

/* What EAL and the drivers want beside the buffers. */
#define NEED_MB 64
#define HOP_BUFFERS 4096 /* in bursts and caches */
#define EVENT_MB 64
#define EVENT_BUFFERS 8192
#define VECTOR_BUFFERS 16384

/* Index of "--" in argv, or argc. */
static int
find_separator(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (strcmp(argv[i], "--") == 0)
			return i;
	return argc;
}

/* EAL swallows --help and --version; a person who asks for them wants ours. */
static bool
asks(int argc, char **argv, const char *flag)
{
	for (int i = 1; i < argc; i++)
		if (strcmp(argv[i], flag) == 0)
			return true;
	return false;
}

/* Buffers in rings: of devices, at the ends, and between hops. */
static uint64_t
buffers_in_rings(const struct fwd_confs *confs)
{
	const struct fwd_conf *first = &confs->hop[0], *last = &confs->hop[confs->n - 1];
	uint64_t n = (uint64_t)first->rxq * (first->rxd + first->txd) +
		     (uint64_t)last->rxq * (last->rxd + last->txd);

	for (unsigned i = 0; i + 1 < confs->n; i++)
		n += (uint64_t)confs->hop[i].hop_ring * (confs->hop[i].rxq + confs->hop[i + 1].rxq);
	return n;
}

static unsigned
memory_needed(const struct fwd_confs *confs)
{
	uint64_t buffers = buffers_in_rings(confs);
	unsigned mb = NEED_MB;

	for (unsigned i = 0; i < confs->n; i++) {
		const struct fwd_conf *conf = &confs->hop[i];

		buffers += HOP_BUFFERS;
		if (strcmp(conf->engine, "poll") == 0)
			continue;
		/* What an event device holds, and the device itself. */
		buffers += EVENT_BUFFERS + (conf->vector > 0 ? VECTOR_BUFFERS : 0);
		mb += EVENT_MB;
	}
	return mb +
	       port_buffers_mb(buffers, (uint16_t)(confs->hop[0].max_frame - RTE_ETHER_CRC_LEN));
}

/* The plan of a hop, as JSON or for people. */
static int
plan_hop(const struct fwd_conf *conf, json_t **json, struct err *err)
{
	const struct engine *engine = engine_find(conf->engine);
	struct plan_facts facts;
	static struct plan plan;
	int rc = facts_read(&facts, conf, err);

	if (rc == 0)
		rc = nfs_check(conf, err);
	if (rc == 0)
		rc = engine->plan(&plan, conf, &facts, err);
	if (rc < 0)
		return rc;
	if (conf->json) {
		*json = plan_to_json(&plan, &facts, engine->name);
		return 0;
	}
	if (conf->in_row)
		printf("%s\n", conf->hop);
	plan_print(&plan, &facts, stdout);
	return 0;
}

/* The plan alone: no port opens.  Of several hops it is a list. */
static int
dry_run(const struct fwd_confs *confs, struct err *err)
{
	json_t *list = json_array();
	int rc = 0;

	for (unsigned i = 0; rc == 0 && i < confs->n; i++) {
		json_t *json = NULL;

		rc = plan_hop(&confs->hop[i], &json, err);
		if (json == NULL)
			continue;
		if (confs->n > 1)
			json_object_set_new(json, "hop", json_string(confs->hop[i].hop));
		json_array_append_new(list, json);
	}
	if (rc == 0 && confs->hop[0].json) {
		json_dumpf(confs->n > 1 ? list : json_array_get(list, 0), stdout, JSON_INDENT(2));
		putchar('\n');
	}
	json_decref(list);
	return rc;
}

/* Every hop's books are looked at, also behind one that does not balance. */
static int
account(struct group *g, unsigned leaked, struct err *err)
{
	bool balanced = true;

	for (unsigned i = 0; i < g->n; i++) {
		struct fwd_totals t;

		fwd_totals(g->fwd[i], &t);
		balanced &= show_conservation(g->fwd[i], &t, leaked);
	}
	return balanced ? 0
			: err_class(err, ERR_ACCOUNTING, "frames or buffers are unaccounted for");
}

/* Ports are open: run until told to stop, then account. */
static int
run(struct group *g, int lifeline, struct err *err)
{
	struct control *control = NULL;
	int rc;

	rc = control_open(&control, g, lifeline, err);
	if (rc == 0) {
		show_register_telemetry(g->fwd, g->n);
		for (unsigned i = 0; i < g->n; i++)
			LOG(INFO, "forwarding with engine %s on %u lcores", g->fwd[i]->engine->name,
			    g->fwd[i]->plan.n_lcores);
		for (unsigned i = 0; i < g->n; i++)
			if (g->fwd[i]->conf->paused)
				fwd_set_state(g->fwd[i], FWD_PAUSE);
		group_run(g);
	}
	control_close(control);
	return rc < 0 ? rc : account(g, group_close_ports(g), err);
}

static int
forward(const struct fwd_confs *confs, int eal_argc, char **eal_argv, struct err *err)
{
	static struct group group;
	struct eal eal = {0};
	int rc;

	program_block_signals();
	rc = eal_start(&eal, eal_argc, eal_argv, memory_needed(confs), err);
	if (rc < 0)
		return rc;
	if (confs->hop[0].dry_run) {
		rc = dry_run(confs, err);
	} else {
		rc = group_open(&group, confs, eal.shares_cpus, err);
		if (rc == 0)
			rc = run(&group, fwd_confs_lifeline(confs), err);
		group_close(&group);
	}
	eal_stop(&eal);
	return rc;
}

int
main(int argc, char **argv)
{
	int sep = find_separator(argc, argv);
	static struct fwd_confs confs;
	struct err err = {0};
	int rc;

	log_init("nfvchain-fwd", LOG_NOTICE);
	if (asks(sep, argv, "--help") || asks(sep, argv, "-h")) {
		opt_help(&fwd_command, stdout);
		return 0;
	}
	/* argv[sep] is "--" and stands for the program's name before its own options. */
	rc = sep < argc ? fwd_confs_parse(&confs, argv[0], argc - sep, argv + sep, &err)
			: fwd_confs_parse(&confs, argv[0], 1, argv, &err);
	if (rc == 0 && (confs.hop[0].version || asks(sep, argv, "--version"))) {
		printf("nfvchain-fwd %s, %s, gcc %s\n", NFVCHAIN_VERSION, rte_version(),
		       __VERSION__);
		fwd_confs_fini(&confs);
		return 0;
	}
	if (rc == 0 && confs.hop[0].verbose)
		log_init("nfvchain-fwd", LOG_INFO);
	if (rc == 0)
		rc = forward(&confs, sep, argv, &err);
	if (rc < 0)
		LOG(ERR, "%s", err.msg);
	fwd_confs_fini(&confs);
	return rc < 0 ? err_exit_code(&err) : 0;
}
