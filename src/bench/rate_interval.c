/* SPDX-License-Identifier: MIT */
#include "rate_interval.h"

#include <math.h>
#include <stdlib.h>

#include "base/distribution.h"
#include "base/interval.h"
#include "base/mem.h"
#include "base/stats.h"

#define LEVEL 0.95
#define MIN_SEARCHES 3

/* How much less likely than the best an answer may make the trials, as a logarithm: half of a
 * quantile of chi-squared with one degree of freedom.  That of 95 %, 1.92, is right for many trials
 * placed beforehand; searches place few, each where the ones before sent it, and with 1.92 hold the
 * answer in only 90 % of cases under the noisiest chain simulated.  So it is that of 97.5 %. */
#define DROP 2.512

/* How gradually trials go from good to bad, as a standard deviation of the logarithm of the load:
 * from 0.02 %, sharper than any search asks, to a factor of 7: where stalls decide,
 * the load hardly matters. */
#define MIN_SPREAD 0.0002
#define MAX_SPREAD 2.0
#define N_SPREADS 36

/* The ends of the interval are looked for in steps that double, from 0.02 % up to a factor of 2:
 * an interval beyond that tells nothing. */
#define FIRST_STEP 0.0002
#define LAST_STEP M_LN2
#define N_HALVINGS 20

/* Between two neighbouring loads the most likely answer is looked for in so many places. */
#define N_BETWEEN 4

/* With fewer trials at the ends of the bracket nobody knows how gradually trials go bad, and the
 * profile takes the few for certain: a plain binary search with one trial a load would be covered
 * in 1 to 97 % of cases. */
#define MIN_TRIALS_AT_END 5

/* When results of searches differ by more, as a standard deviation of their logarithm, they are
 * those of a procedure that lost its way early in some searches, and not spread around the answer:
 * the mean is then off by more than the interval knows. */
#define MAX_DEVIATION 0.05

/* Trials by load, since searches repeat loads. */
struct tried {
	double x; /* logarithm of the load */
	unsigned bad;
	unsigned good;
};

struct fit {
	struct tried *tried;
	size_t n;
	double z;			/* normal quantile of the exceed ratio */
	const struct rate_trial *trial; /* in the order measured */
	size_t n_trials;
};

/* ---- likelihood ---- */

/* Logarithm of the probability of the trials when the answer is 'x' and bad trials spread so. */
static double
likelihood(const struct fit *fit, double x, double spread)
{
	double sum = 0;

	for (size_t i = 0; i < fit->n; i++) {
		const struct tried *t = &fit->tried[i];
		double z = (t->x - x) / spread + fit->z;

		/* Both tails by themselves: 1 - p has no digits left where p is nearly 1.  And
		 * nothing is impossible: one in a million trials fails for another reason. */
		if (t->bad > 0)
			sum += t->bad * log(fmax(normal_cdf(z), 1e-6));
		if (t->good > 0)
			sum += t->good * log(fmax(normal_cdf(-z), 1e-6));
	}
	return sum;
}

/* The same with the spread that suits it best. */
static double
profile_spread(const struct fit *fit, double x, double *spread)
{
	double best = -INFINITY;

	for (unsigned i = 0; i < N_SPREADS; i++) {
		double tried = MIN_SPREAD * pow(MAX_SPREAD / MIN_SPREAD, i / (N_SPREADS - 1.0));
		double now = likelihood(fit, x, tried);

		if (now > best) {
			best = now;
			*spread = tried;
		}
	}
	return best;
}

static double
profile(const struct fit *fit, double x)
{
	double spread;

	return profile_spread(fit, x, &spread);
}

/* The most likely answer of the places at and between the loads tried. */
static double
peak(const struct fit *fit, double *likely)
{
	double best = fit->tried[0].x;

	*likely = profile(fit, best);
	for (size_t i = 1; i < fit->n; i++) {
		double from = fit->tried[i - 1].x, to = fit->tried[i].x;

		for (unsigned k = 1; k <= N_BETWEEN; k++) {
			double x = from + (to - from) * k / N_BETWEEN, now = profile(fit, x);

			if (now > *likely) {
				*likely = now;
				best = x;
			}
		}
	}
	return best;
}

