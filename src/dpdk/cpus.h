/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

/* Sets of CPUs and lcores, as lists of small numbers. */

#define CPUS_MAX 1024
#define CPUS_TEXT 3072 /* bytes that the longest list takes: pairs with a gap between them */

struct cpus {
	bool has[CPUS_MAX];
	size_t n;
};

/* The CPUs this process may run on (sched_getaffinity). */
int cpus_allowed(struct cpus *set, struct err *err);
/* "0-3,7" and EAL's "0x8" mask form; a set of nothing is refused. */
int cpus_parse_list(const char *text, struct cpus *set, struct err *err);
int cpus_parse_mask(const char *text, struct cpus *set, struct err *err);
void cpus_add(struct cpus *set, unsigned cpu);
bool cpus_subset(const struct cpus *part, const struct cpus *whole);
/* "0-3,7" into 'buf', returned. */
char *cpus_print(char *buf, size_t size, const struct cpus *set);
/* Binds the calling thread to 'set' without those in 'but' (NULL for none); to 'set' when nothing
 * would be left. */
void cpus_bind_thread(const struct cpus *set, const struct cpus *but);
