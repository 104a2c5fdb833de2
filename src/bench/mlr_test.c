/* SPDX-License-Identifier: MIT */
#include "mlr.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/assert_near.h"
#include "base/assert_within.h"
#include "base/mem.h"
#include "mlr_dut.h"
#include "mlr_select.h"

static struct search_result results[MLR_MAX_GOALS];

static int
search(const struct mlr_conf *conf, struct dut *dut)
{
	const struct measurer m = {.ctx = dut, .run = dut_run};
	struct err err;
	int rc = mlr_run(conf, &m, results, &err);

	for (size_t i = 0; rc != -EINVAL && i < conf->n_goals; i++) {
		assert_int_equal(results[i].n_trials, dut->n_trials);
		assert_int_equal(results[i].n_invalid, dut->n_invalid);
	}
	return rc;
}

/* 'conf' for one of its goals. */
static struct mlr_conf
one_goal(const struct mlr_conf *conf, size_t i)
{
	struct mlr_conf one = *conf;

	one.goals[0] = conf->goals[i];
	one.n_goals = 1;
	return one;
}

static double
width_of(const struct search_result *r)
{
	return (r->rejected_pps - r->accepted_pps) / r->rejected_pps;
}

/* Asserts a regular result around 'pps', the highest load that meets 'goal'; of the loss of single
 * trials a frame may be missing. */
static void
assert_brackets(const struct search_result *r, const struct goal *goal, double pps)
{
	double few_pps = 3e9 / (double)goal->trial_ns;

	assert_int_equal(r->end, SEARCH_FOUND);
	assert_true(r->accepted_pps <= pps + few_pps && r->rejected_pps >= pps - few_pps);
	assert_true(width_of(r) > 0 && width_of(r) <= goal->width * (1 + 1e-9));
	assert_true(r->conditional_pps <= r->accepted_pps);
	assert_true(r->conditional_pps >= r->accepted_pps * (1 - goal->loss_ratio) * (1 - 1e-12));
}

/* ---- a chain that is the same at all times ---- */

/* Two trials tell where to look, and then each target decides two loads, or as many more as its
 * step is away from where it was expected. */
static size_t
trials_of_a_sharp_chain(const struct mlr_conf *conf)
{
	struct mlr_selector s;
	struct mlr_loads loads;
	size_t n = 2;

	mlr_loads_init(&loads, conf->min_pps, conf->max_pps, conf->goals[0].width);
	mlr_selector_init(&s, &conf->goals[0], conf->n_preceding, &loads);
	for (size_t i = 0; i < s.n_targets; i++)
		n += 3 * mlr_trials_to_decide(&s.targets[i]);
	mlr_loads_fini(&loads);
	return n;
}

static void
brackets_the_capacity(void **state)
{
	(void)state;
	rng_seed(__func__);
	for (unsigned run = 0; run < 1000; run++) {
		static const uint64_t trials_ns[] = {NSEC_PER_S / 2, NSEC_PER_S, 60 * NSEC_PER_S};
		struct mlr_conf conf = one_goal(&csit, 0);
		struct goal *goal = &conf.goals[0];
		struct dut dut = {.capacity_pps = 10e3 * pow(1000, rng_unit())};

		goal->trial_ns = trials_ns[rng_below(3)];
		goal->initial_ns = rng_below(2) * NSEC_PER_S / 2;
		goal->sum_ns = goal->trial_ns * (1 + rng_below(21));
		goal->loss_ratio = rng_below(2) * 0.01 * rng_unit();
		goal->exceed_ratio = rng_below(3) / 4.0;
		goal->width = 0.003 + 0.05 * rng_unit();
		conf.n_preceding = rng_below(4);
		assert_int_equal(search(&conf, &dut), 0);
		assert_brackets(&results[0], goal, dut.capacity_pps / (1 - goal->loss_ratio));
		assert_within(dut.n_trials, 2, trials_of_a_sharp_chain(&conf));
		assert_true(results[0].latency.n > 0 && results[0].intended > 0);
	}
}

