/* SPDX-License-Identifier: MIT */
#include "mlr_class.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/test_random.h"

/* The classifier against the listings of RFC 9971, appendices A and B, followed step by step and in
 * their own terms: seconds, one named value after the other.  They are followed twice, in exact
 * fractions, with which all sets of trials must agree, and in floating point as they would run as
 * printed, with which those must agree that are not within rounding of a boundary. */

#define N_SETS 100000
#define MAX_TRIALS 24

/* ---- fractions ---- */

__extension__ typedef __int128 big;

struct frac {
	big num, den; /* den > 0, lowest terms */
};

static struct frac
frac(big num, big den)
{
	big a = num < 0 ? -num : num, b = den;

	while (b != 0) {
		big rest = a % b;

		a = b;
		b = rest;
	}
	return (struct frac){num / a, den / a};
}

static struct frac
plus(struct frac a, struct frac b)
{
	return frac(a.num * b.den + b.num * a.den, a.den * b.den);
}

static struct frac
minus(struct frac a, struct frac b)
{
	return frac(a.num * b.den - b.num * a.den, a.den * b.den);
}

static struct frac
times(struct frac a, struct frac b)
{
	return frac(a.num * b.num, a.den * b.den);
}

static bool
not_above(struct frac a, struct frac b)
{
	return a.num * b.den <= b.num * a.den;
}

static struct frac
max_of(struct frac a, struct frac b)
{
	return not_above(a, b) ? b : a;
}

static struct frac
seconds(uint64_t ns)
{
	return frac((big)ns, (big)NSEC_PER_S);
}

/* ---- the listings ---- */

/* One set of trials, the goal, and its exceed ratio as a count of ten-thousandths. */
struct set {
	struct goal goal;
	unsigned exceed;
	struct mlr_trial trials[MAX_TRIALS];
	size_t n;
};

enum kind { FULL_LOW, FULL_HIGH, SHORT_LOW, SHORT_HIGH, N_KINDS };

static enum kind
kind_of(const struct set *set, const struct mlr_trial *t)
{
	bool high = t->loss_ratio > set->goal.loss_ratio;

	if (t->duration_ns < set->goal.trial_ns)
		return high ? SHORT_HIGH : SHORT_LOW;
	return high ? FULL_HIGH : FULL_LOW;
}

/* Appendix A in fractions. */
static enum mlr_class
listing_a(const struct set *set)
{
	const struct frac zero = {0, 1}, ratio = frac(set->exceed, 10000);
	const struct frac coefficient = frac(set->exceed, 10000 - (big)set->exceed);
	struct frac sum[N_KINDS] = {zero, zero, zero, zero};
	struct frac excess, high, whole, quantile, pessimistic;
	bool optimistic_is_lower, pessimistic_is_lower;

	for (size_t i = 0; i < set->n; i++) {
		enum kind kind = kind_of(set, &set->trials[i]);

		sum[kind] = plus(sum[kind], seconds(set->trials[i].effective_ns));
	}
	excess = max_of(zero, minus(sum[SHORT_HIGH], times(sum[SHORT_LOW], coefficient)));
	high = plus(sum[FULL_HIGH], excess);
	whole = max_of(plus(sum[FULL_LOW], high), seconds(set->goal.sum_ns));
	quantile = times(whole, ratio);
	pessimistic = minus(whole, sum[FULL_LOW]);
	pessimistic_is_lower = not_above(pessimistic, quantile);
	optimistic_is_lower = not_above(high, quantile);
	if (optimistic_is_lower != pessimistic_is_lower)
		return MLR_UNDECIDED;
	return optimistic_is_lower ? MLR_LOWER : MLR_UPPER;
}

/* The same in floating point; 'margin_s' becomes the distance from the nearer boundary. */
static enum mlr_class
listing_a_float(const struct set *set, double *margin_s)
{
	double ratio = set->goal.exceed_ratio, coefficient = ratio / (1.0 - ratio);
	double sum[N_KINDS] = {0}, excess, high, whole, quantile, pessimistic;

	for (size_t i = 0; i < set->n; i++)
		sum[kind_of(set, &set->trials[i])] += (double)set->trials[i].effective_ns / 1e9;
	excess = fmax(0.0, sum[SHORT_HIGH] - sum[SHORT_LOW] * coefficient);
	high = sum[FULL_HIGH] + excess;
	whole = fmax(sum[FULL_LOW] + high, (double)set->goal.sum_ns / 1e9);
	quantile = whole * ratio;
	pessimistic = whole - sum[FULL_LOW];
	*margin_s = fmin(fabs(pessimistic - quantile), fabs(high - quantile));
	if ((pessimistic <= quantile) != (high <= quantile))
		return MLR_UNDECIDED;
	return high <= quantile ? MLR_LOWER : MLR_UPPER;
}

