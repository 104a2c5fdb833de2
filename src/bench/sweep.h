/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* A map of what is faster where: engines, the arms, measured in every cell of a grid of settings.
 * This is the pure part: which cells there are, in which order they are measured, and what the
 * turns of one say.
 *
 *     turn    one arm works for some ten ms, alone; its value is a rate
 *     block   every arm has two turns, in a random and mirrored order (paired_order)
 *     round   the arms of a cell are started anew for some blocks; all cells are visited, in a
 *             random order, before the next round begins
 *
 * Memory is laid out anew by each start, so rounds are what intervals are made of; where there are
 * fewer than three, blocks stand for them and the intervals know nothing of other starts. */

enum sweep_axis_id { SWEEP_WORK, SWEEP_FLOWS, SWEEP_STAGES, SWEEP_BURST, SWEEP_SKEW, SWEEP_LCORES };
#define SWEEP_N_AXES 6
#define SWEEP_MAX_VALUES 32
#define SWEEP_MAX_CELLS 1024
#define SWEEP_MAX_ARMS 8
#define SWEEP_TURNS_PER_ARM 2 /* of a block */
#define SWEEP_MIN_ROUNDS 3

/* In units: cycles of a frame, flows, stages, frames, exponent, lcores. */
struct sweep_axis {
	size_t n;
	double value[SWEEP_MAX_VALUES]; /* as given, none twice */
};

const char *sweep_axis_name(enum sweep_axis_id id); /* "work" */

/* Reads "0,100,2k" or "1..8" (whole numbers in between), within what the axis can have. */
int sweep_axis_parse(struct sweep_axis *axis, enum sweep_axis_id id, const char *text,
		     struct err *err);

struct sweep_point {
	double at[SWEEP_N_AXES];
};

/* All combinations, the first axis varying last; for the caller to free.  -EINVAL when they are
 * more than SWEEP_MAX_CELLS. */
int sweep_points(const struct sweep_axis axis[SWEEP_N_AXES], struct sweep_point **points, size_t *n,
		 struct err *err);

/* In which order the 'n' cells of a round are visited: random, and the same for the same seed. */
void sweep_order(uint64_t seed, unsigned round, unsigned n, unsigned *order);

/* How a budget of time is spent. */
struct sweep_plan {
	unsigned n_rounds;
	unsigned blocks_per_round;
	uint64_t total_ns; /* about: may be more than the budget, when that is too small */
};

/* 'n_cells' cells to measure in 'time_ns', when all arms of one take 'start_ns' to start and a turn
 * 'turn_ns' all in all. */
void sweep_plan_fit(struct sweep_plan *plan, size_t n_cells, unsigned n_arms, uint64_t time_ns,
		    uint64_t start_ns, uint64_t turn_ns);

/* ---- what a cell says ---- */

struct sweep_turn {
	unsigned round;
	unsigned block; /* counted over the whole cell */
	unsigned arm;
	double pps; /* NaN: invalid */
};

struct sweep_estimate {
	double pps;   /* median of the valid turns, NaN without any */
	double ratio; /* to the first arm; NaN when unknown, as are the others */
	double low, high;
	unsigned n_turns, n_valid;
};

enum sweep_outcome { SWEEP_UNKNOWN, SWEEP_TIE, SWEEP_WON };

struct sweep_verdict {
	struct sweep_estimate arm[SWEEP_MAX_ARMS];
	unsigned n_units; /* that intervals are made of: rounds, or blocks */
	bool by_round;
	enum sweep_outcome outcome;
	unsigned best, second;		/* by ratio; without meaning when unknown */
	double margin;			/* best to second, */
	double margin_low, margin_high; /* at a level shared among all others (Bonferroni) */
};

/* Judges the turns of a cell, the fastest valid one of an arm standing for its round: disturbances
 * that are not seen only slow, and each arm has as many turns.  An arm has won when the intervals
 * of its ratios to all others lie above 1, at 95 % for all of them together; else the best are
 * tied. */
void sweep_judge(struct sweep_verdict *v, const struct sweep_turn *turns, size_t n,
		 unsigned n_arms);

const char *sweep_outcome_name(enum sweep_outcome outcome); /* "unknown", "tie", "won" */
