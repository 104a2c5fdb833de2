/* SPDX-License-Identifier: MIT */
#include "lossfree.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/assert_near.h"
#include "base/assert_within.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/test_random.h"
#include "preset.h"
#include "sim.h"
#include "sim_law.h"

#define MAX_TRIALS 5000

/* As in lossfree.c: twice the log of a likelihood ratio. */
#define CRITICAL 5.7

static struct lossfree_trial trials[MAX_TRIALS];
static size_t n_trials;
static struct lossfree_rate rates[LOSSFREE_N_DURATIONS];

static void
add(double pps, double seconds, unsigned n_clean, unsigned n_lossy)
{
	for (unsigned i = 0; i < n_clean + n_lossy; i++)
		trials[n_trials++] = (struct lossfree_trial){pps, seconds, i >= n_clean};
}

/* In any order. */
static void
shuffle(void)
{
	for (size_t i = n_trials; i > 1; i--) {
		size_t j = rng_below((uint32_t)i);
		struct lossfree_trial t = trials[i - 1];

		trials[i - 1] = trials[j];
		trials[j] = t;
	}
}

static const struct lossfree_rate *
rate_of(double seconds)
{
	lossfree_estimate(trials, n_trials, rates);
	for (size_t i = 0; i < LOSSFREE_N_DURATIONS; i++)
		if (rates[i].duration_s == seconds)
			return &rates[i];
	fail_msg("no rate of %g s", seconds);
	abort();
}

/* ---- by hand ---- */

static void
half_way_between_two_loads(void **state)
{
	(void)state;
	n_trials = 0;
	add(100, 1, 200, 0);
	add(200, 1, 160, 40);
	add(300, 1, 40, 160);
	add(400, 1, 0, 200);
	shuffle();
	/* 80 % clean at 200, 20 % at 300: half of the way. */
	assert_near(rate_of(1)->rate_pps, sqrt(200 * 300), 1e-3);
	assert_true(rate_of(1)->low_pps == 200 && rate_of(1)->high_pps == 300);
	assert_false(rate_of(1)->extrapolated);
	/* In half the time, 0.8 and 0.2 become their roots; the interval knows that. */
	assert_near(rate_of(0.5)->rate_pps,
		    200 * pow(1.5, (sqrt(0.8) - 0.5) / (sqrt(0.8) - sqrt(0.2))), 1e-3);
	assert_true(rate_of(0.5)->extrapolated);
	/* 0.8 to the fifth is 0.33, and 1 remains 1. */
	assert_near(rate_of(5)->rate_pps, 100 * pow(2, 0.5 / (1 - pow(0.8, 5))), 1e-3);
	assert_true(rate_of(5)->low_pps == 100 && rate_of(5)->high_pps == 200);
	assert_true(rate_of(5)->extrapolated);
}

static void
loads_out_of_order_are_taken_together(void **state)
{
	(void)state;
	n_trials = 0;
	add(100, 1, 60, 40);
	add(200, 1, 90, 10);
	add(300, 1, 10, 90);
	shuffle();
	/* 75 % at 100 and 200 together. */
	assert_near(rate_of(1)->rate_pps, 200 * pow(1.5, 0.25 / 0.65), 1e-3);
}

static void
trials_of_all_lengths_count(void **state)
{
	double best = 0, best_lambda = 0, p;

	(void)state;
	n_trials = 0;
	add(100, 20, 50, 0);
	add(200, 0.5, 150, 350);
	add(200, 1, 50, 450);
	add(200, 5, 10, 200);
	shuffle();
	/* The most likely lambda of what happened at 200, by trying. */
	for (double lambda = 0.01; lambda < 10; lambda += 0.0001) {
		double likelihood = -lambda * (150 * 0.5 + 50 + 10 * 5) +
				    350 * log(1 - exp(-lambda / 2)) + 450 * log(1 - exp(-lambda)) +
				    200 * log(1 - exp(-5 * lambda));

		if (best_lambda == 0 || likelihood > best) {
			best = likelihood;
			best_lambda = lambda;
		}
	}
	p = exp(-best_lambda);
	assert_true(p < 0.5);
	assert_near(rate_of(1)->rate_pps, 100 * pow(2, 0.5 / (1 - p)), 0.01);
	for (size_t i = 0; i < LOSSFREE_N_DURATIONS; i++)
		assert_int_equal(rates[i].extrapolated, rates[i].duration_s == 60);
}

