/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

/* What --load asks for: "flows=64,window=1024,size=64,random=7". */

#define LOAD_MAX_FLOWS 1000000u /* the frames' own limit: pkt/frame.h */
#define LOAD_MAX_SIZE 1518

struct load_conf {
	uint32_t flows;	 /* 0: no load */
	uint32_t window; /* frames that a queue holds before the mix has to wait for it */
	uint16_t size;	 /* of a frame, with FCS */
	uint64_t random; /* seed that flows are drawn from; 0: neighbours */
};

/* Reads it; 'text' NULL is no load.  On failure the sentence says what is wanted. */
int load_conf_parse(struct load_conf *conf, const char *text, struct err *err);

/* Number of the i-th flow, below LOAD_MAX_FLOWS: neighbours, which a hash spreads evenly over
 * queues, or drawn from the seed, which it spreads as those of a real network. */
uint32_t load_flow_number(const struct load_conf *conf, uint32_t i);
