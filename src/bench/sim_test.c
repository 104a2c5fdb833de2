/* SPDX-License-Identifier: MIT */
#include "sim.h"

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/assert_near.h"
#include "base/assert_within.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/test_random.h"
#include "probe.h"
#include "sim_law.h"

#define TRIALS 2000

/* Trials out of TRIALS that lose more than 'loss_ratio'. */
static unsigned
count_exceeding(const struct sim_model *model, double pps, double seconds, double loss_ratio)
{
	struct sim sim;
	struct measurer m = sim_measurer(&sim);
	struct probe p = {.m = &m, .max_invalid = 1};
	unsigned n = 0;

	sim_init(&sim, model, rng());
	probe_init(&p);
	for (unsigned i = 0; i < TRIALS; i++) {
		assert_int_equal(
			probe_once(&p, pps, (uint64_t)llround(seconds * (double)NSEC_PER_S), NULL),
			0);
		assert_int_not_equal(p.trial->verdict, TRIAL_INVALID);
		n += trial_exceeds(p.trial, loss_ratio);
	}
	assert_int_equal(sim.n_trials, TRIALS);
	assert_int_equal(sim.n_judged, TRIALS);
	probe_fini(&p);
	return n;
}

/* As often as the law says, but for chance (5.5 sigma: 1 in 26 million) and the law's own error. */
static void
assert_exceeds_as(const struct sim_model *model, double pps, double seconds, double loss_ratio)
{
	double p = sim_exceed(model, pps, seconds, loss_ratio);
	double got = count_exceeding(model, pps, seconds, loss_ratio) / (double)TRIALS;
	double sigma = sqrt(fmax(p * (1 - p), 1e-3) / TRIALS);

	if (!(fabs(got - p) <= 5.5 * sigma + 0.003))
		fail_msg("%g pps for %g s, loss %g: %g of trials, %g by law (capacity %g +- %g, "
			 "%g stalls/s of %g s, ring %g, slot %g)",
			 pps, seconds, loss_ratio, got, p, model->capacity_pps,
			 model->capacity_sd_ratio, model->stalls_per_s, model->stall_s,
			 model->ring_frames, model->slot_s);
}

static void
simulation_and_law_agree(void **state)
{
	static const double losses[] = {0, 0, 1e-5, 1e-4, 1e-3, 5e-3};
	static const double durations[] = {0.5, 1, 2.5, 20, 60};

	(void)state;
	rng_seed(__func__);
	for (unsigned run = 0; run < 60; run++) {
		struct sim_model model = sim_random(rng());
		double seconds = durations[rng_below(N_ELEMS(durations))];
		double loss = losses[rng_below(N_ELEMS(losses))];
		double pps;

		if (rng_below(4) == 0)
			model.capacity_sd_ratio = 0;
		if (rng_below(4) == 0)
			model.stalls_per_s = 0;
		if (rng_below(4) == 0 && seconds <= 2.5)
			model.slot_s = 0.1;
		if (rng_below(4) == 0 && loss > 1e-4)
			model.loss_ratio = 1e-4;
		/* Where something happens: the load at which this share of the trials is bad. */
		pps = sim_quantile_pps(&model, seconds, loss, 0.02 + 0.96 * rng_unit());
		/* Not on the very edge of a capacity that never changes. */
		if (!(model.capacity_sd_ratio > 0))
			pps *= 0.9999;
		if (pps * seconds > 1000)
			assert_exceeds_as(&model, pps, seconds, loss);
	}
}

static void
the_law_is_monotone(void **state)
{
	(void)state;
	rng_seed(__func__);
	for (unsigned run = 0; run < 40; run++) {
		struct sim_model model = sim_random(rng());
		double middle = sim_quantile_pps(&model, 1, 1e-3, 0.5), last = 0;

		assert_near(sim_exceed(&model, middle, 1, 1e-3), 0.5, 0.05);
		for (double share = 0.8; share < 1.2; share += 0.01) {
			double p = sim_exceed(&model, share * middle, 1, 1e-3);

			assert_true(p >= last - 1e-3 && p >= -1e-9 && p <= 1 + 1e-9);
			assert_true(p <= sim_exceed(&model, share * middle, 1, 0) + 1e-3);
			assert_true(p <= sim_exceed(&model, share * middle, 2.5, 0) + 1e-3);
			last = p;
		}
	}
}

static void
half_of_the_trials(void **state)
{
	/* By hand: of 60 s of the noisy machine, half lose nothing where 60 x 0.5 stalls a second
	 * outlast the ring with probability ln 2 / 30, which is at 0.136 Mpps. */
	struct sim_model model = sim_noisy_vm();
	double by_hand = 1024 / (2e-3 * log(30 / log(2)));

	(void)state;
	assert_near(sim_quantile_pps(&model, 60, 0, 0.5), by_hand, 1);
	/* Without stalls it is where the capacity is the median of a slot's. */
	model.stalls_per_s = 0;
	assert_near(sim_quantile_pps(&model, 1, 0, 0.5), 1e6, 1);
	/* A steady chain that may lose 0.5 % takes 0.5 % more than it carries. */
	model = sim_steady(1e6);
	assert_near(sim_quantile_pps(&model, 1, 0.005, 0.5), 1e6 / 0.995, 1);
	assert_near(sim_quantile_pps(&model, 60, 0, 0.5), 1e6, 1);
}

