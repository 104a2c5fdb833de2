/* SPDX-License-Identifier: MIT */
#pragma once

#include "trial.h"

/* The one thing a search needs: offer this load for this long, tell what came back.  The real one
 * is chain/measure.c; tests use a simulated chain. */
struct measurer {
	void *ctx;
	/* Runs one trial; 0 also when it is invalid (it says so itself).  -EINTR when the user
	 * stops everything, other errors when no further trial is possible. */
	int (*run)(void *ctx, const struct trial_spec *spec, struct trial *trial, struct err *err);
	/* Ends the search with -EIO when its trials show that the path is broken, not slow; those
	 * that lose no more than a goal allows are no sign of that. */
	bool watch_faults;
	double allowed_loss_ratio; /* of the goal that allows most */
	/* Called after each judged trial, for progress; may be NULL. */
	void (*judged)(void *ctx, const struct trial *trial);
};
