/* SPDX-License-Identifier: MIT */
#include "claim.h"

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/test_random.h"

#define LAW(name) cmocka_unit_test(name)

/* B is 'ratio' times as fast, with this interval. */
static struct claim_facts
rate_facts(double ratio, double low, double high)
{
	struct claim_facts f;

	claim_facts_init(&f);
	claim_set_percent(&f, CLAIM_LOSS, ratio, low, high);
	f.fact[CLAIM_RATIO] = (struct claim_fact){ratio, low, high};
	f.fact[CLAIM_RATIO_LOW] = (struct claim_fact){low, low, low};
	f.fact[CLAIM_RATIO_HIGH] = (struct claim_fact){high, high, high};
	f.fact[CLAIM_RATE_A] = (struct claim_fact){4e6, 3.9e6, 4.1e6};
	f.fact[CLAIM_RATE_B] = (struct claim_fact){4e6 * ratio, 4e6 * low, 4e6 * high};
	return f;
}

static int
judged(const char *text, double ratio, double low, double high)
{
	struct claim_facts facts = rate_facts(ratio, low, high);
	char sentence[192] = "";
	struct claim claim;
	struct err err = {0};

	if (claim_parse(&claim, text, &err) < 0)
		fail_msg("%s: %s", text, err.msg);
	return claim_judge(&claim, &facts, sentence, sizeof(sentence));
}

static void
whole_interval_decides(void **state)
{
	(void)state;
	assert_int_equal(judged("loss_vs(baseline) < 3%", 0.99, 0.98, 1.0), 1);
	assert_int_equal(judged("loss_vs(baseline) < 3%", 0.90, 0.88, 0.92), 0);
	assert_int_equal(judged("loss_vs(baseline) < 3%", 0.97, 0.96, 0.98), -1);
	/* An end that is the limit: "<" is not satisfied by it, "<=" is. */
	assert_int_equal(judged("ratio < 1", 0.9, 0.8, 1.0), -1);
	assert_int_equal(judged("ratio <= 1", 0.9, 0.8, 1.0), 1);
	assert_int_equal(judged("ratio > 1", 1.1, 1.0, 1.2), -1);
	assert_int_equal(judged("ratio >= 1", 1.1, 1.0, 1.2), 1);
	assert_int_equal(judged("ratio > 1", 0.9, 0.8, 1.0), 0);
	assert_int_equal(judged("ratio >= 1", 0.9, 0.8, 1.0), -1);
}

static void
slower_is_a_loss_and_faster_a_negative_one(void **state)
{
	struct claim_facts f = rate_facts(0.9, 0.85, 0.95);

	(void)state;
	assert_true(fabs(f.fact[CLAIM_LOSS].value - 10) < 1e-9);
	assert_true(fabs(f.fact[CLAIM_LOSS].low - 5) < 1e-9);
	assert_true(fabs(f.fact[CLAIM_LOSS].high - 15) < 1e-9);
	claim_set_percent(&f, CLAIM_P99, 1.2, 1.1, 1.3);
	assert_true(fabs(f.fact[CLAIM_P99].value - 20) < 1e-9);
	assert_true(fabs(f.fact[CLAIM_P99].low - 10) < 1e-9);
	assert_true(fabs(f.fact[CLAIM_P99].high - 30) < 1e-9);
	assert_int_equal(judged("loss_vs(baseline) < 0%", 1.1, 1.05, 1.15), 1);
	assert_int_equal(judged("loss_vs(baseline) > -20%", 1.1, 1.05, 1.15), 1);
}

static void
ends_of_the_interval_are_plain_numbers(void **state)
{
	(void)state;
	assert_int_equal(judged("ratio_low > 0.97", 0.99, 0.98, 1.1), 1);
	assert_int_equal(judged("ratio_low > 0.97", 0.99, 0.96, 1.1), 0);
	assert_int_equal(judged("ratio_high > 97%", 0.99, 0.5, 0.98), 1);
	assert_int_equal(judged("ratio_high < 0.9", 0.99, 0.5, 0.98), 0);
}

