/* SPDX-License-Identifier: MIT */
/* The verdict of a paired comparison: slices to effects per round, those to ratios with their
 * intervals, and these to words. */
#include "paired.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/compare.h"
#include "base/interval.h"
#include "base/mem.h"
#include "base/resample.h"
#include "base/stats.h"
#include "paired_fit.h"

/* Of the rounds' ratios, this share is left out at each end before the mean, of 9 rounds one, of 15
 * two: a restart that went wrong for one arm (a third slower, once in thirty starts on a machine of
 * the cloud) then does not decide, and where none did it costs 2 % of precision and two degrees of
 * freedom in 16.  Fewer rounds than 9 have none to spare. */
#define TRIM_SHARE 0.14
#define TRIM_MIN 9

/* With fewer there is no interval worth the name. */
#define MIN_ROUNDS 3

#define PLACE_STEPS 10

/* What the parts of one judgement share. */
struct judgement {
	struct paired *p;
	unsigned n_arms;
	unsigned n_rounds;	    /* that have blocks at all, counted anew from 0 */
	unsigned *round_of;	    /* of each block, so counted */
	unsigned *number;	    /* of each round so counted, as it was added */
	bool *round_counts;	    /* of each round: it has enough valid blocks */
	struct paired_point *point; /* each slice of each block */
	struct paired_fit fit;
};

/* ---- blocks ---- */

static void
judge_block(struct paired_block *b, const struct paired_plan *plan)
{
	unsigned valid[PAIRED_MAX_ARMS] = {0}, all[PAIRED_MAX_ARMS] = {0};

	for (size_t i = 0; i < b->n_slices; i++) {
		all[b->slice[i].arm]++;
		valid[b->slice[i].arm] += !isnan(b->slice[i].value);
	}
	b->valid = true;
	b->reason[0] = '\0';
	for (unsigned arm = 0; arm < paired_n_arms(plan) && b->valid; arm++) {
		b->valid = valid[arm] > 0 && 2 * valid[arm] >= all[arm];
		if (!b->valid)
			snprintf(b->reason, sizeof(b->reason), "%u of %u slices of %c are valid",
				 valid[arm], all[arm], paired_letter(plan, arm));
	}
}

static size_t
number_rounds(struct judgement *j)
{
	size_t n_slices = 0;

	for (size_t i = 0; i < j->p->n_blocks; i++) {
		const struct paired_block *b = &j->p->block[i];

		if (i == 0 || b->round != b[-1].round)
			j->number[j->n_rounds++] = b->round;
		j->round_of[i] = j->n_rounds - 1;
		n_slices += b->n_slices;
	}
	return n_slices;
}

/* A round cut short would weigh as much as a whole one; less than half of one is left out. */
static void
count_rounds(struct judgement *j)
{
	unsigned *valid = xcalloc(j->n_rounds + 1, sizeof(*valid)), most = 0;

	for (size_t i = 0; i < j->p->n_blocks; i++) {
		unsigned *n = &valid[j->round_of[i]];

		*n += j->p->block[i].valid;
		most = *n > most ? *n : most;
	}
	for (unsigned i = 0; i < j->n_rounds; i++)
		j->round_counts[i] = valid[i] > 0 && 2 * valid[i] >= most;
	free(valid);
}

/* ---- slices ---- */

static void
add_points(struct judgement *j, size_t block, struct paired_point *at)
{
	const struct paired_block *b = &j->p->block[block];

	for (size_t i = 0; i < b->n_slices; i++)
		at[i] = (struct paired_point){
			.round = j->round_of[block],
			.block = (unsigned)block,
			.arm = b->slice[i].arm,
			.y = b->valid ? log(b->slice[i].value) : NAN,
		};
}

