/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "base/err.h"

/* What a hop of ours did in a trial: how long its lcores were busy, for how many frames and bursts,
 * how long frames waited for room at its ports, and what each of its lcores, with queues of its
 * own, received, sent and dropped.
 *
 * Busy are rounds of an lcore's loop that moved frames.  Those that found nothing are not, and
 * neither is the time in which frames wait for room: both come to nothing in 'busy_tsc'. */

#define HOP_MAX_QUEUES 16
#define HOP_QUEUE_PORTS 2

/* An lcore and its queues. */
struct hop_queue {
	uint64_t lcore;
	uint64_t rx[HOP_QUEUE_PORTS], tx[HOP_QUEUE_PORTS]; /* frames, of each port */
	uint64_t held_ns[HOP_QUEUE_PORTS];
	uint64_t drops;
	char cause[48];	      /* what most of them were dropped for, "" of none */
	uint64_t cause_drops; /* those */
};

struct hop_work {
	bool known;
	double tsc_hz;
	unsigned burst;	   /* frames that a burst may have */
	uint64_t busy_tsc; /* of all lcores, without the times that they were kept from running */
	uint64_t all_tsc;  /* busy or not, without those too */
	uint64_t bursts;   /* that found frames */
	uint64_t frames;   /* received, from all ports */
	uint64_t held_ns[HOP_QUEUE_PORTS]; /* frames waited for room at this port */
	size_t n_queues;
	struct hop_queue queue[HOP_MAX_QUEUES];
};

/* What passed between two answers of a forwarder's "counters".  'work' is not known when they do
 * not tell, or went backwards. */
void hop_work_between(struct hop_work *work, const json_t *before, const json_t *after);

/* {"name", "busy_cycles", "cycles", "bursts", "frames", "burst", "tsc_hz", "held_ns": [..],
 * "queues": [{"lcore", "rx": [..], "tx": [..], "held_ns": [..], "drops", "cause"}]} with "name" of
 * the hop; all but it null when not known. */
json_t *hop_work_to_json(const struct hop_work *work, const char *name);
int hop_work_from_json(struct hop_work *work, const json_t *json, struct err *err);
