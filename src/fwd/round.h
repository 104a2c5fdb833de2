/* SPDX-License-Identifier: MIT */
#pragma once

#include "forwarder.h"

/* The books of an lcore's loop: how long each round took, and what it does when it found nothing.
 */

/* Notes a round that was long, unless its work was: each of the 'n_bursts' a round may have takes
 * up to four times as long as bursts do here, for a function may be slow without anyone having
 * taken its CPU. */
void round_note_long(struct fwd_lcore *w, bool found, unsigned n_bursts, uint64_t last,
		     uint64_t now);

/* Notes how much of a round that moved frames, and took so long, the lcore was away: what is beyond
 * the usual, if it is so much that work cannot explain it. */
void round_note_away(struct fwd_lcore *w, unsigned n_bursts, uint64_t took);

/* Ends a round that began at '*last' (TSC) and found 'n' frames; the next one begins. */
static __rte_always_inline void
round_end(struct fwd_lcore *w, size_t n, unsigned n_bursts, uint64_t gap_tsc, uint64_t *last)
{
	uint64_t now = rte_rdtsc(), began = idle_woke(&w->idle, *last);

	if (unlikely(now - *last > gap_tsc)) {
		round_note_long(w, n > 0, n_bursts, *last, now);
		if (n > 0)
			round_note_away(w, n_bursts, now - began);
	}
	/* While others had the CPU, whatever they did with it, this lcore was not busy. */
	if (unlikely(began != *last))
		counter_add(&w->idle_tsc, began - *last);
	counter_add(n > 0 ? &w->busy_tsc : &w->idle_tsc, now - began);
	counter_add(&w->rounds, 1);
	*last = now;
	idle_round(&w->idle, n > 0, now);
}

/* The loop ends.  Who asks the lcore to rest may do so because it was away. */
static inline void
round_leave(struct fwd_lcore *w, unsigned n_bursts, uint64_t gap_tsc, uint64_t last)
{
	if (rte_rdtsc() - last > gap_tsc)
		round_note_long(w, false, n_bursts, last, rte_rdtsc());
}
