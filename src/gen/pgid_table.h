/* SPDX-License-Identifier: MIT */
#pragma once

#include "pgid.h"

/* Packet groups as the RPC thread keeps them: pgid.c has their coming and going, pgid_json.c what
 * is told of them. */

/* Frames and bytes a second, each new figure counting half. */
struct pgid_rate {
	uint64_t pkts, bytes; /* at the last time */
	double pps, bps;
};

struct pgid {
	uint32_t pg_id;
	enum stream_rule rule;
	uint16_t hw_id;
	uint8_t first_flow, flow; /* its incarnations of hw_id, as runs know them */
	uint8_t proto;		  /* of what its streams' IP headers carry */
	uint32_t ver_id;
	unsigned n_streams;
	bool started;
	uint64_t rate_ns; /* 0: no rates yet */
	struct {
		uint64_t base_pkts, base_bytes; /* of other groups with this hw_id, before */
		struct pgid_rate rate;
	} rx[PGID_PORTS];
	struct {
		uint64_t kept_pkts, kept_bytes; /* of runs that are gone */
		uint64_t pkts, bytes;		/* as of pgid_tx_begin and pgid_tx_add */
		struct pgid_rate rate;
	} tx[PGID_PORTS];
	struct latency_view view;
};

struct pgid_old {
	struct latency_rx *latency;
	uint64_t rounds; /* of the worker, when it was seen first */
	bool dated;
};

struct pgid_table {
	struct pgid_rx *rx;
	struct pgid *groups[CLASSIFY_N_STATS + CLASSIFY_N_LATENCY]; /* in no order */
	size_t n_groups;
	struct pgid *stats[CLASSIFY_N_STATS], *timed[CLASSIFY_N_LATENCY]; /* by hw_id */
	uint8_t stats_flow[CLASSIFY_N_STATS], timed_flow[CLASSIFY_N_LATENCY];
	uint32_t next_ver_id;
	struct pgid_old *old;
	size_t n_old;
};

static inline const struct pgid_count *
pgid_rx_count(const struct pgid_rx *rx, const struct pgid *g, unsigned port)
{
	return g->rule == RULE_LATENCY ? &rx->timed[port][g->hw_id] : &rx->stats[port][g->hw_id];
}
