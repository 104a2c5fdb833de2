/* SPDX-License-Identifier: MIT */
#include "paired.h"

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "paired_session.h"

#define assert_near(a, b, tolerance) assert_true(fabs((a) - (b)) <= (tolerance))

static const struct session_noise quiet = {.stdev = 0.001};
static const struct session_noise still = {0};

/* ---- order ---- */

/* Where each arm stands on average: all at the same place when runs are mirrored. */
static void
orders_are_balanced_and_mirrored(void **state)
{
	unsigned order[5 * 4], first[5] = {0};

	(void)state;
	for (unsigned block = 0; block < 2000; block++) {
		unsigned place[5] = {0}, n[5] = {0};

		paired_order(7, block, 5, 4, order);
		for (unsigned i = 0; i < 20; i++) {
			place[order[i]] += i;
			n[order[i]]++;
		}
		for (unsigned arm = 0; arm < 5; arm++) {
			assert_int_equal(n[arm], 4);
			assert_int_equal(place[arm], 38);
		}
		first[order[0]]++;
	}
	/* 400 each, four standard deviations. */
	for (unsigned arm = 0; arm < 5; arm++)
		assert_true(first[arm] > 328 && first[arm] < 472);
}

static void
orders_never_change(void **state)
{
	static const unsigned want[] = {
		0, 1, 2, 2, 1, 0, 2, 1, 0, 0, 1, 2,
	};
	unsigned order[12], again[12];

	(void)state;
	paired_order(1, 0, 3, 4, order);
	assert_memory_equal(order, want, sizeof(order));
	paired_order(1, 1, 3, 4, again);
	assert_memory_not_equal(order, again, sizeof(order));
	paired_order(2, 0, 3, 4, again);
	assert_memory_not_equal(order, again, sizeof(order));
}

/* ---- plan ---- */

/* The smallest multiple of the arms that is six or more. */
static unsigned
fewest_rounds(unsigned n_arms)
{
	return n_arms * (1 + 5 / n_arms);
}

static void
plans_fit_their_time(void **state)
{
	const uint64_t s = 1000000000;
	struct paired_plan plan = {0};
	struct err err;

	(void)state;
	assert_int_equal(paired_plan_fit(&plan, 1, 300 * s, 2 * s, &err), 0);
	assert_int_equal(plan.n_rounds, 18); /* six times each arm in each place */
	assert_int_equal(plan.slices_per_arm, 2);
	assert_int_equal(plan.slice_ns, s / 10);
	assert_int_equal(plan.blocks_per_round, 24);
	assert_int_equal(paired_n_arms(&plan), 3);
	assert_int_equal(paired_plan_ns(&plan), 18 * 24 * 6 * s / 10);
	for (uint64_t wall = 1; wall < 1000; wall += 7) {
		for (uint64_t restart = 0; restart < 40; restart += 3) {
			for (unsigned n_b = 1; n_b <= PAIRED_MAX_B; n_b++) {
				uint64_t all, round;

				plan = (struct paired_plan){.slice_ns = 3 * s / 10};
				if (paired_plan_fit(&plan, n_b, wall * s, restart * s, &err) < 0) {
					/* The fewest rounds with one block really do not fit. */
					round = restart * s + (n_b + 2) * 2 * plan.slice_ns;
					assert_true(wall * s < fewest_rounds(n_b + 2) * round);
					continue;
				}
				round = paired_plan_ns(&plan) / plan.n_rounds + restart * s;
				all = round * plan.n_rounds;
				assert_true(all <= wall * s &&
					    plan.n_rounds >= fewest_rounds(n_b + 2) &&
					    plan.n_rounds <= 18);
				assert_true(plan.n_rounds % (n_b + 2) == 0);
				assert_true(plan.blocks_per_round > 0);
			}
		}
	}
	assert_int_equal(paired_plan_fit(&plan, 0, 300 * s, 0, &err), -EINVAL);
	assert_int_equal(paired_plan_fit(&plan, PAIRED_MAX_B + 1, 300 * s, 0, &err), -EINVAL);
	plan.slice_ns = 0;
	assert_int_equal(paired_plan_fit(&plan, 1, 10 * s, 2 * s, &err), -EINVAL);
	assert_string_equal(err.msg, "10 s are too short: 6 rounds of a restart and one block take "
				     "15.6 s");
}

