/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Who was on the CPU, told by somebody who has no part in the chain: a thread of real-time priority
 * on a lcore's own CPU, which nothing but the hypervisor can keep from running, looks a thousand
 * times a second how far the kernel's clock of the lcore's thread has come.  It shares neither
 * clock nor code with the sensors of a trial, and takes half a per cent of the CPU. */

struct cpu_witness;

struct cpu_absence {
	uint64_t longest_ns; /* at once, to a twentieth of a millisecond */
	uint64_t sum_ns;     /* of those of a millisecond and more */
};

/* What to watch, and when: a lcore that has no frames sleeps as it likes, and so long as it does
 * there is nothing to tell. */
struct cpu_watch {
	int cpu;
	pid_t pid, tid;		 /* thread 'tid' of process 'pid' */
	uint64_t from_ns, to_ns; /* from now */
};

/* NULL when this user may not have real-time threads: then nobody knows. */
struct cpu_witness *cpu_witness_start(const struct cpu_watch *watch);

/* What it saw so far, and releases it. */
struct cpu_absence cpu_witness_stop(struct cpu_witness *w);
