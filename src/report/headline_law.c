/* SPDX-License-Identifier: MIT */
/* What all trials of a measurement say together: the loss-free rate by length of trial. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "bench/lossfree.h"
#include "bench/trial.h"

#include "headline.h"

static size_t
count_trials(const json_t *searches)
{
	size_t n = 0;

	for (size_t i = 0; i < json_array_size(searches); i++)
		n += json_array_size(json_object_get(json_array_get(searches, i), "trials"));
	return n;
}

/* Of a valid trial, whether anything was lost in it. */
static bool
read_trial(const json_t *json, struct trial *t, struct lossfree_trial *one)
{
	if (trial_from_json(t, json, NULL) < 0 || t->verdict == TRIAL_INVALID || t->spec.flat_out)
		return false;
	*one = (struct lossfree_trial){
		.pps = t->spec.rate_pps,
		.duration_s = (double)t->spec.duration_ns / 1e9,
		.lossy = trial_exceeds(t, 0),
	};
	return true;
}

static size_t
read_trials(const json_t *searches, struct lossfree_trial *trials)
{
	struct trial *t = xcalloc(1, sizeof(*t));
	size_t n = 0;

	for (size_t i = 0; i < json_array_size(searches); i++) {
		const json_t *list = json_object_get(json_array_get(searches, i), "trials");

		for (size_t k = 0; k < json_array_size(list); k++)
			n += read_trial(json_array_get(list, k), t, &trials[n]);
	}
	free(t);
	return n;
}

void
headline_write_loss_free(json_t *m)
{
	const json_t *searches = json_object_get(m, "searches");
	size_t n = count_trials(searches);
	struct lossfree_trial *trials = xcalloc(n + 1, sizeof(*trials));
	struct lossfree_rate rates[LOSSFREE_N_DURATIONS];
	json_t *list = json_array();

	lossfree_estimate(trials, read_trials(searches, trials), rates);
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
