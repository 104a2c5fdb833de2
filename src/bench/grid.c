/* SPDX-License-Identifier: MIT */
#include "grid.h"

#include <math.h>

/* More loads than this differ by less than any measurement tells. */
#define GRID_MAX 1000000

int
grid_check(const struct grid *g, struct err *err)
{
	if (!(g->max_pps > 0 && isfinite(g->max_pps)))
		return err_usage(err, "no search up to %g frames a second", g->max_pps);
	if (g->step_pps > 0) {
		if (g->max_pps / g->step_pps > GRID_MAX)
			return err_usage(err, "a step of %g frames a second is too small",
					 g->step_pps);
		return 0;
	}
	if (!(g->min_pps > 0 && g->max_pps >= g->min_pps))
		return err_usage(err, "no search between %g and %g frames a second", g->min_pps,
				 g->max_pps);
	if (!(g->step_ratio > 1) || log(g->max_pps / g->min_pps) > GRID_MAX * log(g->step_ratio))
		return err_usage(err, "a step of %g is too small", g->step_ratio);
	return 0;
}

size_t
grid_size(const struct grid *g)
{
	double steps;

	/* A whole number of steps must not become one more by rounding. */
	if (g->step_pps > 0)
		return (size_t)fmax(ceil(g->max_pps / g->step_pps - 1e-9), 1);
	steps = log(g->max_pps / g->min_pps) / log(g->step_ratio);
	return g->max_pps > g->min_pps ? 1 + (size_t)fmax(ceil(steps - 1e-9), 1) : 1;
}

double
grid_at(const struct grid *g, size_t i)
{
	size_t n = grid_size(g);

	if (i + 1 >= n && (n > 1 || g->step_pps > 0))
		return g->max_pps;
	if (g->step_pps > 0)
		return (double)(i + 1) * g->step_pps;
	if (i == 0)
		return g->min_pps;
	return g->min_pps * pow(g->max_pps / g->min_pps, (double)i / (double)(n - 1));
}

unsigned
grid_depth(size_t n)
{
	unsigned depth = 0;

	for (; n > 0; n /= 2)
		depth++;
	return depth;
}
