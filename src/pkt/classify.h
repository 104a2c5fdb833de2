/* SPDX-License-Identifier: MIT */
#pragma once

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "frame.h"

/* Which stream a frame is of, by the marks that TRex gives the frames of some streams.
 *
 * A stream that is counted has the number 0xfc00 + hw_id (0 to 1022) as the identification of its
 * IPv4 header, or as the low 16 bits of its IPv6 flow label.  A stream whose latency is measured
 * has the number 0xffff, and its frames end in a trailer of 16 bytes; this tells a frame of it also
 * when a network function changed the number, or where there is no IP. */

#define CLASSIFY_ID_BASE 0xfc00u
#define CLASSIFY_ID_LATENCY 0xffffu
#define CLASSIFY_N_STATS 1023u
#define CLASSIFY_N_LATENCY 128u

#define TRAILER_SIZE 16u
#define TRAILER_MAGIC 0xabu

/* u8 magic, u8 flow_seq, u16 hw_id, u32 seq, u64 tsc; little-endian. */
struct trailer {
	uint8_t flow_seq; /* incarnation of hw_id */
	uint16_t hw_id;	  /* 0 to 127 */
	uint32_t seq;
	uint64_t tsc; /* when it was sent */
};

static inline void
trailer_write(uint8_t *p, const struct trailer *t)
{
	uint64_t head = htole64(TRAILER_MAGIC | (uint64_t)t->flow_seq << 8 |
				(uint64_t)t->hw_id << 16 | (uint64_t)t->seq << 32);
	uint64_t tsc = htole64(t->tsc);

	memcpy(p, &head, sizeof(head));
	memcpy(p + sizeof(head), &tsc, sizeof(tsc));
}

/* Is there one in these 16 bytes? */
static inline bool
trailer_read(const uint8_t *p, struct trailer *t)
{
	uint64_t head;

	memcpy(&head, p, sizeof(head));
	head = le64toh(head);
	if ((head & 0xff) != TRAILER_MAGIC || (head >> 16 & 0xffff) >= CLASSIFY_N_LATENCY)
		return false;
	t->flow_seq = (uint8_t)(head >> 8);
	t->hw_id = (uint16_t)(head >> 16);
	t->seq = (uint32_t)(head >> 32);
	memcpy(&t->tsc, p + sizeof(head), sizeof(t->tsc));
	t->tsc = le64toh(t->tsc);
	return true;
}

/* An IP header and what it carries. */
struct classify_ip {
	uint16_t at;	 /* offset in the frame; 0: there is none */
	uint16_t l4;	 /* offset of what it carries, which may lie behind the frame's end */
	uint8_t version; /* 4, 6 */
	uint8_t proto;	 /* of what it carries, behind IPv6's extension headers */
	bool fragment;	 /* but the first: without L4 header */
};

/* Finds the first IP header behind Ethernet, VLAN tags (0x8100, 0x88a8, 0x9100; up to 8) and MPLS
 * labels (up to 8).  Never reads beyond 'len', which is at most 65535. */
bool classify_ip(const uint8_t *frame, size_t len, struct classify_ip *ip);
/* Finds the IP header of the frame inside, when 'outer' carries VXLAN: UDP to port 4789 or 8472. */
bool classify_inner_ip(const uint8_t *frame, size_t len, const struct classify_ip *outer,
		       struct classify_ip *ip);
/* Bytes behind the UDP, TCP or ICMP header to the end of the frame, padding included; behind the IP
 * header for other protocols, behind Ethernet's without IP; 0 when headers are not all there. */
size_t classify_payload_len(const uint8_t *frame, size_t len);

/* The number of any frame, 0 when it has none: of the frame inside VXLAN if that one is a mark,
 * else of the outermost IP header. */
uint16_t classify_id_any(const uint8_t *frame, size_t len);

static inline uint16_t
classify_load16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static inline bool
classify_is_vxlan_port(uint16_t port)
{
	return port == 4789 || port == 8472;
}

#define CLASSIFY_PLAIN_MIN 38 /* Ethernet, IPv4 without options, two ports */

/* The same; IPv4 without tags, which nearly all frames are, is settled here. */
static inline uint16_t
classify_id(const uint8_t *frame, size_t len)
{
	uint32_t type_version; /* and the type of service */

	if (__builtin_expect(len < CLASSIFY_PLAIN_MIN, 0))
		return classify_id_any(frame, len);
	memcpy(&type_version, frame + 12, sizeof(type_version));
	if (__builtin_expect((be32toh(type_version) & 0xffffff00) != 0x08004500, 0) ||
	    __builtin_expect(frame[23] == 17 && classify_is_vxlan_port(classify_load16(frame + 36)),
			     0))
		return classify_id_any(frame, len);
	return classify_load16(frame + 18);
}

enum classify_kind {
	CLASSIFY_OTHER,
	CLASSIFY_STATS,	  /* of hw_id */
	CLASSIFY_LATENCY, /* of trailer.hw_id */
	CLASSIFY_BROKEN,  /* marked as one for latency, without a trailer */
};

struct classified {
	uint16_t hw_id;
	struct trailer trailer;
};

/* What a frame with number 'id' is.  'tail' are its last 16 bytes, or NULL when it is shorter or
 * nobody asks for latency; without the number 0xffff they must name a time within 'window_tsc' of
 * 'now_tsc'. */
static inline enum classify_kind
classify(uint16_t id, const uint8_t *tail, uint64_t now_tsc, uint64_t window_tsc,
	 struct classified *c)
{
	if (tail != NULL && trailer_read(tail, &c->trailer)) {
		uint64_t age = now_tsc - c->trailer.tsc;

		if (id == CLASSIFY_ID_LATENCY || age < window_tsc || -age < window_tsc)
			return CLASSIFY_LATENCY;
	}
	if (id == CLASSIFY_ID_LATENCY)
		return CLASSIFY_BROKEN;
	c->hw_id = (uint16_t)(id - CLASSIFY_ID_BASE);
	return id >= CLASSIFY_ID_BASE ? CLASSIFY_STATS : CLASSIFY_OTHER;
}

/* Puts number 'id' into the IP header and sets the lowest bit of its type of service or traffic
 * class, as TRex does.  An IPv4 checksum follows: a right one stays right, a wrong one as wrong as
 * it was. */
void classify_mark(uint8_t *frame, const struct classify_ip *ip, uint16_t id);
/* Moves a number that happens to be a mark out of the way (& 0xefff), the checksum with it. */
void classify_unmark(uint8_t *frame, const struct classify_ip *ip);
