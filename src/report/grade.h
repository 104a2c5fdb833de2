/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

/* What a machine's figures are worth, in one letter: A for one that does nothing else and lets
 * nobody take a CPU, F for one on which nothing can be measured.  The letter is the worst that any
 * single fact allows, so that no good fact hides a bad one. */

/* Ratios and counts that are not known are NAN, or below 0 for integers. */
struct grade_facts {
	/* Of about a second of looking at the CPUs of the chain before it is there, the worst CPU:
	 */
	double away_share; /* share of the time that was taken from it, in gaps > 20 us */
	double gaps_per_s; /* gaps > 1 ms */
	double gap_max_ns;
	double steal_share;    /* of all CPUs' time, by a hypervisor */
	double pressure_share; /* of the time some task waited for a CPU (PSI), before the look */
	int n_cpus;	       /* that the chain may use */
	int n_lcores;	       /* that it has */
	int hugepages;	       /* 1: some are free, 0: none */
	int smt;	       /* 1: neighbours share cores */
	int isolated;	       /* 1: the kernel keeps others off some CPUs */
	int is_virtual;
	char governor[32]; /* "" unknown */
	char thp[16];	   /* transparent hugepages: "always", "madvise", "never", "" */
	char clocksource[32];
};

/* Nothing is known. */
void grade_facts_init(struct grade_facts *f);
/* Takes what environment_capture found out. */
void grade_facts_take(struct grade_facts *f, const json_t *environment);

/* {letter: "A".."F", because: [sentence], raise: [sentence]}: what keeps it from being better, the
 * worst first, and what would raise it. */
json_t *grade_of(const struct grade_facts *f);
