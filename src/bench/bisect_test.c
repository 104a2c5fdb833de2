/* SPDX-License-Identifier: MIT */
#include "bisect.h"

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/assert_within.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/test_random.h"
#include "sim.h"
#include "sim_law.h"
#include "tst009.h"

/* ---- a chain with a table: how much is lost depends on the load and on how often it was tried,
 * and on nothing that makes sense ---- */

#define TABLE_LOADS 4096
#define TABLE_PPS 1e6

struct table {
	uint64_t seed;
	double good_ratio;	     /* of trials that lose nothing */
	unsigned max_lost;	     /* the others lose up to so many frames */
	unsigned tried[TABLE_LOADS]; /* per load, by its frames a second */
	double pps[TABLE_LOADS];
	size_t n_loads;
	size_t n_trials;
};

static unsigned
table_lost(const struct table *table, double pps, unsigned try)
{
	uint64_t bits, random;

	memcpy(&bits, &pps, sizeof(bits));
	random = table->seed ^ (bits * 31) ^ (try + 1);
	if (sim_unit(&random) < table->good_ratio)
		return 0;
	return 1 + (unsigned)(sim_unit(&random) * table->max_lost);
}

static unsigned *
table_tried(struct table *table, double pps)
{
	for (size_t i = 0; i < table->n_loads; i++)
		if (table->pps[i] == pps)
			return &table->tried[i];
	assert_true(table->n_loads < TABLE_LOADS);
	table->pps[table->n_loads] = pps;
	return &table->tried[table->n_loads++];
}

static int
table_run(void *ctx, const struct trial_spec *spec, struct trial *t, struct err *err)
{
	struct table *table = ctx;
	unsigned *tried = table_tried(table, spec->rate_pps);
	uint64_t n = (uint64_t)spec->rate_pps, lost = table_lost(table, spec->rate_pps, (*tried)++);

	table->n_trials++;
	sim_fill(t, n, 0, lost < n ? lost : n);
	return 0;
}

/* ---- grids ---- */

static void
linear_grids(void **state)
{
	struct grid g = {.max_pps = 1000, .step_pps = 100};

	(void)state;
	assert_int_equal(grid_size(&g), 10);
	assert_true(grid_at(&g, 0) == 100 && grid_at(&g, 4) == 500 && grid_at(&g, 9) == 1000);
	/* n = ceil(max / step), and no load is above the maximum. */
	g.max_pps = 1001;
	assert_int_equal(grid_size(&g), 11);
	assert_true(grid_at(&g, 9) == 1000 && grid_at(&g, 10) == 1001);
	g.step_pps = 2000;
	assert_int_equal(grid_size(&g), 1);
	assert_true(grid_at(&g, 0) == 1001);
	/* Thirds of 1 are three, whatever floating point says. */
	g = (struct grid){.max_pps = 12e6, .step_pps = 12e6 / 1024};
	assert_int_equal(grid_size(&g), 1024);
	g.step_pps = 1;
	assert_int_equal(grid_check(&g, NULL), -EINVAL);
	g.step_pps = 10000;
	assert_int_equal(grid_check(&g, NULL), 0);
	g.max_pps = INFINITY;
	assert_int_equal(grid_check(&g, NULL), -EINVAL);
}

/* ---- TST 009 ---- */

/* The published loop, with indices as published: the highest load that passed, or 0. */
static double
loop_of_tst009(const struct tst009_conf *conf, const struct table *table, size_t *n_trials)
{
	long n = (long)ceil(conf->max_pps / conf->step_pps - 1e-9), left = 0, right = n - 1;
	double best = 0;

	do {
		long m = (left + right) / 2;
		double pps = fmin((double)(m + 1) * conf->step_pps, conf->max_pps);
		unsigned lost = 1;

		for (unsigned r = 0; r < conf->max_trials_at_load && lost > 0; r++) {
			lost = table_lost(table, pps, r);
			++*n_trials;
			if (lost > conf->max_lost)
				break;
		}
		if (lost == 0) {
			best = fmax(best, pps);
			left = m + 1;
		} else {
			right = m - 1 > left ? m - 1 : left;
		}
	} while (left < right);
	return best;
}

