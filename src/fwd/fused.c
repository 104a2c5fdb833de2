/* SPDX-License-Identifier: MIT */
#include "fused.h"

#include <unistd.h>

#include <rte_cycles.h>

#include "engine.h"
#include "hop_ring.h"
#include "nfs.h"
#include "round.h"
#include "stage_times.h"

#define SETTLE_ROUNDS 64 /* rounds between two looks at how long each hop was idle */

/* Time since '*last' was this hop's. */
static __rte_always_inline void
note_busy(struct fwd_lcore *w, uint64_t *last)
{
	uint64_t now = rte_rdtsc();

	counter_add(&w->busy_tsc, now - *last);
	*last = now;
}

/* Can a burst be put before the functions of that hop now, without overtaking any? */
static __rte_always_inline bool
takes(const struct fwd_link *l)
{
	const struct fwd *fwd = l->w->fwd;

	return l->out.n_held == 0 &&
	       atomic_load_explicit(&fwd->state, memory_order_relaxed) == FWD_RUN &&
	       rte_ring_empty(fwd->inner[l->rx_port]->in[l->rxq]);
}

/* The functions of a hop see a burst.  True when all of it goes on by the egress. */
static __rte_always_inline bool
serve(struct fwd_link *l, struct rte_mbuf **frames, uint16_t n)
{
	struct fwd_lcore *w = l->w;
	const bool timed = w->times != NULL;
	bool forward;

	counter_add(l->rx, n);
	counter_add(&w->bursts, 1);
	if (unlikely(timed))
		times_note_received(w, frames, n);
	forward = nfs_burst(w, frames, n);
	if (unlikely(timed))
		times_note_served(w, 0, frames, n);
	if (likely(forward && !atomic_load_explicit(&w->fault.armed, memory_order_acquire)))
		return true;
	poll_part_burst(w, l, frames, n);
	return false;
}

static void
pass_on(struct fwd_link *l, struct rte_mbuf **frames, uint16_t n)
{
	uint16_t sent = times_send(l->w, l->egress, l->txq, frames, n);

	counter_add(l->tx, sent);
	if (unlikely(sent < n))
		egress_keep(l->w, &l->out, l->egress, frames + sent, (uint16_t)(n - sent));
}

/* Takes a burst that a link received through its hop, and through as many behind it as take it from
 * hand to hand.  A further hop with l2fwd costs perf/instructions' "fused-8" less "fused-2", by 6.
 */
static void
carry(struct fwd_link *l, struct rte_mbuf **frames, uint16_t n, uint64_t *last)
{
	for (;;) {
		struct fwd_link *next = l->next;

		if (!serve(l, frames, n))
			break;
		if (next == NULL || !takes(next)) {
			pass_on(l, frames, n);
			break;
		}
		counter_add(l->tx, n);
		note_busy(l->w, last);
		if (unlikely(next->rx_port != l->rx_port))
			for (uint16_t i = 0; i < n; i++)
				frames[i]->port = next->rx_port;
		l = next;
	}
	note_busy(l->w, last);
}

/* One burst of each link of a hop. */
static size_t
visit(struct fwd_lcore *w, uint64_t *last)
{
	const uint16_t burst = (uint16_t)w->fwd->conf->burst;
	struct rte_mbuf *frames[BURST_ROOM];
	size_t found = 0;

	for (struct fwd_link *l = w->links; l < w->links + w->n_links; l++) {
		uint16_t n;

		if (unlikely(l->out.n_held > 0)) {
			if (!egress_try(w, &l->out, *last))
				continue;
			found++;
		}
		n = hop_receive(w->fwd, l->rx_port, l->rxq, frames, burst);
		if (n > 0)
			carry(l, frames, n, last);
		found += n;
	}
	return found;
}

/* ---- rest ---- */

/* Tries what the hop holds again; it is at rest once nothing is left of it. */
static void
come_to_rest(struct fused_hop *h, uint64_t now)
{
	struct fwd_lcore *w = h->w;
	bool held = false;

	poll_send_kept(w);
	for (struct fwd_link *l = w->links; l < w->links + w->n_links; l++) {
		if (l->out.n_held > 0 && !egress_retry(w, &l->out, now) && now > h->deadline)
			egress_give_up(w, &l->out, now, REASON_DRAIN);
		held |= l->out.n_held > 0;
	}
	h->at_rest = !held;
	if (h->at_rest)
		atomic_store_explicit(&w->seen, h->order, memory_order_release);
}

static void
take_order(struct fused_hop *h, unsigned order)
{
	/* Read after its order: a state that is newer is told again. */
	h->order = order;
	h->state = atomic_load_explicit(&h->w->fwd->state, memory_order_acquire);
	h->at_rest = false;
	h->deadline = rte_rdtsc() + h->w->fwd->drain_tsc;
	if (h->state == FWD_RUN)
		atomic_store_explicit(&h->w->seen, order, memory_order_release);
}