static void
senseless_settings_are_refused(void **state)
{
	const struct paired_plan good = {.n_b = 1, .slices_per_arm = 2};
	struct paired_conf conf, bad;
	struct paired_plan plan;
	struct paired p;
	struct err err;

	(void)state;
	paired_conf_init(&conf);
	assert_int_equal(paired_init(&p, &good, &conf, &err), 0);
	for (unsigned i = 0; i < 5; i++) {
		plan = good;
		if (i < 2)
			plan.n_b = i == 0 ? 0 : PAIRED_MAX_B + 1;
		else if (i < 4)
			plan.slices_per_arm = i == 2 ? 0 : PAIRED_MAX_SLICES + 1;
		else
			plan.seed = 1ull << 63;
		assert_int_equal(paired_init(&p, &plan, &conf, &err), -EINVAL);
	}
	for (unsigned i = 0; i < 8; i++) {
		bad = conf;
		*(double *[]){&bad.level, &bad.verdict_level, &bad.equal_within,
			      &bad.control_within}[i / 2] = i % 2 == 0 ? 0 : 1;
		assert_int_equal(paired_init(&p, &good, &bad, &err), -EINVAL);
	}
	paired_fini(&p);
	paired_fini(&p);
}

/* ---- verdicts ---- */

struct setup {
	struct paired p;
	struct session_machine m;
};

static void
setup_init(struct setup *s, const struct session_noise *noise, unsigned n_b, unsigned n_rounds)
{
	const struct paired_plan plan = {
		.seed = 1,
		.n_b = n_b,
		.has_control = true,
		.slices_per_arm = 2,
		.blocks_per_round = 4,
		.n_rounds = n_rounds,
	};
	struct paired_conf conf;
	struct err err;

	paired_conf_init(&conf);
	assert_int_equal(paired_init(&s->p, &plan, &conf, &err), 0);
	session_machine_init(&s->m, noise, 5);
}

static void
without_noise_the_ratio_is_exact(void **state)
{
	const double arms[] = {1, 1.25, 1};
	struct setup s;

	(void)state;
	setup_init(&s, &still, 1, 4);
	session_run(&s.p, &s.m, arms);
	assert_near(s.p.result[1].ratio, 1.25, 1e-9);
	assert_near(s.p.result[1].low, 1.25, 1e-9);
	assert_near(s.p.result[2].ratio, 1, 1e-9);
	assert_near(s.p.block[3].ratio[1], 1.25, 1e-9);
	assert_int_equal(s.p.result[1].verdict, PAIRED_BETTER);
	assert_int_equal(s.p.result[2].verdict, PAIRED_EQUAL);
	assert_int_equal(s.p.result[1].n_blocks, 16);
	assert_int_equal(s.p.result[1].n_rounds, 4);
	assert_false(s.p.too_noisy);
	paired_fini(&s.p);
}

/* A machine that slows down all the time: the mirrored turns cancel it, the drift tells it. */
static void
steady_drift_cancels(void **state)
{
	const double arms[] = {1, 1, 1};
	unsigned order[6], n = 0;
	struct setup s;

	(void)state;
	(void)arms;
	setup_init(&s, &still, 1, 8);
	for (unsigned block = 0; block < 32; block++) {
		paired_begin(&s.p, block / 4);
		paired_order(1, block, 3, 2, order);
		for (unsigned i = 0; i < 6; i++)
			paired_add(&s.p, order[i], 1e6 * exp(-0.005 * n++), NULL);
	}
	paired_judge(&s.p);
	/* The machine loses 62 %; the arms differ by less than a thousandth. */
	assert_near(s.p.result[1].ratio, 1, 1e-3);
	assert_int_equal(s.p.result[1].verdict, PAIRED_EQUAL);
	assert_true(drift_found(&s.p.level_drift, 0.001));
	assert_true(s.p.level_drift.tau <= -0.999);
	assert_true(s.p.level_drift.last_mean < 0.7 * s.p.level_drift.first_mean);
	paired_fini(&s.p);
}

static enum paired_verdict
verdict_of(double ratio, bool higher_is_better)
{
	const double arms[] = {1, ratio, 1};
	enum paired_verdict verdict;
	struct setup s;

	setup_init(&s, &quiet, 1, 8);
	s.p.conf.higher_is_better = higher_is_better;
	session_run(&s.p, &s.m, arms);
	assert_false(s.p.too_noisy);
	assert_true(strlen(s.p.result[1].reason) > 10);
	verdict = s.p.result[1].verdict;
	paired_fini(&s.p);
	return verdict;
}

