/* SPDX-License-Identifier: MIT */
#include "preset.h"

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/stats.h"
#include "base/test_random.h"
#include "grid.h"
#include "sim.h"
#include "sim_law.h"

/* Each preset, on simulated chains: is the answer right?
 *
 * A chain that never stalls has one answer, and the preset has to be within its width of it.  On
 * one that stalls, what a long search for zero loss finds is a matter of luck; but of luck whose
 * law can be computed, from the probability that a load is accepted, through the tree of decisions
 * of a binary search.  NFVCHAIN_TEST_LONG takes more of everything. */

#define SYSTEMS 1000

static unsigned
scaled(unsigned n)
{
	return getenv("NFVCHAIN_TEST_LONG") != NULL ? 10 * n : n;
}

static struct procedure_result result;

static double
seconds_of(const struct goal *g)
{
	return (double)g->trial_ns / (double)NSEC_PER_S;
}

static struct procedure_conf
conf_of(const char *name, double max_pps)
{
	const struct preset *p;
	struct procedure_conf conf;

	assert_int_equal(preset_find(name, &p, NULL), 0);
	conf = p->procedure;
	conf.max_pps = max_pps;
	return conf;
}

/* ---- what is the answer ---- */

/* Probability of at most 'most' of 'n' trials being bad. */
static double
few_bad(unsigned n, unsigned most, double good)
{
	double p = pow(good, n), sum = p;

	for (unsigned k = 1; k <= most && good > 0; k++) {
		p *= (1 - good) / good * (n - k + 1) / k;
		sum += p;
	}
	return sum;
}

/* Probability that a procedure accepts a load for a goal. */
static double
accepts(const struct procedure_conf *conf, size_t goal, const struct sim_model *model, double pps)
{
	const struct goal *g = &conf->goal[goal];
	double seconds = seconds_of(g), good = 1 - sim_exceed(model, pps, seconds, g->loss_ratio);
	double again;
	unsigned n;

	switch (conf->kind) {
	case PROCEDURE_TST009:
		/* Bad, though not so bad that the load is not tried again. */
		again = 1 - good -
			sim_exceed(model, pps, seconds, (double)conf->max_lost / (pps * seconds));
		return good * (1 + again + again * again);
	case PROCEDURE_BINARY:
		return pow(good, conf->needed);
	case PROCEDURE_MLRSEARCH:
		n = (unsigned)(g->sum_ns / g->trial_ns);
		return few_bad(n, (unsigned)(n * g->exceed_ratio), good);
	default:
		return good;
	}
}

/* The load that a chain which never stalls has an even chance with. */
static double
answer(const struct procedure_conf *conf, size_t goal, const struct sim_model *model)
{
	double low = log(0.9 * model->capacity_pps), high = log(1.1 * model->capacity_pps);

	for (unsigned i = 0; i < 14; i++) {
		double mid = (low + high) / 2;

		if (accepts(conf, goal, model, exp(mid)) >= 0.5)
			low = mid;
		else
			high = mid;
	}
	return exp(low);
}

/* ---- running ---- */

struct tally {
	unsigned n;
	unsigned n_goals, n_close; /* of all runs */
	double trials[10 * SYSTEMS], seconds[10 * SYSTEMS];
};

static void
run(const struct procedure_conf *conf, const struct sim_model *model, struct tally *tally)
{
	struct sim sim;
	struct measurer m = sim_measurer(&sim);

	sim_init(&sim, model, rng());
	assert_int_equal(procedure_run(conf, &m, &result, NULL), 0);
	assert_int_equal(result.n_trials, sim.n_trials);
	tally->trials[tally->n] = (double)sim.n_trials;
	tally->seconds[tally->n++] = sim.time_s;
}

/* ---- chains that never stall ---- */

enum noise { STEADY, QUIET, NOISY, N_NOISES };

static const char *const noises[] = {"0", "0.05 %", "1 %"};

static struct sim_model
stall_free(enum noise noise)
{
	struct sim_model model = sim_random(rng());

	model.stalls_per_s = 0;
	model.capacity_sd_ratio = (const double[]){0, 0.0005, 0.01}[noise];
	return model;
}

