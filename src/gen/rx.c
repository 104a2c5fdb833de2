/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <stddef.h>
#include <string.h>

#include <rte_cycles.h>
#include <rte_ethdev.h>

#include "worker.h"

/* Reception: every frame is looked at and counted as exactly one kind.
 *
 * Nearly all frames are intact and the very next of their stream, at the port they were sent to.
 * take_run compares many of a stream with what the next ones must look like, take_next does one,
 * and count_accepted counts what they took, all at once.  What neither takes count_frame looks at
 * without expecting anything: it alone knows the kinds, and what the others take it would have
 * counted as RX_OK.
 *
 * As long as no run with signatures is there, nothing is looked for, and frames are counted by port
 * alone. */

#define RUN_MIN 4 /* frames; to begin and end a shorter run costs more than it saves */

#define MAC_SHIFT 16 /* leaves the address of the first 8 bytes of a frame */

/* A burst on its way through. */
struct burst {
	struct gen_worker *w;
	unsigned id;
	uint16_t usual;	 /* offset that signatures usually have */
	bool plain;	 /* its buffers are alike, each all of its frame and ours alone */
	struct run *run; /* whose frames belong at this port: what the other sends, or NULL */
	uint64_t tsc;
	uint64_t now_ns; /* 'tsc' in the time of 'run' */
	uint64_t bytes;
	/* Accepted and not counted yet: */
	unsigned n_accepted;
	uint64_t accepted_bytes;
	uint64_t due_ns[1 + GEN_BURST]; /* behind a 0 the time each should have left, ascending */
};

static_assert(GEN_BURST <= SEQ_RUN, "any run of a burst is one of seqtrack's");

/* layout_of reads all four as one word. */
static_assert(offsetof(struct rte_mbuf, refcnt) == offsetof(struct rte_mbuf, data_off) + 2 &&
		      offsetof(struct rte_mbuf, nb_segs) ==
			      offsetof(struct rte_mbuf, data_off) + 4 &&
		      offsetof(struct rte_mbuf, port) == offsetof(struct rte_mbuf, data_off) + 6,
	      "layout of an mbuf");

/* A received frame, as far as it was understood. */
struct seen {
	struct sig sig;
	bool intact;	/* signature read and its check holds for the length it was sent with */
	bool truncated; /* shorter than its IP header says */
	bool ours;	/* looks like a frame of the generator */
};

/* Offset of the data, references, segments and port of a buffer, in one word. */
static inline uint64_t
layout_of(const struct rte_mbuf *m)
{
	uint64_t word;

	memcpy(&word, (const uint8_t *)m + offsetof(struct rte_mbuf, data_off), sizeof(word));
	return word;
}

/* Asks for all frames at once, for another CPU may have written them: the MAC address, and the
 * signature where it ends in the next cache line.  And are the buffers plain: of one pool and one
 * layout, without other segments, owners or memory?  Then they go back as they are, and only the
 * lengths of their frames differ.  As drivers do that free fast, this trusts a buffer of one
 * segment to name no next one: that is in the buffer's second cache line, which stays cold. */
static inline bool
look_ahead(struct rte_mbuf *const *mbufs, unsigned n, uint16_t usual)
{
	const struct rte_mbuf *const first = mbufs[0];
	const struct rte_mempool *const pool = first->pool;
	const uint64_t layout = layout_of(first);
	const size_t head = first->data_off, end = head + usual + SIG_SIZE - 1;
	uint64_t flags = 0;

	for (unsigned i = 0; i < n; i++) {
		const struct rte_mbuf *m = mbufs[i];
		const uint8_t *buf = m->buf_addr;

		__builtin_prefetch(buf + head);
		__builtin_prefetch(buf + end);
		flags |= m->ol_flags;
		if (unlikely(layout_of(m) != layout || m->pool != pool))
			return false;
	}
	return (flags & (RTE_MBUF_F_INDIRECT | RTE_MBUF_F_EXTERNAL)) == 0 &&
	       rte_mbuf_refcnt_read(first) == 1 && first->nb_segs == 1;
}

static __rte_always_inline void
free_frames(struct rte_mbuf **mbufs, unsigned n, bool plain)
{
	/* The general way looks at each buffer once more, to find out what is known already. */
	if (likely(plain))
		rte_mempool_put_bulk(mbufs[0]->pool, (void **)mbufs, n);
	else
		rte_pktmbuf_free_bulk(mbufs, n);
}

