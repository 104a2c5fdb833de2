/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include <rte_cycles.h>
#include <rte_ethdev.h>
#include <rte_malloc.h>

#include "engine.h"
#include "forwarder.h"
#include "nfs.h"

/* The polling engine: each lcore receives from its queues, runs the functions and transmits, all in
 * one loop.  A burst leaves as it came, without a buffer or a timer in between. */

#define BURST_ROOM (CONF_MAX_BURST + FAULT_ROOM)
#define LONG_ROUND 4

/* A receive queue, where its frames go, and those that found no room there. */
struct fwd_link {
	uint16_t rx_port;
	uint16_t rxq;
	uint16_t egress;
	uint16_t txq; /* of the egress, for this lcore */
	uint16_t n_held;
	counter_t *rx;	     /* of rx_port */
	counter_t *tx;	     /* of the egress */
	uint32_t waiting;    /* mask of the ports that held frames wait for */
	uint64_t held_since; /* TSC */
	struct rte_mbuf *held[BURST_ROOM];
	uint16_t held_port[BURST_ROOM];
};

static void
count_held(struct fwd_lcore *w, int change)
{
	uint64_t now = counter_get(&w->in_flight) + (uint64_t)(int64_t)change;

	atomic_store_explicit(&w->in_flight, now, memory_order_relaxed);
}

static void
drop_frames(struct fwd_lcore *w, struct rte_mbuf **frames, uint16_t n, unsigned reason)
{
	rte_pktmbuf_free_bulk(frames, n);
	counter_add(&w->drop[reason], n);
}

/* Holds back what 'port' had no room for, or drops and counts it. */
static __rte_noinline void
keep_unsent(struct fwd_lcore *w, struct fwd_link *l, uint16_t port, struct rte_mbuf **frames,
	    uint16_t n)
{
	if (w->fwd->conf->on_full == ON_FULL_DROP) {
		drop_frames(w, frames, n, REASON_TX_FULL);
		return;
	}
	if (l->n_held == 0)
		l->held_since = rte_rdtsc();
	count_held(w, n);
	l->waiting |= 1u << port;
	for (uint16_t i = 0; i < n; i++) {
		l->held_port[l->n_held] = port;
		l->held[l->n_held++] = frames[i];
	}
}

/* Sends what fits by whatever port a verdict named. */
static void
send_frames(struct fwd_lcore *w, struct fwd_link *l, uint16_t port, struct rte_mbuf **frames,
	    uint16_t n)
{
	uint16_t sent = 0;

	if (unlikely(port >= NF_MAX_PORTS || w->txq[port] < 0)) {
		drop_frames(w, frames, n, REASON_NO_PORT);
		return;
	}
	/* Nothing overtakes frames that wait for the same port. */
	if (likely((l->waiting >> port & 1) == 0))
		sent = rte_eth_tx_burst(port, (uint16_t)w->txq[port], frames, n);
	counter_add(&w->tx[port], sent);
	if (sent < n)
		keep_unsent(w, l, port, frames + sent, (uint16_t)(n - sent));
}

/* Tries the held frames again, run by run of the same port; true when none is left. */
static bool
retry_held(struct fwd_lcore *w, struct fwd_link *l, uint64_t now)
{
	uint16_t kept = 0;
	uint32_t full = 0;

	for (uint16_t i = 0; i < l->n_held;) {
		uint16_t port = l->held_port[i], n = 1, sent = 0;

		while (i + n < l->n_held && l->held_port[i + n] == port)
			n++;
		if ((full >> port & 1) == 0)
			sent = rte_eth_tx_burst(port, (uint16_t)w->txq[port], l->held + i, n);
		if (sent < n)
			full |= 1u << port;
		counter_add(&w->tx[port], sent);
		counter_add(&w->held_tsc[port], sent > 0 ? now - l->held_since : 0);
		count_held(w, -(int)sent);
		for (uint16_t k = sent; k < n; k++, kept++) {
			l->held[kept] = l->held[i + k];
			l->held_port[kept] = port;
		}
		i = (uint16_t)(i + n);
	}
	if (kept < l->n_held)
		l->held_since = now;
	l->n_held = kept;
	l->waiting = full;
	return kept == 0;
}

