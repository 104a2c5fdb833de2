/* SPDX-License-Identifier: MIT */
#pragma once

#include "run.h"

/* Which streams of a profile a run has, and which starts which. */

struct run_graph {
	uint32_t n;
	uint32_t *of;	 /* the stream that each is, ascending */
	uint32_t *next;	 /* the one that its end starts, or RUN_NO_STREAM */
	uint32_t *first; /* of those joined by chains, the one with the lowest number */
};

/* Of the enabled streams those that start by themselves, and those that another's end starts.
 * Refuses when there is none, ends that start a stream that is not there or disabled, and enabled
 * streams that none of the others leads to, in TRex's words. */
int run_graph_init(struct run_graph *g, const struct stream *streams, size_t n,
		   struct jsonrpc_error *e);
void run_graph_fini(struct run_graph *g);
/* Refuses, of the compiled 'streams', those that would send without end at one instant. */
int run_graph_check(const struct run_graph *g, const struct run_stream *streams,
		    struct jsonrpc_error *e);
