/* SPDX-License-Identifier: MIT */
#include "template.h"

#include <assert.h>

#include "cksum.h"

#define PROTO_UDP 17
#define IPV4_CHECK 10
#define IPV4_SADDR 12
#define IPV6_SADDR_END 20 /* last 4 bytes of the source address */
#define UDP_CHECK 6

static_assert(SIG_SIZE >= TEMPLATE_STEP, "the last step of the copy stays inside the signature");
static_assert(TEMPLATE_HEAD % TEMPLATE_STEP == 0, "whole steps are copied");
static_assert(TEMPLATE_START <= FRAME_L2 + FRAME_IPV4 + FRAME_UDP + SIG_SIZE,
	      "the shortest frame has room for the start");
static_assert(FRAME_L2 + 2 * FRAME_VLAN + 60 + FRAME_UDP <= TEMPLATE_HEAD, "all headers fit");

static int
check_frame(const uint8_t *frame, size_t len, struct frame_view *v, struct err *err)
{
	if (len > FRAME_MAX_SIZE - FRAME_FCS)
		return err_usage(err, "a frame of %zu bytes is longer than %u", len,
				 FRAME_MAX_SIZE - FRAME_FCS);
	if (!frame_parse(frame, len, v) || v->proto != PROTO_UDP)
		return err_usage(err, "not a UDP frame, which a signature needs");
	if (v->len != len)
		return err_usage(err, "the IP header tells a frame of %u bytes, not %zu", v->len,
				 len);
	if ((size_t)(frame[v->l4 + 4] << 8 | frame[v->l4 + 5]) != len - v->l4)
		return err_usage(err, "the UDP header tells another length than the IP header");
	if (len < (size_t)v->payload + SIG_SIZE)
		return err_usage(err, "frame size %zu has no room for a signature, which takes %u",
				 len + FRAME_FCS, v->payload + SIG_SIZE + FRAME_FCS);
	return 0;
}

static uint32_t
get32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* IPv4: the header without address and checksum. */
static uint64_t
sum_ipv4(const struct frame_template *t, const struct frame_view *v)
{
	const uint8_t *ip = t->head + v->l3;

	return cksum_add(cksum_add(0, ip, IPV4_CHECK), ip + IPV4_SADDR + 4,
			 (size_t)(v->l4 - v->l3 - IPV4_SADDR - 4));
}

/* UDP over IPv6: the pseudo header without the address' end, the header without port and checksum,
 * the payload behind the signature. */
static uint64_t
sum_ipv6(const uint8_t *frame, size_t len, const struct frame_view *v)
{
	const uint8_t *ip = frame + v->l3, *udp = frame + v->l4;
	size_t behind = (size_t)v->payload + SIG_SIZE;
	uint32_t sum = PROTO_UDP + (uint32_t)(len - v->l4);

	sum = cksum_add(sum, ip + 8, IPV6_SADDR_END - 8);
	sum = cksum_add(sum, ip + 24, 16);
	sum = cksum_add(sum, udp + 2, UDP_CHECK - 2);
	return cksum_add(sum, frame + behind, len - behind);
}

int
frame_template_init(struct frame_template *t, const uint8_t *frame, size_t len, struct err *err)
{
	struct frame_view v;
	int rc = check_frame(frame, len, &v, err);

	if (rc < 0)
		return rc;
	*t = (struct frame_template){
		.len = (uint16_t)len,
		.ipv6 = frame[v.l3] >> 4 == 6,
		.payload = (uint8_t)v.payload,
		.sport = (uint8_t)v.l4,
		.copied =
			(uint8_t)((v.payload + TEMPLATE_STEP - 1) / TEMPLATE_STEP * TEMPLATE_STEP),
	};
	memcpy(t->head, frame, v.payload);
	template_put16(t->head + v.l4 + UDP_CHECK, 0);
	t->saddr = (uint8_t)(v.l3 + (t->ipv6 ? IPV6_SADDR_END : IPV4_SADDR));
	t->check = (uint8_t)(t->ipv6 ? v.l4 + UDP_CHECK : v.l3 + IPV4_CHECK);
	t->src_ip = get32(frame + t->saddr);
	t->src_port = (uint16_t)(get32(frame + t->sport) >> 16);
	t->sum = t->ipv6 ? sum_ipv6(frame, len, &v) : sum_ipv4(t, &v);
	if (!t->ipv6)
		template_put16(t->head + t->check,
			       template_check(t->sum + (t->src_ip >> 16) + (t->src_ip & 0xffff)));
	return 0;
}

int
frame_template_build(struct frame_template *t, const struct frame_spec *spec, uint8_t *frame,
		     size_t frame_size, struct err *err)
{
	int len;

	if (spec->size < frame_min_signed_size(spec))
		return err_usage(err, "frame size %u has no room for a signature, which takes %u",
				 spec->size, frame_min_signed_size(spec));
	len = frame_build(spec, frame, frame_size, err);
	if (len < 0)
		return len;
	return frame_template_init(t, frame, (size_t)len, err);
}
