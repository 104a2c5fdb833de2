/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/opt.h"
#include "base/rate.h"
#include "bench/claim.h"

/* What `nfvchain compare` was asked for: flags and environment. */

#define COMPARE_MAX_CLAIMS 8
#define COMPARE_MAX_SIDES 6

struct compare_conf {
	const char *side[COMPARE_MAX_SIDES]; /* A, B ... as the user names them */
	unsigned n_sides;
	bool only_tell;	  /* whatever the verdict, the exit code is 0: nobody is the baseline */
	char *metric;	  /* "rate", "latency-p50", "latency-p99" */
	struct rate rate; /* load of a latency metric, when has_rate */
	bool has_rate;
	uint64_t time_ns;  /* all in all */
	uint64_t slice_ns; /* traffic of one slice; 0: as fits the method */
	uint32_t rounds;   /* 0: as many as fit in */
	uint64_t seed;	   /* of the order, below 2^63; 0: from the clock */
	bool no_control;
	bool flat_out;	   /* wall-clock rate also where the hop's own could be had */
	bool instructions; /* count instructions per frame too */
	char *frames;
	uint64_t flows; /* 0: the chain's */
	char *link;	/* of the default chain, or NULL */
	uint32_t lcores;
	struct opt_list asserts;
	struct claim claim[COMPARE_MAX_CLAIMS]; /* one for each of asserts */
	char *output;
	bool json;
	bool quiet;
	bool dry_run;
	bool verbose;
};

/* Settings before any flag; compare_conf_fini takes them. */
void compare_conf_init(struct compare_conf *conf);
/* Reads flags and environment; OPT_HELPED when help was printed. */
int compare_conf_parse(struct compare_conf *conf, int argc, char **argv, struct err *err);
/* Refuses what makes no sense, and reads the assertions. */
int compare_conf_check(struct compare_conf *conf, struct err *err);
void compare_conf_fini(struct compare_conf *conf);
