/* SPDX-License-Identifier: MIT */
#pragma once

#include <rte_ethdev.h>

#include "forwarder.h"
#include "hop_ring.h"

/* Where the time goes that a frame spends inside, when --stage-times asks: each frame carries two
 * stamps (TSC, one for each burst) in a field of its buffer that is registered for it, when it was
 * received and when it last came on.
 *
 *     received --wait 0--> taken --service 0--> served --wait 1--> ... served --tx wait--> sent
 *
 * A wait lasts from what came before until the functions of the stage begin, the scheduler of the
 * event device included.  A service is that of the whole burst, for it holds each of its frames.
 * The last wait ends when the device has taken the frame; what was held and the queue to the lcore
 * that sends are in it.  The polling engine has one stage and no wait before it.
 *
 * All are sums of whole cycles, so that, once nothing is inside,
 *
 *     sum of all waits and services = sum of total (received to sent) + sum of dropped
 *
 * holds exactly; 'dropped' are the frames that went no further, with the time until their last
 * stamp.  Cycle counters of different lcores may differ by a little: no stamp goes backwards. */

#define TIMES_SUB_BITS 4 /* 16 steps in each power of two: a time is known to 1/16 */
#define TIMES_MAX_BITS 40
#define TIMES_BUCKETS ((TIMES_MAX_BITS - TIMES_SUB_BITS + 1) << TIMES_SUB_BITS)

/* Times of one kind.  One writer, as all counters of an lcore. */
struct times_span {
	counter_t n;
	counter_t sum; /* cycles */
	counter_t max;
	counter_t bucket[TIMES_BUCKETS];
};

/* What one lcore measured. */
struct times {
	int field; /* offset of the stamps in a buffer */
	struct times_span wait[PLAN_MAX_STAGES];
	struct times_span service[PLAN_MAX_STAGES];
	struct times_span tx_wait;
	struct times_span total; /* of frames that were sent */
	counter_t dropped;
	counter_t dropped_sum;
};

/* Gives each lcore its times, if they are wanted; closing what is not open is harmless. */
int times_open(struct fwd *fwd, struct err *err);
void times_close(struct fwd *fwd);

/* ---- what lcores note; each costs a branch for a burst where nobody asks ---- */

void times_note_received(struct fwd_lcore *w, struct rte_mbuf **frames, uint16_t n);
/* The functions of a stage are about to see the burst, and have seen it. */
void times_note_taken(struct fwd_lcore *w, unsigned stage, struct rte_mbuf **frames, uint16_t n);
void times_note_served(struct fwd_lcore *w, unsigned stage, struct rte_mbuf **frames, uint16_t n);
void times_note_dropped(struct fwd_lcore *w, struct rte_mbuf **frames, uint16_t n);
uint16_t times_note_sent(struct fwd_lcore *w, uint16_t port, uint16_t queue,
			 struct rte_mbuf **frames, uint16_t n);

static inline void
times_received(struct fwd_lcore *w, struct rte_mbuf **frames, uint16_t n)
{
	if (unlikely(w->times != NULL))
		times_note_received(w, frames, n);
}

/* Frames that are about to be freed. */
static inline void
times_dropped(struct fwd_lcore *w, struct rte_mbuf **frames, uint16_t n)
{
	if (unlikely(w->times != NULL))
		times_note_dropped(w, frames, n);
}

/* A copy of a frame was made: it begins where that one is. */
void times_copied(struct fwd_lcore *w, struct rte_mbuf *copy);

/* hop_send for a burst of up to BURST_ROOM frames. */
static inline uint16_t
times_send(struct fwd_lcore *w, uint16_t port, uint16_t queue, struct rte_mbuf **frames, uint16_t n)
{
	if (unlikely(w->times != NULL))
		return times_note_sent(w, port, queue, frames, n);
	return hop_send(w->fwd, port, queue, frames, n);
}

/* ---- for who looks at them ---- */

/* All times of one kind over all lcores; plain numbers. */
struct times_sum {
	uint64_t n, sum, max;
	uint64_t bucket[TIMES_BUCKETS];
};

enum times_kind { TIMES_WAIT, TIMES_SERVICE, TIMES_TX_WAIT, TIMES_TOTAL };

/* 'stage' counts for the first two alone. */
void times_sum_up(const struct fwd *fwd, enum times_kind kind, unsigned stage,
		  struct times_sum *sum);
/* Cycles below or at which the share 'q' of the times lies: the upper end of a bucket, never above
 * the longest; 0 when there are none. */
uint64_t times_quantile(const struct times_sum *sum, double q);
/* The bucket of a time, and the longest time that falls into bucket 'i'. */
unsigned times_bucket(uint64_t tsc);
uint64_t times_bucket_high(unsigned i);
/* Stages that there are times of. */
unsigned times_n_stages(const struct fwd *fwd);
/* Frames that were dropped, and their cycles. */
void times_dropped_sum(const struct fwd *fwd, uint64_t *n, uint64_t *sum);
/* Waits and services less total and dropped: 0 once nothing is inside, or time is unaccounted for.
 */
int64_t times_residual(const struct fwd *fwd);
