/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>

#include "base/err.h"

/* The loads that a search may try, ascending, up to a maximum: logarithmic, so that neighbours
 * differ by the same share and the answer is as fine at 10 kpps as at 10 Mpps, or linear, as
 * procedures have it that were written for a link with a line rate. */
struct grid {
	double min_pps;	   /* lowest load of a logarithmic grid; a linear one begins at a step */
	double max_pps;	   /* highest load of either */
	double step_ratio; /* neighbours differ by this or less, 1.02 = 2 %; unused when linear */
	double step_pps;   /* above 0: linear, load i is (i + 1) steps */
};

/* -EINVAL and a sentence for a grid without loads, or with too many to tell apart. */
int grid_check(const struct grid *g, struct err *err);

size_t grid_size(const struct grid *g);
/* The i-th load; the last one is max_pps exactly. */
double grid_at(const struct grid *g, size_t i);

/* Loads that a bisection of 'n' undecided ones tries at most. */
unsigned grid_depth(size_t n);
