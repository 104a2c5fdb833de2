/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "base/err.h"

/* What disturbed a trial: how long lcores of the data plane were kept from running, and whether
 * that matters at the trial's load.  Decided without a look at what was lost. */

#define NOISE_UNKNOWN UINT64_MAX
#define NOISE_MAX_LCORES 64
#define NOISE_MAX_CPUS 64

/* A lcore of a hop.  A hop that is not ours does not tell its gaps: what the kernel knows of its
 * busiest thread stands for it. */
struct noise_lcore {
	char hop[32];
	uint64_t lcore; /* its number in the hop, or NOISE_UNKNOWN */
	/* By the clock of the lcore itself; see dpdk/gaps.h. */
	uint64_t gap_max_ns;
	uint64_t wait_max_ns; /* longest pause that it asked for: a yield, a sleep */
	uint64_t gaps_20us, gaps_sum_ns;
	uint64_t gaps_1ms, gaps_1ms_ns;
	/* By the kernel. */
	uint64_t run_delay_ns;	/* runnable, and did not run */
	uint64_t neighbours_ns; /* CPU time of the chain's other threads on the same CPU */
	uint64_t neighbours;	/* how many of those took a noticeable share */
	uint64_t nivcsw; /* involuntary switches, without its own yields where that can be told */
};

struct noise_cpu {
	uint64_t cpu;
	uint64_t steal_ns;	/* resolution of the kernel's tick */
	uint64_t spin_slow_ppm; /* a fixed piece of work, before and after the trial, took so much
				 * longer than the shortest time seen: clock rate, neighbours */
};

struct trial_noise {
	/* The generator's lcore. */
	uint64_t gap_max_ns; /* longest time between two rounds of its loop */
	uint64_t gaps_20us;  /* gaps of more than 20 us, as far as its work does not explain them */
	uint64_t gaps_sum_ns;	/* their sum */
	uint64_t run_delay_ns;	/* it was runnable and did not run (schedstat) */
	uint64_t steal_ns;	/* all CPUs, resolution of the kernel's tick */
	uint64_t nivcsw;	/* its involuntary switches while it sent */
	uint64_t gaps_1ms;	/* gaps of more than 1 ms */
	uint64_t gaps_1ms_ns;	/* their sum */
	uint64_t neighbours_ns; /* these two as for a hop's lcore */
	uint64_t neighbours;
	uint64_t psi_ns;     /* some task of the machine waited for a CPU (PSI) */
	uint64_t ring_slots; /* frames that the shortest ring of the chain takes */

	size_t n_lcores;
	struct noise_lcore lcore[NOISE_MAX_LCORES]; /* of the hops, in the order of the chain */
	size_t n_cpus;
	struct noise_cpu cpu[NOISE_MAX_CPUS]; /* those of the data plane */
};

/* Nothing is known. */
void noise_init(struct trial_noise *n);
void noise_lcore_init(struct noise_lcore *l, const char *hop);

/* Did it matter?  A lcore was kept away so long at once that 'pps' fill the free slots of a ring,
 * or longer than anything does in passing, or for too great a share of 'elapsed_ns'.  Then 'why'
 * tells which and where: "a stall of 12.0 ms on vnf1's lcore". */
bool noise_matters(const struct trial_noise *n, double pps, uint64_t elapsed_ns, char *why,
		   size_t size);

/* Frames that the absences explain, at most: what 'pps' brings in each beyond the free slots of a
 * ring; when lcores were away for a great share of the time the rings count only once, for then
 * they have no time to empty in between. */
uint64_t noise_explains(const struct trial_noise *n, double pps, uint64_t elapsed_ns);

/* Slots that were late because the generator was away, at most. */
uint64_t noise_explains_late(const struct trial_noise *n, double pps);

/* The integers under their names, unknown as null; "lcores" and "cpus" as lists.  What is missing
 * reads as unknown. */
json_t *noise_to_json(const struct trial_noise *n);
int noise_from_json(struct trial_noise *n, const json_t *json, struct err *err);
