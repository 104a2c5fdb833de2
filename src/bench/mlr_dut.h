/* SPDX-License-Identifier: MIT */
#pragma once

#include <errno.h>
#include <math.h>

#include "base/clock.h"
#include "base/test_random.h"
#include "measurer.h"
#include "mlr.h"

/* For unit tests, behind <cmocka.h>: a chain to search, and the presets to search with. */

struct dut {
	double capacity_pps;
	double sd_ratio;       /* of the capacity, drawn anew each second */
	double stalls_per_s;   /* Poisson */
	double stall_s;	       /* mean of their exponential length */
	double ring;	       /* frames that a stall can hold up before any is lost */
	double loss_ratio;     /* lost at any load */
	double collapse_ratio; /* of the capacity, forwarded at any load above it; 0 for all */
	double invalid_ratio;  /* chance that a trial is invalid, because the generator was late */
	double invalid_above;  /* from this load on the generator is always late, or 0 */
	double corrupt_above;  /* from this load on a frame arrives corrupt, or 0 */
	size_t invalid_next;   /* so many trials from now on are invalid */
	size_t stop_after;     /* the user stops everything after so many trials, or 0 */

	size_t n_trials;
	size_t n_invalid;
	uint64_t spent_ns;
	double first_pps[3]; /* of the first loads tried */
};

static inline double
dut_normal(void)
{
	return sqrt(-2 * log(1 - rng_unit())) * cos(2 * 3.14159265358979323846 * rng_unit());
}

static inline double
dut_exponential(double mean)
{
	return -mean * log(1 - rng_unit());
}

/* Frames lost in 'seconds', a second at most. */
static inline double
dut_lost_in(const struct dut *dut, double pps, double seconds)
{
	double capacity_pps = dut->capacity_pps * fmax(1 + dut->sd_ratio * dut_normal(), 0);
	double lost = dut->loss_ratio * pps * seconds, at = seconds;

	if (pps > capacity_pps && dut->collapse_ratio > 0)
		capacity_pps *= dut->collapse_ratio;
	lost += fmax(pps - capacity_pps, 0) * seconds;
	if (dut->stalls_per_s > 0)
		for (at = dut_exponential(1 / dut->stalls_per_s); at < seconds;
		     at += dut_exponential(1 / dut->stalls_per_s))
			lost += fmax(pps * dut_exponential(dut->stall_s) - dut->ring, 0);
	return lost;
}

static inline void
dut_fill(struct trial *t, uint64_t intended, uint64_t late, uint64_t lost, uint64_t corrupt)
{
	t->intended = intended;
	t->late = late;
	t->sent = intended - late;
	t->received = t->sent - lost;
	t->corrupt = corrupt;
	t->ok = t->received - corrupt;
	t->elapsed_s = (double)t->spec.duration_ns / 1e9;
	t->ledger.gen[0].tx = t->sent;
	t->ledger.gen[1].rx = t->received;
	t->ledger.never_seen = lost;
	ledger_close(&t->ledger, 0);
	hist_record(&t->latency, 1000 + lost);
}

static inline int
dut_run(void *ctx, const struct trial_spec *spec, struct trial *t, struct err *err)
{
	struct dut *dut = ctx;
	double seconds = (double)spec->duration_ns / 1e9, lost = 0;
	uint64_t intended = (uint64_t)fmax(spec->rate_pps * seconds, 1), late = 0;

	if (dut->stop_after > 0 && dut->n_trials == dut->stop_after)
		return err_set(err, EINTR, "stopped");
	if (dut->n_trials < 3)
		dut->first_pps[dut->n_trials] = spec->rate_pps;
	dut->n_trials++;
	assert_true(dut->n_trials < 20000); /* a search that never ends */
	dut->spent_ns += spec->duration_ns;
	for (double left = seconds; left > 0; left--)
		lost += dut_lost_in(dut, spec->rate_pps, fmin(left, 1));
	if (dut->invalid_next > 0 || rng_unit() < dut->invalid_ratio ||
	    (dut->invalid_above > 0 && spec->rate_pps >= dut->invalid_above)) {
		dut->invalid_next -= dut->invalid_next > 0;
		dut->n_invalid++;
		late = intended / 100 + 1;
		lost = 0;
	}
	lost = fmin(lost, (double)(intended - late));
	dut_fill(t, intended, late, (uint64_t)lost,
		 dut->corrupt_above > 0 && spec->rate_pps >= dut->corrupt_above &&
			 (uint64_t)lost < intended - late);
	return 0;
}

/* CSIT's no drop rate and partial drop rate in one search. */
static const struct mlr_conf csit = {
	.goals = {{.trial_ns = NSEC_PER_S,
		   .sum_ns = 21 * NSEC_PER_S,
		   .exceed_ratio = 0.5,
		   .width = 0.005},
		  {.trial_ns = NSEC_PER_S,
		   .sum_ns = 21 * NSEC_PER_S,
		   .loss_ratio = 0.005,
		   .exceed_ratio = 0.5,
		   .width = 0.005}},
	.n_goals = 2,
	.min_pps = 9000,
	.max_pps = 15e6,
	.max_invalid = 5,
	.overhead_ns = NSEC_PER_S / 2,
	.n_preceding = MLR_PRECEDING,
};

static const struct mlr_conf quick = {
	.goals = {{.trial_ns = NSEC_PER_S / 2,
		   .sum_ns = 11 * NSEC_PER_S / 2,
		   .exceed_ratio = 0.5,
		   .width = 0.02},
		  {.trial_ns = NSEC_PER_S / 2,
		   .sum_ns = 11 * NSEC_PER_S / 2,
		   .loss_ratio = 0.005,
		   .exceed_ratio = 0.5,
		   .width = 0.02}},
	.n_goals = 2,
	.min_pps = 9000,
	.max_pps = 15e6,
	.max_invalid = 5,
	.overhead_ns = NSEC_PER_S / 2,
	.n_preceding = MLR_PRECEDING,
};
