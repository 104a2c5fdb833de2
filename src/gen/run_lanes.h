/* SPDX-License-Identifier: MIT */
#pragma once

#include "run_graph.h"

/* Which queue sends what: the flows of a run's streams, dealt out to its lanes by their hash. */

/* Gives each lane of the run its part of the graph's streams, in their order, as streams of their
 * own with numbers from run->stream_base on, and the heap of those that start by themselves.
 * run->streams has room for all in every lane. */
void run_fill_lanes(struct run *run, const struct run_stream *whole, const struct run_graph *graph);
/* Frees what run_fill_lanes made; harmless before it. */
void run_empty_lanes(struct run *run);
