/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/opt.h"
#include "bench/sweep.h"
#include "sweep_arm.h"

/* What `nfvchain sweep` was asked for: flags and environment. */

struct sweep_conf {
	struct sweep_axis axis[SWEEP_N_AXES]; /* those not given have their defaults */
	char *engines;
	unsigned n_arms;
	struct sweep_arm arm[SWEEP_MAX_ARMS];
	char *sched;
	uint32_t vector;
	uint64_t classes;   /* of skewed work */
	uint64_t flow_seed; /* flows drawn at random; 0: neighbours */
	uint64_t time_ns;
	uint64_t turn_ns;
	uint64_t seed; /* of the orders, below 2^63; 0: from the clock */
	char *output;
	bool json;
	bool quiet;
	bool dry_run;
	bool verbose;
};

/* Reads flags and environment, and refuses what makes no sense; 'n_cpus' is what this process may
 * use.  OPT_HELPED when help was printed.  sweep_conf_fini takes it in any case. */
int sweep_conf_parse(struct sweep_conf *conf, int argc, char **argv, unsigned n_cpus,
		     struct err *err);
void sweep_conf_fini(struct sweep_conf *conf);
