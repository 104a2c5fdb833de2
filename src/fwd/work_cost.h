/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdint.h>

#include "base/err.h"

/* What the network function "work" costs: the same for each frame, or by the frame's flow.
 *
 *     CYCLES                         the same for each frame
 *     LOW-HIGH[,classes=N]           the classes of flows cost evenly from LOW to HIGH
 *     CYCLES,skew=S[,classes=N]      class k of N, from 1, costs in proportion to 1 / k^S (Zipf):
 *                                    few flows are heavy, and class 1 the heaviest
 *
 * A flow is of class 1 + hash * N / 2^32, where the hash is that of pkt/flow.h, so it costs the
 * same in each run, engine and hop.  The mean over the classes is the stated one, or the middle of
 * LOW and HIGH, exactly; over flows it is so when each class has as many, which N neighbouring
 * flows of the generator bring about for N = 8, 16 ... 256 over IPv4. */

#define WORK_MAX_CYCLES 1000000
#define WORK_STEP_CYCLES 3 /* latency of a 64-bit multiplication, on most cores since 2008 */
#define WORK_CLASSES 64	   /* unless given */
#define WORK_MAX_CLASSES 4096

struct work_cost {
	uint32_t n_classes; /* 1: the same for each frame */
	uint32_t steps[WORK_MAX_CLASSES];
};

/* Reads what stands behind "work:"; on failure the sentence says what is wanted. */
int work_cost_parse(struct work_cost *cost, const char *args, struct err *err);

/* Steps that a frame of a flow with this hash takes. */
static inline uint32_t
work_cost_of(const struct work_cost *cost, uint32_t hash)
{
	return cost->steps[(uint64_t)hash * cost->n_classes >> 32];
}
