/* SPDX-License-Identifier: MIT */
#include "classify.h"

#include "cksum.h"

#define ETH_IPV4 0x0800
#define ETH_IPV6 0x86dd
#define ETH_VLAN 0x8100
#define ETH_QINQ 0x88a8
#define ETH_QINQ_OLD 0x9100
#define ETH_MPLS 0x8847
#define ETH_MPLS_MULTICAST 0x8848

#define MAX_TAGS 8
#define MAX_LABELS 8
#define MAX_EXTENSIONS 8
#define MPLS_LABEL 4
#define VXLAN 8

#define PROTO_ICMP 1
#define PROTO_TCP 6
#define PROTO_UDP 17
#define EXT_HOP 0
#define EXT_ROUTING 43
#define EXT_FRAGMENT 44
#define EXT_AUTH 51
#define EXT_OPTIONS 60

#define TCP_MIN 20
#define FRAGMENT_OFFSET 0x1fff

#define load16 classify_load16

static void
store16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static bool
is_tag(uint16_t type)
{
	return type == ETH_VLAN || type == ETH_QINQ || type == ETH_QINQ_OLD;
}

/* The type of what lies behind tags and labels, and where; 0 when it cannot be told. */
static uint16_t
skip_l2(const uint8_t *frame, size_t len, size_t *at)
{
	uint16_t type;

	if (len < *at + FRAME_L2)
		return 0;
	type = load16(frame + *at + 12);
	*at += FRAME_L2;
	for (int i = 0; i < MAX_TAGS && is_tag(type); i++) {
		if (len < *at + FRAME_VLAN)
			return 0;
		type = load16(frame + *at + 2);
		*at += FRAME_VLAN;
	}
	if (type != ETH_MPLS && type != ETH_MPLS_MULTICAST)
		return type;
	for (int i = 0; i < MAX_LABELS && len > *at + MPLS_LABEL; i++) {
		bool last = (frame[*at + 2] & 1) != 0;

		*at += MPLS_LABEL;
		/* Labels do not tell what they stand before: the IP version does. */
		if (last)
			return frame[*at] >> 4 == 4 ? ETH_IPV4 : ETH_IPV6;
	}
	return 0;
}

static bool
read_ipv4(const uint8_t *frame, size_t len, size_t at, struct classify_ip *ip)
{
	const uint8_t *h = frame + at;
	size_t hdr;

	if (len < at + FRAME_IPV4 || h[0] >> 4 != 4)
		return false;
	hdr = (size_t)(h[0] & 0x0f) * 4;
	if (hdr < FRAME_IPV4)
		return false;
	ip->at = (uint16_t)at;
	ip->l4 = (uint16_t)(at + hdr);
	ip->version = 4;
	ip->proto = h[9];
	ip->fragment = (load16(h + 6) & FRAGMENT_OFFSET) != 0;
	return true;
}

/* Size of the extension header that 'next' announces; 0 when it is none that has a successor. */
static size_t
extension_size(uint8_t next, const uint8_t *h)
{
	if (next == EXT_HOP || next == EXT_ROUTING || next == EXT_OPTIONS)
		return (size_t)h[1] * 8 + 8;
	if (next == EXT_FRAGMENT)
		return 8;
	return next == EXT_AUTH ? (size_t)h[1] * 4 + 8 : 0;
}

static bool
read_ipv6(const uint8_t *frame, size_t len, size_t at, struct classify_ip *ip)
{
	size_t l4 = at + FRAME_IPV6, size;

	if (len < l4 || frame[at] >> 4 != 6)
		return false;
	ip->at = (uint16_t)at;
	ip->version = 6;
	ip->proto = frame[at + 6];
	ip->fragment = false;
	for (int i = 0; i < MAX_EXTENSIONS && len >= l4 + 8; i++) {
		size = extension_size(ip->proto, frame + l4);
		if (size == 0)
			break;
		if (ip->proto == EXT_FRAGMENT)
			ip->fragment = (load16(frame + l4 + 2) & ~7) != 0;
		ip->proto = frame[l4];
		l4 += size;
	}
	ip->l4 = (uint16_t)(l4 < UINT16_MAX ? l4 : UINT16_MAX);
	return true;
}

/* The IP header of the Ethernet frame that begins at 'at'. */
static bool
read_ip(const uint8_t *frame, size_t len, size_t at, struct classify_ip *ip)
{
	uint16_t type = skip_l2(frame, len, &at);

	*ip = (struct classify_ip){0};
	if (type == ETH_IPV4)
		return read_ipv4(frame, len, at, ip);
	return type == ETH_IPV6 && read_ipv6(frame, len, at, ip);
}

bool
classify_ip(const uint8_t *frame, size_t len, struct classify_ip *ip)
{
	return read_ip(frame, len, 0, ip);
}

bool
classify_inner_ip(const uint8_t *frame, size_t len, const struct classify_ip *outer,
		  struct classify_ip *ip)
{
	*ip = (struct classify_ip){0};
	if (outer->at == 0 || outer->fragment || outer->proto != PROTO_UDP ||
	    len < (size_t)outer->l4 + FRAME_UDP + VXLAN ||
	    !classify_is_vxlan_port(load16(frame + outer->l4 + 2)))
		return false;
	return read_ip(frame, len, (size_t)outer->l4 + FRAME_UDP + VXLAN, ip);
}

size_t
classify_payload_len(const uint8_t *frame, size_t len)
{
	struct classify_ip ip;
	size_t at;

	if (!classify_ip(frame, len, &ip))
		return len > FRAME_L2 ? len - FRAME_L2 : 0;
	at = ip.l4;
	if (ip.proto == PROTO_UDP || ip.proto == PROTO_ICMP)
		at += FRAME_UDP;
	else if (ip.proto == PROTO_TCP)
		at += len >= at + TCP_MIN ? (size_t)(frame[at + 12] >> 4) * 4 : TCP_MIN;
	return len > at ? len - at : 0;
}

static uint16_t
id_of(const uint8_t *frame, const struct classify_ip *ip)
{
	return load16(frame + ip->at + (ip->version == 4 ? 4 : 2));
}

uint16_t
classify_id_any(const uint8_t *frame, size_t len)
{
	struct classify_ip outer, inner;

	if (!classify_ip(frame, len, &outer))
		return 0;
	if (classify_inner_ip(frame, len, &outer, &inner) &&
	    id_of(frame, &inner) >= CLASSIFY_ID_BASE)
		return id_of(frame, &inner);
	return id_of(frame, &outer);
}

/* Replaces the 16-bit word at 'offset' of an IPv4 header. */
static void
replace16(uint8_t *ip, unsigned offset, uint16_t to)
{
	store16(ip + 10, cksum_update16(load16(ip + 10), load16(ip + offset), to));
	store16(ip + offset, to);
}

void
classify_mark(uint8_t *frame, const struct classify_ip *ip, uint16_t id)
{
	uint8_t *h = frame + ip->at;

	if (ip->version == 4) {
		replace16(h, 0, load16(h) | 1);
		replace16(h, 4, id);
		return;
	}
	h[1] = 0x10 | (h[1] & 0xf0);
	store16(h + 2, id);
}

void
classify_unmark(uint8_t *frame, const struct classify_ip *ip)
{
	uint8_t *h = frame + ip->at;
	uint16_t id = id_of(frame, ip);

	if (id < CLASSIFY_ID_BASE)
		return;
	if (ip->version == 4)
		replace16(h, 4, id & 0xefff);
	else
		store16(h + 2, id & 0xefff);
}
