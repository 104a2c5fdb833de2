/* SPDX-License-Identifier: MIT */
#pragma once

#include "backend.h"

/* How many instructions a hop takes for a frame: a witness that no other program, no cache and no
 * hypervisor can influence.
 *
 * Machines in the cloud mostly have no counter of instructions, and under valgrind a program that
 * polls spends most of them on looking into empty rings.  So the thread that polls is made to go
 * step by step (ptrace), in the real chain, while the ring before it is full: it never waits, and
 * every step is work on frames.  Works with any program that has one polling thread, unmodified;
 * a step takes microseconds, and a second of them some thousand frames. */

struct steps {
	double per_frame; /* instructions; NaN when unknown */
	double accuracy;  /* relative: drivers clean up once for each ring of frames, and where in
			   * that it began and ended is not known; so give it a short ring */
	uint64_t n;	  /* steps */
	uint64_t frames;
};

/* Makes hop 0 of a chain of one hop go step by step for 'duration_ns', while the generator sends
 * flat out; the hop goes on as before afterwards.  -EINTR and -ECHILD as backend_check, other
 * errors when it cannot be done here, with a sentence. */
int steps_run(struct steps *s, struct backend *b, uint64_t duration_ns, struct err *err);
