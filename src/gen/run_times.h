/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/hist.h"

/* When frames left, against the schedule.  Of every stream that has one, whatever its frames carry.
 *
 * A frame leaves in the round of the worker that hands it to the link, and 'departure' is the
 * beginning of that round: the frames of a burst have one, and the first of them are built, and
 * copied by some links, in the time after it.
 *
 *     lateness  departure - intended departure
 *     jitter    of two frames of a stream in a row: by how much their distance differs from the one
 *               intended, which is how much their lateness does (RFC 3393's variation, at the
 *               sender, without its sign).  Frames in one burst are 0 apart. */

struct run;

/* A run of no more streams keeps these of each of them, another of all together. */
#define RUN_TIMES_MOST 16

struct run_times {
	struct hist lateness;
	struct hist jitter;
};

#define RUN_TIMES_NONE UINT64_MAX

/* What times the streams of 'run', all there are by now, are given. */
void run_times_init(struct run *run);
void run_times_fini(struct run *run);

/* Of the run, in sum, into '*times'; exact once it has ended. */
void run_times_all(const struct run *run, struct run_times *times);
/* The same of the stream with this id; false when it is not kept by stream, or there is none. */
bool run_times_of(const struct run *run, uint32_t id, struct run_times *times);
