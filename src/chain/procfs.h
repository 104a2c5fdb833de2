/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Numbers out of texts of /proc.  Each returns false, and leaves the value alone, when the text is
 * not of that form. */

/* schedstat: time on a CPU, time runnable without one. */
bool procfs_schedstat(const char *text, uint64_t *ran_ns, uint64_t *delay_ns);
/* PID/stat: the CPU that the thread ran on last. */
bool procfs_last_cpu(const char *text, uint64_t *cpu);
/* PID/status: "NAME:\t12". */
bool procfs_status(const char *text, const char *name, uint64_t *value);
/* /proc/stat: time that a hypervisor kept from 'cpu', or from all for -1.  In ticks of 10 ms, the
 * unit of that file on every architecture we run on. */
bool procfs_steal(const char *text, int cpu, uint64_t *ns);
/* pressure/cpu: time in which some task waited. */
bool procfs_pressure(const char *text, uint64_t *ns);

/* The names in a directory that are numbers, in ascending order, 'max' at most; how many. */
size_t procfs_numbers(const char *dir, int *numbers, size_t max);
