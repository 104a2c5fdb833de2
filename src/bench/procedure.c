/* SPDX-License-Identifier: MIT */
#include "procedure.h"

#include <math.h>

#include "bisect.h"
#include "tst009.h"

struct procedure {
	const char *name;
	bool searches; /* has goals */
	int (*run)(const struct procedure_conf *conf, const struct measurer *m,
		   struct procedure_result *r, struct err *err);
};

/* ---- loads ---- */

static double
step_ratio(const struct procedure_conf *conf)
{
	return 1 / (1 - conf->goal[0].width);
}

static struct grid
grid_of(const struct procedure_conf *conf)
{
	return (struct grid){
		.min_pps = conf->min_pps,
		.max_pps = conf->max_pps,
		.step_ratio = step_ratio(conf),
		.step_pps = conf->step_of_max * conf->max_pps,
	};
}

/* Trials of a search that halves the loads and tries each so often. */
static size_t
bisection_trials(const struct procedure_conf *conf, bool max_first, unsigned each)
{
	const struct grid grid = grid_of(conf);
	size_t n;

	if (grid_check(&grid, NULL) < 0)
		return 0;
	n = grid_size(&grid);
	return (size_t)each * (max_first ? 1 + grid_depth(n - 1) : grid_depth(n));
}

static size_t
curve_trials(const struct procedure_conf *conf)
{
	return conf->curve_step > 0 ? (size_t)ceil(1 / conf->curve_step - 1e-9) : 0;
}

/* ---- one of each kind ---- */

static void
count_trials(struct procedure_result *r, size_t n_trials, size_t n_invalid)
{
	r->n_trials += n_trials;
	r->n_invalid += n_invalid;
}

static int
run_binary(const struct procedure_conf *conf, const struct measurer *m, struct procedure_result *r,
	   struct err *err)
{
	struct bisect_conf bisect = {
		.grid = grid_of(conf),
		.trial_ns = conf->goal[0].trial_ns,
		.n_goals = conf->n_goals,
		.needed = conf->needed,
		.max_first = true,
		.max_invalid = conf->max_invalid,
		.max_trials = conf->max_trials,
	};
	int rc;

	for (size_t i = 0; i < conf->n_goals; i++)
		bisect.loss_ratio[i] = conf->goal[i].loss_ratio;
	rc = bisect_run(&bisect, m, r->found, err);
	count_trials(r, r->found[0].n_trials, r->found[0].n_invalid);
	return rc;
}

static int
run_mlrsearch(const struct procedure_conf *conf, const struct measurer *m,
	      struct procedure_result *r, struct err *err)
{
	struct mlr_conf mlr = {
		.n_goals = conf->n_goals,
		.min_pps = conf->min_pps,
		.max_pps = conf->max_pps,
		.max_invalid = conf->max_invalid,
		.max_trials = conf->max_trials,
		.max_ns = conf->max_ns,
		.overhead_ns = conf->overhead_ns,
		.n_preceding = conf->n_preceding,
		.progress = conf->progress,
		.progress_ctx = conf->progress_ctx,
	};
	int rc;

	for (size_t i = 0; i < conf->n_goals; i++)
		mlr.goals[i] = conf->goal[i];
	rc = mlr_run(&mlr, m, r->found, err);
	count_trials(r, r->found[0].n_trials, r->found[0].n_invalid);
	return rc;
}

static int
run_tst009(const struct procedure_conf *conf, const struct measurer *m, struct procedure_result *r,
	   struct err *err)
{
	const struct tst009_conf tst009 = {
		.step_pps = conf->step_of_max * conf->max_pps,
		.step_ratio = step_ratio(conf),
		.min_pps = conf->min_pps,
		.max_pps = conf->max_pps,
		.trial_ns = conf->goal[0].trial_ns,
		.loss_ratio = conf->goal[0].loss_ratio,
		.max_trials_at_load = conf->tries,
		.max_lost = conf->max_lost,
		.try_last = conf->try_last,
		.max_invalid = conf->max_invalid,
		.max_trials = conf->max_trials,
	};
	int rc = tst009_run(&tst009, m, &r->found[0], err);

	count_trials(r, r->found[0].n_trials, r->found[0].n_invalid);
	return rc;
}

static struct rfc2544_conf
rfc2544_of(const struct procedure_conf *conf)
{
	return (struct rfc2544_conf){
		.min_pps = conf->min_pps,
		.max_pps = conf->max_pps,
		.width = conf->goal[0].width,
		.curve_step = conf->curve_step,
		.trial_ns = conf->goal[0].trial_ns,
		.max_invalid = conf->max_invalid,
		.max_trials = conf->max_trials,
	};
}

