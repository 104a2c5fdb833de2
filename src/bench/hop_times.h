/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "base/err.h"

/* Where frames spent their time inside a hop of ours, as its --stage-times tells: before each
 * stage, in it, and until they were sent.  Over one trial the sums add up:
 *
 *     waits + services + tx wait = total + dropped
 *
 * in cycles of the hop's counter, exactly. */

#define HOP_MAX_STAGES 8

/* Times of one kind.  Quantiles and maximum are the upper ends of buckets, 1/16 wide: they
 * overstate, never understate. */
struct time_span {
	uint64_t n; /* frames; 0: nothing else is known */
	uint64_t sum_tsc;
	double mean_ns, p50_ns, p99_ns, max_ns; /* NaN: unknown */
};

struct stage_times {
	char nf[64];	       /* "l2fwd+work:300"; longer ones are cut */
	struct time_span wait; /* n = 0 for the polling engine, which has none */
	struct time_span service;
};

struct hop_times {
	bool known;
	double tsc_hz;
	unsigned n_stages;
	struct stage_times stage[HOP_MAX_STAGES];
	struct time_span tx_wait;
	struct time_span total; /* received to sent, of the frames that were sent */
	uint64_t n_dropped;
	uint64_t dropped_tsc; /* until their last stage */
};

/* What passed between two answers of a forwarder's "counters" {"buckets": true}.  'times' is not
 * known when they do not tell, or went backwards. */
void hop_times_between(struct hop_times *times, const json_t *before, const json_t *after);

/* Mean time of a frame that was sent, by its parts: what 'total' says too, if all is accounted for.
 * NaN when no frame was sent. */
double hop_times_parts_ns(const struct hop_times *times);

/* {"name", "stages": [{"stage", "nf", "wait", "service"}], "tx_wait", "total", "dropped", "tsc_hz"}
 * with "name" of the hop; "stages" null, and nothing else, when not known.  A span without frames
 * is null. */
json_t *hop_times_to_json(const struct hop_times *times, const char *name);
int hop_times_from_json(struct hop_times *times, const json_t *json, struct err *err);
