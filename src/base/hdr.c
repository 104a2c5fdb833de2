/* SPDX-License-Identifier: MIT */
#include "hdr.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

#include "base64.h"
#include "mem.h"

/* The format: a head of 40 bytes, all numbers big-endian, and the counts from that of value 0 up to
 * the last that is not 0, each as a signed number whose sign is its lowest bit (ZigZag), in groups
 * of seven bits, the lowest first (LEB128).  A negative one stands for so many zeros in a row.  The
 * compressed form is a head of 8 bytes and a zlib stream of all that. */

#define COOKIE 0x1c849313u	      /* V2, a byte a word */
#define COOKIE_COMPRESSED 0x1c849314u /* the same, compressed */
#define DIGITS 3
#define HEAD_SIZE 40
#define HEAD_COMPRESSED_SIZE 8
#define MAX_VARINT 5 /* bytes of a 32-bit count that was moved up by its sign */

static void
put32(uint8_t *p, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		p[i] = (uint8_t)(v >> (24 - 8 * i));
}

static void
put64(uint8_t *p, uint64_t v)
{
	put32(p, (uint32_t)(v >> 32));
	put32(p + 4, (uint32_t)v);
}

static uint8_t *
put_signed(uint8_t *p, int64_t v)
{
	uint64_t left = v < 0 ? (uint64_t)-v * 2 - 1 : (uint64_t)v * 2;

	while (left >= 0x80) {
		*p++ = (uint8_t)(left | 0x80);
		left >>= 7;
	}
	*p++ = (uint8_t)left;
	return p;
}

static uint8_t *
put_counts(uint8_t *p, const _Atomic uint32_t *counts, unsigned n)
{
	int64_t zeros = 0;

	for (unsigned i = 0; i < n; i++) {
		uint32_t count = atomic_load_explicit(&counts[i], memory_order_relaxed);

		if (count == 0) {
			zeros++;
			continue;
		}
		if (zeros > 0)
			p = put_signed(p, -zeros);
		zeros = 0;
		p = put_signed(p, count);
	}
	return p;
}

static void
put_head(uint8_t *p, uint32_t payload, uint64_t highest)
{
	static const double ratio = 1;
	uint64_t ratio_bits;

	memcpy(&ratio_bits, &ratio, sizeof(ratio_bits));
	put32(p, COOKIE);
	put32(p + 4, payload);
	put32(p + 8, 0); /* counts are not rotated */
	put32(p + 12, DIGITS);
	put64(p + 16, 1); /* lowest value */
	put64(p + 24, highest);
	put64(p + 32, ratio_bits);
}

int
hdr_encode(struct str *out, const _Atomic uint32_t *counts, unsigned n_counts, uint64_t highest,
	   struct err *err)
{
	uint8_t *plain = xcalloc(HEAD_SIZE + (size_t)n_counts * MAX_VARINT, 1);
	uint8_t *end = put_counts(plain + HEAD_SIZE, counts, n_counts);
	uLong plain_size = (uLong)(end - plain), room = compressBound(plain_size);
	uint8_t *packed = xcalloc(HEAD_COMPRESSED_SIZE + room, 1);
	char *text;
	int rc;

	put_head(plain, (uint32_t)(plain_size - HEAD_SIZE), highest);
	rc = compress(packed + HEAD_COMPRESSED_SIZE, &room, plain, plain_size);
	if (rc == Z_OK) {
		put32(packed, COOKIE_COMPRESSED);
		put32(packed + 4, (uint32_t)room);
		text = base64_encode(packed, HEAD_COMPRESSED_SIZE + room);
		str_addn(out, text, strlen(text));
		free(text);
	}
	free(packed);
	free(plain);
	return rc == Z_OK ? 0 : err_set(err, ENOMEM, "histogram: zlib refuses to compress it");
}
