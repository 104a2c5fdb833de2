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
#include "base/rate.h"
#include "base/stats.h"

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
result_set_goal(json_t *result, const struct search_conf *conf)
{
	json_t *goal;
	struct goal asked;
	char code[160];

	if (conf == NULL)
		return;
	goal = json_object();
	asked = search_goal(conf);
	json_object_set_new(goal, "code", json_string(goal_code(code, sizeof(code), &asked)));
	json_object_set_new(goal, "trial_s", json_number((double)conf->trial_ns / NSEC_PER_S));
	json_object_set_new(goal, "needed", json_integer(conf->needed));
	json_object_set_new(goal, "max_loss_ratio", json_number(conf->max_loss_ratio));
	json_object_set_new(goal, "step_ratio", positive_or_null(conf->step_ratio));
	json_object_set_new(result, "goal", goal);
}

void
result_add_selftest(json_t *result, const struct result_selftest *s)
{
	json_t *one = json_object();

	json_object_set_new(one, "frames", json_string(s->frames));
	json_object_set_new(one, "max_pps", positive_or_null(s->max_pps));
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

void
result_add_measurement(json_t *result, const char *frames, double mean_size, const char *kind)
{
	static const char *const keys[] = {
		"frames",
		"mean_frame_size",
		"kind",
		"rate_pps",
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
		"searches",
	};
	json_t *m = object_of_nulls(keys, N_ELEMS(keys));

	json_object_set_new(m, "frames", json_string(frames));
	json_object_set_new(m, "mean_frame_size", positive_or_null(mean_size));
	json_object_set_new(m, "kind", json_string(kind));
	json_object_set_new(m, "searches", json_array());
	json_array_append_new(json_object_get(result, "measurements"), m);
}

void
result_begin_search(json_t *result)
{
	static const char *const keys[] = {
		"end",	     "accepted_pps", "rejected_pps", "n_trials",
		"n_invalid", "elapsed_s",    "trials",
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

static bool
has_verdict(const json_t *trial, enum trial_verdict verdict)
{
	const char *name = json_string_value(json_object_get(trial, "verdict"));

	return name != NULL && strcmp(name, trial_verdict_name(verdict)) == 0;
}

static size_t
count_invalid(const json_t *trials)
{
	size_t n = 0;

	for (size_t i = 0; i < json_array_size(trials); i++)
		n += has_verdict(json_array_get(trials, i), TRIAL_INVALID);
	return n;
}

void
result_end_search(json_t *result, const struct search_result *found, double elapsed_s)
{
	json_t *search = last_search(result);
	const json_t *trials = json_object_get(search, "trials");

	if (found != NULL) {
		json_object_set_new(search, "end", json_string(search_end_name(found->end)));
		json_object_set_new(search, "accepted_pps", positive_or_null(found->accepted_pps));
		json_object_set_new(search, "rejected_pps", positive_or_null(found->rejected_pps));
	}
	json_object_set_new(search, "n_trials", json_u64(json_array_size(trials)));
	json_object_set_new(search, "n_invalid", json_u64(count_invalid(trials)));
	json_object_set_new(search, "elapsed_s", json_number(elapsed_s));
}

/* ---- the headline of a measurement ---- */

/* What the trials that count say together. */
struct headline {
	size_t n_end[SEARCH_INCONCLUSIVE + 1];
	size_t n_trials, n_invalid;
	double *rate; /* one for each search that counts; -INFINITY: below the lowest load */
	size_t n_rates;
	double bound_pps; /* lowest of the loads accepted that no rejected one stands above */
	size_t n_counted; /* trials in what follows */
	uint64_t intended, lost, sent, ok;
	double elapsed_s;
	uint64_t latency_accuracy_ns;
	bool latency_known;
	struct hist latency;
};

/* SEARCH_INCONCLUSIVE for what is none, such as a search that was interrupted. */
static enum search_end
end_of(const json_t *search)
{
	const char *name = json_string_value(json_object_get(search, "end"));

	for (int end = 0; name != NULL && end < SEARCH_INCONCLUSIVE; end++)
		if (strcmp(name, search_end_name((enum search_end)end)) == 0)
			return (enum search_end)end;
	return SEARCH_INCONCLUSIVE;
}

static void
count_trial(struct headline *h, const struct trial *t)
{
	h->n_counted++;
	h->intended += t->intended;
	h->lost += trial_lost(t);
	h->sent += t->sent;
	h->ok += t->ok;
	h->elapsed_s += t->elapsed_s;
	if (t->latency_accuracy_ns > h->latency_accuracy_ns)
		h->latency_accuracy_ns = t->latency_accuracy_ns;
	hist_add(&h->latency, &t->latency);
}

/* Does a valid trial count?  All of them when fixed, else those at the load that was accepted. */
static bool
is_at_result(const json_t *trial, const json_t *search, bool fixed)
{
	const json_t *accepted = json_object_get(search, "accepted_pps");

	return fixed ||
	       (json_is_number(accepted) && json_equal(json_at(trial, "spec.rate_pps"), accepted));
}

static void
count_trials(struct headline *h, const json_t *search, bool fixed)
{
	const json_t *trials = json_object_get(search, "trials");
	struct trial *t = xcalloc(1, sizeof(*t));

	for (size_t i = 0; i < json_array_size(trials); i++) {
		const json_t *one = json_array_get(trials, i);

		h->n_trials++;
		if (has_verdict(one, TRIAL_INVALID)) {
			h->n_invalid++;
			continue;
		}
		if (is_at_result(one, search, fixed) && trial_from_json(t, one, NULL) == 0)
			count_trial(h, t);
	}
	free(t);
}

static void
take_search(struct headline *h, const json_t *search)
{
	double rate = json_number_value(json_object_get(search, "accepted_pps"));
	enum search_end end = end_of(search);

	h->n_end[end]++;
	count_trials(h, search, false);
	if (end == SEARCH_INCONCLUSIVE)
		return;
	h->rate[h->n_rates++] = end == SEARCH_BELOW_MIN ? -INFINITY : rate;
	if ((end == SEARCH_AT_MAX || end == SEARCH_AT_LEAST) && rate < h->bound_pps)
		h->bound_pps = rate;
}

/* The loads of a fixed-rate measurement are what its trials say they are. */
static void
take_fixed(struct headline *h, const json_t *search)
{
	const json_t *first = json_array_get(json_object_get(search, "trials"), 0);
	const json_t *rate = json_at(first, "spec.rate_pps");

	count_trials(h, search, true);
	if (json_is_number(rate) && !json_is_true(json_at(first, "spec.flat_out")))
		h->rate[h->n_rates++] = json_number_value(rate);
}

static void
write_rates(json_t *m, const struct headline *h, bool fixed)
{
	double size = json_number_value(json_object_get(m, "mean_frame_size"));
	double rate = stats_median(h->rate, h->n_rates);
	double l1 = size > 0 ? rate_bps_l1(rate, size) : NAN;
	double l2 = size > 0 ? rate_bps_l2(rate, size) : NAN;

	json_object_set_new(m, "rate_pps", json_number(rate));
	json_object_set_new(m, "rate_min_pps", json_number(stats_min(h->rate, h->n_rates)));
	json_object_set_new(m, "rate_max_pps", json_number(stats_max(h->rate, h->n_rates)));
	json_object_set_new(m, "rate_l1_bps", json_number(l1));
	json_object_set_new(m, "rate_l2_bps", json_number(l2));
	/* Had that search been allowed to go higher, the median might be higher. */
	if (isfinite(rate) && !fixed)
		json_object_set_new(m, "rate_is_lower_bound", json_boolean(rate >= h->bound_pps));
}

static void
write_counts(json_t *m, const struct headline *h, size_t n_searches, bool fixed)
{
	json_object_set_new(m, "n_searches", json_u64(n_searches));
	if (!fixed) {
		json_object_set_new(m, "n_found", json_u64(h->n_end[SEARCH_FOUND]));
		json_object_set_new(m, "n_at_max", json_u64(h->n_end[SEARCH_AT_MAX]));
		json_object_set_new(m, "n_below_min", json_u64(h->n_end[SEARCH_BELOW_MIN]));
		json_object_set_new(m, "n_at_least", json_u64(h->n_end[SEARCH_AT_LEAST]));
		json_object_set_new(m, "n_inconclusive", json_u64(h->n_end[SEARCH_INCONCLUSIVE]));
	}
	json_object_set_new(m, "n_trials", json_u64(h->n_trials));
	json_object_set_new(m, "n_invalid", json_u64(h->n_invalid));
}

static void
write_frames(json_t *m, const struct headline *h)
{
	double s = h->elapsed_s;

	if (h->n_counted == 0)
		return;
	json_object_set_new(m, "intended", json_u64(h->intended));
	json_object_set_new(m, "lost", json_u64(h->lost));
	json_object_set_new(m, "loss_ratio", json_number((double)h->lost / (double)h->intended));
	json_object_set_new(m, "offered_pps", json_number(s > 0 ? (double)h->sent / s : NAN));
	json_object_set_new(m, "forwarding_pps", json_number(s > 0 ? (double)h->ok / s : NAN));
	if (h->latency.n == 0)
		return;
	json_object_set_new(m, "latency_accuracy_ns", json_u64(h->latency_accuracy_ns));
	json_object_set_new(m, "latency", hist_to_json(&h->latency));
}

void
result_end_measurement(json_t *result)
{
	json_t *m = last_measurement(result);
	const char *kind = json_string_value(json_object_get(m, "kind"));
	const json_t *searches = json_object_get(m, "searches");
	size_t n = json_array_size(searches);
	struct headline *h = xcalloc(1, sizeof(*h));
	bool fixed = kind != NULL && strcmp(kind, "fixed") == 0;

	h->rate = xcalloc(n + 1, sizeof(*h->rate));
	h->bound_pps = INFINITY;
	hist_init(&h->latency);
	for (size_t i = 0; i < n; i++)
		(fixed ? take_fixed : take_search)(h, json_array_get(searches, i));
	write_rates(m, h, fixed);
	write_counts(m, h, n, fixed);
	write_frames(m, h);
	free(h->rate);
	free(h);
}
