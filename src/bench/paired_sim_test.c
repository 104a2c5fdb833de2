/* SPDX-License-Identifier: MIT */
/* How often a comparison is right, over many simulated sessions of five minutes. */
#include "paired.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "paired_session.h"

/* For the claims, and for what only must not go wrong. */
#define MANY 1000
#define SOME 300
#define FEW 100

struct tally {
	unsigned n;
	unsigned verdict[PAIRED_EQUAL + 1];
	unsigned covered; /* the shown interval holds the true ratio */
	unsigned too_noisy;
};

/* Five minutes, of which each restart takes two seconds. */
static struct paired_plan
five_minutes(void)
{
	struct paired_plan plan = {0};
	struct err err;

	assert_int_equal(paired_plan_fit(&plan, 1, 300000000000, 2000000000, &err), 0);
	return plan;
}

static struct tally
simulate(const struct session_noise *noise, const struct paired_plan *plan, double ratio,
	 unsigned n)
{
	const double arms[] = {1, ratio, 1};
	struct paired_conf conf;
	struct tally tally = {.n = n};
	struct session_machine m;

	paired_conf_init(&conf);
	session_machine_init(&m, noise, 1);
	for (unsigned i = 0; i < n; i++) {
		struct paired p;
		struct err err;

		assert_int_equal(paired_init(&p, plan, &conf, &err), 0);
		p.plan.seed = i;
		session_run(&p, &m, arms);
		tally.verdict[p.result[1].verdict]++;
		tally.covered += p.result[1].low <= ratio && ratio <= p.result[1].high;
		tally.too_noisy += p.too_noisy;
		paired_fini(&p);
	}
	print_message("# ratio %.2f, memory %.1f, %u rounds: %u better, %u worse, %u equal, "
		      "%u undecided (%u too noisy), %.1f %% covered\n",
		      ratio, noise->memory, plan->n_rounds, tally.verdict[PAIRED_BETTER],
		      tally.verdict[PAIRED_WORSE], tally.verdict[PAIRED_EQUAL],
		      tally.verdict[PAIRED_UNDECIDED], tally.too_noisy, 100.0 * tally.covered / n);
	return tally;
}

/* At most 1 % of A against A may be called different; of fewer sessions two standard errors more,
 * since chance then has a say. */
static void
assert_quiet(const struct tally *t)
{
	double most = 0.01 * t->n + (t->n < MANY ? 2 * sqrt(0.01 * t->n) : 0);

	assert_true(t->verdict[PAIRED_BETTER] + t->verdict[PAIRED_WORSE] <= most);
}

/* 95 % intervals right in 93 to 97 %, or three standard errors of fewer sessions. */
static void
assert_covered(const struct tally *t)
{
	double off = fabs((double)t->covered / t->n - 0.95);

	assert_true(off <= (t->n < MANY ? 3 * sqrt(0.95 * 0.05 / t->n) : 0.02));
}

static void
a_program_equals_itself(void **state)
{
	struct paired_plan plan = five_minutes();
	struct tally t = simulate(&session_vm, &plan, 1, MANY);

	(void)state;
	assert_quiet(&t);
	assert_covered(&t);
	assert_true(t.verdict[PAIRED_EQUAL] >= 0.95 * t.n);
}

static void
three_percent_are_found(void **state)
{
	struct paired_plan plan = five_minutes();
	struct tally t = simulate(&session_vm, &plan, 0.97, MANY);

	(void)state;
	assert_covered(&t);
	assert_true(t.verdict[PAIRED_WORSE] >= 0.95 * t.n);
	assert_int_equal(t.verdict[PAIRED_BETTER] + t.verdict[PAIRED_EQUAL], 0);
	t = simulate(&session_vm, &plan, 1.03, FEW);
	assert_true(t.verdict[PAIRED_BETTER] >= 0.95 * t.n);
}

/* Noise that slices do not share cannot be taken out; then there is no verdict, not a wrong one. */
static void
without_memory_it_stays_honest(void **state)
{
	struct session_noise noise = session_vm;
	struct paired_plan plan = five_minutes();
	struct tally t;

	(void)state;
	noise.memory = 0;
	t = simulate(&noise, &plan, 1, SOME);
	assert_quiet(&t);
	assert_covered(&t);
	assert_true(t.too_noisy > t.n / 4);
	t = simulate(&noise, &plan, 0.97, FEW);
	assert_int_equal(t.verdict[PAIRED_BETTER], 0);
	assert_int_equal(t.verdict[PAIRED_EQUAL], 0);
}

static void
few_rounds_stay_honest(void **state)
{
	struct paired_plan plan = five_minutes();
	struct tally t;

	(void)state;
	plan.blocks_per_round *= plan.n_rounds / 6;
	plan.n_rounds = 6;
	t = simulate(&session_vm, &plan, 1, SOME);
	assert_quiet(&t);
	assert_covered(&t);
}

/* Twice the speed from one moment to the next, as hyper-threads of strangers do. */
static void
two_speeds_do_not_matter(void **state)
{
	struct session_noise noise = session_vm;
	struct paired_plan plan = five_minutes();
	struct tally t;

	(void)state;
	noise.stdev = 0.05;
	noise.two_modes = 0.3;
	t = simulate(&noise, &plan, 1, SOME);
	assert_quiet(&t);
	assert_covered(&t);
	t = simulate(&noise, &plan, 0.97, FEW);
	assert_true(t.verdict[PAIRED_WORSE] >= 0.95 * t.n);
}

/* Nine rounds, and a bad start in one of fifty. */
static void
nine_rounds_bear_a_bad_start(void **state)
{
	struct session_noise noise = session_vm;
	struct paired_plan plan = five_minutes();
	struct tally t;

	(void)state;
	noise.bad_start = 0.02;
	plan.blocks_per_round *= plan.n_rounds / 9;
	plan.n_rounds = 9;
	t = simulate(&noise, &plan, 1, SOME);
	assert_quiet(&t);
	t = simulate(&noise, &plan, 0.97, SOME);
	/* Without trimming it is one in three. */
	assert_true(t.too_noisy <= 0.2 * t.n);
	assert_true(t.verdict[PAIRED_WORSE] >= 0.5 * t.n);
	assert_int_equal(t.verdict[PAIRED_BETTER] + t.verdict[PAIRED_EQUAL], 0);
}

static void
bad_starts_raise_no_alarm(void **state)
{
	struct session_noise noise = session_vm;
	struct paired_plan plan = five_minutes();
	struct tally t;

	(void)state;
	noise.bad_start = 0.02;
	t = simulate(&noise, &plan, 1, SOME);
	assert_quiet(&t);
	t = simulate(&noise, &plan, 0.97, FEW);
	/* Without trimming it is one in four. */
	assert_true(t.verdict[PAIRED_WORSE] >= 0.6 * t.n);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_program_equals_itself),
		cmocka_unit_test(three_percent_are_found),
		cmocka_unit_test(without_memory_it_stays_honest),
		cmocka_unit_test(few_rounds_stay_honest),
		cmocka_unit_test(two_speeds_do_not_matter),
		cmocka_unit_test(nine_rounds_bear_a_bad_start),
		cmocka_unit_test(bad_starts_raise_no_alarm),
	};

	return cmocka_run_group_tests_name("bench_paired_sim", tests, NULL, NULL);
}
