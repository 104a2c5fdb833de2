/* SPDX-License-Identifier: MIT */
#include "mlr_loads.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/assert_within.h"
#include "base/mem.h"
#include "mlr_dut.h"
#include "mlr_select.h"

/* ---- the grid ---- */

static void
places_on_the_grid(void **state)
{
	(void)state;
	rng_seed(__func__);
	for (unsigned run = 0; run < 300; run++) {
		double min_pps = pow(10, 1 + 5 * rng_unit());
		double max_pps = min_pps * pow(10, 4 * rng_unit());
		double width = pow(10, -0.2 - 2.5 * rng_unit());
		struct mlr_loads l;

		mlr_loads_init(&l, min_pps, max_pps, width);
		assert_true(mlr_loads_pps(&l, 0) == min_pps);
		assert_true(mlr_loads_pps(&l, l.n_grid - 1) == max_pps);
		assert_int_equal(mlr_loads_index(&l, 0), 0);
		assert_int_equal(mlr_loads_index(&l, max_pps * 2), l.n_grid - 1);
		if (l.n_grid > 2)
			assert_int_equal(mlr_loads_steps(&l, width), 1);
		for (long i = 0; i < l.n_grid; i++) {
			double pps = mlr_loads_pps(&l, i);

			assert_int_equal(mlr_loads_index(&l, pps), i);
			assert_int_equal(mlr_loads_index(&l, pps * (1 - 1e-6)), i > 0 ? i - 1 : 0);
		}
		for (long i = 1; i < l.n_grid && i < 20; i++) {
			double wide = 1 - mlr_loads_pps(&l, 0) / mlr_loads_pps(&l, i);

			assert_int_equal(mlr_loads_steps(&l, wide), i);
			assert_int_equal(mlr_loads_steps(&l, wide * (1 - 1e-6)), i > 1 ? i - 1 : 1);
		}
		mlr_loads_fini(&l);
	}
}

static void
a_grid_of_one_load(void **state)
{
	struct mlr_loads l;

	(void)state;
	mlr_loads_init(&l, 1000, 1000, 0.01);
	assert_int_equal(l.n_grid, 1);
	assert_int_equal(mlr_loads_index(&l, 5000), 0);
	assert_int_equal(mlr_loads_index(&l, 1), 0);
	assert_int_equal(mlr_loads_steps(&l, 0.01), 1);
	mlr_loads_fini(&l);
}

/* ---- bounds ---- */

static const struct goal one_trial = {.trial_ns = NSEC_PER_S, .sum_ns = NSEC_PER_S, .width = 0.01};

/* Loads from the lowest: '+' met the goal, '-' failed it, '?' is undecided, 'x' was given up while
 * undecided, 'X' after it had met the goal, ' ' was never tried. */
static struct mlr_bounds
bounds_of(const char *loads)
{
	struct mlr_loads l;
	struct mlr_bounds b;

	mlr_loads_init(&l, 1000, 1000 * pow(2, 7), 0.5);
	assert_int_equal(l.n_grid, 8);
	/* In an order that is not theirs. */
	for (long k = 0; k < 8; k++) {
		long i = k * 3 % 8;
		struct trial t;

		trial_init(&t, &(struct trial_spec){.duration_ns = NSEC_PER_S});
		t.intended = 10;
		t.loss_ratio = loads[i] == '-' ? 0.1 : 0;
		if (loads[i] == '?')
			t.spec.duration_ns--;
		if (loads[i] != ' ' && loads[i] != 'x')
			mlr_loads_add(&l, i, &t);
		if (loads[i] == 'x' || loads[i] == 'X')
			mlr_loads_give_up(&l, i);
		assert_true((mlr_loads_find(&l, i) != NULL) == (loads[i] != ' '));
	}
	for (size_t i = 1; i < l.n; i++)
		assert_true(l.loads[i - 1]->index < l.loads[i]->index);
	b = mlr_loads_bounds(&l, &one_trial);
	mlr_loads_fini(&l);
	return b;
}

