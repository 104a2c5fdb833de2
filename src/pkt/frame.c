/* SPDX-License-Identifier: MIT */
#include "frame.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "cksum.h"
#include "sig.h"

#define ETH_IPV4 0x0800
#define ETH_IPV6 0x86dd
#define ETH_VLAN 0x8100
#define ETH_QINQ 0x88a8

#define PROTO_TCP 6
#define PROTO_UDP 17

#define FRAME_TTL 64
#define FRAME_TCP_MIN 20
#define FRAME_MAX_VLANS 2
#define IPV4_DF 0x4000
#define IPV4_FRAGMENT_OFFSET 0x1fff

static_assert(FRAME_L2 + FRAME_IPV4 + FRAME_UDP + SIG_SIZE + FRAME_FCS == FRAME_MIN_SIZE,
	      "a signature fits the smallest UDP/IPv4 frame");

static void
put16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static void
put32(uint8_t *p, uint32_t v)
{
	put16(p, (uint16_t)(v >> 16));
	put16(p + 2, (uint16_t)v);
}

static uint16_t
get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

void
frame_spec_init(struct frame_spec *spec)
{
	*spec = (struct frame_spec){
		.src_mac = {0x02, 0, 0, 0, 0, 0x01},
		.dst_mac = {0x02, 0, 0, 0, 0, 0x02},
		.size = FRAME_MIN_SIZE,
		.src_ip = 0xc6120001, /* 198.18.0.1 */
		.dst_ip = 0xc6130001, /* 198.19.0.1 */
		.dst_port = 9,
	};
}

uint16_t
frame_payload_offset(const struct frame_spec *spec)
{
	return (uint16_t)(FRAME_L2 + (spec->vlan != 0 ? FRAME_VLAN : 0) +
			  (spec->ipv6 ? FRAME_IPV6 : FRAME_IPV4) + FRAME_UDP);
}

uint16_t
frame_min_signed_size(const struct frame_spec *spec)
{
	return (uint16_t)(frame_payload_offset(spec) + SIG_SIZE + FRAME_FCS);
}

void
frame_fill(uint8_t *payload, size_t from, size_t to)
{
	/* Counts up, and each 256 bytes from one further on: a block that landed in the place of
	 * another shows. */
	for (size_t i = from; i < to; i++)
		payload[i] = (uint8_t)(i + (i >> 8));
}

static int
check_spec(const struct frame_spec *spec, size_t buf_size, struct err *err)
{
	uint16_t min = (uint16_t)(frame_payload_offset(spec) + FRAME_FCS);

	if (spec->size < FRAME_MIN_SIZE || spec->size > FRAME_MAX_SIZE)
		return err_usage(err, "frame size %u is not from %u to %u", spec->size,
				 FRAME_MIN_SIZE, FRAME_MAX_SIZE);
	if (spec->size < min)
		return err_usage(err, "frame size %u has no room for the headers, which take %u",
				 spec->size, min);
	if (spec->vlan > 4094)
		return err_usage(err, "VLAN id %u is not from 1 to 4094", spec->vlan);
	if (buf_size < (size_t)spec->size - FRAME_FCS)
		return err_set(err, ENOBUFS, "%zu bytes are no room for a frame of %u", buf_size,
			       spec->size - FRAME_FCS);
	return 0;
}

static uint8_t *
build_l2(uint8_t *p, const struct frame_spec *spec)
{
	memcpy(p, spec->dst_mac, 6);
	memcpy(p + 6, spec->src_mac, 6);
	p += 12;
	if (spec->vlan != 0) {
		put16(p, ETH_VLAN);
		put16(p + 2, spec->vlan);
		p += FRAME_VLAN;
	}
	put16(p, spec->ipv6 ? ETH_IPV6 : ETH_IPV4);
	return p + 2;
}

/* 'len' is that of the packet, IP header included. */
static void
build_ipv4(uint8_t *p, const struct frame_spec *spec, uint16_t len)
{
	memset(p, 0, FRAME_IPV4);
	p[0] = 0x45;
	put16(p + 2, len);
	put16(p + 6, IPV4_DF);
	p[8] = FRAME_TTL;
	p[9] = PROTO_UDP;
	put32(p + 12, spec->src_ip);
	put32(p + 16, spec->dst_ip);
	put16(p + 10, cksum_ipv4(p, FRAME_IPV4));
}

static void
build_ipv6(uint8_t *p, const struct frame_spec *spec, uint16_t len)
{
	static const uint8_t prefix[12] = {0x20, 0x01, 0x00, 0x02};

	memset(p, 0, FRAME_IPV6);
	p[0] = 0x60;
	put16(p + 4, (uint16_t)(len - FRAME_IPV6));
	p[6] = PROTO_UDP;
	p[7] = FRAME_TTL;
	memcpy(p + 8, prefix, sizeof(prefix));
	put32(p + 20, spec->src_ip);
	memcpy(p + 24, prefix, sizeof(prefix));
	put32(p + 36, spec->dst_ip);
}

