/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

#include <jansson.h>

#include "forwarder.h"

/* What --stage-times measured, for programs and for people. */

/* Adds to the counters 'root' what there is: to each of its "stages" (made where an engine has
 * none) {"nf", "wait": TIMES or null, "service": TIMES}, and "times": {"tx_wait": TIMES, "total":
 * TIMES, "dropped": {"n", "sum_tsc"}}.  TIMES is {"n", "sum_tsc", "mean_ns", "p50_ns", "p99_ns",
 * "max_ns"}, null where n is 0, and with 'buckets' {"buckets": [[high_ns, n], ...]}.  Nothing
 * without --stage-times. */
void show_times_add(const struct fwd *fwd, json_t *root, bool buckets);

/* Registers /nfvchain/times on DPDK's telemetry socket, if there is something to tell. */
void show_times_register(struct fwd *fwd);
