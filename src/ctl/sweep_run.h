/* SPDX-License-Identifier: MIT */
#pragma once

#include <jansson.h>

#include "chain/alone.h"
#include "sweep_conf.h"

/* A sweep while it runs. */

struct sweep_kept {
	struct sweep_turn turn;
	uint64_t frames, ns;
	char reason[96]; /* why the turn is not valid, or "" */
};

struct sweep_cell {
	struct sweep_point point;
	bool measurable; /* this machine has the CPUs */
	size_t n_turns;
	struct sweep_kept *turns;
	unsigned n_blocks;
	struct alone_ledger ledger[SWEEP_MAX_ARMS]; /* of all its starts together */
};

struct sweep {
	const struct sweep_conf *conf;
	struct chain_cpus allowed;
	char *bin_dir;
	size_t n_cells, n_measurable;
	struct sweep_cell *cell;
	struct sweep_plan plan;
	unsigned n_unbalanced; /* starts whose books do not balance */
	char unbalanced[256];  /* what the first of them says */
	uint64_t began_ns;
};

/* Which cells there are, and how the time is spent on them.  sweep_fini takes it in any case. */
int sweep_init(struct sweep *s, const struct sweep_conf *conf, const struct chain_cpus *allowed,
	       struct err *err);
void sweep_fini(struct sweep *s);

/* Measures all cells, round by round; whatever happens, nothing is left running.  -EINTR when the
 * user stops it: what was measured stays. */
int sweep_run(struct sweep *s, struct err *err);

/* What an arm of a cell is, to be started.  The words are owned by the caller. */
struct alone_spec sweep_spec(const struct sweep *s, const struct sweep_cell *cell, unsigned arm,
			     char **words);

/* "work 300, skew 1, lcores 2": the axes that vary.  For the caller to free. */
char *sweep_cell_name(const struct sweep *s, const struct sweep_cell *cell);

/* The "sweep" of sweep.json: see report/sweep.h. */
json_t *sweep_to_json(const struct sweep *s);