static void
better_depends_on_what_is_measured(void **state)
{
	(void)state;
	assert_int_equal(verdict_of(1.05, true), PAIRED_BETTER);
	assert_int_equal(verdict_of(0.95, true), PAIRED_WORSE);
	assert_int_equal(verdict_of(1.05, false), PAIRED_WORSE);
	assert_int_equal(verdict_of(0.95, false), PAIRED_BETTER);
	assert_int_equal(verdict_of(1, true), PAIRED_EQUAL);
	assert_int_equal(verdict_of(1, false), PAIRED_EQUAL);
	/* Certain, though small: it is said. */
	assert_int_equal(verdict_of(1.01, true), PAIRED_BETTER);
}

static void
equal_needs_a_narrow_interval(void **state)
{
	const struct session_noise noise = {.stdev = 0.001, .start = 0.01};
	const double arms[] = {1, 1, 1};
	struct setup s;

	(void)state;
	setup_init(&s, &noise, 1, 8);
	s.p.conf.control_within = 0.5;
	session_run(&s.p, &s.m, arms);
	assert_int_equal(s.p.result[1].verdict, PAIRED_EQUAL);
	s.p.conf.equal_within = (s.p.result[1].verdict_high - s.p.result[1].verdict_low) / 2.5;
	paired_judge(&s.p);
	assert_int_equal(s.p.result[1].verdict, PAIRED_UNDECIDED);
	assert_non_null(strstr(s.p.result[1].reason, "too wide"));
	paired_fini(&s.p);
}

static void
a_control_that_is_off_spoils_everything(void **state)
{
	const double arms[] = {1, 1.5, 1.02};
	struct setup s;

	(void)state;
	setup_init(&s, &quiet, 1, 8);
	session_run(&s.p, &s.m, arms);
	assert_true(s.p.too_noisy);
	assert_int_equal(s.p.result[1].verdict, PAIRED_UNDECIDED);
	assert_non_null(strstr(s.p.result[1].reason, "too noisy: A differs from itself"));
	/* A is measured by both of its arms. */
	assert_near(s.p.result[1].ratio, 1.5 / sqrt(1.02), 1e-3);
	assert_near(s.p.result[2].ratio, 1.02, 1e-3);
	paired_fini(&s.p);
}

/* A difference of 1 % is decided by a control that is as narrow as asked for, and not by a wider
 * one; one of 50 % is beyond either. */
static void
a_control_that_knows_little_spoils_what_is_near(void **state)
{
	const struct session_noise noise = {.stdev = 0.001, .start = 0.01};
	const double arms[] = {1, 1.01, 1.5, 1};
	double half;
	struct setup s;

	(void)state;
	setup_init(&s, &noise, 2, 16);
	session_run(&s.p, &s.m, arms);
	half = (s.p.result[3].high - s.p.result[3].low) / 2;
	s.p.conf.control_within = half * 1.01;
	paired_judge(&s.p);
	assert_false(s.p.too_noisy);
	assert_int_equal(s.p.result[1].verdict, PAIRED_BETTER);
	assert_int_equal(s.p.result[2].verdict, PAIRED_BETTER);
	s.p.conf.control_within = half * 0.99;
	paired_judge(&s.p);
	assert_true(s.p.too_noisy);
	assert_int_equal(s.p.result[1].verdict, PAIRED_UNDECIDED);
	assert_non_null(strstr(s.p.result[1].reason, "too noisy: A is known"));
	assert_int_equal(s.p.result[2].verdict, PAIRED_BETTER);
	paired_fini(&s.p);
}

static void
a_few_starts_are_no_evidence(void **state)
{
	const double arms[] = {1, 1.5, 1};
	struct setup s;

	(void)state;
	for (unsigned rounds = 0; rounds <= 3; rounds++) {
		setup_init(&s, &quiet, 1, rounds);
		session_run(&s.p, &s.m, arms);
		assert_int_equal(s.p.result[1].n_rounds, rounds);
		assert_int_equal(isnan(s.p.result[1].low), rounds < 3);
		assert_int_equal(s.p.result[1].verdict,
				 rounds < 3 ? PAIRED_UNDECIDED : PAIRED_BETTER);
		assert_int_equal(s.p.too_noisy, rounds < 3);
		paired_fini(&s.p);
	}
}

