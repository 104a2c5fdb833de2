/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdint.h>

#include <rte_common.h>

#include "work_cost.h"

/* Inside of the network function "work", for its test: each step multiplies a value by the same
 * factor, so that the value tells how many there were. */

#define WORK_FACTOR 0x9e3779b97f4a7c15

struct work {
	const struct work_cost *cost;
	uint64_t value;
} __rte_cache_aligned;

struct work_all {
	struct work_cost cost; /* read by all lcores */
	struct work lcore[];
};
