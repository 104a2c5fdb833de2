/* SPDX-License-Identifier: MIT */
#include "random.h"

#include <math.h>

/* splitmix64: neighbouring inputs give unrelated outputs. */
static uint64_t
mix(uint64_t *state)
{
	return random_mix(*state += RANDOM_GAMMA);
}

void
random_init(struct random *r, uint64_t seed, uint64_t stream)
{
	uint64_t state = seed;

	/* Mixed before the stream is added: seed 1, stream 2 is not seed 2, stream 1. */
	state = mix(&state) + stream;
	for (unsigned i = 0; i < 4; i++)
		r->s[i] = mix(&state);
}

static uint64_t
rotate(uint64_t x, unsigned bits)
{
	return x << bits | x >> (64 - bits);
}

uint64_t
random_next(struct random *r)
{
	uint64_t *s = r->s;
	uint64_t result = rotate(s[1] * 5, 7) * 9;
	uint64_t t = s[1] << 17;

	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = rotate(s[3], 45);
	return result;
}

uint64_t
random_below(struct random *r, uint64_t n)
{
	/* The upper half of a product is the number; which products are one too many of some
	 * numbers, the lower half tells (Lemire, 2019).  Hardly ever does it take the division. */
	unsigned __int128 product = (unsigned __int128)random_next(r) * n;

	if ((uint64_t)product < n) {
		uint64_t surplus = -n % n;

		while ((uint64_t)product < surplus)
			product = (unsigned __int128)random_next(r) * n;
	}
	return (uint64_t)(product >> 64);
}

double
random_unit(struct random *r)
{
	return (double)(random_next(r) >> 11) * 0x1p-53;
}

double
random_normal(struct random *r)
{
	double radius = sqrt(-2 * log(1 - random_unit(r)));

	return radius * cos(2 * M_PI * random_unit(r));
}

void
random_shuffle(struct random *r, unsigned *v, size_t n)
{
	for (size_t i = n; i > 1; i--) {
		size_t j = random_below(r, i);
		unsigned swap = v[i - 1];

		v[i - 1] = v[j];
		v[j] = swap;
	}
}