/* Where from 'inside' in the direction of 'sign' answers cease to be likely enough; NaN when they
 * go on. */
static double
edge(const struct fit *fit, double inside, double sign, double enough)
{
	double from = inside, outside = NAN;

	for (double step = FIRST_STEP; step <= LAST_STEP && isnan(outside); step *= 2) {
		double x = from + sign * step;

		if (profile(fit, x) < enough)
			outside = x;
		else
			inside = x;
	}
	for (unsigned i = 0; i < N_HALVINGS && !isnan(outside); i++) {
		double middle = (inside + outside) / 2;

		if (profile(fit, middle) >= enough)
			inside = middle;
		else
			outside = middle;
	}
	return outside;
}

static int
by_load(const void *a, const void *b)
{
	const struct tried *s = a, *t = b;

	return (s->x > t->x) - (s->x < t->x);
}

static void
fit_init(struct fit *fit, const struct rate_trial *trial, size_t n_trials, double exceed_ratio)
{
	size_t n = 0;

	*fit = (struct fit){
		.z = normal_quantile(exceed_ratio),
		.trial = trial,
		.n_trials = n_trials,
	};
	fit->tried = xcalloc(n_trials + 1, sizeof(*fit->tried));
	for (size_t i = 0; i < n_trials; i++)
		if (trial[i].load_pps > 0)
			fit->tried[n++] = (struct tried){
				.x = log(trial[i].load_pps),
				.bad = trial[i].bad,
				.good = !trial[i].bad,
			};
	qsort(fit->tried, n, sizeof(*fit->tried), by_load);
	for (size_t i = 0; i < n; i++) {
		struct tried *last = &fit->tried[fit->n - (fit->n > 0)];

		if (fit->n > 0 && by_load(last, &fit->tried[i]) == 0) {
			last->bad += fit->tried[i].bad;
			last->good += fit->tried[i].good;
		} else
			fit->tried[fit->n++] = fit->tried[i];
	}
}

/* ---- memory ---- */

/* What is left of each trial when the answer is 'x': 1 or 0 less its chance to be bad. */
static double *
residuals(const struct fit *fit, double x)
{
	double *left = xcalloc(fit->n_trials + 1, sizeof(*left)), spread = MAX_SPREAD;
	size_t n = 0;

	profile_spread(fit, x, &spread);
	for (size_t i = 0; i < fit->n_trials; i++) {
		const struct rate_trial *t = &fit->trial[i];

		if (t->load_pps > 0)
			left[n++] = t->bad - normal_cdf((log(t->load_pps) - x) / spread + fit->z);
	}
	return left;
}

/* Sum of the products of values 'lag' apart. */
static double
products(const double *v, size_t n, size_t lag)
{
	double sum = 0;

	for (size_t i = 0; i + lag < n; i++)
		sum += v[i] * v[i + lag];
	return sum;
}

/* How many trials in a row say what one would say that had nothing to do with the others: a machine
 * that is slow now is slow in the next trial too.  1 and twice the autocorrelations of what is left
 * of the trials, as far as pairs of them are above 0 (Geyer, 1992). */
static double
memory_of(const struct fit *fit, double x)
{
	double *left = residuals(fit, x), sum = 0;
	/* Certain trials leave next to nothing, and no two thousandths of a trial are a pattern. */
	double all = fmax(products(left, fit->n_trials, 0), 1e-3 * (double)fit->n_trials);

	for (size_t lag = 0; lag + 1 < fit->n_trials / 2; lag += 2) {
		double pair = lag == 0 ? 1 : products(left, fit->n_trials, lag) / all;

		pair += products(left, fit->n_trials, lag + 1) / all;
		if (!(pair > 0))
			break;
		sum += pair;
	}
	free(left);
	return fmax(1, 2 * sum - 1);
}

