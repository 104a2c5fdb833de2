/* SPDX-License-Identifier: MIT */
#pragma once

#include <rte_mbuf.h>
#include <rte_ring.h>

#include "dpdk/port.h"
#include "forwarder.h"

/* Links between hops in one process: a ring for each direction and receive queue, that carries
 * the buffers themselves.  To a hop, its end of such a link is a port like any other. */

struct hop_end {
	uint16_t port; /* number that its hop knows it by */
	uint16_t n_in;
	struct rte_ring *in[PORT_MAX_QUEUES];  /* of each receive queue */
	struct rte_ring *out[PLAN_MAX_LCORES]; /* of each transmit queue; some may share one */
};

/* A link between two neighbours: the end of the one before, of the one behind. */
struct hop_link {
	struct hop_end end[2];
};

/* Makes the rings of the link between two planned hops, with room for 'depth' frames each, and
 * tells both of it: port 1 of 'before' and port 0 of 'behind' are its ends. */
int hop_link_open(struct hop_link *link, unsigned number, struct fwd *before, struct fwd *behind,
		  unsigned depth, struct err *err);
/* Half-opened, too.  No frame is in it any more. */
void hop_link_close(struct hop_link *link);

/* Takes what still waits before the hop's end, as received, drops and counts it.  Nobody runs. */
void hop_end_settle(struct fwd *fwd, const struct hop_end *end);

/* Frames in both directions. */
unsigned hop_link_count(const struct hop_link *link);

/* As rte_eth_rx_burst and rte_eth_tx_burst. */
uint16_t hop_end_receive(const struct hop_end *end, uint16_t queue, struct rte_mbuf **frames,
			 uint16_t n);
uint16_t hop_end_send(const struct hop_end *end, uint16_t queue, struct rte_mbuf **frames,
		      uint16_t n);

/* Receives from and sends to a port, whatever it is. */
static inline uint16_t
hop_receive(const struct fwd *fwd, uint16_t port, uint16_t queue, struct rte_mbuf **frames,
	    uint16_t n)
{
	const struct hop_end *inner = fwd->inner[port];

	if (unlikely(inner != NULL))
		return hop_end_receive(inner, queue, frames, n);
	return atomic_load_explicit(&fwd->closing, memory_order_relaxed)
		       ? 0
		       : rte_eth_rx_burst(port, queue, frames, n);
}

static inline uint16_t
hop_send(const struct fwd *fwd, uint16_t port, uint16_t queue, struct rte_mbuf **frames, uint16_t n)
{
	const struct hop_end *inner = fwd->inner[port];

	if (unlikely(inner != NULL))
		return hop_end_send(inner, queue, frames, n);
	return rte_eth_tx_burst(port, queue, frames, n);
}
