/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "measurer.h"
#include "search_result.h"

/* Throughput and frame loss rate of RFC 2544, sections 26.1 and 26.3.
 *
 * The pauses of section 23, 2 s for frames under way and 5 s before the next trial, are the
 * measurer's business. */

struct rfc2544_conf {
	double min_pps;
	double max_pps;
	double width;	   /* throughput is known to this share of it, 0.005 */
	double curve_step; /* share of max_pps between loads of the curve, at most 0.1 */
	uint64_t trial_ns; /* 60 s */
	unsigned max_invalid;
	unsigned max_trials; /* of each of the two, 0 for no limit */
};

/* The highest load at which one trial loses nothing, by bisection; the maximum first. */
int rfc2544_throughput(const struct rfc2544_conf *conf, const struct measurer *m,
		       struct search_result *result, struct err *err);

/* Steps of 1 % of the maximum. */
#define LOSS_CURVE_MAX 100

struct loss_point {
	double rate_pps;
	double loss_ratio; /* NaN when no trial was valid */
	unsigned n_trials; /* valid ones: 1 or 0 */
};

/* How much is lost at which load, from the highest down. */
struct loss_curve {
	struct loss_point point[LOSS_CURVE_MAX];
	size_t n;
	bool complete; /* two successive loads lost nothing, which is where it may end */
	size_t n_trials;
	size_t n_invalid;
};

/* One trial at max_pps and at each step below it, until two successive loads lose nothing or
 * steps end.  Loads whose trials are all invalid stay without a figure, and are not a loss of
 * nothing.  A negative errno as bisect_run; 'curve' then holds what there is. */
int rfc2544_loss_curve(const struct rfc2544_conf *conf, const struct measurer *m,
		       struct loss_curve *curve, struct err *err);
