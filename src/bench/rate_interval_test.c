/* SPDX-License-Identifier: MIT */
/* How often the interval holds the load at which half of the trials are bad, in per cent of those
 * that claim 95 (in brackets: how many do; the others say "bracket"), trials of 1 s, width 0.5 %:
 *
 *                                   MLRsearch, 21 s               binary, one trial a load
 *     chain                         profile of 1  student of 3    of 1        student of 3
 *     capacity +- 0.3 %             100 (100)     100 (100)       - (0)       97 (100)
 *     capacity +- 1 %               99 (99)       98 (100)        - (0)       96 (100)
 *     capacity +- 2 %               97 (86)       97 (100)        - (0)       95 (100)
 *     1 %, 0.05 stalls/s of 1 ms    98 (99)       97 (100)        - (0)       96 of all (89)
 *     2 %, 0.5 stalls/s of 2 ms     95 (69)       94 (100)        - (0)       87 (16)
 *     2 %, 2 stalls/s of 2 ms       0 (4)         not simulated   - (0)       not simulated
 *
 * Above 97 the bracket is wider than what is not known.  Where it fails, the search has failed: one
 * that believes a single trial ends 20 % too low under the fifth chain, on average, and under the
 * sixth, half of whose trials are bad from half of the capacity on, any ends by luck.
 *
 * The third chain again, when trials inherit so much of the luck of the one before; "before" is the
 * profile of 1 that takes trials as independent:
 *
 *     inherited   before     profile of 1   profile of 2   student of 3
 *     0           96 (92)    97 (86)        99 (100)       97 (100)
 *     0.5         83 (91)    94 (62)        98 (96)        96 (100)
 *     0.8         63 (90)    82 (33)        94 (53)        95 (100)
 *     0.9         47 (89)    60 (29)        90 (32)        94 (100)
 *
 * A memory as long as the search itself looks like an answer.  A chain recorded on a virtual
 * machine (traces/) has 0.55 from one trial to the next of 0.1 s, and 0.3 after a second. */
#include "rate_interval.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/distribution.h"
#include "base/mem.h"
#include "base/random.h"

#define assert_near(a, b, tolerance) assert_true(fabs((a) - (b)) <= (tolerance))

/* ---- chains and searches, simulated ---- */

struct chain {
	double capacity_pps;
	double deviation; /* of the capacity from second to second, relative */
	double stalls_hz;
	double stall_s;	   /* mean of the exponential lengths */
	double ring_slots; /* frames of a stall that are not lost */
	double memory;	   /* how much of what made a trial bad the next one inherits */
};

static const struct chain calm = {1e7, 0.003, 0, 1e-3, 1024, 0};
static const struct chain normal = {1e6, 0.01, 0, 1e-3, 1024, 0};
static const struct chain rough = {1e6, 0.02, 0, 1e-3, 1024, 0};
static const struct chain mild = {1e6, 0.01, 0.05, 1e-3, 1024, 0};
static const struct chain noisy = {1e6, 0.02, 0.5, 2e-3, 1024, 0};
static const struct chain stalled = {1e6, 0.02, 2, 2e-3, 1024, 0};

/* That a trial of one second loses anything: from the capacity, or from a stall that outlasts the
 * ring. */
static double
p_bad(const struct chain *c, double pps)
{
	double z = (pps / c->capacity_pps - 1) / c->deviation;
	double outlasts = exp(-c->ring_slots / (pps * c->stall_s));

	return 1 - normal_cdf(-z) * exp(-c->stalls_hz * outlasts);
}

static double
true_rate(const struct chain *c)
{
	double low = c->capacity_pps / 1000, high = 2 * c->capacity_pps;

	for (unsigned i = 0; i < 100; i++) {
		double middle = (low + high) / 2;

		if (p_bad(c, middle) < 0.5)
			low = middle;
		else
			high = middle;
	}
	return low;
}

struct lab {
	const struct chain *chain;
	struct random random;
	double luck; /* of the last trial, standard normal */
	struct rate_trial trial[4000];
	size_t n;
};

