/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "goal.h"
#include "trial.h"

/* What the trials of one load say about a goal (RFC 9971, 4.7 and its appendices A and B).
 *
 * Nothing is rounded: durations are whole nanoseconds, the exceed ratio is taken to a billionth,
 * and all else is exact integer arithmetic.  So "half of 21 s" never depends on the order of the
 * trials, nor 29 % of 100 s on how a binary fraction comes close to 0.29. */

/* A valid trial, as far as goals look at it. */
struct mlr_trial {
	uint64_t duration_ns;  /* intended: below the goal's trial_ns it is a short trial */
	uint64_t effective_ns; /* what it counts for in sums; the intended duration as well, unless
				* the trial's overhead is to count */
	double loss_ratio;
	bool faulty; /* bad for any goal, as of frames that arrived corrupt */
};

enum mlr_class {
	MLR_UNDECIDED,
	MLR_LOWER, /* the load meets the goal, whatever the trials missing may bring */
	MLR_UPPER, /* it fails the goal, whatever they may bring */
};

/* A valid trial as it came from a measurer and was judged. */
struct mlr_trial mlr_trial_of(const struct trial *t);

/* Is it a high-loss trial?  The same as trial_exceeds() with the goal's loss ratio. */
bool mlr_trial_is_bad(const struct mlr_trial *t, const struct goal *goal);

/* The class of the load of which these are all the trials; their order does not matter.  'goal' has
 * passed goal_check, except that sum_ns may be anything above 0. */
enum mlr_class mlr_classify(const struct goal *goal, const struct mlr_trial *trials, size_t n);

/* Conditional throughput at 'pps': the load times the share forwarded in the worst of the trials
 * that count, when the worst ones, up to the exceed ratio, do not; time still missing counts as all
 * lost.  A result only where the load is the relevant lower bound; 0 without full-length trials. */
double mlr_conditional_pps(const struct goal *goal, double pps, const struct mlr_trial *trials,
			   size_t n);

/* Trials of goal->trial_ns that it takes to decide a load without any yet, when all of them come
 * out alike: of good and bad ones the larger number. */
unsigned mlr_trials_to_decide(const struct goal *goal);
