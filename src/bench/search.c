/* SPDX-License-Identifier: MIT */
#include "search.h"

#include "bisect.h"

struct goal
search_goal(const struct search_conf *conf)
{
	return (struct goal){
		.trial_ns = conf->trial_ns,
		.sum_ns = conf->trial_ns * conf->needed,
		.loss_ratio = conf->max_loss_ratio,
		.width = 1 - 1 / conf->step_ratio,
	};
}

static struct grid
grid_of(const struct search_conf *conf)
{
	return (struct grid){
		.min_pps = conf->min_pps,
		.max_pps = conf->max_pps,
		.step_ratio = conf->step_ratio,
	};
}

size_t
search_grid_size(const struct search_conf *conf)
{
	const struct grid grid = grid_of(conf);

	return grid_size(&grid);
}

double
search_grid_at(const struct search_conf *conf, size_t i)
{
	const struct grid grid = grid_of(conf);

	return grid_at(&grid, i);
}

unsigned
search_trials_left(const struct search_conf *conf, size_t n)
{
	if (n == search_grid_size(conf))
		return conf->needed * (1 + grid_depth(n - 1));
	return conf->needed * grid_depth(n);
}

int
search_run(const struct search_conf *conf, const struct measurer *m, struct search_result *result,
	   struct err *err)
{
	const struct bisect_conf bisect = {
		.grid = grid_of(conf),
		.trial_ns = conf->trial_ns,
		.loss_ratio = {conf->max_loss_ratio},
		.n_goals = 1,
		.needed = conf->needed,
		.max_first = true,
		.max_invalid = conf->max_invalid,
		.max_trials = conf->max_trials,
	};

	return bisect_run(&bisect, m, result, err);
}