static void
goals_share_their_trials(void **state)
{
	struct mlr_conf ndr = one_goal(&csit, 0), pdr = one_goal(&csit, 1);
	struct dut both = {.capacity_pps = 1.234e6}, first = both, second = both;

	(void)state;
	assert_int_equal(search(&ndr, &first), 0);
	assert_int_equal(search(&pdr, &second), 0);
	assert_int_equal(search(&csit, &both), 0);
	assert_brackets(&results[0], &csit.goals[0], 1.234e6);
	assert_brackets(&results[1], &csit.goals[1], 1.234e6 / 0.995);
	assert_true(both.n_trials + 8 < first.n_trials + second.n_trials);
	assert_true(results[0].lost == 0 && results[1].lost > 0);
	assert_true(results[0].conditional_pps == results[0].accepted_pps);
	assert_true(results[1].conditional_pps < results[1].accepted_pps);
}

static void
loads_are_left_when_decided(void **state)
{
	struct mlr_conf conf = one_goal(&csit, 0);
	struct dut dut = {.capacity_pps = 20e6};

	(void)state;
	/* Eleven good trials of twenty-one. */
	assert_int_equal(search(&conf, &dut), 0);
	assert_int_equal(results[0].end, SEARCH_AT_MAX);
	assert_int_equal(dut.n_trials, 11);
	assert_int_equal(results[0].intended, 11 * (uint64_t)conf.max_pps);
	assert_int_equal(results[0].latency.n, 11);
	conf.n_preceding = 0;
	dut.n_trials = 0;
	assert_int_equal(search(&conf, &dut), 0);
	assert_int_equal(dut.n_trials, 11);
	dut = (struct dut){.capacity_pps = 1.234e6};
	assert_int_equal(search(&conf, &dut), 0);
	assert_int_equal(results[0].intended, 11 * (uint64_t)results[0].accepted_pps);
}

static void
first_loads_follow_what_is_forwarded(void **state)
{
	struct mlr_conf conf = one_goal(&csit, 0);
	struct dut dut = {.capacity_pps = 1e6};

	(void)state;
	assert_int_equal(search(&conf, &dut), 0);
	assert_true(dut.first_pps[0] == conf.max_pps);
	assert_true(dut.first_pps[1] <= 1e6 && dut.first_pps[1] > 0.995e6);
	/* That passed: the width of the first target higher. */
	assert_near(dut.first_pps[2] / dut.first_pps[1], pow(0.995, -4), 0.0001);
	/* A goal that allows loss expects as much more. */
	conf = one_goal(&csit, 1);
	dut = (struct dut){.capacity_pps = 1e6};
	assert_int_equal(search(&conf, &dut), 0);
	assert_true(dut.first_pps[1] > 1e6 && dut.first_pps[1] <= 1e6 / 0.995);
	/* What loses again at that rate is tried lower, by what it lost. */
	conf = one_goal(&csit, 0);
	dut = (struct dut){.capacity_pps = 10e6, .loss_ratio = 0.01};
	assert_int_equal(search(&conf, &dut), 0);
	assert_near(dut.first_pps[1] / 9.85e6, 1, 0.005);
	assert_near(dut.first_pps[2] / dut.first_pps[1], 0.9875, 0.0026);
	/* A chain that forwards less the more it gets. */
	dut = (struct dut){.capacity_pps = 1e6, .loss_ratio = 0.5};
	assert_int_equal(search(&conf, &dut), 0);
	assert_true(dut.first_pps[1] < 0.01e6);
	dut = (struct dut){.capacity_pps = 1e6, .collapse_ratio = 0.01};
	assert_int_equal(search(&conf, &dut), 0);
	assert_true(dut.first_pps[1] <= 1e4 && dut.first_pps[1] > 0.99e4);
	assert_brackets(&results[0], &conf.goals[0], 1e6);
	assert_within(dut.n_trials, 0, trials_of_a_sharp_chain(&conf) + 20);
}

