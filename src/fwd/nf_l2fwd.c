/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <nfvchain/nf.h>
#include <rte_byteorder.h>
#include <rte_malloc.h>

#include "nfs.h"

/* Layer 2 forwarding as the DPDK example does it: source = own address of the egress port,
 * destination = its configured peer.  A frame that was not for us is dropped and counted, since
 * memif and vhost have no filter that would. */

enum { DROP_FOREIGN };

static const char *const drop_reasons[] = {[DROP_FOREIGN] = "foreign", NULL};

/* The twelve bytes to write, and the address to expect, for each ingress port. */
struct l2fwd_port {
	uint64_t head; /* destination, first two bytes of the source */
	uint32_t tail; /* last four bytes of the source */
	uint64_t own;  /* address of the ingress port, in the low 48 bits as loaded */
};

struct l2fwd {
	bool rewrite;
	bool accept_all;
	struct l2fwd_port port[NF_MAX_PORTS];
};

#define MAC_MASK 0xffffffffffffull /* the first six bytes of a little-endian 8-byte load */
#define GROUP_BIT 0x01ull	   /* of the first byte: multicast and broadcast */

static int
l2fwd_open(const struct nf_conf *conf, unsigned n_lcores, void **ctx, char *why, size_t why_size)
{
	struct l2fwd *l = rte_zmalloc(NULL, sizeof(*l), RTE_CACHE_LINE_SIZE);

	if (l == NULL) {
		snprintf(why, why_size, "no memory");
		return -ENOMEM;
	}
	l->rewrite = conf->mac_updating;
	l->accept_all = conf->promiscuous;
	for (uint16_t i = 0; i < conf->n_ports; i++) {
		const struct nf_port *out = &conf->port[conf->port[i].pair];
		uint8_t bytes[12];

		memcpy(bytes, out->dest, 6);
		memcpy(bytes + 6, out->addr, 6);
		memcpy(&l->port[i].head, bytes, 8);
		memcpy(&l->port[i].tail, bytes + 8, 4);
		memcpy(&l->port[i].own, conf->port[i].addr, 6);
	}
	/* Read-only from here on: all lcores share it. */
	for (unsigned i = 0; i < n_lcores; i++)
		ctx[i] = l;
	return 0;
}

/* Rewrites one frame, or tells that it was not for us.  'p' is that of the ingress port. */
static inline bool
rewrite_frame(const struct l2fwd_port *p, uint8_t *data, bool rewrite, bool accept_all)
{
	uint64_t first;

	memcpy(&first, data, sizeof(first));
	if (unlikely(((first ^ p->own) & MAC_MASK) != 0 && !(first & GROUP_BIT) && !accept_all))
		return false;
	if (rewrite) {
		memcpy(data, &p->head, sizeof(p->head));
		memcpy(data + 8, &p->tail, sizeof(p->tail));
	}
	return true;
}

/* The loop, compiled for each combination of the two settings, so that it tests neither.  Bursts
 * come from one port as a rule: its addresses stay in registers. */
static __rte_always_inline void
rewrite_burst(const struct l2fwd *l, struct rte_mbuf **frames, uint16_t n, uint8_t *verdict,
	      bool rewrite, bool accept_all)
{
	struct l2fwd_port port = l->port[frames[0]->port];
	uint16_t id = frames[0]->port;

	memset(verdict, NF_FORWARD, n);
	for (uint16_t i = 0; i < n; i++) {
		struct rte_mbuf *m = frames[i];

		if (unlikely(m->port != id)) {
			id = m->port;
			port = l->port[id];
		}
		if (unlikely(!rewrite_frame(&port, rte_pktmbuf_mtod(m, uint8_t *), rewrite,
					    accept_all)))
			verdict[i] = NF_DROP(DROP_FOREIGN);
	}
}

static void
prefetch_burst(struct rte_mbuf **frames, uint16_t n)
{
	for (uint16_t i = 0; i < n; i++)
		rte_prefetch0(rte_pktmbuf_mtod(frames[i], void *));
}

static void
l2fwd_burst(void *ctx, struct rte_mbuf **frames, uint16_t n, uint8_t *verdict)
{
	const struct l2fwd *l = ctx;

	prefetch_burst(frames, n);
	if (l->rewrite && !l->accept_all)
		rewrite_burst(l, frames, n, verdict, true, false);
	else if (l->rewrite)
		rewrite_burst(l, frames, n, verdict, true, true);
	else
		rewrite_burst(l, frames, n, verdict, false, l->accept_all);
}

static void
l2fwd_close(void **ctx, unsigned n_lcores)
{
	(void)n_lcores;
	rte_free(ctx[0]);
}

const struct nf nf_l2fwd = {
	NF_HEADER,
	.name = "l2fwd",
	.summary = "rewrites MAC addresses, drops what is not for us",
	.state = NF_STATELESS,
	.drop_reasons = drop_reasons,
	.open = l2fwd_open,
	.burst = l2fwd_burst,
	.close = l2fwd_close,
};
