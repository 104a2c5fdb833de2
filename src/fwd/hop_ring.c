/* SPDX-License-Identifier: MIT */
#include "hop_ring.h"

#include <stdio.h>
#include <string.h>

#include <rte_errno.h>

#include "egress.h"

#define SETTLE_BURST 32

/* The rings by which frames go from 'from' to 'to', whose end is 'in'. */
static int
make_rings(struct hop_end *out, struct hop_end *in, const struct fwd *from, const struct fwd *to,
	   const char *name, unsigned depth, struct err *err)
{
	uint16_t n_tx = from->plan.n_txq[out->port];
	/* Each receive queue has one reader; two senders may have to share a ring. */
	unsigned flags = RING_F_EXACT_SZ | RING_F_SC_DEQ;

	in->n_in = to->plan.n_rxq;
	if (n_tx <= in->n_in)
		flags |= RING_F_SP_ENQ;
	for (uint16_t q = 0; q < in->n_in; q++) {
		char text[RTE_RING_NAMESIZE];

		snprintf(text, sizeof(text), "%s-%u", name, q);
		in->in[q] = rte_ring_create(text, depth, SOCKET_ID_ANY, flags);
		if (in->in[q] == NULL)
			return err_machine(err, "no memory for a ring of %u frames: %s", depth,
					   rte_strerror(rte_errno));
	}
	for (uint16_t t = 0; t < n_tx; t++)
		out->out[t] = in->in[t % in->n_in];
	return 0;
}

/* What those who ask for a port's facts get to hear. */
static void
be_port(struct fwd *fwd, const struct hop_end *end, unsigned depth)
{
	struct port *port = &fwd->port[end->port];

	*port = (struct port){.id = end->port, .rxd = (uint16_t)depth, .txd = (uint16_t)depth};
	snprintf(port->name, sizeof(port->name), "ring");
	snprintf(port->driver, sizeof(port->driver), "ring");
	fwd->inner[end->port] = end;
}

int
hop_link_open(struct hop_link *link, unsigned number, struct fwd *before, struct fwd *behind,
	      unsigned depth, struct err *err)
{
	struct hop_end *a = &link->end[0], *b = &link->end[1];
	char name[16];
	int rc;

	memset(link, 0, sizeof(*link));
	a->port = 1;
	b->port = 0;
	snprintf(name, sizeof(name), "hop%u-down", number);
	rc = make_rings(a, b, before, behind, name, depth, err);
	snprintf(name, sizeof(name), "hop%u-up", number);
	if (rc == 0)
		rc = make_rings(b, a, behind, before, name, depth, err);
	if (rc < 0)
		return rc;
	be_port(before, a, depth);
	be_port(behind, b, depth);
	return 0;
}

uint16_t
hop_end_receive(const struct hop_end *end, uint16_t queue, struct rte_mbuf **frames, uint16_t n)
{
	n = (uint16_t)rte_ring_dequeue_burst(end->in[queue], (void **)frames, n, NULL);
	/* Written only where it differs: who reads the word around it next would have to wait. */
	for (uint16_t i = 0; i < n; i++)
		if (frames[i]->port != end->port)
			frames[i]->port = end->port;
	return n;
}

uint16_t
hop_end_send(const struct hop_end *end, uint16_t queue, struct rte_mbuf **frames, uint16_t n)
{
	return (uint16_t)rte_ring_enqueue_burst(end->out[queue], (void **)frames, n, NULL);
}

void
hop_link_close(struct hop_link *link)
{
	for (unsigned e = 0; e < 2; e++)
		for (unsigned q = 0; q < PORT_MAX_QUEUES; q++)
			rte_ring_free(link->end[e].in[q]);
	memset(link, 0, sizeof(*link));
}

void
hop_end_settle(struct fwd *fwd, const struct hop_end *end)
{
	struct fwd_lcore *w = &fwd->lcore[0];
	struct rte_mbuf *frames[SETTLE_BURST];
	uint16_t n;

	for (uint16_t q = 0; q < end->n_in; q++)
		while ((n = hop_end_receive(end, q, frames, SETTLE_BURST)) > 0) {
			counter_add(&w->rx[end->port], n);
			rte_pktmbuf_free_bulk(frames, n);
			counter_add(&w->drop[REASON_DRAIN], n);
		}
}

unsigned
hop_link_count(const struct hop_link *link)
{
	unsigned n = 0;

	for (unsigned e = 0; e < 2; e++)
		for (uint16_t q = 0; q < link->end[e].n_in; q++)
			n += rte_ring_count(link->end[e].in[q]);
	return n;
}
