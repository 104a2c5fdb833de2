/* SPDX-License-Identifier: MIT */
#include "worker.h"

#include <sys/resource.h>

#include <rte_cycles.h>

/* What handling a frame takes at most, of any size over any link: a round that handled some is
 * longer by that before it counts as a gap. */
#define FRAME_NS 1000

/* How often the kernel took the CPU from the calling thread. */
static long
involuntary_switches(void)
{
	struct rusage usage;

	return getrusage(RUSAGE_THREAD, &usage) == 0 ? usage.ru_nivcsw : 0;
}

/* Takes over the run that is on offer, if it is another. */
static void
look_for_run(struct gen_worker *w, struct gen_port *p)
{
	struct run *run = atomic_load_explicit(&p->offered, memory_order_acquire);

	if (likely(run == p->rx_run))
		return;
	tx_start(p, run);
	p->rx_run = run;
	if (run != NULL) {
		run->nivcsw_before = involuntary_switches();
		run->start_tsc = rte_rdtsc();
		atomic_store_explicit(&run->state, RUN_ACTIVE, memory_order_release);
	}
	w->last_tsc = rte_rdtsc();
	atomic_store_explicit(&p->taken, run, memory_order_release);
}

/* Notes how long the round took in the runs that were going on when it began, for the last round of
 * a run may be the one that came late; one that moved frames says how far a time stamp may be off.
 */
static void
note_round(struct gen_worker *w, struct run *const *runs, unsigned frames, uint64_t now)
{
	uint64_t ns = (uint64_t)((double)(now - w->last_tsc) * w->tsc_to_ns);

	w->last_tsc = now;
	for (unsigned i = 0; i < GEN_PORTS; i++) {
		struct run *run = runs[i];

		if (run == NULL)
			continue;
		if (frames > 0)
			hist_record(&run->rounds, ns);
		if (unlikely(ns > GAPS_SHORT_NS + (uint64_t)frames * FRAME_NS))
			gaps_note(&run->gaps, ns, false, 0);
		if (unlikely(w->ports[i].tx_run == NULL))
			counter_add(&run->nivcsw,
				    (uint64_t)(involuntary_switches() - run->nivcsw_before));
	}
}

static unsigned
transmit(struct gen_worker *w, struct gen_port *p)
{
	unsigned n = 0;

	for (uint16_t q = 0; q < p->port.n_txq; q++)
		if (p->tx[q].run != NULL)
			n += tx_round(w, p, q, rte_rdtsc());
	return n;
}

int
worker_main(void *arg)
{
	struct gen_worker *w = arg;

	w->last_tsc = rte_rdtsc();
	while (!atomic_load_explicit(&w->stop, memory_order_relaxed)) {
		struct run *runs[GEN_PORTS];
		unsigned n = 0, running = 0;
		uint64_t now;

		for (unsigned i = 0; i < GEN_PORTS; i++) {
			struct gen_port *p = &w->ports[i];

			look_for_run(w, p);
			runs[i] = p->tx_run;
			if (runs[i] == NULL)
				continue;
			running++;
			n += transmit(w, p);
		}
		for (unsigned i = 0; i < GEN_PORTS; i++)
			n += rx_round(w, i);
		now = rte_rdtsc();
		note_round(w, runs, n, now);
		idle_round(&w->idle, n + running, now);
	}
	for (unsigned i = 0; i < GEN_PORTS; i++)
		tx_start(&w->ports[i], NULL);
	return 0;
}
