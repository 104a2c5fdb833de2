/* SPDX-License-Identifier: MIT */
#include "packet.h"

#include <string.h>

#include "cksum.h"

#define TYPE_IPV4 0x0800
#define TYPE_IPV6 0x86dd
#define TYPE_VLAN 0x8100
#define TYPE_QINQ 0x88a8

#define PROTO_ICMP 1
#define PROTO_TCP 6
#define PROTO_UDP 17
#define PROTO_ICMPV6 58

#define IPV4_PROTO_AT 9
#define IPV4_SUM_AT 10
#define IPV6_NEXT_AT 6
#define TCP_SIZE 20
#define TCP_SUM_AT 16
#define UDP_SUM_AT 6
#define ICMP_SIZE 8
#define ICMP_SUM_AT 2
#define IPV4_DF 0x4000

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

/* A new layer of 'size' zeros; its first byte. */
static uint8_t *
grow(struct packet *p, uint16_t size)
{
	uint8_t *at = p->bytes + p->len;

	memset(at, 0, size);
	p->len = (uint16_t)(p->len + size);
	return at;
}

void
packet_eth(struct packet *p, const uint8_t dst[6], const uint8_t src[6])
{
	uint8_t *at;

	*p = (struct packet){.len = 0};
	at = grow(p, FRAME_L2);
	memcpy(at, dst, 6);
	memcpy(at + 6, src, 6);
	p->type_at = 12;
}

void
packet_type(struct packet *p, uint16_t ethertype)
{
	put16(p->bytes + p->type_at, ethertype);
}

void
packet_vlan(struct packet *p, uint16_t id, uint8_t priority)
{
	uint16_t at = p->len;

	if (p->n_vlans == PACKET_MAX_VLANS)
		return;
	put16(p->bytes + p->type_at, TYPE_VLAN);
	if (p->n_vlans > 0)
		put16(p->bytes + p->vlan_at[0] - 2, TYPE_QINQ);
	p->vlan_at[p->n_vlans++] = at;
	put16(grow(p, FRAME_VLAN), (uint16_t)(priority << 13 | id));
	p->type_at = (uint16_t)(at + 2);
}

void
packet_ipv4(struct packet *p, const struct packet_ipv4 *ip)
{
	uint8_t *at;

	packet_type(p, TYPE_IPV4);
	p->l3 = p->len;
	at = grow(p, FRAME_IPV4);
	at[0] = 0x45;
	at[1] = ip->tos;
	put16(at + 4, ip->id);
	put16(at + 6, ip->df ? IPV4_DF : 0);
	at[8] = ip->ttl;
	at[IPV4_PROTO_AT] = p->proto = ip->proto;
	put32(at + 12, ip->src);
	put32(at + 16, ip->dst);
}

void
packet_ipv6(struct packet *p, const struct packet_ipv6 *ip)
{
	uint8_t *at;

	packet_type(p, TYPE_IPV6);
	p->l3 = p->len;
	p->is_ipv6 = true;
	at = grow(p, FRAME_IPV6);
	put32(at, 6u << 28 | (uint32_t)ip->traffic_class << 20 | (ip->label & 0xfffff));
	at[IPV6_NEXT_AT] = p->proto = ip->next;
	at[7] = ip->hops;
	memcpy(at + 8, ip->src, 16);
	memcpy(at + 24, ip->dst, 16);
}

/* The layer behind IP is of protocol 'proto' and has a header of 'size'. */
static uint8_t *
layer_4(struct packet *p, uint8_t proto, uint16_t size)
{
	p->proto = proto;
	if (p->l3 != 0)
		p->bytes[p->l3 + (p->is_ipv6 ? IPV6_NEXT_AT : IPV4_PROTO_AT)] = proto;
	p->l4 = p->len;
	return grow(p, size);
}

void
packet_udp(struct packet *p, uint16_t src, uint16_t dst)
{
	uint8_t *at = layer_4(p, PROTO_UDP, FRAME_UDP);

	put16(at, src);
	put16(at + 2, dst);
}

