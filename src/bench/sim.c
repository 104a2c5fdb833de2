/* SPDX-License-Identifier: MIT */
#include "sim.h"

#include <errno.h>
#include <math.h>

/* A normal variable is not so far from its mean: 1 in 10^17. */
#define NORMAL_FAR 8.5

/* ---- random numbers ---- */

/* splitmix64: any seed will do, and neighbouring ones have nothing in common. */
uint64_t
sim_next(uint64_t *random)
{
	uint64_t z = *random += 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

double
sim_unit(uint64_t *random)
{
	return (double)(sim_next(random) >> 11) / (1ull << 53);
}

/* From a to b, evenly on a logarithmic scale. */
static double
between(uint64_t *random, double a, double b)
{
	return a * pow(b / a, sim_unit(random));
}

static double
exponential(uint64_t *random)
{
	return -log1p(-sim_unit(random));
}

/* Box and Muller; its second variable is thrown away. */
static double
normal(uint64_t *random)
{
	return sqrt(2 * exponential(random)) * cos(2 * M_PI * sim_unit(random));
}

/* ---- systems ---- */

struct sim_model
sim_steady(double capacity_pps)
{
	return (struct sim_model){.capacity_pps = capacity_pps, .slot_s = 1, .ring_frames = 1024};
}

static struct sim_model
stalling(double capacity_pps, double sd_ratio, double stalls_per_s, double stall_s)
{
	struct sim_model model = sim_steady(capacity_pps);

	model.capacity_sd_ratio = sd_ratio;
	model.stalls_per_s = stalls_per_s;
	model.stall_s = stall_s;
	return model;
}

struct sim_model
sim_bare_metal(void)
{
	return stalling(10e6, 0.003, 0.02, 50e-6);
}

struct sim_model
sim_noisy_vm(void)
{
	return stalling(1e6, 0.02, 0.5, 2e-3);
}

struct sim_model
sim_mild_vm(void)
{
	return stalling(1e6, 0.01, 0.05, 1e-3);
}

struct sim_model
sim_random(uint64_t seed)
{
	uint64_t random = seed;
	struct sim_model model =
		stalling(between(&random, 50e3, 10e6), 0.001 + 0.009 * sim_unit(&random),
			 between(&random, 0.01, 1), between(&random, 20e-6, 5e-3));

	model.ring_frames = floor(between(&random, 128, 8192));
	return model;
}

/* ---- a trial ---- */

/* Frames that the capacity of each slot was too low for. */
static double
lose_to_capacity(struct sim *sim, double pps, double seconds)
{
	const struct sim_model *model = &sim->model;
	double mean = model->capacity_pps * (1 + model->drift_per_s * sim->time_s);
	double sd = model->capacity_pps * model->capacity_sd_ratio, lost = 0;

	if (pps < mean - NORMAL_FAR * sd)
		return 0;
	while (seconds > 1e-9) {
		double slot_s = fmin(seconds, model->slot_s);
		double capacity = mean + (sd > 0 ? sd * normal(&sim->random) : 0);

		lost += slot_s * fmax(0, pps - fmax(0, capacity));
		seconds -= slot_s;
	}
	return lost;
}

static double
lose_to_stalls(struct sim *sim, double pps, double seconds)
{
	const struct sim_model *model = &sim->model;
	double lost = 0;

	if (!(model->stalls_per_s > 0))
		return 0;
	for (double at = exponential(&sim->random); at < seconds * model->stalls_per_s;
	     at += exponential(&sim->random)) {
		double stall_s = model->stall_s * exponential(&sim->random);

		lost += fmax(0, pps * stall_s - model->ring_frames);
	}
	return lost;
}

void
sim_fill(struct trial *t, uint64_t intended, uint64_t late, uint64_t lost)
{
	t->intended = intended;
	t->late = late;
	t->sent = intended - late;
	t->received = t->ok = t->sent - lost;
	t->elapsed_s = (double)t->spec.duration_ns / 1e9;
	t->ledger.gen[0].tx = t->sent;
	t->ledger.gen[1].rx = t->received;
	t->ledger.never_seen = lost;
	ledger_close(&t->ledger, 0);
	hist_record(&t->latency, 1000 + lost);
}

static void
remember(struct sim *sim, double pps, double seconds, bool lossy)
{
	if (sim->seen != NULL && sim->n_seen < sim->max_seen)
		sim->seen[sim->n_seen++] = (struct sim_seen){pps, seconds, lossy};
}

static int
run(void *ctx, const struct trial_spec *spec, struct trial *t, struct err *err)
{
	struct sim *sim = ctx;
	const struct sim_model *model = &sim->model;
	double pps = spec->rate_pps, seconds = (double)spec->duration_ns / 1e9, lost;
	uint64_t intended = (uint64_t)(pps * seconds);

	if (sim->stop_after > 0 && sim->n_trials == sim->stop_after)
		return err_set(err, EINTR, "stopped");
	sim->n_trials++;
	lost = model->loss_ratio * pps * seconds + lose_to_capacity(sim, pps, seconds) +
	       lose_to_stalls(sim, pps, seconds);
	sim->time_s += seconds;
	if ((model->invalid_above > 0 && pps >= model->invalid_above) ||
	    sim_unit(&sim->random) < model->invalid_ratio) {
		sim_fill(t, intended, intended / 100 + 1, 0);
		return 0;
	}
	sim_fill(t, intended, 0, (uint64_t)fmin(ceil(lost - 1e-9), (double)intended));
	remember(sim, pps, seconds, t->ledger.never_seen > 0);
	return 0;
}

static void
judged(void *ctx, const struct trial *t)
{
	struct sim *sim = ctx;

	sim->n_judged++;
	sim->n_failed += t->verdict == TRIAL_FAIL;
}

void
sim_init(struct sim *sim, const struct sim_model *model, uint64_t seed)
{
	*sim = (struct sim){.model = *model, .random = seed};
}

struct measurer
sim_measurer(struct sim *sim)
{
	return (struct measurer){.ctx = sim, .run = run, .judged = judged};
}
