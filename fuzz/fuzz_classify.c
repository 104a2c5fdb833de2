/* SPDX-License-Identifier: MIT */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "pkt/cksum.h"
#include "pkt/classify.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
require(bool holds)
{
	if (!holds)
		abort();
}

static void
check_ip(const struct classify_ip *ip, size_t size)
{
	require(ip->version == 4 || ip->version == 6);
	require(ip->at >= FRAME_L2 && ip->at + (ip->version == 4 ? 20u : 40u) <= size);
	require(ip->l4 >= ip->at + (ip->version == 4 ? 20 : 40));
}

/* A marked frame has the mark; of IPv4, a checksum as right or wrong as before. */
static void
check_mark(uint8_t *frame, size_t size, const struct classify_ip *ip)
{
	uint8_t *h = frame + ip->at;
	size_t hdr = (size_t)(h[0] & 0x0f) * 4;
	bool all = ip->version == 4 && ip->at + hdr <= size, right;

	right = all && cksum_finish(cksum_add(0, h, hdr)) == 0;
	classify_mark(frame, ip, 0xfc07);
	require(!all || right == (cksum_finish(cksum_add(0, h, hdr)) == 0));
	require(classify_load16(h + (ip->version == 4 ? 4 : 2)) == 0xfc07);
	classify_unmark(frame, ip);
	require(classify_load16(h + (ip->version == 4 ? 4 : 2)) == 0xec07);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* A block of exactly the frame's size, so that ASan sees any step beyond. */
	uint8_t *frame = malloc(size > 0 ? size : 1);
	struct classify_ip ip, inner;
	struct classified c;

	if (frame == NULL || size > UINT16_MAX) {
		free(frame);
		return 0;
	}
	if (size > 0)
		memcpy(frame, data, size);
	require(classify_id(frame, size) == classify_id_any(frame, size));
	require(classify_payload_len(frame, size) <= size);
	(void)classify(classify_id(frame, size),
		       size >= TRAILER_SIZE ? frame + size - TRAILER_SIZE : NULL, 0, 1 << 20, &c);
	if (!classify_ip(frame, size, &ip)) {
		require(classify_id(frame, size) == 0);
	} else {
		check_ip(&ip, size);
		if (classify_inner_ip(frame, size, &ip, &inner)) {
			check_ip(&inner, size);
			require(inner.at >= ip.l4 + 16 + FRAME_L2);
			check_mark(frame, size, &inner);
		}
		check_mark(frame, size, &ip);
	}
	free(frame);
	return 0;
}