/* ---- when there is nothing to tell ---- */

static void
assert_nothing(const struct lossfree_rate *rate)
{
	assert_true(isnan(rate->rate_pps) && isnan(rate->low_pps) && isnan(rate->high_pps));
}

static void
no_trials_tell_nothing(void **state)
{
	(void)state;
	n_trials = 0;
	assert_nothing(rate_of(1));
	assert_true(rate_of(1)->extrapolated);
	/* Neither do trials of nothing. */
	add(0, 1, 100, 100);
	add(NAN, 1, 100, 100);
	add(100, 0, 100, 100);
	add(INFINITY, 1, 100, 100);
	add(100, NAN, 100, 100);
	assert_nothing(rate_of(1));
	/* And one or two trials do not tell much. */
	add(100, 1, 1, 0);
	add(200, 1, 0, 1);
	for (size_t i = 0; i < LOSSFREE_N_DURATIONS; i++)
		assert_true(isnan(rate_of(1)->rate_pps));
}

static void
one_sided(void **state)
{
	(void)state;
	/* All clean: not less than the load. */
	n_trials = 0;
	add(100, 1, 20, 0);
	assert_true(rate_of(1)->low_pps == 100);
	assert_true(isnan(rate_of(1)->high_pps) && isnan(rate_of(1)->rate_pps));
	/* 20 s without loss do not tell that half of the trials of 60 s are; 300 s do. */
	assert_nothing(rate_of(60));
	add(100, 1, 280, 0);
	assert_true(rate_of(60)->low_pps == 100);
	/* All lossy: not more. */
	n_trials = 0;
	add(100, 1, 0, 20);
	assert_true(rate_of(1)->high_pps == 100);
	assert_true(isnan(rate_of(1)->low_pps) && isnan(rate_of(1)->rate_pps));
	assert_true(rate_of(60)->high_pps == 100);
}

static void
more_lengths_than_are_told_apart(void **state)
{
	(void)state;
	/* 16 from 0.1 to 115 s, so that 100 s is taken for the last. */
	n_trials = 0;
	for (unsigned i = 0; i < 16; i++)
		add(50, pow(1.6, i) / 10, 20, 1);
	add(200, 1, 40, 0);
	add(200, 100, 0, 20);
	/* Losses every 25 s or so do not keep half of 5 s from being clean; of 60 s they do. */
	assert_true(rate_of(5)->low_pps == 200 && isnan(rate_of(5)->high_pps));
	assert_true(rate_of(60)->high_pps == 200);
}

/* ---- against the definition, by force ---- */

#define LOADS 4
#define LAMBDAS 1001

/* A grid of lambdas, 'v' in the middle of it. */
static double
lambda_at(unsigned j, double v)
{
	return v * pow(1e8, j / (double)(LAMBDAS - 1) - 0.5);
}

static double
likelihood_at(double pps, double lambda)
{
	double sum = 0;

	for (size_t i = 0; i < n_trials; i++)
		if (trials[i].pps == pps)
			sum += trials[i].lossy ? log(1 - exp(-lambda * trials[i].duration_s))
					       : -lambda * trials[i].duration_s;
	return sum;
}

/* The highest likelihood of a lambda that does not fall, out of the grid, is at most 'v' at the
 * first 'n_below' loads and at least that at the others. */
static double
best_of_grid(double table[LOADS][LAMBDAS], unsigned n_below)
{
	static double best[LAMBDAS];

	for (unsigned j = 0; j < LAMBDAS; j++)
		best[j] = 0;
	for (unsigned i = 0; i < LOADS; i++) {
		double upto = -INFINITY;

		for (unsigned j = 0; j < LAMBDAS; j++) {
			bool allowed = i < n_below ? j <= LAMBDAS / 2 : j >= LAMBDAS / 2;

			upto = fmax(upto, best[j]);
			best[j] = allowed ? upto + table[i][j] : -INFINITY;
		}
	}
	for (unsigned j = 1; j < LAMBDAS; j++)
		best[0] = fmax(best[0], best[j]);
	return best[0];
}

