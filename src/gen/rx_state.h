/* SPDX-License-Identifier: MIT */
#pragma once

#include "capture.h"
#include "server.h"

/* What the methods about received frames keep between them. */

struct rx_port {
	bool service, filtered;
	bool queued; /* received frames are kept for get_rx_queue_pkts */
	struct frame_store queue;
	uint64_t n_queued;
};

struct rx_state {
	struct pgid_table *groups;
	struct captures captures;
	struct rx_port ports[GEN_PORTS];
	struct loop_watch *copies_watch; /* while somebody wants copies */
};

/* Frees what captures and queues have. */
void rx_state_fini(struct rx_state *rx);
