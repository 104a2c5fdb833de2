/* SPDX-License-Identifier: MIT */
#pragma once

#include "backend.h"
#include "bench/perframe.h"

/* How many instructions a hop takes for a frame: a witness that no other program, no cache and no
 * hypervisor can influence.
 *
 * The hop runs under callgrind, in its chain, with real frames.  A program that polls spends most
 * of its instructions on looking into empty rings, so it works in turns, as in turns.h: it is
 * stopped until the generator has filled the ring before it and emptied the one behind it, and goes
 * on for so short a time that frames cannot run out.  Then all that its polling thread executes is
 * work on frames.  After some turns callgrind is asked, and the hop stops at the very instruction
 * of its answer; how many frames have come through by then, the generator has counted. */

struct counting {
	struct perframe fit;
	uint64_t frames;  /* that the hop forwarded meanwhile */
	unsigned n_looks; /* that count */
	unsigned n_dry;	  /* of looks, before which frames may have run out */
};

/* Called before each look: 'done' of 'total', and about how long the rest will take. */
typedef void counting_progress(void *arg, unsigned done, unsigned total, double eta_s);

/* Counts hop 0 of a chain of one hop, which callgrind_wrap has wrapped, until 'most_ns' have passed
 * at most; the hop is left stopped.  -EINTR and -ECHILD as backend_check; other errors when nothing
 * can be said, with a sentence. */
int counting_run(struct counting *c, struct backend *b, uint64_t most_ns,
		 counting_progress *progress, void *arg, struct err *err);

/* How long the next turn should be, when one of 'on_ns' forwarded 'frames' and 'wanted' were.  (For
 * tests.) */
uint64_t counting_next_ns(uint64_t on_ns, uint64_t wanted, uint64_t frames);
