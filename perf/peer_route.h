/* SPDX-License-Identifier: MIT */
/* What whoever measures with eventdev_pipeline must write into it, because it sends each frame back
 * by the port at which it came and to the address that it came with: out by the other port of the
 * pair, to that port's 02:00:00:00:00:PORT, as l2fwd has it.  build-peers includes this file before
 * the example's own, which stay as they are: the first stage tells the queue of each frame, once.
 */
#pragma once

#include <stdint.h>
#include <string.h>

#include <rte_ether.h>
#include <rte_event_eth_tx_adapter.h>
#include <rte_mbuf.h>

static inline void
peer_route(struct rte_mbuf *frame, uint16_t queue)
{
	uint8_t address[RTE_ETHER_ADDR_LEN] = {0x02};

	frame->port ^= 1;
	address[5] = (uint8_t)frame->port;
	memcpy(rte_pktmbuf_mtod(frame, void *), address, sizeof(address));
	rte_event_eth_tx_adapter_txq_set(frame, queue);
}

#define rte_event_eth_tx_adapter_txq_set peer_route