static int
run_loss_curve(const struct procedure_conf *conf, const struct measurer *m,
	       struct procedure_result *r, struct err *err)
{
	const struct rfc2544_conf rfc2544 = rfc2544_of(conf);
	int rc = rfc2544_loss_curve(&rfc2544, m, &r->curve, err);

	count_trials(r, r->curve.n_trials, r->curve.n_invalid);
	return rc;
}

static int
run_rfc2544(const struct procedure_conf *conf, const struct measurer *m, struct procedure_result *r,
	    struct err *err)
{
	const struct rfc2544_conf rfc2544 = rfc2544_of(conf);
	int rc = rfc2544_throughput(&rfc2544, m, &r->found[0], err);

	count_trials(r, r->found[0].n_trials, r->found[0].n_invalid);
	if (rc < 0 || !(conf->curve_step > 0))
		return rc;
	return run_loss_curve(conf, m, r, err);
}

static int
run_mrr(const struct procedure_conf *conf, const struct measurer *m, struct procedure_result *r,
	struct err *err)
{
	const struct mrr_conf mrr = {
		.max_pps = conf->max_pps,
		.trial_ns = conf->goal[0].trial_ns,
		.n_trials = conf->n_mrr_trials,
		.max_invalid = conf->max_invalid,
	};
	int rc = mrr_run(&mrr, m, &r->mrr, err);

	count_trials(r, r->mrr.n_trials, r->mrr.n_invalid);
	return rc;
}

static const struct procedure procedures[] = {
	[PROCEDURE_BINARY] = {"binary", true, run_binary},
	[PROCEDURE_MLRSEARCH] = {"mlrsearch", true, run_mlrsearch},
	[PROCEDURE_TST009] = {"tst009", true, run_tst009},
	[PROCEDURE_RFC2544] = {"rfc2544", true, run_rfc2544},
	[PROCEDURE_LOSS_CURVE] = {"loss_curve", false, run_loss_curve},
	[PROCEDURE_MRR] = {"mrr", false, run_mrr},
};

/* ---- any ---- */

const char *
procedure_name(enum procedure_kind kind)
{
	return procedures[kind].name;
}

size_t
procedure_max_trials(const struct procedure_conf *conf)
{
	switch (conf->kind) {
	case PROCEDURE_BINARY:
		return conf->n_goals * bisection_trials(conf, true, conf->needed);
	case PROCEDURE_TST009:
		return bisection_trials(conf, false, conf->tries);
	case PROCEDURE_RFC2544:
		return bisection_trials(conf, true, 1) + curve_trials(conf);
	case PROCEDURE_LOSS_CURVE:
		return curve_trials(conf);
	case PROCEDURE_MRR:
		return conf->n_mrr_trials;
	default:
		return 0;
	}
}

/* The goals of a procedure other than MLRsearch differ in nothing but loss. */
static int
check_goals(const struct procedure_conf *conf, struct err *err)
{
	size_t most = conf->kind == PROCEDURE_BINARY || conf->kind == PROCEDURE_MLRSEARCH
			      ? PROCEDURE_MAX_GOALS
			      : 1;

	if (conf->n_goals == 0 || conf->n_goals > most)
		return err_usage(err, "procedure '%s' takes 1 to %zu goals, not %zu",
				 procedure_name(conf->kind), most, conf->n_goals);
	for (size_t i = 0; i < conf->n_goals; i++) {
		int rc = goal_check(&conf->goal[i], err);

		if (rc < 0)
			return rc;
		if (conf->kind != PROCEDURE_MLRSEARCH &&
		    conf->goal[i].trial_ns != conf->goal[0].trial_ns)
			return err_usage(err,
					 "procedure '%s' has one length of trials for all goals",
					 procedure_name(conf->kind));
	}
	return 0;
}

static void
result_init(struct procedure_result *r, const struct procedure_conf *conf)
{
	*r = (struct procedure_result){
		.kind = conf->kind,
		.n_goals = procedures[conf->kind].searches ? conf->n_goals : 0,
		.mrr = {.median_pps = NAN, .low_pps = NAN, .high_pps = NAN},
	};
	for (size_t i = 0; i < PROCEDURE_MAX_GOALS; i++)
		search_result_init(&r->found[i]);
}

int
procedure_run(const struct procedure_conf *conf, const struct measurer *m,
	      struct procedure_result *result, struct err *err)
{
	int rc;

	result_init(result, conf);
	rc = procedures[conf->kind].searches ? check_goals(conf, err) : 0;
	if (rc < 0) {
		result->n_goals = 0;
		return rc;
	}
	return procedures[conf->kind].run(conf, m, result, err);
}
