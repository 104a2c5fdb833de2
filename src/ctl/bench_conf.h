/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/opt.h"
#include "base/rate.h"
#include "bench/preset.h"
#include "chain/chain.h"

/* What `nfvchain bench` was asked for: flags and environment over the chain file. */

struct bench_conf {
	const char *chain_path; /* or NULL: the default chain */
	uint32_t hops;		/* of the default chain; 0 = not given */
	char *link;
	char *engine;	  /* of all our forwarders: one, or several to compare: "poll,event" */
	char *frames;	  /* "64,imix": replaces the file's */
	uint64_t flows;	  /* 0 = not given */
	struct rate rate; /* fixed-rate trial when value or unit is set */
	bool has_rate;
	uint64_t duration_ns; /* of the fixed-rate trial; 0 = not given */
	char *preset;
	uint64_t trial_ns;	 /* of the search; 0 = not given */
	uint32_t repeat;	 /* searches per frame size; 0 = not given */
	char *peer;		 /* what to compare the chain with, in a paired run, or NULL */
	struct opt_list faults;	 /* in a trial of fixed rate: "kill vnf1 at 2s" */
	struct opt_list asserts; /* about that comparison */
	uint64_t time_ns;	 /* of it; 0 = not given */
	bool stage_times;	 /* of all our forwarders */
	char *attribution;	 /* "auto", "on", "off", or NULL */
	bool force;
	char *accel;   /* of VMs; NULL: auto */
	char *connect; /* libvirt's URI, or NULL */
	char *output;
	bool json;
	bool quiet;
	bool dry_run;
	bool verbose;
};

/* Reads flags and environment; OPT_HELPED when help was printed. */
int bench_conf_parse(struct bench_conf *conf, int argc, char **argv, struct err *err);
void bench_conf_fini(struct bench_conf *conf);

/* Are several engines to be compared? */
bool bench_conf_has_engines(const struct bench_conf *conf);

/* Makes the chain: the file's or the default one, with the flags applied, checked; but of several
 * engines none. */
int bench_conf_chain(const struct bench_conf *conf, struct chain *chain, struct err *err);
/* Is the hop to be found that limits it? */
bool bench_conf_attributes(const struct bench_conf *conf, const struct chain *chain);
/* What is to be run of the chain's preset; 'max_pps' is what the generator can do. */
const struct preset *bench_conf_preset(const struct chain *chain);
struct procedure_conf bench_conf_procedure(const struct chain *chain, double max_pps);
unsigned bench_conf_repeats(const struct chain *chain);
