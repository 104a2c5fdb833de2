/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/assert_near.h"
#include "base/assert_within.h"
#include "base/mem.h"
#include "base/random.h"
#include "sweep.h"

static struct sweep_axis
axis(enum sweep_axis_id id, const char *text)
{
	struct sweep_axis a;
	struct err err = {0};

	if (sweep_axis_parse(&a, id, text, &err) < 0)
		fail_msg("'%s': %s", text, err.msg);
	return a;
}

static void
axes_are_lists_and_ranges(void **state)
{
	struct sweep_axis a = axis(SWEEP_FLOWS, "1,64,1k,100k,1M");

	(void)state;
	assert_int_equal(a.n, 5);
	assert_near(a.value[2], 1000, 0);
	assert_near(a.value[4], 1000000, 0);
	a = axis(SWEEP_STAGES, "1..8");
	assert_int_equal(a.n, 8);
	assert_near(a.value[7], 8, 0);
	a = axis(SWEEP_LCORES, "1..2,4");
	assert_int_equal(a.n, 3);
	a = axis(SWEEP_SKEW, "0,0.5,2");
	assert_near(a.value[1], 0.5, 0);
}

static void
bad_axes_say_why(void **state)
{
	static const struct {
		enum sweep_axis_id id;
		const char *text, *says;
	} bad[] = {
		{SWEEP_STAGES, "0", "1 to 8"},
		{SWEEP_STAGES, "1..9", "1 to 8"},
		{SWEEP_BURST, "257", "1 to 256"},
		{SWEEP_WORK, "1,1", "twice"},
		{SWEEP_WORK, "", "''"},
		{SWEEP_WORK, "100,", "''"},
		{SWEEP_STAGES, "3..1", "backwards"},
		{SWEEP_SKEW, "x", "not a number"},
		{SWEEP_SKEW, "nan", "not a number"},
		{SWEEP_SKEW, "5", "0 to 4"},
		{SWEEP_FLOWS, "1..100", "more than 32"},
		{SWEEP_LCORES, "-1", "-1"},
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(bad); i++) {
		struct sweep_axis a;
		struct err err = {0};

		assert_int_equal(sweep_axis_parse(&a, bad[i].id, bad[i].text, &err), -EINVAL);
		if (strstr(err.msg, bad[i].says) == NULL)
			fail_msg("'%s': %s", bad[i].text, err.msg);
	}
}

static void
a_grid_has_each_combination_once(void **state)
{
	struct sweep_axis a[SWEEP_N_AXES];
	struct sweep_point *p;
	struct err err = {0};
	size_t n;

	(void)state;
	for (size_t i = 0; i < SWEEP_N_AXES; i++)
		a[i] = axis(i, "1");
	a[SWEEP_WORK] = axis(SWEEP_WORK, "0,100,300");
	a[SWEEP_LCORES] = axis(SWEEP_LCORES, "1,2");
	assert_int_equal(sweep_points(a, &p, &n, &err), 0);
	assert_int_equal(n, 6);
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < i; k++)
			assert_memory_not_equal(&p[i], &p[k], sizeof(p[i]));
	free(p);
	a[SWEEP_FLOWS] = axis(SWEEP_FLOWS, "1..32");
	a[SWEEP_BURST] = axis(SWEEP_BURST, "1..32");
	assert_int_equal(sweep_points(a, &p, &n, &err), -EINVAL);
}

static void
each_round_visits_all_cells_in_its_own_order(void **state)
{
	unsigned a[30], b[30], again[30], seen[30] = {0};

	(void)state;
	sweep_order(7, 0, 30, a);
	sweep_order(7, 1, 30, b);
	sweep_order(7, 0, 30, again);
	assert_memory_equal(a, again, sizeof(a));
	assert_memory_not_equal(a, b, sizeof(a));
	for (unsigned i = 0; i < 30; i++)
		seen[a[i]]++;
	for (unsigned i = 0; i < 30; i++)
		assert_int_equal(seen[i], 1);
}

static void
time_goes_into_rounds_first(void **state)
{
	const uint64_t ms = 1000000, s = 1000 * ms;
	struct sweep_plan p;

	(void)state;
	/* 30 cells in 300 s: 10 s each, 1 s to start, 3 * 2 turns of 50 ms. */
	sweep_plan_fit(&p, 30, 3, 300 * s, s, 50 * ms);
	assert_within(p.n_rounds, 3, 9);
	assert_within(p.total_ns, 200 * s, 300 * s);
	/* Too short for three starts: one, with blocks enough for an interval. */
	sweep_plan_fit(&p, 30, 3, 60 * s, s, 50 * ms);
	assert_int_equal(p.n_rounds, 1);
	assert_true(p.blocks_per_round >= 3);
	/* Nothing is measured: no division by it. */
	sweep_plan_fit(&p, 0, 3, 60 * s, s, 50 * ms);
	assert_int_equal(p.total_ns, 0);
}

/* ---- judgement ---- */

struct cell {
	struct sweep_turn turn[256];
	size_t n;
	struct random random;
};

/* 'rounds' of two blocks of two turns for each arm; each start is off by 'start', each turn by
 * 'noise', and the machine's speed wanders by a tenth. */
static void
measure(struct cell *c, unsigned n_arms, unsigned rounds, const double *pps, double start,
	double noise)
{
	random_init(&c->random, 1, rounds);
	c->n = 0;
	for (unsigned round = 0; round < rounds; round++) {
		double machine = 1 + 0.1 * random_unit(&c->random), luck[SWEEP_MAX_ARMS];

		for (unsigned arm = 0; arm < n_arms; arm++)
			luck[arm] = exp(start * random_normal(&c->random));
		for (unsigned k = 0; k < 4 * n_arms; k++) {
			unsigned arm = k % n_arms;

			c->turn[c->n++] = (struct sweep_turn){
				.round = round,
				.block = round * 2 + k / (2 * n_arms),
				.arm = arm,
				.pps = pps[arm] * machine * luck[arm] *
				       exp(noise * random_normal(&c->random)),
			};
		}
	}
}

