/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "base/str.h"

/* What `nfvchain sweep` found, out of the "sweep" of its result:
 *
 *     axes         {work, flows, stages, burst, skew, lcores: [values]}
 *     engines      [label]; the first one is what ratios are to
 *     sched, vector, classes, flow_seed (null: neighbours), seed, turn_ns, n_rounds, n_cpus,
 *     n_unbalanced starts whose books do not balance
 *     cells        [{work .. lcores, measured, reason (why not), outcome "won" | "tie" | "unknown",
 *                  best, second, margin, margin_low, margin_high (best to second),
 *                  n_units, unit "round" | "block" (what intervals are made of),
 *                  engines: [{engine, pps, ratio, ratio_low, ratio_high, n_turns, n_valid, ledger,
 *                  command}],
 *                  turns: [{round, block, engine, pps, frames, ns, valid, reason}]}]
 *
 * One axis that varies is a curve, two are a table, more are several tables. */

#define SWEEP_VIEW_AXES 6
#define SWEEP_VIEW_ENGINES 8

struct sweep_view {
	const json_t *sweep;
	const json_t *cells;
	size_t n_engines;
	const char *engine[SWEEP_VIEW_ENGINES];
	/* Axes that vary, the one for rows first, then columns, then those of tables. */
	size_t n_axes;
	const char *axis[SWEEP_VIEW_AXES];
	const json_t *values[SWEEP_VIEW_AXES];
	size_t n_tables;
};

/* False when there is no sweep in the result. */
bool sweep_view_init(struct sweep_view *v, const json_t *result);

size_t sweep_view_rows(const struct sweep_view *v);
size_t sweep_view_columns(const struct sweep_view *v); /* 1 of a curve */
/* The cell at a place of table 'table'; NULL when there is none. */
const json_t *sweep_view_cell(const struct sweep_view *v, size_t table, size_t row, size_t column);
/* "lcores 2"; "" when there is one table only.  For the caller to free. */
char *sweep_view_table_name(const struct sweep_view *v, size_t table);
/* A value of axis number 'axis' as text: "300", "0.5". */
char *sweep_view_value(const struct sweep_view *v, size_t axis, size_t i);
/* Was anything of the table measured? */
bool sweep_view_has_table(const struct sweep_view *v, size_t table);

/* "event 1.45x", "tie", "not measured", "?".  For the caller to free. */
char *sweep_view_winner(const json_t *cell);
/* Number of an engine by its label, or -1. */
int sweep_view_engine(const struct sweep_view *v, const char *label);
/* An engine's figures in a cell; NULL when there are none. */
const json_t *sweep_view_figures(const json_t *cell, size_t engine);

/* What is the same in all cells: "64 flows, 2 stages, bursts of 32". */
char *sweep_view_fixed(const struct sweep_view *v);
/* What the map teaches, in a sentence or two, computed from its cells. */
char *sweep_view_lesson(const struct sweep_view *v);

/* Adds the sweep as text (marks of text_page.h), and as rows of CSV with their header. */
void sweep_text(struct str *page, const struct sweep_view *v);
void sweep_csv(struct str *out, const struct sweep_view *v);

/* The curve, or the map of winners, as SVG.  A file of its own brings its colours for both themes
 * along; in a page they are the page's. */
void sweep_svg(struct str *out, const struct sweep_view *v, bool alone);
