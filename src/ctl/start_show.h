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
/* What is known once it has been sent. */
struct start_result {
	const struct profile *profile;
	unsigned port;
	double seconds, factor;
	/* Replies: arrays of get_port_stats by port; get_pgid_stats; x_nfvchain_streams, or NULL.
	 */
	json_t *before, *after, *flows, *streams;
};

void start_show_result(const struct start_result *r, FILE *out);
/* The same for programs, a new reference. */
json_t *start_result_json(const struct start_result *r);
/* The lines about what became of each stream's slots, and how punctual its frames were. */
void start_show_slots(const struct start_result *r, FILE *out);
/* Growth of the counter 'key' of a port. */
double start_growth(const json_t *before, const json_t *after, unsigned port, const char *key);
