/* SPDX-License-Identifier: MIT */
#include "mlr_class.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>

#include "base/mem.h"

/* Time in shares of a nanosecond: sums of durations times billionths fit with bits to spare. */
__extension__ typedef unsigned __int128 fine_ns;

#define BILLION 1000000000u

/* Effective durations by kind of trial. */
struct sums {
	uint64_t full_low_ns, full_high_ns;
	uint64_t short_low_ns, short_high_ns;
};

/* Billionths of the time in which trials may be bad, never all of it. */
static uint64_t
exceed_of(const struct goal *goal)
{
	uint64_t ppb = (uint64_t)llround(goal->exceed_ratio * BILLION);

	return ppb < BILLION ? ppb : BILLION - 1;
}

struct mlr_trial
mlr_trial_of(const struct trial *t)
{
	return (struct mlr_trial){
		.duration_ns = t->spec.duration_ns,
		.effective_ns = t->spec.duration_ns,
		.loss_ratio = t->loss_ratio,
		.faulty = trial_exceeds(t, INFINITY),
	};
}

bool
mlr_trial_is_bad(const struct mlr_trial *t, const struct goal *goal)
{
	return t->faulty || t->loss_ratio > goal->loss_ratio;
}

static struct sums
sum_up(const struct goal *goal, const struct mlr_trial *trials, size_t n)
{
	struct sums s = {0};

	for (size_t i = 0; i < n; i++) {
		const struct mlr_trial *t = &trials[i];
		bool bad = mlr_trial_is_bad(t, goal);

		if (t->duration_ns >= goal->trial_ns)
			*(bad ? &s.full_high_ns : &s.full_low_ns) += t->effective_ns;
		else
			*(bad ? &s.short_high_ns : &s.short_low_ns) += t->effective_ns;
	}
	return s;
}

/* A good short trial only makes up for bad short ones, in the ratio that the goal allows; what is
 * left of the bad ones counts like full-length ones.  To stay exact, everything is multiplied by
 * 1 - exceed ratio, in billionths. */
enum mlr_class
mlr_classify(const struct goal *goal, const struct mlr_trial *trials, size_t n)
{
	const struct sums s = sum_up(goal, trials, n);
	const fine_ns exceed = exceed_of(goal), subceed = BILLION - exceed;
	const fine_ns low = s.full_low_ns * subceed;
	const fine_ns balanced = s.short_low_ns * exceed, short_high = s.short_high_ns * subceed;
	fine_ns high = s.full_high_ns * subceed;
	fine_ns whole = goal->sum_ns * subceed;

	if (short_high > balanced)
		high += short_high - balanced;
	if (low + high > whole)
		whole = low + high;
	if ((whole - low) * BILLION <= whole * exceed)
		return MLR_LOWER;
	if (high * BILLION > whole * exceed)
		return MLR_UPPER;
	return MLR_UNDECIDED;
}

/* Least loss first; a faulty trial comes after all good ones, whatever it lost. */
static int
by_loss(const void *a, const void *b)
{
	const struct mlr_trial *x = a, *y = b;

	if (x->faulty != y->faulty)
		return x->faulty - y->faulty;
	return (x->loss_ratio > y->loss_ratio) - (x->loss_ratio < y->loss_ratio);
}

/* Copies the full-length trials to 'full' and returns how many there are. */
static size_t
take_full_length(struct mlr_trial *full, const struct goal *goal, const struct mlr_trial *trials,
		 size_t n)
{
	size_t n_full = 0;

	for (size_t i = 0; i < n; i++)
		if (trials[i].duration_ns >= goal->trial_ns)
			full[n_full++] = trials[i];
	return n_full;
}

double
mlr_conditional_pps(const struct goal *goal, double pps, const struct mlr_trial *trials, size_t n)
{
	const struct sums s = sum_up(goal, trials, n);
	const uint64_t full_ns = s.full_low_ns + s.full_high_ns;
	const uint64_t whole_ns = full_ns > goal->sum_ns ? full_ns : goal->sum_ns;
	struct mlr_trial *full = xcalloc(n + 1, sizeof(*full));
	size_t n_full = take_full_length(full, goal, trials, n), i = 0;
	fine_ns needed = (fine_ns)whole_ns * (BILLION - exceed_of(goal)), seen = 0;
	double loss_ratio = 1;

	qsort(full, n_full, sizeof(*full), by_loss);
	while (i < n_full && seen < needed)
		seen += (fine_ns)full[i++].effective_ns * BILLION;
	if (i > 0 && seen >= needed)
		loss_ratio = fmin(full[i - 1].loss_ratio, 1);
	free(full);
	return pps * (1 - loss_ratio);
}

unsigned
mlr_trials_to_decide(const struct goal *goal)
{
	const fine_ns exceed = exceed_of(goal), sum = (fine_ns)goal->sum_ns;
	const fine_ns trial = (fine_ns)goal->trial_ns * BILLION;
	fine_ns good = (sum * (BILLION - exceed) + trial - 1) / trial;
	fine_ns bad = sum * exceed / trial + 1, n = good > bad ? good : bad;

	return n < UINT_MAX ? (unsigned)n : UINT_MAX;
}