static void
tst009_is_the_published_loop(void **state)
{
	static struct search_result r;

	(void)state;
	rng_seed(__func__);
	for (unsigned run = 0; run < 500; run++) {
		struct tst009_conf conf = tst009_usual();
		struct table *table = xcalloc(1, sizeof(*table));
		const struct measurer m = {.ctx = table, .run = table_run};
		size_t n_trials = 0;
		double best;

		*table = (struct table){.seed = rng(), .good_ratio = rng_unit(), .max_lost = 100};
		conf.max_pps = TABLE_PPS;
		conf.step_pps = TABLE_PPS / (1 + rng_below(run % 2 == 0 ? 8 : 1200));
		conf.trial_ns = NSEC_PER_S;
		conf.max_trials_at_load = 1 + rng_below(4);
		conf.max_lost = rng_below(2) == 0 ? BISECT_NO_LIMIT : rng_below(100);
		best = loop_of_tst009(&conf, table, &n_trials);
		assert_int_equal(tst009_run(&conf, &m, &r, NULL), 0);
		assert_true(r.accepted_pps == best);
		assert_int_equal(r.n_trials, n_trials);
		assert_int_equal(r.n_trials, table->n_trials);
		if (best > 0 && r.rejected_pps > 0)
			assert_int_equal(r.end, SEARCH_FOUND);
		else if (best > 0)
			assert_int_equal(r.end,
					 best == conf.max_pps ? SEARCH_AT_MAX : SEARCH_AT_LEAST);
		else
			assert_int_equal(r.end, SEARCH_BELOW_MIN);
		if (r.rejected_pps > 0)
			assert_true(r.rejected_pps <= best + 2.001 * conf.step_pps);
		free(table);
	}
}

static void
the_last_load_too(void **state)
{
	static struct search_result r;
	struct tst009_conf conf = tst009_usual();

	(void)state;
	/* Each capacity between 10 loads is found to a step, and that above them too. */
	conf.max_pps = 1000;
	conf.step_pps = 100;
	for (unsigned capacity = 50; capacity <= 1050; capacity += 100) {
		struct sim_model model = sim_steady(capacity);
		struct sim sim;
		struct measurer m = sim_measurer(&sim);

		sim_init(&sim, &model, 1);
		conf.try_last = true;
		assert_int_equal(tst009_run(&conf, &m, &r, NULL), 0);
		assert_true(r.accepted_pps == capacity - 50);
		assert_int_equal(r.end, capacity < 100	  ? SEARCH_BELOW_MIN
					: capacity > 1000 ? SEARCH_AT_MAX
							  : SEARCH_FOUND);
		if (capacity < 1000)
			assert_true(r.rejected_pps == capacity + 50);
		conf.try_last = false;
		assert_int_equal(tst009_run(&conf, &m, &r, NULL), 0);
		assert_within(r.accepted_pps, fmax(capacity, 150) - 150, capacity);
		if (capacity > 1000)
			assert_int_equal(r.end, SEARCH_AT_LEAST);
	}
}

static void
retries_count_for_the_loss(void **state)
{
	static struct search_result r;
	static struct table table;
	const struct measurer m = {.ctx = &table, .run = table_run};
	struct tst009_conf conf = tst009_usual();
	unsigned lost = 0;

	(void)state;
	/* A grid of one load; what was lost before a trial passed is not hidden. */
	conf.max_pps = conf.step_pps = TABLE_PPS;
	conf.trial_ns = NSEC_PER_S;
	table = (struct table){.good_ratio = 0.5, .max_lost = 100};
	while (table_lost(&table, TABLE_PPS, 0) == 0 || table_lost(&table, TABLE_PPS, 1) > 0)
		table.seed++;
	lost = table_lost(&table, TABLE_PPS, 0);
	assert_int_equal(tst009_run(&conf, &m, &r, NULL), 0);
	assert_int_equal(r.end, SEARCH_AT_MAX);
	assert_int_equal(r.n_trials, 2);
	assert_int_equal(r.lost, lost);
	assert_int_equal(r.intended, 2 * (uint64_t)TABLE_PPS);
	assert_int_equal(r.latency.n, 2);
	/* Exactly z frames may be lost, not one more. */
	for (unsigned less = 0; less < 2; less++) {
		table = (struct table){.seed = table.seed, .good_ratio = 0.5, .max_lost = 100};
		conf.max_lost = lost - less;
		assert_int_equal(tst009_run(&conf, &m, &r, NULL), 0);
		assert_int_equal(r.end, less == 0 ? SEARCH_AT_MAX : SEARCH_BELOW_MIN);
	}
	conf.max_trials_at_load = 0;
	assert_int_equal(tst009_run(&conf, &m, &r, NULL), -EINVAL);
}

