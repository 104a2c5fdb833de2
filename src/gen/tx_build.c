/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "tx_frames.h"
#include "tx_mbuf.h"
#include "worker.h"

/* Puts the frames of planned slots into buffers.
 *
 * All frames of a stream that a burst has are built in a row, so that what is the same for them
 * stays in registers. */

/* Copies the whole frame.  What clients put behind the signature cannot be left for the next frame.
 */
static __rte_noinline void
fill_buffer(struct rte_mbuf *m, const struct run_stream *s)
{
	memcpy((uint8_t *)m->buf_addr + RTE_PKTMBUF_HEADROOM, s->frame, s->len);
	*tx_holds_of(m) = s->usual_payload ? tx_holds(s->tmpl.payload, s->len) : 0;
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
		uint8_t *data = set_buffer(m, &head);
		uint64_t lateness = (now_ns - due_ns[i]) / SIG_LATENESS_NS;
		uint64_t a = word | seq++, b = due_ns[i] << 16 | RTE_MIN(lateness, UINT16_MAX);

		/* The same payload, up to this length or longer. */
		if (unlikely(*tx_holds_of(m) - holds > longer))
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
build_frames(struct run_stream *s, struct rte_mbuf **mbufs, const uint64_t *due_ns, uint16_t n,
	     uint64_t now_ns)
{
	if (!s->signature)
		tx_build_given(s, mbufs, n);
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

/* The same by the signatures' clock, which does not stop in a pause. */
static __rte_noinline void
build_after_pause(struct gen_tx *tx, uint16_t from, uint16_t end, uint64_t now_ns)
{
	const uint64_t paused_ns = tx->run->paused_ns;

	for (uint16_t i = from; i < end; i++)
		tx->due_ns[i] += paused_ns;
	build_mixed(tx, from, end, now_ns + paused_ns);
	for (uint16_t i = from; i < end; i++)
		tx->due_ns[i] -= paused_ns;
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
	if (unlikely(tx->run->paused_ns > 0))
		build_after_pause(tx, from, end, now_ns);
	else if (likely(tx->lane->n_streams == 1))
		build_frames(tx->lane->streams, tx->mbufs + from, tx->due_ns + from,
			     (uint16_t)(end - from), now_ns);
	else
		build_mixed(tx, from, end, now_ns);
	tx->n_built = end;
}

void
tx_unbuild(struct gen_tx *tx)
{
	for (uint16_t i = 0; i < tx->n_built; i++) {
		struct run_stream *s = &tx->lane->streams[tx->owner[i].stream];

		if (unlikely(s->vm != NULL) && s->n_built > 0)
			tx_unbuild_vm(s);
		s->n_built = 0;
		s->next_flow = s->flow;
	}
	tx->n_built = 0;
}
