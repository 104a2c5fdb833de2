/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdio.h>

#include <jansson.h>

#include "chain/profile.h"

/* What 'nfvchain start' prints. */

/* A line about a stream as add_stream has it. */
void start_show_stream(uint32_t id, const char *name, const json_t *stream, FILE *out);
/* The streams of a profile, a line each. */
void start_show_streams(const struct profile *profile, FILE *out);
/* A line about each flow of get_pgid_stats, and one about its latency. */
void start_show_flows(const json_t *flows, FILE *out);
/* What was sent and received from 'before' to 'after', arrays of get_port_stats by port, and the
 * flows of get_pgid_stats. */
void start_show_result(const json_t *before, const json_t *after, const json_t *flows,
		       unsigned port, double seconds, FILE *out);
/* The same for programs, a new reference. */
json_t *start_result_json(const json_t *before, const json_t *after, const json_t *flows,
			  unsigned port, double seconds, double factor);
/* Growth of the counter 'key' of a port. */
double start_growth(const json_t *before, const json_t *after, unsigned port, const char *key);