static bool
is_bad(struct lab *lab, double pps)
{
	double memory = lab->chain->memory;
	bool bad;

	lab->luck = memory * lab->luck + sqrt(1 - memory * memory) * random_normal(&lab->random);
	bad = normal_cdf(lab->luck) < p_bad(lab->chain, pps);

	lab->trial[lab->n++] = (struct rate_trial){pps, bad};
	return bad;
}

/* Trials until more than half of 'n' are of one kind. */
static bool
is_rejected(struct lab *lab, double pps, unsigned n)
{
	unsigned n_bad = 0, n_good = 0;

	while (n_bad <= n / 2 && n_good <= n / 2)
		*(is_bad(lab, pps) ? &n_bad : &n_good) += 1;
	return n_bad > n_good;
}

static struct rate_bracket
binary_search(struct lab *lab, double width)
{
	double low = 0.2 * lab->chain->capacity_pps, high = 1.3 * lab->chain->capacity_pps;

	while (1 - low / high > width) {
		double middle = sqrt(low * high);

		*(is_bad(lab, middle) ? &high : &low) = middle;
	}
	return (struct rate_bracket){low, high};
}

/* Short evidence first, around where frames came through at full load; then 'n' trials at each end,
 * which moves when it turns out wrong. */
static struct rate_bracket
mlr_search(struct lab *lab, double width, unsigned n)
{
	double low = lab->chain->capacity_pps *
		     (1 - 2 * lab->chain->deviation * random_unit(&lab->random));
	double step = 4 * width, high;

	while (is_rejected(lab, low, 3))
		low *= 1 - step;
	for (high = low * (1 + step); !is_rejected(lab, high, 3); high *= 1 + step)
		low = high;
	for (;;) {
		if (is_rejected(lab, low, n)) {
			high = low;
			low *= 1 - 2 * width;
		} else if (!is_rejected(lab, high, n)) {
			low = high;
			high *= 1 + 2 * width;
		} else
			break;
	}
	while (1 - low / high > width) {
		double middle = sqrt(low * high);

		*(is_rejected(lab, middle, n) ? &high : &low) = middle;
	}
	return (struct rate_bracket){low, high};
}

/* Per cent of the intervals that claim to hold the true rate, which do; *claimed: how many claim
 * it, the others being brackets. */
static double
coverage(const struct chain *chain, unsigned n_searches, bool mlr, double *claimed)
{
	enum { RUNS = 300 };
	unsigned n_right = 0, n_claimed = 0;
	double truth = true_rate(chain);
	static struct lab lab;

	lab.chain = chain;
	random_init(&lab.random, 7, 0);
	for (unsigned run = 0; run < RUNS; run++) {
		struct rate_bracket found[10];
		struct rate_interval in;

		lab.n = 0;
		for (unsigned i = 0; i < n_searches; i++)
			found[i] = mlr ? mlr_search(&lab, 0.005, 21) : binary_search(&lab, 0.005);
		in = rate_interval_of(found, n_searches, lab.trial, lab.n, 0.5);
		if (strcmp(in.method, "bracket") == 0)
			continue;
		n_claimed++;
		n_right += in.low_pps <= truth && truth <= in.high_pps;
	}
	*claimed = 100.0 * n_claimed / RUNS;
	print_message("# %u searches, %s, +- %.1f %%: %.1f %% right, %.1f %% claimed\n", n_searches,
		      mlr ? "mlr" : "binary", 100 * chain->deviation,
		      100.0 * n_right / (n_claimed + 1e-9), *claimed);
	return 100.0 * n_right / (n_claimed + 1e-9);
}

static void
mlr_searches_are_covered(void **state)
{
	static const struct chain *const chains[] = {&calm, &normal, &rough, &mild, &noisy};
	static const unsigned n_searches[] = {1, 3, 5};
	double claimed;

	(void)state;
	for (unsigned i = 0; i < N_ELEMS(chains); i++) {
		for (unsigned k = 0; k < N_ELEMS(n_searches); k++) {
			/* Three standard errors of the fewest below 95. */
			assert_true(coverage(chains[i], n_searches[k], true, &claimed) >= 90.5);
			assert_true(claimed >= 65);
		}
	}
}

