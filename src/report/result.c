/* SPDX-License-Identifier: MIT */
/* Building a result, key by key in their final order; result_file.c has directories and files. */
#include "result.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"

#include "headline.h"

static json_t *
or_null(json_t *value)
{
	return value != NULL ? value : json_null();
}

/* Durations of nothing are not known; rates of nothing neither. */
static json_t *
positive_or_null(double value)
{
	return value > 0 ? json_number(value) : json_null();
}

static json_t *
not_negative_or_null(double value)
{
	return value >= 0 ? json_number(value) : json_null();
}

static json_t *
trial_or_null(const struct trial *trial)
{
	return trial != NULL ? trial_to_json(trial) : json_null();
}

/* Takes its place under each key at once, so that the order is the same in every file. */
static json_t *
object_of_nulls(const char *const *keys, size_t n)
{
	json_t *object = json_object();

	for (size_t i = 0; i < n; i++)
		json_object_set_new(object, keys[i], json_null());
	return object;
}

/* ---- the frame ---- */

static json_t *
command_line(int argc, char *const *argv)
{
	json_t *list = json_array();

	for (int i = 0; i < argc; i++) {
		json_t *word = json_string(argv[i]);

		/* Arguments are bytes, JSON is UTF-8. */
		json_array_append_new(list, word != NULL ? word : json_string("?"));
	}
	return list;
}

static json_t *
time_now(void)
{
	char text[32];
	time_t now = time(NULL);
	struct tm tm;

	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &tm));
	return json_string(text);
}

json_t *
result_new(int argc, char *const *argv, json_t *chain, json_t *plan, json_t *environment)
{
	json_t *result = json_object();

	json_object_set_new(result, "schema_version", json_string(RESULT_SCHEMA));
	json_object_set_new(result, "nfvchain", json_string(NFVCHAIN_VERSION));
	json_object_set_new(result, "command", command_line(argc, argv));
	json_object_set_new(result, "started_at", time_now());
	json_object_set_new(result, "elapsed_s", json_null());
	json_object_set_new(result, "outcome", json_null());
	json_object_set_new(result, "chain", or_null(chain));
	json_object_set_new(result, "goal", json_null());
	json_object_set_new(result, "selftest", json_array());
	json_object_set_new(result, "measurements", json_array());
	json_object_set_new(result, "plan", or_null(plan));
	json_object_set_new(result, "environment", or_null(environment));
	return result;
}

void
result_finish(json_t *result, double elapsed_s, int exit_code, const char *sentence)
{
	json_t *outcome = json_object();

	json_object_set_new(outcome, "exit", json_integer(exit_code));
	json_object_set_new(outcome, "sentence",
			    or_null(sentence != NULL ? json_string(sentence) : NULL));
	json_object_set_new(result, "elapsed_s", json_number(elapsed_s));
	json_object_set_new(result, "outcome", outcome);
}

void
result_set_goal(json_t *result, const struct goal *goal)
{
	static const char *const keys[] = {"code", "trial_s", "needed", "max_loss_ratio",
					   "step_ratio"};
	json_t *json;
	char code[160];

	if (goal == NULL)
		return;
	json = object_of_nulls(keys, N_ELEMS(keys));
	json_object_set_new(json, "code", json_string(goal_code(code, sizeof(code), goal)));
	json_object_set_new(json, "trial_s", json_number((double)goal->trial_ns / NSEC_PER_S));
	if (goal->exceed_ratio == 0)
		json_object_set_new(json, "needed", json_u64(goal->sum_ns / goal->trial_ns));
	json_object_set_new(json, "max_loss_ratio", json_number(goal->loss_ratio));
	json_object_set_new(json, "step_ratio", json_number(1 / (1 - goal->width)));
	json_object_set_new(result, "goal", json);
}

