/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Looks at CPUs from inside: a thread on each does nothing but read the clock, in pieces of always
 * the same work.  What is missing between two readings somebody took; how fast the fastest piece
 * was tells the clock rate and whether a neighbour shares the core. */

struct spin {
	int cpu; /* to be set */
	/* Found out. */
	bool known; /* the thread could be placed there */
	uint64_t elapsed_ns;
	uint64_t piece_ns;     /* of the fastest piece */
	uint64_t gap_max_ns;   /* longest time between two readings */
	uint64_t gaps_20us;    /* of more than 20 us */
	uint64_t gaps_20us_ns; /* their sum */
	uint64_t gaps_1ms;     /* of more than 1 ms */
};

/* Looks at all 'n' CPUs at once, for 'duration_ns'. */
void spin_run(struct spin *spin, size_t n, uint64_t duration_ns);
