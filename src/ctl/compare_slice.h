/* SPDX-License-Identifier: MIT */
#pragma once

#include "compare.h"

/* How an arm of a comparison works for a slice, and what its value is.
 *
 * Where the hop's own capacity is compared, each arm has one trial that is open for a whole round,
 * and a slice is a few turns in it (chain/turns.h): changing over from one arm to another then
 * costs next to nothing, so slices can be much shorter than the moods of the machine.  Else each
 * slice is a trial of its own. */

/* Takes what was just brought up to where slices can begin, and puts it to sleep. */
int compare_slice_warm_up(struct compare *c, struct compare_arm *arm, struct err *err);

/* Before the first slice of a round, and after its last: opens the trials, and closes their books.
 * Slices of a round whose books do not balance have no value. */
int compare_slice_begin_round(struct compare *c, struct err *err);
int compare_slice_end_round(struct compare *c, unsigned round, struct err *err);

/* One slice of an arm: into c->paired and c->slices.  'value' is NaN when it has none. */
int compare_slice_run(struct compare *c, struct compare_arm *arm, unsigned round, double *value,
		      struct err *err);