/* ---- several loss ratios at once ---- */

/* NFVbench halves an interval of percents for all targets that are still together. */
static void
halve(const struct table *table, double left, double right, const double *loss, double *found,
      unsigned goals, size_t *n_trials)
{
	double middle = (left + right) / 2, pps = TABLE_PPS * middle / 100, ratio;
	unsigned pass = 0;

	if (goals == 0 || right - left < 0.1)
		return;
	++*n_trials;
	ratio = table_lost(table, pps, 0) / floor(pps);
	for (unsigned i = 0; i < 2; i++)
		if ((goals & 1u << i) != 0 && ratio <= loss[i]) {
			pass |= 1u << i;
			found[i] = pps;
		}
	halve(table, left, middle, loss, found, goals & ~pass, n_trials);
	if (middle < 100)
		halve(table, middle, right, loss, found, pass, n_trials);
}

static void
two_goals_share_their_trials(void **state)
{
	static struct search_result r[2];

	(void)state;
	rng_seed(__func__);
	for (unsigned run = 0; run < 200; run++) {
		const double loss[2] = {1e-5, 1e-3};
		struct bisect_conf conf = {
			.grid = {.max_pps = TABLE_PPS, .step_pps = TABLE_PPS / 1024},
			.trial_ns = NSEC_PER_S,
			.loss_ratio = {loss[0], loss[1]},
			.n_goals = 2,
			.needed = 1,
			.max_first = true,
			.max_invalid = 5,
		};
		struct table *table = xcalloc(1, sizeof(*table));
		const struct measurer m = {.ctx = table, .run = table_run};
		double found[2] = {0};
		size_t n_trials = 0;

		*table = (struct table){.seed = rng(), .good_ratio = rng_unit(), .max_lost = 2000};
		halve(table, 0, 200, loss, found, 3, &n_trials);
		assert_int_equal(bisect_run(&conf, &m, r, NULL), 0);
		for (unsigned i = 0; i < 2; i++) {
			assert_true(fabs(r[i].accepted_pps - found[i]) < 1e-6);
			assert_int_equal(r[i].n_trials, n_trials);
			if (found[i] > 0)
				assert_true((double)r[i].lost <= loss[i] * (double)r[i].intended);
			assert_int_equal(r[i].latency.n, found[i] > 0);
		}
		free(table);
	}
}

static void
goals_that_take_more_trials_share_none(void **state)
{
	static struct search_result r[BISECT_MAX_GOALS];
	struct sim_model model = sim_steady(1e6);
	struct sim sim;
	struct measurer m = sim_measurer(&sim);
	struct bisect_conf conf = {
		.grid = {.min_pps = 1e5, .max_pps = 1e7, .step_ratio = 1.01},
		.trial_ns = NSEC_PER_S,
		.loss_ratio = {0.2, 0, 0.1},
		.n_goals = 3,
		.needed = 2,
		.max_first = true,
		.max_invalid = 5,
	};

	(void)state;
	sim_init(&sim, &model, 1);
	assert_int_equal(bisect_run(&conf, &m, r, NULL), 0);
	for (unsigned i = 0; i < 3; i++) {
		double capacity = 1e6 / (1 - conf.loss_ratio[i]);

		assert_int_equal(r[i].end, SEARCH_FOUND);
		assert_true(r[i].accepted_pps <= capacity && r[i].rejected_pps > capacity);
		assert_true(r[i].rejected_pps <= r[i].accepted_pps * 1.01 * (1 + 1e-9));
		assert_int_equal(r[i].latency.n, 2);
		assert_int_equal(r[i].n_trials, sim.n_trials);
	}
	/* Not even where they all end at the first load. */
	conf.grid.max_pps = 9e5;
	sim_init(&sim, &model, 1);
	assert_int_equal(bisect_run(&conf, &m, r, NULL), 0);
	assert_int_equal(sim.n_trials, 6);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(r[i].end, SEARCH_AT_MAX);
	conf.n_goals = 0;
	assert_int_equal(bisect_run(&conf, &m, r, NULL), -EINVAL);
	conf.n_goals = BISECT_MAX_GOALS + 1;
	assert_int_equal(bisect_run(&conf, &m, r, NULL), -EINVAL);
}

