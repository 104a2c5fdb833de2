/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdint.h>

#include <rte_mbuf.h>
#include <rte_ring.h>

/* For tests: EAL in this process, without devices, hugepages or privileges, and ports made of two
 * rings each, which the test has the other ends of. */

/* Setup and teardown of a cmocka group.  EAL cannot start twice in a process. */
int rig_start(void **state);
int rig_stop(void **state);
/* The same with 'n' lcores, that may all run on any CPU of this process. */
int rig_start_lcores(void **state, unsigned n);

#define RIG_MAX_QUEUES 4

struct rig_port {
	uint16_t id;
	uint16_t n_queues;
	struct rte_ring *in;  /* what the test puts here the port receives */
	struct rte_ring *out; /* what the port sends lands here */
	struct rte_ring *ins[RIG_MAX_QUEUES], *outs[RIG_MAX_QUEUES]; /* of each queue; 0 as above */
	char name[32];
};

/* Makes a port, not yet configured, whose rings have room for exactly so many frames.  Numbers are
 * given as EAL gives them: the lowest that is free. */
void rig_port_open(struct rig_port *port, unsigned in_room, unsigned out_room);
/* The same with a ring for each of 'n' queues in each direction. */
void rig_port_open_queues(struct rig_port *port, uint16_t n, unsigned in_room, unsigned out_room);
/* Frees rings, the frames in them, and the device; its user may have closed that before. */
void rig_port_close(struct rig_port *port);

/* The next frame out of a ring, or NULL. */
struct rte_mbuf *rig_take(struct rte_ring *ring);
/* Frees up to 'max' frames of a ring and returns how many. */
unsigned rig_discard(struct rte_ring *ring, unsigned max);
