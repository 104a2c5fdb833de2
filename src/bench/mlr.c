/* SPDX-License-Identifier: MIT */
#include "mlr.h"

#include <math.h>

#include "mlr_loads.h"
#include "mlr_select.h"
#include "probe.h"

/* More loads than this differ by less than any measurement tells. */
#define GRID_MAX 1000000

struct mlr {
	const struct mlr_conf *conf;
	struct probe probe;
	struct mlr_loads loads;
	struct mlr_selector selectors[MLR_MAX_GOALS];
	uint64_t spent_ns;
};

/* ---- settings ---- */

static double
narrowest_width(const struct mlr_conf *conf)
{
	double width = 1;

	for (size_t i = 0; i < conf->n_goals; i++)
		width = fmin(width, conf->goals[i].width);
	return width;
}

static double
strictest_loss_ratio(const struct mlr_conf *conf)
{
	double loss_ratio = 1;

	for (size_t i = 0; i < conf->n_goals; i++)
		loss_ratio = fmin(loss_ratio, conf->goals[i].loss_ratio);
	return loss_ratio;
}

static int
check_conf(const struct mlr_conf *conf, struct err *err)
{
	int rc = 0;

	if (conf->n_goals == 0 || conf->n_goals > MLR_MAX_GOALS)
		return err_usage(err, "a search is for 1 to %d goals", MLR_MAX_GOALS);
	for (size_t i = 0; rc == 0 && i < conf->n_goals; i++)
		rc = goal_check(&conf->goals[i], err);
	if (rc < 0)
		return rc;
	if (!(conf->min_pps > 0 && conf->max_pps >= conf->min_pps && isfinite(conf->max_pps)))
		return err_usage(err, "no search between %g and %g frames a second", conf->min_pps,
				 conf->max_pps);
	if (log(conf->max_pps / conf->min_pps) > GRID_MAX * -log1p(-narrowest_width(conf)))
		return err_usage(err, "a width of %g is too small", narrowest_width(conf));
	if (conf->n_preceding > MLR_MAX_PRECEDING)
		return err_usage(err, "more than %d targets before a goal", MLR_MAX_PRECEDING);
	if (conf->max_invalid == 0)
		return err_usage(err, "no trial at all may be tried");
	return 0;
}

/* ---- trials ---- */

static bool
has_time_for(const struct mlr *s, uint64_t duration_ns)
{
	const struct mlr_conf *conf = s->conf;

	return conf->max_ns == 0 || s->spent_ns + duration_ns + conf->overhead_ns <= conf->max_ns;
}

static void
report_progress(const struct mlr *s)
{
	const struct mlr_conf *conf = s->conf;
	struct mlr_progress p = {.n_trials = s->probe.n_trials, .spent_ns = s->spent_ns};

	for (size_t i = 0; i < conf->n_goals; i++) {
		double ns;

		p.trials_left += mlr_selector_left(&s->selectors[i], &s->loads,
						   (double)conf->overhead_ns, &ns);
		p.left_ns += ns;
	}
	if (conf->max_trials > 0)
		p.trials_left = fmin(p.trials_left, fmax(conf->max_trials - (double)p.n_trials, 0));
	if (conf->max_ns > 0)
		p.left_ns = fmin(p.left_ns, fmax((double)conf->max_ns - (double)p.spent_ns, 0));
	conf->progress(conf->progress_ctx, &p);
}

/* Tries the load at 'index' until a trial of it is valid, and takes that; 1 when the load was given
 * up, a negative errno when the measurer can go on no more. */
static int
try_load(struct mlr *s, long index, uint64_t duration_ns, struct err *err)
{
	size_t n_before = s->probe.n_trials;
	int rc;

	if (s->conf->progress != NULL)
		report_progress(s);
	rc = probe_valid(&s->probe, mlr_loads_pps(&s->loads, index), duration_ns, err);
	s->spent_ns += (s->probe.n_trials - n_before) * (duration_ns + s->conf->overhead_ns);
	if (rc == 0)
		mlr_loads_add(&s->loads, index, s->probe.trial);
	else if (rc == 1)
		mlr_loads_give_up(&s->loads, index);
	return rc;
}

/* ---- where to begin ---- */

/* All first targets can use a trial that is as long as the longest of theirs. */
static uint64_t
first_duration_ns(const struct mlr *s)
{
	uint64_t duration_ns = 0;

	for (size_t i = 0; i < s->conf->n_goals; i++)
		if (s->selectors[i].targets[0].trial_ns > duration_ns)
			duration_ns = s->selectors[i].targets[0].trial_ns;
	return duration_ns;
}

/* The load that the last trial suggests: what the chain forwarded, and as much more as may be
 * lost. */
static long
forwarded_index(const struct mlr *s)
{
	const struct trial *t = s->probe.trial;
	double rate_pps = t->spec.rate_pps * fmax(1 - t->loss_ratio, 0);

	return mlr_loads_index(&s->loads, rate_pps / (1 - s->probe.max_loss_ratio));
}

/* A 'high' of -1 means that each goal looks the width of its first target higher than 'low'. */
static void
set_hints(struct mlr *s, long low, long high)
{
	for (size_t i = 0; i < s->conf->n_goals; i++) {
		struct mlr_selector *sel = &s->selectors[i];

		sel->hint_low = low;
		sel->hint_high = high >= 0 ? high : low + sel->steps[0];
	}
}

