/* SPDX-License-Identifier: MIT */
#include "sim_law.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* Cells into which the frames that may be lost are divided: four for a standard deviation of what
 * one slot loses, but neither too few to sum nor too many to wait for. */
#define CELLS_MIN 64
#define CELLS_MAX 512
#define CELLS_PER_SD 4

/* The frames that slots lose, rounded to cells: p[j] is the probability of j of them.  What is
 * beyond the last is left out. */
struct cells {
	unsigned last;
	unsigned used; /* those above have no probability worth summing */
	double frames; /* in a cell */
	double p[CELLS_MAX + 1];
};

static double
normal_cdf(double z)
{
	return 0.5 * erfc(-z / sqrt(2));
}

/* Probability that a slot's capacity is at least 'pps'. */
static double
carries(const struct sim_model *model, double pps)
{
	double sd = model->capacity_pps * model->capacity_sd_ratio;

	if (!(sd > 0))
		return model->capacity_pps >= pps ? 1 : 0;
	return normal_cdf((model->capacity_pps - pps) / sd);
}

/* Stalls in 'seconds' that outlast the ring, on average. */
static double
bad_stalls(const struct sim_model *model, double pps, double seconds)
{
	if (!(model->stalls_per_s > 0))
		return 0;
	return model->stalls_per_s * seconds * exp(-model->ring_frames / (pps * model->stall_s));
}

double
sim_clean(const struct sim_model *model, double pps, double seconds)
{
	double slots = ceil(seconds / model->slot_s - 1e-9);

	if (model->loss_ratio > 0)
		return 0;
	return pow(carries(model, pps), slots) * exp(-bad_stalls(model, pps, seconds));
}

/* Probability that stalls lose 'frames' at most.  An exponential stall has no memory: what is lost
 * of one that outlasts the ring is exponential again, and so of k of them a gamma variable. */
static double
stalls_lose(const struct sim_model *model, double pps, double seconds, double frames)
{
	double mean = bad_stalls(model, pps, seconds);
	double u = mean > 0 ? frames / (pps * model->stall_s) : 0;
	double poisson = exp(-mean), gamma_term = exp(-u), above = 0, sum = 0;
	unsigned most = (unsigned)(mean + 10 * sqrt(mean) + 20);

	for (unsigned k = 1; k <= most && mean > 0; k++) {
		poisson *= mean / k;
		above += gamma_term; /* k of them lose more than 'frames' */
		gamma_term *= u / k;
		sum += poisson * above;
	}
	return 1 - sum;
}

static void
cells_init(struct cells *c, const struct sim_model *model, double frames)
{
	double sd = model->capacity_pps * model->capacity_sd_ratio * model->slot_s;

	memset(c, 0, sizeof(*c));
	c->last = (unsigned)fmin(fmax(CELLS_PER_SD * frames / sd, CELLS_MIN), CELLS_MAX);
	c->frames = frames / c->last;
	c->p[0] = 1;
}

static void
trim(struct cells *c)
{
	for (c->used = c->last; c->used > 0 && c->p[c->used] < 1e-15;)
		c->used--;
}

/* What one slot loses. */
static void
slot_loses(struct cells *c, const struct sim_model *model, double pps, double slot_s)
{
	double below = 0;

	for (unsigned j = 0; j <= c->last; j++) {
		double upto = carries(model, pps - (j + 0.5) * c->frames / slot_s);

		c->p[j] = upto - below;
		below = upto;
	}
	trim(c);
}

/* sum := sum + other, as random variables. */
static void
convolve(struct cells *sum, const struct cells *other)
{
	double out[CELLS_MAX + 1] = {0};

	for (unsigned i = 0; i <= sum->used; i++)
		for (unsigned j = 0; j <= other->used && i + j <= sum->last; j++)
			out[i + j] += sum->p[i] * other->p[j];
	memcpy(sum->p, out, sizeof(out));
	trim(sum);
}

/* What all slots of a trial lose; 'sum' is nothing yet. */
static void
slots_lose(struct cells *sum, const struct sim_model *model, double pps, double seconds)
{
	struct cells power = *sum;
	unsigned n = (unsigned)floor(seconds / model->slot_s + 1e-9);
	double rest_s = seconds - n * model->slot_s;

	slot_loses(&power, model, pps, model->slot_s);
	for (; n > 0; n /= 2) {
		if (n % 2 == 1)
			convolve(sum, &power);
		if (n > 1)
			convolve(&power, &power);
	}
	if (rest_s > 1e-9) {
		slot_loses(&power, model, pps, rest_s);
		convolve(sum, &power);
	}
}

/* Probability that slots and stalls together lose 'frames' at most. */
static double
all_lose(const struct sim_model *model, double pps, double seconds, double frames)
{
	struct cells sum;
	double p = 0;

	cells_init(&sum, model, frames);
	slots_lose(&sum, model, pps, seconds);
	for (unsigned j = 0; j < sum.last; j++)
		p += sum.p[j] * stalls_lose(model, pps, seconds, frames - j * sum.frames);
	/* Half of the last cell is beyond. */
	return p + sum.p[sum.last] / 2 * stalls_lose(model, pps, seconds, 0);
}

double
sim_exceed(const struct sim_model *model, double pps, double seconds, double loss_ratio)
{
	double frames = (loss_ratio - model->loss_ratio) * pps * seconds, always;

	if (!(loss_ratio > 0))
		return 1 - sim_clean(model, pps, seconds);
	if (frames < 0)
		return 1;
	if (model->capacity_sd_ratio > 0 && carries(model, pps) < 1 - 1e-12 && frames > 0)
		return 1 - all_lose(model, pps, seconds, frames);
	always = fmax(0, pps - model->capacity_pps) * seconds;
	return always > frames ? 1 : 1 - stalls_lose(model, pps, seconds, frames - always);
}

double
sim_quantile_pps(const struct sim_model *model, double seconds, double loss_ratio,
		 double exceed_ratio)
{
	double low = log(1e-3), high = log(100 * model->capacity_pps);

	for (unsigned i = 0; i < 60; i++) {
		double mid = (low + high) / 2;

		if (sim_exceed(model, exp(mid), seconds, loss_ratio) <= exceed_ratio)
			low = mid;
		else
			high = mid;
	}
	return exp(low);
}