static void
give_up_held(struct fwd_lcore *w, struct fwd_link *l, uint64_t now, unsigned reason)
{
	counter_add(&w->held_tsc[l->held_port[0]], now - l->held_since);
	count_held(w, -(int)l->n_held);
	drop_frames(w, l->held, l->n_held, reason);
	l->n_held = 0;
	l->waiting = 0;
}

/* Frames with verdicts other than forward: each run of equal verdicts goes its way. */
static void
route(struct fwd_lcore *w, struct fwd_link *l, struct rte_mbuf **frames, const uint8_t *verdict,
      uint16_t n)
{
	for (uint16_t i = 0; i < n;) {
		uint8_t v = verdict[i];
		uint16_t run = 1;

		while (i + run < n && verdict[i + run] == v)
			run++;
		if (NF_IS_DROP(v))
			drop_frames(w, frames + i, run, nfs_reason(v));
		else
			send_frames(w, l, NF_IS_PORT(v) ? NF_VALUE(v) : l->egress, frames + i, run);
		i = (uint16_t)(i + run);
	}
}

/* A burst whose frames part ways, or that a fault is due in. */
static __rte_noinline void
part_burst(struct fwd_lcore *w, struct fwd_link *l, struct rte_mbuf **frames, uint16_t n)
{
	if (atomic_load_explicit(&w->fault.armed, memory_order_acquire))
		n = fault_apply(w, frames, w->verdict, n);
	route(w, l, frames, w->verdict, n);
	memset(w->verdict, NF_FORWARD, sizeof(w->verdict));
}

/* Receives from a link that holds nothing back, and forwards.  Returns how many frames it found. */
static __rte_always_inline size_t
poll_link(struct fwd_lcore *w, struct fwd_link *l, uint16_t burst)
{
	struct rte_mbuf *frames[BURST_ROOM];
	size_t n = rte_eth_rx_burst(l->rx_port, l->rxq, frames, burst), sent;

	if (n == 0)
		return 0;
	counter_add(l->rx, n);
	counter_add(&w->bursts, 1);
	if (unlikely(!nfs_burst(w, frames, n) ||
		     atomic_load_explicit(&w->fault.armed, memory_order_acquire))) {
		part_burst(w, l, frames, (uint16_t)n);
		return n;
	}
	/* The plan gave the egress a queue, and nothing waits for it. */
	sent = rte_eth_tx_burst(l->egress, l->txq, frames, (uint16_t)n);
	counter_add(l->tx, sent);
	if (unlikely(sent < n))
		keep_unsent(w, l, l->egress, frames + sent, (uint16_t)(n - sent));
	return n;
}

/* Whether what the link held back is gone: it may receive again. */
static __rte_noinline bool
try_held(struct fwd_lcore *w, struct fwd_link *l, uint64_t now)
{
	if (retry_held(w, l, now))
		return true;
	if (now - l->held_since > w->fwd->hold_tsc)
		give_up_held(w, l, now, REASON_TX_FULL);
	return false;
}

/* Notes a round that was long, unless its work was: each burst may take four times as long as
 * bursts do here, for a function may be slow without anyone having taken its CPU. */
static __rte_noinline void
note_long_round(struct fwd_lcore *w, bool found, uint64_t last, uint64_t now)
{
	uint64_t ns = (uint64_t)((double)(now - last) * 1e9 / (double)rte_get_tsc_hz());
	uint64_t bursts = counter_get(&w->bursts), work = 0;

	if (found && bursts > 0)
		work = LONG_ROUND * w->n_links * (counter_get(&w->busy_tsc) / bursts);
	if (now - last > w->fwd->gap_tsc + work)
		gaps_note(&w->gaps, ns, w->idle.waited_tsc == last, counter_get(&w->fwd->window));
}

/* A round with one burst of 32 takes 135 instructions beside those of l2fwd and the drivers, 26 of
 * them to look at a second link that has none (perf/instructions, subject "fwd"). */