/* The highest load at which trials are valid at all, or one not too far below: the generator may
 * not keep up with its maximum, and each load found so costs several trials. */
static int
try_highest(struct mlr *s, uint64_t duration_ns, long *index, struct err *err)
{
	int rc;

	*index = s->loads.n_grid - 1;
	while ((rc = try_load(s, *index, duration_ns, err)) == 1 && *index > 0 &&
	       !probe_exhausted(&s->probe) && has_time_for(s, duration_ns))
		*index /= 2;
	return rc;
}

/* One trial at the maximum tells the rate that the chain forwards, one at that rate how good a
 * guess it is. */
static int
try_first_loads(struct mlr *s, struct err *err)
{
	uint64_t duration_ns = first_duration_ns(s);
	long highest, at, next;
	int rc;

	if (!has_time_for(s, duration_ns))
		return 0;
	rc = try_highest(s, duration_ns, &highest, err);
	if (rc != 0)
		return rc;
	at = forwarded_index(s);
	if (at >= highest) {
		set_hints(s, highest, s->loads.n_grid);
		return 0;
	}
	if (probe_exhausted(&s->probe) || !has_time_for(s, duration_ns))
		return 0;
	rc = try_load(s, at, duration_ns, err);
	if (rc != 0)
		return rc;
	next = forwarded_index(s);
	if (next < at)
		set_hints(s, next, at);
	else
		set_hints(s, at, -1);
	return 0;
}

/* ---- the search ---- */

/* The next load of the goal that wants the lowest, because what passes there passes for the goals
 * that allow more; of equal ones the longest trial.  -1 when no goal wants any. */
static long
choose_load(struct mlr *s, uint64_t *duration_ns)
{
	long best = -1;

	for (size_t i = 0; i < s->conf->n_goals; i++) {
		struct mlr_selector *sel = &s->selectors[i];
		long index = mlr_selector_next(sel, &s->loads);
		uint64_t ns = sel->targets[sel->current].trial_ns;

		if (index < 0 || (best >= 0 && index > best) ||
		    (index == best && ns <= *duration_ns))
			continue;
		best = index;
		*duration_ns = ns;
	}
	return best;
}

static int
run_all(struct mlr *s, struct err *err)
{
	int rc = try_first_loads(s, err);

	while (rc >= 0 && !probe_exhausted(&s->probe)) {
		uint64_t duration_ns = 0;
		long index = choose_load(s, &duration_ns);

		if (index < 0 || !has_time_for(s, duration_ns))
			break;
		rc = try_load(s, index, duration_ns, err);
	}
	return rc < 0 ? rc : 0;
}

static enum search_end
end_of(const struct mlr_bounds *b, long steps, long n_grid)
{
	if (b->lower < 0)
		return b->upper == 0 ? SEARCH_BELOW_MIN : SEARCH_INCONCLUSIVE;
	if (b->lower == n_grid - 1)
		return SEARCH_AT_MAX;
	if (b->upper < n_grid && b->upper - b->lower <= steps)
		return SEARCH_FOUND;
	return SEARCH_AT_LEAST;
}

static void
fill_result(const struct mlr *s, size_t i, struct search_result *r)
{
	const struct goal *goal = &s->conf->goals[i];
	const struct mlr_bounds b = mlr_loads_bounds(&s->loads, goal);
	const struct mlr_load *load;

	r->n_trials = s->probe.n_trials;
	r->n_invalid = s->probe.n_invalid;
	r->end = end_of(&b, mlr_loads_steps(&s->loads, goal->width), s->loads.n_grid);
	if (b.upper < s->loads.n_grid)
		r->rejected_pps = mlr_loads_pps(&s->loads, b.upper);
	if (b.lower < 0)
		return;
	load = mlr_loads_find(&s->loads, b.lower);
	r->accepted_pps = mlr_loads_pps(&s->loads, b.lower);
	r->conditional_pps =
		mlr_conditional_pps(goal, r->accepted_pps, load->trials, load->n_trials);
	r->intended = load->intended;
	r->lost = load->lost;
	r->latency = load->latency;
}

int
mlr_run(const struct mlr_conf *conf, const struct measurer *m, struct search_result *results,
	struct err *err)
{
	struct mlr s = {
		.conf = conf,
		.probe = {.m = m, .max_invalid = conf->max_invalid, .max_trials = conf->max_trials},
	};
	int rc;

	for (size_t i = 0; i < conf->n_goals && i < MLR_MAX_GOALS; i++)
		search_result_init(&results[i]);
	rc = check_conf(conf, err);
	if (rc < 0)
		return rc;
	s.probe.max_loss_ratio = strictest_loss_ratio(conf);
	probe_init(&s.probe);
	mlr_loads_init(&s.loads, conf->min_pps, conf->max_pps, narrowest_width(conf));
	for (size_t i = 0; i < conf->n_goals; i++)
		mlr_selector_init(&s.selectors[i], &conf->goals[i], conf->n_preceding, &s.loads);
	rc = run_all(&s, err);
	for (size_t i = 0; i < conf->n_goals; i++) {
		fill_result(&s, i, &results[i]);
		if (rc < 0 && results[i].end == SEARCH_AT_LEAST)
			results[i].end = SEARCH_INCONCLUSIVE;
	}
	mlr_loads_fini(&s.loads);
	probe_fini(&s.probe);
	return rc;
}
