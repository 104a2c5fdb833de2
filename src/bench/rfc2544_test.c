/* SPDX-License-Identifier: MIT */
#include "rfc2544.h"

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
#include "base/stats.h"
#include "base/test_random.h"
#include "mrr.h"
#include "sim.h"

static const struct rfc2544_conf usual = {
	.min_pps = 1000,
	.max_pps = 10e6,
	.width = 0.005,
	.curve_step = 0.1,
	.trial_ns = 60 * NSEC_PER_S,
	.max_invalid = 5,
};

static void
one_trial_a_load(void **state)
{
	static struct search_result r;

	(void)state;
	rng_seed(__func__);
	for (unsigned run = 0; run < 100; run++) {
		struct sim_model model = sim_steady(1000 * pow(10000, rng_unit()));
		struct sim sim;
		struct measurer m = sim_measurer(&sim);

		sim_init(&sim, &model, 1);
		assert_int_equal(rfc2544_throughput(&usual, &m, &r, NULL), 0);
		assert_int_equal(r.end, SEARCH_FOUND);
		assert_true(r.accepted_pps <= model.capacity_pps);
		assert_true(r.rejected_pps > model.capacity_pps);
		assert_true((r.rejected_pps - r.accepted_pps) / r.rejected_pps <=
			    usual.width * (1 + 1e-9));
		/* 1 838 loads below the highest: 11 halvings at most. */
		assert_within(r.n_trials, 10, 12);
		assert_int_equal(r.latency.n, 1);
		assert_int_equal(r.lost, 0);
	}
}

/* ---- the loss curve ---- */

static int
curve_of(const struct rfc2544_conf *conf, const struct sim_model *model, struct loss_curve *curve)
{
	struct sim sim;
	struct measurer m = sim_measurer(&sim);
	int rc;

	sim_init(&sim, model, 1);
	rc = rfc2544_loss_curve(conf, &m, curve, NULL);
	assert_int_equal(curve->n_trials, sim.n_trials);
	return rc;
}

static void
down_to_two_loads_without_loss(void **state)
{
	struct sim_model model = sim_steady(5.5e6);
	struct loss_curve curve;

	(void)state;
	assert_int_equal(curve_of(&usual, &model, &curve), 0);
	assert_true(curve.complete);
	assert_int_equal(curve.n, 7); /* 100 % to 40 % */
	for (size_t i = 0; i < curve.n; i++) {
		double pps = 1e6 * (double)(10 - i);

		assert_near(curve.point[i].rate_pps, pps, 1e-3);
		assert_near(curve.point[i].loss_ratio, fmax(0, 1 - 5.5e6 / pps), 1e-9);
		assert_int_equal(curve.point[i].n_trials, 1);
	}
	/* A fast chain takes two trials. */
	model = sim_steady(20e6);
	assert_int_equal(curve_of(&usual, &model, &curve), 0);
	assert_int_equal(curve.n, 2);
	assert_true(curve.complete);
	/* And one that loses at each load takes all, none of them of nothing. */
	model.loss_ratio = 0.5;
	assert_int_equal(curve_of(&usual, &model, &curve), 0);
	assert_int_equal(curve.n, 10);
	assert_false(curve.complete);
	assert_near(curve.point[9].rate_pps, 1e6, 1e-3);
	assert_near(curve.point[9].loss_ratio, 0.5, 1e-6);
}

static void
finer_steps(void **state)
{
	struct rfc2544_conf conf = usual;
	struct sim_model model = sim_steady(0.5e6);
	struct loss_curve curve;

	(void)state;
	conf.curve_step = 0.01;
	assert_int_equal(curve_of(&conf, &model, &curve), 0);
	assert_int_equal(curve.n, 97); /* 5 % and 4 % lose nothing */
	assert_true(curve.complete);
	model = sim_steady(1);
	assert_int_equal(curve_of(&conf, &model, &curve), 0);
	assert_int_equal(curve.n, 100);
	assert_false(curve.complete);
	/* Steps that do not divide 100 % end before nothing is left. */
	conf.curve_step = 0.03;
	assert_int_equal(curve_of(&conf, &model, &curve), 0);
	assert_int_equal(curve.n, 34);
	assert_near(curve.point[33].rate_pps, 0.01 * usual.max_pps, 1e-3);
}

