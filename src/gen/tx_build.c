/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <stddef.h>
#include <string.h>

#include <rte_mbuf.h>

#include "worker.h"

/* Puts the frames of planned slots into buffers.
 *
 * All frames of a stream that a burst has are built in a row, so that what is the same for them
 * stays in registers. */

/* An mbuf's fields from data_off to the hash, as two vectors.  Written whole they are two stores,
 * and nothing is left of what the buffer was used for before; all others mean something only with
 * a flag in ol_flags, or are the same in every buffer of a pool. */
typedef uint32_t mbuf_words __attribute__((vector_size(16)));
struct mbuf_head {
	mbuf_words state, content;
};

#define MBUF_HEAD offsetof(struct rte_mbuf, data_off)
static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "two short fields make a word");
static_assert(offsetof(struct rte_mbuf, refcnt) == MBUF_HEAD + 2, "state[0]");
static_assert(offsetof(struct rte_mbuf, nb_segs) == MBUF_HEAD + 4, "state[1]");
static_assert(offsetof(struct rte_mbuf, port) == MBUF_HEAD + 6, "state[1]");
static_assert(offsetof(struct rte_mbuf, ol_flags) == MBUF_HEAD + 8, "state[2], state[3]");
static_assert(offsetof(struct rte_mbuf, packet_type) == MBUF_HEAD + 16, "content[0]");
static_assert(offsetof(struct rte_mbuf, pkt_len) == MBUF_HEAD + 20, "content[1]");
static_assert(offsetof(struct rte_mbuf, data_len) == MBUF_HEAD + 24, "content[2]");
static_assert(offsetof(struct rte_mbuf, vlan_tci) == MBUF_HEAD + 26, "content[2]");
static_assert(offsetof(struct rte_mbuf, hash) == MBUF_HEAD + 28, "content[3]");

static inline struct mbuf_head
mbuf_head(uint16_t len)
{
	return (struct mbuf_head){
		.state = {1u << 16 | RTE_PKTMBUF_HEADROOM,
			  (uint32_t)RTE_MBUF_PORT_INVALID << 16 | 1, 0, 0},
		.content = {0, len, len, 0},
	};
}

/* Makes the buffer one of a frame, which starts at the address returned. */
static inline uint8_t *
set_buffer(struct rte_mbuf *m, const struct mbuf_head *head)
{
	char *at = (char *)m + MBUF_HEAD;

	memcpy(at, &head->state, sizeof(head->state));
	memcpy(at + sizeof(head->state), &head->content, sizeof(head->content));
	return (uint8_t *)m->buf_addr + RTE_PKTMBUF_HEADROOM;
}

/* Copies the whole frame.  What clients put behind the signature, or send unsigned, cannot be left
 * for the next frame. */
static __rte_noinline void
fill_buffer(struct rte_mbuf *m, const struct run_stream *s)
{
	struct tx_priv *priv = rte_mbuf_to_priv(m);

	memcpy((uint8_t *)m->buf_addr + RTE_PKTMBUF_HEADROOM, s->frame, s->len);
	priv->holds = s->usual_payload ? tx_holds(s->tmpl.payload, s->len) : 0;
}

/* More than any buffer holds. */
#define HOLDS_NONE (1u << 31)

/* Builds the frames of 'n' slots of the stream; 'plain' is template_is_plain, and 'flow_of' the
 * numbers of the stream's flows or NULL.  About 45 instructions for a plain frame. */
static __rte_always_inline void
build_signed(struct run_stream *s, struct rte_mbuf **mbufs, const uint64_t *due_ns, uint16_t n,
	     uint64_t now_ns, const bool plain, const uint32_t *flow_of)
{
	const struct template_loop loop = template_loop(&s->tmpl, plain);
	const struct mbuf_head head = mbuf_head(s->len);
	const uint32_t holds = s->usual_payload ? tx_holds(s->tmpl.payload, s->len) : HOLDS_NONE;
	const uint32_t longer = UINT16_MAX - s->len;
	const uint64_t word = s->sig_word;
	uint32_t seq = (uint32_t)(s->seq + s->n_built), flow = s->next_flow;

	for (uint16_t i = 0; i < n; i++) {
		struct rte_mbuf *m = mbufs[i];
		const struct tx_priv *priv = rte_mbuf_to_priv(m);
		uint8_t *data = set_buffer(m, &head);
		uint64_t lateness = (now_ns - due_ns[i]) / SIG_LATENESS_NS;
		uint64_t a = word | seq++, b = due_ns[i] << 16 | RTE_MIN(lateness, UINT16_MAX);

		/* The same payload, up to this length or longer. */
		if (unlikely(priv->holds - holds > longer))
			fill_buffer(m, s);
		template_loop_emit(&loop, data, a, b);
		if (plain)
			continue;
		template_set_flow(&s->tmpl, data, flow_of != NULL ? flow_of[flow] : flow);
		flow = flow + 1 == s->flows ? 0 : flow + 1;
	}
	s->next_flow = flow;
}

