/* SPDX-License-Identifier: MIT */
#include "worker.h"

#include <sys/resource.h>

#include <rte_cycles.h>

#include "base/clock.h"
#include "service.h"

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

void
gen_offer(struct gen_port *p, unsigned slot, struct run *run)
{
	atomic_store_explicit(&p->slots[slot].offered, run, memory_order_release);
	atomic_fetch_add_explicit(&p->n_offers, 1, memory_order_release);
}

/* Could the run's frames be told from others when they arrive? */
static bool
is_signed(const struct run *run)
{
	return run != NULL && run->n_signed > 0;
}

/* The run whose frames are expected, now that 'run' has taken the place of 'before'. */
static struct run *
choose_rx_run(const struct gen_port *p, struct run *run, const struct run *before)
{
	struct run *best = run;

	if (p->rx_run != before && is_signed(p->rx_run) && !is_signed(run))
		return p->rx_run;
	for (unsigned i = 0; i < GEN_PROFILES && !is_signed(best); i++)
		if (p->slots[i].run != NULL && (best == NULL || is_signed(p->slots[i].run)))
			best = p->slots[i].run;
	return best;
}

/* When the run starts, by the TSC. */
static uint64_t
start_tsc(const struct gen_worker *w, const struct run *run)
{
	const uint64_t tsc = rte_rdtsc(), now_ns = clock_now_ns();

	if (run->start_at_ns <= now_ns)
		return tsc;
	return tsc + (uint64_t)((double)(run->start_at_ns - now_ns) / w->tsc_to_ns);
}

static void
take_run(struct gen_worker *w, struct gen_port *p, unsigned slot, struct run *run)
{
	struct run *before = p->slots[slot].run;

	tx_start(p, slot, run);
	p->slots[slot].run = run;
	p->rx_run = choose_rx_run(p, run, before);
	if (run != NULL) {
		run->nivcsw_before = involuntary_switches();
		run_set_start(run, start_tsc(w, run));
		/* Until then, if that is to come. */
		atomic_fetch_or_explicit(&run->attend, RUN_HOLD, memory_order_relaxed);
		atomic_store_explicit(&run->state, RUN_ACTIVE, memory_order_release);
	}
	w->last_tsc = rte_rdtsc();
	atomic_store_explicit(&p->slots[slot].taken, run, memory_order_release);
}

/* Takes over the runs that are on offer, if they are others. */
static void
look_for_runs(struct gen_worker *w, struct gen_port *p)
{
	uint32_t n_offers = atomic_load_explicit(&p->n_offers, memory_order_acquire);

	if (likely(n_offers == p->n_looked_at))
		return;
	p->n_looked_at = n_offers;
	for (unsigned i = 0; i < GEN_PROFILES; i++) {
		struct run *run = atomic_load_explicit(&p->slots[i].offered, memory_order_acquire);

		if (run != p->slots[i].run)
			take_run(w, p, i, run);
	}
}

/* The runs that were going on when a round began. */
struct round_runs {
	struct run *run[GEN_PORTS * GEN_PROFILES];
	const struct gen_slot *slot[GEN_PORTS * GEN_PROFILES];
	unsigned n;
};

/* Notes how long the round took in the runs that were going on when it began, for the last round of
 * a run may be the one that came late; one that moved frames says how far a time stamp may be off.
 */
static void
note_round(struct gen_worker *w, const struct round_runs *runs, unsigned frames, uint64_t now)
{
	uint64_t ns = (uint64_t)((double)(now - w->last_tsc) * w->tsc_to_ns);

	w->last_tsc = now;
	if (frames > 0)
		counter_add(&w->busy_ns, ns);
	for (unsigned i = 0; i < runs->n; i++) {
		struct run *run = runs->run[i];

		if (frames > 0)
			hist_record(&run->rounds, ns);
		if (unlikely(ns > GAPS_SHORT_NS + (uint64_t)frames * FRAME_NS))
			gaps_note(&run->gaps, ns, false, 0);
		if (unlikely(runs->slot[i]->tx_run == NULL))
			counter_add(&run->nivcsw,
				    (uint64_t)(involuntary_switches() - run->nivcsw_before));
	}
}

static void
note_runs(const struct gen_port *p, struct round_runs *runs)
{
	for (uint32_t left = p->sending; left != 0; left &= left - 1) {
		const struct gen_slot *s = &p->slots[__builtin_ctz(left)];

		runs->slot[runs->n] = s;
		runs->run[runs->n++] = s->tx_run;
	}
}

static unsigned
transmit_slot(struct gen_worker *w, struct gen_port *p, unsigned slot, uint64_t at_tsc)
{
	const struct gen_slot *s = &p->slots[slot];
	unsigned n = 0;

	for (uint16_t q = 0; q < p->port.n_txq; q++)
		if (s->tx[q].run != NULL)
			n += tx_round(w, p, slot, q, at_tsc != 0 ? at_tsc : rte_rdtsc());
	return n;
}

/* The number of the 'n'th bit that is set. */
static unsigned
nth_bit(uint32_t bits, unsigned n)
{
	while (n-- > 0)
		bits &= bits - 1;
	return (unsigned)__builtin_ctz(bits);
}

unsigned
worker_transmit(struct gen_worker *w, struct gen_port *p, uint64_t at_tsc)
{
	const uint32_t all = p->sending;
	unsigned n = 0, from = 0;

	/* Each time another first: a link with room for some frames gives it to all in turn. */
	if (unlikely((all & (all - 1)) != 0))
		from = nth_bit(all, p->turn++ % (unsigned)__builtin_popcount(all));
	for (uint32_t left = all >> from << from; left != 0; left &= left - 1)
		n += transmit_slot(w, p, (unsigned)__builtin_ctz(left), at_tsc);
	for (uint32_t left = all & ((1u << from) - 1); left != 0; left &= left - 1)
		n += transmit_slot(w, p, (unsigned)__builtin_ctz(left), at_tsc);
	return n;
}

int
worker_main(void *arg)
{
	struct gen_worker *w = arg;

	w->last_tsc = rte_rdtsc();
	while (!atomic_load_explicit(&w->stop, memory_order_relaxed)) {
		struct round_runs runs;
		unsigned n = 0;
		uint64_t now;

		counter_add(&w->rounds, 1);
		runs.n = 0;
		for (unsigned i = 0; i < GEN_PORTS; i++) {
			look_for_runs(w, &w->ports[i]);
			if (w->ports[i].sending == 0)
				continue;
			note_runs(&w->ports[i], &runs);
			n += worker_transmit(w, &w->ports[i], 0);
		}
		if (unlikely(!copy_ring_is_empty(&w->pushes)))
			n += service_push_round(w, rte_rdtsc());
		for (unsigned i = 0; i < GEN_PORTS; i++)
			n += rx_round(w, i);
		now = rte_rdtsc();
		note_round(w, &runs, n, now);
		idle_round(&w->idle, n + runs.n, now);
	}
	for (unsigned i = 0; i < GEN_PORTS; i++)
		for (unsigned k = 0; k < GEN_PROFILES; k++)
			tx_start(&w->ports[i], k, NULL);
	return 0;
}
