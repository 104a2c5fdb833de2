/* SPDX-License-Identifier: MIT */
#include "flow.h"

#include <stdbool.h>

#define ETHER_LEN 14
#define TAG_LEN 4
#define MAX_TAGS 2
#define IPV4_LEN 20
#define IPV6_LEN 40

static uint16_t
be16_at(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static uint64_t
u64_at(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

/* The ports at 'at', as they lie, or 0 for what has none there. */
static uint32_t
ports_at(const uint8_t *data, uint32_t len, uint32_t at, uint8_t protocol)
{
	uint32_t ports = 0;

	if ((protocol == 6 || protocol == 17) && at + sizeof(ports) <= len)
		memcpy(&ports, data + at, sizeof(ports));
	return ports;
}

static uint32_t
hash_macs(const uint8_t *data, uint32_t len)
{
	uint8_t macs[16] = {0};

	memcpy(macs, data, len < 12 ? len : 12);
	return flow_crc_u64(flow_crc_u64(0, u64_at(macs)), u64_at(macs + 8));
}

static bool
hash_ipv4(const uint8_t *data, uint32_t len, uint32_t at, uint32_t *hash)
{
	const uint8_t *ip = data + at;
	uint32_t header;

	if (at + IPV4_LEN > len)
		return false;
	header = (ip[0] & 0xfu) * 4;
	if (ip[0] >> 4 != 4 || header < IPV4_LEN)
		return false;
	/* Later fragments have no ports: so that all go one way, none has. */
	*hash = flow_hash_tuple(
		u64_at(ip + 12),
		be16_at(ip + 6) & 0x3fff ? 0 : ports_at(data, len, at + header, ip[9]), ip[9]);
	return true;
}

static bool
hash_ipv6(const uint8_t *data, uint32_t len, uint32_t at, uint32_t *hash)
{
	const uint8_t *ip = data + at;
	uint32_t crc = 0;

	if (at + IPV6_LEN > len || ip[0] >> 4 != 6)
		return false;
	for (unsigned i = 0; i < 4; i++)
		crc = flow_crc_u64(crc, u64_at(ip + 8 + 8 * i));
	*hash = flow_crc_u64(crc,
			     (uint64_t)ip[6] << 32 | ports_at(data, len, at + IPV6_LEN, ip[6]));
	return true;
}

uint32_t
flow_hash_other(const uint8_t *data, uint32_t len)
{
	uint32_t at = ETHER_LEN, hash;
	uint16_t type;

	if (len < ETHER_LEN)
		return hash_macs(data, len);
	type = be16_at(data + at - 2);
	for (unsigned i = 0; i < MAX_TAGS && (type == 0x8100 || type == 0x88a8); i++) {
		if (at + TAG_LEN > len)
			return hash_macs(data, len);
		at += TAG_LEN;
		type = be16_at(data + at - 2);
	}
	if (type == 0x0800 && hash_ipv4(data, len, at, &hash))
		return hash;
	if (type == 0x86dd && hash_ipv6(data, len, at, &hash))
		return hash;
	return hash_macs(data, len);
}
