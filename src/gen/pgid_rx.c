/* SPDX-License-Identifier: MIT */
#include "pgid.h"

/* Packet groups where frames arrive: in the worker's bursts. */

#define TIME_WINDOW_S 4

static inline void
count(struct pgid_count *c, size_t len)
{
	counter_add(&c->pkts, 1);
	counter_add(&c->bytes, len + FRAME_FCS);
}

static uint64_t
ns_of(uint64_t ticks, uint64_t tsc_hz)
{
	return (uint64_t)((double)ticks * (1e9 / (double)tsc_hz));
}

/* 'now_tsc' may be a little before the frame's time: clocks of two CPUs are not the same. */
static void
receive_timed(struct pgid_rx *rx, unsigned port, const struct trailer *t, size_t len,
	      uint64_t now_tsc, uint64_t tsc_hz)
{
	struct latency_rx *l = atomic_load_explicit(&rx->latency[t->hw_id], memory_order_acquire);
	int64_t ticks = (int64_t)(now_tsc - t->tsc);

	if (l == NULL) {
		counter_add(&rx->bad_header, 1);
		return;
	}
	switch (latency_receive(l, t, ticks > 0 ? ns_of((uint64_t)ticks, tsc_hz) : 0)) {
	case LATENCY_OK:
		count(&rx->timed[port][t->hw_id], len);
		break;
	case LATENCY_OLD_FLOW:
		counter_add(&rx->old_flow, 1);
		break;
	case LATENCY_BAD_HEADER:
		counter_add(&rx->bad_header, 1);
		break;
	}
}

void
pgid_receive(struct pgid_rx *rx, unsigned port, const uint8_t *head, size_t head_len, size_t len,
	     const uint8_t *tail, uint64_t now_tsc, uint64_t tsc_hz)
{
	bool timed = atomic_load_explicit(&rx->n_latency, memory_order_relaxed) > 0;
	struct classified c;

	switch (classify(classify_id(head, head_len), timed ? tail : NULL, now_tsc,
			 TIME_WINDOW_S * tsc_hz, &c)) {
	case CLASSIFY_STATS:
		count(&rx->stats[port][c.hw_id], len);
		break;
	case CLASSIFY_LATENCY:
		receive_timed(rx, port, &c.trailer, len, now_tsc, tsc_hz);
		break;
	case CLASSIFY_BROKEN:
		counter_add(&rx->bad_header, timed);
		break;
	case CLASSIFY_OTHER:
		break;
	}
}
