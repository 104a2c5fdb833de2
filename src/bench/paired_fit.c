/* SPDX-License-Identifier: MIT */
#include "paired_fit.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/resample.h"

/* Beyond so many standard deviations a slice weighs nothing: somewhat below the customary 4.685,
 * since in a virtual machine a fifth of the slices may be disturbed. */
#define CUT 4.0

/* Neighbours on each side that tell the speed of the machine.  More average out more noise, and
 * less of the machine: 2 is best from an autocorrelation of 0.5 between slices upwards, and no
 * worse than others without any. */
#define REACH 2

/* Weight of the round's mean beside that of the neighbours, so that one neighbour that was almost
 * cut off does not become the whole truth. */
#define MEAN_WEIGHT 0.3

/* Twice as many change no interval by 1 %.  The noise is estimated in the first of them only:
 * afterwards it would follow the weights that follow it. */
#define ITERATIONS 6
#define SCALE_ITERATIONS 4

/* A millionth: no rate is measured more finely. */
#define MIN_SCALE 1e-6

void
paired_fit_init(struct paired_fit *fit, struct paired_point *point, size_t n_points,
		unsigned n_arms, unsigned n_rounds)
{
	*fit = (struct paired_fit){
		.n_points = n_points,
		.point = point,
		.n_arms = n_arms,
		.n_rounds = n_rounds,
	};
	fit->effect = xcalloc((size_t)n_arms * n_rounds + 1, sizeof(*fit->effect));
}

void
paired_fit_fini(struct paired_fit *fit)
{
	free(fit->effect);
	*fit = (struct paired_fit){0};
}

static double *
effect_of(const struct paired_fit *fit, const struct paired_point *p)
{
	return &fit->effect[(size_t)p->round * fit->n_arms + p->arm];
}

/* How far the point is from what the fit expects. */
static double
residual(const struct paired_fit *fit, const struct paired_point *p)
{
	return p->y - p->machine - *effect_of(fit, p);
}

/* ---- the start: medians ---- */

static double
median_or_nan(double *v, size_t n)
{
	return n == 0 ? NAN : resample_median(v, n);
}

/* The machine's speed in each block: the median of all of its slices. */
static void
start_machine(struct paired_fit *fit, double *scratch)
{
	for (size_t i = 0, end; i < fit->n_points; i = end) {
		double median;
		size_t n = 0;

		for (end = i; end < fit->n_points && fit->point[end].block == fit->point[i].block;
		     end++)
			if (!isnan(fit->point[end].y))
				scratch[n++] = fit->point[end].y;
		median = median_or_nan(scratch, n);
		for (size_t k = i; k < end; k++)
			fit->point[k].machine = median;
	}
}

/* The effect of each arm in the round that begins at point 'first': the median. */
static void
start_effects(struct paired_fit *fit, size_t first, double *scratch)
{
	unsigned round = fit->point[first].round;

	for (unsigned arm = 0; arm < fit->n_arms; arm++) {
		size_t n = 0;

		for (size_t i = first; i < fit->n_points && fit->point[i].round == round; i++)
			if (fit->point[i].arm == arm && !isnan(fit->point[i].y))
				scratch[n++] = fit->point[i].y - fit->point[i].machine;
		fit->effect[(size_t)round * fit->n_arms + arm] = median_or_nan(scratch, n);
	}
}

static void
start(struct paired_fit *fit, double *scratch)
{
	start_machine(fit, scratch);
	for (size_t i = 0; i < (size_t)fit->n_arms * fit->n_rounds; i++)
		fit->effect[i] = NAN;
	for (size_t i = 0; i < fit->n_points; i++)
		if (i == 0 || fit->point[i].round != fit->point[i - 1].round)
			start_effects(fit, i, scratch);
}

/* ---- one iteration ---- */

/* Median distance of the residuals of one sign, as a standard deviation if they were normal. */
static double
scale_of_side(const struct paired_fit *fit, double sign, double *scratch)
{
	/* Median of the absolute value of a standard normal. */
	const double normal = 0.6745;
	size_t n = 0;

	for (size_t i = 0; i < fit->n_points; i++) {
		double r = sign * residual(fit, &fit->point[i]);

		if (r > 0)
			scratch[n++] = r;
	}
	return n == 0 ? 0 : resample_median(scratch, n) / normal;
}

/* What disturbs, slows; so the noise is that of the side that is disturbed less, whichever it is:
 * of a rate the upper one, of a time the lower. */
