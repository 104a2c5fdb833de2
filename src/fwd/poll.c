/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include <rte_cycles.h>
#include <rte_ethdev.h>
#include <rte_malloc.h>

#include "egress.h"
#include "engine.h"
#include "forwarder.h"
#include "nfs.h"
#include "poll.h"
#include "round.h"
#include "stage_times.h"

/* The polling engine: each lcore receives from its queues, runs the functions and transmits, all in
 * one loop.  A burst leaves as it came, without a buffer or a timer in between. */

__rte_noinline void
poll_part_burst(struct fwd_lcore *w, struct fwd_link *l, struct rte_mbuf **frames, uint16_t n)
{
	if (atomic_load_explicit(&w->fault.armed, memory_order_acquire))
		n = fault_apply(w, frames, w->verdict, n);
	egress_route(w, &l->out, l->egress, frames, w->verdict, n);
	memset(w->verdict, NF_FORWARD, sizeof(w->verdict));
}

/* Receives from a link that holds nothing back, and forwards.  Returns how many frames it found. */
static __rte_always_inline size_t
poll_link(struct fwd_lcore *w, struct fwd_link *l, uint16_t burst, const bool timed)
{
	struct rte_mbuf *frames[BURST_ROOM];
	size_t n = rte_eth_rx_burst(l->rx_port, l->rxq, frames, burst), sent;
	bool forward;

	if (n == 0)
		return 0;
	counter_add(l->rx, n);
	counter_add(&w->bursts, 1);
	if (timed)
		times_note_received(w, frames, (uint16_t)n);
	forward = nfs_burst(w, frames, n);
	if (timed)
		times_note_served(w, 0, frames, (uint16_t)n);
	if (unlikely(!forward || atomic_load_explicit(&w->fault.armed, memory_order_acquire))) {
		poll_part_burst(w, l, frames, (uint16_t)n);
		return n;
	}
	/* The plan gave the egress a queue, and nothing waits for it. */
	sent = timed ? times_note_sent(w, l->egress, l->txq, frames, (uint16_t)n)
		     : rte_eth_tx_burst(l->egress, l->txq, frames, (uint16_t)n);
	counter_add(l->tx, sent);
	if (unlikely(sent < n))
		egress_keep(w, &l->out, l->egress, frames + sent, (uint16_t)(n - sent));
	return n;
}

/* A round with one burst of 32 takes 135 instructions beside those of l2fwd and the drivers, 26 of
 * them to look at a second link that has none (perf/instructions, subject "fwd"). */
static __rte_always_inline void
poll_rounds(struct fwd_lcore *w, const bool timed)
{
	const uint16_t burst = (uint16_t)w->fwd->conf->burst;
	const uint64_t gap_tsc = w->fwd->gap_tsc;
	struct fwd_link *const end = w->links + w->n_links;
	uint64_t last = rte_rdtsc();

	while (atomic_load_explicit(&w->fwd->state, memory_order_relaxed) == FWD_RUN) {
		struct fwd_link *l = w->links; /* one at least: the plan has no idle lcores */
		size_t n = 0;

		do {
			if (unlikely(l->out.n_held > 0)) {
				if (!egress_try(w, &l->out, last))
					continue;
				n++;
			}
			n += poll_link(w, l, burst, timed);
		} while (++l != end);
		round_end(w, n, w->n_links, gap_tsc, &last);
	}
	round_leave(w, w->n_links, gap_tsc, last);
}

/* A loop of its own, so that who does not measure pays nothing. */
static __rte_noinline void
poll_rounds_timed(struct fwd_lcore *w)
{
	poll_rounds(w, true);
}

static void
poll_run(struct fwd_lcore *w)
{
	if (w->times != NULL)
		poll_rounds_timed(w);
	else
		poll_rounds(w, false);
}

void
poll_send_kept(struct fwd_lcore *w)
{
	uint8_t verdict;
	struct rte_mbuf *kept = fault_flush(w, &verdict);

	for (uint16_t i = 0; kept != NULL && i < w->n_links; i++) {
		if (w->links[i].rx_port == kept->port || i + 1 == w->n_links) {
			egress_route(w, &w->links[i].out, w->links[i].egress, &kept, &verdict, 1);
			return;
		}
	}
}

static void
poll_drain(struct fwd_lcore *w, uint64_t deadline)
{
	poll_send_kept(w);
	for (uint16_t i = 0; i < w->n_links; i++) {
		struct fwd_link *l = &w->links[i];

		while (l->out.n_held > 0 && rte_rdtsc() < deadline)
			if (!egress_retry(w, &l->out, rte_rdtsc()))
				idle_round(&w->idle, 0, rte_rdtsc());
		if (l->out.n_held > 0)
			egress_give_up(w, &l->out, rte_rdtsc(), REASON_DRAIN);
	}
}

static int
poll_plan(struct plan *plan, const struct fwd_conf *conf, const struct plan_facts *facts,
	  struct err *err)
{
	return plan_poll(plan, conf, facts->n_ports, (uint16_t)(facts->n_lcores - facts->n_service),
			 err);
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
			.w = w,
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
	.plan = poll_plan,
	.need = poll_need,
	.open = poll_open,
	.run = poll_run,
	.drain = poll_drain,
	.close = poll_close,
};
