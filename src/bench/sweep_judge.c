/* SPDX-License-Identifier: MIT */
#include "sweep.h"

#include <math.h>
#include <stdlib.h>

#include "base/interval.h"
#include "base/mem.h"
#include "base/stats.h"

#define LEVEL 0.95

/* Logarithms of the arms' rates, unit by unit: NaN where an arm has no valid turn. */
struct units {
	unsigned n_arms, n;
	double *y; /* [unit][arm] */
};

static unsigned
count_rounds(const struct sweep_turn *turns, size_t n)
{
	unsigned most = 0;

	for (size_t i = 0; i < n; i++)
		most = turns[i].round + 1 > most ? turns[i].round + 1 : most;
	return most;
}

static unsigned
count_blocks(const struct sweep_turn *turns, size_t n)
{
	unsigned most = 0;

	for (size_t i = 0; i < n; i++)
		most = turns[i].block + 1 > most ? turns[i].block + 1 : most;
	return most;
}

/* The logarithm of an arm's fastest valid turn in a unit: what disturbs a turn without being seen,
 * a neighbour on the same core say, only slows it. */
static double
level_of(const struct sweep_turn *turns, size_t n, bool by_round, unsigned unit, unsigned arm)
{
	double level = NAN;

	for (size_t i = 0; i < n; i++)
		if (turns[i].arm == arm && turns[i].pps > 0 &&
		    (by_round ? turns[i].round : turns[i].block) == unit)
			level = fmax(level, log(turns[i].pps)); /* of NaN: the other one */
	return level;
}

static void
units_init(struct units *u, const struct sweep_turn *turns, size_t n, unsigned n_arms,
	   bool by_round)
{
	u->n_arms = n_arms;
	u->n = by_round ? count_rounds(turns, n) : count_blocks(turns, n);
	u->y = xcalloc((size_t)u->n * n_arms + 1, sizeof(*u->y));
	for (unsigned i = 0; i < u->n; i++)
		for (unsigned arm = 0; arm < n_arms; arm++)
			u->y[(size_t)i * n_arms + arm] = level_of(turns, n, by_round, i, arm);
}

/* Ratio of arm 'a' to arm 'b' and its interval; NaN when nothing can be said. */
static void
compare(const struct units *u, unsigned a, unsigned b, double level, double *ratio, double *low,
	double *high)
{
	double *d = xcalloc(u->n + 1, sizeof(*d));
	struct interval in;
	size_t n = 0;

	for (unsigned i = 0; i < u->n; i++) {
		double one = u->y[(size_t)i * u->n_arms + a] - u->y[(size_t)i * u->n_arms + b];

		if (!isnan(one))
			d[n++] = one;
	}
	*ratio = exp(stats_mean(d, n));
	in = n >= 2 ? interval_mean(d, n, level) : (struct interval){NAN, NAN};
	*low = exp(in.low);
	*high = exp(in.high);
	free(d);
}

static void
estimate(struct sweep_estimate *e, const struct sweep_turn *turns, size_t n, unsigned arm)
{
	double *v = xcalloc(n + 1, sizeof(*v));

	*e = (struct sweep_estimate){.ratio = NAN, .low = NAN, .high = NAN};
	for (size_t i = 0; i < n; i++) {
		if (turns[i].arm != arm)
			continue;
		e->n_turns++;
		if (turns[i].pps > 0)
			v[e->n_valid++] = turns[i].pps;
	}
	e->pps = stats_median(v, e->n_valid);
	free(v);
}

static bool
rank(struct sweep_verdict *v, unsigned n_arms)
{
	v->best = v->second = SWEEP_MAX_ARMS;
	for (unsigned arm = 0; arm < n_arms; arm++) {
		if (!(v->arm[arm].ratio > 0))
			return false;
		if (v->best == SWEEP_MAX_ARMS || v->arm[arm].ratio > v->arm[v->best].ratio) {
			v->second = v->best;
			v->best = arm;
		} else if (v->second == SWEEP_MAX_ARMS ||
			   v->arm[arm].ratio > v->arm[v->second].ratio) {
			v->second = arm;
		}
	}
	return true;
}

/* The best one against all others, who share what may go wrong. */
static void
decide(struct sweep_verdict *v, const struct units *u)
{
	unsigned n_others = u->n_arms - 1;
	double level = 1 - (1 - LEVEL) / (n_others > 0 ? n_others : 1);
	bool above = true, known = true;

	for (unsigned arm = 0; arm < u->n_arms; arm++) {
		double ratio, low, high;

		if (arm == v->best)
			continue;
		compare(u, v->best, arm, level, &ratio, &low, &high);
		known &= !isnan(low);
		above &= low > 1;
		if (arm == v->second) {
			v->margin = ratio;
			v->margin_low = low;
			v->margin_high = high;
		}
	}
	if (known)
		v->outcome = above ? SWEEP_WON : SWEEP_TIE;
}

void
sweep_judge(struct sweep_verdict *v, const struct sweep_turn *turns, size_t n, unsigned n_arms)
{
	struct units u;

	*v = (struct sweep_verdict){.margin = NAN, .margin_low = NAN, .margin_high = NAN};
	v->by_round = count_rounds(turns, n) >= SWEEP_MIN_ROUNDS;
	units_init(&u, turns, n, n_arms, v->by_round);
	v->n_units = u.n;
	for (unsigned arm = 0; arm < n_arms; arm++) {
		struct sweep_estimate *e = &v->arm[arm];

		estimate(e, turns, n, arm);
		compare(&u, arm, 0, LEVEL, &e->ratio, &e->low, &e->high);
	}
	if (n_arms > 1 && rank(v, n_arms))
		decide(v, &u);
	free(u.y);
}

const char *
sweep_outcome_name(enum sweep_outcome outcome)
{
	static const char *const names[] = {"unknown", "tie", "won"};

	return names[outcome];
}