static double
scale_of(const struct paired_fit *fit, double *scratch)
{
	double above = scale_of_side(fit, 1, scratch), below = scale_of_side(fit, -1, scratch);

	return fmax(fmin(above, below), MIN_SCALE);
}

static void
weigh(struct paired_fit *fit, double scale)
{
	for (size_t i = 0; i < fit->n_points; i++) {
		struct paired_point *p = &fit->point[i];
		double u = residual(fit, p) / (CUT * scale);

		/* Also false for NaN. */
		p->weight = fabs(u) < 1 ? (1 - u * u) * (1 - u * u) : 0;
	}
}

/* Each effect becomes the weighted mean of its points; one without any weight stays. */
static void
move_effects(struct paired_fit *fit, double *sum, double *weight)
{
	for (size_t i = 0; i < (size_t)fit->n_arms * fit->n_rounds; i++)
		sum[i] = weight[i] = 0;
	for (size_t i = 0; i < fit->n_points; i++) {
		const struct paired_point *p = &fit->point[i];
		size_t at = (size_t)p->round * fit->n_arms + p->arm;

		if (p->weight > 0) {
			sum[at] += p->weight * (p->y - p->machine);
			weight[at] += p->weight;
		}
	}
	for (size_t i = 0; i < (size_t)fit->n_arms * fit->n_rounds; i++)
		if (weight[i] > 0)
			fit->effect[i] = sum[i] / weight[i];
}

/* 'left' becomes what the arms do not explain, less its mean over the round that begins at
 * 'first'; returns where the next round begins. */
static size_t
centre_round(const struct paired_fit *fit, size_t first, double *left, double *mean)
{
	double sum = 0, weight = 0;
	size_t end;

	for (end = first; end < fit->n_points; end++) {
		const struct paired_point *p = &fit->point[end];

		if (p->round != fit->point[first].round)
			break;
		left[end] = p->weight > 0 ? p->y - *effect_of(fit, p) : 0;
		sum += p->weight * left[end];
		weight += p->weight;
	}
	*mean = weight > 0 ? sum / weight : 0;
	for (size_t i = first; i < end; i++)
		left[i] -= *mean;
	return end;
}

/* What the neighbours of point 'i' within its round, 'first' to 'end', say about it. */
static double
neighbours(const struct paired_fit *fit, size_t i, size_t first, size_t end, const double *left)
{
	size_t from = i < first + REACH ? first : i - REACH;
	size_t to = i + REACH >= end ? end : i + REACH + 1;
	double sum = 0, weight = MEAN_WEIGHT;

	for (size_t k = from; k < to; k++) {
		size_t distance = k > i ? k - i : i - k;
		double w;

		if (distance == 0)
			continue;
		w = fit->point[k].weight * (double)(REACH + 1 - distance) / REACH;
		sum += w * left[k];
		weight += w;
	}
	return sum / weight;
}

/* How much of what the neighbours say is true of a point: 0 when the noise of each slice is its
 * own, 1 when the machine changes slowly. */
static double
resemblance(const struct paired_fit *fit, const double *left, const double *said)
{
	double products = 0, squares = 0;

	for (size_t i = 0; i < fit->n_points; i++) {
		products += fit->point[i].weight * said[i] * left[i];
		squares += fit->point[i].weight * said[i] * said[i];
	}
	return squares > 0 ? fmin(fmax(products / squares, 0), 1) : 0;
}

static void
move_machine(struct paired_fit *fit, double *left, double *said, double *mean)
{
	double share;

	for (size_t first = 0, end; first < fit->n_points; first = end) {
		double of_round;

		end = centre_round(fit, first, left, &of_round);
		for (size_t i = first; i < end; i++) {
			said[i] = neighbours(fit, i, first, end, left);
			mean[i] = of_round;
		}
	}
	share = resemblance(fit, left, said);
	for (size_t i = 0; i < fit->n_points; i++)
		fit->point[i].machine = mean[i] + share * said[i];
}

void
paired_fit_run(struct paired_fit *fit)
{
	size_t n = fit->n_points + (size_t)fit->n_arms * fit->n_rounds;
	double *a = xcalloc(3 * n + 1, sizeof(*a)), *b = a + n, *c = b + n;
	double scale = 0;

	start(fit, a);
	for (unsigned i = 0; i < ITERATIONS; i++) {
		if (i < SCALE_ITERATIONS)
			scale = scale_of(fit, a);
		weigh(fit, scale);
		move_effects(fit, a, b);
		move_machine(fit, a, b, c);
	}
	free(a);
}
