/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/opt.h"
#include "dpdk/idle.h"
#include "dpdk/program.h"

/* Settings of the forwarder, from its command line and environment. */

enum on_full { ON_FULL_HOLD, ON_FULL_DROP };

#define CONF_MAX_NFS 8
#define CONF_MAX_BURST 256

struct fwd_conf {
	char *engine;
	struct opt_list nf;
	uint64_t portmask; /* 0 = all */
	char *portmap;
	uint32_t queues_per_lcore; /* l2fwd's -q; 0 = spread over all lcores */
	uint32_t rxq;
	uint32_t rxd;
	uint32_t txd;
	uint32_t burst;
	uint64_t max_frame; /* bytes with FCS */
	uint64_t period_ns; /* statistics on stdout; 0 = none */
	bool promiscuous;
	bool mac_updating;
	enum on_full on_full;
	uint64_t hold_ns; /* then a counted drop */
	enum idle_policy idle;
	uint64_t drain_ns;
	struct port_mac addr[PROGRAM_MAX_PORTS];
	struct port_mac dest[PROGRAM_MAX_PORTS];
	char *control;
	int lifeline;
	bool dry_run;
	bool json;
	bool verbose;
	bool version;
};

void fwd_conf_init(struct fwd_conf *conf);
void fwd_conf_fini(struct fwd_conf *conf);

/* Reads the environment and the options after "--".  'personality' is the program's name when it is
 * started as one of DPDK's examples, else NULL. */
int fwd_conf_parse(struct fwd_conf *conf, int argc, char **argv, struct err *err);

/* The command's option table, for help and completion. */
extern const struct opt_command fwd_command;