/* ---- invalid slices ---- */

static void
invalid_slices_make_invalid_blocks(void **state)
{
	const double arms[] = {1, 1.1, 1};
	struct setup s;

	(void)state;
	setup_init(&s, &still, 1, 3);
	session_run(&s.p, &s.m, arms);
	/* Half of an arm's slices may be missing; of B, slices 0 to 5 hold two. */
	for (unsigned i = 0, n = 0; i < 6; i++)
		if (s.p.block[0].slice[i].arm == 1 && n++ == 0)
			s.p.block[0].slice[i].value = NAN;
	for (unsigned i = 0; i < 6; i++)
		if (s.p.block[1].slice[i].arm == 1)
			s.p.block[1].slice[i].value = NAN;
	paired_judge(&s.p);
	assert_true(s.p.block[0].valid);
	assert_string_equal(s.p.block[0].reason, "");
	assert_near(s.p.block[0].ratio[1], 1.1, 1e-9);
	assert_false(s.p.block[1].valid);
	assert_string_equal(s.p.block[1].reason, "0 of 2 slices of B are valid");
	assert_true(isnan(s.p.block[1].ratio[1]));
	assert_int_equal(s.p.result[1].n_blocks, 11);
	assert_near(s.p.result[1].ratio, 1.1, 1e-9);
	paired_fini(&s.p);
}

static void
values_that_are_none_are_invalid(void **state)
{
	static const double bad[] = {NAN, 0, -1, INFINITY, -INFINITY};
	struct setup s;

	(void)state;
	setup_init(&s, &still, 1, 3);
	paired_begin(&s.p, 0);
	for (unsigned i = 0; i < N_ELEMS(bad); i++)
		paired_add(&s.p, i % 3, bad[i], i == 0 ? "stalled" : NULL);
	paired_add(&s.p, 2, 5, NULL);
	for (unsigned i = 0; i < N_ELEMS(bad); i++) {
		assert_true(isnan(s.p.block[0].slice[i].value));
		assert_string_equal(s.p.block[0].slice[i].reason, i == 0 ? "stalled" : "no value");
	}
	assert_string_equal(s.p.block[0].slice[5].reason, "");
	paired_judge(&s.p);
	assert_false(s.p.block[0].valid);
	assert_int_equal(s.p.result[1].n_rounds, 0);
	assert_int_equal(s.p.result[1].verdict, PAIRED_UNDECIDED);
	paired_fini(&s.p);
}

/* The last round was cut off after one block of four. */
static void
pieces_of_rounds_do_not_count(void **state)
{
	const double arms[] = {1, 1.1, 1}, other[] = {1, 2, 1};
	struct setup s;

	(void)state;
	setup_init(&s, &still, 1, 4);
	session_run(&s.p, &s.m, arms);
	s.p.plan.blocks_per_round = 1;
	session_round(&s.p, &s.m, 4, other);
	paired_judge(&s.p);
	assert_int_equal(s.p.result[1].n_rounds, 4);
	assert_near(s.p.result[1].high, 1.1, 1e-9);
	s.p.plan.blocks_per_round = 2;
	session_round(&s.p, &s.m, 5, other);
	paired_judge(&s.p);
	assert_int_equal(s.p.result[1].n_rounds, 5);
	assert_true(s.p.result[1].high > 1.2);
	paired_fini(&s.p);
}

/* ---- places ---- */

static void
each_arm_has_each_place(void **state)
{
	(void)state;
	for (unsigned n_b = 1; n_b <= PAIRED_MAX_B; n_b++) {
		const struct paired_plan plan = {.n_b = n_b, .has_control = true};
		unsigned n_arms = paired_n_arms(&plan);
		unsigned seen[PAIRED_MAX_ARMS][PAIRED_MAX_ARMS] = {{0}};

		for (unsigned round = 7; round < 7 + n_arms; round++)
			for (unsigned arm = 0; arm < n_arms; arm++)
				seen[arm][paired_place(&plan, round, arm)]++;
		for (unsigned arm = 0; arm < n_arms; arm++)
			for (unsigned place = 0; place < n_arms; place++)
				assert_int_equal(seen[arm][place], 1);
	}
}

