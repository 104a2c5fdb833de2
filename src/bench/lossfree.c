/* SPDX-License-Identifier: MIT */
#include "lossfree.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"

/* Twice the log of the likelihood ratio above which a load is rejected.  For a monotone function
 * fitted to many points 2.27 has 5 % (Banerjee and Wellner, Annals of Statistics 29, 2001), for an
 * ordinary parameter 3.84.  But the loads of a search are not chosen beforehand: halving sorts its
 * trials, good ones below bad ones, whatever their probability, and so each search looks surer than
 * it is.  In simulations of a single search of 60 s trials, 3.84 made intervals of 81 %.  This is
 * just above 8 ln 2, so that four lucky trials decide nothing, and had 96.8 % at the least. */
#define CRITICAL 5.7

/* Lengths of trials that are told apart; one that differs by less than 1 % is the same. */
#define MAX_LENGTHS 16
#define SAME_LENGTH 0.01

const double lossfree_durations_s[LOSSFREE_N_DURATIONS] = {0.5, 1, 5, 20, 60};

/* Trials of one load, or of neighbours that are taken together.  Of clean ones their sum is all
 * that matters. */
struct pool {
	double pps; /* of the first load */
	size_t n;   /* loads */
	double clean_s;
	unsigned lossy[MAX_LENGTHS];
	double lambda; /* the most likely one */
};

struct fit {
	double length_s[MAX_LENGTHS];
	size_t n_lengths;
	double shortest_s, longest_s;
	struct pool *load; /* ascending */
	size_t n_loads;
	struct pool *stack; /* of loads so far, lambda monotone */
	size_t n_stack;
	double *below; /* log likelihood of the i lowest loads, when lambda is at most v */
	double *above; /* and of the others, when it is at least v */
};

/* ---- likelihood ---- */

/* Log likelihood of the trials of 'p' if lossy seconds come at 'lambda'. */
static double
likelihood(const struct fit *fit, const struct pool *p, double lambda)
{
	double sum = p->clean_s > 0 ? -lambda * p->clean_s : 0;

	for (size_t k = 0; k < fit->n_lengths; k++)
		if (p->lossy[k] > 0)
			sum += p->lossy[k] * log(-expm1(-lambda * fit->length_s[k]));
	return sum;
}

/* Its derivative is this less clean_s; falls with lambda. */
static double
slope(const struct fit *fit, const struct pool *p, double lambda)
{
	double sum = 0;

	for (size_t k = 0; k < fit->n_lengths; k++)
		if (p->lossy[k] > 0)
			sum += p->lossy[k] * fit->length_s[k] / expm1(lambda * fit->length_s[k]);
	return sum;
}

/* There is a formula for trials of one length: that for the shortest gives an upper bound. */
static double
most_likely(const struct fit *fit, const struct pool *p)
{
	double n_lossy = 0, low = 0, high = 0;

	for (size_t k = 0; k < fit->n_lengths; k++)
		n_lossy += p->lossy[k];
	if (!(n_lossy > 0))
		return 0;
	if (!(p->clean_s > 0))
		return INFINITY;
	for (size_t k = 0; k < fit->n_lengths; k++)
		if (p->lossy[k] > 0)
			high = fmax(high, log1p(n_lossy * fit->length_s[k] / p->clean_s) /
						  fit->length_s[k]);
	while (high - low > 1e-9 * high) {
		double middle = (low + high) / 2;

		if (slope(fit, p, middle) > p->clean_s)
			low = middle;
		else
			high = middle;
	}
	return high;
}

/* ---- trials by load ---- */

static size_t
length_index(struct fit *fit, double duration_s)
{
	size_t nearest = 0;

	for (size_t k = 0; k < fit->n_lengths; k++) {
		double distance = fabs(log(duration_s / fit->length_s[k]));

		if (distance < SAME_LENGTH)
			return k;
		if (distance < fabs(log(duration_s / fit->length_s[nearest])))
			nearest = k;
	}
	if (fit->n_lengths == MAX_LENGTHS)
		return nearest;
	fit->length_s[fit->n_lengths] = duration_s;
	return fit->n_lengths++;
}

static int
compare_pps(const void *a, const void *b)
{
	const struct lossfree_trial *x = a, *y = b;

	return (x->pps > y->pps) - (x->pps < y->pps);
}

static void
add_trial(struct fit *fit, const struct lossfree_trial *t)
{
	struct pool *load;

	if (!(t->pps > 0 && t->duration_s > 0 && isfinite(t->pps) && isfinite(t->duration_s)))
		return;
	fit->shortest_s = fmin(fit->shortest_s, t->duration_s);
	fit->longest_s = fmax(fit->longest_s, t->duration_s);
	if (fit->n_loads == 0 || fit->load[fit->n_loads - 1].pps < t->pps)
		fit->load[fit->n_loads++] = (struct pool){.pps = t->pps, .n = 1};
	load = &fit->load[fit->n_loads - 1];
	if (t->lossy)
		load->lossy[length_index(fit, t->duration_s)]++;
	else
		load->clean_s += t->duration_s;
}

