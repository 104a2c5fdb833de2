/* SPDX-License-Identifier: MIT */
#include "round.h"

#include <rte_cycles.h>

#define LONG_ROUND 4

/* What a round with 'n_bursts' takes at most, when nobody takes the CPU. */
static uint64_t
longest_work(const struct fwd_lcore *w, unsigned n_bursts)
{
	uint64_t bursts = counter_get(&w->bursts);

	return bursts > 0 ? LONG_ROUND * n_bursts * (counter_get(&w->busy_tsc) / bursts) : 0;
}

void
round_note_long(struct fwd_lcore *w, bool found, unsigned n_bursts, uint64_t last, uint64_t now)
{
	uint64_t ns = (uint64_t)((double)(now - last) * 1e9 / (double)rte_get_tsc_hz());
	uint64_t work = found ? longest_work(w, n_bursts) : 0;

	if (now - last > w->fwd->gap_tsc + work)
		gaps_note(&w->gaps, ns, w->idle.waited_tsc == last, counter_get(&w->fwd->window));
}

void
round_note_away(struct fwd_lcore *w, unsigned n_bursts, uint64_t took)
{
	uint64_t work = longest_work(w, n_bursts);

	/* Of the first round nobody knows what it should have taken. */
	if (work > 0 && took > w->fwd->gap_tsc + work)
		counter_add(&w->busy_gap_tsc, took - work / LONG_ROUND);
}