static void
units_of_rates(void **state)
{
	(void)state;
	assert_int_equal(judged("rate_a > 3.8m", 1, 1, 1), 1);
	assert_int_equal(judged("rate_a > 3800kpps", 1, 1, 1), 1);
	assert_int_equal(judged("rate_a > 4200k", 1, 1, 1), 0);
	assert_int_equal(judged("rate_a > 4200kpps", 1, 1, 1), 0);
	assert_int_equal(judged("rate_a > 3800000", 1, 1, 1), 1);
	assert_int_equal(judged("rate_a > 3800000 pps", 1, 1, 1), 1);
	assert_int_equal(judged("rate_a > 0.005g", 1, 1, 1), 0);
	assert_int_equal(judged("rate_a > 4mpps", 1, 1, 1), -1);
	assert_int_equal(judged("rate_b < 2.5m", 0.5, 0.4, 0.6), 1);
}

static void
all_terms_must_hold(void **state)
{
	(void)state;
	assert_int_equal(judged("ratio > 0.5 and ratio < 2", 1, 0.9, 1.1), 1);
	assert_int_equal(judged("ratio > 0.5 and ratio < 0.8", 1, 0.9, 1.1), 0);
	assert_int_equal(judged("ratio > 0.95 and ratio < 2", 1, 0.9, 1.1), -1);
	/* What is violated decides, before and behind what nobody can tell. */
	assert_int_equal(judged("ratio > 0.95 and ratio < 0.8", 1, 0.9, 1.1), 0);
	assert_int_equal(judged("ratio < 0.8 and ratio > 0.95", 1, 0.9, 1.1), 0);
}

static void
unknown_is_undecided_and_says_so(void **state)
{
	struct claim_facts facts = rate_facts(1, 0.9, 1.1);
	char sentence[192];
	struct claim claim;

	(void)state;
	assert_int_equal(claim_parse(&claim, "p99_vs(baseline) < 5%", NULL), 0);
	assert_int_equal(claim_judge(&claim, &facts, sentence, sizeof(sentence)), -1);
	assert_string_equal(sentence, "p99_vs(baseline) is not known: no valid latencies were "
				      "compared (--metric latency-p99)");
	assert_int_equal(judged("ratio < 2", 1, NAN, 1.1), -1);
	assert_int_equal(judged("ratio < 2", 1, 0.9, NAN), -1);
	assert_int_equal(judged("ratio < 2", NAN, 0.9, 1.1), -1);
	/* Nor is a claim violated by what nobody knows. */
	assert_int_equal(judged("ratio > 2", 1, NAN, 1.1), -1);
	assert_int_equal(judged("ratio > 2", 1, 0.9, NAN), -1);
}

static void
expect_sentence(const char *text, double ratio, double low, double high, const char *wanted)
{
	struct claim_facts facts = rate_facts(ratio, low, high);
	char sentence[192];
	struct claim claim;

	assert_int_equal(claim_parse(&claim, text, NULL), 0);
	claim_judge(&claim, &facts, sentence, sizeof(sentence));
	assert_string_equal(sentence, wanted);
}

static void
sentences(void **state)
{
	(void)state;
	expect_sentence("loss_vs(baseline) < 3%", 0.99, 0.98, 1.0,
			"loss_vs(baseline) is 1.00 % (0.00 % to 2.00 %), < 3.00 %");
	expect_sentence("ratio > 0.5 and ratio >= 1", 0.9, 0.8, 0.95,
			"ratio is 0.9000 (0.8000 to 0.9500), not >= 1.0000");
	expect_sentence(
		"rate_a > 4m and ratio > 0.1", 1, 1, 1,
		"rate_a is 4 Mpps (3.9 Mpps to 4.1 Mpps), which may or may not be > 4 Mpps");
	expect_sentence("ratio_low > 0.7", 0.9, 0.8, 0.95, "ratio_low is 0.8000, > 0.7000");
}

