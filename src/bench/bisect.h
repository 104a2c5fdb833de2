/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "goal.h"
#include "grid.h"
#include "measurer.h"
#include "search_result.h"

/* Binary search for the highest load of a grid that is accepted.  The procedures that halve an
 * interval of loads differ in three things only: what loads there are, what it takes to accept one,
 * and where they begin and end.
 *
 * Where everything else is the same, several loss ratios may be searched for at once.  If a single
 * trial decides a load, a trial made for one of them then serves the others. */

#define BISECT_MAX_GOALS 4

/* For max_lost: retry however much was lost. */
#define BISECT_NO_LIMIT UINT64_MAX

struct bisect_conf {
	struct grid grid;
	uint64_t trial_ns;
	double loss_ratio[BISECT_MAX_GOALS]; /* a trial that loses more is a bad one */
	size_t n_goals;
	unsigned needed;   /* good trials that accept a load */
	unsigned retries;  /* bad trials forgiven on the way; one more rejects it */
	uint64_t max_lost; /* frames; a trial that lost more is not forgiven */
	bool max_first;	   /* try the highest load before all */
	bool leave_last;   /* stop when one load is undecided, and do not try it */
	unsigned max_invalid;
	unsigned max_trials; /* of all loads and goals together, 0 for no limit */
};

/* Runs the search into result[0] to [n_goals - 1], each of which counts the trials of all.
 *
 * With 'leave_last' the rejected load may be two steps above the accepted one, SEARCH_BELOW_MIN may
 * mean the second lowest load, and the highest is never tried: SEARCH_AT_LEAST where all passed.
 *
 * Negative errno only when the settings make no sense or the measurer can go on no more; 'result'
 * then holds what was found so far, as inconclusive. */
int bisect_run(const struct bisect_conf *conf, const struct measurer *m,
	       struct search_result *result, struct err *err);