/* Within the width of the goal, the first of which stands for the maximum receive rate too. */
static bool
is_close(const struct procedure_conf *conf, size_t goal, const struct sim_model *model)
{
	double found = result.found[goal].accepted_pps, truth, width = conf->goal[goal].width;

	if (conf->kind == PROCEDURE_MRR)
		return fabs(result.mrr.median_pps / model->capacity_pps - 1) <= width;
	truth = answer(conf, goal, model);
	/* Of the maximum, in NFVbench. */
	if (conf->step_of_max > 0)
		return fabs(found - truth) <= conf->step_of_max * conf->max_pps * (1 + 1e-9);
	return fabs(found / truth - 1) <= width * (1 + 1e-9);
}

static void
measure_stall_free(const struct preset *preset, enum noise noise, unsigned n_systems,
		   struct tally *tally)
{
	tally->n = tally->n_goals = tally->n_close = 0;
	for (unsigned i = 0; i < n_systems; i++) {
		struct sim_model model = stall_free(noise);
		struct procedure_conf conf =
			conf_of(preset->name, model.capacity_pps * (1.2 + 10 * rng_unit()));

		run(&conf, &model, tally);
		for (size_t k = 0; k < (conf.n_goals > 0 ? conf.n_goals : 1); k++) {
			tally->n_goals++;
			tally->n_close += is_close(&conf, k, &model);
		}
	}
}

static void
print_tally(const char *what, const char *noise, const struct tally *t)
{
	print_message("# %-9s capacity +- %-5s: %5.1f %% of %u within the width, median %g trials, "
		      "%g s\n",
		      what, noise, 100.0 * t->n_close / t->n_goals, t->n_goals,
		      stats_median(t->trials, t->n), stats_median(t->seconds, t->n));
}

static void
right_where_nothing_stalls(void **state)
{
	static struct tally tally;

	(void)state;
	rng_seed(__func__);
	for (const struct preset *p = preset_table(); p->name != NULL; p++)
		for (enum noise noise = STEADY; noise < N_NOISES; noise++) {
			unsigned n = scaled(SYSTEMS / (const unsigned[]){1, 2, 10}[noise]);

			measure_stall_free(p, noise, n, &tally);
			print_tally(p->name, noises[noise], &tally);
			/* Where the capacity itself varies by more than the width, a load is
			 * accepted or not by chance over a range that is as wide. */
			if (noise < NOISY)
				assert_true(tally.n_close >= 0.95 * tally.n_goals);
			if (noise == STEADY)
				assert_int_equal(tally.n_close, tally.n_goals);
		}
}

/* ---- chains that stall: the law of the result ---- */

/* Probability of each result of a binary search: of none at [0], of load i at [i + 1]. */
struct law {
	const struct procedure_conf *conf;
	const struct sim_model *model;
	size_t goal;
	struct grid grid;
	double *p;
};

/* Loads below 'low' are accepted, from 'high' on rejected, with probability 'mass'. */
static void
decide(const struct law *law, size_t low, size_t high, double mass)
{
	size_t middle;
	double p;

	if (low == high || mass < 1e-7) {
		law->p[low] += mass;
		return;
	}
	middle = low + (high - low - 1) / 2;
	p = accepts(law->conf, law->goal, law->model, grid_at(&law->grid, middle));
	decide(law, middle + 1, high, mass * p);
	decide(law, low, middle, mass * (1 - p));
}

static size_t
compute_law(struct law *law)
{
	const struct procedure_conf *conf = law->conf;
	size_t n;
	double top = 0;

	law->grid = (struct grid){
		.min_pps = conf->min_pps,
		.max_pps = conf->max_pps,
		.step_ratio = 1 / (1 - conf->goal[0].width),
		.step_pps = conf->step_of_max * conf->max_pps,
	};
	n = grid_size(&law->grid);
	law->p = xcalloc(n + 1, sizeof(*law->p));
	/* TST 009 does not begin with the highest load. */
	if (conf->kind != PROCEDURE_TST009) {
		top = accepts(conf, law->goal, law->model, conf->max_pps);
		law->p[n] = top;
		decide(law, 0, n - 1, 1 - top);
	} else {
		decide(law, 0, n, 1);
	}
	return n;
}

/* Where in its law a result is, from 0 to 1: evenly distributed if that is its law, whatever the
 * law is.  A probability of several values is spread over them at random. */
static double
position(const struct law *law, size_t n, double found_pps)
{
	size_t at = 0;
	double below = 0;

	while (at < n && found_pps > 0 && grid_at(&law->grid, at) < found_pps * (1 + 1e-9))
		at++;
	for (size_t i = 0; i < at; i++)
		below += law->p[i];
	return below + rng_unit() * law->p[at];
}

