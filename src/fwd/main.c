/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_lcore.h>
#include <rte_version.h>

#include "base/log.h"
#include "conf.h"
#include "control.h"
#include "dpdk/eal.h"
#include "dpdk/program.h"
#include "engine.h"
#include "facts.h"
#include "forwarder.h"
#include "nfs.h"
#include "show.h"

/* nfvchain-fwd [EAL options] -- [options]: options, plan, launch, signals; nothing else. */

/* What EAL and the drivers want beside the buffers. */
#define NEED_MB 64
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

static unsigned
memory_needed(const struct fwd_conf *conf)
{
	/* Two ports with both rings full. */
	uint64_t buffers = 2ull * conf->rxq * (conf->rxd + conf->txd) + 4096;
	bool events = strcmp(conf->engine, "poll") != 0;

	/* What an event device holds, and the device itself. */
	if (events)
		buffers += EVENT_BUFFERS + (conf->vector > 0 ? VECTOR_BUFFERS : 0);
	return NEED_MB + (events ? EVENT_MB : 0) +
	       port_buffers_mb(buffers, (uint16_t)(conf->max_frame - RTE_ETHER_CRC_LEN));
}

/* The plan alone: no port opens. */
static int
dry_run(const struct fwd_conf *conf, struct err *err)
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
		json_t *json = plan_to_json(&plan, &facts, engine->name);

		json_dumpf(json, stdout, JSON_INDENT(2));
		putchar('\n');
		json_decref(json);
	} else {
		plan_print(&plan, &facts, stdout);
	}
	return 0;
}

/* Ports are open: run until told to stop, then account. */
static int
run(struct fwd *fwd, struct err *err)
{
	struct control *control = NULL;
	struct fwd_totals t;
	unsigned leaked;
	int rc;

	rc = control_open(&control, fwd, err);
	if (rc == 0) {
		show_register_telemetry(fwd);
		LOG(INFO, "forwarding with engine %s on %u lcores", fwd->engine->name,
		    fwd->plan.n_lcores);
		fwd_run(fwd);
	}
	control_close(control);
	if (rc < 0)
		return rc;
	leaked = fwd_close_ports(fwd);
	fwd_totals(fwd, &t);
	if (!show_conservation(fwd, &t, leaked))
		return err_class(err, ERR_ACCOUNTING, "frames or buffers are unaccounted for");
	return 0;
}

static int
forward(struct fwd_conf *conf, int eal_argc, char **eal_argv, struct err *err)
{
	static struct fwd fwd;
	struct eal eal = {0};
	int rc;

	program_block_signals();
	rc = eal_start(&eal, eal_argc, eal_argv, memory_needed(conf), err);
	if (rc < 0)
		return rc;
	if (conf->dry_run) {
		rc = dry_run(conf, err);
	} else {
		rc = fwd_open(&fwd, conf, eal.shares_cpus, err);
		if (rc == 0)
			rc = run(&fwd, err);
		fwd_close(&fwd);
	}
	eal_stop(&eal);
	return rc;
}

int
main(int argc, char **argv)
{
	int sep = find_separator(argc, argv);
	struct fwd_conf conf;
	struct err err = {0};
	int rc;

	log_init("nfvchain-fwd", LOG_NOTICE);
	if (asks(sep, argv, "--help") || asks(sep, argv, "-h")) {
		opt_help(&fwd_command, stdout);
		return 0;
	}
	fwd_conf_init(&conf);
	/* argv[sep] is "--" and stands for the program's name before its own options. */
	rc = sep < argc ? fwd_conf_parse(&conf, argv[0], argc - sep, argv + sep, &err)
			: fwd_conf_parse(&conf, argv[0], 1, argv, &err);
	if (rc == 0 && (conf.version || asks(sep, argv, "--version"))) {
		printf("nfvchain-fwd %s, %s, gcc %s\n", NFVCHAIN_VERSION, rte_version(),
		       __VERSION__);
		fwd_conf_fini(&conf);
		return 0;
	}
	if (conf.verbose)
		log_init("nfvchain-fwd", LOG_INFO);
	if (rc == 0)
		rc = forward(&conf, sep, argv, &err);
	if (rc < 0)
		LOG(ERR, "%s", err.msg);
	fwd_conf_fini(&conf);
	return rc < 0 ? err_exit_code(&err) : 0;
}