static void
relevant_bounds(void **state)
{
	static const struct {
		const char *loads;
		long lower, upper, ceiling;
	} cases[] = {
		{"        ", -1, 8, 8},
		{"  +     ", 2, 8, 8},
		{"     -  ", -1, 5, 5},
		{" ++ - - ", 2, 4, 4},
		{" + ? -  ", 1, 5, 5},
		/* What passes above a load that fails is not a lower bound. */
		{"+ - + - ", 0, 2, 2},
		{" - +   +", -1, 1, 1},
		/* A load given up is as far as the search may go, if it stands in its way. */
		{" + x -  ", 1, 5, 3},
		{" + xx   ", 1, 8, 3},
		{"x + -   ", 2, 4, 4},
		{"+ x + - ", 4, 6, 6},
		{"  x     ", -1, 8, 2},
		{" + - x  ", 1, 3, 3},
		{"  -  x +", -1, 2, 2},
		{"+ X x - ", 2, 6, 4},
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(cases); i++) {
		struct mlr_bounds b = bounds_of(cases[i].loads);

		if (b.lower != cases[i].lower || b.upper != cases[i].upper ||
		    b.ceiling != cases[i].ceiling)
			fail_msg("'%s': %ld, %ld, %ld", cases[i].loads, b.lower, b.upper,
				 b.ceiling);
	}
}

static void
a_load_sums_up_its_trials(void **state)
{
	struct mlr_loads l;

	(void)state;
	mlr_loads_init(&l, 1000, 8000, 0.5);
	for (unsigned i = 1; i <= 3; i++) {
		struct trial t;

		trial_init(&t, &(struct trial_spec){.rate_pps = 1000, .duration_ns = NSEC_PER_S});
		dut_fill(&t, 100 * i, 0, i, 0);
		trial_judge(&t, 0);
		mlr_loads_add(&l, 2, &t);
	}
	assert_int_equal(mlr_loads_find(&l, 2)->n_trials, 3);
	assert_int_equal(mlr_loads_find(&l, 2)->intended, 600);
	assert_int_equal(mlr_loads_find(&l, 2)->lost, 6);
	assert_int_equal(mlr_loads_find(&l, 2)->latency.n, 3);
	assert_int_equal(mlr_loads_find(&l, 2)->latency.max_ns, 1003);
	mlr_loads_fini(&l);
	mlr_loads_fini(&l);
}

/* ---- targets ---- */

static void
coarser_targets_come_first(void **state)
{
	struct mlr_selector s;
	struct mlr_loads loads;
	struct goal rfc2544 = {.trial_ns = 60 * NSEC_PER_S,
			       .initial_ns = NSEC_PER_S,
			       .sum_ns = 60 * NSEC_PER_S,
			       .width = 0.02};

	(void)state;
	mlr_loads_init(&loads, 9000, 15e6, 0.005);
	mlr_selector_init(&s, &csit.goals[0], 2, &loads);
	assert_int_equal(s.n_targets, 3);
	assert_int_equal(s.targets[0].sum_ns, NSEC_PER_S);
	assert_within(s.targets[1].sum_ns, 4582575694, 4582575696); /* sqrt(21) s */
	assert_int_equal(s.targets[2].sum_ns, 21 * NSEC_PER_S);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(s.targets[i].trial_ns, NSEC_PER_S);
	assert_true(s.steps[0] == 4 && s.steps[1] == 2 && s.steps[2] == 1);
	/* Trials grow with the sum; another goal's grid is four times as fine as this one needs. */
	mlr_selector_init(&s, &rfc2544, 2, &loads);
	assert_int_equal(s.targets[0].trial_ns, NSEC_PER_S);
	assert_within(s.targets[1].trial_ns, 7745966691, 7745966693); /* sqrt(60) s */
	assert_int_equal(s.targets[2].trial_ns, 60 * NSEC_PER_S);
	assert_true(s.steps[0] == 16 && s.steps[2] == 4);
	mlr_selector_init(&s, &rfc2544, 0, &loads);
	assert_int_equal(s.n_targets, 1);
	assert_int_equal(s.targets[0].trial_ns, 60 * NSEC_PER_S);
	mlr_loads_fini(&loads);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(places_on_the_grid),
		cmocka_unit_test(a_grid_of_one_load),
		cmocka_unit_test(relevant_bounds),
		cmocka_unit_test(a_load_sums_up_its_trials),
		cmocka_unit_test(coarser_targets_come_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
