/* SPDX-License-Identifier: MIT */
#pragma once

#include "goal.h"
#include "sim.h"

/* What a simulated chain does, computed and not drawn: the answers that measurements of it are
 * compared with.  Drift and invalid trials have no part in this. */

/* Probability that a trial loses nothing: no slot's capacity is below the load, no stall is longer
 * than the ring lasts. */
double sim_clean(const struct sim_model *model, double pps, double seconds);

/* Probability that a trial loses more than 'loss_ratio' of its frames.  Exact for nothing; else the
 * losses of the slots are summed numerically, good to about 0.002 for capacities that vary by 0.1 %
 * or more, or not at all. */
double sim_exceed(const struct sim_model *model, double pps, double seconds, double loss_ratio);

/* The load at which trials of 'seconds' exceed 'loss_ratio' with probability 'exceed_ratio'. */
double sim_quantile_pps(const struct sim_model *model, double seconds, double loss_ratio,
			double exceed_ratio);
