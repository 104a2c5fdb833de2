/* SPDX-License-Identifier: MIT */
#include "worker.h"

#include <rte_cycles.h>

#define GAP_NS 20000

/* Takes over the run that is on offer, if it is another. */
static void
look_for_run(struct gen_worker *w, struct gen_port *p)
{
	struct run *run = atomic_load_explicit(&p->offered, memory_order_acquire);

	if (likely(run == p->rx_run))
		return;
	tx_release(&p->tx);
	p->rx_run = run;
	p->tx.run = run;
	if (run != NULL) {
		run->start_tsc = rte_rdtsc();
		atomic_store_explicit(&run->state, RUN_ACTIVE, memory_order_release);
	}
	w->last_tsc = rte_rdtsc();
	atomic_store_explicit(&p->taken, run, memory_order_release);
}

/* Notes how long the round took, in the run that was going on; one that moved frames says how far
 * a time stamp may be off. */
static void
note_round(struct gen_worker *w, unsigned frames, uint64_t now)
{
	uint64_t ns = (uint64_t)((double)(now - w->last_tsc) * w->tsc_to_ns);

	w->last_tsc = now;
	for (unsigned i = 0; i < GEN_PORTS; i++) {
		struct run *run = w->ports[i].tx.run;

		if (run == NULL)
			continue;
		if (frames > 0)
			hist_record(&run->rounds, ns);
		if (likely(ns < GAP_NS))
			continue;
		counter_add(&run->gaps_20us, 1);
		counter_add(&run->gaps_sum_ns, ns);
		if (ns > counter_get(&run->gap_max_ns))
			atomic_store_explicit(&run->gap_max_ns, ns, memory_order_relaxed);
	}
}

int
worker_main(void *arg)
{
	struct gen_worker *w = arg;

	w->last_tsc = rte_rdtsc();
	while (!atomic_load_explicit(&w->stop, memory_order_relaxed)) {
		unsigned n = 0, running = 0;
		uint64_t now;

		for (unsigned i = 0; i < GEN_PORTS; i++) {
			struct gen_port *p = &w->ports[i];

			look_for_run(w, p);
			if (p->tx.run == NULL)
				continue;
			running++;
			n += tx_round(w, p, rte_rdtsc());
		}
		for (unsigned i = 0; i < GEN_PORTS; i++)
			n += rx_round(w, i);
		now = rte_rdtsc();
		note_round(w, n, now);
		idle_round(&w->idle, n + running, now);
	}
	for (unsigned i = 0; i < GEN_PORTS; i++)
		tx_release(&w->ports[i].tx);
	return 0;
}
