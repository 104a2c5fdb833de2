/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "counters.h"

/* Times in which an lcore was not there: gaps between two rounds of its loop that are longer than
 * its work explains.  The lcore compares the time of each round with GAPS_SHORT_NS and comes here
 * only for those above; others read.
 *
 * All are running totals, so that any number of readers can take differences.  A longest gap has
 * no difference; it is that of a window, and a new window begins when the reader who owns them says
 * so: the lcore forgets the longest at the first gap that it finds in a new one. */

#define GAPS_SHORT_NS 20000
#define GAPS_LONG_NS 1000000 /* no round of sane work is that long */

struct gaps {
	counter_t n_20us;      /* gaps of more than 20 us */
	counter_t sum_ns;      /* their sum */
	counter_t n_1ms;       /* those of more than 1 ms */
	counter_t sum_1ms_ns;  /* their sum */
	counter_t max_ns;      /* longest of the window */
	counter_t wait_max_ns; /* longest of the window that the lcore asked for: a yield, a
				* sleep; those are in none of the above */
	counter_t window;      /* of which the longest are */
};

/* Notes a gap of 'ns'; 'asked' when the lcore gave its CPU away itself. */
void gaps_note(struct gaps *g, uint64_t ns, bool asked, uint64_t window);

/* Longest gaps within 'window'. */
uint64_t gaps_max(const struct gaps *g, uint64_t window);
uint64_t gaps_wait_max(const struct gaps *g, uint64_t window);
