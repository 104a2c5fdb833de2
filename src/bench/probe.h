/* SPDX-License-Identifier: MIT */
#pragma once

#include "fault_watch.h"
#include "measurer.h"

/* What all search procedures do with a measurer: offer a load until a trial of it is valid, and
 * know when there is no point in going on. */

struct probe {
	/* Settings. */
	const struct measurer *m;
	double max_loss_ratio; /* by which each trial is judged: that of the strictest goal */
	unsigned max_invalid;  /* invalid trials in a row before a load is given up; twice as many
				* at the start without a valid one, and nothing will come of it */
	unsigned max_trials;   /* of all loads together, 0 for no limit */

	/* What became of it. */
	struct trial *trial; /* the last one */
	size_t n_trials;
	size_t n_invalid;
	struct fault_watch watch;
};

/* 'p' has its settings and nothing else; probe_fini takes what probe_init made. */
void probe_init(struct probe *p);
void probe_fini(struct probe *p);

/* Runs and judges one trial, which may come out invalid.  -EIO with a sentence once the trials show
 * that the path is broken: no load is worth another trial then. */
int probe_once(struct probe *p, double pps, uint64_t duration_ns, struct err *err);

/* Runs trials of one load until one is valid: 0, and that is p->trial; 1 when the load was given
 * up; a negative errno when the measurer can go on no more. */
int probe_valid(struct probe *p, double pps, uint64_t duration_ns, struct err *err);

/* Is there no point in going on?  Too many trials in all, or not one that was valid. */
bool probe_exhausted(const struct probe *p);