/* Puts the full-length trials into 'sorted' by ascending loss and returns how many there are. */
static size_t
sort_full_length(const struct set *set, const struct mlr_trial **sorted)
{
	size_t n = 0;

	for (size_t i = 0; i < set->n; i++) {
		const struct mlr_trial *t = &set->trials[i];
		size_t at = n;

		if (t->duration_ns < set->goal.trial_ns)
			continue;
		for (; at > 0 && sorted[at - 1]->loss_ratio > t->loss_ratio; at--)
			sorted[at] = sorted[at - 1];
		sorted[at] = t;
		n++;
	}
	return n;
}

/* Appendix B in fractions: the loss ratio at the quantile. */
static double
listing_b(const struct set *set)
{
	const struct frac zero = {0, 1};
	const struct mlr_trial *sorted[MAX_TRIALS];
	struct frac full = zero, remaining;
	size_t n = sort_full_length(set, sorted), i;
	double loss_ratio = NAN;

	for (i = 0; i < n; i++)
		full = plus(full, seconds(sorted[i]->effective_ns));
	remaining = times(max_of(seconds(set->goal.sum_ns), full),
			  frac(10000 - (big)set->exceed, 10000));
	for (i = 0; i < n; i++) {
		if (!isnan(loss_ratio) && not_above(remaining, zero))
			break;
		loss_ratio = sorted[i]->loss_ratio;
		remaining = minus(remaining, seconds(sorted[i]->effective_ns));
	}
	if (i == n && !not_above(remaining, zero))
		loss_ratio = 1;
	return loss_ratio;
}

/* ---- random sets ---- */

static unsigned
random_exceed(void)
{
	static const unsigned usual[] = {0,    5000, 5000, 2000, 2500, 7500, 1000, 2900,
					 5700, 3333, 9000, 9999, 1,    100,  8000, 6667};

	return rng_below(4) == 0 ? rng_below(10000) : usual[rng_below(N_ELEMS(usual))];
}

static uint64_t
random_duration(void)
{
	switch (rng_below(4)) {
	case 0:
		return (1 + rng_below(60)) * NSEC_PER_S;
	case 1:
		return (1 + rng_below(50)) * NSEC_PER_S / 10;
	case 2:
		return (1 + rng_below(5000)) * NSEC_PER_MS;
	default:
		return 1 + rng() % (60 * NSEC_PER_S);
	}
}

static double
random_loss(double goal_loss)
{
	switch (rng_below(6)) {
	case 0:
	case 1:
		return 0;
	case 2:
		return goal_loss;
	case 3:
		return nextafter(goal_loss, 1);
	case 4:
		return rng_unit() * 0.02;
	default:
		return rng_unit();
	}
}

/* At, just off, and far from what makes a trial short. */
static uint64_t
random_trial_ns(uint64_t trial_ns)
{
	switch (rng_below(6)) {
	case 0:
		return trial_ns - (trial_ns > 1);
	case 1:
		return trial_ns / 2 + 1;
	case 2:
		return random_duration();
	default:
		return trial_ns;
	}
}

static struct set
random_set(void)
{
	struct set set = {.exceed = random_exceed()};
	struct goal *goal = &set.goal;

	goal->trial_ns = random_duration();
	goal->sum_ns = rng_below(2) == 0 ? random_duration() : goal->trial_ns * (1 + rng_below(21));
	goal->loss_ratio = rng_below(2) == 0 ? 0 : 0.005;
	goal->exceed_ratio = set.exceed / 10000.0;
	set.n = rng_below(MAX_TRIALS + 1);
	for (size_t i = 0; i < set.n; i++) {
		struct mlr_trial *t = &set.trials[i];

		t->duration_ns = random_trial_ns(goal->trial_ns);
		t->effective_ns =
			rng_below(4) == 0 ? t->duration_ns + rng_below(2000000000) : t->duration_ns;
		t->loss_ratio = random_loss(goal->loss_ratio);
	}
	return set;
}

/* Makes the sum of durations, or the exceed ratio, one by which a boundary is hit exactly, when
 * there is one; and sometimes a nanosecond less or more. */
static void
aim_at_boundary(struct set *set)
{
	uint64_t sum[N_KINDS] = {0}, good, bad;

	for (size_t i = 0; i < set->n; i++)
		sum[kind_of(set, &set->trials[i])] += set->trials[i].effective_ns;
	good = sum[FULL_LOW];
	bad = sum[FULL_HIGH];
	if (rng_below(3) == 0 && good + bad > 0 && bad * 10000 % (good + bad) == 0 && good > 0) {
		set->exceed = (unsigned)(bad * 10000 / (good + bad));
		set->goal.exceed_ratio = set->exceed / 10000.0;
		set->goal.sum_ns = 1 + rng_below(2) * (good + bad);
	} else if (rng_below(2) == 0 && set->exceed > 0 && bad > 0) {
		set->goal.sum_ns = bad * 10000 / set->exceed;
	} else if (good > 0) {
		set->goal.sum_ns = good * 10000 / (10000 - set->exceed);
	}
	if (set->goal.sum_ns > 1 && rng_below(3) == 0)
		set->goal.sum_ns += rng_below(3) - 1;
}

