/* SPDX-License-Identifier: MIT */
#include "round.h"

#include <rte_cycles.h>

#define LONG_ROUND 4

void
round_note_long(struct fwd_lcore *w, bool found, unsigned n_bursts, uint64_t last, uint64_t now)
{
	uint64_t ns = (uint64_t)((double)(now - last) * 1e9 / (double)rte_get_tsc_hz());
	uint64_t bursts = counter_get(&w->bursts), work = 0;

	if (found && bursts > 0)
		work = LONG_ROUND * n_bursts * (counter_get(&w->busy_tsc) / bursts);
	if (now - last > w->fwd->gap_tsc + work)
		gaps_note(&w->gaps, ns, w->idle.waited_tsc == last, counter_get(&w->fwd->window));
}
