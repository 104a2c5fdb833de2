/* SPDX-License-Identifier: MIT */
#pragma once

#include "run.h"

/* The schedule of a lane: whose slot is next, and what the last slot of a burst starts.  For lanes
 * that are not simple; the one that waits longest is the first of the lane's heap. */

/* Brings the heap up to date after slots of its first stream were taken: it waits for its next
 * slot, for its next burst, or it has ended and perhaps started another. */
void run_settle(const struct run *run, struct run_lane *lane);
/* Makes a heap of the streams of the lane that wait, of which times may have changed. */
void run_rebuild(struct run_lane *lane);
/* Nothing is due any more: the run has come to the end of its duration. */
void run_close_lane(struct run_lane *lane);
/* How many slots of that step, from 'due' on, lie before the end of the run. */
uint64_t run_slots_within(const struct run *run, const struct run_time *due,
			  const struct run_time *step);

/* The first of the heap, which has one. */
static inline struct run_stream *
run_first(const struct run_lane *lane)
{
	return &lane->streams[lane->heap.wait[0].stream];
}
