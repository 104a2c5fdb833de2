/* SPDX-License-Identifier: MIT */
#include "headline.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/rate.h"
#include "base/stats.h"
#include "bench/search_result.h"
#include "bench/trial.h"

static bool
has_verdict(const json_t *trial, enum trial_verdict verdict)
{
	const char *name = json_string_value(json_object_get(trial, "verdict"));

	return name != NULL && strcmp(name, trial_verdict_name(verdict)) == 0;
}

size_t
headline_count_invalid(const json_t *trials)
{
	size_t n = 0;

	for (size_t i = 0; i < json_array_size(trials); i++)
		n += has_verdict(json_array_get(trials, i), TRIAL_INVALID);
	return n;
}

/* What the searches found for one goal, and what the trials that count say together. */
struct headline {
	size_t goal; /* which of the goals */
	size_t n_end[SEARCH_INCONCLUSIVE + 1];
	size_t n_trials, n_invalid;
	double *rate; /* one for each search that counts; -INFINITY: below the lowest load */
	size_t n_rates;
	double *conditional;
	size_t n_conditional;
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
end_of(const json_t *found)
{
	const char *name = json_string_value(json_object_get(found, "end"));

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

/* Does a valid trial count?  All of them when nothing was searched, else those at the load that was
 * accepted. */
static bool
is_at_result(const json_t *trial, const json_t *found)
{
	const json_t *accepted = json_object_get(found, "accepted_pps");

	return found == NULL ||
	       (json_is_number(accepted) && json_equal(json_at(trial, "spec.rate_pps"), accepted));
}

static void
count_trials(struct headline *h, const json_t *search, const json_t *found)
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
		if (is_at_result(one, found) && trial_from_json(t, one, NULL) == 0)
			count_trial(h, t);
	}
	free(t);
}

static void
take_search(struct headline *h, const json_t *search)
{
	const json_t *found = json_array_get(json_object_get(search, "goals"), h->goal);
	double rate = json_number_value(json_object_get(found, "accepted_pps"));
	double conditional = json_number_value(json_object_get(found, "conditional_pps"));
	enum search_end end = end_of(found);

	h->n_end[end]++;
	count_trials(h, search, found != NULL ? found : search);
	if (end == SEARCH_INCONCLUSIVE)
		return;
	h->rate[h->n_rates++] = end == SEARCH_BELOW_MIN ? -INFINITY : rate;
	if (conditional > 0)
		h->conditional[h->n_conditional++] = conditional;
	if ((end == SEARCH_AT_MAX || end == SEARCH_AT_LEAST) && rate < h->bound_pps)
		h->bound_pps = rate;
}

/* The loads of a fixed-rate measurement are what its trials say they are. */
static void
take_fixed(struct headline *h, const json_t *search)
{
	const json_t *first = json_array_get(json_object_get(search, "trials"), 0);
	const json_t *rate = json_at(first, "spec.rate_pps");

	count_trials(h, search, NULL);
	if (json_is_number(rate) && !json_is_true(json_at(first, "spec.flat_out")))
		h->rate[h->n_rates++] = json_number_value(rate);
}

/* ---- writing ---- */

static void
write_rates(json_t *to, const struct headline *h, double size)
{
	double rate = stats_median(h->rate, h->n_rates);
	double l1 = size > 0 ? rate_bps_l1(rate, size) : NAN;
	double l2 = size > 0 ? rate_bps_l2(rate, size) : NAN;

	json_object_set_new(to, "rate_pps", json_number(rate));
	json_object_set_new(to, "rate_min_pps", json_number(stats_min(h->rate, h->n_rates)));
	json_object_set_new(to, "rate_max_pps", json_number(stats_max(h->rate, h->n_rates)));
	json_object_set_new(to, "rate_l1_bps", json_number(l1));
	json_object_set_new(to, "rate_l2_bps", json_number(l2));
}

