/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>

#include <jansson.h>

/* What a measurement of result.json comes to: its rate for each goal, the spread of its searches,
 * what was lost at that rate, latency there.  All of it is computed from the measurement's own
 * searches and trials, so that whoever reads the file can do it again. */

/* Fills in the keys of the headline in 'm', which has its goals, searches and trials; may be called
 * again when there are more of them. */
void headline_write(json_t *m);

/* The interval of the rate for goal number 'i'. */
void headline_write_interval(json_t *m, size_t i);
/* The "loss_free" of a measurement, from its valid trials. */
void headline_write_loss_free(json_t *m);

/* How many of a list of trials were invalid. */
size_t headline_count_invalid(const json_t *trials);
