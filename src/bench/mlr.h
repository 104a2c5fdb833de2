/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "goal.h"
#include "measurer.h"
#include "search_result.h"

/* Multiple loss ratio search (RFC 9971): for each of a few goals the highest load that meets it,
 * from trials that are run once and count for all goals.
 *
 * A load is tried until its class, for the goal in focus, cannot change any more: 1f21d0l50e
 * accepts a load after 11 good trials and rejects it after 11 bad ones.  Loads are those of a
 * logarithmic grid whose steps are the narrowest width of the goals; other widths are rounded down
 * to whole steps.  The effective duration of a trial is its intended duration: overhead counts for
 * the limit of time only.  Load, here and in results, is what the measurer takes it to be.
 *
 * A load with too many invalid trials in a row is given up: it is unknown, the search goes on below
 * it, and when it stands next to the result that is a lower bound (SEARCH_AT_LEAST). */

#define MLR_MAX_GOALS 4
#define MLR_PRECEDING 2 /* as many targets before a goal as suit most chains */

/* What is to be expected from here on, if each load decides itself as fast as it can and bounds are
 * where they are expected; not a bound, except that it is never more than the limits leave. */
struct mlr_progress {
	size_t n_trials; /* so far, invalid ones as well */
	uint64_t spent_ns;
	double trials_left;
	double left_ns;
};

struct mlr_conf {
	struct goal goals[MLR_MAX_GOALS];
	size_t n_goals;
	double min_pps;	      /* lowest load worth knowing */
	double max_pps;	      /* highest load to try: the generator's own maximum */
	unsigned max_invalid; /* invalid trials in a row at one load before giving up on it; twice
			       * as many at the start without a valid one end the search */
	unsigned max_trials;  /* of all loads together, 0 for no limit */
	uint64_t max_ns;      /* no trial starts that would not end within so much time of trials;
			       * repetitions of invalid ones may; 0 for no limit */
	uint64_t overhead_ns; /* of each trial, for that limit */
	unsigned n_preceding; /* coarser targets before each goal: MLR_PRECEDING, at most 8 */
	/* Called before each trial, though not before repetitions of invalid ones; may be NULL. */
	void (*progress)(void *ctx, const struct mlr_progress *p);
	void *progress_ctx;
};

/* Runs the search and fills one result for each goal, in their order.  accepted_pps and
 * rejected_pps are the relevant bounds, FOUND means that they are within the goal's width, and
 * n_trials and n_invalid are those of the whole search.  Negative errno only when the settings make
 * no sense or the measurer can go on no more; the results then hold what was found so far, and
 * those that more trials might have changed are inconclusive. */
int mlr_run(const struct mlr_conf *conf, const struct measurer *m, struct search_result *results,
	    struct err *err);