static void
maximum_and_minimum(void **state)
{
	struct dut fast = {.capacity_pps = 20e6}, slow = {.capacity_pps = 8e3};
	struct mlr_conf one_load = csit;

	(void)state;
	one_load.max_pps = one_load.min_pps;
	for (unsigned i = 0; i < 2; i++) {
		const struct mlr_conf *conf = i == 0 ? &csit : &one_load;

		fast.n_trials = slow.n_trials = 0;
		assert_int_equal(search(conf, &fast), 0);
		for (size_t g = 0; g < 2; g++) {
			assert_int_equal(results[g].end, SEARCH_AT_MAX);
			assert_true(results[g].accepted_pps == conf->max_pps);
			assert_true(results[g].conditional_pps == conf->max_pps);
			assert_true(results[g].rejected_pps == 0);
		}
		assert_int_equal(search(conf, &slow), 0);
		for (size_t g = 0; g < 2; g++) {
			assert_int_equal(results[g].end, SEARCH_BELOW_MIN);
			assert_true(results[g].accepted_pps == 0);
			assert_true(results[g].conditional_pps == 0);
			assert_true(results[g].rejected_pps == conf->min_pps);
			assert_int_equal(results[g].latency.n, 0);
		}
		assert_within(slow.n_trials, 11, 24);
	}
}

static void
loss_at_any_load(void **state)
{
	struct dut dut = {.capacity_pps = 1e6, .loss_ratio = 0.002};

	(void)state;
	assert_int_equal(search(&csit, &dut), 0);
	assert_int_equal(results[0].end, SEARCH_BELOW_MIN);
	assert_brackets(&results[1], &csit.goals[1], 1e6 / (1 - 0.003));
	/* A chain that forwards nothing. */
	dut = (struct dut){.loss_ratio = 1};
	assert_int_equal(search(&csit, &dut), 0);
	assert_true(results[0].end == SEARCH_BELOW_MIN && results[1].end == SEARCH_BELOW_MIN);
	assert_int_equal(dut.n_trials, 12);
}

static void
corrupt_frames_reject_a_load(void **state)
{
	struct dut dut = {.capacity_pps = 5e6, .corrupt_above = 2e6};

	(void)state;
	assert_int_equal(search(&csit, &dut), 0);
	for (size_t g = 0; g < 2; g++)
		assert_brackets(&results[g], &csit.goals[g], 2e6);
}

static void
goals_may_differ_in_all(void **state)
{
	struct mlr_conf conf = csit;
	struct dut dut = {.capacity_pps = 1.234e6};

	(void)state;
	conf.goals[1] = (struct goal){.trial_ns = 60 * NSEC_PER_S,
				      .initial_ns = NSEC_PER_S,
				      .sum_ns = 120 * NSEC_PER_S,
				      .exceed_ratio = 0.5,
				      .width = 0.02};
	conf.goals[2] = (struct goal){.trial_ns = NSEC_PER_S / 2,
				      .sum_ns = 3 * NSEC_PER_S,
				      .loss_ratio = 0.5,
				      .width = 0.0123};
	conf.n_goals = 3;
	assert_int_equal(search(&conf, &dut), 0);
	assert_brackets(&results[0], &conf.goals[0], 1.234e6);
	assert_brackets(&results[1], &conf.goals[1], 1.234e6);
	assert_brackets(&results[2], &conf.goals[2], 2.468e6);
}

/* ---- trials that say nothing ---- */