/* ---- trials ---- */

static void
run_one(struct sim *sim, double pps, double seconds, struct trial *t)
{
	struct measurer m = sim_measurer(sim);
	struct probe p = {.m = &m, .max_invalid = 1};

	probe_init(&p);
	assert_int_equal(probe_once(&p, pps, (uint64_t)llround(seconds * (double)NSEC_PER_S), NULL),
			 0);
	*t = *p.trial;
	probe_fini(&p);
}

static void
a_steady_chain_loses_the_excess(void **state)
{
	struct sim_model model = sim_steady(1e6);
	struct sim sim;
	static struct trial t;

	(void)state;
	sim_init(&sim, &model, 1);
	run_one(&sim, 1e6, 2.5, &t);
	assert_int_equal(t.verdict, TRIAL_PASS);
	assert_int_equal(t.intended, 2500000);
	run_one(&sim, 1.1e6, 2.5, &t);
	assert_int_equal(t.verdict, TRIAL_FAIL);
	assert_int_equal(trial_lost(&t), 250000);
	/* A hundredth of a frame too many is a frame lost. */
	run_one(&sim, 1e6 + 0.01, 1, &t);
	assert_int_equal(trial_lost(&t), 1);
	/* It gets better with time: 1 % in each second of trials. */
	model.drift_per_s = 0.01;
	sim_init(&sim, &model, 1);
	run_one(&sim, 1.05e6, 1, &t);
	assert_int_equal(trial_lost(&t), 50000);
	run_one(&sim, 0.9e6, 9, &t);
	run_one(&sim, 1.05e6, 1, &t);
	assert_int_equal(t.verdict, TRIAL_PASS);
	assert_true(sim.time_s == 11);
}

static void
some_trials_are_invalid(void **state)
{
	struct sim_model model = sim_steady(1e6);
	struct sim_seen seen[1000];
	struct sim sim;
	static struct trial t;
	unsigned n_invalid = 0;

	(void)state;
	rng_seed(__func__);
	model.invalid_ratio = 0.2;
	sim_init(&sim, &model, rng());
	sim.seen = seen;
	sim.max_seen = N_ELEMS(seen);
	for (unsigned i = 0; i < 1000; i++) {
		run_one(&sim, i % 2 == 0 ? 0.5e6 : 1.5e6, 1, &t);
		n_invalid += t.verdict == TRIAL_INVALID;
	}
	assert_within(n_invalid, 130, 270); /* 5.5 sigma */
	/* The others are remembered. */
	assert_int_equal(sim.n_seen, 1000 - n_invalid);
	for (size_t i = 0; i < sim.n_seen; i++)
		assert_true(seen[i].lossy == (seen[i].pps > 1e6) && seen[i].duration_s == 1);
	model.invalid_above = 0.4e6;
	sim_init(&sim, &model, 1);
	run_one(&sim, 0.5e6, 1, &t);
	assert_int_equal(t.verdict, TRIAL_INVALID);
}

static void
the_user_stops(void **state)
{
	struct sim_model model = sim_steady(1e6);
	struct sim sim;
	struct measurer m = sim_measurer(&sim);
	struct probe p = {.m = &m, .max_invalid = 1};

	(void)state;
	sim_init(&sim, &model, 1);
	sim.stop_after = 1;
	probe_init(&p);
	assert_int_equal(probe_once(&p, 1e6, NSEC_PER_S, NULL), 0);
	assert_int_equal(probe_once(&p, 1e6, NSEC_PER_S, NULL), -EINTR);
	probe_fini(&p);
}

static void
the_same_of_the_same_seed(void **state)
{
	struct sim_model model = sim_noisy_vm();
	struct sim a, b, c;
	static struct trial ta, tb, tc;
	unsigned n_other = 0;

	(void)state;
	assert_true(sim_random(7).capacity_pps == sim_random(7).capacity_pps);
	assert_true(sim_random(7).capacity_pps != sim_random(8).capacity_pps);
	sim_init(&a, &model, 3);
	sim_init(&b, &model, 3);
	sim_init(&c, &model, 4);
	for (unsigned i = 0; i < 20; i++) {
		run_one(&a, 1e6, 1, &ta);
		run_one(&b, 1e6, 1, &tb);
		run_one(&c, 1e6, 1, &tc);
		assert_int_equal(trial_lost(&ta), trial_lost(&tb));
		n_other += trial_lost(&ta) != trial_lost(&tc);
	}
	assert_within(n_other, 10, 20);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(simulation_and_law_agree),
		cmocka_unit_test(the_law_is_monotone),
		cmocka_unit_test(half_of_the_trials),
		cmocka_unit_test(a_steady_chain_loses_the_excess),
		cmocka_unit_test(some_trials_are_invalid),
		cmocka_unit_test(the_user_stops),
		cmocka_unit_test(the_same_of_the_same_seed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