static void
poll_run(struct fwd_lcore *w)
{
	const uint16_t burst = (uint16_t)w->fwd->conf->burst;
	const uint64_t gap_tsc = w->fwd->gap_tsc;
	struct fwd_link *const end = w->links + w->n_links;
	uint64_t last = rte_rdtsc();

	while (atomic_load_explicit(&w->fwd->state, memory_order_relaxed) == FWD_RUN) {
		struct fwd_link *l = w->links; /* one at least: the plan has no idle lcores */
		size_t n = 0;
		uint64_t now;

		do {
			if (unlikely(l->n_held > 0)) {
				if (!try_held(w, l, last))
					continue;
				n++;
			}
			n += poll_link(w, l, burst);
		} while (++l != end);
		now = rte_rdtsc();
		if (unlikely(now - last > gap_tsc))
			note_long_round(w, n > 0, last, now);
		counter_add(n > 0 ? &w->busy_tsc : &w->idle_tsc, now - last);
		counter_add(&w->rounds, 1);
		last = now;
		idle_round(&w->idle, n > 0, now);
	}
	/* Who asks the lcore to rest may do so because it was away. */
	if (rte_rdtsc() - last > gap_tsc)
		note_long_round(w, false, last, rte_rdtsc());
}

/* A frame that a fault kept back goes the way it would have gone. */
static void
send_kept(struct fwd_lcore *w)
{
	uint8_t verdict;
	struct rte_mbuf *kept = fault_flush(w, &verdict);

	for (uint16_t i = 0; kept != NULL && i < w->n_links; i++) {
		if (w->links[i].rx_port == kept->port || i + 1 == w->n_links) {
			route(w, &w->links[i], &kept, &verdict, 1);
			return;
		}
	}
}

static void
poll_drain(struct fwd_lcore *w, uint64_t deadline)
{
	send_kept(w);
	for (uint16_t i = 0; i < w->n_links; i++) {
		struct fwd_link *l = &w->links[i];

		while (l->n_held > 0 && rte_rdtsc() < deadline)
			if (!retry_held(w, l, rte_rdtsc()))
				idle_round(&w->idle, 0, rte_rdtsc());
		if (l->n_held > 0)
			give_up_held(w, l, rte_rdtsc(), REASON_DRAIN);
	}
}

static uint32_t
poll_need(const struct plan *plan, const struct fwd_conf *conf)
{
	/* One burst being worked on and one held for each receive queue. */
	return plan->n_links * 2u * (conf->burst + FAULT_ROOM);
}

static int
poll_open(struct fwd *fwd, struct err *err)
{
	const struct plan *p = &fwd->plan;

	for (uint16_t i = 0; i < p->n_lcores; i++) {
		struct fwd_lcore *w = &fwd->lcore[i];

		w->links = rte_zmalloc(NULL, PLAN_MAX_LINKS * sizeof(*w->links), 0);
		if (w->links == NULL)
			return err_set(err, ENOMEM, "no memory for the links of lcore %u", i);
	}
	for (uint16_t i = 0; i < p->n_links; i++) {
		struct fwd_lcore *w = &fwd->lcore[p->link[i].lcore];

		w->links[w->n_links++] = (struct fwd_link){
			.rx_port = p->link[i].rx_port,
			.rxq = p->link[i].rxq,
			.egress = p->link[i].egress,
			.rx = &w->rx[p->link[i].rx_port],
			.tx = &w->tx[p->link[i].egress],
			.txq = (uint16_t)w->txq[p->link[i].egress],
		};
	}
	return 0;
}

static void
poll_close(struct fwd *fwd)
{
	for (uint16_t i = 0; fwd->lcore != NULL && i < fwd->plan.n_lcores; i++)
		rte_free(fwd->lcore[i].links);
}

const struct engine engine_poll = {
	.name = "poll",
	.summary = "run to completion: receive, work, transmit in one loop",
	.plan = plan_poll,
	.need = poll_need,
	.open = poll_open,
	.run = poll_run,
	.drain = poll_drain,
	.close = poll_close,
};