/* Widens 'r' to the likely answers, unless they do not end. */
static void
widen_by_profile(const struct fit *fit, struct rate_interval *r)
{
	double likely, best = peak(fit, &likely);
	double enough = likely - DROP * memory_of(fit, best);
	double low = edge(fit, best, -1, enough), high = edge(fit, best, 1, enough);

	if (isnan(low) || isnan(high))
		return;
	r->low_pps = fmin(r->low_pps, exp(low));
	r->high_pps = fmax(r->high_pps, exp(high));
	r->method = "profile";
}

/* ---- searches ---- */

static bool
is_closed(const struct rate_bracket *b)
{
	return b->accepted_pps > 0 && b->rejected_pps > b->accepted_pps;
}

static bool
all_closed(const struct rate_bracket *search, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!is_closed(&search[i]))
			return false;
	return n > 0;
}

static struct rate_interval
bracket_of(const struct rate_bracket *search, size_t n)
{
	struct rate_interval r = {NAN, NAN, "none"};
	bool open = false;

	for (size_t i = 0; i < n; i++) {
		if (!(search[i].accepted_pps > 0))
			continue;
		/* fmin and fmax take the other one instead of a NaN. */
		r.low_pps = fmin(r.low_pps, search[i].accepted_pps);
		r.high_pps = fmax(r.high_pps, search[i].rejected_pps);
		r.method = "bracket";
		open = open || !is_closed(&search[i]);
	}
	if (open)
		r.high_pps = NAN;
	return r;
}

static unsigned
trials_at(const struct fit *fit, double load_pps)
{
	/* The same load, but for the rounding of its logarithm. */
	const double same = 1e-9;

	for (size_t i = 0; i < fit->n; i++)
		if (fabs(fit->tried[i].x - log(load_pps)) < same)
			return fit->tried[i].bad + fit->tried[i].good;
	return 0;
}

static bool
ends_are_known(const struct fit *fit, const struct rate_bracket *search, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (trials_at(fit, search[i].accepted_pps) < MIN_TRIALS_AT_END ||
		    trials_at(fit, search[i].rejected_pps) < MIN_TRIALS_AT_END)
			return false;
	return true;
}

/* Makes 'r' what the results of the searches tell, unless they are no sample of the answer. */
static void
from_results(const struct rate_bracket *search, size_t n, struct rate_interval *r)
{
	double *middle = xcalloc(2 * n, sizeof(*middle)), *width = middle + n;
	double centre, half;
	struct interval in;

	for (size_t i = 0; i < n; i++) {
		double low = log(search[i].accepted_pps), high = log(search[i].rejected_pps);

		middle[i] = (low + high) / 2;
		width[i] = high - low;
	}
	in = interval_mean(middle, n, LEVEL);
	centre = stats_mean(middle, n);
	half = fmax(in.high - centre, stats_median(width, n) / 2);
	if (stats_stdev(middle, n) <= MAX_DEVIATION)
		*r = (struct rate_interval){exp(centre - half), exp(centre + half), "student"};
	free(middle);
}

struct rate_interval
rate_interval_of(const struct rate_bracket *search, size_t n_searches,
		 const struct rate_trial *trial, size_t n_trials, double exceed_ratio)
{
	struct rate_interval r = bracket_of(search, n_searches);
	struct fit fit;

	if (!(exceed_ratio > 0 && exceed_ratio < 1) || !all_closed(search, n_searches))
		return r;
	if (n_searches >= MIN_SEARCHES) {
		from_results(search, n_searches, &r);
		return r;
	}
	fit_init(&fit, trial, n_trials, exceed_ratio);
	if (ends_are_known(&fit, search, n_searches))
		widen_by_profile(&fit, &r);
	free(fit.tried);
	return r;
}