static void
scattered_invalid_trials_change_nothing(void **state)
{
	(void)state;
	rng_seed(__func__);
	for (unsigned run = 0; run < 100; run++) {
		struct mlr_conf conf = csit;
		struct dut dut = {.capacity_pps = 10e3 * pow(1000, rng_unit()),
				  .invalid_ratio = 0.2};

		conf.max_invalid = 20;
		assert_int_equal(search(&conf, &dut), 0);
		assert_brackets(&results[0], &conf.goals[0], dut.capacity_pps);
		assert_brackets(&results[1], &conf.goals[1], dut.capacity_pps / 0.995);
		assert_int_equal(results[0].intended,
				 results[0].latency.n * (uint64_t)results[0].accepted_pps);
	}
}

static void
a_generator_that_cannot_keep_up(void **state)
{
	struct dut dut = {.capacity_pps = 1e6, .invalid_above = 3e6};

	(void)state;
	/* The chain gives in before. */
	assert_int_equal(search(&csit, &dut), 0);
	assert_brackets(&results[0], &csit.goals[0], 1e6);
	assert_brackets(&results[1], &csit.goals[1], 1e6 / 0.995);
	assert_within(dut.n_invalid, 5, 5);
	/* It does not: a lower bound, as high as the generator goes. */
	dut = (struct dut){.capacity_pps = 5e6, .invalid_above = 3e6};
	assert_int_equal(search(&csit, &dut), 0);
	for (size_t g = 0; g < 2; g++) {
		assert_int_equal(results[g].end, SEARCH_AT_LEAST);
		assert_true(results[g].accepted_pps < 3e6);
		assert_true(results[g].accepted_pps >= 3e6 * 0.995 * (1 - 1e-9));
		assert_true(results[g].rejected_pps == 0);
		assert_true(results[g].conditional_pps == results[g].accepted_pps);
	}
	/* It does for one goal. */
	dut = (struct dut){.capacity_pps = 2.995e6, .invalid_above = 3e6};
	assert_int_equal(search(&csit, &dut), 0);
	assert_int_equal(results[1].end, SEARCH_AT_LEAST);
}

static void
a_load_given_up_is_unknown(void **state)
{
	struct mlr_conf conf = one_goal(&csit, 0);
	struct dut dut = {.capacity_pps = 20e6, .invalid_next = 4};

	(void)state;
	assert_int_equal(search(&conf, &dut), 0);
	assert_int_equal(results[0].end, SEARCH_AT_MAX);
	assert_int_equal(dut.n_trials, 15);
	dut = (struct dut){.capacity_pps = 20e6, .invalid_next = 5};
	assert_int_equal(search(&conf, &dut), 0);
	assert_int_equal(results[0].end, SEARCH_AT_LEAST);
	assert_int_equal(dut.n_invalid, 5);
	assert_true(results[0].accepted_pps < conf.max_pps);
	assert_true(results[0].accepted_pps >= conf.max_pps * 0.995 * (1 - 1e-9));
}

static void
noise_everywhere_is_inconclusive(void **state)
{
	struct dut dut = {.capacity_pps = 1e6, .invalid_ratio = 1};

	(void)state;
	assert_int_equal(search(&csit, &dut), 0);
	assert_int_equal(results[0].end, SEARCH_INCONCLUSIVE);
	assert_int_equal(results[1].end, SEARCH_INCONCLUSIVE);
	assert_true(results[0].accepted_pps == 0 && results[0].rejected_pps == 0);
	assert_int_equal(dut.n_trials, 2 * csit.max_invalid);
}

/* ---- limits ---- */

