/* SPDX-License-Identifier: MIT */
#pragma once

#include "egress.h"
#include "forwarder.h"

/* What the polling engine's two loops share: poll.c's, for a hop that has its lcore to itself, and
 * fused.c's, for hops in a row on one lcore. */

/* A receive queue, where its frames go, and those that found no room there. */
struct fwd_link {
	struct fwd_lcore *w; /* whose it is */
	uint16_t rx_port;
	uint16_t rxq;
	uint16_t egress;
	uint16_t txq;	       /* of the egress, for this lcore */
	counter_t *rx;	       /* of rx_port */
	counter_t *tx;	       /* of the egress */
	struct fwd_link *next; /* of the hop behind it, when that is on the same lcore; or NULL */
	struct egress out;
};

/* A burst whose frames part ways, or that a fault is due in. */
void poll_part_burst(struct fwd_lcore *w, struct fwd_link *l, struct rte_mbuf **frames, uint16_t n);
/* A frame that a fault kept back goes the way it would have gone. */
void poll_send_kept(struct fwd_lcore *w);
