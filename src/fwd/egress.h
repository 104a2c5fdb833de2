/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "forwarder.h"

/* The way out: frames that found no room at their port wait here, in their order.  Whoever has
 * some waiting takes no new ones, so that one burst, with what a fault added, is the most there is.
 */

#define BURST_ROOM (CONF_MAX_BURST + FAULT_ROOM)

struct egress {
	uint16_t n_held;
	uint32_t waiting;    /* mask of the ports that held frames wait for */
	uint64_t held_since; /* TSC */
	struct rte_mbuf *held[BURST_ROOM];
	uint16_t held_port[BURST_ROOM];
};

/* Adds to the frames that this lcore has inside, or takes from them: counted, never computed. */
static inline void
egress_count_inside(struct fwd_lcore *w, int change)
{
	counter_add(&w->in_flight, (uint64_t)(int64_t)change);
}

/* Frees frames and counts them under 'reason'. */
void egress_drop(struct fwd_lcore *w, struct rte_mbuf **frames, uint16_t n, unsigned reason);
/* Holds back what 'port' had no room for, or drops and counts it. */
void egress_keep(struct fwd_lcore *w, struct egress *e, uint16_t port, struct rte_mbuf **frames,
		 uint16_t n);
/* Sends what fits by 'port', whatever a verdict named, and holds back or drops the rest. */
void egress_send(struct fwd_lcore *w, struct egress *e, uint16_t port, struct rte_mbuf **frames,
		 uint16_t n);
/* Sends each run of equal verdicts its way, 'forward' being the port of NF_FORWARD. */
void egress_route(struct fwd_lcore *w, struct egress *e, uint16_t forward, struct rte_mbuf **frames,
		  const uint8_t *verdict, uint16_t n);
/* Tries the held frames again, run by run of the same port; true when none is left. */
bool egress_retry(struct fwd_lcore *w, struct egress *e, uint64_t now);
/* The same, and what has been held for too long is dropped.  True when new frames may come. */
bool egress_try(struct fwd_lcore *w, struct egress *e, uint64_t now);
/* Drops what is held and counts it under 'reason'. */
void egress_give_up(struct fwd_lcore *w, struct egress *e, uint64_t now, unsigned reason);
