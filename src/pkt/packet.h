/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "frame.h"

/* Any frame, layer upon layer from Ethernet up:
 *
 *     packet_eth(&p, dst, src);
 *     packet_vlan(&p, 100, 0);
 *     packet_ipv4(&p, &(struct packet_ipv4){.src = ..., .dst = ..., .ttl = 64});
 *     packet_udp(&p, 1025, 12);
 *     packet_finish(&p, 64, err);
 *
 * Each layer names itself in the one below.  packet_finish gives the frame its size and fills in
 * lengths and checksums.  Where a layer begins is known until then and afterwards, so that fields
 * can be found by name.  Addresses and ports are in host order. */

#define PACKET_MAX_VLANS 2

struct packet {
	uint8_t bytes[FRAME_MAX_SIZE]; /* without FCS */
	uint16_t len;		       /* so far; in the end that of the frame */
	uint16_t type_at;	       /* of the field that names the layer above */
	uint16_t vlan_at[PACKET_MAX_VLANS];
	uint8_t n_vlans;
	uint16_t l3; /* offset of the IP header, 0: none */
	uint16_t l4; /* of what follows it, 0: nothing */
	bool is_ipv6;
	uint8_t proto;	       /* of 'l4' */
	bool udp_sums;	       /* a checksum also over IPv4, where none is needed */
	uint16_t payload_room; /* bytes that the caller has put behind the last layer */
};

struct packet_ipv4 {
	uint32_t src, dst;
	uint8_t ttl, tos, proto; /* proto where no layer follows that has one of its own */
	uint16_t id;
	bool df;
};

struct packet_ipv6 {
	uint8_t src[16], dst[16];
	uint8_t hops, traffic_class, next; /* as proto above */
	uint32_t label;
};

struct packet_tcp {
	uint16_t src, dst;
	uint32_t seq, ack;
	uint16_t window;
	uint8_t flags; /* FIN 1, SYN 2, RST 4, PSH 8, ACK 16, URG 32 */
};

void packet_eth(struct packet *p, const uint8_t dst[6], const uint8_t src[6]);
/* At most PACKET_MAX_VLANS, the outer one first; it is then a service tag (0x88a8). */
void packet_vlan(struct packet *p, uint16_t id, uint8_t priority);
void packet_type(struct packet *p, uint16_t ethertype); /* of what follows as payload */
void packet_ipv4(struct packet *p, const struct packet_ipv4 *ip);
void packet_ipv6(struct packet *p, const struct packet_ipv6 *ip);
void packet_udp(struct packet *p, uint16_t src, uint16_t dst);
void packet_tcp(struct packet *p, const struct packet_tcp *tcp);
void packet_icmp(struct packet *p, uint8_t type, uint8_t code);
/* Bytes behind the last layer; false when they do not fit. */
bool packet_payload(struct packet *p, const uint8_t *data, size_t len);

/* The frame is to have 'size' bytes with FCS (0: as many as it needs, 64 at least); what the
 * payload does not fill is a pattern.  Returns its length without FCS, or a sentence about the
 * size. */
int packet_finish(struct packet *p, uint16_t size, struct err *err);
