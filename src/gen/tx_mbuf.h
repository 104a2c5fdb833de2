/* SPDX-License-Identifier: MIT */
#pragma once

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <rte_mbuf.h>

/* How a buffer of the transmit pool becomes that of a frame, and what it still holds of the frame
 * before. */

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

/* What a buffer holds that need not be written again, because it was in the last frame that was
 * built in it and functions on the way leave it alone: by tx_holds or of a stream; 0: nothing
 * known. It lies in a word of the mbuf that is reserved for users, in the cache line that is
 * touched anyway when the buffer is freed, and leaves the frame's start at that of a line. */
#define TX_HOLDS_WORD (RTE_DIM(((struct rte_mbuf *)0)->dynfield1) - 1)
#define TX_HOLDS_OFFSET offsetof(struct rte_mbuf, dynfield1[TX_HOLDS_WORD])

static inline uint32_t *
tx_holds_of(struct rte_mbuf *m)
{
	return &m->dynfield1[TX_HOLDS_WORD];
}

/* frame_fill's pattern from offset 'payload' of the frame on, valid up to 'len'. */
static inline uint32_t
tx_holds(uint8_t payload, uint16_t len)
{
	return (uint32_t)payload << 16 | len;
}