static void
assert_interval(struct rate_interval in, const char *method, double low, double high)
{
	assert_string_equal(in.method, method);
	assert_near(in.low_pps, low, 1e-9 * low);
	assert_near(in.high_pps, high, 1e-9 * high);
}

/* A machine that is slow in one trial is so in the next: a search then knows less than its trials
 * seem to say. */
static void
what_trials_inherit_is_seen(void **state)
{
	static const double least[][2] = {{87, 93}, {72, 90}};
	static const double memory[] = {0.5, 0.8};
	double claimed;

	(void)state;
	for (unsigned i = 0; i < N_ELEMS(memory); i++) {
		struct chain chain = rough;

		chain.memory = memory[i];
		for (unsigned n = 1; n <= 2; n++)
			assert_true(coverage(&chain, n, true, &claimed) >= least[i][n - 1]);
		assert_true(coverage(&chain, 3, true, &claimed) >= 91);
		assert_true(claimed > 95);
	}
}

static void
rows_of_trials_are_wider(void **state)
{
	const struct rate_bracket search = {100, 104};
	struct rate_trial mixed[72], rows[72];
	struct rate_interval in, wider;

	(void)state;
	/* The same trials, 4 of 24 bad at one load, half at the next, 20 of 24 at the third: mixed,
	 * and all bad ones of a load one after the other. */
	for (unsigned i = 0; i < 72; i++) {
		static const double pps[] = {100, 102, 104};
		static const unsigned bad_of_6[] = {1, 3, 5};
		unsigned load = i % 3, k = i / 3;

		mixed[i] = (struct rate_trial){pps[load], (k * 5 + load * 2) % 6 < bad_of_6[load]};
		rows[i] = (struct rate_trial){pps[load], k < 4 * bad_of_6[load]};
	}
	in = rate_interval_of(&search, 1, mixed, 72, 0.5);
	wider = rate_interval_of(&search, 1, rows, 72, 0.5);
	assert_string_equal(in.method, "profile");
	print_message("# mixed %.2f to %.2f, rows %.2f to %.2f (%s)\n", in.low_pps, in.high_pps,
		      wider.low_pps, wider.high_pps, wider.method);
	if (strcmp(wider.method, "profile") == 0)
		assert_true(wider.low_pps < in.low_pps && wider.high_pps > in.high_pps);
	else
		assert_interval(wider, "bracket", 100, 104);
}

/* Half of the trials are bad at half of the capacity already, and hardly more at all of it: where a
 * search ends is luck, and so little is claimed. */
static void
where_stalls_decide_little_is_claimed(void **state)
{
	double claimed;

	(void)state;
	coverage(&stalled, 1, true, &claimed);
	assert_true(claimed < 20);
}

static void
binary_searches_claim_what_they_can(void **state)
{
	double claimed;

	(void)state;
	/* One trial a load tells nothing of how sure it is. */
	coverage(&normal, 1, false, &claimed);
	assert_near(claimed, 0, 0);
	assert_true(coverage(&normal, 3, false, &claimed) >= 93);
	assert_near(claimed, 100, 0);
	/* Three results all over the place are not a sample of the answer. */
	coverage(&noisy, 3, false, &claimed);
	coverage(&noisy, 5, false, &claimed);
	assert_true(claimed < 10);
}

/* ---- cases ---- */

static void
without_trials_it_is_the_bracket(void **state)
{
	const struct rate_bracket search[] = {{100, 102}, {99, 101}}, open = {100, 0},
				  none = {0, 50};
	struct rate_interval in;

	(void)state;
	assert_interval(rate_interval_of(search, 1, NULL, 0, 0.5), "bracket", 100, 102);
	assert_interval(rate_interval_of(search, 2, NULL, 0, 0.5), "bracket", 99, 102);
	in = rate_interval_of(&open, 1, NULL, 0, 0.5);
	assert_string_equal(in.method, "bracket");
	assert_near(in.low_pps, 100, 0);
	assert_true(isnan(in.high_pps));
	in = rate_interval_of(&none, 1, NULL, 0, 0.5);
	assert_string_equal(in.method, "none");
	assert_true(isnan(in.low_pps) && isnan(in.high_pps));
	assert_string_equal(rate_interval_of(NULL, 0, NULL, 0, 0.5).method, "none");
}

