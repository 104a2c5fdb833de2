/* SPDX-License-Identifier: MIT */
/* The plain search, 3 of 3 trials a load on a logarithmic grid, by its laws. */
#include "bisect.h"

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/assert_near.h"
#include "base/assert_within.h"
#include "base/test_random.h"

/* ---- a simulated chain ---- */

struct dut {
	double capacity_pps;
	double stall_ratio;    /* chance that a trial loses a few frames at any load */
	double invalid_ratio;  /* chance that a trial is invalid, because the generator was late */
	double invalid_above;  /* from this load on the generator is always late */
	unsigned invalid_next; /* so many trials from now on are invalid */
	unsigned valid_every;  /* only each of so many trials is valid, or 0 */
	unsigned stop_after;   /* the user stops everything after so many trials, or 0 */
	double loss_ratio;     /* lost at any load */

	unsigned n_trials;
	unsigned n_judged;
	double highest_pass, lowest_fail;
};

/* A trial in which 'lost' of the frames vanished on the only link. */
static void
fill_trial(struct trial *t, uint64_t intended, uint64_t late, uint64_t lost)
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

static int
dut_run(void *ctx, const struct trial_spec *spec, struct trial *t, struct err *err)
{
	struct dut *dut = ctx;
	double seconds = (double)spec->duration_ns / 1e9;
	uint64_t intended = (uint64_t)(spec->rate_pps * seconds), late = 0, lost = 0;

	if (dut->stop_after > 0 && dut->n_trials == dut->stop_after)
		return err_set(err, EINTR, "stopped");
	assert_false(spec->flat_out);
	dut->n_trials++;
	if (spec->rate_pps > dut->capacity_pps)
		lost = 1 + (uint64_t)((spec->rate_pps - dut->capacity_pps) * seconds);
	else if (rng_unit() < dut->stall_ratio)
		lost = 3;
	lost += (uint64_t)(dut->loss_ratio * (double)intended);
	if (dut->valid_every > 0 && dut->n_trials % dut->valid_every != 0)
		dut->invalid_next = 1;
	if (dut->invalid_next > 0 || rng_unit() < dut->invalid_ratio ||
	    (dut->invalid_above > 0 && spec->rate_pps >= dut->invalid_above)) {
		dut->invalid_next -= dut->invalid_next > 0;
		late = intended / 100 + 1;
		lost = 0;
	}
	fill_trial(t, intended, late, lost);
	return 0;
}

static void
dut_judged(void *ctx, const struct trial *t)
{
	struct dut *dut = ctx;

	dut->n_judged++;
	if (t->verdict == TRIAL_PASS)
		dut->highest_pass = fmax(dut->highest_pass, t->spec.rate_pps);
	if (t->verdict == TRIAL_FAIL)
		dut->lowest_fail = dut->lowest_fail > 0 ? fmin(dut->lowest_fail, t->spec.rate_pps)
							: t->spec.rate_pps;
}

static const struct bisect_conf usual = {
	.grid = {.min_pps = 1000, .max_pps = 10e6, .step_ratio = 1.02},
	.trial_ns = 1000000000,
	.n_goals = 1,
	.needed = 3,
	.max_first = true,
	.max_invalid = 5,
};

/* Valid trials that it takes at most. */
static unsigned
most_trials(const struct bisect_conf *conf)
{
	return conf->needed * (1 + grid_depth(grid_size(&conf->grid) - 1));
}

static int
search(const struct bisect_conf *conf, struct dut *dut, struct search_result *r)
{
	const struct measurer m = {.ctx = dut, .run = dut_run, .judged = dut_judged};
	struct err err;
	int rc = bisect_run(conf, &m, r, &err);

	assert_int_equal(r->n_trials, dut->n_trials);
	assert_int_equal(dut->n_judged, dut->n_trials);
	return rc;
}

/* ---- the grid ---- */

static void
grid_is_logarithmic(void **state)
{
	size_t n = grid_size(&usual.grid);
	double ratio = grid_at(&usual.grid, 1) / grid_at(&usual.grid, 0);

	(void)state;
	assert_true(grid_at(&usual.grid, 0) == usual.grid.min_pps);
	assert_true(grid_at(&usual.grid, n - 1) == usual.grid.max_pps);
	assert_true(ratio <= usual.grid.step_ratio && ratio > 1.019);
	for (size_t i = 1; i < n; i++)
		assert_near(grid_at(&usual.grid, i) / grid_at(&usual.grid, i - 1), ratio, 1e-9);
}

