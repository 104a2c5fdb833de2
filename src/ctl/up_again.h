/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "chain/chain.h"

/* 'nfvchain up' of a chain of which something is there already. */

/* The signal by which an 'up' is asked to start again what it has given up. */
#define UP_AGAIN_SIGNAL SIGUSR1

/* When another 'up' has the same chain up: has it start what is dead, waits until all runs, says
 * what was done, and sets '*done'.  When it has another chain of that name up, refuses and says
 * what differs.  When nobody has it up and something is left, takes that down first. */
int up_again(const struct chain *chain, bool trex_ports, bool *done, struct err *err);
