/* SPDX-License-Identifier: MIT */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "pkt/cksum.h"
#include "pkt/flow.h"
#include "pkt/template.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
require(bool holds)
{
	if (!holds)
		abort();
}

/* Offsets lie inside the frame, in order, and a frame that was taken has all of them. */
static void
check_view(const struct frame_view *v, bool taken, size_t size)
{
	require(v->l3 <= size && v->l4 <= size && v->payload <= size);
	require(v->n_vlans <= 2);
	if (!taken) {
		require(v->l4 == 0 && v->payload == 0);
		return;
	}
	require(v->l3 == FRAME_L2 + v->n_vlans * FRAME_VLAN);
	require(v->l4 >= v->l3 + FRAME_IPV4 && v->payload >= v->l4 + FRAME_UDP);
	require(v->len >= v->payload);
}

/* What a template emits is a frame again, with an intact signature and right checksums. */
static void
check_template(const struct frame_template *t, uint8_t *frame, size_t size)
{
	static const struct sig sent = {.time_ns = 1234567, .seq = 42, .stream = 7};
	struct frame_view v;
	struct sig s;

	frame_emit(t, frame, 54321, &sent);
	require(frame_parse(frame, size, &v) && v.len == size && v.payload == t->payload);
	require(sig_read(frame + v.payload, &s, (uint16_t)size) && s.seq == sent.seq);
	if (t->ipv6)
		require(cksum_l4(frame + v.l3, frame + v.l4, size - v.l4) ==
			(frame[v.l4 + 6] << 8 | frame[v.l4 + 7]));
	else
		require(cksum_finish(cksum_add(0, frame + v.l3, v.l4 - v.l3)) == 0);
}

/* Where frame_parse finds a UDP or TCP header, the key holds what is there.  It knows the first
 * fragment's ports, too, which are not part of the key. */
static void
check_key(const struct flow_key *key, const uint8_t *frame, const struct frame_view *v)
{
	static const uint8_t none[4];
	bool is_ipv4 = frame[v->l3] >> 4 == 4;

	require(key->len == (is_ipv4 ? 13 : 37) && key->bytes[0] == v->proto);
	require(memcmp(key->bytes + 5, frame + v->l3 + (is_ipv4 ? 12 : 8), is_ipv4 ? 8 : 32) == 0);
	if (is_ipv4 && (frame[v->l3 + 6] & 0x20) != 0)
		require(memcmp(key->bytes + 1, none, 4) == 0);
	else
		require(memcmp(key->bytes + 1, frame + v->l4, 4) == 0);
}

static void
check_flow(const uint8_t *frame, size_t size, const struct frame_view *v, bool taken)
{
	struct flow_key key;

	flow_key(frame, size, &key);
	require(key.len <= FLOW_KEY_SIZE && key.len <= size);
	if (taken)
		check_key(&key, frame, v);
	require(flow_hash(frame, size) == crc32c(key.bytes, key.len));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* A block of exactly the frame's size, so that ASan sees any step beyond. */
	uint8_t *frame = malloc(size > 0 ? size : 1);
	struct frame_template t;
	struct frame_view v;
	struct err err;
	bool taken;

	if (frame == NULL)
		return 0;
	if (size > 0)
		memcpy(frame, data, size);
	taken = frame_parse(frame, size, &v);
	check_view(&v, taken, size);
	check_flow(frame, size, &v, taken);
	if (frame_template_init(&t, frame, size, &err) == 0)
		check_template(&t, frame, size);
	free(frame);
	return 0;
}
