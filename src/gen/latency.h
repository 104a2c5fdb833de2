/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "base/hdr.h"
#include "dpdk/counters.h"
#include "pkt/classify.h"

/* Latency, loss and order of one stream, by the trailers of its frames: TRex's rules, figures and
 * histogram.  Times are kept in ns and told in us.
 *
 * The worker alone writes what came of the frames; the RPC thread reads, and asks for two things,
 * a new incarnation and a new period, each by one store.  No libraries of DPDK, no clock of its
 * own. */

#define LATENCY_FIRST_SEQ 0xfffffffeu /* so that each stream wraps at once */
#define LATENCY_NO_FLOW 1	      /* no incarnation has this number */

/* Puts the trailer into the last 16 bytes of a frame that is sent at 'tsc'. */
static inline void
latency_stamp(uint8_t *frame, uint16_t len, uint16_t hw_id, uint8_t flow_seq, uint32_t seq,
	      uint64_t tsc)
{
	const struct trailer t = {.flow_seq = flow_seq, .hw_id = hw_id, .seq = seq, .tsc = tsc};

	trailer_write(frame + len - TRAILER_SIZE, &t);
}

#define LATENCY_WINDOW 4096u /* frames back, of which is known whether they came */
#define LATENCY_DECADES 5    /* from 10 us */
#define LATENCY_BUCKETS (9 * LATENCY_DECADES)
#define LATENCY_HOT 10	       /* first frames, which are no maximum ... */
#define LATENCY_HOT_PERIODS 4u /* ... as long as no more periods have passed */

struct latency_rx {
	/* The RPC thread's wishes. */
	_Atomic uint8_t wanted_flow;
	_Atomic uint32_t period; /* counts those that have ended */

	/* The worker's own. */
	uint8_t flow, old_flow;
	uint32_t next_seq;
	bool has_last;
	uint64_t last_ns;    /* of the frame before, for jitter */
	uint64_t jitter_x16; /* ns */
	uint64_t came[LATENCY_WINDOW / 64];

	/* For readers. */
	counter_t n, sum_ns, min_ns, max_ns; /* min_ns is UINT64_MAX, max_ns 0 without frames */
	counter_t period_max[2];	     /* the period's number << 48 | ns, by its parity */
	counter_t jitter_ns;
	counter_t dropped, out_of_order, duplicate, seq_too_high, seq_too_low;
	counter_t below_10us, bucket[LATENCY_BUCKETS];
	struct hdr hdr; /* us */
};

/* A stream of incarnation 'flow', of which nothing came yet. */
struct latency_rx *latency_new(uint8_t flow);

/* By the RPC thread: the next frames are of incarnation 'flow' and begin at LATENCY_FIRST_SEQ
 * again; what was counted stays. */
static inline void
latency_expect(struct latency_rx *l, uint8_t flow)
{
	atomic_store_explicit(&l->wanted_flow, flow, memory_order_release);
}

enum latency_verdict { LATENCY_OK, LATENCY_OLD_FLOW, LATENCY_BAD_HEADER };

/* By the worker: a frame with this trailer came 'ns' after it was sent. */
enum latency_verdict latency_receive(struct latency_rx *l, const struct trailer *t, uint64_t ns);

/* What the RPC thread makes of it. */
struct latency_view {
	uint64_t n, sum_ns; /* at the end of the last period */
	double average_ns;  /* of the periods' means, each new one counting half */
};

/* Ends the period, if there was a frame in it. */
void latency_end_period(struct latency_rx *l, struct latency_view *view);
/* TRex's "lat" object; with 'hdrh' the whole histogram as well. */
json_t *latency_to_json(const struct latency_rx *l, const struct latency_view *view, bool hdrh);
/* TRex's "er" object, of what is not 0; NULL when all is. */
json_t *latency_errors_to_json(const struct latency_rx *l);