void
packet_tcp(struct packet *p, const struct packet_tcp *tcp)
{
	uint8_t *at = layer_4(p, PROTO_TCP, TCP_SIZE);

	put16(at, tcp->src);
	put16(at + 2, tcp->dst);
	put32(at + 4, tcp->seq);
	put32(at + 8, tcp->ack);
	at[12] = TCP_SIZE / 4 << 4;
	at[13] = tcp->flags;
	put16(at + 14, tcp->window);
}

void
packet_icmp(struct packet *p, uint8_t type, uint8_t code)
{
	uint8_t *at = layer_4(p, p->is_ipv6 ? PROTO_ICMPV6 : PROTO_ICMP, ICMP_SIZE);

	at[0] = type;
	at[1] = code;
}

bool
packet_payload(struct packet *p, const uint8_t *data, size_t len)
{
	if (len > (size_t)FRAME_MAX_SIZE - FRAME_FCS - p->len)
		return false;
	memcpy(grow(p, (uint16_t)len), data, len);
	p->payload_room = (uint16_t)(p->payload_room + len);
	return true;
}

/* Where the checksum of the layer behind IP is, or 0 where it has none. */
static uint16_t
sum_at(const struct packet *p)
{
	if (p->l4 == 0)
		return 0;
	switch (p->proto) {
	case PROTO_UDP:
		return p->udp_sums || p->is_ipv6 ? (uint16_t)(p->l4 + UDP_SUM_AT) : 0;
	case PROTO_TCP:
		return (uint16_t)(p->l4 + TCP_SUM_AT);
	default:
		return (uint16_t)(p->l4 + ICMP_SUM_AT);
	}
}

/* The field itself is still 0. */
static uint16_t
sum_of(const struct packet *p)
{
	const uint8_t *ip = p->bytes + p->l3, *l4 = p->bytes + p->l4;
	const size_t len = (size_t)p->len - p->l4;
	uint32_t sum = 0;

	if (p->proto == PROTO_TCP || p->proto == PROTO_UDP)
		return cksum_l4(ip, l4, len);
	/* That of ICMPv6 covers addresses, length and protocol too (RFC 4443, 2.3). */
	if (p->is_ipv6)
		sum = cksum_add((uint32_t)len + p->proto, ip + 8, 32);
	return cksum_finish(cksum_add(sum, l4, len));
}

static void
fill_in(struct packet *p)
{
	uint16_t at = sum_at(p);
	uint8_t *ip = p->bytes + p->l3;

	if (p->l3 == 0)
		return;
	put16(ip + (p->is_ipv6 ? 4 : 2),
	      (uint16_t)(p->len - p->l3 - (p->is_ipv6 ? FRAME_IPV6 : 0)));
	if (!p->is_ipv6)
		put16(ip + IPV4_SUM_AT, cksum_ipv4(ip, FRAME_IPV4));
	if (p->l4 != 0 && p->proto == PROTO_UDP)
		put16(p->bytes + p->l4 + 4, (uint16_t)(p->len - p->l4));
	if (at != 0)
		put16(p->bytes + at, sum_of(p));
}

int
packet_finish(struct packet *p, uint16_t size, struct err *err)
{
	const uint16_t need = (uint16_t)(p->len + FRAME_FCS);
	const uint16_t wanted = size != 0 ? size : need > FRAME_MIN_SIZE ? need : FRAME_MIN_SIZE;
	uint16_t room;

	if (wanted < FRAME_MIN_SIZE || wanted > FRAME_MAX_SIZE)
		return err_usage(err, "frame size %u is not from %u to %u", wanted, FRAME_MIN_SIZE,
				 FRAME_MAX_SIZE);
	if (wanted < need)
		return err_usage(err,
				 "frame size %u has no room for its headers and payload, which "
				 "take %u",
				 wanted, need);
	room = (uint16_t)(wanted - need);
	frame_fill(p->bytes + p->len - p->payload_room, p->payload_room,
		   (size_t)p->payload_room + room);
	p->len = (uint16_t)(p->len + room);
	fill_in(p);
	return p->len;
}
