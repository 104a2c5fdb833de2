/* SPDX-License-Identifier: MIT */
#include "mrr.h"

#include <math.h>

#include "base/stats.h"
#include "probe.h"

static int
check_conf(const struct mrr_conf *conf, struct err *err)
{
	if (!(conf->max_pps > 0 && isfinite(conf->max_pps)))
		return err_usage(err, "no receive rate at %g frames a second", conf->max_pps);
	if (conf->trial_ns == 0)
		return err_usage(err, "a receive rate needs trials, and trials need time");
	if (conf->n_trials == 0 || conf->n_trials > MRR_MAX_TRIALS)
		return err_usage(err, "a receive rate takes 1 to %u trials, not %u", MRR_MAX_TRIALS,
				 conf->n_trials);
	return 0;
}

static int
run_trials(const struct mrr_conf *conf, struct probe *p, struct mrr *mrr, struct err *err)
{
	while (mrr->n < conf->n_trials) {
		int rc = probe_valid(p, conf->max_pps, conf->trial_ns, err);

		if (rc != 0)
			return rc < 0 ? rc : 0;
		mrr->value_pps[mrr->n++] = conf->max_pps * (1 - p->trial->loss_ratio);
	}
	return 0;
}

int
mrr_run(const struct mrr_conf *conf, const struct measurer *m, struct mrr *mrr, struct err *err)
{
	/* Losing frames is no failure here. */
	struct probe p = {.m = m, .max_loss_ratio = 1, .max_invalid = conf->max_invalid};
	int rc;

	*mrr = (struct mrr){.median_pps = NAN, .low_pps = NAN, .high_pps = NAN};
	rc = check_conf(conf, err);
	if (rc < 0)
		return rc;
	probe_init(&p);
	rc = run_trials(conf, &p, mrr, err);
	mrr->median_pps = stats_median(mrr->value_pps, mrr->n);
	mrr->low_pps = stats_min(mrr->value_pps, mrr->n);
	mrr->high_pps = stats_max(mrr->value_pps, mrr->n);
	mrr->n_trials = p.n_trials;
	mrr->n_invalid = p.n_invalid;
	probe_fini(&p);
	return rc;
}
