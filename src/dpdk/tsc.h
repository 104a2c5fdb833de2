/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdint.h>

/* How fast the CPU's time stamp counter runs, by the kernel's clock (CLOCK_MONOTONIC, which is what
 * everybody else measures with).
 *
 * DPDK asks the CPU, or where that does not tell looks for 100 ms and rounds to 10 MHz: up to 5 MHz
 * off, which of 2.1 GHz is 0.24 %, and all rates and times would be.  Two looks 100 ms apart are
 * good for a millionth, each the narrowest of many, so that what interrupts one does not count. */

/* A moment by both clocks. */
struct tsc_look {
	uint64_t tsc, ns;
	uint64_t width_tsc; /* it is known to that */
};

struct tsc_look tsc_look(void);

/* Ticks a second between two moments, the later one second. */
double tsc_rate(const struct tsc_look *from, const struct tsc_look *to);

/* The first look, as early in the program as may be; further calls do nothing. */
void tsc_start(void);
/* The rate, the same each time.  The first call takes the second look, and waits until the first is
 * 100 ms past.  DPDK's own figure where the two are so far apart (1 %) that a clock must have been
 * set meanwhile. */
uint64_t tsc_hz(void);
