/* SPDX-License-Identifier: MIT */
/* What all trials of a measurement say together: the loss-free rate by length of trial, and how
 * sure the rate for a goal is. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "bench/lossfree.h"
#include "bench/rate_interval.h"
#include "bench/trial.h"

#include "headline.h"

#define INTERVAL_LEVEL 0.95 /* as rate_interval_of has it */

static size_t
count_trials(const json_t *searches)
{
	size_t n = 0;

	for (size_t i = 0; i < json_array_size(searches); i++)
		n += json_array_size(json_object_get(json_array_get(searches, i), "trials"));
	return n;
}

/* Gives each trial to 'take', which returns whether it made use of it; returns how many it did. */
static size_t
each_trial(const json_t *searches, bool (*take)(void *ctx, size_t i, const struct trial *t),
	   void *ctx)
{
	struct trial *t = xcalloc(1, sizeof(*t));
	size_t n = 0;

	for (size_t i = 0; i < json_array_size(searches); i++) {
		const json_t *list = json_object_get(json_array_get(searches, i), "trials");

		for (size_t k = 0; k < json_array_size(list); k++)
			n += trial_from_json(t, json_array_get(list, k), NULL) == 0 &&
			     t->verdict != TRIAL_INVALID && !t->spec.flat_out && take(ctx, n, t);
	}
	free(t);
	return n;
}

static bool
take_lossfree(void *ctx, size_t i, const struct trial *t)
{
	struct lossfree_trial *trials = ctx;

	trials[i] = (struct lossfree_trial){
		.pps = t->spec.rate_pps,
		.duration_s = (double)t->spec.duration_ns / 1e9,
		.lossy = trial_exceeds(t, 0),
	};
	return true;
}

void
headline_write_loss_free(json_t *m)
{
	const json_t *searches = json_object_get(m, "searches");
	size_t n = count_trials(searches);
	struct lossfree_trial *trials = xcalloc(n + 1, sizeof(*trials));
	struct lossfree_rate rates[LOSSFREE_N_DURATIONS];
	json_t *list = json_array();

	lossfree_estimate(trials, each_trial(searches, take_lossfree, trials), rates);
	for (size_t i = 0; i < N_ELEMS(rates); i++) {
		json_t *one = json_object();

		json_object_set_new(one, "duration_s", json_number(rates[i].duration_s));
		json_object_set_new(one, "rate_pps", json_number(rates[i].rate_pps));
		json_object_set_new(one, "rate_low_pps", json_number(rates[i].low_pps));
		json_object_set_new(one, "rate_high_pps", json_number(rates[i].high_pps));
		json_object_set_new(one, "extrapolated", json_boolean(rates[i].extrapolated));
		json_array_append_new(list, one);
	}
	json_object_set_new(m, "loss_free", list);
	free(trials);
}

/* ---- how sure a rate is ---- */

struct for_goal {
	double trial_s;
	double loss_ratio;
	struct rate_trial *trials;
};

static bool
take_full_length(void *ctx, size_t i, const struct trial *t)
{
	const struct for_goal *goal = ctx;

	if ((double)t->spec.duration_ns / 1e9 < goal->trial_s * (1 - 1e-9))
		return false;
	goal->trials[i] = (struct rate_trial){
		.load_pps = t->spec.rate_pps,
		.bad = trial_exceeds(t, goal->loss_ratio),
	};
	return true;
}

/* Where the searches ended that found something for goal number 'i'. */
static size_t
read_brackets(const json_t *searches, size_t i, struct rate_bracket *brackets)
{
	size_t n = 0;

	for (size_t k = 0; k < json_array_size(searches); k++) {
		const json_t *goals = json_object_get(json_array_get(searches, k), "goals");
		const json_t *found = json_array_get(goals, i);
		double accepted = json_number_value(json_object_get(found, "accepted_pps"));

		if (!(accepted > 0))
			continue;
		brackets[n++] = (struct rate_bracket){
			.accepted_pps = accepted,
			.rejected_pps = json_number_value(json_object_get(found, "rejected_pps")),
		};
	}
	return n;
}

static double
number_of(const json_t *object, const char *key)
{
	return json_number_value(json_object_get(object, key));
}

void
headline_write_interval(json_t *m, size_t i)
{
	const json_t *searches = json_object_get(m, "searches");
	json_t *goal = json_array_get(json_object_get(m, "goals"), i);
	struct rate_bracket *brackets = xcalloc(json_array_size(searches) + 1, sizeof(*brackets));
	struct for_goal ctx = {
		.trial_s = number_of(goal, "trial_s"),
		.loss_ratio = number_of(goal, "max_loss_ratio"),
		.trials = xcalloc(count_trials(searches) + 1, sizeof(*ctx.trials)),
	};
	size_t n_brackets = read_brackets(searches, i, brackets);
	size_t n_trials = each_trial(searches, take_full_length, &ctx);
	struct rate_interval interval = rate_interval_of(brackets, n_brackets, ctx.trials, n_trials,
							 number_of(goal, "exceed_ratio"));
	bool sure =
		strcmp(interval.method, "student") == 0 || strcmp(interval.method, "profile") == 0;

	json_object_set_new(goal, "interval_method", json_string(interval.method));
	/* A bracket is what was tried, and says nothing of how sure it is. */
	json_object_set_new(goal, "interval_level", json_number(sure ? INTERVAL_LEVEL : NAN));
	json_object_set_new(goal, "rate_low_pps", json_number(sure ? interval.low_pps : NAN));
	json_object_set_new(goal, "rate_high_pps", json_number(sure ? interval.high_pps : NAN));
	free(ctx.trials);
	free(brackets);
}