/* What only a search knows. */
static void
write_ends(json_t *to, const struct headline *h)
{
	double rate = stats_median(h->rate, h->n_rates);

	/* Had that search been allowed to go higher, the median might be higher. */
	if (isfinite(rate))
		json_object_set_new(to, "rate_is_lower_bound", json_boolean(rate >= h->bound_pps));
	json_object_set_new(to, "conditional_pps",
			    json_number(stats_median(h->conditional, h->n_conditional)));
	json_object_set_new(to, "n_found", json_u64(h->n_end[SEARCH_FOUND]));
	json_object_set_new(to, "n_at_max", json_u64(h->n_end[SEARCH_AT_MAX]));
	json_object_set_new(to, "n_below_min", json_u64(h->n_end[SEARCH_BELOW_MIN]));
	json_object_set_new(to, "n_at_least", json_u64(h->n_end[SEARCH_AT_LEAST]));
	json_object_set_new(to, "n_inconclusive", json_u64(h->n_end[SEARCH_INCONCLUSIVE]));
}

static void
write_frames(json_t *to, const struct headline *h)
{
	double s = h->elapsed_s;

	if (h->n_counted == 0)
		return;
	json_object_set_new(to, "intended", json_u64(h->intended));
	json_object_set_new(to, "lost", json_u64(h->lost));
	json_object_set_new(to, "loss_ratio", json_number((double)h->lost / (double)h->intended));
	json_object_set_new(to, "offered_pps", json_number(s > 0 ? (double)h->sent / s : NAN));
	json_object_set_new(to, "forwarding_pps", json_number(s > 0 ? (double)h->ok / s : NAN));
	if (h->latency.n == 0)
		return;
	json_object_set_new(to, "latency_accuracy_ns", json_u64(h->latency_accuracy_ns));
	json_object_set_new(to, "latency", hist_to_json(&h->latency));
}

static void
write_counts(json_t *m, const struct headline *h, size_t n_searches)
{
	json_object_set_new(m, "n_searches", json_u64(n_searches));
	json_object_set_new(m, "n_trials", json_u64(h->n_trials));
	json_object_set_new(m, "n_invalid", json_u64(h->n_invalid));
}

/* Takes all searches of 'm' for the goal of that number, or none when 'to' is the measurement. */
static void
write_one(json_t *m, json_t *to, size_t goal)
{
	const json_t *searches = json_object_get(m, "searches");
	double size = json_number_value(json_object_get(m, "mean_frame_size"));
	size_t n = json_array_size(searches);
	struct headline *h = xcalloc(1, sizeof(*h));

	h->goal = goal;
	h->rate = xcalloc(n + 1, sizeof(*h->rate));
	h->conditional = xcalloc(n + 1, sizeof(*h->conditional));
	h->bound_pps = INFINITY;
	hist_init(&h->latency);
	for (size_t i = 0; i < n; i++)
		(to == m ? take_fixed : take_search)(h, json_array_get(searches, i));
	write_rates(to, h, size);
	if (to != m)
		write_ends(to, h);
	write_frames(to, h);
	write_counts(m, h, n);
	free(h->conditional);
	free(h->rate);
	free(h);
}

/* The first goal is the measurement's own. */
static void
repeat_first_goal(json_t *m)
{
	static const char *const keys[] = {
		"rate_pps",
		"rate_low_pps",
		"rate_high_pps",
		"rate_min_pps",
		"rate_max_pps",
		"rate_l1_bps",
		"rate_l2_bps",
		"rate_is_lower_bound",
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
	const json_t *first = json_at(m, "goals[0]");

	for (size_t i = 0; i < N_ELEMS(keys); i++)
		json_object_set(m, keys[i], json_object_get(first, keys[i]));
}

void
headline_write(json_t *m)
{
	json_t *goals = json_object_get(m, "goals");
	size_t n = json_array_size(goals);

	if (n == 0) {
		write_one(m, m, 0);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		write_one(m, json_array_get(goals, i), i);
		headline_write_interval(m, i);
	}
	repeat_first_goal(m);
	headline_write_loss_free(m);
}
