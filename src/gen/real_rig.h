/* SPDX-License-Identifier: MIT */
#pragma once

#include "worker_rig.h"

/* For tests of time itself: the rig's worker in its own loop, by the real clocks, and between the
 * ports a link that takes every frame of port 0 and has it at port 1 a known time later.
 *
 * That time counts from the call that hands the link a burst, by the TSC, and frames are there for
 * whoever asks from then on: all of the link that is not exact is how soon the worker asks. */

#define REAL_RIG_ROOM 4096 /* frames on the link, more than fall due in its longest delay */

struct real_rig {
	struct worker_rig *r;
	struct run *run; /* on port 0 */
	uint64_t delay_tsc;
	uint64_t due_tsc[REAL_RIG_ROOM]; /* of the frames on the link, a ring */
	uint32_t head, tail;
	bool overdue; /* the test's time is over */
	uint64_t deadline_tsc;

	/* By CLOCK_MONOTONIC: of the bursts, at which the schedule says they are due, the least
	 * lateness in the first and the last eighth of the run; relative to one another they tell
	 * how fast the schedule runs. */
	uint64_t duration_ns;
	int64_t first_ns, last_ns;
	bool has_first, has_last;

	/* Latencies of frames that are alone on the link, one by one. */
	uint64_t (*latency_sum)(const struct real_rig *real);
	uint64_t (*latency_n)(const struct real_rig *real);
	uint64_t seen_n, seen_sum;
	uint64_t *samples;
	unsigned n_samples, most_samples;
};

/* Lets the rig, which is open, have the real clock. */
void real_rig_init(struct real_rig *real, struct worker_rig *r);
/* Lets the worker work for a new run of the rig's streams, until it has been sent and all of it has
 * arrived, or 'most_s' are over, which fails the test.  The rig frees the run. */
void real_rig_run(struct real_rig *real, double duration_s, bool flat_out, double most_s);

/* By how much the schedule is faster than CLOCK_MONOTONIC, in millionths; NaN if not known. */
double real_rig_drift_ppm(const struct real_rig *real);