void
result_add_selftest(json_t *result, const struct result_selftest *s)
{
	json_t *one = json_object();

	json_object_set_new(one, "frames", json_string(s->frames));
	json_object_set_new(one, "max_pps", positive_or_null(s->max_pps));
	json_object_set_new(one, "scheduled_pps", positive_or_null(s->scheduled_pps));
	json_object_set_new(one, "at_pps", positive_or_null(s->at_pps));
	json_object_set_new(one, "pacing_p50_ns", not_negative_or_null(s->pacing_p50_ns));
	json_object_set_new(one, "pacing_p99_ns", not_negative_or_null(s->pacing_p99_ns));
	json_object_set_new(one, "latency_floor_p50_ns", positive_or_null(s->latency_floor_p50_ns));
	json_object_set_new(one, "latency_floor_p99_ns", positive_or_null(s->latency_floor_p99_ns));
	json_object_set_new(one, "flat_out", trial_or_null(s->flat_out));
	json_object_set_new(one, "paced", trial_or_null(s->paced));
	json_array_append_new(json_object_get(result, "selftest"), one);
}

/* ---- measurements ---- */

static json_t *
last_of(const json_t *object, const char *key)
{
	json_t *list = json_object_get(object, key);
	size_t n = json_array_size(list);

	return n > 0 ? json_array_get(list, n - 1) : NULL;
}

static json_t *
last_measurement(const json_t *result)
{
	json_t *m = last_of(result, "measurements");

	assert(m != NULL);
	return m;
}

static json_t *
last_search(const json_t *result)
{
	json_t *search = last_of(last_measurement(result), "searches");

	assert(search != NULL);
	return search;
}

/* A goal as it was asked for; what was found for it comes later. */
static json_t *
new_goal(const struct goal *goal)
{
	static const char *const keys[] = {
		"code",
		"trial_s",
		"initial_s",
		"sum_s",
		"max_loss_ratio",
		"exceed_ratio",
		"width",
		"rate_pps",
		"rate_low_pps",
		"rate_high_pps",
		"interval_level",
		"interval_method",
		"rate_min_pps",
		"rate_max_pps",
		"rate_l1_bps",
		"rate_l2_bps",
		"rate_is_lower_bound",
		"conditional_pps",
		"n_found",
		"n_at_max",
		"n_below_min",
		"n_at_least",
		"n_inconclusive",
		"intended",
		"lost",
		"loss_ratio",
		"offered_pps",
		"forwarding_pps",
		"latency_accuracy_ns",
		"latency",
	};
	const uint64_t initial_ns = goal->initial_ns > 0 ? goal->initial_ns : goal->trial_ns;
	json_t *json = object_of_nulls(keys, N_ELEMS(keys));
	char code[160];

	json_object_set_new(json, "code", json_string(goal_code(code, sizeof(code), goal)));
	json_object_set_new(json, "trial_s", json_number((double)goal->trial_ns / NSEC_PER_S));
	json_object_set_new(json, "initial_s", json_number((double)initial_ns / NSEC_PER_S));
	json_object_set_new(json, "sum_s", json_number((double)goal->sum_ns / NSEC_PER_S));
	json_object_set_new(json, "max_loss_ratio", json_number(goal->loss_ratio));
	json_object_set_new(json, "exceed_ratio", json_number(goal->exceed_ratio));
	json_object_set_new(json, "width", json_number(goal->width));
	return json;
}

void
result_add_measurement(json_t *result, const char *frames, double mean_size,
		       const struct result_asked *asked)
{
	static const char *const keys[] = {
		"frames",
		"mean_frame_size",
		"kind",
		"preset",
		"procedure",
		"rate_pps",
		"rate_low_pps",
		"rate_high_pps",
		"rate_min_pps",
		"rate_max_pps",
		"rate_l1_bps",
		"rate_l2_bps",
		"rate_is_lower_bound",
		"n_searches",
		"n_found",
		"n_at_max",
		"n_below_min",
		"n_at_least",
		"n_inconclusive",
		"n_trials",
		"n_invalid",
		"intended",
		"lost",
		"loss_ratio",
		"offered_pps",
		"forwarding_pps",
		"latency_accuracy_ns",
		"latency",
		"goals",
		"loss_free",
		"loss_curve",
		"mrr_pps",
		"searches",
	};
	json_t *m = object_of_nulls(keys, N_ELEMS(keys)), *goals = json_array();

	json_object_set_new(m, "frames", json_string(frames));
	json_object_set_new(m, "mean_frame_size", positive_or_null(mean_size));
	json_object_set_new(m, "kind", json_string(asked->n_goals > 0 ? "search" : "fixed"));
	json_object_set_new(m, "procedure", json_string(asked->procedure));
	if (asked->preset != NULL)
		json_object_set_new(m, "preset", json_string(asked->preset));
	for (size_t i = 0; i < asked->n_goals; i++)
		json_array_append_new(goals, new_goal(&asked->goals[i]));
	json_object_set_new(m, "goals", goals);
	json_object_set_new(m, "searches", json_array());
	json_array_append_new(json_object_get(result, "measurements"), m);
}

