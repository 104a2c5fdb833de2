/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdint.h>
#include <stdlib.h>
#include <time.h>

/* For unit tests, behind <cmocka.h>: random numbers, the same from a seed on every machine
 * (xorshift64*).  A test that calls rng_seed() has others in each run, and says how to repeat it;
 * one that does not has always the same. */

static uint64_t rng_state = 88172645463325252;

static inline uint64_t
rng(void)
{
	rng_state ^= rng_state >> 12;
	rng_state ^= rng_state << 25;
	rng_state ^= rng_state >> 27;
	return rng_state * 0x2545f4914f6cdd1dull;
}

/* 0 to n - 1, of the upper bits, which are the better ones. */
static inline uint32_t
rng_below(uint32_t n)
{
	return (uint32_t)((rng() >> 32) * n >> 32);
}

/* From 0 up to, but not, 1. */
static inline double
rng_unit(void)
{
	return (double)(rng() >> 11) / (1ull << 53);
}

/* Starts anew from $NFVCHAIN_TEST_SEED, or from the time, and prints which it was. */
static inline void
rng_seed(const char *test)
{
	const char *given = getenv("NFVCHAIN_TEST_SEED");
	uint64_t seed = given != NULL ? strtoull(given, NULL, 0) : (uint64_t)time(NULL);

	print_message("# %s: NFVCHAIN_TEST_SEED=%llu\n", test, (unsigned long long)seed);
	rng_state = seed | 1;
}