static void
random_sets_agree_with_the_listings(void **state)
{
	unsigned n_class[3] = {0}, n_close = 0, n_float_differs = 0, n_exact = 0;

	(void)state;
	rng_seed(__func__);
	for (unsigned i = 0; i < N_SETS; i++) {
		struct set set = random_set();
		enum mlr_class expected, found, printed;
		double margin_s;

		if (rng_below(2) == 0)
			aim_at_boundary(&set);
		expected = listing_a(&set);
		found = mlr_classify(&set.goal, set.trials, set.n);
		if (found != expected)
			fail_msg("set %u: class %d, not %d", i, found, expected);
		n_class[found]++;
		printed = listing_a_float(&set, &margin_s);
		n_exact += margin_s < 1e-11;
		n_close += margin_s < 1e-9;
		n_float_differs += printed != found;
		if (margin_s > 1e-9)
			assert_int_equal(printed, found);
	}
	print_message("# %u undecided, %u lower, %u upper; %u on a boundary; printed in floating "
		      "point %u differ\n",
		      n_class[MLR_UNDECIDED], n_class[MLR_LOWER], n_class[MLR_UPPER], n_exact,
		      n_float_differs);
	for (unsigned class = 0; class < 3; class ++)
		assert_true(n_class[class] > N_SETS / 20);
	assert_true(n_exact > N_SETS / 20);
	assert_true(n_float_differs <= n_close);
}

static void
random_quantiles_agree_with_the_listing(void **state)
{
	unsigned n_lossy = 0, n_missing = 0;

	(void)state;
	rng_seed(__func__);
	for (unsigned i = 0; i < N_SETS; i++) {
		struct set set = random_set();
		double loss_ratio, pps = 1 + rng_unit() * 1e7;

		if (rng_below(2) == 0)
			aim_at_boundary(&set);
		loss_ratio = listing_b(&set);
		n_missing += loss_ratio == 1;
		n_lossy += loss_ratio > 0 && loss_ratio < 1;
		assert_true(mlr_conditional_pps(&set.goal, pps, set.trials, set.n) ==
			    pps * (1 - loss_ratio));
		/* At a lower bound it never lost more than the goal allows. */
		if (mlr_classify(&set.goal, set.trials, set.n) == MLR_LOWER)
			assert_true(loss_ratio <= set.goal.loss_ratio);
	}
	assert_true(n_lossy > N_SETS / 20 && n_missing > N_SETS / 20);
}

static void
the_order_of_trials_does_not_matter(void **state)
{
	(void)state;
	rng_seed(__func__);
	for (unsigned i = 0; i < N_SETS / 10; i++) {
		struct set set = random_set(), other;

		aim_at_boundary(&set);
		other = set;
		for (size_t k = set.n; k > 1; k--) {
			size_t at = rng_below((uint32_t)k);
			struct mlr_trial t = other.trials[k - 1];

			other.trials[k - 1] = other.trials[at];
			other.trials[at] = t;
		}
		assert_int_equal(mlr_classify(&set.goal, set.trials, set.n),
				 mlr_classify(&set.goal, other.trials, set.n));
		assert_true(mlr_conditional_pps(&set.goal, 1e6, set.trials, set.n) ==
			    mlr_conditional_pps(&set.goal, 1e6, other.trials, set.n));
	}
}

/* What was decided stays so while time is missing, whatever comes. */
static void
early_decisions_hold(void **state)
{
	unsigned n_decided = 0;

	(void)state;
	rng_seed(__func__);
	for (unsigned i = 0; i < N_SETS / 10; i++) {
		struct set set = random_set();
		enum mlr_class first = MLR_UNDECIDED;
		uint64_t spent_ns = 0;

		set.goal.sum_ns = set.goal.trial_ns * (1 + rng_below(21));
		for (size_t n = 0; n < set.n; n++) {
			set.trials[n].duration_ns = set.trials[n].effective_ns = set.goal.trial_ns;
			spent_ns += set.goal.trial_ns;
			if (spent_ns > set.goal.sum_ns)
				break;
			if (first == MLR_UNDECIDED)
				first = mlr_classify(&set.goal, set.trials, n + 1);
			else
				assert_int_equal(mlr_classify(&set.goal, set.trials, n + 1), first);
		}
		n_decided += first != MLR_UNDECIDED;
	}
	assert_true(n_decided > N_SETS / 40);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_sets_agree_with_the_listings),
		cmocka_unit_test(random_quantiles_agree_with_the_listing),
		cmocka_unit_test(the_order_of_trials_does_not_matter),
		cmocka_unit_test(early_decisions_hold),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