/* A hop's turn in a round.  Returns how many frames it found. */
static __rte_always_inline size_t
turn(struct fused_hop *h, uint64_t *last)
{
	unsigned order = atomic_load_explicit(&h->w->fwd->order, memory_order_acquire);

	if (unlikely(order != h->order))
		take_order(h, order);
	if (likely(h->state == FWD_RUN))
		return visit(h->w, last);
	if (!h->at_rest)
		come_to_rest(h, *last);
	return 0;
}

/* ---- the books ---- */

/* What was no hop's own time is idle for all of them, that of the others too. */
static void
settle_idle(struct fused *f, uint64_t now)
{
	for (unsigned i = 0; i < f->n; i++) {
		struct fused_hop *h = &f->hop[i];
		uint64_t busy = counter_get(&h->w->busy_tsc);

		counter_add(&h->w->idle_tsc, now - f->settled_tsc - (busy - h->busy_tsc));
		h->busy_tsc = busy;
	}
	f->settled_tsc = now;
}

/* A gap of the lcore is one of each hop on it. */
static void
note_long(struct fused *f, bool found, uint64_t start, uint64_t now)
{
	unsigned n_bursts = 0;

	for (unsigned i = 0; i < f->n; i++)
		n_bursts += f->hop[i].w->n_links;
	for (unsigned i = 0; i < f->n; i++) {
		struct fwd_lcore *w = f->hop[i].w;

		w->idle.waited_tsc = f->hop[0].w->idle.waited_tsc;
		round_note_long(w, found, n_bursts, start, now);
	}
}

static __rte_always_inline void
end_round(struct fused *f, size_t n, unsigned round, uint64_t *start, uint64_t *last)
{
	struct fwd_lcore *first = f->hop[0].w;
	uint64_t now = rte_rdtsc();

	if (unlikely(now - *start > first->fwd->gap_tsc))
		note_long(f, n > 0, *start, now);
	/* What a round costs beside bursts is that of whoever asks first. */
	if (n > 0)
		counter_add(&first->busy_tsc, now - *last);
	if (n == 0 || round % SETTLE_ROUNDS == 0)
		settle_idle(f, now);
	counter_add(&first->rounds, 1);
	idle_round(&first->idle, n > 0, now);
	*start = now;
	*last = idle_woke(&first->idle, now);
}

/* Has every hop come to rest?  '*stopped' when none of them will go on. */
static bool
all_rest(const struct fused *f, bool *stopped)
{
	bool stop = true;

	for (unsigned i = 0; i < f->n; i++) {
		if (f->hop[i].state == FWD_RUN || !f->hop[i].at_rest)
			return false;
		stop &= f->hop[i].state == FWD_STOP;
	}
	*stopped = stop;
	return true;
}

void
fused_run(struct fused *f)
{
	uint64_t start = rte_rdtsc(), last = start;
	bool stopped = false;

	for (unsigned i = 0; i < f->n; i++) {
		atomic_store_explicit(&f->hop[i].w->tid, gettid(), memory_order_relaxed);
		f->hop[i].busy_tsc = counter_get(&f->hop[i].w->busy_tsc);
	}
	f->settled_tsc = last;
	for (unsigned round = 0; !stopped; round++) {
		size_t n = 0;

		for (unsigned i = 0; i < f->n; i++)
			n += turn(&f->hop[i], &last);
		if (unlikely(n == 0 && all_rest(f, &stopped)))
			usleep(20);
		end_round(f, n, round, &start, &last);
	}
}

/* ---- making ---- */

void
fused_add(struct fused *f, struct fwd_lcore *w)
{
	f->hop[f->n++] = (struct fused_hop){.w = w, .state = FWD_PAUSE, .at_rest = true};
}

/* The link of the neighbour's that receives what this one sends, when it is on this lcore. */
static struct fwd_link *
find_next(const struct fused *f, const struct fwd_link *l)
{
	const struct hop_end *mine = l->w->fwd->inner[l->egress];

	for (unsigned i = 0; mine != NULL && i < f->n; i++) {
		struct fwd_lcore *w = f->hop[i].w;

		for (struct fwd_link *k = w->links; k < w->links + w->n_links; k++) {
			const struct hop_end *theirs = w->fwd->inner[k->rx_port];

			if (theirs != NULL && theirs->in[k->rxq] == mine->out[l->txq])
				return k;
		}
	}
	return NULL;
}

void
fused_join(struct fused *f)
{
	for (unsigned i = 0; i < f->n; i++) {
		struct fwd_lcore *w = f->hop[i].w;

		for (struct fwd_link *l = w->links; l < w->links + w->n_links; l++) {
			l->next = find_next(f, l);
			/* Stamps in a buffer end where the hop lets go of it. */
			if (l->next != NULL && (w->times != NULL || l->next->w->times != NULL))
				l->next = NULL;
		}
	}
}