static void
assert_interval_by_force(const struct lossfree_rate *rate)
{
	static double table[LOADS][LAMBDAS];
	double ratio[LOADS + 1], best = -INFINITY, low = NAN, high = NAN;

	for (unsigned i = 0; i < LOADS; i++)
		for (unsigned j = 0; j < LAMBDAS; j++)
			table[i][j] = likelihood_at(100 * (i + 1),
						    lambda_at(j, log(2) / rate->duration_s));
	for (unsigned i = 0; i <= LOADS; i++) {
		ratio[i] = best_of_grid(table, i);
		best = fmax(best, ratio[i]);
	}
	for (unsigned i = 0; i <= LOADS; i++) {
		double distance = 2 * (best - ratio[i]) - CRITICAL;

		if (fabs(distance) < 0.05)
			return; /* the grid is too coarse to tell */
		if (distance < 0)
			high = i < LOADS ? 100 * (i + 1) : NAN;
	}
	for (unsigned i = LOADS + 1; i-- > 0;)
		if (2 * (best - ratio[i]) < CRITICAL)
			low = i > 0 ? 100 * i : NAN;
	assert_true(isnan(low) ? isnan(rate->low_pps) : rate->low_pps == low);
	assert_true(isnan(high) ? isnan(rate->high_pps) : rate->high_pps == high);
}

static void
intervals_are_what_the_ratio_allows(void **state)
{
	(void)state;
	rng_seed(__func__);
	for (unsigned run = 0; run < 40; run++) {
		n_trials = 0;
		for (unsigned i = 1; i <= LOADS; i++) {
			add(100 * i, 1, rng_below(12), rng_below(4 * i));
			if (run % 2 == 0)
				add(100 * i, 5, rng_below(6), rng_below(2 * i));
			add(100 * i, 1, 1, 0);
		}
		shuffle();
		lossfree_estimate(trials, n_trials, rates);
		for (size_t i = 0; i < LOSSFREE_N_DURATIONS; i++)
			assert_interval_by_force(&rates[i]);
	}
}

/* ---- coverage ---- */

enum design {
	SPREAD,	  /* 300 trials of 1 s at loads of all sizes */
	MIXED,	  /* 200 of 0.5 to 20 s */
	SEARCHES, /* five plain searches and three of 60 s, as a long report has them */
	ONE,	  /* a single search of 60 s trials */
	QUICK,	  /* the preset of that name, three times */
	CSIT,	  /* csit-ndr, five times */
	N_DESIGNS,
};

static void
run_trials(const struct measurer *m, const struct sim_model *model, enum design design)
{
	static const uint64_t mixed_ms[] = {500, 1000, 5000, 20000};
	double low = sim_quantile_pps(model, 60, 0, 0.5) / 2;
	double span = 1.1 * sim_quantile_pps(model, 1, 0, 0.5) / low;
	struct trial *t = xcalloc(1, sizeof(*t));

	for (unsigned i = 0; i < (design == SPREAD ? 300 : 200); i++) {
		const struct trial_spec spec = {
			.rate_pps = low * pow(span, rng_unit()),
			.duration_ns =
				NSEC_PER_MS * (design == SPREAD ? 1000 : mixed_ms[rng_below(4)]),
		};

		trial_init(t, &spec);
		assert_int_equal(m->run(m->ctx, &spec, t, NULL), 0);
	}
	free(t);
}

static void
run_preset(const struct measurer *m, const struct sim_model *model, const char *name, unsigned n)
{
	struct procedure_result *found = xcalloc(1, sizeof(*found));
	const struct preset *preset;
	struct procedure_conf conf;

	assert_int_equal(preset_find(name, &preset, NULL), 0);
	conf = preset->procedure;
	conf.max_pps = 2 * model->capacity_pps;
	conf.curve_step = 0;
	for (unsigned i = 0; i < n; i++)
		assert_int_equal(procedure_run(&conf, m, found, NULL), 0);
	free(found);
}

static void
run_design(const struct measurer *m, const struct sim_model *model, enum design design)
{
	switch (design) {
	case SEARCHES:
		run_preset(m, model, "search", 5);
		run_preset(m, model, "rfc2544", 3);
		break;
	case ONE:
		run_preset(m, model, "rfc2544", 1);
		break;
	case QUICK:
		run_preset(m, model, "quick", 3);
		break;
	case CSIT:
		run_preset(m, model, "csit-ndr", 5);
		break;
	default:
		run_trials(m, model, design);
		break;
	}
}