/* Each later start is 10 % faster: that is no property of the programs, nor noise. */
static void
places_are_taken_out(void **state)
{
	const struct session_noise noise = {.stdev = 0.001, .place = 0.1};
	const double arms[] = {1, 0.98, 1};
	struct setup s;

	(void)state;
	for (unsigned rounds = 5; rounds < 10; rounds++) {
		setup_init(&s, &noise, 1, rounds);
		session_run(&s.p, &s.m, arms);
		assert_near(s.p.result[1].ratio, 0.98, 0.002);
		assert_near(s.p.result[2].ratio, 1, 0.002);
		assert_true(s.p.result[1].high - s.p.result[1].low < 0.005);
		assert_int_equal(s.p.result[1].verdict, PAIRED_WORSE);
		for (unsigned place = 0; place < 3; place++)
			assert_near(s.p.place[place], 0.1 * ((int)place - 1), 0.002);
		paired_fini(&s.p);
	}
}

/* ---- several Bs ---- */

static void
many_comparisons_widen_the_verdict(void **state)
{
	const struct session_noise noise = {.stdev = 0.01};
	const double arms[] = {1, 1, 1, 1.2, 1}, one_arm[] = {1, 1, 1};
	struct paired_estimate *e;
	struct setup s;
	double z;

	(void)state;
	setup_init(&s, &noise, 3, 8);
	session_run(&s.p, &s.m, arms);
	e = s.p.result;
	assert_int_equal(e[3].verdict, PAIRED_BETTER);
	assert_int_equal(e[1].verdict, PAIRED_EQUAL);
	assert_int_equal(e[2].verdict, PAIRED_EQUAL);
	/* t with 6 degrees of freedom at 1 - 0.005 / 3 and at 1 - 0.005 / 2, over that at 0.95:
	 * the one that differs goes first; then two are left. */
	z = log(e[3].verdict_high / e[3].verdict_low) / log(e[3].high / e[3].low);
	assert_near(z, 5.3982 / 2.4469, 0.01);
	z = log(e[1].verdict_high / e[1].verdict_low) / log(e[1].high / e[1].low);
	assert_near(z, 4.9807 / 2.4469, 0.01);
	paired_fini(&s.p);
	setup_init(&s, &noise, 1, 8);
	session_run(&s.p, &s.m, one_arm);
	e = s.p.result;
	z = log(e[1].verdict_high / e[1].verdict_low) / log(e[1].high / e[1].low);
	assert_near(z, 4.3168 / 2.4469, 0.01);
	paired_fini(&s.p);
}

static void
letters_are_those_of_the_order(void **state)
{
	const struct paired_plan plan = {.n_b = 2, .has_control = true};

	(void)state;
	assert_int_equal(paired_letter(&plan, 0), 'A');
	assert_int_equal(paired_letter(&plan, 1), 'B');
	assert_int_equal(paired_letter(&plan, 2), 'C');
	assert_int_equal(paired_letter(&plan, 3), 'a');
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(orders_are_balanced_and_mirrored),
		cmocka_unit_test(orders_never_change),
		cmocka_unit_test(plans_fit_their_time),
		cmocka_unit_test(senseless_settings_are_refused),
		cmocka_unit_test(without_noise_the_ratio_is_exact),
		cmocka_unit_test(steady_drift_cancels),
		cmocka_unit_test(better_depends_on_what_is_measured),
		cmocka_unit_test(equal_needs_a_narrow_interval),
		cmocka_unit_test(a_control_that_is_off_spoils_everything),
		cmocka_unit_test(a_control_that_knows_little_spoils_what_is_near),
		cmocka_unit_test(a_few_starts_are_no_evidence),
		cmocka_unit_test(invalid_slices_make_invalid_blocks),
		cmocka_unit_test(values_that_are_none_are_invalid),
		cmocka_unit_test(pieces_of_rounds_do_not_count),
		cmocka_unit_test(each_arm_has_each_place),
		cmocka_unit_test(places_are_taken_out),
		cmocka_unit_test(many_comparisons_widen_the_verdict),
		cmocka_unit_test(letters_are_those_of_the_order),
	};

	return cmocka_run_group_tests_name("bench_paired", tests, NULL, NULL);
}