/* 'len' is that of the UDP header and the payload. */
static void
build_udp(uint8_t *p, const struct frame_spec *spec, uint16_t len)
{
	put16(p, FRAME_FIRST_PORT);
	put16(p + 2, spec->dst_port);
	put16(p + 4, len);
	put16(p + 6, 0);
	frame_fill(p + FRAME_UDP, 0, (size_t)len - FRAME_UDP);
}

int
frame_build(const struct frame_spec *spec, uint8_t *buf, size_t buf_size, struct err *err)
{
	uint16_t len, ip_len, udp_len;
	uint8_t *ip, *udp;
	int rc;

	rc = check_spec(spec, buf_size, err);
	if (rc < 0)
		return rc;
	len = (uint16_t)(spec->size - FRAME_FCS);
	ip = build_l2(buf, spec);
	ip_len = (uint16_t)(len - (ip - buf));
	udp = ip + (spec->ipv6 ? FRAME_IPV6 : FRAME_IPV4);
	udp_len = (uint16_t)(len - (udp - buf));
	if (spec->ipv6)
		build_ipv6(ip, spec, ip_len);
	else
		build_ipv4(ip, spec, ip_len);
	build_udp(udp, spec, udp_len);
	/* UDP over IPv6 must have a checksum (RFC 8200, 8.1). */
	if (spec->ipv6)
		put16(udp + 6, cksum_l4(ip, udp, udp_len));
	return len;
}

/* Ethernet and VLAN tags: offset of what follows, or 0 when it is not all there. */
static uint16_t
parse_l2(const uint8_t *buf, size_t len, struct frame_view *v)
{
	uint16_t at = FRAME_L2;

	if (len < FRAME_L2)
		return 0;
	v->ethertype = get16(buf + 12);
	while (v->n_vlans < FRAME_MAX_VLANS &&
	       (v->ethertype == ETH_VLAN || v->ethertype == ETH_QINQ)) {
		if (len < (size_t)at + FRAME_VLAN)
			return 0;
		v->ethertype = get16(buf + at + 2);
		v->n_vlans++;
		at += FRAME_VLAN;
	}
	return at;
}

/* The IP header at 'at': offset of what follows, or 0 when there is none that we know. */
static uint16_t
parse_ipv4(const uint8_t *buf, size_t len, uint16_t at, struct frame_view *v)
{
	const uint8_t *ip = buf + at;
	uint16_t hdr, total;

	if (len < (size_t)at + FRAME_IPV4 || ip[0] >> 4 != 4)
		return 0;
	hdr = (uint16_t)((ip[0] & 0x0f) * 4);
	total = get16(ip + 2);
	if (hdr < FRAME_IPV4 || len < (size_t)at + hdr || total < hdr)
		return 0;
	v->l3 = at;
	v->len = (uint32_t)at + total;
	v->proto = ip[9];
	if ((get16(ip + 6) & IPV4_FRAGMENT_OFFSET) != 0)
		return 0;
	return (uint16_t)(at + hdr);
}

static uint16_t
parse_ipv6(const uint8_t *buf, size_t len, uint16_t at, struct frame_view *v)
{
	const uint8_t *ip = buf + at;

	if (len < (size_t)at + FRAME_IPV6 || ip[0] >> 4 != 6)
		return 0;
	v->l3 = at;
	v->len = (uint32_t)at + FRAME_IPV6 + get16(ip + 4);
	v->proto = ip[6];
	return (uint16_t)(at + FRAME_IPV6);
}

/* Size of the L4 header at 'at' of which 'room' bytes are there, or 0. */
static uint16_t
l4_size(const uint8_t *l4, size_t room, uint8_t proto)
{
	uint16_t size;

	if (proto == PROTO_UDP)
		return room >= FRAME_UDP ? FRAME_UDP : 0;
	if (proto != PROTO_TCP || room < FRAME_TCP_MIN)
		return 0;
	size = (uint16_t)((l4[12] >> 4) * 4);
	return size >= FRAME_TCP_MIN && size <= room ? size : 0;
}

bool
frame_parse(const uint8_t *buf, size_t len, struct frame_view *v)
{
	uint16_t l3, l4 = 0, size;
	size_t end;

	*v = (struct frame_view){0};
	l3 = parse_l2(buf, len, v);
	if (l3 == 0)
		return false;
	if (v->ethertype == ETH_IPV4)
		l4 = parse_ipv4(buf, len, l3, v);
	else if (v->ethertype == ETH_IPV6)
		l4 = parse_ipv6(buf, len, l3, v);
	if (l4 == 0)
		return false;
	/* Padding is not part of the packet, whatever it looks like. */
	end = v->len < len ? v->len : len;
	size = end > l4 ? l4_size(buf + l4, end - l4, v->proto) : 0;
	if (size == 0)
		return false;
	v->l4 = l4;
	v->payload = (uint16_t)(l4 + size);
	return true;
}
