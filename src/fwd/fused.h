/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "poll.h"

/* The polling engine for several hops of a process on one lcore: a burst that one has served goes
 * on to the next at once, from hand to hand, as long as nothing waits before that; else by the ring
 * between them.
 *
 * No hop ever waits for another, for on one lcore nothing would move meanwhile: who cannot send
 * holds its burst and receives nothing, its neighbours go on, and so does the round. */

#define FUSED_MAX_HOPS 16

struct fused_hop {
	struct fwd_lcore *w;
	unsigned order;	   /* last one that was looked at */
	int state;	   /* that it asks for */
	bool at_rest;	   /* that is not FWD_RUN, and nothing is held any more */
	uint64_t deadline; /* TSC: then what is held is dropped */
	uint64_t busy_tsc; /* up to here idle_tsc is right: then this was w's */
};

struct fused {
	unsigned n;
	struct fused_hop hop[FUSED_MAX_HOPS]; /* in the order of the chain */
	uint64_t settled_tsc;		      /* up to here idle_tsc is right */
};

/* Adds a hop's part on the lcore, behind those that are there. */
void fused_add(struct fused *f, struct fwd_lcore *w);
/* Joins the links of neighbours by which bursts go from hand to hand. */
void fused_join(struct fused *f);
/* Runs until all are told to stop. */
void fused_run(struct fused *f);