/* The run and stream that a signature names, among the runs of both ports. */
static struct run_stream *
find_stream(struct gen_worker *w, uint16_t stream, struct run **run)
{
	for (unsigned i = 0; i < GEN_PORTS; i++) {
		struct run *r = w->ports[i].rx_run;
		uint16_t index;

		if (r == NULL)
			continue;
		index = (uint16_t)(stream - r->stream_base);
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
count_damaged(const struct burst *b, uint16_t len, bool truncated)
{
	struct run *run = likely_run(b->w, b->id);

	if (run == NULL)
		return;
	counter_add(&run->rx_port[b->id], 1);
	counter_add(&run->rx_bytes[b->id], len + FRAME_FCS);
	counter_add(&run->rx[truncated ? RX_TRUNCATED : RX_CORRUPT], 1);
	counter_add(&run->unidentified, 1);
}

/* Does the frame go to the port's own address? */
static inline bool
is_addressed(const uint8_t *data, uint64_t addr_word)
{
	uint64_t word;

	memcpy(&word, data, sizeof(word));
	return word << MAC_SHIFT == addr_word << MAC_SHIFT;
}

static enum rx_kind
judge(const struct burst *b, const uint8_t *data, const struct run *run, const struct seen *seen,
      bool duplicate)
{
	if (seen->truncated)
		return RX_TRUNCATED;
	if (duplicate)
		return RX_DUPLICATE;
	if (run->tx_port == b->id)
		return RX_REFLECTED;
	return is_addressed(data, b->w->ports[b->id].addr_word) ? RX_OK : RX_MISDELIVERED;
}

static void
count_seen(const struct burst *b, const uint8_t *data, uint16_t len, const struct seen *seen)
{
	struct run *run = NULL;
	struct run_stream *s = find_stream(b->w, seen->sig.stream, &run);
	uint64_t before, now_ns;
	enum rx_kind kind;

	if (unlikely(s == NULL)) {
		run = likely_run(b->w, b->id);
		if (run != NULL)
			counter_add(&run->overdue, 1);
		return;
	}
	if (unlikely(seqtrack_widen(&s->track, seen->sig.seq) >= s->seq)) {
		count_damaged(b, len, false);
		return;
	}
	before = s->track.duplicate;
	seqtrack_add(&s->track, seen->sig.seq);
	kind = judge(b, data, run, seen, s->track.duplicate != before);
	counter_add(&run->rx[kind], 1);
	counter_add(&run->rx_port[b->id], 1);
	counter_add(&run->rx_bytes[b->id], len + FRAME_FCS);
	if (kind != RX_OK)
		return;
	now_ns = run == b->run ? b->now_ns : worker_ns(b->w, run, b->tsc);
	hist_record(&run->latency, now_ns > seen->sig.time_ns ? now_ns - seen->sig.time_ns : 0);
}

/* The way for any frame. */
static void
count_frame(struct burst *b, const struct rte_mbuf *m)
{
	const uint8_t *data = rte_pktmbuf_mtod(m, const uint8_t *);
	uint16_t len = (uint16_t)rte_pktmbuf_pkt_len(m);
	struct seen seen = {.intact = false};

	b->bytes += len + FRAME_FCS;
	if (likely(m->data_len >= b->usual + SIG_SIZE))
		seen.intact = sig_read(data + b->usual, &seen.sig, len);
	if (unlikely(!seen.intact))
		inspect(data, RTE_MIN(len, m->data_len), &seen);
	if (likely(seen.intact))
		count_seen(b, data, len, &seen);
	else if (seen.ours)
		count_damaged(b, len, seen.truncated);
	else
		count_foreign(b->w);
}

static void
count_accepted(struct burst *b)
{
	unsigned n = b->n_accepted;

	if (n == 0)
		return;
	counter_add(&b->run->rx[RX_OK], n);
	counter_add(&b->run->rx_port[b->id], n);
	counter_add(&b->run->rx_bytes[b->id], b->accepted_bytes);
	b->bytes += b->accepted_bytes;
	for (; n > 0 && unlikely(b->due_ns[n] > b->now_ns); n--)
		hist_record(&b->run->latency, 0);
	hist_record_burst(&b->run->latency, b->due_ns + 1, n, b->now_ns);
	b->n_accepted = 0;
	b->accepted_bytes = 0;
}

/* Takes the frame of a plain buffer if it is the next of its stream and as it should be. */
static inline bool
take_next(struct burst *b, const struct rte_mbuf *m)
{
	const uint8_t *data = rte_pktmbuf_mtod(m, const uint8_t *);
	uint16_t len = m->data_len;
	struct run *run = NULL;
	struct run_stream *s;
	struct sig sig;

	if (len < b->usual + SIG_SIZE || !sig_read(data + b->usual, &sig, len) ||
	    !is_addressed(data, b->w->ports[b->id].addr_word))
		return false;
	s = find_stream(b->w, sig.stream, &run);
	if (s == NULL || run != b->run || sig.seq != (uint32_t)s->track.next ||
	    s->track.next >= s->seq)
		return false;
	seqtrack_add(&s->track, sig.seq);
	if (unlikely(sig.time_ns < b->due_ns[b->n_accepted]))
		count_accepted(b);
	b->due_ns[++b->n_accepted] = sig.time_ns;
	b->accepted_bytes += len + FRAME_FCS;
	return true;
}

/* Does a run that is worth it seem to begin here, among plain buffers? */
static inline bool
starts_run(const struct burst *b, struct rte_mbuf *const *mbufs, unsigned n)
{
	const struct rte_mbuf *first = mbufs[0], *later;
	size_t sig;

	if (n < RUN_MIN)
		return false;
	later = mbufs[RUN_MIN - 1];
	sig = first->data_off + (size_t)b->usual;
	return first->pkt_len == later->pkt_len && first->data_len >= b->usual + SIG_SIZE &&
	       sig_head((const uint8_t *)later->buf_addr + sig) -
			       sig_head((const uint8_t *)first->buf_addr + sig) ==
		       RUN_MIN - 1;
}

/* How many frames a run from the next one of 's' may have: no more than were sent, and all before
 * the sequence on the wire wraps. */
static unsigned
longest_run(const struct run_stream *s, unsigned n)
{
	uint64_t most = RTE_MIN(s->seq - s->track.next, (1ull << 32) - (uint32_t)s->track.next);

	return (unsigned)RTE_MIN(most, (uint64_t)n);
}

/* What the frames of a run have in common. */
struct run_shape {
	size_t mac, sig; /* where they lie in a buffer */
	uint64_t addr_word;
	uint32_t len;
	struct sig_run signatures;
};

/* How many of the frames, up to 'most', come next in a stream.  Writes behind 'due_ns' when each
 * should have left, as long as that ascends.  A function of its own, for its loop takes all
 * registers there are. */
static __rte_noinline size_t
match_run(struct rte_mbuf *const *mbufs, size_t most, const struct run_shape *shape,
	  uint64_t *due_ns)
{
	/* Copies, for all the compiler knows 'due_ns' may write over the originals. */
	const size_t mac = shape->mac, sig = shape->sig;
	const uint64_t addr_word = shape->addr_word;
	const uint32_t len = shape->len;
	struct sig_run next = shape->signatures;
	size_t i;

	for (i = 0; i < most; i++) {
		const struct rte_mbuf *m = mbufs[i];
		const uint8_t *buf = m->buf_addr;
		uint64_t time_ns;

		if (unlikely(m->pkt_len != len || !is_addressed(buf + mac, addr_word) ||
			     !sig_run_holds(&next, buf + sig, &time_ns) || time_ns < due_ns[i]))
			break;
		due_ns[i + 1] = time_ns;
		sig_run_step(&next);
	}
	return i;
}

/* Takes what plain buffers begin with of frames that are the next of a stream and as they should
 * be.  Returns how many. */
static inline unsigned
take_run(struct burst *b, struct rte_mbuf *const *mbufs, unsigned n)
{
	const struct rte_mbuf *m = mbufs[0];
	const size_t sig = m->data_off + (size_t)b->usual;
	uint16_t stream = sig_stream(sig_head((const uint8_t *)m->buf_addr + sig));
	struct run *run = NULL;
	struct run_stream *s = find_stream(b->w, stream, &run);
	struct run_shape shape;
	unsigned taken;

	if (s == NULL || run != b->run)
		return 0;
	shape = (struct run_shape){
		.mac = m->data_off,
		.sig = sig,
		.addr_word = b->w->ports[b->id].addr_word,
		.len = m->pkt_len,
		.signatures = sig_run_from(stream, (uint32_t)s->track.next, m->data_len),
	};
	taken = (unsigned)match_run(mbufs, longest_run(s, n), &shape, b->due_ns + b->n_accepted);
	if (taken == 0)
		return 0;
	seqtrack_add_run(&s->track, taken);
	b->n_accepted += taken;
	b->accepted_bytes += (uint64_t)taken * (shape.len + FRAME_FCS);
	return taken;
}

/* Takes the next frames, or the next one.  Returns how many. */
static inline unsigned
take(struct burst *b, struct rte_mbuf *const *mbufs, unsigned n)
{
	unsigned taken = 0;

	if (starts_run(b, mbufs, n))
		taken = take_run(b, mbufs, n);
	if (taken == 0)
		taken = take_next(b, mbufs[0]);
	return taken;
}

static uint16_t
usual_offset(const struct gen_worker *w)
{
	uint16_t usual = FRAME_L2 + FRAME_IPV4 + FRAME_UDP;

	for (unsigned i = 0; i < GEN_PORTS; i++)
		if (w->ports[i].rx_run != NULL && w->ports[i].rx_run->streams[0].signature)
			usual = w->ports[i].rx_run->streams[0].tmpl.payload;
	return usual;
}

static inline bool
is_signed(const struct run *run)
{
	return run != NULL && run->n_signed > 0;
}

/* The way when nobody expects signatures: nothing is read of a frame but its length. */
static __rte_noinline void
count_all(struct gen_port *p, struct rte_mbuf **mbufs, uint16_t n)
{
	const uint64_t layout = layout_of(mbufs[0]);
	const struct rte_mempool *pool = mbufs[0]->pool;
	uint64_t bytes = (uint64_t)n * FRAME_FCS, flags = 0;
	bool alike = true;

	for (uint16_t i = 0; i < n; i++) {
		const struct rte_mbuf *m = mbufs[i];

		bytes += m->pkt_len;
		flags |= m->ol_flags;
		alike &= (layout_of(m) == layout) & (m->pool == pool);
	}
	counter_add(&p->ipackets, n);
	counter_add(&p->ibytes, bytes);
	free_frames(mbufs, n,
		    alike && (flags & (RTE_MBUF_F_INDIRECT | RTE_MBUF_F_EXTERNAL)) == 0 &&
			    rte_mbuf_refcnt_read(mbufs[0]) == 1 && mbufs[0]->nb_segs == 1);
}

/* The way when somebody does. */
static __rte_always_inline void
count_signed(struct gen_worker *w, unsigned id, struct rte_mbuf **mbufs, uint16_t n, uint64_t tsc)
{
	struct gen_port *p = &w->ports[id];
	struct burst b;

	b.w = w;
	b.id = id;
	b.usual = usual_offset(w);
	b.plain = look_ahead(mbufs, n, b.usual);
	b.run = w->ports[!id].rx_run;
	b.tsc = tsc;
	b.now_ns = b.run != NULL ? worker_ns(w, b.run, tsc) : 0;
	b.bytes = 0;
	b.n_accepted = 0;
	b.accepted_bytes = 0;
	b.due_ns[0] = 0;
	for (unsigned i = 0; i < n;) {
		unsigned taken =
			b.plain && b.run != NULL ? take(&b, mbufs + i, (unsigned)n - i) : 0;

		if (unlikely(taken == 0))
			count_frame(&b, mbufs[i]);
		i += RTE_MAX(taken, 1u);
	}
	count_accepted(&b);
	counter_add(&p->ipackets, n);
	counter_add(&p->ibytes, b.bytes);
	free_frames(mbufs, n, b.plain);
}

void
rx_frames(struct gen_worker *w, unsigned id, struct rte_mbuf **mbufs, uint16_t n, uint64_t tsc)
{
	assert(n >= 1 && n <= GEN_BURST);
	if (unlikely((atomic_load_explicit(&w->pgid.active, memory_order_relaxed) |
		      atomic_load_explicit(&w->rx_copied, memory_order_relaxed)) != 0))
		rx_watch(w, id, mbufs, n, tsc);
	if (likely(is_signed(w->ports[!id].rx_run)) || is_signed(w->ports[id].rx_run))
		count_signed(w, id, mbufs, n, tsc);
	else
		count_all(&w->ports[id], mbufs, n);
}

/* Receives about 'most' frames from the queue. */
static inline unsigned
receive(struct gen_worker *w, unsigned id, uint16_t queue, unsigned most)
{
	struct rte_mbuf *mbufs[GEN_BURST];
	unsigned total = 0;
	uint16_t n;

	/* More than one burst a round when there is more: a backlog from a time when the worker was
	 * away must not stay for the rest of the run, and look like the chain's latency. */
	do {
		n = rte_eth_rx_burst(w->ports[id].port.id, queue, mbufs, GEN_BURST);
		if (n > 0)
			rx_frames(w, id, mbufs, n, rte_rdtsc());
		total += n;
	} while (n == GEN_BURST && total < most);
	return total;
}

unsigned
rx_round(struct gen_worker *w, unsigned id)
{
	const struct port *port = &w->ports[id].port;
	unsigned total = 0;

	for (uint16_t q = 0; q < port->n_rxq; q++)
		total += receive(w, id, q, GEN_RX_ROUND / port->n_rxq);
	return total;
}