void
result_begin_search(json_t *result)
{
	static const char *const keys[] = {
		"end",	     "accepted_pps", "rejected_pps", "n_trials",
		"n_invalid", "elapsed_s",    "goals",	     "trials",
	};
	json_t *search = object_of_nulls(keys, N_ELEMS(keys));

	json_object_set_new(search, "trials", json_array());
	json_array_append_new(json_object_get(last_measurement(result), "searches"), search);
}

void
result_add_trial(json_t *result, const struct trial *trial)
{
	json_array_append_new(json_object_get(last_search(result), "trials"), trial_to_json(trial));
}

void
result_set_timeline(json_t *result, json_t *timeline)
{
	const json_t *trials = json_object_get(last_search(result), "trials");
	size_t n = json_array_size(trials);

	if (n > 0)
		json_object_set_new(json_array_get(trials, n - 1), "timeline", timeline);
	else
		json_decref(timeline);
}

/* What was found for a goal, in that goal's order of the measurement. */
static json_t *
goal_found(const json_t *goal, const struct search_result *found)
{
	json_t *json = json_object();

	json_object_set(json, "code", json_object_get(goal, "code"));
	json_object_set_new(json, "end", json_string(search_end_name(found->end)));
	json_object_set_new(json, "accepted_pps", positive_or_null(found->accepted_pps));
	json_object_set_new(json, "rejected_pps", positive_or_null(found->rejected_pps));
	json_object_set_new(json, "conditional_pps", positive_or_null(found->conditional_pps));
	return json;
}

static void
note_found(json_t *search, const json_t *goals, const struct search_result *found)
{
	json_t *list = json_array(), *first;

	for (size_t i = 0; i < json_array_size(goals); i++)
		json_array_append_new(list, goal_found(json_array_get(goals, i), &found[i]));
	first = json_array_get(list, 0);
	json_object_set(search, "end", json_object_get(first, "end"));
	json_object_set(search, "accepted_pps", json_object_get(first, "accepted_pps"));
	json_object_set(search, "rejected_pps", json_object_get(first, "rejected_pps"));
	json_object_set_new(search, "goals", list);
}

void
result_end_search(json_t *result, const struct search_result *found, double elapsed_s)
{
	const json_t *goals = json_object_get(last_measurement(result), "goals");
	json_t *search = last_search(result);
	const json_t *trials = json_object_get(search, "trials");

	if (found != NULL && json_array_size(goals) > 0)
		note_found(search, goals, found);
	json_object_set_new(search, "n_trials", json_u64(json_array_size(trials)));
	json_object_set_new(search, "n_invalid", json_u64(headline_count_invalid(trials)));
	json_object_set_new(search, "elapsed_s", json_number(elapsed_s));
}

void
result_set_curve(json_t *result, const struct loss_curve *curve)
{
	json_t *list;

	if (curve->n == 0)
		return;
	list = json_array();
	for (size_t i = 0; i < curve->n; i++) {
		const struct loss_point *p = &curve->point[i];
		json_t *point = json_object();

		json_object_set_new(point, "rate_pps", json_number(p->rate_pps));
		json_object_set_new(point, "loss_ratio", json_number(p->loss_ratio));
		json_object_set_new(point, "n_trials", json_u64(p->n_trials));
		json_array_append_new(list, point);
	}
	json_object_set_new(last_measurement(result), "loss_curve", list);
}

void
result_set_mrr(json_t *result, const struct mrr *mrr)
{
	json_t *json;

	if (mrr->n_trials == 0)
		return;
	json = json_object();
	json_object_set_new(json, "median", json_number(mrr->median_pps));
	json_object_set_new(json, "low", json_number(mrr->low_pps));
	json_object_set_new(json, "high", json_number(mrr->high_pps));
	json_object_set_new(json, "n_trials", json_u64(mrr->n));
	json_object_set_new(last_measurement(result), "mrr_pps", json);
}

void
result_end_measurement(json_t *result)
{
	headline_write(last_measurement(result));
}