static int
compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Kolmogorov and Smirnov: the largest distance from an even distribution. */
static double
distance_from_even(double *v, size_t n)
{
	double most = 0;

	qsort(v, n, sizeof(*v), compare);
	for (size_t i = 0; i < n; i++) {
		most = fmax(most, v[i] - (double)i / (double)n);
		most = fmax(most, (double)(i + 1) / (double)n - v[i]);
	}
	return most;
}

static void
assert_even(const char *name, double *v, const struct tally *t)
{
	double distance = distance_from_even(v, t->n);
	/* At a level of one in a million. */
	double most = sqrt(-log(1e-6 / 2) / 2 / t->n);

	print_message("# %-9s on %u chains that stall: distance from its law %.4f (%.4f is "
		      "1 in a million), median %g trials, %g s\n",
		      name, t->n, distance, most, stats_median(t->trials, t->n),
		      stats_median(t->seconds, t->n));
	assert_true(distance < most);
}

static void
assert_follows_its_law(const char *name, size_t goal)
{
	static struct tally tally;
	static double at[10 * SYSTEMS];

	tally.n = 0;
	for (unsigned i = 0; i < scaled(SYSTEMS); i++) {
		struct sim_model model = sim_random(rng());
		struct procedure_conf conf =
			conf_of(name, model.capacity_pps * (0.5 + 2 * rng_unit()));
		struct law law = {.conf = &conf, .model = &model, .goal = goal};
		size_t n = compute_law(&law);

		run(&conf, &model, &tally);
		at[i] = position(&law, n, result.found[goal].accepted_pps);
		free(law.p);
	}
	assert_even(name, at, &tally);
}

static void
long_searches_follow_their_law(void **state)
{
	(void)state;
	rng_seed(__func__);
	assert_follows_its_law("rfc2544", 0);
	assert_follows_its_law("tst009-z", 0);
}

static void
so_do_the_other_binary_searches(void **state)
{
	(void)state;
	rng_seed(__func__);
	assert_follows_its_law("search", 0);
	assert_follows_its_law("nfvbench", 0);
	assert_follows_its_law("nfvbench", 1);
}

/* ---- the published comparison ---- */

#define REPEATS 60

/* The median rate of a few runs; a long test takes more, and prints what people compare. */
static double
median_rate(const struct preset *p, const struct sim_model *model)
{
	static struct tally tally;
	double found[REPEATS], pause_s = (double)(p->drain_ns + p->rest_ns) / (double)NSEC_PER_S;
	unsigned n = scaled(REPEATS / 10);

	tally.n = 0;
	for (unsigned i = 0; i < n; i++) {
		struct procedure_conf conf = conf_of(p->name, 1.2 * model->capacity_pps);

		conf.curve_step = 0;
		run(&conf, model, &tally);
		found[i] = conf.kind == PROCEDURE_MRR ? result.mrr.median_pps
						      : result.found[0].accepted_pps;
	}
	if (n == REPEATS)
		print_message("# %-9s %8.4f Mpps, CV %4.1f %%, %4g trials, %5g s\n", p->name,
			      stats_median(found, n) / 1e6,
			      100 * stats_stdev(found, n) / stats_mean(found, n),
			      stats_median(tally.trials, n),
			      stats_median(tally.seconds, n) +
				      pause_s * stats_median(tally.trials, n));
	return stats_median(found, n);
}

/* Quiet machines are as fast to all procedures; to a noisy one, "zero loss" in trials of a second
 * and in trials of a minute are not the same thing. */
static void
three_machines(void **state)
{
	const struct sim_model models[] = {sim_bare_metal(), sim_noisy_vm(), sim_mild_vm()};
	static const char *const names[] = {"bare metal", "noisy VM", "mild VM"};

	(void)state;
	rng_seed(__func__);
	for (size_t i = 0; i < N_ELEMS(models); i++) {
		print_message("# %s\n", names[i]);
		for (const struct preset *p = preset_table(); p->name != NULL; p++) {
			double rate = median_rate(p, &models[i]) / models[i].capacity_pps;

			assert_true(rate > 0.05 && rate < 1.02);
			if (i == 0 || p->procedure.goal[0].trial_ns < NSEC_PER_S)
				assert_true(rate > 0.9);
			if (i == 1 && p->procedure.goal[0].trial_ns == 60 * NSEC_PER_S)
				assert_true(rate < 0.5);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(right_where_nothing_stalls),
		cmocka_unit_test(long_searches_follow_their_law),
		cmocka_unit_test(so_do_the_other_binary_searches),
		cmocka_unit_test(three_machines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