/* The stream's flows are some of many.  A function of its own, so that it takes no register from
 * the others. */
static __rte_noinline void
build_some_flows(struct run_stream *s, struct rte_mbuf **mbufs, const uint64_t *due_ns, uint16_t n,
		 uint64_t now_ns)
{
	build_signed(s, mbufs, due_ns, n, now_ns, false, s->flow_of);
}

static void
build_as_given(const struct run_stream *s, struct rte_mbuf **mbufs, uint16_t n)
{
	const struct mbuf_head head = mbuf_head(s->len);

	for (uint16_t i = 0; i < n; i++) {
		(void)set_buffer(mbufs[i], &head);
		fill_buffer(mbufs[i], s);
	}
}

static void
build_frames(struct run_stream *s, struct rte_mbuf **mbufs, const uint64_t *due_ns, uint16_t n,
	     uint64_t now_ns)
{
	if (!s->signature)
		build_as_given(s, mbufs, n);
	else if (s->flow_of != NULL)
		build_some_flows(s, mbufs, due_ns, n, now_ns);
	else if (template_is_plain(&s->tmpl, s->flows))
		build_signed(s, mbufs, due_ns, n, now_ns, true, NULL);
	else
		build_signed(s, mbufs, due_ns, n, now_ns, false, NULL);
	s->n_built += n;
}

/* Slots of several streams, from number 'from' to before 'end': stream by stream. */
static void
build_mixed(struct gen_tx *tx, uint16_t from, uint16_t end, uint64_t now_ns)
{
	struct rte_mbuf *mbufs[GEN_BURST];
	uint64_t due_ns[GEN_BURST];
	uint16_t left[GEN_BURST], n_left = 0;

	for (uint16_t i = from; i < end; i++)
		left[n_left++] = i;
	while (n_left > 0) {
		const uint16_t stream = tx->owner[left[0]].stream;
		uint16_t n = 0, n_others = 0;

		for (uint16_t k = 0; k < n_left; k++) {
			uint16_t i = left[k];

			if (tx->owner[i].stream != stream) {
				left[n_others++] = i;
				continue;
			}
			mbufs[n] = tx->mbufs[i];
			due_ns[n++] = tx->due_ns[i];
		}
		n_left = n_others;
		build_frames(&tx->lane->streams[stream], mbufs, due_ns, n, now_ns);
	}
}

/* Buffers for all slots that have none. */
static void
get_buffers(struct gen_worker *w, struct gen_tx *tx)
{
	uint16_t missing = (uint16_t)(tx->n_slots - tx->n_mbufs);

	/* The pool is larger than ring and burst together: it never runs dry. */
	if (tx->n_slots > tx->n_mbufs &&
	    rte_mempool_get_bulk(w->tx_pool, (void **)(tx->mbufs + tx->n_mbufs), missing) == 0)
		tx->n_mbufs = tx->n_slots;
}

void
tx_build(struct gen_worker *w, struct gen_tx *tx, uint64_t now_ns)
{
	uint16_t from = tx->n_built, end;

	get_buffers(w, tx);
	end = RTE_MIN(tx->n_slots, tx->n_mbufs);
	if (from >= end)
		return;
	if (likely(tx->lane->n_streams == 1))
		build_frames(tx->lane->streams, tx->mbufs + from, tx->due_ns + from,
			     (uint16_t)(end - from), now_ns);
	else
		build_mixed(tx, from, end, now_ns);
	tx->n_built = end;
}

void
tx_unbuild(struct gen_tx *tx)
{
	tx->n_built = 0;
	for (uint16_t i = 0; i < tx->lane->n_streams; i++) {
		struct run_stream *s = &tx->lane->streams[i];

		s->n_built = 0;
		s->next_flow = s->flow;
	}
}
