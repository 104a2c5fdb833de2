/* SPDX-License-Identifier: MIT */
#include "attrib.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/stats.h"
#include "base/str.h"

/* Bursts of the two loads must differ by this much, in bursts for a frame, to tell what one costs.
 */
#define MIN_SPREAD 0.02

static const struct interval no_interval = {NAN, NAN};

void
attrib_init(struct attrib *a)
{
	memset(a, 0, sizeof(*a));
	a->limit_pps = a->offer_pps = NAN;
	for (size_t i = 0; i < LEDGER_MAX_HOPS; i++)
		a->hop[i] = (struct attrib_hop){
			.cycles = NAN,
			.interval = no_interval,
			.marginal = NAN,
			.burst_cycles = NAN,
			.busy = NAN,
			.held = {NAN, NAN},
			.capacity_pps = NAN,
		};
	a->ratio = a->without_pps = a->refused = NAN;
	a->ratio_interval = a->without_interval = no_interval;
}

/* ---- trials ---- */

void
attrib_point_of(struct attrib_point *p, const struct trial *t, size_t hop)
{
	const struct hop_work *w = &t->work[hop];

	*p = (struct attrib_point){0};
	if (!w->known || w->frames == 0 || !(t->elapsed_s > 0))
		return;
	*p = (struct attrib_point){
		.known = true,
		.busy = (double)w->busy_tsc / t->elapsed_s,
		.bursts = (double)w->bursts / t->elapsed_s,
		.frames = (double)w->frames / t->elapsed_s,
		.burst = w->burst,
		.tsc_hz = w->tsc_hz,
		.held = {(double)w->held_ns[0] / 1e9 / t->elapsed_s,
			 (double)w->held_ns[1] / 1e9 / t->elapsed_s},
	};
}

void
attrib_add_pair(struct attrib *a, const struct trial *low, const struct trial *high)
{
	struct attrib_pair *pair = &a->pair[a->n_pairs];

	if (a->n_pairs == ATTRIB_MAX_PAIRS)
		return;
	a->n_pairs++;
	pair->sent = high->elapsed_s > 0 ? (double)high->sent / high->elapsed_s : NAN;
	for (size_t i = 0; i < a->n_hops; i++) {
		attrib_point_of(&pair->low[i], low, i);
		attrib_point_of(&pair->high[i], high, i);
	}
}

/* ---- which pairs count ---- */

/* What a frame cost the whole chain, as far as it tells. */
static double
total_cycles(const struct attrib_pair *pair)
{
	double sum = 0;

	for (size_t i = 0; i < LEDGER_MAX_HOPS; i++)
		if (pair->high[i].known)
			sum += pair->high[i].busy / pair->high[i].frames;
	return sum;
}

static int
by_total(const void *a, const void *b)
{
	double x = total_cycles(a), y = total_cycles(b);

	return (x > y) - (x < y);
}

/* Whatever the machine does meanwhile makes frames dearer: the cheapest trials are the least
 * disturbed.  Their choice favours no hop, for it looks at the sum. */
static void
choose_pairs(struct attrib *a)
{
	qsort(a->pair, a->n_pairs, sizeof(a->pair[0]), by_total);
	a->n_used = (size_t)ceil(ATTRIB_USED * (double)a->n_pairs);
}

/* ---- a hop ---- */

/* What 'of' says of each pair, in 'v'. */
static size_t
collect(const struct attrib *a, size_t hop,
	double (*of)(const struct attrib_point *low, const struct attrib_point *high), double *v)
{
	for (size_t k = 0; k < a->n_used; k++)
		v[k] = of(&a->pair[k].low[hop], &a->pair[k].high[hop]);
	return a->n_used;
}

static double
marginal_of(const struct attrib_point *low, const struct attrib_point *high)
{
	return (high->busy - low->busy) / (high->frames - low->frames);
}

static double
spread_of(const struct attrib_point *low, const struct attrib_point *high)
{
	return low->bursts / low->frames - high->bursts / high->frames;
}

static double
burst_cycles_of(const struct attrib_point *low, const struct attrib_point *high)
{
	double more = low->busy / low->frames - high->busy / high->frames;

	return more / spread_of(low, high);
}

/* Cycles a frame at the high load, as they would be if its bursts were full. */
static double
full_cycles(const struct attrib_point *high, double burst_cycles)
{
	return high->busy / high->frames -
	       burst_cycles * (high->bursts / high->frames - 1 / high->burst);
}

static bool
is_known(const struct attrib *a, size_t hop)
{
	for (size_t k = 0; k < a->n_pairs; k++)
		if (!a->pair[k].low[hop].known || !a->pair[k].high[hop].known)
			return false;
	return a->n_pairs > 0;
}

static double
burst_cycles(const struct attrib *a, size_t hop)
{
	double v[ATTRIB_MAX_PAIRS];

	if (stats_median(v, collect(a, hop, spread_of, v)) < MIN_SPREAD)
		return 0;
	return fmax(0, stats_median(v, collect(a, hop, burst_cycles_of, v)));
}

