/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdint.h>
#include <string.h>

#include <rte_branch_prediction.h>
#include <rte_byteorder.h>
#include <rte_mbuf.h>

#ifdef __SSE4_2__
#include <nmmintrin.h>
#else
#include <rte_hash_crc.h>
#endif

/* Which flow a frame belongs to: a CRC32C of its addresses, protocol and ports where it is TCP or
 * UDP over IP, behind VLAN tags or not; of its addresses and protocol where it is a fragment or
 * another protocol, so that all fragments of a datagram stay together; of its MAC addresses else.
 * No byte behind the first segment's length is looked at, and what is cut short counts as less. */

static inline uint32_t
flow_crc_u64(uint32_t crc, uint64_t value)
{
#ifdef __SSE4_2__
	return (uint32_t)_mm_crc32_u64(crc, value);
#else
	return rte_hash_crc_8byte(value, crc);
#endif
}

/* What flow_hash leaves: all but plain TCP and UDP over IPv4. */
uint32_t flow_hash_other(const uint8_t *data, uint32_t len);

/* Of untagged IPv4 without options. */
#define FLOW_TYPE_AND_VERSION 12 /* EtherType, version and header length */
#define FLOW_FRAGMENT 20
#define FLOW_PROTOCOL 23
#define FLOW_ADDRESSES 26
#define FLOW_PORTS 34
#define FLOW_PLAIN_LEN 38

static inline uint32_t
flow_hash_tuple(uint64_t addresses, uint32_t ports, uint8_t protocol)
{
	return flow_crc_u64(flow_crc_u64(0, addresses), (uint64_t)protocol << 32 | ports);
}

/* 20 instructions for a plain frame. */
static __rte_always_inline uint32_t
flow_hash(const struct rte_mbuf *m)
{
	const uint8_t *data = rte_pktmbuf_mtod(m, const uint8_t *);
	uint32_t type, ports;
	uint64_t addresses;
	uint16_t fragment;
	uint8_t protocol;

	if (unlikely(m->data_len < FLOW_PLAIN_LEN))
		return flow_hash_other(data, m->data_len);
	memcpy(&type, data + FLOW_TYPE_AND_VERSION, sizeof(type));
	memcpy(&fragment, data + FLOW_FRAGMENT, sizeof(fragment));
	protocol = data[FLOW_PROTOCOL];
	if (unlikely((type & RTE_LE32(0xffffff)) != RTE_LE32(0x450008) ||
		     (fragment & RTE_BE16(0x3fff)) != 0 || (protocol != 17 && protocol != 6)))
		return flow_hash_other(data, m->data_len);
	memcpy(&addresses, data + FLOW_ADDRESSES, sizeof(addresses));
	memcpy(&ports, data + FLOW_PORTS, sizeof(ports));
	return flow_hash_tuple(addresses, ports, protocol);
}