/* The ratio of the weighted means of each arm, the machine's part taken out. */
static void
set_block_ratios(struct paired_block *b, const struct paired_point *at)
{
	double sum[PAIRED_MAX_ARMS] = {0}, weight[PAIRED_MAX_ARMS] = {0};

	for (size_t i = 0; i < b->n_slices; i++) {
		if (!(at[i].weight > 0))
			continue;
		sum[at[i].arm] += at[i].weight * (at[i].y - at[i].machine);
		weight[at[i].arm] += at[i].weight;
	}
	for (unsigned arm = 0; arm < PAIRED_MAX_ARMS; arm++)
		b->ratio[arm] =
			weight[arm] > 0 && weight[PAIRED_A] > 0
				? exp(sum[arm] / weight[arm] - sum[PAIRED_A] / weight[PAIRED_A])
				: NAN;
}

static void
fit_slices(struct judgement *j)
{
	size_t n = 0;

	for (size_t i = 0; i < j->p->n_blocks; i++) {
		add_points(j, i, j->point + n);
		n += j->p->block[i].n_slices;
	}
	paired_fit_init(&j->fit, j->point, n, j->n_arms, j->n_rounds);
	paired_fit_run(&j->fit);
	n = 0;
	for (size_t i = 0; i < j->p->n_blocks; i++) {
		set_block_ratios(&j->p->block[i], j->point + n);
		n += j->p->block[i].n_slices;
	}
}

/* ---- places ---- */

/* The effects of a round, an arm and a place add up to what an arm did in a round. */
struct polish {
	double arm[PAIRED_MAX_ARMS], place[PAIRED_MAX_ARMS];
	double *round;
	double *scratch;
};

static size_t
known_only(double *v, size_t n)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++)
		if (!isnan(v[i]))
			v[kept++] = v[i];
	return kept;
}

static double
median_or_0(double *v, size_t n)
{
	return n > 0 ? resample_median(v, n) : 0;
}

static unsigned
place_of(const struct judgement *j, unsigned round, unsigned arm)
{
	return paired_place(&j->p->plan, j->number[round], arm);
}

/* What is left of an effect, given those of its arm, its place and its round. */
static double
left(const struct judgement *j, const struct polish *f, unsigned round, unsigned arm)
{
	return j->fit.effect[(size_t)round * j->n_arms + arm] - f->arm[arm] -
	       f->place[place_of(j, round, arm)] - f->round[round];
}

/* Moves the effect of each round to the median of what is left in it. */
static void
polish_rounds(const struct judgement *j, struct polish *f)
{
	for (unsigned round = 0; round < j->n_rounds; round++) {
		size_t n = 0;

		for (unsigned arm = 0; arm < j->n_arms; arm++)
			f->scratch[n++] = left(j, f, round, arm);
		f->round[round] += median_or_0(f->scratch, known_only(f->scratch, n));
	}
}

/* The same for arms, or for places. */
static void
polish_arms(const struct judgement *j, struct polish *f, bool by_place)
{
	double *effect = by_place ? f->place : f->arm;

	for (unsigned i = 0; i < j->n_arms; i++) {
		size_t n = 0;

		for (unsigned round = 0; round < j->n_rounds; round++)
			for (unsigned arm = 0; arm < j->n_arms && j->round_counts[round]; arm++)
				if ((by_place ? place_of(j, round, arm) : arm) == i)
					f->scratch[n++] = left(j, f, round, arm);
		effect[i] += median_or_0(f->scratch, known_only(f->scratch, n));
	}
}

/* Takes what having been started first, second ... does out of all effects, those of arms and
 * rounds found beside by median polish (Tukey, 1977), which a restart that went wrong does not
 * move. */
