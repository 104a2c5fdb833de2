/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>

#include "goal.h"
#include "mlr_loads.h"

/* Which load to measure next for one goal.
 *
 * A goal is approached by way of coarser ones, its targets: the first takes one trial of the
 * initial duration to decide a load and is content with bounds far apart; each that follows asks
 * for more trials and half the distance, and starts from the bounds that the one before found.
 * The last is the goal itself.  All targets, of all goals, look at all trials. */

#define MLR_MAX_PRECEDING 8

struct mlr_selector {
	struct goal targets[MLR_MAX_PRECEDING + 1];
	long steps[MLR_MAX_PRECEDING + 1]; /* width of each on the grid */
	size_t n_targets;
	size_t current;
	/* Where to look first, as places on the grid: -1, and n_grid or above, where there is
	 * nothing to go by. */
	long hint_low, hint_high;
};

void mlr_selector_init(struct mlr_selector *s, const struct goal *goal, unsigned n_preceding,
		       const struct mlr_loads *loads);

/* The place on the grid where a trial of s->targets[s->current].trial_ns is wanted next, or -1 when
 * the goal is reached, or cannot be. */
long mlr_selector_next(struct mlr_selector *s, const struct mlr_loads *loads);

/* Trials still to come, and their time in '*ns' with 'overhead_ns' for each, if the chain answers
 * each load alike and nothing is learnt from other goals. */
double mlr_selector_left(const struct mlr_selector *s, const struct mlr_loads *loads,
			 double overhead_ns, double *ns);
