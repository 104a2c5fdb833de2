/* SPDX-License-Identifier: MIT */
#pragma once

#include <rte_ethdev.h>

#include "worker.h"

/* Frames that clients see or bring: copies of those that the worker receives and sends, and frames
 * that it sends for them. */

#define SERVICE_COPIES_BYTES (8u << 20)
#define SERVICE_PUSHES_BYTES (2u << 20)

/* Before the worker starts, and after it stopped. */
void service_open(struct gen_worker *w);
void service_close(struct gen_worker *w);

/* By the worker: copies frames that port 'id' received. */
void service_copy_received(struct gen_worker *w, unsigned id, struct rte_mbuf *const *mbufs,
			   uint16_t n, uint64_t tsc);
/* Sends and copies what was sent. */
uint16_t service_send_copied(struct gen_worker *w, struct gen_port *p, uint16_t queue,
			     struct rte_mbuf **mbufs, uint16_t n);
/* Sends the frames of clients that are due.  Returns how many. */
unsigned service_push_round(struct gen_worker *w, uint64_t now_tsc);

/* rte_eth_tx_burst, with copies if they are asked for. */
static inline uint16_t
service_send(struct gen_worker *w, struct gen_port *p, uint16_t queue, struct rte_mbuf **mbufs,
	     uint16_t n)
{
	if (unlikely(atomic_load_explicit(&p->tx_copied, memory_order_relaxed)))
		return service_send_copied(w, p, queue, mbufs, n);
	return rte_eth_tx_burst(p->port.id, queue, mbufs, n);
}
