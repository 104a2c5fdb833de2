/* SPDX-License-Identifier: MIT */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "pkt/cksum.h"
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

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* A block of exactly the frame's size, so that ASan sees any step beyond. */
	uint8_t *frame = malloc(size > 0 ? size : 1);
	struct frame_template t;
	struct frame_view v;
	struct err err;

	if (frame == NULL)
		return 0;
	if (size > 0)
		memcpy(frame, data, size);
	check_view(&v, frame_parse(frame, size, &v), size);
	if (frame_template_init(&t, frame, size, &err) == 0)
		check_template(&t, frame, size);
	free(frame);
	return 0;
}