static void
the_strictest_goal_judges(void **state)
{
	static struct search_result r[2];
	struct sim_model model = sim_steady(1e9);
	struct sim sim;
	struct measurer m = sim_measurer(&sim);
	struct bisect_conf conf = {
		.grid = {.min_pps = 1e5, .max_pps = 1e7, .step_ratio = 1.1},
		.trial_ns = NSEC_PER_S,
		.loss_ratio = {0.1, 0.001},
		.n_goals = 2,
		.needed = 1,
		.max_first = true,
		.max_invalid = 5,
	};

	(void)state;
	/* Each trial loses 1 %: good for one goal, and shown as failed. */
	model.loss_ratio = 0.01;
	sim_init(&sim, &model, 1);
	assert_int_equal(bisect_run(&conf, &m, r, NULL), 0);
	assert_int_equal(r[0].end, SEARCH_AT_MAX);
	assert_int_equal(r[1].end, SEARCH_BELOW_MIN);
	assert_int_equal(sim.n_failed, sim.n_trials);
}

/* ---- trials that say nothing ---- */

static void
given_up_once_for_all_goals(void **state)
{
	static struct search_result r[2];
	struct sim_model model = sim_steady(1e6);
	struct sim sim;
	struct measurer m = sim_measurer(&sim);
	struct bisect_conf conf = {
		.grid = {.max_pps = 1000, .step_pps = 100},
		.trial_ns = NSEC_PER_S,
		.loss_ratio = {0, 0.001},
		.n_goals = 2,
		.needed = 1,
		.max_first = true,
		.max_invalid = 3,
	};

	(void)state;
	model.invalid_above = 550;
	sim_init(&sim, &model, 1);
	assert_int_equal(bisect_run(&conf, &m, r, NULL), 0);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(r[i].end, SEARCH_AT_LEAST);
		assert_true(r[i].accepted_pps == 500 && r[i].rejected_pps == 0);
		/* 1000, 700, 600 given up; 500 accepted after it, and once. */
		assert_int_equal(r[i].n_invalid, 9);
		assert_int_equal(r[i].n_trials, 10);
	}
}

static void
limits_and_interruptions(void **state)
{
	static struct search_result r;
	struct sim_model model = sim_steady(5e6);
	struct sim sim;
	struct measurer m = sim_measurer(&sim);
	struct tst009_conf conf = tst009_usual();
	struct err err = {0};

	(void)state;
	conf.min_pps = 1000;
	conf.max_pps = 10e6;
	conf.step_ratio = 1.005;
	conf.max_trials = 8;
	sim_init(&sim, &model, 1);
	assert_int_equal(tst009_run(&conf, &m, &r, NULL), 0);
	assert_int_equal(r.end, SEARCH_AT_LEAST);
	assert_within(r.n_trials, 8, 10);
	sim_init(&sim, &model, 1);
	sim.stop_after = 6;
	assert_int_equal(tst009_run(&conf, &m, &r, &err), -EINTR);
	assert_string_equal(err.msg, "stopped");
	assert_int_equal(r.end, SEARCH_INCONCLUSIVE);
	assert_int_equal(r.n_trials, 6);
	assert_true(r.accepted_pps > 0);
	/* Not one valid trial: left early. */
	model.invalid_ratio = 1;
	sim_init(&sim, &model, 1);
	conf.max_trials = 0;
	assert_int_equal(tst009_run(&conf, &m, &r, NULL), 0);
	assert_int_equal(r.end, SEARCH_INCONCLUSIVE);
	assert_int_equal(r.n_trials, 2 * conf.max_invalid);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(linear_grids),
		cmocka_unit_test(tst009_is_the_published_loop),
		cmocka_unit_test(the_last_load_too),
		cmocka_unit_test(retries_count_for_the_loss),
		cmocka_unit_test(two_goals_share_their_trials),
		cmocka_unit_test(goals_that_take_more_trials_share_none),
		cmocka_unit_test(the_strictest_goal_judges),
		cmocka_unit_test(given_up_once_for_all_goals),
		cmocka_unit_test(limits_and_interruptions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
