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
#include "forwarder.h"
#include "show.h"

/* nfvchain-fwd [EAL options] -- [options]: options, plan, launch, signals; nothing else. */

/* What EAL and the drivers want beside the buffers. */
#define NEED_MB 64

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

	return NEED_MB + port_buffers_mb(buffers, (uint16_t)(conf->max_frame - RTE_ETHER_CRC_LEN));
}

static int
print_plan(const struct fwd *fwd)
{
	json_t *json = plan_to_json(&fwd->plan);

	if (fwd->conf->json) {
		json_dumpf(json, stdout, JSON_INDENT(2));
		putchar('\n');
	} else {
		for (uint16_t i = 0; i < fwd->plan.n_links; i++) {
			const struct plan_link *l = &fwd->plan.link[i];

			printf("lcore %u: port %u queue %u -> port %u queue %d\n", l->lcore,
			       l->rx_port, l->rxq, l->egress, fwd->plan.txq[l->lcore][l->egress]);
		}
	}
	json_decref(json);
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
		fwd.conf = conf;
		rc = engine_find(conf->engine)
			     ->plan(&fwd.plan, conf, rte_eth_dev_count_avail(),
				    (uint16_t)rte_lcore_count(), err);
		if (rc == 0)
			rc = print_plan(&fwd);
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
	rc = sep < argc ? fwd_conf_parse(&conf, argc - sep, argv + sep, &err)
			: fwd_conf_parse(&conf, 1, argv, &err);
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
