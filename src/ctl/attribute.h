/* SPDX-License-Identifier: MIT */
#pragma once

#include <jansson.h>

#include "chain/measure.h"
#include "chain/plan.h"

/* The part of `nfvchain bench` that finds which hop limits the chain: pairs of short trials,
 * at a low load and at as much as the first link takes, in turns.  See bench/attrib.h for what is
 * made of them. */

struct attribute {
	struct measure *measure;
	const struct chain *chain;
	const struct chain_plan *plan;
	double max_pps; /* the generator's own */
};

/* Adds "attribution" to a measurement of a result that has ended: of a chain
 * with a hop that tells what it does, and for which a load is known that it carries, or was given.
 */
int attribute_add(struct attribute *a, json_t *measurement, struct err *err);
