/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hist.h"
#include "goal.h"
#include "grid.h"
#include "mlr_class.h"
#include "trial.h"

/* All that a multiple loss ratio search has seen: the loads of its grid that were measured, each
 * with its valid trials, whichever goal they were run for. */

struct mlr_load {
	long index;    /* on the grid, from 0 = the lowest load */
	bool given_up; /* too many invalid trials in a row: nobody measures it any more */
	struct mlr_trial *trials;
	size_t n_trials;
	uint64_t intended; /* frames over all its valid trials */
	uint64_t lost;
	struct hist latency;
};

struct mlr_loads {
	struct grid grid;
	long n_grid;
	struct mlr_load **loads; /* those tried, ascending */
	size_t n;
};

/* What is known about a goal, as places on the grid. */
struct mlr_bounds {
	long upper;   /* relevant upper bound: the lowest load that fails; n_grid when there is none
		       */
	long lower;   /* relevant lower bound: the highest that meets it below 'upper', or -1 */
	long ceiling; /* no load from here on is worth a trial: 'upper', or the lowest above 'lower'
		       * that was given up */
};

/* Loads from 'min_pps' to 'max_pps' of which neighbours differ by 'width' or less: (higher -
 * lower) / higher.  mlr_loads_fini takes what this made. */
void mlr_loads_init(struct mlr_loads *l, double min_pps, double max_pps, double width);
void mlr_loads_fini(struct mlr_loads *l);

double mlr_loads_pps(const struct mlr_loads *l, long index);
/* The highest load not above 'pps', or the lowest one. */
long mlr_loads_index(const struct mlr_loads *l, double pps);
/* How many steps of the grid fit into 'width', at least 1. */
long mlr_loads_steps(const struct mlr_loads *l, double width);

/* Takes a valid trial, which was judged, of the load at 'index'. */
void mlr_loads_add(struct mlr_loads *l, long index, const struct trial *t);
void mlr_loads_give_up(struct mlr_loads *l, long index);

/* The load at 'index', or NULL when it was never tried. */
const struct mlr_load *mlr_loads_find(const struct mlr_loads *l, long index);

struct mlr_bounds mlr_loads_bounds(const struct mlr_loads *l, const struct goal *goal);
