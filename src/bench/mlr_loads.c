/* SPDX-License-Identifier: MIT */
#include "mlr_loads.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

void
mlr_loads_init(struct mlr_loads *l, double min_pps, double max_pps, double width)
{
	*l = (struct mlr_loads){
		.grid = {.min_pps = min_pps, .max_pps = max_pps, .step_ratio = 1 / (1 - width)},
	};
	l->n_grid = (long)grid_size(&l->grid);
}

void
mlr_loads_fini(struct mlr_loads *l)
{
	for (size_t i = 0; i < l->n; i++) {
		free(l->loads[i]->trials);
		free(l->loads[i]);
	}
	free(l->loads);
	*l = (struct mlr_loads){0};
}

double
mlr_loads_pps(const struct mlr_loads *l, long index)
{
	return grid_at(&l->grid, (size_t)index);
}

/* Logarithm of the ratio between neighbours, 0 when there are none. */
static double
log_step(const struct mlr_loads *l)
{
	return l->n_grid > 1 ? log(l->grid.max_pps / l->grid.min_pps) / (double)(l->n_grid - 1) : 0;
}

long
mlr_loads_index(const struct mlr_loads *l, double pps)
{
	double at;

	if (!(pps > l->grid.min_pps) || l->n_grid == 1)
		return 0;
	/* A load of the grid must not become its neighbour by rounding. */
	at = log(pps / l->grid.min_pps) / log_step(l) + 1e-9;
	return at < (double)(l->n_grid - 1) ? (long)at : l->n_grid - 1;
}

long
mlr_loads_steps(const struct mlr_loads *l, double width)
{
	/* A whole number of steps must not become one less by rounding. */
	double steps = -log1p(-width) / log_step(l) + 1e-9;

	if (!(steps < (double)l->n_grid))
		return l->n_grid;
	return steps >= 1 ? (long)steps : 1;
}

/* Where the load at 'index' is, or would have to be, among those tried. */
static size_t
find_place(const struct mlr_loads *l, long index)
{
	size_t low = 0, high = l->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (l->loads[mid]->index < index)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

const struct mlr_load *
mlr_loads_find(const struct mlr_loads *l, long index)
{
	size_t i = find_place(l, index);

	return i < l->n && l->loads[i]->index == index ? l->loads[i] : NULL;
}

static struct mlr_load *
find_or_add(struct mlr_loads *l, long index)
{
	size_t i = find_place(l, index);
	struct mlr_load *load;

	if (i < l->n && l->loads[i]->index == index)
		return l->loads[i];
	load = xcalloc(1, sizeof(*load));
	load->index = index;
	hist_init(&load->latency);
	l->loads = xrealloc(l->loads, l->n + 1, sizeof(*l->loads));
	memmove(&l->loads[i + 1], &l->loads[i], (l->n - i) * sizeof(*l->loads));
	l->loads[i] = load;
	l->n++;
	return load;
}

void
mlr_loads_add(struct mlr_loads *l, long index, const struct trial *t)
{
	struct mlr_load *load = find_or_add(l, index);

	load->trials = xrealloc(load->trials, load->n_trials + 1, sizeof(*load->trials));
	load->trials[load->n_trials++] = mlr_trial_of(t);
	load->intended += t->intended;
	load->lost += trial_lost(t);
	hist_add(&load->latency, &t->latency);
}

void
mlr_loads_give_up(struct mlr_loads *l, long index)
{
	find_or_add(l, index)->given_up = true;
}

struct mlr_bounds
mlr_loads_bounds(const struct mlr_loads *l, const struct goal *goal)
{
	struct mlr_bounds b = {.upper = l->n_grid, .lower = -1, .ceiling = l->n_grid};

	for (size_t i = 0; i < l->n; i++) {
		const struct mlr_load *load = l->loads[i];
		enum mlr_class class = mlr_classify(goal, load->trials, load->n_trials);

		if (class == MLR_UPPER) {
			b.upper = load->index;
			break;
		}
		if (class == MLR_LOWER) {
			b.lower = load->index;
			b.ceiling = l->n_grid;
		} else if (load->given_up && b.ceiling == l->n_grid) {
			b.ceiling = load->index;
		}
	}
	if (b.upper < b.ceiling)
		b.ceiling = b.upper;
	return b;
}
