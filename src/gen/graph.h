/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rpc/jsonrpc.h"

/* How much a set of streams sends over time, before any of it is sent: what a rate asked for is
 * measured against, and what 'validate' shows.  Pure. */

struct graph_rate {
	double pps;
	double bps_l2; /* with FCS */
	double bps_l1; /* and 20 bytes a frame */
};

/* A stream as the graph sees it. */
struct graph_stream {
	uint32_t id;
	bool enabled;
	bool self_start;
	bool fixed;		/* no multiplier changes its rate: latency */
	bool endless;		/* never comes to its end */
	struct graph_rate rate; /* at factor 1; all 0 where nothing is sent */
	double isg_us;		/* before its first frame */
	double length_us;	/* from there to where the next stream starts, unless endless */
	int64_t next_id;	/* the stream that follows; -1: none */
};

/* A change of the sum of rates. */
struct graph_event {
	double time_us;
	struct graph_rate diff;
	uint32_t stream_id;
};

#define GRAPH_MAX_EVENTS 200000

struct graph {
	struct graph_rate variable; /* at factor 1, the peak over time, each figure for itself */
	struct graph_rate fixed;
	double duration_us;	    /* to the last change; -1: endless */
	struct graph_event *events; /* by time */
	size_t n_events;
};

/* Follows each stream that starts by itself along its chain, to the end or to where it bites its
 * tail.  Fails on a chain to a stream that is not there or disabled, and on one that is too long to
 * follow. */
int graph_init(struct graph *g, const struct graph_stream *streams, size_t n,
	       struct jsonrpc_error *e);
void graph_fini(struct graph *g);

/* The peak of all streams at 'factor'. */
struct graph_rate graph_peak(const struct graph *g, double factor);