static void
close_hop(struct attrib *a, size_t i)
{
	struct attrib_hop *hop = &a->hop[i];
	double v[ATTRIB_MAX_PAIRS];
	double cpus = fmax(1, (double)a->place[i].n_cpus);

	hop->known = is_known(a, i);
	if (!hop->known)
		return;
	hop->burst_cycles = burst_cycles(a, i);
	hop->marginal = stats_median(v, collect(a, i, marginal_of, v));
	for (size_t k = 0; k < a->n_used; k++)
		v[k] = a->pair[k].high[i].busy / a->pair[k].high[i].tsc_hz / cpus;
	hop->busy = stats_median(v, a->n_used);
	for (size_t k = 0; k < a->n_used; k++)
		v[k] = full_cycles(&a->pair[k].high[i], hop->burst_cycles);
	hop->cycles = stats_median(v, a->n_used);
	hop->interval = interval_median(v, a->n_used, ATTRIB_LEVEL);
	for (int p = 0; p < 2; p++) {
		for (size_t k = 0; k < a->n_used; k++)
			v[k] = a->pair[k].high[i].held[p];
		hop->held[p] = stats_median(v, a->n_used);
	}
}

/* ---- groups of hops ---- */

static bool
share_cpus(const struct attrib_place *x, const struct attrib_place *y)
{
	for (size_t i = 0; i < x->n_cpus; i++)
		for (size_t k = 0; k < y->n_cpus; k++)
			if (x->cpu[i] == y->cpu[k])
				return true;
	return false;
}

/* Each hop gets the number of the first one that it shares CPUs with, through others too. */
static void
find_groups(struct attrib *a)
{
	for (size_t i = 0; i < a->n_hops; i++)
		a->hop[i].group = i;
	for (size_t i = 0; i < a->n_hops; i++)
		for (size_t k = 0; k < i; k++) {
			size_t from = a->hop[i].group, to = a->hop[k].group;

			if (from == to || !share_cpus(&a->place[i], &a->place[k]))
				continue;
			for (size_t j = 0; j < a->n_hops; j++)
				if (a->hop[j].group == (from > to ? from : to))
					a->hop[j].group = from > to ? to : from;
		}
}

/* How many CPUs a group has, each counted once. */
static double
cpus_of(const struct attrib *a, size_t group)
{
	bool seen[1024] = {false};
	double n = 0;

	for (size_t i = 0; i < a->n_hops; i++)
		for (size_t k = 0; a->hop[i].group == group && k < a->place[i].n_cpus; k++) {
			int cpu = a->place[i].cpu[k];

			if (cpu < 0 || cpu >= 1024 || seen[cpu])
				continue;
			seen[cpu] = true;
			n++;
		}
	return fmax(n, 1);
}

/* Cycles that a frame takes of each CPU of a group in pair 'k', without hop 'without'; 0 of none.
 */
static double
group_cycles(const struct attrib *a, size_t k, size_t group, size_t without)
{
	double sum = 0;

	for (size_t i = 0; i < a->n_hops; i++)
		if (i != without && a->hop[i].group == group && a->hop[i].known)
			sum += full_cycles(&a->pair[k].high[i], a->hop[i].burst_cycles);
	return sum / cpus_of(a, group);
}

/* The most that any group takes, without hop 'without'. */
static double
most_cycles(const struct attrib *a, size_t k, size_t without)
{
	double most = 0;

	for (size_t g = 0; g < a->n_hops; g++)
		if (a->hop[g].group == g)
			most = fmax(most, group_cycles(a, k, g, without));
	return most;
}

static void
close_capacity(struct attrib *a)
{
	double v[ATTRIB_MAX_PAIRS];

	for (size_t i = 0; i < a->n_hops; i++) {
		bool whole = a->place[i].n_cpus > 0;

		for (size_t j = 0; j < a->n_hops; j++)
			if (a->hop[j].group == a->hop[i].group)
				whole &= a->hop[j].known && !a->place[j].with_generator;
		if (!whole)
			continue;
		for (size_t k = 0; k < a->n_used; k++)
			v[k] = a->pair[k].high[i].tsc_hz /
			       group_cycles(a, k, a->hop[i].group, a->n_hops);
		a->hop[i].capacity_pps = stats_median(v, a->n_used);
	}
}

/* ---- the verdict ---- */

/* The group that takes most, by medians. */
static size_t
limiting_group(const struct attrib *a)
{
	double most = -1, v[ATTRIB_MAX_PAIRS];
	size_t limiting = 0;

	for (size_t g = 0; g < a->n_hops; g++) {
		double cycles;

		for (size_t k = 0; k < a->n_used; k++)
			v[k] = group_cycles(a, k, g, a->n_hops);
		cycles = stats_median(v, a->n_used);
		if (a->hop[g].group != g || cycles <= most)
			continue;
		most = cycles;
		limiting = g;
	}
	return limiting;
}