static void
errors_name_the_column(void **state)
{
	static const struct {
		const char *text, *msg;
	} cases[] = {
		{"", "column 1: expected a quantity such as loss_vs(baseline) at the end"},
		{"loss_vs < 3%", "column 9: expected '(baseline)', not '<'"},
		{"loss_vs(b) < 3%", "column 9: expected 'baseline', not 'b)'"},
		{"loss_vs(baseline < 3%", "column 18: expected ')', not '<'"},
		{"loss_vs(baseline) < 3",
		 "column 22: expected '%', for it is a percentage, at the end"},
		{"loss_vs(baseline) = 3%", "column 19: expected <, <=, > or >=, not '='"},
		{"ratio >", "column 8: expected a number at the end"},
		{"ratio > inf", "column 9: expected a number, not 'inf'"},
		{"ratio > 1-2", "column 9: expected a number, not '1-2'"},
		{"ratio > 0x1", "column 10: expected 'and' or nothing more, not 'x1'"},
		{"ratio > 1 or ratio < 2", "column 11: expected 'and' or nothing more, not 'or'"},
		{"ratio > 1 android", "column 11: expected 'and' or nothing more, not 'android'"},
		{"ratio > 1 and",
		 "column 14: expected a quantity such as loss_vs(baseline) at the end"},
		{"ration > 1", "column 1: unknown quantity 'ration' (did you mean 'ratio'?)"},
		{"rate_a > 3%", "column 11: expected frames a second, not '%'"},
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(cases); i++) {
		struct claim claim;
		struct err err = {0};

		assert_int_equal(claim_parse(&claim, cases[i].text, &err), -EINVAL);
		assert_string_equal(err.msg, cases[i].msg);
		assert_int_equal(err.class, ERR_USAGE);
	}
}

static void
eight_terms_and_no_more(void **state)
{
	char text[400] = "ratio > 0";
	struct claim claim;

	(void)state;
	for (int i = 2; i <= CLAIM_MAX_TERMS; i++)
		strcat(text, " and ratio > 0");
	assert_int_equal(claim_parse(&claim, text, NULL), 0);
	assert_int_equal(claim.n, CLAIM_MAX_TERMS);
	strcat(text, " and ratio > 0");
	assert_int_equal(claim_parse(&claim, text, NULL), -EINVAL);
}

/* A term and its opposite: where one holds the other is violated, and nobody can tell both. */
static void
opposites_disagree(void **state)
{
	static const char *const pairs[][2] = {{"<", ">="}, {"<=", ">"}};

	(void)state;
	rng_seed(__func__);
	for (int i = 0; i < 20000; i++) {
		/* Few values, so that limits and ends often coincide. */
		double low = 0.1 * (double)rng_below(20), high = low + 0.1 * (double)rng_below(5);
		double limit = 0.1 * (double)rng_below(25);
		const char *const *ops = pairs[rng_below(2)];
		char text[2][64];
		int a, b;

		for (int k = 0; k < 2; k++)
			snprintf(text[k], sizeof(text[k]), "ratio %s %.17g", ops[k], limit);
		a = judged(text[0], low, low, high);
		b = judged(text[1], low, low, high);
		assert_int_equal(a, b < 0 ? -1 : !b);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		LAW(whole_interval_decides),
		LAW(slower_is_a_loss_and_faster_a_negative_one),
		LAW(ends_of_the_interval_are_plain_numbers),
		LAW(units_of_rates),
		LAW(all_terms_must_hold),
		LAW(unknown_is_undecided_and_says_so),
		LAW(sentences),
		LAW(errors_name_the_column),
		LAW(eight_terms_and_no_more),
		LAW(opposites_disagree),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
