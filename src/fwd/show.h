/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

#include <jansson.h>

#include "forwarder.h"

/* Counters for programs and for people. */

/* With 'buckets', also how the times of --stage-times are distributed. */
json_t *show_counters(const struct fwd *fwd, bool buckets);
/* Counters when they were printed last; zeros at first. */
struct show_last {
	struct fwd_totals totals;
	uint64_t at_ns;
};
/* One block of lines on stdout, rates since the last call. */
void show_period(const struct fwd *fwd, struct show_last *last);
/* The last line: rx + created = tx + drops + in_flight, each number, and what is wrong if anything.
 * 'leaked' is the number of buffers that did not come back.  Returns whether all is accounted for.
 */
bool show_conservation(const struct fwd *fwd, const struct fwd_totals *t, unsigned leaked);
/* Registers /nfvchain/... on DPDK's telemetry socket: a read-only mirror for people.  'hops', 'n'
 * of them, stay the caller's. */
void show_register_telemetry(struct fwd *const *hops, unsigned n);
