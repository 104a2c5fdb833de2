/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "pkt/frame.h"

/* Frames of any length and content, each from its number alone, so that none needs to be kept: most
 * begin as UDP over IPv4, and then some bytes are others, or all of them are. */

struct frame_maker {
	uint64_t seed;
	unsigned min, max; /* lengths without FCS */
	bool tags;	   /* any: where no kernel takes them out on the way */
	uint8_t hop[6];	   /* who they are for */
	uint8_t frame[FRAME_MAX_SIZE];
};

/* Is frame 'i' for somebody else? */
bool frame_is_foreign(uint64_t i);
/* Makes frame 'i' in 'frame'; its length. */
unsigned frame_make(struct frame_maker *j, uint64_t i);