static void
remove_places(struct judgement *j)
{
	struct polish f = {.round = xcalloc(j->n_rounds + 1, sizeof(double))};
	double mean = 0;

	f.scratch = xcalloc((size_t)j->n_rounds + PAIRED_MAX_ARMS, sizeof(double));
	for (unsigned step = 0; step < PLACE_STEPS; step++) {
		polish_rounds(j, &f);
		polish_arms(j, &f, false);
		polish_arms(j, &f, true);
	}
	for (unsigned i = 0; i < j->n_arms; i++)
		mean += f.place[i] / j->n_arms;
	j->p->n_places = j->n_arms;
	for (unsigned i = 0; i < j->n_arms; i++)
		j->p->place[i] = f.place[i] - mean;
	for (unsigned i = 0; i < j->n_rounds; i++)
		for (unsigned k = 0; k < j->n_arms; k++)
			j->fit.effect[(size_t)i * j->n_arms + k] -= j->p->place[place_of(j, i, k)];
	free(f.round);
	free(f.scratch);
}

/* ---- rounds ---- */

/* What 'arm' is compared with in one round.  The control is the same program as A, started at the
 * same times, so both together are the better measurement of it; not for the control itself. */
static double
baseline(const struct judgement *j, const double *effect, unsigned arm)
{
	unsigned control = j->p->plan.n_b + 1;

	if (!j->p->plan.has_control || arm == control)
		return effect[PAIRED_A];
	return (effect[PAIRED_A] + effect[control]) / 2;
}

/* Logarithms of the ratio of 'arm' in the rounds that count; NaN in the others. */
static void
round_ratios(const struct judgement *j, unsigned arm, double *ratio)
{
	for (unsigned i = 0; i < j->n_rounds; i++) {
		const double *effect = &j->fit.effect[(size_t)i * j->n_arms];

		ratio[i] = j->round_counts[i] ? effect[arm] - baseline(j, effect, arm) : NAN;
	}
}

static void
set_rounds(struct judgement *j)
{
	struct paired *p = j->p;
	double *ratio = xcalloc(j->n_rounds + 1, sizeof(*ratio));

	free(p->round);
	p->round = xcalloc(j->n_rounds + 1, sizeof(*p->round));
	p->n_rounds = j->n_rounds;
	for (unsigned arm = 0; arm < j->n_arms; arm++) {
		round_ratios(j, arm, ratio);
		for (unsigned i = 0; i < j->n_rounds; i++)
			p->round[i].ratio[arm] = exp(ratio[i]);
	}
	for (unsigned i = 0; i < j->n_rounds; i++)
		p->round[i].round = j->number[i];
	for (size_t i = 0; i < p->n_blocks; i++)
		p->round[j->round_of[i]].n_valid += p->block[i].valid;
	free(ratio);
}

static size_t
n_valid_blocks(const struct paired *p)
{
	size_t n = 0;

	for (size_t i = 0; i < p->n_blocks; i++)
		n += p->block[i].valid;
	return n;
}

/* The mean and its error, of logarithms, with everything of the estimate that they tell. */
static struct interval_mean_parts
estimate(const struct judgement *j, unsigned arm)
{
	struct paired_estimate *e = &j->p->result[arm];
	double *ratio = xcalloc(j->n_rounds + 1, sizeof(*ratio));
	struct interval_mean_parts parts;
	struct interval shown;
	size_t n;

	round_ratios(j, arm, ratio);
	n = known_only(ratio, j->n_rounds);
	parts = interval_trimmed_parts(ratio, n,
				       n < TRIM_MIN ? 0 : (size_t)(TRIM_SHARE * (double)n));
	/* One degree of freedom went into the places. */
	if (n >= MIN_ROUNDS) {
		parts.se *= sqrt((parts.df + 1) / parts.df);
		parts.df -= 1;
	} else
		parts.se = NAN;
	shown = interval_of_parts(&parts, j->p->conf.level);
	*e = (struct paired_estimate){
		.ratio = exp(parts.mean),
		.low = exp(shown.low),
		.high = exp(shown.high),
		.p = interval_p_value(&parts, 0),
		.n_blocks = n_valid_blocks(j->p),
		.n_rounds = n,
	};
	free(ratio);
	return parts;
}

/* ---- words ---- */

static bool
is_known(const struct paired_estimate *e)
{
	return !isnan(e->verdict_low) && !isnan(e->verdict_high);
}

