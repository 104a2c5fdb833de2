/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "crc32c.h"

/* Which flow a frame belongs to, as one number.
 *
 * The hash is the CRC32C of the flow's key.  Where IP is, the key is, in network order: protocol (1
 * byte), source port, destination port (2 each), source address, destination address (4 or 16
 * each).  The ports are those of UDP, TCP and SCTP, and 0 for anything else, for fragments (the
 * first one too: all of a packet stay together) and behind IPv6's extension headers.  A frame
 * without IP, or with an IP header that is not all there, has its two MAC addresses for a key, 12
 * bytes as they lie.  VLAN tags, sizes and payloads do not matter.
 *
 * Addresses stand last because of what this makes of the flows that differ in a few bits of a port,
 * as those of a generator do: 2, 4, 8 ... 512 flows with neighbouring source ports have, over IPv4,
 * all different last bits, so that 2, 4 or 8 queues by hash mod N get the same number of them. */

#define FLOW_KEY_SIZE 37 /* of IPv6 */

struct flow_key {
	uint8_t bytes[FLOW_KEY_SIZE];
	uint8_t len; /* 0 when not even the MAC addresses are there, else 12, 13 or 37 */
};

/* Fills in the key of a frame of 'len' bytes, of which none beyond is read: at most two VLAN tags
 * (0x8100, 0x88a8), IPv4 with options, IPv6. */
void flow_key(const uint8_t *frame, size_t len, struct flow_key *key);

/* Any frame's hash, by way of its key. */
static inline uint32_t
flow_hash_any(const uint8_t *frame, size_t len)
{
	struct flow_key key;

	flow_key(frame, len, &key);
	return crc32c(key.bytes, key.len);
}

#define FLOW_PLAIN_MIN 38 /* Ethernet, IPv4 without options, two ports */

/* Is this one of those that nearly all frames are, UDP or TCP over IPv4 without tag, option or
 * fragment?  Its key lies at fixed places. */
static inline bool
flow_is_plain(const uint8_t *frame, size_t len)
{
	uint32_t type_version; /* and the type of service */
	uint16_t fragment;

	if (len < FLOW_PLAIN_MIN)
		return false;
	memcpy(&type_version, frame + 12, sizeof(type_version));
	memcpy(&fragment, frame + 20, sizeof(fragment));
	return (__builtin_bswap32(type_version) & 0xffffff00) == 0x08004500 &&
	       (__builtin_bswap16(fragment) & 0x3fff) == 0 && (frame[23] == 17 || frame[23] == 6);
}

/* The hash of a frame of 'len' bytes: no more than these are read. */
static inline uint32_t
flow_hash(const uint8_t *frame, size_t len)
{
	uint32_t crc = CRC32C_INIT;

	if (__builtin_expect(!flow_is_plain(frame, len), 0))
		return flow_hash_any(frame, len);
	crc = crc32c_add1(crc, frame + 23);
	crc = crc32c_add4(crc, frame + 34);
	return ~crc32c_add8(crc, frame + 26);
}