static void
simulate(const struct sim_model *model, enum design design)
{
	static struct sim_seen seen[MAX_TRIALS];
	struct sim sim;
	struct measurer m = sim_measurer(&sim);

	sim_init(&sim, model, rng());
	sim.seen = seen;
	sim.max_seen = MAX_TRIALS;
	run_design(&m, model, design);
	for (n_trials = 0; n_trials < sim.n_seen; n_trials++)
		trials[n_trials] = (struct lossfree_trial){
			seen[n_trials].pps, seen[n_trials].duration_s, seen[n_trials].lossy};
	lossfree_estimate(trials, n_trials, rates);
}

/* Whatever the data: finite, in order, and no higher for longer trials. */
static void
assert_sane(void)
{
	double last = INFINITY;

	for (size_t i = 0; i < LOSSFREE_N_DURATIONS; i++) {
		const struct lossfree_rate *r = &rates[i];

		assert_false(isinf(r->rate_pps) || isinf(r->low_pps) || isinf(r->high_pps));
		assert_false(r->low_pps >= r->high_pps);
		if (isnan(r->rate_pps))
			continue;
		assert_true(r->low_pps <= r->rate_pps && r->rate_pps <= r->high_pps);
		assert_true(r->rate_pps <= last);
		last = r->rate_pps;
	}
}

struct coverage {
	unsigned n, covered, known;
};

static void
count(struct coverage *c, const struct lossfree_rate *r, double truth)
{
	c->n++;
	c->covered += !(r->low_pps > truth) && !(r->high_pps < truth);
	c->known += !isnan(r->rate_pps);
}

/* 95 % intervals cover the truth in 95 % of the cases; with chance allowed for (5 sigma). */
static void
assert_covers(const struct coverage *c, const char *what)
{
	double least = 0.95 - 5 * sqrt(0.95 * 0.05 / c->n);

	print_message("# %s: %u of %u intervals hold the true rate, %u are closed\n", what,
		      c->covered, c->n, c->known);
	assert_true(c->covered >= least * c->n);
}

static void
intervals_cover_the_truth(void **state)
{
	static const char *const names[] = {"spread",	  "mixed", "searches",
					    "one search", "quick", "csit-ndr"};
	unsigned n_systems = getenv("NFVCHAIN_TEST_LONG") != NULL ? 2000 : 150;

	(void)state;
	rng_seed(__func__);
	for (enum design design = SPREAD; design < N_DESIGNS; design++) {
		struct coverage c[LOSSFREE_N_DURATIONS] = {0};
		unsigned most = 0;

		for (unsigned run = 0; run < n_systems; run++) {
			struct sim_model model = sim_random(rng());

			/* Capacity that changes faster than a trial is independent in time. */
			model.slot_s = 0.1;
			simulate(&model, design);
			assert_sane();
			for (size_t i = 0; i < LOSSFREE_N_DURATIONS; i++)
				count(&c[i], &rates[i],
				      sim_quantile_pps(&model, rates[i].duration_s, 0, 0.5));
		}
		for (size_t i = 0; i < LOSSFREE_N_DURATIONS; i++) {
			char what[64];

			snprintf(what, sizeof(what), "%s, R(%g s)", names[design],
				 lossfree_durations_s[i]);
			assert_covers(&c[i], what);
			most = c[i].known > most ? c[i].known : most;
		}
		/* An interval is worth nothing if it is never closed. */
		assert_true(most > 0.4 * n_systems);
	}
}

static void
drift_makes_no_nonsense(void **state)
{
	(void)state;
	/* A chain that gets 10 % faster or slower in 1 000 s: the truth is not one number. */
	rng_seed(__func__);
	for (unsigned run = 0; run < 60; run++) {
		struct sim_model model = sim_random(rng());

		model.drift_per_s = run % 2 == 0 ? 1e-4 : -1e-4;
		simulate(&model, (enum design)(run % N_DESIGNS));
		assert_sane();
		for (size_t i = 0; i < LOSSFREE_N_DURATIONS; i++)
			if (!isnan(rates[i].rate_pps))
				assert_true(rates[i].rate_pps < 1.5 * model.capacity_pps);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(half_way_between_two_loads),
		cmocka_unit_test(loads_out_of_order_are_taken_together),
		cmocka_unit_test(trials_of_all_lengths_count),
		cmocka_unit_test(no_trials_tell_nothing),
		cmocka_unit_test(one_sided),
		cmocka_unit_test(more_lengths_than_are_told_apart),
		cmocka_unit_test(intervals_are_what_the_ratio_allows),
		cmocka_unit_test(intervals_cover_the_truth),
		cmocka_unit_test(drift_makes_no_nonsense),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
