/* SPDX-License-Identifier: MIT */
#pragma once

#include <jansson.h>

/* Every trial of a result as a row of a table: RFC 4180, a header whose names carry the units, "."
 * as decimal point, an empty field for what is not known.  The columns before the noise sensors are
 * the same, in the same order, for every result; further sensors, and the counters of as many hops
 * and links as the longest chain has, follow.  For the caller to free. */
char *csv_render(const json_t *result);