static void
the_two_must_be_successive(void **state)
{
	struct loss_curve curve;
	unsigned n_checked = 0;

	(void)state;
	/* A chain that stalls: a clean load between two lossy ones does not end it. */
	rng_seed(__func__);
	for (unsigned run = 0; run < 200; run++) {
		struct sim_model model = sim_noisy_vm();
		struct rfc2544_conf conf = usual;
		struct sim sim;
		struct measurer m = sim_measurer(&sim);

		conf.max_pps = 1.2e6;
		conf.curve_step = 0.05;
		conf.trial_ns = 2 * NSEC_PER_S;
		sim_init(&sim, &model, rng());
		assert_int_equal(rfc2544_loss_curve(&conf, &m, &curve, NULL), 0);
		for (size_t i = 1; i < curve.n; i++) {
			bool both = curve.point[i].loss_ratio == 0 &&
				    curve.point[i - 1].loss_ratio == 0;

			assert_true(both == (curve.complete && i == curve.n - 1));
			n_checked += !both && curve.point[i - 1].loss_ratio == 0;
		}
	}
	assert_true(n_checked > 0);
}

static void
loads_without_a_valid_trial(void **state)
{
	struct sim_model model = sim_steady(20e6);
	struct loss_curve curve;

	(void)state;
	/* The generator is too slow for its own maximum: nothing is known there, and it is not a
	 * load without loss. */
	model.invalid_above = 9.5e6;
	assert_int_equal(curve_of(&usual, &model, &curve), 0);
	assert_int_equal(curve.n, 3);
	assert_true(isnan(curve.point[0].loss_ratio));
	assert_int_equal(curve.point[0].n_trials, 0);
	assert_true(curve.point[1].loss_ratio == 0 && curve.point[2].loss_ratio == 0);
	assert_true(curve.complete);
	assert_int_equal(curve.n_invalid, usual.max_invalid);
	/* No valid trial anywhere: left early. */
	model.invalid_above = 1;
	assert_int_equal(curve_of(&usual, &model, &curve), 0);
	assert_int_equal(curve.n, 2);
	assert_false(curve.complete);
}

static void
the_curve_can_be_stopped(void **state)
{
	struct sim_model model = sim_steady(1e6);
	struct sim sim;
	struct measurer m = sim_measurer(&sim);
	struct loss_curve curve;

	(void)state;
	sim_init(&sim, &model, 1);
	sim.stop_after = 3;
	assert_int_equal(rfc2544_loss_curve(&usual, &m, &curve, NULL), -EINTR);
	assert_int_equal(curve.n, 3);
	assert_int_equal(curve.n_trials, 3);
}

static void
senseless_curves(void **state)
{
	struct sim_model model = sim_steady(1e6);
	struct loss_curve curve;

	(void)state;
	for (unsigned i = 0; i < 6; i++) {
		struct rfc2544_conf conf = usual;

		switch (i) {
		case 0:
			conf.curve_step = 0.11;
			break;
		case 1:
			conf.curve_step = 0.0099;
			break;
		case 2:
			conf.curve_step = NAN;
			break;
		case 3:
			conf.max_pps = 0;
			break;
		case 4:
			conf.max_pps = INFINITY;
			break;
		default:
			conf.trial_ns = 0;
			break;
		}
		assert_int_equal(curve_of(&conf, &model, &curve), -EINVAL);
		assert_int_equal(curve.n, 0);
	}
}

/* ---- the maximum receive rate ---- */

