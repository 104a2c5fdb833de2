/* SPDX-License-Identifier: MIT */
#include "flow.h"

#include "frame.h"

#define ETH_IPV4 0x0800
#define ETH_IPV6 0x86dd
#define ETH_VLAN 0x8100
#define ETH_QINQ 0x88a8

#define MACS_SIZE 12
#define MAX_VLANS 2
#define IPV4_MORE_OR_OFFSET 0x3fff
#define PORTS_SIZE 4

static uint16_t
get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

/* The type of what lies behind Ethernet's header and the tags, and where: beyond 'len', perhaps. */
static uint16_t
skip_l2(const uint8_t *frame, size_t len, size_t *at)
{
	uint16_t type = len >= FRAME_L2 ? get16(frame + MACS_SIZE) : 0;

	*at = FRAME_L2;
	for (int i = 0; i < MAX_VLANS && (type == ETH_VLAN || type == ETH_QINQ); i++) {
		type = len >= *at + FRAME_VLAN ? get16(frame + *at + 2) : 0;
		*at += FRAME_VLAN;
	}
	return type;
}

static bool
has_ports(uint8_t proto)
{
	return proto == 6 || proto == 17 || proto == 132; /* TCP, UDP, SCTP */
}

/* 'ports' points at the L4 header, of which 'room' bytes are there. */
static void
set_ip_key(struct flow_key *key, uint8_t proto, const uint8_t *ports, size_t room,
	   const uint8_t *addrs, size_t addrs_size)
{
	key->bytes[0] = proto;
	memset(key->bytes + 1, 0, PORTS_SIZE);
	if (room >= PORTS_SIZE && has_ports(proto))
		memcpy(key->bytes + 1, ports, PORTS_SIZE);
	memcpy(key->bytes + 1 + PORTS_SIZE, addrs, addrs_size);
	key->len = (uint8_t)(1 + PORTS_SIZE + addrs_size);
}

/* The packet at 'ip' of which 'room' bytes are there. */
static bool
key_of_ipv4(struct flow_key *key, const uint8_t *ip, size_t room)
{
	size_t hdr;
	bool fragment;

	if (room < FRAME_IPV4 || ip[0] >> 4 != 4)
		return false;
	hdr = (size_t)(ip[0] & 0x0f) * 4;
	if (hdr < FRAME_IPV4 || hdr > room)
		return false;
	fragment = (get16(ip + 6) & IPV4_MORE_OR_OFFSET) != 0;
	set_ip_key(key, ip[9], ip + hdr, fragment ? 0 : room - hdr, ip + 12, 8);
	return true;
}

static bool
key_of_ipv6(struct flow_key *key, const uint8_t *ip, size_t room)
{
	if (room < FRAME_IPV6 || ip[0] >> 4 != 6)
		return false;
	set_ip_key(key, ip[6], ip + FRAME_IPV6, room - FRAME_IPV6, ip + 8, 32);
	return true;
}

void
flow_key(const uint8_t *frame, size_t len, struct flow_key *key)
{
	size_t l3;
	uint16_t type = skip_l2(frame, len, &l3);

	if (type == ETH_IPV4 && key_of_ipv4(key, frame + l3, len - l3))
		return;
	if (type == ETH_IPV6 && key_of_ipv6(key, frame + l3, len - l3))
		return;
	key->len = len >= MACS_SIZE ? MACS_SIZE : 0;
	memcpy(key->bytes, frame, key->len);
}
