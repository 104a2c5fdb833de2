/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "measurer.h"

/* Maximum receive rate: what comes out when as much goes in as the generator can, whatever is lost
 * (RFC 2889, forwarding rate at maximum offered load).  It tells nothing about loss and takes
 * seconds, so it is good for finding changes. */

#define MRR_MAX_TRIALS 100

struct mrr_conf {
	double max_pps;
	uint64_t trial_ns;    /* 1 s */
	unsigned n_trials;    /* 10, at most MRR_MAX_TRIALS */
	unsigned max_invalid; /* in a row, before a trial is given up */
};

/* 'value_pps' in order of time; median, lowest and highest of them, NaN of none.  A forwarding rate
 * is the load less what was lost: frames refused at the generator's link were not forwarded. */
struct mrr {
	double value_pps[MRR_MAX_TRIALS];
	size_t n; /* valid trials; fewer than asked for when too many were not */
	double median_pps;
	double low_pps;
	double high_pps;
	size_t n_trials;
	size_t n_invalid;
};

/* A negative errno when the settings make no sense or the measurer can go on no more; 'mrr' then
 * holds what there is. */
int mrr_run(const struct mrr_conf *conf, const struct measurer *m, struct mrr *mrr,
	    struct err *err);
