/* SPDX-License-Identifier: MIT */
#include "service.h"

#include <string.h>

#include <rte_cycles.h>
#include <rte_mbuf.h>

#include "tx_mbuf.h"

/* A frame of a client's that a full link does not take waits so long, then it is given up. */
#define PUSH_WAIT_S 1

void
service_open(struct gen_worker *w)
{
	copy_ring_open(&w->copies, SERVICE_COPIES_BYTES);
	copy_ring_open(&w->pushes, SERVICE_PUSHES_BYTES);
}

void
service_close(struct gen_worker *w)
{
	copy_ring_close(&w->copies);
	copy_ring_close(&w->pushes);
}

/* Stages a copy of the frame. */
static void
copy_frame(struct copy_ring *r, const struct rte_mbuf *m, uint8_t port, bool tx, uint64_t tsc)
{
	const struct copy_head h = {
		.tsc = tsc, .len = m->pkt_len, .wire_len = m->pkt_len, .port = port, .tx = tx};
	uint8_t *room = copy_ring_stage(r, &h);

	if (room == NULL)
		return;
	for (uint32_t at = 0; m != NULL; at += m->data_len, m = m->next)
		memcpy(room + at, rte_pktmbuf_mtod(m, const uint8_t *), m->data_len);
}

void
service_copy_received(struct gen_worker *w, unsigned id, struct rte_mbuf *const *mbufs, uint16_t n,
		      uint64_t tsc)
{
	for (uint16_t i = 0; i < n; i++)
		copy_frame(&w->copies, mbufs[i], (uint8_t)id, false, tsc);
	copy_ring_publish(&w->copies, copy_ring_position(&w->copies));
}

uint16_t
service_send_copied(struct gen_worker *w, struct gen_port *p, uint16_t queue,
		    struct rte_mbuf **mbufs, uint16_t n)
{
	uint64_t end[GEN_BURST + 1];
	uint64_t tsc = rte_rdtsc();
	uint16_t sent;

	/* Once sent they are not ours to read, and which are is known only then. */
	end[0] = copy_ring_position(&w->copies);
	for (uint16_t i = 0; i < n; i++) {
		copy_frame(&w->copies, mbufs[i], (uint8_t)(p - w->ports), true, tsc);
		end[i + 1] = copy_ring_position(&w->copies);
	}
	sent = rte_eth_tx_burst(p->port.id, queue, mbufs, n);
	copy_ring_publish(&w->copies, end[sent]);
	return sent;
}

/* A buffer with a client's frame, or NULL. */
static struct rte_mbuf *
build(struct gen_worker *w, const struct copy_head *h, const uint8_t *bytes)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(w->tx_pool);
	char *data;

	if (m == NULL)
		return NULL;
	data = rte_pktmbuf_append(m, (uint16_t)h->len);
	if (data == NULL) {
		rte_pktmbuf_free(m);
		return NULL;
	}
	memcpy(data, bytes, h->len);
	*tx_holds_of(m) = 0;
	return m;
}

static bool
push(struct gen_worker *w, const struct copy_head *h, const uint8_t *bytes)
{
	struct gen_port *p = &w->ports[h->port];
	struct rte_mbuf *m = build(w, h, bytes);

	if (m == NULL)
		return false;
	if (service_send(w, p, 0, &m, 1) == 0) {
		rte_pktmbuf_free(m);
		return false;
	}
	counter_add(&p->opackets, 1);
	counter_add(&p->obytes, h->len + FRAME_FCS);
	return true;
}

unsigned
service_push_round(struct gen_worker *w, uint64_t now_tsc)
{
	const uint8_t *bytes = NULL;
	const struct copy_head *h;
	unsigned n = 0;

	while (n < GEN_BURST && (h = copy_ring_peek(&w->pushes, &bytes)) != NULL) {
		int64_t age = (int64_t)(now_tsc - h->tsc);

		if (age < 0)
			break;
		if (push(w, h, bytes))
			n++;
		else if (age < (int64_t)(PUSH_WAIT_S * w->tsc_hz))
			break;
		else
			counter_add(&w->unpushed, 1);
		copy_ring_next(&w->pushes);
	}
	return n;
}