static void
trials_are_limited(void **state)
{
	unsigned n_at_least = 0;

	(void)state;
	for (double pps = 1.2e6; pps < 1.25e6; pps += 7e3) {
		const struct dut model = {.capacity_pps = pps, .collapse_ratio = 0.9};
		struct dut full = model;

		assert_int_equal(search(&csit, &full), 0);
		for (unsigned n = 1; n <= full.n_trials; n++) {
			struct dut dut = model;
			struct mlr_conf conf = csit;

			conf.max_trials = n;
			assert_int_equal(search(&conf, &dut), 0);
			assert_int_equal(dut.n_trials, n);
			n_at_least += results[0].end == SEARCH_AT_LEAST;
			/* A lower bound was decided by 11 trials, both bounds by 22. */
			assert_true(results[0].end == SEARCH_FOUND ||
				    results[0].end == SEARCH_AT_LEAST ||
				    results[0].end == SEARCH_INCONCLUSIVE);
			if (n < 22)
				assert_true(results[0].end != SEARCH_FOUND);
			assert_true((results[0].end == SEARCH_INCONCLUSIVE) ==
				    (results[0].accepted_pps == 0));
			assert_true(results[0].accepted_pps <= pps);
		}
		assert_int_equal(results[0].end, SEARCH_FOUND);
		assert_int_equal(results[1].end, SEARCH_FOUND);
	}
	assert_true(n_at_least > 0);
}

static void
time_is_limited(void **state)
{
	(void)state;
	for (unsigned s = 0; s < 80; s++) {
		struct dut dut = {.capacity_pps = 1.234e6};
		struct mlr_conf conf = csit;
		uint64_t spent_ns;

		conf.max_ns = s * NSEC_PER_S + 1;
		assert_int_equal(search(&conf, &dut), 0);
		spent_ns = dut.spent_ns + dut.n_trials * conf.overhead_ns;
		assert_true(spent_ns <= conf.max_ns);
		if (results[1].end != SEARCH_FOUND)
			assert_true(spent_ns + conf.overhead_ns + NSEC_PER_S > conf.max_ns);
		if (s == 0)
			assert_int_equal(results[0].end, SEARCH_INCONCLUSIVE);
	}
	assert_int_equal(results[1].end, SEARCH_FOUND);
}

static void
time_is_limited_when_no_trial_is_valid(void **state)
{
	struct dut dut = {.capacity_pps = 1e6, .invalid_ratio = 1};
	struct mlr_conf conf = csit;

	(void)state;
	/* There is time for one trial, and so for the repetitions of that. */
	conf.max_ns = NSEC_PER_S * 3 / 2;
	assert_int_equal(search(&conf, &dut), 0);
	assert_int_equal(results[0].end, SEARCH_INCONCLUSIVE);
	assert_int_equal(dut.n_trials, conf.max_invalid);
}

static void
the_user_can_stop(void **state)
{
	struct dut full = {.capacity_pps = 1.234e6};
	unsigned n_found = 0;

	(void)state;
	assert_int_equal(search(&csit, &full), 0);
	for (size_t n = 1; n < full.n_trials; n++) {
		struct dut dut = {.capacity_pps = 1.234e6, .stop_after = n};

		assert_int_equal(search(&csit, &dut), -EINTR);
		assert_int_equal(dut.n_trials, n);
		/* What is complete stays so, all else is open, with what was found so far. */
		for (size_t g = 0; g < 2; g++) {
			const struct search_result *r = &results[g];

			assert_true(r->end == SEARCH_FOUND || r->end == SEARCH_INCONCLUSIVE);
			n_found += r->end == SEARCH_FOUND;
			assert_true((r->accepted_pps > 0) == (r->latency.n > 0));
		}
	}
	assert_true(n_found > 0);
	assert_true(results[1].accepted_pps > 0);
}

struct estimates {
	size_t n_calls;
	double first_trials, first_ns;
	const struct mlr_conf *conf;
};

static void
note_progress(void *ctx, const struct mlr_progress *p)
{
	struct estimates *e = ctx;

	if (e->n_calls++ == 0) {
		e->first_trials = p->trials_left;
		e->first_ns = p->left_ns;
	}
	assert_true(p->trials_left >= 0 && p->left_ns >= 0 && p->left_ns < 1e15);
	assert_int_equal(p->n_trials, e->n_calls - 1);
	assert_int_equal(p->spent_ns, p->n_trials * (NSEC_PER_S + e->conf->overhead_ns));
	if (e->conf->max_trials > 0)
		assert_true(p->trials_left <= (double)(e->conf->max_trials - p->n_trials));
	if (e->conf->max_ns > 0)
		assert_true(p->left_ns <= (double)(e->conf->max_ns - p->spent_ns));
}