static void
a_clear_winner_is_named_with_its_margin(void **state)
{
	const double pps[] = {8e6, 10e6, 5e6};
	struct sweep_verdict v;
	struct cell c;

	(void)state;
	measure(&c, 3, 4, pps, 0.005, 0.01);
	sweep_judge(&v, c.turn, c.n, 3);
	assert_int_equal(v.outcome, SWEEP_WON);
	assert_int_equal(v.best, 1);
	assert_int_equal(v.second, 0);
	assert_true(v.by_round);
	assert_int_equal(v.n_units, 4);
	assert_true(v.margin_low < 1.25 && v.margin_high > 1.25);
	assert_near(v.arm[0].ratio, 1, 1e-12);
	assert_near(v.arm[1].ratio, 1.25, 0.03);
	assert_near(v.arm[2].ratio, 0.625, 0.02);
	assert_true(v.arm[2].low <= v.arm[2].ratio && v.arm[2].ratio <= v.arm[2].high);
	assert_int_equal(v.arm[0].n_turns, 16);
	assert_int_equal(v.arm[0].n_valid, 16);
}

static void
equals_are_tied(void **state)
{
	const double pps[] = {8e6, 8e6, 5e6};
	struct sweep_verdict v;
	struct cell c;

	(void)state;
	measure(&c, 3, 4, pps, 0.02, 0.01);
	sweep_judge(&v, c.turn, c.n, 3);
	assert_int_equal(v.outcome, SWEEP_TIE);
	assert_true(v.margin_low < 1);
}

/* With a thousand sessions of two equal arms, five of a hundred may name a winner, not more. */
static void
winners_by_luck_are_as_rare_as_they_say(void **state)
{
	const double pps[] = {8e6, 8e6};
	unsigned n_won = 0;

	(void)state;
	for (uint64_t seed = 0; seed < 1000; seed++) {
		struct sweep_verdict v;
		struct sweep_turn turn[3 * 4];
		struct random r;

		random_init(&r, seed, 99);
		for (unsigned round = 0; round < 3; round++) {
			double luck[2] = {0.02 * random_normal(&r), 0.02 * random_normal(&r)};

			for (unsigned k = 0; k < 4; k++)
				turn[round * 4 + k] = (struct sweep_turn){
					.round = round,
					.block = round,
					.arm = k % 2,
					.pps = pps[0] * exp(luck[k % 2] + 0.01 * random_normal(&r)),
				};
		}
		sweep_judge(&v, turn, N_ELEMS(turn), 2);
		n_won += v.outcome == SWEEP_WON;
	}
	assert_within(n_won, 20, 75);
}

static void
invalid_turns_do_not_count(void **state)
{
	const double pps[] = {8e6, 10e6};
	struct sweep_verdict v;
	struct cell c;

	(void)state;
	measure(&c, 2, 3, pps, 0.001, 0.001);
	c.turn[0].pps = NAN;
	c.turn[5].pps = NAN;
	sweep_judge(&v, c.turn, c.n, 2);
	assert_int_equal(v.arm[0].n_valid, v.arm[0].n_turns - 1);
	assert_int_equal(v.arm[1].n_valid, v.arm[1].n_turns - 1);
	assert_int_equal(v.outcome, SWEEP_WON);
	/* An arm that never worked: nothing is known. */
	for (size_t i = 0; i < c.n; i++)
		if (c.turn[i].arm == 1)
			c.turn[i].pps = NAN;
	sweep_judge(&v, c.turn, c.n, 2);
	assert_int_equal(v.outcome, SWEEP_UNKNOWN);
	assert_true(isnan(v.arm[1].pps) && isnan(v.arm[1].ratio));
	sweep_judge(&v, NULL, 0, 2);
	assert_int_equal(v.outcome, SWEEP_UNKNOWN);
}

static void
one_start_is_judged_by_its_blocks(void **state)
{
	const double pps[] = {8e6, 10e6};
	struct sweep_verdict v;
	struct cell c;

	(void)state;
	measure(&c, 2, 2, pps, 0.001, 0.001);
	sweep_judge(&v, c.turn, c.n, 2);
	assert_false(v.by_round);
	assert_int_equal(v.n_units, 4);
	assert_int_equal(v.outcome, SWEEP_WON);
}

static void
one_arm_has_no_winner(void **state)
{
	const double pps[] = {8e6};
	struct sweep_verdict v;
	struct cell c;

	(void)state;
	measure(&c, 1, 3, pps, 0.001, 0.001);
	sweep_judge(&v, c.turn, c.n, 1);
	assert_int_equal(v.outcome, SWEEP_UNKNOWN);
	assert_true(v.arm[0].pps > 8e6);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(axes_are_lists_and_ranges),
		cmocka_unit_test(bad_axes_say_why),
		cmocka_unit_test(a_grid_has_each_combination_once),
		cmocka_unit_test(each_round_visits_all_cells_in_its_own_order),
		cmocka_unit_test(time_goes_into_rounds_first),
		cmocka_unit_test(a_clear_winner_is_named_with_its_margin),
		cmocka_unit_test(equals_are_tied),
		cmocka_unit_test(winners_by_luck_are_as_rare_as_they_say),
		cmocka_unit_test(invalid_turns_do_not_count),
		cmocka_unit_test(one_start_is_judged_by_its_blocks),
		cmocka_unit_test(one_arm_has_no_winner),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