static bool
contains_one(const struct paired_estimate *e)
{
	return e->verdict_low <= 1 && e->verdict_high >= 1;
}

static void
say(struct paired_estimate *e, enum paired_verdict verdict, const char *what)
{
	e->verdict = verdict;
	snprintf(e->reason, sizeof(e->reason), "%s: %.4f to %.4f", what, e->verdict_low,
		 e->verdict_high);
}

static void
decide(struct paired_estimate *e, const struct paired_conf *conf)
{
	bool above = e->verdict_low > 1;

	if (!is_known(e)) {
		e->verdict = PAIRED_UNDECIDED;
		snprintf(e->reason, sizeof(e->reason),
			 "%zu rounds with valid blocks are too few for an interval, %d are needed",
			 e->n_rounds, MIN_ROUNDS);
	} else if (!contains_one(e))
		say(e, above == conf->higher_is_better ? PAIRED_BETTER : PAIRED_WORSE,
		    above ? "the whole interval is above 1" : "the whole interval is below 1");
	else if (e->verdict_low >= 1 - conf->equal_within &&
		 e->verdict_high <= 1 + conf->equal_within)
		say(e, PAIRED_EQUAL, "the interval is around 1 and narrow enough");
	else
		say(e, PAIRED_UNDECIDED, "the interval contains 1 and is too wide to be equal");
}

static void
set_verdict_interval(struct paired_estimate *e, const struct interval_mean_parts *parts,
		     double level)
{
	struct interval in = interval_of_parts(parts, level);

	e->verdict_low = exp(in.low);
	e->verdict_high = exp(in.high);
}

/* Holm's steps as intervals: the B with the smallest p gets the widest, and as long as one B after
 * the other differs from A, the next has one claim less to share the error with. */
static void
judge_bs(struct paired *p, const struct interval_mean_parts *parts)
{
	double error = 1 - p->conf.verdict_level, adjusted[PAIRED_MAX_B];
	unsigned n_b = p->plan.n_b, divisor = n_b;
	bool done[PAIRED_MAX_ARMS] = {false};

	for (unsigned b = 1; b <= n_b; b++)
		adjusted[b - 1] = isnan(p->result[b].p) ? 1 : p->result[b].p;
	for (unsigned step = 0; step < n_b; step++) {
		unsigned least = 0;

		for (unsigned b = 1; b <= n_b; b++)
			if (!done[b] && (least == 0 || adjusted[b - 1] < adjusted[least - 1]))
				least = b;
		done[least] = true;
		set_verdict_interval(&p->result[least], &parts[least], 1 - error / divisor);
		decide(&p->result[least], &p->conf);
		divisor -= is_known(&p->result[least]) && !contains_one(&p->result[least]);
	}
	compare_holm(adjusted, n_b);
	for (unsigned b = 1; b <= n_b; b++)
		if (!isnan(p->result[b].p))
			p->result[b].p = adjusted[b - 1];
}

/* ---- the control ---- */

/* Is 'e' further from 1 than the control is known to be? */
static bool
beyond(const struct paired_estimate *e, const struct paired_estimate *control)
{
	return is_known(e) &&
	       (e->verdict_low > control->verdict_high || e->verdict_high < control->verdict_low);
}

/* Why what the control says leaves 'e' undecided, or false. */
static bool
control_fails(const struct paired *p, const struct paired_estimate *e, char *why, size_t size)
{
	const struct paired_estimate *c = &p->result[p->plan.n_b + 1];
	double half = (c->high - c->low) / 2;

	if (!is_known(c))
		snprintf(why, size, "too noisy: nothing is known of the control");
	else if (!contains_one(c))
		snprintf(why, size,
			 "too noisy: A differs from itself, its control is at %.4f to %.4f of it",
			 c->verdict_low, c->verdict_high);
	else if (half > p->conf.control_within && !beyond(e, c))
		snprintf(why, size,
			 "too noisy: A is known to be like itself only within %.2g %%, not %.2g %%",
			 100 * half, 100 * p->conf.control_within);
	else
		return false;
	return true;
}

