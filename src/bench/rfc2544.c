/* SPDX-License-Identifier: MIT */
#include "rfc2544.h"

#include <math.h>

#include "bisect.h"
#include "probe.h"

/* The coarsest steps that section 26.3 allows. */
#define CURVE_STEP_MAX 0.1

int
rfc2544_throughput(const struct rfc2544_conf *conf, const struct measurer *m,
		   struct search_result *result, struct err *err)
{
	const struct bisect_conf bisect = {
		.grid = {.min_pps = conf->min_pps,
			 .max_pps = conf->max_pps,
			 .step_ratio = 1 / (1 - conf->width)},
		.trial_ns = conf->trial_ns,
		.loss_ratio = {0},
		.n_goals = 1,
		.needed = 1,
		.max_first = true,
		.max_invalid = conf->max_invalid,
		.max_trials = conf->max_trials,
	};

	return bisect_run(&bisect, m, result, err);
}

static int
check_curve(const struct rfc2544_conf *conf, struct err *err)
{
	if (!(conf->max_pps > 0 && isfinite(conf->max_pps)))
		return err_usage(err, "no loss curve up to %g frames a second", conf->max_pps);
	if (!(conf->curve_step >= 1.0 / LOSS_CURVE_MAX && conf->curve_step <= CURVE_STEP_MAX))
		return err_usage(err, "steps of a loss curve are of 1 to 10 %%, not of %g %%",
				 100 * conf->curve_step);
	if (conf->trial_ns == 0)
		return err_usage(err, "a loss curve needs trials, and trials need time");
	return 0;
}

/* Adds the point at 'pps': 1 when nothing was lost there, 0 when something was, or nobody knows. */
static int
add_point(struct loss_curve *curve, struct probe *p, double pps, uint64_t trial_ns, struct err *err)
{
	struct loss_point *point = &curve->point[curve->n];
	int rc = probe_valid(p, pps, trial_ns, err);

	if (rc < 0)
		return rc;
	*point = (struct loss_point){.rate_pps = pps, .loss_ratio = NAN};
	curve->n++;
	if (rc > 0)
		return 0;
	point->loss_ratio = p->trial->loss_ratio;
	point->n_trials = 1;
	return !trial_exceeds(p->trial, 0);
}

static int
run_down(const struct rfc2544_conf *conf, struct probe *p, struct loss_curve *curve,
	 struct err *err)
{
	/* Steps down to the last above nothing, whatever rounding makes of the share. */
	size_t n = (size_t)ceil(1 / conf->curve_step - 1e-9);
	unsigned n_clean = 0;

	for (size_t i = 0; i < n && n_clean < 2 && !probe_exhausted(p); i++) {
		double share = 1 - (double)i * conf->curve_step;
		int rc = add_point(curve, p, share * conf->max_pps, conf->trial_ns, err);

		if (rc < 0)
			return rc;
		n_clean = rc > 0 ? n_clean + 1 : 0;
	}
	curve->complete = n_clean == 2;
	return 0;
}

int
rfc2544_loss_curve(const struct rfc2544_conf *conf, const struct measurer *m,
		   struct loss_curve *curve, struct err *err)
{
	struct probe p = {
		.m = m,
		.max_invalid = conf->max_invalid,
		.max_trials = conf->max_trials,
	};
	int rc;

	*curve = (struct loss_curve){0};
	rc = check_curve(conf, err);
	if (rc < 0)
		return rc;
	probe_init(&p);
	rc = run_down(conf, &p, curve, err);
	curve->n_trials = p.n_trials;
	curve->n_invalid = p.n_invalid;
	probe_fini(&p);
	return rc;
}
