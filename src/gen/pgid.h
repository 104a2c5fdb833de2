/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "dpdk/counters.h"
#include "latency.h"
#include "rpc/jsonrpc.h"
#include "run.h"

/* Packet groups: streams that are counted where they arrive, under the number pg_id that the client
 * gave them.
 *
 * On the wire a group has a smaller number, its hw_id: one of 1023 for groups that are counted, one
 * of 128 for those whose latency is measured.  A group is there from its first stream to its last;
 * what is counted of it is told as long.  */

#define PGID_PORTS 2
#define PGID_MAX_ASKED (1024 + 128) /* groups of one answer */

struct pgid_count {
	counter_t pkts, bytes; /* bytes with FCS */
};

/* The worker's side.  It alone writes, but for what the RPC thread asks for. */
struct pgid_rx {
	_Atomic uint32_t active,
		n_latency; /* groups there are, of these for latency; the RPC thread's */
	struct latency_rx *_Atomic latency[CLASSIFY_N_LATENCY]; /* the RPC thread's */
	struct pgid_count stats[PGID_PORTS][CLASSIFY_N_STATS];
	struct pgid_count timed[PGID_PORTS][CLASSIFY_N_LATENCY];
	counter_t bad_header, old_flow;
};

/* Is any frame to be looked at? */
static inline bool
pgid_rx_active(const struct pgid_rx *rx)
{
	return atomic_load_explicit(&((struct pgid_rx *)(uintptr_t)rx)->active,
				    memory_order_relaxed) != 0;
}

/* Counts one frame of 'len' bytes that 'port' received at 'now_tsc'; of it 'head_len' bytes lie at
 * 'head', and its last 16 at 'tail' (NULL when it is shorter).  'tsc_hz' ticks are a second. */
void pgid_receive(struct pgid_rx *rx, unsigned port, const uint8_t *head, size_t head_len,
		  size_t len, const uint8_t *tail, uint64_t now_tsc, uint64_t tsc_hz);

/* The RPC thread's side. */
struct pgid_table;
struct pgid_table *pgid_open(struct pgid_rx *rx);
/* The worker must not receive any more. */
void pgid_close(struct pgid_table *t);

/* Takes a stream into its group and sets its hw_id and flow_seq.  Refused are: a second stream of a
 * latency group, anywhere; streams of different protocols in one group; frames without IP to be
 * counted; frames with less than 16 bytes of payload to be measured; the 1024th group. */
int pgid_add(struct pgid_table *t, struct stream *s, struct jsonrpc_error *e);
/* Takes it out, and with the last one the group. */
void pgid_remove(struct pgid_table *t, const struct stream *s);
/* Before a run of the stream: a latency stream's frames begin anew, what was counted stays. */
void pgid_start(struct pgid_table *t, struct stream *s);

/* Adds to 'groups' what their streams have sent: begin with pgid_tx_begin, then each run there is,
 * of whatever state.  A run about to be freed is kept by pgid_tx_keep. */
void pgid_tx_begin(struct pgid_table *t);
void pgid_tx_add(struct pgid_table *t, const struct run *run);
void pgid_tx_keep(struct pgid_table *t, const struct run *run);

/* Ends periods and frees what the worker has let go of; each half second.  'rounds' is how many the
 * worker has begun. */
void pgid_tick(struct pgid_table *t, uint64_t rounds);
/* Brings rates up to date, if the last time is 0.1 s ago or longer; behind pgid_tx_add. */
void pgid_update_rates(struct pgid_table *t, uint64_t now_ns);

/* {"ids": {"flow_stats": [...], "latency": [...]}} */
json_t *pgid_active(const struct pgid_table *t);
/* {"flow_stats", "latency", "ver_id"} of the 'n' groups in 'ids', or of all if n is 0.  'hdrh' adds
 * whole histograms. */
json_t *pgid_stats(const struct pgid_table *t, const uint32_t *ids, size_t n, bool hdrh);