static void
what_is_left_is_told(void **state)
{
	struct mlr_conf conf = one_goal(&csit, 0);
	struct estimates e = {.conf = &conf}, one;
	struct dut dut = {.capacity_pps = 1.234e6};

	(void)state;
	conf.progress = note_progress;
	conf.progress_ctx = &e;
	assert_int_equal(search(&conf, &dut), 0);
	assert_int_equal(e.n_calls, dut.n_trials);
	assert_true(e.first_trials > 0.8 * (double)dut.n_trials);
	assert_true(e.first_trials < 1.5 * (double)dut.n_trials);
	assert_near(e.first_ns, e.first_trials * 1.5e9, 1);
	/* That of two goals is the sum, though they will share some. */
	one = e;
	conf.goals[1] = csit.goals[1];
	conf.n_goals = 2;
	e = (struct estimates){.conf = &conf};
	dut.n_trials = 0;
	assert_int_equal(search(&conf, &dut), 0);
	assert_true(e.first_trials == 2 * one.first_trials && e.first_ns == 2 * one.first_ns);
	for (unsigned i = 0; i < 2; i++) {
		conf.max_trials = i == 0 ? 10 : 0;
		conf.max_ns = i == 1 ? 10 * NSEC_PER_S : 0;
		e = (struct estimates){.conf = &conf};
		dut.n_trials = 0;
		assert_int_equal(search(&conf, &dut), 0);
		assert_int_equal(e.n_calls, dut.n_trials);
	}
}

static void
senseless_settings_are_refused(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 12; i++) {
		struct mlr_conf conf = csit;
		struct dut dut = {0};

		switch (i) {
		case 0:
			conf.min_pps = 0;
			break;
		case 1:
			conf.max_pps = 8999;
			break;
		case 2:
			conf.max_pps = INFINITY;
			break;
		case 3:
			conf.min_pps = NAN;
			break;
		case 4:
			conf.n_goals = 0;
			break;
		case 5:
			conf.n_goals = MLR_MAX_GOALS + 1;
			break;
		case 6:
			conf.goals[1].trial_ns = 0;
			break;
		case 7:
			conf.goals[1].exceed_ratio = 1;
			break;
		case 8:
			conf.goals[1].width = 1e-9;
			break;
		case 9:
			conf.n_preceding = MLR_MAX_PRECEDING + 1;
			break;
		case 10:
			conf.max_invalid = 0;
			break;
		default:
			conf.goals[1].loss_ratio = NAN;
			break;
		}
		assert_int_equal(search(&conf, &dut), -EINVAL);
		assert_int_equal(dut.n_trials, 0);
		assert_int_equal(results[0].end, SEARCH_INCONCLUSIVE);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(brackets_the_capacity),
		cmocka_unit_test(goals_share_their_trials),
		cmocka_unit_test(loads_are_left_when_decided),
		cmocka_unit_test(first_loads_follow_what_is_forwarded),
		cmocka_unit_test(maximum_and_minimum),
		cmocka_unit_test(loss_at_any_load),
		cmocka_unit_test(corrupt_frames_reject_a_load),
		cmocka_unit_test(goals_may_differ_in_all),
		cmocka_unit_test(scattered_invalid_trials_change_nothing),
		cmocka_unit_test(a_generator_that_cannot_keep_up),
		cmocka_unit_test(a_load_given_up_is_unknown),
		cmocka_unit_test(noise_everywhere_is_inconclusive),
		cmocka_unit_test(trials_are_limited),
		cmocka_unit_test(time_is_limited),
		cmocka_unit_test(time_is_limited_when_no_trial_is_valid),
		cmocka_unit_test(the_user_can_stop),
		cmocka_unit_test(what_is_left_is_told),
		cmocka_unit_test(senseless_settings_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