/* The dearest hop of a group but 'but'; n_hops when there is none. */
static size_t
dearest(const struct attrib *a, size_t group, size_t but)
{
	size_t best = a->n_hops;

	for (size_t i = 0; i < a->n_hops; i++)
		if (i != but && a->hop[i].known && a->hop[i].group == group &&
		    (best == a->n_hops || a->hop[i].cycles > a->hop[best].cycles))
			best = i;
	return best;
}

/* In pair 'k', how much dearer the bottleneck is than hop 'i': the hops where they share CPUs, else
 * their groups. */
static double
ratio_in(const struct attrib *a, size_t k, size_t i)
{
	size_t b = a->bottleneck;

	if (a->hop[i].group == a->hop[b].group)
		return full_cycles(&a->pair[k].high[b], a->hop[b].burst_cycles) /
		       full_cycles(&a->pair[k].high[i], a->hop[i].burst_cycles);
	return group_cycles(a, k, a->hop[b].group, a->n_hops) /
	       group_cycles(a, k, a->hop[i].group, a->n_hops);
}

/* Compares the bottleneck with hop 'i'; the closest of all is the next. */
static void
compare(struct attrib *a, size_t i)
{
	double v[ATTRIB_MAX_PAIRS], ratio;
	struct interval interval;

	for (size_t k = 0; k < a->n_used; k++)
		v[k] = ratio_in(a, k, i);
	ratio = stats_median(v, a->n_used);
	interval = interval_median(v, a->n_used, ATTRIB_LEVEL);
	a->hop[i].tied = !(interval.low > 1 + ATTRIB_MARGIN);
	if (!isnan(a->ratio) && ratio >= a->ratio)
		return;
	a->next = i;
	a->ratio = ratio;
	a->ratio_interval = interval;
}

static void
predict(struct attrib *a)
{
	double v[ATTRIB_MAX_PAIRS];

	for (size_t k = 0; k < a->n_used; k++) {
		double left = most_cycles(a, k, a->bottleneck);

		v[k] = isnan(a->limit_pps) ? a->pair[k].high[a->bottleneck].tsc_hz / left
					   : a->limit_pps * most_cycles(a, k, a->n_hops) / left;
	}
	a->without_pps = stats_median(v, a->n_used);
	a->without_interval = interval_median(v, a->n_used, ATTRIB_LEVEL);
}

/* Hops of the same group are compared as hops; of another group its dearest stands for it. */
static void
judge_cycles(struct attrib *a)
{
	size_t group = limiting_group(a), n_tied = 0;

	a->bottleneck = dearest(a, group, a->n_hops);
	for (size_t i = 0; i < a->n_hops; i++)
		if (i != a->bottleneck && a->hop[i].known &&
		    (a->hop[i].group == group || i == dearest(a, a->hop[i].group, a->n_hops)))
			compare(a, i);
	for (size_t i = 0; i < a->n_hops; i++)
		n_tied += a->hop[i].tied;
	a->hop[a->bottleneck].tied = n_tied > 0;
	a->verdict = n_tied > 0 ? ATTRIB_TIE : ATTRIB_BOTTLENECK;
	predict(a);
}

/* Follows the waiting from the generator to the hop at which it ends.  One that tells nothing ends
 * it: that one, or what is behind it. */
static void
follow_pressure(struct attrib *a)
{
	double v[ATTRIB_MAX_PAIRS];

	for (size_t k = 0; k < a->n_used; k++)
		v[k] = fmax(0, 1 - a->pair[k].sent / a->offer_pps);
	a->refused = stats_median(v, a->n_used);
	a->pressure = 0;
	while (a->pressure < a->n_hops && a->hop[a->pressure].held[1] > ATTRIB_HELD)
		a->pressure++;
	a->pushed_back = a->refused > ATTRIB_HELD || a->pressure > 0;
}

/* Where a hop tells nothing, only the waiting can: and it must end at one hop for certain. */
static void
judge_pressure(struct attrib *a)
{
	if (!a->pushed_back || a->pressure >= a->n_hops)
		return;
	a->bottleneck = a->pressure;
	/* It may pass on what comes from behind it, unless it is the last. */
	if (!a->hop[a->pressure].known && a->pressure + 1 < a->n_hops)
		return;
	a->by_pressure = true;
	a->verdict = ATTRIB_BOTTLENECK;
}

void
attrib_close(struct attrib *a)
{
	size_t n_known = 0;

	assert(a->n_hops <= LEDGER_MAX_HOPS);
	choose_pairs(a);
	find_groups(a);
	for (size_t i = 0; i < a->n_hops; i++) {
		close_hop(a, i);
		n_known += a->hop[i].known;
	}
	close_capacity(a);
	follow_pressure(a);
	if (a->n_hops < 2)
		return;
	if (n_known == a->n_hops)
		judge_cycles(a);
	else
		judge_pressure(a);
}
