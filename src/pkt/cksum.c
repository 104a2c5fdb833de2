/* SPDX-License-Identifier: MIT */
#include "cksum.h"

#include <stdbool.h>

#define PROTO_UDP 17
#define UDP_CHECK 6
#define TCP_CHECK 16

uint32_t
cksum_add(uint32_t sum, const uint8_t *data, size_t len)
{
	size_t i;

	for (i = 0; i + 1 < len; i += 2)
		sum += (uint32_t)data[i] << 8 | data[i + 1];
	if (i < len)
		sum += (uint32_t)data[i] << 8;
	return sum;
}

uint16_t
cksum_finish(uint32_t sum)
{
	sum = (sum >> 16) + (sum & 0xffff);
	sum += sum >> 16;
	return (uint16_t)~sum;
}

/* Sum of 'data' with the 16-bit word at the even offset 'skip' taken as 0. */
static uint32_t
add_without(uint32_t sum, const uint8_t *data, size_t len, size_t skip)
{
	if (len < skip + 2)
		return cksum_add(sum, data, len);
	sum = cksum_add(sum, data, skip);
	return cksum_add(sum, data + skip + 2, len - skip - 2);
}

uint16_t
cksum_ipv4(const uint8_t *hdr, size_t len)
{
	return cksum_finish(add_without(0, hdr, len, 10));
}

uint16_t
cksum_l4(const uint8_t *ip, const uint8_t *l4, size_t l4_len)
{
	bool ipv6 = ip[0] >> 4 == 6;
	uint8_t proto = ipv6 ? ip[6] : ip[9];
	uint32_t sum;
	uint16_t check;

	/* The pseudo header: both addresses, length, protocol. */
	sum = ipv6 ? cksum_add(0, ip + 8, 32) : cksum_add(0, ip + 12, 8);
	sum += (uint32_t)(l4_len >> 16) + (l4_len & 0xffff) + proto;
	check = cksum_finish(
		add_without(sum, l4, l4_len, proto == PROTO_UDP ? UDP_CHECK : TCP_CHECK));
	/* 0 on the wire means that the sender computed none. */
	return check == 0 && proto == PROTO_UDP ? 0xffff : check;
}

uint16_t
cksum_update16(uint16_t check, uint16_t from, uint16_t to)
{
	return cksum_finish((uint32_t)(uint16_t)~check + (uint16_t)~from + to);
}

uint16_t
cksum_update32(uint16_t check, uint32_t from, uint32_t to)
{
	check = cksum_update16(check, (uint16_t)(from >> 16), (uint16_t)(to >> 16));
	return cksum_update16(check, (uint16_t)from, (uint16_t)to);
}
