/* SPDX-License-Identifier: MIT */
#include "trials.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/stats.h"

#include "text_parts.h"

const char *const trials_quantile_keys[] = {"p50_ns", "p90_ns", "p99_ns", "p999_ns"};
const char *const trials_quantile_names[] = {"p50", "p90", "p99", "p99.9"};

static const char *const verdict_names[] = {"pass", "fail", "invalid"};

const char *
trials_verdict_name(enum trials_verdict v)
{
	return v < TRIALS_UNKNOWN ? verdict_names[v] : "?";
}

const char *
trials_class(const json_t *trial)
{
	const char *class = json_string_value(json_object_get(trial, "class"));
	const char *verdict = text_word(trial, "verdict");

	if (class != NULL)
		return class;
	if (strcmp(verdict, "pass") == 0 || strcmp(verdict, "fail") == 0)
		return "valid";
	return verdict;
}

static enum trials_verdict
verdict_of(const json_t *trial)
{
	const char *name = text_word(trial, "verdict");

	for (size_t i = 0; i < N_ELEMS(verdict_names); i++)
		if (strcmp(name, verdict_names[i]) == 0)
			return (enum trials_verdict)i;
	return TRIALS_UNKNOWN;
}

static void
add(struct trials *list, const json_t *trial, size_t search)
{
	bool flat_out = json_is_true(json_at(trial, "spec.flat_out"));

	list->one = xrealloc(list->one, list->n + 1, sizeof(*list->one));
	list->one[list->n++] = (struct trials_one){
		.json = trial,
		.search = search,
		.pps = flat_out ? NAN : text_number(trial, "spec.rate_pps"),
		.verdict = verdict_of(trial),
	};
}

void
trials_init(struct trials *list, const json_t *m)
{
	const json_t *searches = json_object_get(m, "searches");

	*list = (struct trials){0};
	for (size_t i = 0; i < json_array_size(searches); i++) {
		const json_t *trials = json_object_get(json_array_get(searches, i), "trials");

		for (size_t k = 0; k < json_array_size(trials); k++)
			add(list, json_array_get(trials, k), i);
	}
}

void
trials_fini(struct trials *list)
{
	free(list->one);
	*list = (struct trials){0};
}

/* ---- by load ---- */

static int
compare_loads(const void *a, const void *b)
{
	double x = ((const struct trials_one *)a)->pps, y = ((const struct trials_one *)b)->pps;

	return (x > y) - (x < y);
}

/* Median over the valid ones of 'n' trials, of those that know it. */
static double
median_of(const struct trials_one *one, size_t n, const char *path)
{
	double *values = xcalloc(n, sizeof(*values)), median;
	size_t known = 0;

	for (size_t i = 0; i < n; i++) {
		double value = text_number(one[i].json, path);

		if (one[i].verdict <= TRIALS_FAIL && value >= 0)
			values[known++] = value;
	}
	median = known > 0 ? stats_median(values, known) : NAN;
	free(values);
	return median;
}

/* 'one' are the 'n' trials of the same load. */
static void
add_load(struct loads *loads, const struct trials_one *one, size_t n)
{
	struct load *load;
	double intended = 0, lost = 0;

	loads->load = xrealloc(loads->load, loads->n + 1, sizeof(*loads->load));
	load = &loads->load[loads->n++];
	*load = (struct load){.pps = one[0].pps};
	for (size_t i = 0; i < n; i++) {
		double slots = text_number(one[i].json, "slots.intended");
		double ratio = text_number(one[i].json, "loss_ratio");

		load->n[one[i].verdict]++;
		if (one[i].verdict > TRIALS_FAIL || !(slots > 0) || !(ratio >= 0))
			continue;
		intended += slots;
		lost += ratio * slots;
	}
	load->loss_ratio = intended > 0 ? lost / intended : NAN;
	for (size_t k = 0; k < TRIALS_QUANTILES; k++) {
		char *path = xasprintf("latency.%s", trials_quantile_keys[k]);

		load->ns[k] = median_of(one, n, path);
		free(path);
	}
}

void
loads_init(struct loads *loads, const struct trials *list)
{
	struct trials_one *sorted = xcalloc(list->n + 1, sizeof(*sorted));
	size_t n = 0, end;

	*loads = (struct loads){0};
	for (size_t i = 0; i < list->n; i++)
		if (isfinite(list->one[i].pps))
			sorted[n++] = list->one[i];
	qsort(sorted, n, sizeof(*sorted), compare_loads);
	for (size_t i = 0; i < n; i = end) {
		end = i + 1;
		while (end < n && compare_loads(&sorted[i], &sorted[end]) == 0)
			end++;
		add_load(loads, &sorted[i], end - i);
	}
	free(sorted);
}

void
loads_fini(struct loads *loads)
{
	free(loads->load);
	*loads = (struct loads){0};
}
