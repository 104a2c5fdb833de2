/* SPDX-License-Identifier: MIT */
#include "work_cost.h"

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "pkt/flow.h"
#include "pkt/template.h"

static struct work_cost
cost_of(const char *args)
{
	struct work_cost cost;
	struct err err = {0};

	if (work_cost_parse(&cost, args, &err) < 0)
		fail_msg("%s: %s", args, err.msg);
	return cost;
}

static uint64_t
sum_of(const struct work_cost *cost)
{
	uint64_t sum = 0;

	for (uint32_t k = 0; k < cost->n_classes; k++)
		sum += cost->steps[k];
	return sum;
}

static void
without_skew_all_flows_cost_the_same(void **state)
{
	struct work_cost cost = cost_of("300");

	(void)state;
	assert_int_equal(cost.n_classes, 1);
	assert_int_equal(cost.steps[0], 100);
	for (uint64_t hash = 0; hash <= UINT32_MAX; hash += UINT32_MAX / 5)
		assert_int_equal(work_cost_of(&cost, (uint32_t)hash), 100);
	assert_int_equal(cost_of("1").steps[0], 1);
	assert_int_equal(cost_of("1000000").steps[0], 333334);
}

static void
the_mean_is_the_stated_one(void **state)
{
	static const unsigned cycles[] = {1, 3, 10, 300, 2000, 1000000};
	static const double skews[] = {0, 0.5, 1, 1.5, 4};
	static const unsigned classes[] = {2, 3, 64, 1000, 4096};
	char args[64];

	(void)state;
	for (size_t c = 0; c < N_ELEMS(cycles); c++)
		for (size_t s = 0; s < N_ELEMS(skews); s++)
			for (size_t n = 0; n < N_ELEMS(classes); n++) {
				struct work_cost cost;

				snprintf(args, sizeof(args), "%u,skew=%g,classes=%u", cycles[c],
					 skews[s], classes[n]);
				cost = cost_of(args);
				assert_int_equal(cost.n_classes, classes[n]);
				assert_int_equal(sum_of(&cost), (cycles[c] + 2) / 3 * classes[n]);
			}
}

static void
classes_cost_in_proportion_to_a_power_of_their_rank(void **state)
{
	struct work_cost cost = cost_of("300,skew=1.5,classes=100");
	double harmonic = 0;

	(void)state;
	for (unsigned k = 1; k <= 100; k++)
		harmonic += pow(k, -1.5);
	for (unsigned k = 1; k <= 100; k++) {
		double want = 100 * 100 * pow(k, -1.5) / harmonic;

		assert_true(fabs(cost.steps[k - 1] - want) <= 1);
	}
	/* A default for those who do not care: 64 classes, the first of which has a fifth of all.
	 */
	cost = cost_of("300,skew=1");
	assert_int_equal(cost.n_classes, 64);
	assert_int_equal(cost.steps[0], 1349);
	assert_int_equal(cost.steps[63], 21);
	/* The control: the same way through the code, and nothing is skewed. */
	cost = cost_of("300,skew=0");
	for (unsigned k = 0; k < 64; k++)
		assert_int_equal(cost.steps[k], 100);
}

static void
a_range_is_even(void **state)
{
	struct work_cost cost = cost_of("300-2100,classes=7");

	(void)state;
	for (unsigned k = 0; k < 7; k++)
		assert_int_equal(cost.steps[k], 100 + 100 * k);
	cost = cost_of("100-2000");
	assert_int_equal(cost.n_classes, 64);
	assert_int_equal(sum_of(&cost), 350 * 64);
	for (unsigned k = 1; k < 64; k++)
		assert_true(cost.steps[k] > cost.steps[k - 1]);
	assert_true(fabs(cost.steps[0] - 100 / 3.0) <= 1);
	assert_true(fabs(cost.steps[63] - 2000 / 3.0) <= 1);
}

static void
classes_are_equal_parts_of_all_hashes(void **state)
{
	struct work_cost cost = cost_of("30000-90000,classes=3");

	(void)state;
	assert_int_equal(work_cost_of(&cost, 0), 10000);
	assert_int_equal(work_cost_of(&cost, UINT32_MAX / 3), 10000);
	assert_int_equal(work_cost_of(&cost, UINT32_MAX / 3 + 1), 20000);
	assert_int_equal(work_cost_of(&cost, UINT32_MAX / 3 * 2), 20000);
	assert_int_equal(work_cost_of(&cost, UINT32_MAX / 3 * 2 + 2), 30000);
	assert_int_equal(work_cost_of(&cost, UINT32_MAX), 30000);
}

