/* SPDX-License-Identifier: MIT */
#pragma once

#include <jansson.h>

/* What the figures were measured on: {cpu_model, cpus_online "0-3", cpus_allowed "0-1", smt,
 * numa_nodes, memory_bytes, hugepages: [{size_bytes, total, free}], kernel, mitigations: {name:
 * text}, hypervisor, clocksource, governor, thp "always [madvise] never", isolated_cpus, load_1min,
 * dpdk_version, user, capabilities "0x0", container, grade (null: that takes more than a look at
 * files; see grade.h)}.  What cannot be read is null.  'dpdk_version' may be NULL.
 *
 * Of a chain with VMs a benchmark adds accelerator {wanted, used, reason}, guests (see
 * chain/vm_facts.h) and bring_up (see chain/steps.h), the latter without VMs too. */
json_t *environment_capture(const char *dpdk_version);

/* The same with 'root' in front of each path: "" for this machine, a made-up one for tests. */
json_t *environment_capture_at(const char *root, const char *dpdk_version);

/* Content of the file 'path' under 'root' without the newline at its end, for the caller to free;
 * NULL when it cannot be read. */
char *environment_read(const char *root, const char *path);
/* Value of the line "NAME:  value" of such a file, as /proc writes them; NULL when there is none.
 */
char *environment_field(const char *root, const char *path, const char *name);