static void
zero_exceed_has_no_interval(void **state)
{
	const struct rate_bracket search[] = {{100, 102}, {99, 101}, {98, 101}};

	(void)state;
	assert_interval(rate_interval_of(search, 3, NULL, 0, 0), "bracket", 98, 102);
}

static void
three_results_are_students(void **state)
{
	const struct rate_bracket search[] = {{99, 100}, {100, 101}, {101, 102}};
	const struct rate_bracket same[] = {{100, 102}, {100, 102}, {100, 102}};
	const struct rate_bracket wide[] = {{50, 51}, {100, 101}, {90, 91}};
	double x[3], mean = 0, squares = 0, half;

	(void)state;
	for (unsigned i = 0; i < 3; i++)
		mean += x[i] = log(search[i].accepted_pps * search[i].rejected_pps) / 2;
	mean /= 3;
	for (unsigned i = 0; i < 3; i++)
		squares += (x[i] - mean) * (x[i] - mean);
	half = 4.302652729911275 * sqrt(squares / 2 / 3);
	assert_interval(rate_interval_of(search, 3, NULL, 0, 0.5), "student", exp(mean - half),
			exp(mean + half));
	/* Never surer than one search is. */
	assert_interval(rate_interval_of(same, 3, NULL, 0, 0.5), "student", 100, 102);
	assert_interval(rate_interval_of(wide, 3, NULL, 0, 0.5), "bracket", 50, 101);
}

static size_t
add(struct rate_trial *trial, size_t n, double pps, unsigned n_good, unsigned n_bad)
{
	/* Evenly mixed: in a row they would tell of a machine that changes slowly. */
	for (unsigned i = 0, all = n_good + n_bad; i < all; i++)
		trial[n++] = (struct rate_trial){pps, (i + 1) * n_bad / all > i * n_bad / all};
	return n;
}

static void
the_profile_needs_and_uses_trials(void **state)
{
	const struct rate_bracket search = {100, 104};
	struct rate_trial trial[100];
	struct rate_interval in, more;
	size_t n = 0;

	(void)state;
	n = add(trial, n, 100, 9, 2);
	n = add(trial, n, 104, 4, 0);
	n = add(trial, n, 80, 6, 0);
	n = add(trial, n, 130, 0, 6);
	assert_string_equal(rate_interval_of(&search, 1, trial, n, 0.5).method, "bracket");
	n = add(trial, n, 104, 0, 7);
	in = rate_interval_of(&search, 1, trial, n, 0.5);
	assert_string_equal(in.method, "profile");
	/* Some trials at each end came out the other way: the ends are not sure. */
	assert_true(in.low_pps < 100 && in.low_pps > 80);
	assert_true(in.high_pps > 104 && in.high_pps < 130);
	n = add(trial, n, 96, 20, 0);
	n = add(trial, n, 108, 0, 20);
	more = rate_interval_of(&search, 1, trial, n, 0.5);
	assert_true(more.low_pps > in.low_pps && more.high_pps < in.high_pps);
	/* A goal that allows fewer bad trials is met at less load. */
	in = rate_interval_of(&search, 1, trial, n, 0.2);
	assert_true(in.low_pps < more.low_pps);
	/* Sharp ends: the bracket is all there is to say. */
	n = add(trial, 0, 100, 30, 0);
	n = add(trial, n, 104, 0, 30);
	in = rate_interval_of(&search, 1, trial, n, 0.5);
	assert_interval(in, "profile", 100, 104);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mlr_searches_are_covered),
		cmocka_unit_test(what_trials_inherit_is_seen),
		cmocka_unit_test(rows_of_trials_are_wider),
		cmocka_unit_test(where_stalls_decide_little_is_claimed),
		cmocka_unit_test(binary_searches_claim_what_they_can),
		cmocka_unit_test(without_trials_it_is_the_bracket),
		cmocka_unit_test(zero_exceed_has_no_interval),
		cmocka_unit_test(three_results_are_students),
		cmocka_unit_test(the_profile_needs_and_uses_trials),
	};

	return cmocka_run_group_tests_name("bench_rate_interval", tests, NULL, NULL);
}
