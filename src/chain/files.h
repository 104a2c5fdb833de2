/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "backend.h"
#include "bench/ledger.h"

/* A chain between two files: each frame of the one goes through the functions once, and what comes
 * out is in the other.  No generator has a part in it, and nothing is timed: the first hop reads as
 * fast as it can, which is no rate that anybody asked for. */

struct files_facts {
	uint64_t n;	    /* frames */
	uint64_t cut;	    /* of them, those that the capture has not whole */
	uint16_t max_frame; /* the longest, with FCS; the smallest Ethernet has at least */
};

/* Looks at the file that the chain reads and the place that it writes to; refuses, as usage, what
 * is no capture of Ethernet frames, one without frames, frames too short for two addresses and a
 * type or longer than FRAME_MAX_SIZE, and a place where no file can be made. */
int files_look(struct files_facts *facts, const struct chain *chain, struct err *err);

/* Lets the first hop of a chain that is up read all of it, and every hop pass on what it has; then
 * 'ledger' has the counters of the hops and, as what the generator's port 0 sent, the frames of the
 * file.  -ETIMEDOUT when frames stop on the way. */
int files_run(struct backend *b, const struct files_facts *facts, struct ledger *ledger,
	      struct err *err);

/* Once the chain is down: counts what is in the file that was written, from the file, and closes
 * the ledger with that as what the generator's port 1 received. */
int files_close(struct ledger *ledger, const struct chain *chain, struct err *err);
