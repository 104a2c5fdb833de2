/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "frame.h"
#include "sig.h"

/* Frames of many flows out of one: the generator's way to write a signed frame in a few dozen
 * instructions.
 *
 * A template is made once from a complete frame.  frame_emit then writes the headers and the
 * signature, with the source port and address of the flow and with checksums that are right.  What
 * lies behind the signature it leaves alone: each buffer must hold the template's payload there
 * before (one memcpy of the frame when the buffer is first used).  Templates made from frame specs
 * share their payload pattern, so one buffer serves all sizes of a mix.
 *
 * Checksums cost no pass over the frame: the sum of all that stays the same is kept, and the words
 * that change are added.  Over IPv4 the UDP checksum becomes 0, none; over IPv6 it covers flow,
 * signature and payload. */

/* Ethernet, 2 VLAN tags, IPv4 with all options, UDP; and whole 16-byte steps to copy it by. */
#define TEMPLATE_HEAD 96
#define TEMPLATE_STEP 16
#define TEMPLATE_START (3 * TEMPLATE_STEP) /* each frame is longer, and few have more headers */

struct frame_template {
	uint8_t head[TEMPLATE_HEAD]; /* headers of flow 0, then the frame's next bytes or 0 */
	uint64_t sum;	   /* of all that 'check' covers and no flow or signature changes */
	uint32_t src_ip;   /* of flow 0: IPv4 address, or the last 4 bytes of IPv6's */
	uint16_t src_port; /* of flow 0 */
	uint16_t len;	   /* of the frame, without FCS */
	uint8_t copied;	   /* bytes of 'head' to copy: the headers, rounded up to a step */
	uint8_t saddr;	   /* offset of the 4 bytes of address that change */
	uint8_t sport;	   /* offset of the source port */
	uint8_t check;	   /* offset of the checksum: IPv4's header or UDP over IPv6 */
	uint8_t payload;   /* offset of the signature */
	bool ipv6;
};

/* Makes a template from a UDP frame of 'len' bytes without FCS: flow f has its source port plus
 * f % 16384 (modulo 65536) and its source address plus f / 16384.  Refuses frames that are not
 * UDP, whose lengths contradict each other, or without room for a signature. */
int frame_template_init(struct frame_template *t, const uint8_t *frame, size_t len,
			struct err *err);

/* The same from a spec; 'frame' of spec->size - 4 bytes or more receives the frame of flow 0 for
 * filling buffers. */
int frame_template_build(struct frame_template *t, const struct frame_spec *spec, uint8_t *frame,
			 size_t frame_size, struct err *err);

static inline void
template_put16(uint8_t *p, uint16_t v)
{
	v = __builtin_bswap16(v);
	memcpy(p, &v, 2);
}

/* Folds and complements a sum below 2^48. */
static inline uint16_t
template_check(uint64_t sum)
{
	uint32_t half =
		(uint32_t)(sum >> 32) + (uint32_t)(sum >> 16 & 0xffff) + (uint32_t)(sum & 0xffff);

	half = (half >> 16) + (half & 0xffff);
	half += half >> 16;
	return (uint16_t)~half;
}

/* Writes source address, source port and checksum; the signature has been written. */
static inline void
template_set_flow(const struct frame_template *t, uint8_t *frame, uint32_t flow)
{
	uint32_t addr = t->src_ip + flow / FRAME_FLOW_PORTS;
	uint16_t port = (uint16_t)(t->src_port + flow % FRAME_FLOW_PORTS);
	uint64_t sum = t->sum + (addr >> 16) + (addr & 0xffff);
	uint16_t check;

	if (t->ipv6)
		sum += port + sig_sum(frame + t->payload);
	check = template_check(sum);
	/* 0 would mean no checksum; in IPv4's header the two zeros are as good. */
	check = check == 0 && t->ipv6 ? 0xffff : check;
	template_put16(frame + t->check, check);
	addr = __builtin_bswap32(addr);
	memcpy(frame + t->saddr, &addr, 4);
	template_put16(frame + t->sport, port);
}

/* A step in a vector register. */
typedef uint8_t template_step __attribute__((vector_size(TEMPLATE_STEP)));

/* Of a template, what each frame needs, for a local variable: the compiler knows then that no frame
 * overwrites it, and keeps it in registers. */
struct template_loop {
	template_step start[TEMPLATE_START / TEMPLATE_STEP];
	const uint8_t *rest;
	uint32_t n_rest; /* bytes */
	uint32_t payload;
	uint16_t len;
};

/* Do the frames of so many flows differ in nothing but the signature, and are their headers not
 * longer than the start? */
static inline bool
template_is_plain(const struct frame_template *t, uint32_t flows)
{
	return flows == 1 && !t->ipv6 && t->copied == TEMPLATE_START;
}

/* 'plain', a constant, is template_is_plain. */
static inline struct template_loop
template_loop(const struct frame_template *t, const bool plain)
{
	struct template_loop l = {
		.rest = t->head + TEMPLATE_START,
		.n_rest = plain ? 0 : t->copied - TEMPLATE_START,
		.payload = t->payload,
		.len = t->len,
	};

	memcpy(l.start, t->head, sizeof(l.start));
	return l;
}

/* Writes headers and signature of a frame of flow 0; 'a' and 'b' are the signature's words, see
 * sig_put.  Over IPv6, and for other flows, template_set_flow comes after. */
static inline void
template_loop_emit(const struct template_loop *l, uint8_t *frame, uint64_t a, uint64_t b)
{
	for (unsigned i = 0; i < TEMPLATE_START / TEMPLATE_STEP; i++)
		memcpy(frame + i * TEMPLATE_STEP, &l->start[i], TEMPLATE_STEP);
	for (unsigned i = 0; i < l->n_rest; i += TEMPLATE_STEP)
		memcpy(frame + TEMPLATE_START + i, l->rest + i, TEMPLATE_STEP);
	sig_put(frame + l->payload, a, b, l->len);
}

/* Writes headers and signature of one frame of 'flow' to 'frame', which holds the payload. */
static inline void
frame_emit(const struct frame_template *t, uint8_t *frame, uint32_t flow, const struct sig *s)
{
	const struct template_loop loop = template_loop(t, false);

	template_loop_emit(&loop, frame, sig_word_a(s), sig_word_b(s));
	template_set_flow(t, frame, flow);
}
