/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* What became of the sequence numbers of one stream: exact counts of frames never seen, seen twice
 * and out of order within their flow.
 *
 * A window of bits slides over the sequence; whatever leaves it unseen was lost.  Flow = seq mod
 * flows.  A frame is reordered when a later frame of its flow came first (RFC 4737 type-P-reordered
 * judged per flow), which the bits themselves tell: in-order frames touch no table per flow, and
 * stragglers only a small one that keeps the bits from being searched twice.
 *
 * One writer.  'seq' widens from 32 bits, so up to 2^31 frames may be missing in a row.  The most
 * that one frame can cost is a pass over the window (512 kB), after a jump beyond it. */

#define SEQ_WINDOW (1u << 22)	   /* frames */
#define SEQ_SLIDE 512u		   /* the window moves by this, one cache line of bits */
#define SEQ_TABLE_FLOWS (1u << 12) /* with more flows, searching the bits is short enough */

/* A straggler that comes up to this many frames late is never stale. */
#define SEQ_REACH (SEQ_WINDOW - SEQ_SLIDE)

/* Highest sequence of one flow, brought up to date when a straggler of the flow asks. */
struct seq_flow {
	uint64_t high; /* one more than the highest sequence seen of those below 'upto' */
	uint64_t upto;
};

struct seqtrack {
	uint64_t *bits;	       /* SEQ_WINDOW bits, ring indexed by seq; 0 from 'next' on */
	struct seq_flow *flow; /* SEQ_TABLE_FLOWS of them */
	uint64_t next;	       /* one more than the highest sequence seen */
	uint64_t tail;	    /* sequences below this have left the window; multiple of SEQ_SLIDE */
	uint64_t every_nth; /* the bits i * flows of a word, for few flows */
	uint32_t flows;	    /* 1 or more */
	uint64_t seen;	    /* distinct sequences */
	uint64_t duplicate; /* frames whose sequence had been seen */
	uint64_t reordered;
	uint64_t stale;	 /* older than the window: their kind cannot be told; counted as lost too */
	uint64_t unseen; /* sequences that left the window unseen */
};

/* 'flows' is at least 1.  Memory is allocated here, none later. */
void seqtrack_init(struct seqtrack *t, uint32_t flows);
void seqtrack_fini(struct seqtrack *t);
/* Starts again from sequence 0. */
void seqtrack_reset(struct seqtrack *t, uint32_t flows);

/* The sequence that 'seq' stands for: the one nearest to 'next'; UINT64_MAX for one before 0.  A
 * sequence that the sender has not reached yet is none of its frames, however intact it looks: the
 * receiver compares with the sender's count and does not add it. */
static inline uint64_t
seqtrack_widen(const struct seqtrack *t, uint32_t seq)
{
	int64_t ahead = (int32_t)(seq - (uint32_t)t->next);
	uint64_t wide = t->next + (uint64_t)ahead;

	return ahead < 0 && wide > t->next ? UINT64_MAX : wide;
}

/* The slow way in: gaps, duplicates, stragglers, and each SEQ_SLIDE-th frame to move the window. */
void seqtrack_add_slow(struct seqtrack *t, uint32_t seq);

/* Notes one frame.  The usual case, the very next number inside the window, is a few instructions.
 */
static inline void
seqtrack_add(struct seqtrack *t, uint32_t seq)
{
	if ((uint32_t)t->next == seq && t->next - t->tail < SEQ_WINDOW) {
		t->bits[(seq % SEQ_WINDOW) / 64] |= 1ull << (seq % 64);
		t->next++;
		t->seen++;
	} else {
		seqtrack_add_slow(t, seq);
	}
}

/* Moves the window so that 'seq', which is t->next or later, lies in it. */
void seqtrack_slide(struct seqtrack *t, uint64_t seq);

#define SEQ_RUN 64u /* the most that seqtrack_add_run takes, one word of bits */

/* Notes 'n' frames, 1 to SEQ_RUN, whose numbers are the very next ones; the same as seqtrack_add of
 * each, for the price of one. */
static inline void
seqtrack_add_run(struct seqtrack *t, unsigned n)
{
	unsigned bit = t->next % 64;
	uint64_t run = ~0ull >> (SEQ_RUN - n);
	uint64_t *word;

	if (t->next + n - t->tail > SEQ_WINDOW)
		seqtrack_slide(t, t->next + n - 1);
	word = &t->bits[t->next % SEQ_WINDOW / 64];
	*word |= run << bit;
	/* What did not fit belongs to the next word, which may be the first of the ring. */
	if (bit + n > 64)
		t->bits[(t->next + n - 1) % SEQ_WINDOW / 64] |= run >> (64 - bit);
	t->next += n;
	t->seen += n;
}

/* Sequences below 'sent' that were never seen, counted from the bits and from what left the window,
 * not from 'seen'; call when the stream has ended, from the writer or after it stopped.  Exact as
 * long as no sequence of 'sent' or above was added; if one pushed the window beyond 'sent', the
 * count is a lower bound. */
uint64_t seqtrack_never_seen(const struct seqtrack *t, uint64_t sent);
