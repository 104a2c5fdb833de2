/* SPDX-License-Identifier: MIT */
#include "service.h"

/* What is asked of received frames besides signatures.  Nothing is kept of them: rx_frames counts
 * and frees them as ever. */

/* The last 16 bytes of a frame: in place, or in 'room' when they lie in several segments. */
static inline const uint8_t *
tail_of(const struct rte_mbuf *m, uint8_t *room)
{
	if (unlikely(m->pkt_len < TRAILER_SIZE))
		return NULL;
	return rte_pktmbuf_read(m, m->pkt_len - TRAILER_SIZE, TRAILER_SIZE, room);
}

static void
find_groups(struct gen_worker *w, unsigned id, struct rte_mbuf *const *mbufs, uint16_t n,
	    uint64_t tsc)
{
	uint8_t room[TRAILER_SIZE];

	for (uint16_t i = 0; i < n; i++)
		__builtin_prefetch(rte_pktmbuf_mtod(mbufs[i], const uint8_t *));
	for (uint16_t i = 0; i < n; i++) {
		const struct rte_mbuf *m = mbufs[i];

		pgid_receive(&w->pgid, id, rte_pktmbuf_mtod(m, const uint8_t *), m->data_len,
			     m->pkt_len, tail_of(m, room), tsc, w->tsc_hz);
	}
}

void
rx_watch(struct gen_worker *w, unsigned id, struct rte_mbuf *const *mbufs, uint16_t n, uint64_t tsc)
{
	if (pgid_rx_active(&w->pgid))
		find_groups(w, id, mbufs, n, tsc);
	if (atomic_load_explicit(&w->rx_copied, memory_order_relaxed) >> id & 1)
		service_copy_received(w, id, mbufs, n, tsc);
}