static void
grid_sizes(void **state)
{
	struct bisect_conf conf = {.grid = {.min_pps = 1000, .max_pps = 8000, .step_ratio = 2}};

	(void)state;
	assert_int_equal(grid_size(&conf.grid), 4); /* 1, 2, 4, 8 thousand */
	assert_near(grid_at(&conf.grid, 2), 4000, 1e-6);
	conf.grid.max_pps = 8001;
	assert_int_equal(grid_size(&conf.grid), 5);
	conf.grid.max_pps = 1001;
	assert_int_equal(grid_size(&conf.grid), 2);
	conf.grid.max_pps = 1000;
	assert_int_equal(grid_size(&conf.grid), 1);
	assert_true(grid_at(&conf.grid, 0) == 1000);
}

static void
whole_steps_are_not_rounded_up(void **state)
{
	(void)state;
	for (unsigned steps = 1; steps < 400; steps++) {
		struct bisect_conf conf = {.grid = {.min_pps = 1000, .step_ratio = 1.02}};

		conf.grid.max_pps = conf.grid.min_pps * pow(conf.grid.step_ratio, steps);
		assert_int_equal(grid_size(&conf.grid), steps + 1);
	}
}

static void
goal_codes(void **state)
{
	static const struct {
		uint64_t trial_ns;
		unsigned needed;
		double loss;
		const char *code;
	} goals[] = {
		{1000000000, 3, 0, "1f3d0l0e"},		 {60000000000, 1, 0, "60f60d0l0e"},
		{500000000, 11, 0.005, "0.5f5.5d.5l0e"}, {1000000000, 21, 1e-7, "1f21d.00001l0e"},
		{1000000000, 1, 0.1, "1f1d10l0e"},	 {100000000, 3, 0, "0.1f0.3d0l0e"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(goals) / sizeof(goals[0]); i++) {
		const struct goal goal = {
			.trial_ns = goals[i].trial_ns,
			.sum_ns = goals[i].trial_ns * goals[i].needed,
			.loss_ratio = goals[i].loss,
			.width = 0.02,
		};
		char buf[64];

		assert_int_equal(goal_check(&goal, NULL), 0);
		assert_string_equal(goal_code(buf, sizeof(buf), &goal), goals[i].code);
	}
}

/* ---- searches ---- */

static void
brackets_the_capacity(void **state)
{
	(void)state;
	/* accepted <= capacity < rejected, and they are neighbours on the grid. */
	rng_seed(__func__);
	for (unsigned run = 0; run < 300; run++) {
		struct bisect_conf conf = usual;
		struct search_result r;
		struct dut dut = {0};
		unsigned bound;

		conf.grid.step_ratio = 1.005 + rng_unit() * 0.3;
		conf.needed = 1 + (unsigned)(rng_unit() * 4);
		dut.capacity_pps = 1000 * pow(10000, rng_unit());
		bound = most_trials(&conf);
		assert_int_equal(search(&conf, &dut, &r), 0);
		assert_int_equal(r.end, SEARCH_FOUND);
		assert_true(r.accepted_pps <= dut.capacity_pps);
		assert_true(r.rejected_pps > dut.capacity_pps);
		assert_true(r.rejected_pps <= r.accepted_pps * conf.grid.step_ratio * (1 + 1e-9));
		assert_within(r.n_trials, 1, bound);
		assert_int_equal(r.n_invalid, 0);
		assert_int_equal(r.latency.n, conf.needed);
		assert_int_equal(r.intended, conf.needed * (uint64_t)r.accepted_pps);
		assert_int_equal(r.lost, 0);
		assert_true(dut.highest_pass == r.accepted_pps);
		assert_true(dut.lowest_fail == r.rejected_pps);
	}
}

static void
the_maximum_comes_first(void **state)
{
	struct dut dut = {.capacity_pps = 20e6};
	struct search_result r;

	(void)state;
	assert_int_equal(search(&usual, &dut, &r), 0);
	assert_int_equal(r.end, SEARCH_AT_MAX);
	assert_true(r.accepted_pps == usual.grid.max_pps);
	assert_true(r.rejected_pps == 0);
	assert_int_equal(r.n_trials, 3);
}

static void
too_slow_for_the_minimum(void **state)
{
	struct dut dut = {.capacity_pps = 500};
	struct bisect_conf one = usual;
	struct search_result r;

	(void)state;
	assert_int_equal(search(&usual, &dut, &r), 0);
	assert_int_equal(r.end, SEARCH_BELOW_MIN);
	assert_true(r.accepted_pps == 0);
	assert_true(r.rejected_pps == usual.grid.min_pps);
	assert_int_equal(r.latency.n, 0);
	/* A grid of a single load. */
	one.grid.max_pps = one.grid.min_pps;
	dut = (struct dut){.capacity_pps = 500};
	assert_int_equal(search(&one, &dut, &r), 0);
	assert_int_equal(r.end, SEARCH_BELOW_MIN);
	assert_int_equal(r.n_trials, 1);
}

/* No load is worth a trial on a path that loses the same share of each, or everything. */
static void
a_broken_path_ends_the_search(void **state)
{
	struct dut dut = {.capacity_pps = 4e6, .loss_ratio = 0.05};
	struct bisect_conf conf = usual;
	struct search_result r;
	struct err err = {0};
	struct measurer m = {.ctx = &dut, .run = dut_run, .watch_faults = true};

	(void)state;
	conf.grid.min_pps = 1000;
	conf.grid.max_pps = 1e7;
	assert_int_equal(bisect_run(&conf, &m, &r, &err), -EIO);
	assert_non_null(strstr(err.msg, "the path loses 5 % at any load"));
	assert_true(r.n_trials <= 6);
	assert_int_equal(r.end, SEARCH_INCONCLUSIVE);
	dut = (struct dut){.capacity_pps = 1e8, .loss_ratio = 1};
	assert_int_equal(bisect_run(&conf, &m, &r, &err), -EIO);
	assert_non_null(strstr(err.msg, "nothing arrives at any load"));
	assert_int_equal(r.n_trials, 2);
	/* A goal that allows that loss is met. */
	dut = (struct dut){.capacity_pps = 1e8, .loss_ratio = 0.004};
	conf.loss_ratio[0] = 0.005;
	assert_int_equal(bisect_run(&conf, &m, &r, &err), 0);
	assert_int_equal(r.end, SEARCH_AT_MAX);
	/* So it is by one goal of several, the strictest of which judges the trials. */
	conf.loss_ratio[0] = 0;
	m.allowed_loss_ratio = 0.005;
	assert_int_equal(bisect_run(&conf, &m, &r, &err), 0);
	assert_int_equal(r.end, SEARCH_BELOW_MIN);
}

static void
the_first_valid_failure_rejects(void **state)
{
	struct bisect_conf conf = usual;
	struct dut dut = {.capacity_pps = 10};
	struct search_result r;

	(void)state;
	/* One trial for each load tried, although three would be needed to accept. */
	assert_int_equal(search(&conf, &dut, &r), 0);
	assert_within(r.n_trials, 2, most_trials(&conf) / conf.needed);
}

static void
invalid_trials_are_repeated(void **state)
{
	(void)state;
	/* Scattered ones cost time and change nothing. */
	rng_seed(__func__);
	for (unsigned run = 0; run < 100; run++) {
		struct bisect_conf conf = usual;
		struct dut dut = {.invalid_ratio = 0.2};
		struct search_result r;

		conf.max_invalid = 20;
		dut.capacity_pps = 1000 * pow(10000, rng_unit());
		assert_int_equal(search(&conf, &dut, &r), 0);
		assert_int_equal(r.end, SEARCH_FOUND);
		assert_true(r.accepted_pps <= dut.capacity_pps);
		assert_true(r.rejected_pps > dut.capacity_pps);
		assert_true(r.rejected_pps <= r.accepted_pps * conf.grid.step_ratio * (1 + 1e-9));
		assert_int_equal(r.intended, 3 * (uint64_t)r.accepted_pps);
	}
}

static void
invalid_trials_in_a_row_are_limited(void **state)
{
	struct dut dut = {.capacity_pps = 20e6, .invalid_next = 4};
	struct search_result r;

	(void)state;
	/* Four in a row may happen with a limit of five; then all is as without them. */
	assert_int_equal(search(&usual, &dut, &r), 0);
	assert_int_equal(r.end, SEARCH_AT_MAX);
	assert_int_equal(r.n_invalid, 4);
	assert_int_equal(r.n_trials, 7);
	/* A valid one in between starts the count anew. */
	dut = (struct dut){.capacity_pps = 20e6, .valid_every = 5};
	assert_int_equal(search(&usual, &dut, &r), 0);
	assert_int_equal(r.end, SEARCH_AT_MAX);
	assert_int_equal(r.n_trials, 15);
	/* With five the load is given up, although the chain would have passed. */
	dut = (struct dut){.capacity_pps = 20e6, .invalid_next = 5};
	assert_int_equal(search(&usual, &dut, &r), 0);
	assert_int_equal(r.end, SEARCH_AT_LEAST);
	assert_int_equal(r.n_invalid, 5);
	assert_true(r.accepted_pps == grid_at(&usual.grid, grid_size(&usual.grid) - 2));
	assert_true(r.rejected_pps == 0);
}

static void
noise_everywhere_is_inconclusive(void **state)
{
	struct dut dut = {.capacity_pps = 1e6, .invalid_ratio = 1};
	struct search_result r;

	(void)state;
	assert_int_equal(search(&usual, &dut, &r), 0);
	assert_int_equal(r.end, SEARCH_INCONCLUSIVE);
	assert_true(r.accepted_pps == 0);
	assert_int_equal(r.n_invalid, r.n_trials);
}

static void
noise_at_the_top_does_not_spoil_the_rest(void **state)
{
	struct dut dut = {.capacity_pps = 1e6, .invalid_above = 3e6};
	struct search_result r;

	(void)state;
	/* The generator cannot keep up with its own maximum, but the chain gives in before. */
	assert_int_equal(search(&usual, &dut, &r), 0);
	assert_int_equal(r.end, SEARCH_FOUND);
	assert_true(r.accepted_pps <= 1e6 && r.rejected_pps > 1e6);
	assert_true(r.rejected_pps <= r.accepted_pps * 1.02 * (1 + 1e-9));
	assert_true(r.n_invalid > 0);
	/* The chain is faster than the generator can tell: a lower bound. */
	dut = (struct dut){.capacity_pps = 5e6, .invalid_above = 3e6};
	assert_int_equal(search(&usual, &dut, &r), 0);
	assert_int_equal(r.end, SEARCH_AT_LEAST);
	assert_true(r.accepted_pps < 3e6 && r.accepted_pps * 1.02 * (1 + 1e-9) >= 3e6);
}

static void
stalls_never_raise_the_result(void **state)
{
	(void)state;
	/* A chain that loses frames now and then at any load: what is accepted is still a load at
	 * which all trials passed, and below the capacity. */
	rng_seed(__func__);
	for (unsigned run = 0; run < 100; run++) {
		struct dut dut = {.stall_ratio = 0.1};
		struct search_result r;

		dut.capacity_pps = 1000 * pow(10000, rng_unit());
		assert_int_equal(search(&usual, &dut, &r), 0);
		assert_true(r.end == SEARCH_FOUND || r.end == SEARCH_BELOW_MIN);
		assert_true(r.accepted_pps <= dut.capacity_pps);
		assert_true(r.accepted_pps < r.rejected_pps);
		assert_int_equal(r.lost, 0);
	}
}

static void
a_goal_may_allow_loss(void **state)
{
	struct bisect_conf conf = usual;
	struct dut dut = {.capacity_pps = 1e6, .loss_ratio = 0.0005};
	struct search_result r;

	(void)state;
	assert_int_equal(search(&conf, &dut, &r), 0);
	assert_true(r.accepted_pps <= 2000); /* below that 0.0005 is less than a frame */
	conf.loss_ratio[0] = 0.001;
	dut = (struct dut){.capacity_pps = 1e6, .loss_ratio = 0.0005};
	assert_int_equal(search(&conf, &dut, &r), 0);
	assert_int_equal(r.end, SEARCH_FOUND);
	assert_true(r.accepted_pps > 0.97e6);
	assert_true(r.lost > 0 && (double)r.lost <= 0.001 * (double)r.intended);
}

static void
a_machine_without_one_valid_trial_is_left_early(void **state)
{
	struct dut dut = {.capacity_pps = 5e6, .invalid_ratio = 1};
	struct search_result r;

	(void)state;
	assert_int_equal(search(&usual, &dut, &r), 0);
	assert_int_equal(r.end, SEARCH_INCONCLUSIVE);
	assert_int_equal(r.n_trials, 2 * usual.max_invalid);
}

static void
a_limit_of_trials_leaves_a_lower_bound(void **state)
{
	struct bisect_conf conf = usual;
	struct dut dut = {.capacity_pps = 5e6};
	struct search_result r;

	(void)state;
	conf.max_trials = 10;
	assert_int_equal(search(&conf, &dut, &r), 0);
	assert_int_equal(r.end, SEARCH_AT_LEAST);
	/* A load begun is finished: at most 'needed' - 1 more. */
	assert_within(r.n_trials, 10, 10 + conf.needed - 1);
	assert_true(r.accepted_pps > 0 && r.accepted_pps <= 5e6);
	/* Not even the first load was accepted: nothing is known. */
	dut = (struct dut){.capacity_pps = 5e6, .invalid_above = 500};
	assert_int_equal(search(&conf, &dut, &r), 0);
	assert_int_equal(r.end, SEARCH_INCONCLUSIVE);
}

static void
the_user_can_stop(void **state)
{
	struct dut dut = {.capacity_pps = 5e6, .stop_after = 8};
	struct search_result r;

	(void)state;
	assert_int_equal(search(&usual, &dut, &r), -EINTR);
	assert_int_equal(r.end, SEARCH_INCONCLUSIVE);
	assert_int_equal(r.n_trials, 8);
	assert_true(r.accepted_pps > 0); /* what was found so far */
}

static void
halving_takes_so_many_loads(void **state)
{
	(void)state;
	assert_int_equal(grid_depth(0), 0);
	assert_int_equal(grid_depth(1), 1);
	assert_int_equal(grid_depth(3), 2);
	assert_int_equal(grid_depth(4), 3);
}

static void
senseless_settings_are_refused(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 9; i++) {
		struct bisect_conf conf = usual;
		struct dut dut = {0};
		struct search_result r;

		switch (i) {
		case 0:
			conf.grid.min_pps = 0;
			break;
		case 1:
			conf.grid.max_pps = 999;
			break;
		case 2:
			conf.grid.step_ratio = 1;
			break;
		case 3:
			conf.needed = 0;
			break;
		case 4:
			conf.trial_ns = 0;
			break;
		case 5:
			conf.grid.max_pps = INFINITY;
			break;
		case 6:
			conf.grid.min_pps = NAN;
			break;
		case 7:
			conf.loss_ratio[0] = 1;
			break;
		default:
			conf.grid.step_ratio = 1 + 1e-9;
			break;
		}
		assert_int_equal(search(&conf, &dut, &r), -EINVAL);
		assert_int_equal(dut.n_trials, 0);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(grid_is_logarithmic),
		cmocka_unit_test(grid_sizes),
		cmocka_unit_test(whole_steps_are_not_rounded_up),
		cmocka_unit_test(goal_codes),
		cmocka_unit_test(brackets_the_capacity),
		cmocka_unit_test(the_maximum_comes_first),
		cmocka_unit_test(too_slow_for_the_minimum),
		cmocka_unit_test(a_broken_path_ends_the_search),
		cmocka_unit_test(the_first_valid_failure_rejects),
		cmocka_unit_test(invalid_trials_are_repeated),
		cmocka_unit_test(invalid_trials_in_a_row_are_limited),
		cmocka_unit_test(noise_everywhere_is_inconclusive),
		cmocka_unit_test(noise_at_the_top_does_not_spoil_the_rest),
		cmocka_unit_test(stalls_never_raise_the_result),
		cmocka_unit_test(a_goal_may_allow_loss),
		cmocka_unit_test(a_machine_without_one_valid_trial_is_left_early),
		cmocka_unit_test(a_limit_of_trials_leaves_a_lower_bound),
		cmocka_unit_test(the_user_can_stop),
		cmocka_unit_test(halving_takes_so_many_loads),
		cmocka_unit_test(senseless_settings_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
