/* SPDX-License-Identifier: MIT */
#pragma once

#include "run.h"

/* The worker's side of run_pause and run_set_factor. */

/* Makes the changes that were asked for, at 'now_tsc'. */
void run_make_changes(struct run *run, uint64_t now_tsc, double tsc_to_ns);

/* The time of the run's schedule, which stops in a pause and is 0 before the start. */
static inline uint64_t
run_now_ns(const struct run *run, uint64_t now_tsc, double tsc_to_ns)
{
	if (atomic_load_explicit(&run->state, memory_order_relaxed) == RUN_PAUSED)
		now_tsc = run->paused_tsc;
	if ((int64_t)(now_tsc - run->clock_tsc) < 0)
		return 0;
	return (uint64_t)((double)(now_tsc - run->clock_tsc) * tsc_to_ns);
}