/* Sum of what the generator's first 'flows' flows cost. */
static uint64_t
sum_over_flows(const struct work_cost *cost, uint32_t flows)
{
	struct frame_template t;
	struct frame_spec spec;
	uint8_t frame[60];
	uint64_t sum = 0;
	struct err err;

	frame_spec_init(&spec);
	assert_int_equal(frame_template_build(&t, &spec, frame, sizeof(frame), &err), 0);
	for (uint32_t flow = 0; flow < flows; flow++) {
		template_set_flow(&t, frame, flow);
		sum += work_cost_of(cost, flow_hash(frame, sizeof(frame)));
	}
	return sum;
}

static void
as_many_flows_as_classes_have_the_mean(void **state)
{
	char args[64];

	(void)state;
	for (uint32_t n = 8; n <= 256; n *= 2) {
		struct work_cost cost;

		snprintf(args, sizeof(args), "300,skew=1,classes=%u", n);
		cost = cost_of(args);
		assert_int_equal(sum_over_flows(&cost, n), 100 * n);
		assert_int_equal(sum_over_flows(&cost, 4 * n), 4 * 100 * n);
	}
}

/* What the guide says of polling: flows that are fixed to queues leave these uneven. */
static void
two_queues_have_unequal_work(void **state)
{
	struct work_cost cost = cost_of("300,skew=1");
	struct frame_template t;
	struct frame_spec spec;
	uint64_t sum[2] = {0};
	uint8_t frame[60];
	struct err err;

	(void)state;
	frame_spec_init(&spec);
	assert_int_equal(frame_template_build(&t, &spec, frame, sizeof(frame), &err), 0);
	for (uint32_t flow = 0; flow < 64; flow++) {
		uint32_t hash;

		template_set_flow(&t, frame, flow);
		hash = flow_hash(frame, sizeof(frame));
		sum[hash % 2] += work_cost_of(&cost, hash);
	}
	assert_int_equal(sum[0] + sum[1], 6400);
	assert_int_equal(sum[0] * 100 / 6400, 38);
	assert_int_equal(sum[1] * 100 / 6400, 61);
}

static void
any_number_of_flows_comes_near_the_mean(void **state)
{
	struct work_cost cost = cost_of("300,skew=1");

	(void)state;
	for (uint32_t flows = 1000; flows <= 1000000; flows *= 10) {
		double mean = (double)sum_over_flows(&cost, flows) / flows;

		assert_true(fabs(mean - 100) < 2);
	}
}

static void
what_is_not_understood_is_refused_in_a_sentence(void **state)
{
	static const char cycles[] = "how many cycles a frame, 1 to 1000000, or from LOW-HIGH?";
	static const struct {
		const char *args, *msg;
	} rows[] = {
		{"", cycles},
		{"0", cycles},
		{"-3", cycles},
		{"1000001", cycles},
		{"ten", cycles},
		{"10 ", cycles},
		{"1e3", cycles},
		{"20-10", cycles},
		{"10-10", cycles},
		{"10-", cycles},
		{",skew=1", cycles},
		{"300,skew=-1", "skew=-1: the exponent is from 0 to 4"},
		{"300,skew=4.1", "skew=4.1: the exponent is from 0 to 4"},
		{"300,skew=nan", "skew=nan: the exponent is from 0 to 4"},
		{"300,skew=", "skew=: the exponent is from 0 to 4"},
		{"300,skew=1x", "skew=1x: the exponent is from 0 to 4"},
		{"300,skew=1,classes=1", "classes=1: there are 2 to 4096"},
		{"300,skew=1,classes=4097", "classes=4097: there are 2 to 4096"},
		{"300,classes=8", "classes=N goes with skew=S or with LOW-HIGH"},
		{"100-200,skew=1", "a range has no skew: CYCLES,skew=S or LOW-HIGH"},
		{"300,", "'' is neither skew=S nor classes=N"},
		{"300,slew=1", "'slew=1' is neither skew=S nor classes=N"},
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		struct work_cost cost;
		struct err err = {0};

		assert_int_equal(work_cost_parse(&cost, rows[i].args, &err), -EINVAL);
		assert_string_equal(err.msg, rows[i].msg);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_skew_all_flows_cost_the_same),
		cmocka_unit_test(the_mean_is_the_stated_one),
		cmocka_unit_test(classes_cost_in_proportion_to_a_power_of_their_rank),
		cmocka_unit_test(a_range_is_even),
		cmocka_unit_test(classes_are_equal_parts_of_all_hashes),
		cmocka_unit_test(as_many_flows_as_classes_have_the_mean),
		cmocka_unit_test(two_queues_have_unequal_work),
		cmocka_unit_test(any_number_of_flows_comes_near_the_mean),
		cmocka_unit_test(what_is_not_understood_is_refused_in_a_sentence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
