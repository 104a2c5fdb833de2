/* SPDX-License-Identifier: MIT */
#include "tst009.h"

#include "base/clock.h"
#include "bisect.h"

struct tst009_conf
tst009_usual(void)
{
	return (struct tst009_conf){
		.trial_ns = 60 * NSEC_PER_S,
		.max_trials_at_load = 3,
		.max_lost = 5000,
		.max_invalid = 5,
	};
}

int
tst009_run(const struct tst009_conf *conf, const struct measurer *m, struct search_result *result,
	   struct err *err)
{
	const struct bisect_conf bisect = {
		.grid = {.min_pps = conf->min_pps,
			 .max_pps = conf->max_pps,
			 .step_ratio = conf->step_ratio,
			 .step_pps = conf->step_pps},
		.trial_ns = conf->trial_ns,
		.loss_ratio = {conf->loss_ratio},
		.n_goals = 1,
		.needed = 1,
		.retries = conf->max_trials_at_load - 1,
		.max_lost = conf->max_lost,
		.leave_last = !conf->try_last,
		.max_invalid = conf->max_invalid,
		.max_trials = conf->max_trials,
	};

	search_result_init(result);
	if (conf->max_trials_at_load == 0)
		return err_usage(err, "a load is tried once at least");
	return bisect_run(&bisect, m, result, err);
}
