/* SPDX-License-Identifier: MIT */
#pragma once

#include <jansson.h>

#include "found.h"
#include "trials.h"

/* The data of the plots in report.html, as assets/report.js reads it: an object with the 'kind' and
 * lists of equal length, in base units, null where nothing is known.  NULL where there is nothing
 * to plot.  The caller owns what is returned. */

/* {kind "loads", x: number of the trial, pps, verdict: 0 pass, 1 fail, 2 invalid, 3 unknown,
 * answer, low, high} */
json_t *plot_loads(const struct trials *list, const struct found *found);
/* {kind "loss", pps (ascending), loss, verdict, answer, curve_pps, curve_loss} */
json_t *plot_loss(const struct trials *list, const struct found *found, const json_t *m);
/* {kind "latency", pps (ascending), p50, p90, p99, p999: of trials; line_*: medians at the first
 * trial of each load, floor: p50 without a chain, answer} */
json_t *plot_latency(const struct trials *list, const struct found *found, double floor_ns);
/* {kind "tail", nines: -log10(1 - quantile), ns} from a histogram as JSON. */
json_t *plot_tail(const json_t *latency);
/* {kind "loss_free", s, pps, low, high, extrapolated} */
json_t *plot_loss_free(const json_t *m);
/* {kind "noise", x, gap_ns, away, late (shares), class (an index), classes: names} */
json_t *plot_noise(const struct trials *list);
/* {kind "blocks", x, ratio, control, valid, mid, low, high, equal_within} */
json_t *plot_blocks(const json_t *comparison);
