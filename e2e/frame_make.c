/* SPDX-License-Identifier: MIT */
#include "frame_make.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/mem.h"
#include "base/random.h"

#define MACS 12
#define TAGGED 20  /* the shortest frame with a tag in it */
#define FOREIGN 64 /* one frame in so many is for somebody else */

bool
frame_is_foreign(uint64_t i)
{
	return random_mix(i * RANDOM_GAMMA + 1) % FOREIGN == 0;
}

static unsigned
draw_length(const struct frame_maker *j, struct random *r)
{
	unsigned max = j->max;

	/* Small ones, usual ones, and any. */
	switch (random_below(r, 4)) {
	case 0:
	case 1:
		max = j->max < 124 ? j->max : 124;
		break;
	case 2:
		max = j->max < 1514 ? j->max : 1514;
		break;
	default:
		if (random_below(r, 8) == 0)
			return j->max;
	}
	return j->min + (unsigned)random_below(r, max - j->min + 1);
}

/* Begins as UDP over IPv4, and then some bytes are others, or all of them are. */
static void
fill(const struct frame_maker *j, struct random *r, uint8_t *p, unsigned len)
{
	static const uint8_t head[] = {0x08, 0x00, 0x45, 0, 0, 46, 0,  0, 0, 0, 64, 17,
				       0,    0,	   16,	 0, 0, 1,  48, 0, 0, 1, 4,  1};
	unsigned n = (unsigned)random_below(r, 24);

	for (unsigned i = 0; i < len; i += 8) {
		uint64_t word = random_next(r);

		memcpy(p + i, &word, len - i < 8 ? len - i : 8);
	}
	if (n < 20 && len >= MACS + sizeof(head)) {
		memcpy(p + MACS, head, sizeof(head));
		for (unsigned i = 0; i < n % 4; i++)
			p[MACS + random_below(r, sizeof(head))] = (uint8_t)random_next(r);
	}
	/* A few of everything that a kernel or a driver might look into. */
	if (n == 19 && len >= TAGGED) {
		static const uint16_t types[] = {0x8100, 0x86dd, 0x0806, 0x88cc, 0x8847, 0x0000};
		uint16_t type = htons(types[random_below(r, N_ELEMS(types))]);

		memcpy(p + MACS, &type, 2);
	}
	if (!j->tags && p[MACS] == 0x88 && p[MACS + 1] == 0xa8)
		p[MACS + 1] = 0xa7;
	/* A tag and no type behind it: the kernel throws that away. */
	if (!j->tags && p[MACS] == 0x81 && p[MACS + 1] == 0x00 && len < TAGGED)
		p[MACS + 1] = 0x01;
}

unsigned
frame_make(struct frame_maker *j, uint64_t i)
{
	struct random r;
	unsigned len;

	random_init(&r, j->seed, i);
	len = draw_length(j, &r);
	fill(j, &r, j->frame, len);
	memcpy(j->frame, j->hop, 6);
	j->frame[6] &= 0xfe;
	if (frame_is_foreign(i))
		j->frame[5] ^= 0x55;
	return len;
}
