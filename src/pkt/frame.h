/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* Frames as bytes.  'size' is with FCS (64 ... 9216), 'len' without (size - 4); addresses and ports
 * in structs are in host order, on the wire big-endian. */

#define FRAME_FCS 4
#define FRAME_MIN_SIZE 64
#define FRAME_MAX_SIZE 9216

#define FRAME_L2 14
#define FRAME_VLAN 4
#define FRAME_IPV4 20
#define FRAME_IPV6 40
#define FRAME_UDP 8

/* What a UDP test frame looks like.  Flow f of the frame differs in source port and source address:
 * port 49152 + f % 16384, address src + f / 16384, so that 1,000,000 flows take 62 addresses. */
struct frame_spec {
	uint8_t src_mac[6];
	uint8_t dst_mac[6];
	uint16_t size; /* with FCS */
	uint16_t vlan; /* VLAN id 1 to 4094, or 0 for none */
	bool ipv6;
	uint32_t src_ip; /* IPv4; IPv6 is 2001:2::/48 (RFC 5180) with these 32 bits at the end */
	uint32_t dst_ip;
	uint16_t dst_port;
};

#define FRAME_FIRST_PORT 49152u
#define FRAME_FLOW_PORTS 16384u
#define FRAME_MAX_FLOWS 1000000u

/* Defaults: 198.18.0.1 -> 198.19.0.1 (RFC 2544 appendix C.2.2), UDP port 9 (discard), 64 bytes. */
void frame_spec_init(struct frame_spec *spec);

/* Bytes of headers before the L4 payload; smallest size (with FCS) that carries a signature. */
uint16_t frame_payload_offset(const struct frame_spec *spec);
uint16_t frame_min_signed_size(const struct frame_spec *spec);

/* Writes the frame of flow 0 into 'buf' of at least spec->size - 4 bytes: headers with valid
 * checksums (UDP over IPv4 carries 0, none; over IPv6 a valid one over the payload as written), no
 * signature, payload bytes as frame_fill gives them.  Returns its length without FCS.  For frames
 * with a signature, of any flow, see template.h. */
int frame_build(const struct frame_spec *spec, uint8_t *buf, size_t buf_size, struct err *err);

/* Writes bytes 'from' to 'to' - 1 of the payload pattern; it is the same for every size, so that a
 * buffer stays valid. */
void frame_fill(uint8_t *payload, size_t from, size_t to);

/* Where the parts of a received frame lie.  Offsets are 0 when the part is absent. */
struct frame_view {
	uint16_t l3;	    /* offset of the IP header */
	uint16_t l4;	    /* offset of the UDP or TCP header */
	uint16_t payload;   /* offset of the L4 payload */
	uint32_t len;	    /* of the frame by what its IP header claims; 0 without IP */
	uint16_t ethertype; /* after VLAN tags */
	uint8_t n_vlans;
	uint8_t proto; /* IP protocol, 17 = UDP */
};

/* Parses Ethernet, up to two VLAN tags (0x8100, 0x88a8), IPv4 or IPv6 without extension headers,
 * UDP or TCP.  Never reads beyond 'len'; returns false when it is not such a frame or its headers
 * are not all there ('v' then tells how far it came), and for fragments but the first.  A frame
 * that was cut behind its headers is one: v->len > 'len'.  Checksums are not looked at. */
bool frame_parse(const uint8_t *buf, size_t len, struct frame_view *v);
