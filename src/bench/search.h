/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "goal.h"
#include "measurer.h"
#include "search_result.h"

/* Plain zero-loss search: binary, on a logarithmic grid in frames a second, because a virtual link
 * has no line rate to take percents of.  A load is accepted when 'needed' of 'needed' valid trials
 * pass; the first valid failure rejects it; an invalid trial is repeated.  A load at which too many
 * trials in a row are invalid is given up: the search goes on below it, and if it turns out to be
 * the one above the result, the chain is at least that fast and nobody knows how much faster. */

struct search_conf {
	double min_pps;	   /* lowest load worth knowing */
	double max_pps;	   /* highest load to try: the generator's own maximum */
	double step_ratio; /* neighbours on the grid differ by this or less, 1.02 = 2 % */
	uint64_t trial_ns;
	unsigned needed;       /* 3 */
	unsigned max_invalid;  /* invalid trials in a row at one load before giving up on it; twice
				* as many at the start without a valid one end the search */
	unsigned max_trials;   /* of all loads together, 0 for no limit */
	double max_loss_ratio; /* 0 */
};

/* The goal that 'conf' is a search for: 1 s trials of which 3 must pass are 1f3d0l0e. */
struct goal search_goal(const struct search_conf *conf);

/* Loads on the grid and the i-th of them, ascending: grid[0] = min, the last = max. */
size_t search_grid_size(const struct search_conf *conf);
double search_grid_at(const struct search_conf *conf, size_t i);
/* Upper bound of the number of valid trials still to come when 'n' grid loads are undecided, for an
 * ETA; all of the grid means that nothing was tried yet. */
unsigned search_trials_left(const struct search_conf *conf, size_t n);

/* Runs the search.  Tries the maximum first, then bisects.  Negative errno only when the settings
 * make no sense or the measurer can go on no more; 'result' then holds what was found so far, as
 * inconclusive. */
int search_run(const struct search_conf *conf, const struct measurer *m,
	       struct search_result *result, struct err *err);
