/* SPDX-License-Identifier: MIT */
#include "mlr_select.h"

#include <math.h>

/* The target 'back' steps of 'n' before the goal: durations in sum shrink geometrically down to one
 * initial trial, widths double. */
static struct goal
target_before(const struct goal *goal, unsigned back, unsigned n)
{
	uint64_t initial_ns = goal->initial_ns > 0 ? goal->initial_ns : goal->trial_ns;
	double shrink = (double)initial_ns / (double)goal->sum_ns;
	struct goal target = *goal;

	target.sum_ns = (uint64_t)llround((double)goal->sum_ns * pow(shrink, (double)back / n));
	if (target.trial_ns > target.sum_ns)
		target.trial_ns = target.sum_ns;
	return target;
}

void
mlr_selector_init(struct mlr_selector *s, const struct goal *goal, unsigned n_preceding,
		  const struct mlr_loads *loads)
{
	long steps = mlr_loads_steps(loads, goal->width);

	*s = (struct mlr_selector){
		.n_targets = n_preceding + 1, .hint_low = -1, .hint_high = loads->n_grid};
	for (unsigned i = 0; i < n_preceding; i++)
		s->targets[i] = target_before(goal, n_preceding - i, n_preceding);
	s->targets[n_preceding] = *goal;
	for (unsigned i = 0; i <= n_preceding; i++)
		s->steps[i] = steps << (n_preceding - i);
}

/* ---- the next load ---- */

static bool
is_between(long low, long index, long high)
{
	return low < index && index < high;
}

static bool
is_done(const struct mlr_bounds *b, long steps, long n_grid)
{
	if (b->ceiling == 0 || b->lower == n_grid - 1)
		return true;
	return b->lower >= 0 && b->ceiling < n_grid && b->ceiling - b->lower <= steps;
}

/* One of the loads where the bounds are expected, if it is between those known: their middle when
 * it serves as a bound together with either, then the lower, because what passes there spares the
 * loads below; -1 when none is. */
static long
next_hint(const struct mlr_selector *s, const struct mlr_bounds *b, long n_grid)
{
	long distance = s->hint_high - s->hint_low, mid = s->hint_low + distance / 2;

	if (s->hint_low >= 0 && s->hint_high < n_grid && distance > s->steps[s->current] &&
	    distance <= 2 * s->steps[s->current] && is_between(b->lower, mid, b->ceiling))
		return mid;
	if (is_between(b->lower, s->hint_low, b->ceiling))
		return s->hint_low;
	if (is_between(b->lower, s->hint_high, b->ceiling))
		return s->hint_high;
	return -1;
}

static long
larger_of(long a, long b)
{
	return a > b ? a : b;
}

static long
smaller_of(long a, long b)
{
	return a < b ? a : b;
}

/* Beyond a hint that turned out wrong the steps double with the distance from it, as long as they
 * stay short of the middle of what is left; without a hint it is the middle. */
static long
next_beyond(const struct mlr_selector *s, const struct mlr_bounds *b, long n_grid)
{
	long low = b->lower, high = b->ceiling, step = s->steps[s->current];
	long mid = low + (high - low) / 2;

	if (s->hint_low >= 0 && high <= s->hint_low)
		return larger_of(mid, high - larger_of(step, s->hint_low - high));
	if (s->hint_high < n_grid && low >= s->hint_high)
		return smaller_of(mid, low + larger_of(step, low - s->hint_high));
	return mid;
}

static long
next_load(const struct mlr_selector *s, const struct mlr_bounds *b, long n_grid)
{
	long index = next_hint(s, b, n_grid);

	return index >= 0 ? index : next_beyond(s, b, n_grid);
}

long
mlr_selector_next(struct mlr_selector *s, const struct mlr_loads *loads)
{
	for (;;) {
		struct mlr_bounds b = mlr_loads_bounds(loads, &s->targets[s->current]);

		if (!is_done(&b, s->steps[s->current], loads->n_grid))
			return next_load(s, &b, loads->n_grid);
		if (s->current + 1 == s->n_targets)
			return -1;
		s->current++;
		s->hint_low = b.lower;
		s->hint_high = b.ceiling;
	}
}

/* ---- what is left ---- */

double
mlr_selector_left(const struct mlr_selector *s, const struct mlr_loads *loads, double overhead_ns,
		  double *ns)
{
	double n_trials = 0;

	*ns = 0;
	for (size_t i = s->current; i < s->n_targets; i++) {
		const struct goal *target = &s->targets[i];
		const struct mlr_bounds b = mlr_loads_bounds(loads, target);
		double n_loads = 2, n;

		if (is_done(&b, s->steps[i], loads->n_grid))
			continue;
		if (b.lower >= 0 && b.ceiling < loads->n_grid)
			n_loads = ceil(log2((double)(b.ceiling - b.lower) / (double)s->steps[i]));
		n = n_loads * mlr_trials_to_decide(target);
		n_trials += n;
		*ns += n * ((double)target->trial_ns + overhead_ns);
	}
	return n_trials;
}
