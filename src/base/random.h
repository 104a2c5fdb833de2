/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Random numbers for what must come out the same from the same seed, on every machine and in every
 * later version: orders of measurements, resampling.  xoshiro256** (Blackman and Vigna, 2018), its
 * state filled by splitmix64.  Not for secrets. */
struct random {
	uint64_t s[4];
};

/* splitmix64's step from one number to the next, and what makes a random number of each: number 'i'
 * of sequence 'seed' is random_mix(seed + i * RANDOM_GAMMA), without those before it. */
#define RANDOM_GAMMA 0x9e3779b97f4a7c15ull

static inline uint64_t
random_mix(uint64_t z)
{
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

/* Starts sequence number 'stream' of 'seed'; different streams have nothing to do with each other,
 * so that the order of block 7 can be told without drawing those before it. */
void random_init(struct random *r, uint64_t seed, uint64_t stream);

uint64_t random_next(struct random *r);
/* 0 to n - 1, all with the same probability; n > 0. */
uint64_t random_below(struct random *r, uint64_t n);
/* From 0 up to, but not, 1. */
double random_unit(struct random *r);
/* Standard normal. */
double random_normal(struct random *r);
/* Puts 'v' into random order. */
void random_shuffle(struct random *r, unsigned *v, size_t n);
