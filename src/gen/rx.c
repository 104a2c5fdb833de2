/* SPDX-License-Identifier: MIT */
#include <string.h>

#include <rte_cycles.h>
#include <rte_ethdev.h>

#include "worker.h"

/* Reception: every frame is looked at and counted as exactly one kind. */

#define MAC_MASK 0xffffffffffffull

/* A received frame, as far as it was understood. */
struct seen {
	struct sig sig;
	bool intact;	/* signature read and its check holds for the length it was sent with */
	bool truncated; /* shorter than its IP header says */
	bool ours;	/* looks like a frame of the generator */
};

/* The run and stream that a signature names, among the runs of both ports. */
static struct run_stream *
find_stream(struct gen_worker *w, const struct sig *sig, struct run **run)
{
	for (unsigned i = 0; i < GEN_PORTS; i++) {
		struct run *r = w->ports[i].rx_run;
		uint16_t index;

		if (r == NULL)
			continue;
		index = (uint16_t)(sig->stream - r->stream_base);
		if (index < r->n_streams && r->streams[index].signature) {
			*run = r;
			return &r->streams[index];
		}
	}
	return NULL;
}

/* The way for frames whose signature is not where it usually is, or not intact. */
static void
inspect(const uint8_t *data, uint16_t len, struct seen *seen)
{
	struct frame_view v;
	uint16_t claimed;

	if (!frame_parse(data, len, &v) && v.payload == 0)
		return;
	claimed = v.len > UINT16_MAX ? UINT16_MAX : (uint16_t)v.len;
	/* Padding makes a frame longer than its IP header says, never shorter. */
	seen->truncated = len < claimed;
	seen->ours = v.proto == 17 && v.payload != 0;
	if (!seen->ours || v.payload + SIG_SIZE > len)
		return;
	seen->intact = sig_read(data + v.payload, &seen->sig, seen->truncated ? claimed : len);
	seen->ours = seen->intact || sig_has_magic(data + v.payload) || seen->truncated ||
		     (data[v.l4 + 2] == 0 && data[v.l4 + 3] == 9);
}

static void
count_foreign(struct gen_worker *w)
{
	for (unsigned i = 0; i < GEN_PORTS; i++)
		if (w->ports[i].rx_run != NULL)
			counter_add(&w->ports[i].rx_run->foreign, 1);
}

/* The run of a frame that does not tell which it is of: the other port's, or else our own. */
static struct run *
likely_run(struct gen_worker *w, unsigned id)
{
	return w->ports[!id].rx_run != NULL ? w->ports[!id].rx_run : w->ports[id].rx_run;
}

static void
count_damaged(struct gen_worker *w, unsigned id, uint16_t len, bool truncated)
{
	struct run *run = likely_run(w, id);

	if (run == NULL)
		return;
	counter_add(&run->rx_port[id], 1);
	counter_add(&run->rx_bytes[id], len + FRAME_FCS);
	counter_add(&run->rx[truncated ? RX_TRUNCATED : RX_CORRUPT], 1);
	counter_add(&run->unidentified, 1);
}

static enum rx_kind
judge(struct gen_worker *w, unsigned id, const uint8_t *data, const struct run *run,
      const struct seen *seen, bool duplicate)
{
	uint64_t mac;

	memcpy(&mac, data, sizeof(mac));
	if (seen->truncated)
		return RX_TRUNCATED;
	if (duplicate)
		return RX_DUPLICATE;
	if (run->tx_port == id)
		return RX_REFLECTED;
	return (mac & MAC_MASK) == w->ports[id].addr_word ? RX_OK : RX_MISDELIVERED;
}

static void
count_seen(struct gen_worker *w, unsigned id, const uint8_t *data, uint16_t len, uint64_t tsc,
	   const struct seen *seen)
{
	struct run *run = NULL;
	struct run_stream *s = find_stream(w, &seen->sig, &run);
	uint64_t before, now_ns;
	enum rx_kind kind;

	if (unlikely(s == NULL)) {
		run = likely_run(w, id);
		if (run != NULL)
			counter_add(&run->overdue, 1);
		return;
	}
	if (unlikely(seqtrack_widen(&s->track, seen->sig.seq) >= s->seq)) {
		count_damaged(w, id, len, false);
		return;
	}
	before = s->track.duplicate;
	seqtrack_add(&s->track, seen->sig.seq);
	kind = judge(w, id, data, run, seen, s->track.duplicate != before);
	counter_add(&run->rx[kind], 1);
	counter_add(&run->rx_port[id], 1);
	counter_add(&run->rx_bytes[id], len + FRAME_FCS);
	if (kind != RX_OK)
		return;
	now_ns = worker_ns(w, run, tsc);
	hist_record(&run->latency, now_ns > seen->sig.time_ns ? now_ns - seen->sig.time_ns : 0);
}

void
rx_frames(struct gen_worker *w, unsigned id, struct rte_mbuf **mbufs, uint16_t n, uint64_t tsc)
{
	struct gen_port *p = &w->ports[id];
	uint16_t usual = FRAME_L2 + FRAME_IPV4 + FRAME_UDP;
	uint64_t bytes = 0;

	for (unsigned i = 0; i < GEN_PORTS; i++)
		if (w->ports[i].rx_run != NULL && w->ports[i].rx_run->streams[0].signature)
			usual = w->ports[i].rx_run->streams[0].tmpl.payload;
	for (uint16_t i = 0; i < n; i++) {
		const uint8_t *data = rte_pktmbuf_mtod(mbufs[i], const uint8_t *);
		uint16_t len = (uint16_t)rte_pktmbuf_pkt_len(mbufs[i]);
		struct seen seen = {.intact = false};

		bytes += len + FRAME_FCS;
		if (likely(mbufs[i]->data_len >= usual + SIG_SIZE))
			seen.intact = sig_read(data + usual, &seen.sig, len);
		if (unlikely(!seen.intact))
			inspect(data, RTE_MIN(len, mbufs[i]->data_len), &seen);
		if (likely(seen.intact))
			count_seen(w, id, data, len, tsc, &seen);
		else if (seen.ours)
			count_damaged(w, id, len, seen.truncated);
		else
			count_foreign(w);
	}
	counter_add(&p->ipackets, n);
	counter_add(&p->ibytes, bytes);
	rte_pktmbuf_free_bulk(mbufs, n);
}

unsigned
rx_round(struct gen_worker *w, unsigned id)
{
	struct rte_mbuf *mbufs[GEN_BURST];
	unsigned total = 0;
	uint16_t n;

	/* More than one burst a round when there is more: a backlog from a time when the worker was
	 * away must not stay for the rest of the run, and look like the chain's latency. */
	do {
		n = rte_eth_rx_burst(w->ports[id].port.id, 0, mbufs, GEN_BURST);
		if (n > 0)
			rx_frames(w, id, mbufs, n, rte_rdtsc());
		total += n;
	} while (n == GEN_BURST && total < GEN_RX_ROUND);
	return total;
}
