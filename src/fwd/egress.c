/* SPDX-License-Identifier: MIT */
#include "egress.h"

#include <rte_ethdev.h>

#include "nfs.h"
#include "stage_times.h"

void
egress_drop(struct fwd_lcore *w, struct rte_mbuf **frames, uint16_t n, unsigned reason)
{
	times_dropped(w, frames, n);
	rte_pktmbuf_free_bulk(frames, n);
	counter_add(&w->drop[reason], n);
}

void
egress_keep(struct fwd_lcore *w, struct egress *e, uint16_t port, struct rte_mbuf **frames,
	    uint16_t n)
{
	if (w->fwd->conf->on_full == ON_FULL_DROP) {
		egress_drop(w, frames, n, REASON_TX_FULL);
		return;
	}
	if (e->n_held == 0)
		e->held_since = rte_rdtsc();
	egress_count_inside(w, n);
	e->waiting |= 1u << port;
	for (uint16_t i = 0; i < n; i++) {
		e->held_port[e->n_held] = port;
		e->held[e->n_held++] = frames[i];
	}
}

void
egress_send(struct fwd_lcore *w, struct egress *e, uint16_t port, struct rte_mbuf **frames,
	    uint16_t n)
{
	uint16_t sent = 0;

	if (unlikely(port >= NF_MAX_PORTS || w->txq[port] < 0)) {
		egress_drop(w, frames, n, REASON_NO_PORT);
		return;
	}
	/* Nothing overtakes frames that wait for the same port. */
	if (likely((e->waiting >> port & 1) == 0))
		sent = times_send(w, port, (uint16_t)w->txq[port], frames, n);
	counter_add(&w->tx[port], sent);
	if (sent < n)
		egress_keep(w, e, port, frames + sent, (uint16_t)(n - sent));
}

void
egress_route(struct fwd_lcore *w, struct egress *e, uint16_t forward, struct rte_mbuf **frames,
	     const uint8_t *verdict, uint16_t n)
{
	for (uint16_t i = 0; i < n;) {
		uint8_t v = verdict[i];
		uint16_t run = 1;

		while (i + run < n && verdict[i + run] == v)
			run++;
		if (NF_IS_DROP(v))
			egress_drop(w, frames + i, run, nfs_reason(v));
		else
			egress_send(w, e, NF_IS_PORT(v) ? NF_VALUE(v) : forward, frames + i, run);
		i = (uint16_t)(i + run);
	}
}

bool
egress_retry(struct fwd_lcore *w, struct egress *e, uint64_t now)
{
	uint16_t kept = 0;
	uint32_t full = 0;

	for (uint16_t i = 0; i < e->n_held;) {
		uint16_t port = e->held_port[i], n = 1, sent = 0;

		while (i + n < e->n_held && e->held_port[i + n] == port)
			n++;
		if ((full >> port & 1) == 0)
			sent = times_send(w, port, (uint16_t)w->txq[port], e->held + i, n);
		if (sent < n)
			full |= 1u << port;
		counter_add(&w->tx[port], sent);
		counter_add(&w->held_tsc[port], sent > 0 ? now - e->held_since : 0);
		egress_count_inside(w, -(int)sent);
		for (uint16_t k = sent; k < n; k++, kept++) {
			e->held[kept] = e->held[i + k];
			e->held_port[kept] = port;
		}
		i = (uint16_t)(i + n);
	}
	if (kept < e->n_held)
		e->held_since = now;
	e->n_held = kept;
	e->waiting = full;
	return kept == 0;
}

bool
egress_try(struct fwd_lcore *w, struct egress *e, uint64_t now)
{
	if (egress_retry(w, e, now))
		return true;
	if (now - e->held_since > w->fwd->hold_tsc)
		egress_give_up(w, e, now, REASON_TX_FULL);
	return false;
}

void
egress_give_up(struct fwd_lcore *w, struct egress *e, uint64_t now, unsigned reason)
{
	counter_add(&w->held_tsc[e->held_port[0]], now - e->held_since);
	egress_count_inside(w, -(int)e->n_held);
	egress_drop(w, e->held, e->n_held, reason);
	e->n_held = 0;
	e->waiting = 0;
}
