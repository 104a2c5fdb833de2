/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <errno.h>
#include <stddef.h>
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

/* For each ingress port: what its frames look like, and what to write into them. */
struct l2fwd_port {
	uint64_t fields; /* of the mbuf, where nothing is out of the ordinary */
	uint64_t own;	 /* address of the ingress port, in the first six bytes */
	uint64_t head;	 /* to be written: destination, first two bytes of the source */
	uint32_t tail;	 /* last four bytes of the source */
};

struct l2fwd {
	struct l2fwd_port port[NF_MAX_PORTS];
	void (*burst)(const struct l2fwd *l, struct rte_mbuf **frames, size_t n, uint8_t *verdict);
	bool rewrite;
	bool accept_all;
};

/* Of the first eight bytes as loaded. */
#define MAC_MASK RTE_LE64(0xffffffffffffull) /* destination */
#define GROUP_BIT RTE_LE64(0x01ull)	     /* multicast and broadcast */

/* One load has the port a frame came from and where its data begins. */
#define FIELDS_OFFSET offsetof(struct rte_mbuf, data_off)
static_assert(offsetof(struct rte_mbuf, refcnt) == FIELDS_OFFSET + 2 &&
		      offsetof(struct rte_mbuf, nb_segs) == FIELDS_OFFSET + 4 &&
		      offsetof(struct rte_mbuf, port) == FIELDS_OFFSET + 6,
	      "data_off, refcnt, nb_segs and port are eight bytes");

static inline uint64_t
load64(const void *p)
{
	uint64_t word;

	memcpy(&word, p, sizeof(word));
	return word;
}

static inline bool
is_foreign(const struct l2fwd_port *p, const uint8_t *data)
{
	uint64_t first = load64(data);

	return ((first ^ p->own) & MAC_MASK) != 0 && !(first & GROUP_BIT);
}

/* Bytes 12 to 15 are not ours: twelve are written, no more. */
static __rte_always_inline void
rewrite(const struct l2fwd_port *p, uint8_t *data)
{
	memcpy(data, &p->head, sizeof(p->head));
	memcpy(data + sizeof(p->head), &p->tail, sizeof(p->tail));
}

/* What the frames of a burst look like as a rule: they came from one port, are for us, and have one
 * sender.  Two comparisons with constants tell; whatever differs in any way is odd and is looked at
 * on its own. */
struct example {
	struct l2fwd_port port;
	uint64_t first; /* bytes of the frame: destination, first two of the source */
};

static __rte_always_inline bool
is_like(const struct example *e, const struct rte_mbuf *m, const uint8_t *data, bool accept_all)
{
	return load64((const uint8_t *)m + FIELDS_OFFSET) == e->port.fields &&
	       (accept_all || load64(data) == e->first);
}

/* Forwards a frame that is like the example, and marks any other as foreign for now. */
static __rte_always_inline void
take(const struct example *e, struct rte_mbuf *m, uint8_t *verdict, bool *odd, bool updating,
     bool accept_all)
{
	uint8_t *data = (uint8_t *)m->buf_addr + RTE_PKTMBUF_HEADROOM;

	if (likely(is_like(e, m, data, accept_all))) {
		if (updating)
			rewrite(&e->port, data);
	} else {
		*verdict = NF_DROP(DROP_FOREIGN);
		*odd = true;
	}
}

/* Judges the frames that were marked; the others are done, and their addresses no longer tell. */
static __rte_noinline void
take_odd(const struct l2fwd *l, struct rte_mbuf **frames, size_t n, uint8_t *verdict)
{
	for (size_t i = 0; i < n; i++) {
		const struct l2fwd_port *p = &l->port[frames[i]->port];
		uint8_t *data = rte_pktmbuf_mtod(frames[i], uint8_t *);

		if (verdict[i] == NF_FORWARD || (!l->accept_all && is_foreign(p, data)))
			continue;
		verdict[i] = NF_FORWARD;
		if (l->rewrite)
			rewrite(p, data);
	}
}

#define STRIDE 8

/* The loop, compiled for each of the settings, so that it tests none.
 *
 * 8.6 instructions per frame in strides, 9.7 with all around them (bursts of 32; perf/instructions
 * counts them among those of "fwd").  Odd frames cost another pass over their burst.  Nothing is
 * prefetched: no frame waits for the one before, and at so few instructions the window of an
 * out-of-order core reaches further ahead by itself than a prefetch by four would. */
static __rte_always_inline void
take_burst(const struct l2fwd *l, struct rte_mbuf **frames, size_t n, uint8_t *verdict,
	   bool updating, bool accept_all)
{
	const struct l2fwd_port *p = &l->port[frames[0]->port];
	const uint64_t first = load64(rte_pktmbuf_mtod(frames[0], uint8_t *));
	const struct example e = {.port = *p, .first = (first & ~MAC_MASK) | p->own};
	size_t left = n;
	bool odd = false;

	for (; left % STRIDE != 0; left--, frames++, verdict++) {
		*verdict = NF_FORWARD;
		take(&e, *frames, verdict, &odd, updating, accept_all);
	}
	for (; left != 0; left -= STRIDE, frames += STRIDE, verdict += STRIDE) {
		memset(verdict, NF_FORWARD, STRIDE);
#pragma GCC unroll 8
		for (size_t k = 0; k < STRIDE; k++)
			take(&e, frames[k], verdict + k, &odd, updating, accept_all);
	}
	if (unlikely(odd))
		take_odd(l, frames - n, n, verdict - n);
}

static void
rewrite_own(const struct l2fwd *l, struct rte_mbuf **frames, size_t n, uint8_t *verdict)
{
	take_burst(l, frames, n, verdict, true, false);
}

static void
rewrite_all(const struct l2fwd *l, struct rte_mbuf **frames, size_t n, uint8_t *verdict)
{
	take_burst(l, frames, n, verdict, true, true);
}

static void
pass_own(const struct l2fwd *l, struct rte_mbuf **frames, size_t n, uint8_t *verdict)
{
	take_burst(l, frames, n, verdict, false, false);
}

static void
pass_all(const struct l2fwd *l, struct rte_mbuf **frames, size_t n, uint8_t *verdict)
{
	(void)l, (void)frames;
	memset(verdict, NF_FORWARD, n);
}

static void
l2fwd_burst(void *ctx, struct rte_mbuf **frames, uint16_t n, uint8_t *verdict)
{
	const struct l2fwd *l = ctx;

	l->burst(l, frames, n, verdict);
}

static void
set_port(struct l2fwd_port *p, const struct nf_conf *conf, uint16_t i)
{
	const struct nf_port *out = &conf->port[conf->port[i].pair];
	const uint16_t fields[4] = {RTE_PKTMBUF_HEADROOM, 1, 1, i};
	uint8_t bytes[12];

	memcpy(bytes, out->dest, 6);
	memcpy(bytes + 6, out->addr, 6);
	memcpy(&p->fields, fields, 8);
	memcpy(&p->own, conf->port[i].addr, 6);
	memcpy(&p->head, bytes, 8);
	memcpy(&p->tail, bytes + 8, 4);
}

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
	if (l->rewrite)
		l->burst = l->accept_all ? rewrite_all : rewrite_own;
	else
		l->burst = l->accept_all ? pass_all : pass_own;
	for (uint16_t i = 0; i < conf->n_ports; i++)
		set_port(&l->port[i], conf, i);
	/* Read-only from here on: all lcores share it. */
	for (unsigned i = 0; i < n_lcores; i++)
		ctx[i] = l;
	return 0;
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
