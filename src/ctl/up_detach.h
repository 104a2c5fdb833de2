/* SPDX-License-Identifier: MIT */
#pragma once

#include "base/err.h"

/* 'nfvchain up --detach': a process in the background keeps the chain up, and the command returns
 * once it is. */

struct up_detach {
	int ready_fd; /* closed without a word when it did not come up */
};

#define UP_DETACH_KEEPER 1

/* Splits: returns UP_DETACH_KEEPER in the keeper, which has a session of its own, and in the
 * command 0 when the chain is up, or a negative errno when it is not.  The sentence is then the
 * keeper's, which has printed it. */
int up_detach(struct up_detach *detach, struct err *err);
/* It is up: the command may return; from now on the keeper writes into a log in 'run_dir'. */
void up_detach_done(struct up_detach *detach, const char *run_dir);
