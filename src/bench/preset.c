/* SPDX-License-Identifier: MIT */
#include "preset.h"

#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"

/* A trial of few frames tells little: some hundred in the shortest, and CSIT's own minimum. */
#define LOWEST_PPS 1000
#define CSIT_LOWEST_PPS 9000

#define MAX_INVALID 5

/* CSIT's searches end after twenty minutes. */
#define MAX_MLR_NS (20 * 60 * NSEC_PER_S)

/* The long goals of RFC 2544 and TST 009 do not fit into that. */
#define MAX_LONG_MLR_NS (120 * 60 * NSEC_PER_S)

#define GOAL(trial_ms, sum_ms, loss, exceed, width_ratio)                              \
	{                                                                              \
		.trial_ns = (trial_ms)*NSEC_PER_MS, .sum_ns = (sum_ms)*NSEC_PER_MS,    \
		.loss_ratio = (loss), .exceed_ratio = (exceed), .width = (width_ratio) \
	}

/* NFVbench halves percents of the maximum until they differ by less than 0.1. */
#define NFVBENCH_STEP (1.0 / 1024)

/* Each binary search that is not plain is fine enough to tell half a percent. */
#define WIDTH 0.005

static const struct preset presets[] = {
	{
		.name = "search",
		.summary = "zero loss in 3 of 3 trials of 1 s, binary search to 2 %",
		.procedure = {.kind = PROCEDURE_BINARY,
			      .goal = {GOAL(1000, 3000, 0, 0, 1 - 1 / 1.02)},
			      .n_goals = 1,
			      .min_pps = LOWEST_PPS,
			      .max_invalid = 3,
			      .max_trials = 60,
			      .needed = 3},
		.n_repeats = 1,
	},
	{
		.name = "quick",
		.summary = "MLRsearch with trials of 0.5 s to 2 %, zero loss and 0.5 %",
		.procedure = {.kind = PROCEDURE_MLRSEARCH,
			      .goal = {GOAL(500, 5500, 0, 0.5, 0.02),
				       GOAL(500, 5500, 0.005, 0.5, 0.02)},
			      .n_goals = 2,
			      .min_pps = LOWEST_PPS,
			      .max_invalid = 3,
			      .max_trials = 60,
			      .max_ns = MAX_MLR_NS,
			      .n_preceding = MLR_PRECEDING},
		.n_repeats = 1,
	},
	{
		.name = "csit-ndr",
		.summary = "FD.io CSIT's NDR: MLRsearch, 1 s trials, 21 s a load, zero loss",
		.procedure = {.kind = PROCEDURE_MLRSEARCH,
			      .goal = {GOAL(1000, 21000, 0, 0.5, WIDTH)},
			      .n_goals = 1,
			      .min_pps = CSIT_LOWEST_PPS,
			      .max_invalid = MAX_INVALID,
			      .max_ns = MAX_MLR_NS,
			      .n_preceding = MLR_PRECEDING},
		.n_repeats = 5,
	},
	{
		.name = "csit-pdr",
		.summary = "FD.io CSIT's PDR: the same with 0.5 % loss",
		.procedure = {.kind = PROCEDURE_MLRSEARCH,
			      .goal = {GOAL(1000, 21000, 0.005, 0.5, WIDTH)},
			      .n_goals = 1,
			      .min_pps = CSIT_LOWEST_PPS,
			      .max_invalid = MAX_INVALID,
			      .max_ns = MAX_MLR_NS,
			      .n_preceding = MLR_PRECEDING},
		.n_repeats = 5,
	},
	{
		.name = "rfc2544",
		.summary = "RFC 2544 throughput and frame loss rate: one trial of 60 s a load",
		.procedure = {.kind = PROCEDURE_RFC2544,
			      .goal = {GOAL(60000, 60000, 0, 0, WIDTH)},
			      .n_goals = 1,
			      .min_pps = LOWEST_PPS,
			      .max_invalid = MAX_INVALID,
			      .curve_step = 0.1},
		.drain_ns = 2 * NSEC_PER_S,
		.rest_ns = 5 * NSEC_PER_S,
		.n_repeats = 1,
	},
	{
		.name = "tst009",
		.summary =
			"ETSI TST 009 as a goal of MLRsearch: 60 s trials, one of two without loss",
		.procedure = {.kind = PROCEDURE_MLRSEARCH,
			      .goal = {GOAL(60000, 120000, 0, 0.5, WIDTH)},
			      .n_goals = 1,
			      .min_pps = LOWEST_PPS,
			      .max_invalid = MAX_INVALID,
			      .max_ns = MAX_LONG_MLR_NS,
			      .n_preceding = MLR_PRECEDING},
		.n_repeats = 1,
	},
	{
		.name = "tst009-z",
		.summary = "ETSI TST 009 with loss verification: 60 s, one of three without loss",
		.procedure = {.kind = PROCEDURE_TST009,
			      .goal = {GOAL(60000, 60000, 0, 0, WIDTH)},
			      .n_goals = 1,
			      .min_pps = LOWEST_PPS,
			      .max_invalid = MAX_INVALID,
			      .tries = 3,
			      .max_lost = 5000,
			      .try_last = true},
		.n_repeats = 1,
	},
	{
		.name = "nfvbench",
		.summary = "NFVbench's NDR (0.001 %) and PDR (0.1 %): one trial of 60 s a load",
		.procedure = {.kind = PROCEDURE_BINARY,
			      .goal = {GOAL(60000, 60000, 0.00001, 0, NFVBENCH_STEP),
				       GOAL(60000, 60000, 0.001, 0, NFVBENCH_STEP)},
			      .n_goals = 2,
			      .max_invalid = MAX_INVALID,
			      .step_of_max = NFVBENCH_STEP,
			      .needed = 1},
		.drain_ns = 2 * NSEC_PER_S,
		.n_repeats = 1,
	},
	{
		.name = "mrr",
		.summary = "what comes through at the highest load, whatever is lost: 10 of 1 s",
		.procedure = {.kind = PROCEDURE_MRR,
			      .goal = {GOAL(1000, 1000, 0, 0, WIDTH)},
			      .max_invalid = MAX_INVALID,
			      .n_mrr_trials = 10},
		.n_repeats = 1,
	},
	{.name = NULL},
};

