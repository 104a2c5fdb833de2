/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "copy_ring.h"
#include "rpc/jsonrpc.h"

/* Frames kept for clients: captures, and the queue of received frames of a port.  All in the RPC
 * thread, from the copies that the worker makes; no DPDK. */

#define CAPTURE_MAX 10
#define CAPTURE_MAX_BYTES (256u << 20) /* of the frames of a store */
#define CAPTURE_PORTS 2

struct kept_frame {
	double ts; /* s, by the server's clock */
	uint32_t len, wire_len;
	uint64_t index; /* of those that matched, from 1 */
	uint8_t port;
	bool tx;
	uint8_t *bytes;
};

/* Up to 'limit' frames.  One more takes the place of the oldest if 'cyclic', else is not kept. */
struct frame_store {
	struct kept_frame *frames; /* a ring with room for 'room' */
	size_t room, first, n;
	size_t limit;
	uint64_t bytes;
	bool cyclic;
};

void frame_store_init(struct frame_store *s, size_t limit, bool cyclic);
void frame_store_fini(struct frame_store *s);
void frame_store_add(struct frame_store *s, const struct copy_head *h, const uint8_t *bytes,
		     double ts, uint64_t index);
/* Takes up to 'most' frames out, the oldest first, as TRex's JSON; of each up to 'snaplen' bytes, 0
 * for all. */
json_t *frame_store_take(struct frame_store *s, size_t most, uint32_t snaplen);

struct capture;
struct captures {
	struct capture *list[CAPTURE_MAX];
	size_t n;
	uint32_t next_id;
};

struct capture_conf {
	uint32_t limit;
	bool cyclic;
	uint8_t tx_ports, rx_ports; /* a bit for each */
	const char *filter;	    /* of libpcap; "": all */
	double now_s;
};

/* Begins a capture; '*id' tells its number. */
int capture_start(struct captures *cs, const struct capture_conf *conf, uint32_t *id,
		  struct jsonrpc_error *e);
int capture_stop(struct captures *cs, uint32_t id, json_t **result, struct jsonrpc_error *e);
int capture_fetch(struct captures *cs, uint32_t id, uint32_t most, uint32_t snaplen,
		  json_t **result, struct jsonrpc_error *e);
int capture_remove(struct captures *cs, uint32_t id, struct jsonrpc_error *e);
void captures_fini(struct captures *cs);
json_t *captures_status(const struct captures *cs);
/* Ports of which active captures want frames sent or received, a bit for each. */
uint8_t captures_wanted(const struct captures *cs, bool tx);
/* Gives a frame to the captures that want it. */
void captures_add(struct captures *cs, const struct copy_head *h, const uint8_t *bytes, double ts);
