/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <string.h>
#ifdef __SSE4_2__
#include <nmmintrin.h>
#endif

/* CRC32C (Castagnoli; RFC 3720, appendix B.4): one instruction for each 1, 4 or 8 bytes where the
 * code is compiled for SSE4.2, as that which uses DPDK is, and a table elsewhere; the values are
 * the same. */

/* The state before the first byte; the checksum is the complement of the state after the last. */
#define CRC32C_INIT UINT32_MAX

extern const uint32_t crc32c_table[256];

/* The state 'crc' after so many more bytes at 'p'. */
static inline uint32_t
crc32c_add1(uint32_t crc, const uint8_t *p)
{
#ifdef __SSE4_2__
	return _mm_crc32_u8(crc, *p);
#else
	return crc32c_table[(crc ^ *p) & 0xff] ^ crc >> 8;
#endif
}

static inline uint32_t
crc32c_add4(uint32_t crc, const uint8_t *p)
{
#ifdef __SSE4_2__
	uint32_t word;

	memcpy(&word, p, sizeof(word));
	return _mm_crc32_u32(crc, word);
#else
	for (size_t i = 0; i < 4; i++)
		crc = crc32c_add1(crc, p + i);
	return crc;
#endif
}

static inline uint32_t
crc32c_add8(uint32_t crc, const uint8_t *p)
{
#if defined(__SSE4_2__) && defined(__x86_64__)
	uint64_t word;

	memcpy(&word, p, sizeof(word));
	return (uint32_t)_mm_crc32_u64(crc, word);
#else
	return crc32c_add4(crc32c_add4(crc, p), p + 4);
#endif
}

static inline uint32_t
crc32c(const uint8_t *data, size_t len)
{
	const uint8_t *const end = data + len;
	uint32_t crc = CRC32C_INIT;

	for (; end - data >= 8; data += 8)
		crc = crc32c_add8(crc, data);
	for (; data < end; data++)
		crc = crc32c_add1(crc, data);
	return ~crc;
}
