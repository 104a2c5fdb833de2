/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdint.h>

/* Rates from counters that are read now and then, smoothed as TRex smooths them: half of what was,
 * half of what is new. */

struct rate_counter {
	uint64_t last;
	double per_s;
};

/* The counter stands at 'value', 'seconds' after the last time; 0: the first time. */
static inline void
rate_counter_update(struct rate_counter *r, uint64_t value, double seconds)
{
	if (seconds > 0)
		r->per_s = (r->per_s + (double)(value - r->last) / seconds) / 2;
	r->last = value;
}

struct port_rates {
	struct rate_counter tx, rx, tx_bytes, rx_bytes;
};

#define CPU_HISTORY 20

/* How busy the data lcore was. */
struct cpu_load {
	uint64_t last_busy_ns;
	double now;		      /* percent, of the last period */
	double smooth;		      /* percent */
	uint8_t history[CPU_HISTORY]; /* percent, newest first */
};

void cpu_load_update(struct cpu_load *cpu, uint64_t busy_ns, double seconds);
