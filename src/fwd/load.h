/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdint.h>

#include <jansson.h>

#include "base/err.h"
#include "dpdk/counters.h"
#include "dpdk/port.h"

/* Traffic without a generator, for measuring an engine alone: what a port receives becomes frames
 * of so many flows.  Made for net_null, which gives empty frames without end.
 *
 * A callback of the port writes Ethernet, IPv4 and UDP headers into each frame, which costs a cache
 * line, as a link does.  Flows are spread over the receive queues by the hash of pkt/flow.h, and
 * each has the same share of all frames, whatever becomes of the others: the mix holds, as if all
 * frames came by one wire that waits rather than lose any.  A queue has room for 'window' frames;
 * as long as that of one queue is full the wire stands still, and the others get no more than what
 * it brought before.  So an lcore that does not keep up with its queue holds up all, as under an
 * offered load at which nothing is lost; left to run free, the others would make up for it with
 * more of what is light. */

struct fwd;
struct loads;

/* Installs the load that fwd->conf asks for at all ports that are open; nothing without --load. */
int load_open(struct fwd *fwd, struct err *err);
/* Takes it off the ports again, before they close and once no lcore receives any more; what it
 * counted stays.  Harmless when repeated. */
void load_stop(struct fwd *fwd);
void load_close(struct fwd *fwd);

/* [{port, queue, flows, delivered, returned}] of each queue, or NULL when there is no load.
 * 'delivered' is what rte_eth_rx_burst has returned; 'returned' frames were freed again because the
 * mix had to wait. */
json_t *load_to_json(const struct fwd *fwd);

/* Frames that a queue of 'flows' flows may have delivered in all, once one of 'other_flows' has
 * delivered 'other' and has room for 'window'.  (For tests, too.) */
static inline uint64_t
load_limit(uint64_t other, uint32_t other_flows, uint32_t window, uint32_t flows)
{
	return (other + window) * flows / other_flows;
}