/* A wide control is no reason to doubt a difference that is wider still. */
static void
judge_control(struct paired *p, const struct interval_mean_parts *parts)
{
	struct paired_estimate *control = &p->result[p->plan.n_b + 1];
	char why[sizeof(control->reason)];

	set_verdict_interval(control, parts, p->conf.verdict_level);
	decide(control, &p->conf);
	for (unsigned b = 1; b <= p->plan.n_b; b++) {
		if (!control_fails(p, &p->result[b], why, sizeof(why)))
			continue;
		p->too_noisy = true;
		p->result[b].verdict = PAIRED_UNDECIDED;
		snprintf(p->result[b].reason, sizeof(p->result[b].reason), "%s", why);
	}
}

/* ---- drift ---- */

/* The median of A's values in each round that counts. */
static void
round_levels(const struct judgement *j, double *level)
{
	double *v = xcalloc(j->fit.n_points + 1, sizeof(*v));

	for (unsigned round = 0; round < j->n_rounds; round++) {
		size_t n = 0;

		for (size_t i = 0; i < j->fit.n_points; i++)
			if (j->point[i].round == round && j->point[i].arm == PAIRED_A &&
			    !isnan(j->point[i].y))
				v[n++] = j->point[i].y;
		level[round] = j->round_counts[round] && n > 0 ? resample_median(v, n) : NAN;
	}
	free(v);
}

static void
judge_drift(const struct judgement *j)
{
	double *series = xcalloc(2 * j->n_rounds + 1, sizeof(*series));
	double *known = series + j->n_rounds, middle;

	round_levels(j, series);
	for (unsigned i = 0; i < j->n_rounds; i++)
		known[i] = series[i];
	middle = stats_median(known, known_only(known, j->n_rounds));
	for (unsigned i = 0; i < j->n_rounds; i++)
		series[i] = exp(series[i] - middle);
	j->p->level_drift = drift_of(series, j->n_rounds);
	round_ratios(j, 1, series);
	for (unsigned i = 0; i < j->n_rounds; i++)
		series[i] = exp(series[i]);
	j->p->ratio_drift = drift_of(series, j->n_rounds);
	free(series);
}

/* ---- all of it ---- */

static void
judgement_init(struct judgement *j, struct paired *p)
{
	size_t n_slices;

	*j = (struct judgement){.p = p, .n_arms = paired_n_arms(&p->plan)};
	j->round_of = xcalloc(p->n_blocks + 1, sizeof(*j->round_of));
	j->number = xcalloc(p->n_blocks + 1, sizeof(*j->number));
	n_slices = number_rounds(j);
	j->round_counts = xcalloc(j->n_rounds + 1, sizeof(*j->round_counts));
	j->point = xcalloc(n_slices + 1, sizeof(*j->point));
}

static void
judgement_fini(struct judgement *j)
{
	paired_fit_fini(&j->fit);
	free(j->round_of);
	free(j->number);
	free(j->round_counts);
	free(j->point);
}

void
paired_judge(struct paired *p)
{
	struct interval_mean_parts parts[PAIRED_MAX_ARMS];
	struct judgement j;

	for (size_t i = 0; i < p->n_blocks; i++)
		judge_block(&p->block[i], &p->plan);
	judgement_init(&j, p);
	count_rounds(&j);
	fit_slices(&j);
	remove_places(&j);
	set_rounds(&j);
	for (unsigned arm = 1; arm < j.n_arms; arm++)
		parts[arm] = estimate(&j, arm);
	judge_bs(p, parts);
	p->too_noisy = false;
	if (p->plan.has_control)
		judge_control(p, &parts[p->plan.n_b + 1]);
	judge_drift(&j);
	judgement_fini(&j);
}