const char *const preset_names[] = {"search", "quick",	  "csit-ndr", "csit-pdr", "rfc2544",
				    "tst009", "tst009-z", "nfvbench", "mrr",	  NULL};

static struct goal
tuned_goal(struct goal goal, const struct preset_tune *tune)
{
	const uint64_t n_trials = goal.sum_ns / goal.trial_ns;

	if (tune->trial_ns > 0) {
		goal.trial_ns = tune->trial_ns;
		goal.sum_ns = n_trials * tune->trial_ns;
	}
	if (tune->step_ratio > 1)
		goal.width = 1 - 1 / tune->step_ratio;
	return goal;
}

struct procedure_conf
preset_procedure(const struct preset *preset, const struct preset_tune *tune, double max_pps)
{
	struct procedure_conf conf = preset->procedure;

	for (size_t i = 0; i < N_ELEMS(conf.goal); i++)
		if (conf.goal[i].trial_ns > 0)
			conf.goal[i] = tuned_goal(conf.goal[i], tune);
	if (conf.step_of_max > 0 && tune->step_ratio > 1)
		conf.step_of_max = conf.goal[0].width;
	conf.max_pps = max_pps;
	/* A generator that can do next to nothing still has a lower half. */
	conf.min_pps = fmin(conf.min_pps, max_pps / 2);
	return conf;
}

const struct preset *
preset_table(void)
{
	return presets;
}

int
preset_find(const char *name, const struct preset **preset, struct err *err)
{
	const char *nearest;

	for (size_t i = 0; presets[i].name != NULL; i++)
		if (strcmp(name, presets[i].name) == 0) {
			*preset = &presets[i];
			return 0;
		}
	nearest = str_nearest(name, preset_names, N_ELEMS(preset_names) - 1);
	if (nearest != NULL)
		return err_usage(err, "no preset '%s' (did you mean '%s'?)", name, nearest);
	return err_usage(err, "no preset '%s'", name);
}