static void
add_all(struct fit *fit, const struct lossfree_trial *trials, size_t n)
{
	struct lossfree_trial *sorted = xcalloc(n + 1, sizeof(*sorted));

	for (size_t i = 0; i < n; i++)
		sorted[i] = trials[i];
	qsort(sorted, n, sizeof(*sorted), compare_pps);
	for (size_t i = 0; i < n; i++)
		add_trial(fit, &sorted[i]);
	for (size_t i = 0; i < fit->n_loads; i++)
		fit->load[i].lambda = most_likely(fit, &fit->load[i]);
	free(sorted);
}

/* ---- the monotone fit ---- */

static void
join(struct fit *fit, struct pool *a, const struct pool *b)
{
	a->n += b->n;
	a->clean_s += b->clean_s;
	for (size_t k = 0; k < fit->n_lengths; k++)
		a->lossy[k] += b->lossy[k];
	a->lambda = most_likely(fit, a);
}

/* Adds the next load, upwards or downwards; neighbours out of order become one, until none are
 * (pool adjacent violators). */
static void
push(struct fit *fit, const struct pool *load, bool upwards)
{
	fit->stack[fit->n_stack++] = *load;
	while (fit->n_stack > 1) {
		struct pool *last = &fit->stack[fit->n_stack - 1], *before = last - 1;

		if (upwards ? before->lambda < last->lambda : before->lambda > last->lambda)
			break;
		join(fit, before, last);
		fit->n_stack--;
	}
}

/* The best that can be had of the loads pushed so far with lambda at most, or least, 'v': the best
 * monotone fit, cut off there. */
static double
stack_likelihood(const struct fit *fit, double v, bool upwards)
{
	double sum = 0;

	for (size_t i = 0; i < fit->n_stack; i++) {
		const struct pool *p = &fit->stack[i];

		sum += likelihood(fit, p, upwards ? fmin(p->lambda, v) : fmax(p->lambda, v));
	}
	return sum;
}

static void
fit_both_ways(struct fit *fit, double v)
{
	size_t n = fit->n_loads;

	fit->n_stack = 0;
	fit->above[n] = 0;
	for (size_t i = n; i-- > 0;) {
		push(fit, &fit->load[i], false);
		fit->above[i] = stack_likelihood(fit, v, false);
	}
	fit->n_stack = 0;
	fit->below[0] = 0;
	for (size_t i = 0; i < n; i++) {
		push(fit, &fit->load[i], true);
		fit->below[i + 1] = stack_likelihood(fit, v, true);
	}
}

/* ---- rates ---- */

/* R(d) is below the lowest load, or in one of the gaps between loads, or above the highest: gap i
 * has i loads below it. */
static void
set_interval(struct lossfree_rate *rate, const struct fit *fit)
{
	double best = stack_likelihood(fit, INFINITY, true);
	size_t n = fit->n_loads, first = n, last = 0;

	for (size_t i = 0; i <= n; i++)
		if (2 * (best - fit->below[i] - fit->above[i]) <= CRITICAL) {
			first = i < first ? i : first;
			last = i;
		}
	if (first > 0)
		rate->low_pps = fit->load[first - 1].pps;
	if (last < n)
		rate->high_pps = fit->load[last].pps;
}

/* Where the fit says that a clean trial has a probability of a half: between two loads, as far from
 * each as their probabilities are; NaN when it is beyond those tried. */
static double
crossing(const struct fit *fit, double duration_s)
{
	for (size_t i = 0, load = 0; i + 1 < fit->n_stack; i++) {
		double low = exp(-fit->stack[i].lambda * duration_s);
		double high = exp(-fit->stack[i + 1].lambda * duration_s);

		load += fit->stack[i].n;
		if (low >= 0.5 && high < 0.5) {
			double below = fit->load[load - 1].pps, above = fit->load[load].pps;

			return below * pow(above / below, (low - 0.5) / (low - high));
		}
	}
	return NAN;
}

static bool
is_beyond(const struct fit *fit, double duration_s)
{
	return !(duration_s >= fit->shortest_s * (1 - SAME_LENGTH) &&
		 duration_s <= fit->longest_s * (1 + SAME_LENGTH));
}

static void
estimate(struct lossfree_rate *rate, struct fit *fit)
{
	fit_both_ways(fit, M_LN2 / rate->duration_s);
	set_interval(rate, fit);
	if (!isnan(rate->low_pps) && !isnan(rate->high_pps))
		rate->rate_pps = crossing(fit, rate->duration_s);
}

void
lossfree_estimate(const struct lossfree_trial *trials, size_t n,
		  struct lossfree_rate rates[LOSSFREE_N_DURATIONS])
{
	struct fit fit = {
		.shortest_s = INFINITY,
		.load = xcalloc(n + 1, sizeof(*fit.load)),
		.stack = xcalloc(n + 1, sizeof(*fit.stack)),
		.below = xcalloc(n + 1, sizeof(*fit.below)),
		.above = xcalloc(n + 1, sizeof(*fit.above)),
	};

	add_all(&fit, trials, n);
	for (size_t i = 0; i < LOSSFREE_N_DURATIONS; i++) {
		rates[i] = (struct lossfree_rate){
			.duration_s = lossfree_durations_s[i],
			.rate_pps = NAN,
			.low_pps = NAN,
			.high_pps = NAN,
			.extrapolated = is_beyond(&fit, lossfree_durations_s[i]),
		};
		estimate(&rates[i], &fit);
	}
	free(fit.load);
	free(fit.stack);
	free(fit.below);
	free(fit.above);
}
