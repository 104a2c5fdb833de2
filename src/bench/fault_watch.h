/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "trial.h"

/* Tells a path that is broken from one that is slow, by the trials of a search at different loads.
 * A chain at its limit delivers the same number of frames however many are offered, so what it
 * loses grows with the load and vanishes below the limit.  A path that delivers nothing at loads
 * far apart, or that loses the same share of each, has a fault, and to look for its rate is to
 * look for nothing. */

#define FAULT_WATCH_MAX 64

struct fault_watch {
	size_t n;
	struct {
		double pps;
		uint64_t intended, lost;
		bool dead;
	} seen[FAULT_WATCH_MAX]; /* the last ones that say something, in a ring */
};

void fault_watch_init(struct fault_watch *w);

/* Takes note of a judged trial; true once there is a fault, and 'sentence' says which: "the path
 * loses 5 % at any load (10 kpps to 100 kpps): ...". */
bool fault_watch_add(struct fault_watch *w, const struct trial *t, char *sentence, size_t size);