static void
what_comes_through(void **state)
{
	const struct mrr_conf conf = {
		.max_pps = 10e6, .trial_ns = NSEC_PER_S, .n_trials = 10, .max_invalid = 5};
	struct sim_model model = sim_noisy_vm();
	struct sim sim;
	struct measurer m = sim_measurer(&sim);
	struct mrr mrr;

	(void)state;
	rng_seed(__func__);
	sim_init(&sim, &model, rng());
	assert_int_equal(mrr_run(&conf, &m, &mrr, NULL), 0);
	assert_int_equal(mrr.n, 10);
	assert_int_equal(mrr.n_trials, 10);
	/* 1 Mpps, 2 % noise in each; a stall of 2 ms costs another 2 % at this load. */
	assert_within(mrr.median_pps, 0.85e6, 1.05e6);
	assert_true(mrr.median_pps == stats_median(mrr.value_pps, mrr.n));
	assert_true(mrr.low_pps == stats_min(mrr.value_pps, mrr.n));
	assert_true(mrr.high_pps == stats_max(mrr.value_pps, mrr.n));
	assert_true(mrr.low_pps < mrr.median_pps && mrr.median_pps < mrr.high_pps);
	model = sim_steady(1e6);
	sim_init(&sim, &model, 1);
	assert_int_equal(mrr_run(&conf, &m, &mrr, NULL), 0);
	assert_near(mrr.low_pps, 1e6, 1e-3);
	assert_near(mrr.high_pps, 1e6, 1e-3);
}

static void
receive_rates_without_valid_trials(void **state)
{
	struct mrr_conf conf = {
		.max_pps = 10e6, .trial_ns = NSEC_PER_S, .n_trials = 10, .max_invalid = 4};
	struct sim_model model = sim_steady(1e6);
	struct sim sim;
	struct measurer m = sim_measurer(&sim);
	struct mrr mrr;

	(void)state;
	model.invalid_ratio = 1;
	sim_init(&sim, &model, 1);
	assert_int_equal(mrr_run(&conf, &m, &mrr, NULL), 0);
	assert_int_equal(mrr.n, 0);
	assert_int_equal(mrr.n_invalid, 4);
	assert_true(isnan(mrr.median_pps) && isnan(mrr.low_pps) && isnan(mrr.high_pps));
	/* Scattered ones are repeated. */
	model.invalid_ratio = 0.5;
	conf.max_invalid = 20;
	sim_init(&sim, &model, 1);
	assert_int_equal(mrr_run(&conf, &m, &mrr, NULL), 0);
	assert_int_equal(mrr.n, 10);
	assert_int_equal(mrr.n_trials, 10 + mrr.n_invalid);
	assert_true(mrr.n_invalid > 0);
	/* What was measured before the user stopped is there. */
	model.invalid_ratio = 0;
	sim_init(&sim, &model, 1);
	sim.stop_after = 3;
	assert_int_equal(mrr_run(&conf, &m, &mrr, NULL), -EINTR);
	assert_int_equal(mrr.n, 3);
	assert_near(mrr.median_pps, 1e6, 1e-3);
	conf.n_trials = 0;
	assert_int_equal(mrr_run(&conf, &m, &mrr, NULL), -EINVAL);
	conf.n_trials = MRR_MAX_TRIALS + 1;
	assert_int_equal(mrr_run(&conf, &m, &mrr, NULL), -EINVAL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_trial_a_load),
		cmocka_unit_test(down_to_two_loads_without_loss),
		cmocka_unit_test(finer_steps),
		cmocka_unit_test(the_two_must_be_successive),
		cmocka_unit_test(loads_without_a_valid_trial),
		cmocka_unit_test(the_curve_can_be_stopped),
		cmocka_unit_test(senseless_curves),
		cmocka_unit_test(what_comes_through),
		cmocka_unit_test(receive_rates_without_valid_trials),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
