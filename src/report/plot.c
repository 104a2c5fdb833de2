/* SPDX-License-Identifier: MIT */
#include "plot.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/hist.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/stats.h"

#include "text_parts.h"

static json_t *
new_plot(const char *kind)
{
	json_t *plot = json_object();

	json_object_set_new(plot, "kind", json_string(kind));
	return plot;
}

/* Appends to the list 'key', which is made when it is not there. */
static void
push(json_t *plot, const char *key, double value)
{
	json_t *list = json_object_get(plot, key);

	if (list == NULL) {
		list = json_array();
		json_object_set_new(plot, key, list);
	}
	/* Counts without the ".0" of a real. */
	if (value == floor(value) && fabs(value) < 0x1p53)
		json_array_append_new(list, json_integer((json_int_t)value));
	else
		json_array_append_new(list, json_number(value));
}

static void
set(json_t *plot, const char *key, double value)
{
	json_object_set_new(plot, key, json_number(value));
}

/* 'plot', or NULL when its list 'key' has fewer than 'least' elements. */
static json_t *
if_enough(json_t *plot, const char *key, size_t least)
{
	if (json_array_size(json_object_get(plot, key)) >= least)
		return plot;
	json_decref(plot);
	return NULL;
}

/* Does the ascending list 'key' hold more than one value?  A plot over one load shows nothing. */
static json_t *
if_spread(json_t *plot, const char *key)
{
	const json_t *list = json_object_get(plot, key);
	size_t n = json_array_size(list);

	if (n > 1 && !json_equal(json_array_get(list, 0), json_array_get(list, n - 1)))
		return plot;
	json_decref(plot);
	return NULL;
}

/* ---- loads and loss ---- */

json_t *
plot_loads(const struct trials *list, const struct found *found)
{
	json_t *plot = new_plot("loads");

	for (size_t i = 0; i < list->n; i++) {
		push(plot, "x", (double)(i + 1));
		push(plot, "pps", list->one[i].pps);
		push(plot, "verdict", list->one[i].verdict);
	}
	set(plot, "answer", found->rate_pps);
	set(plot, "low", found->low_pps);
	set(plot, "high", found->high_pps);
	return if_enough(plot, "x", 2);
}

static int
compare_trials(const void *a, const void *b)
{
	const struct trials_one *x = a, *y = b;

	return (x->pps > y->pps) - (x->pps < y->pps);
}

/* Those of a known load, the lowest first; for the caller to free. */
static struct trials_one *
by_load(const struct trials *list, size_t *n)
{
	struct trials_one *sorted = xcalloc(list->n + 1, sizeof(*sorted));

	*n = 0;
	for (size_t i = 0; i < list->n; i++)
		if (isfinite(list->one[i].pps))
			sorted[(*n)++] = list->one[i];
	qsort(sorted, *n, sizeof(*sorted), compare_trials);
	return sorted;
}

json_t *
plot_loss(const struct trials *list, const struct found *found, const json_t *m)
{
	const json_t *curve = json_object_get(m, "loss_curve");
	json_t *plot = new_plot("loss");
	size_t n;
	struct trials_one *sorted = by_load(list, &n);

	for (size_t i = 0; i < n; i++) {
		double loss = text_number(sorted[i].json, "loss_ratio");

		if (!(loss >= 0))
			continue;
		push(plot, "pps", sorted[i].pps);
		push(plot, "loss", loss);
		push(plot, "verdict", sorted[i].verdict);
	}
	free(sorted);
	for (size_t i = 0; i < json_array_size(curve); i++) {
		push(plot, "curve_pps", text_number(json_array_get(curve, i), "rate_pps"));
		push(plot, "curve_loss", text_number(json_array_get(curve, i), "loss_ratio"));
	}
	set(plot, "answer", found->rate_pps);
	return if_spread(plot, "pps");
}

/* ---- latency ---- */

static void
push_quantiles(json_t *plot, const struct trials_one *one, const struct load *load)
{
	for (size_t k = 0; k < TRIALS_QUANTILES; k++) {
		const char *key = trials_quantile_keys[k];
		char *path = xasprintf("latency.%s", key), *line = xasprintf("line_%s", key);

		push(plot, key, text_number(one->json, path));
		push(plot, line, load != NULL ? load->ns[k] : NAN);
		free(path);
		free(line);
	}
}

json_t *
plot_latency(const struct trials *list, const struct found *found, double floor_ns)
{
	json_t *plot = new_plot("latency");
	struct trials_one *sorted;
	struct loads loads;
	size_t n, at = 0;

	sorted = by_load(list, &n);
	loads_init(&loads, list);
	for (size_t i = 0; i < n; i++) {
		const struct load *load = NULL;

		if (sorted[i].verdict > TRIALS_FAIL ||
		    !(text_number(sorted[i].json, "latency.p50_ns") >= 0))
			continue;
		while (at < loads.n && loads.load[at].pps < sorted[i].pps)
			at++;
		if (at < loads.n && loads.load[at].pps == sorted[i].pps)
			load = &loads.load[at++];
		push(plot, "pps", sorted[i].pps);
		push_quantiles(plot, &sorted[i], load);
	}
	loads_fini(&loads);
	free(sorted);
	set(plot, "floor", floor_ns);
	set(plot, "answer", found->rate_pps);
	return if_spread(plot, "pps");
}

json_t *
plot_tail(const json_t *latency)
{
	struct hist *h = xcalloc(1, sizeof(*h));
	json_t *plot = new_plot("tail");
	uint64_t below = 0;

	if (hist_from_json(h, latency, NULL) == 0 && h->n > 0) {
		push(plot, "nines", 0);
		push(plot, "ns", (double)h->min_ns);
		for (unsigned i = 0; i < HIST_BUCKETS; i++) {
			uint64_t high = hist_bucket_high(i);

			below += h->count[i];
			/* Of the last sample the quantile is 1, and has no place on this axis. */
			if (h->count[i] == 0 || below >= h->n)
				continue;
			push(plot, "nines", -log10(1 - (double)below / (double)h->n));
			push(plot, "ns", (double)(high < h->max_ns ? high : h->max_ns));
		}
		push(plot, "nines", log10((double)h->n));
		push(plot, "ns", (double)h->max_ns);
	}
	free(h);
	return if_enough(plot, "ns", 3);
}

/* ---- the rest ---- */

json_t *
plot_loss_free(const json_t *m)
{
	const json_t *list = json_object_get(m, "loss_free");
	json_t *plot = new_plot("loss_free");

	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *one = json_array_get(list, i);
		double s = text_number(one, "duration_s");

		if (!(s > 0) || !(text_number(one, "rate_pps") >= 0))
			continue;
		push(plot, "s", s);
		push(plot, "pps", text_number(one, "rate_pps"));
		push(plot, "low", text_number(one, "rate_low_pps"));
		push(plot, "high", text_number(one, "rate_high_pps"));
		push(plot, "extrapolated", json_is_true(json_object_get(one, "extrapolated")));
	}
	return if_enough(plot, "s", 2);
}

static size_t
class_index(json_t *names, const char *name)
{
	for (size_t i = 0; i < json_array_size(names); i++)
		if (strcmp(json_string_value(json_array_get(names, i)), name) == 0)
			return i;
	json_array_append_new(names, json_string(name));
	return json_array_size(names) - 1;
}

json_t *
plot_noise(const struct trials *list)
{
	json_t *plot = new_plot("noise"),
	       *names = json_pack("[s, s, s, s]", "valid", "overload", "noisy", "fault");

	for (size_t i = 0; i < list->n; i++) {
		const json_t *one = list->one[i].json;
		double ns = 1e9 * text_number(one, "elapsed_s");

		push(plot, "x", (double)(i + 1));
		push(plot, "gap_ns", text_number(one, "noise.gap_max_ns"));
		push(plot, "away", text_number(one, "noise.gaps_sum_ns") / (ns > 0 ? ns : NAN));
		push(plot, "late",
		     text_number(one, "slots.late") / text_number(one, "slots.intended"));
		push(plot, "class", (double)class_index(names, trials_class(one)));
	}
	json_object_set_new(plot, "classes", names);
	return if_enough(plot, "x", 2);
}

/* Median of a list of numbers; a single number is its own. */
static double
middle(const json_t *list)
{
	size_t n = json_array_size(list), known = 0;
	double *values, median;

	if (!json_is_array(list))
		return json_is_number(list) ? json_number_value(list) : NAN;
	values = xcalloc(n + 1, sizeof(*values));
	for (size_t i = 0; i < n; i++)
		if (json_is_number(json_array_get(list, i)))
			values[known++] = json_number_value(json_array_get(list, i));
	median = known > 0 ? stats_median(values, known) : NAN;
	free(values);
	return median;
}

static void
push_rounds(json_t *plot, const json_t *list)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *one = json_array_get(list, i);

		push(plot, "x", (double)(i + 1));
		push(plot, "ratio", text_number(one, "ratio"));
		push(plot, "control", text_number(one, "control"));
		push(plot, "valid", json_is_number(json_object_get(one, "ratio")));
	}
}

static void
push_blocks(json_t *plot, const json_t *list)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *one = json_array_get(list, i);
		double a = middle(json_object_get(one, "a"));

		push(plot, "x", (double)(i + 1));
		push(plot, "ratio", middle(json_object_get(one, "b")) / a);
		push(plot, "control", middle(json_object_get(one, "control")) / a);
		push(plot, "valid", !json_is_false(json_object_get(one, "valid")));
	}
}

/* By round, which is what intervals are made of; results of before have blocks only. */
json_t *
plot_blocks(const json_t *comparison)
{
	const json_t *rounds = json_object_get(comparison, "rounds");
	json_t *plot = new_plot("blocks");

	json_object_set_new(plot, "unit",
			    json_string(json_array_size(rounds) > 0 ? "round" : "block"));
	if (json_array_size(rounds) > 0)
		push_rounds(plot, rounds);
	else
		push_blocks(plot, json_object_get(comparison, "blocks"));
	set(plot, "mid", text_number(comparison, "ratio"));
	set(plot, "low", text_number(comparison, "ratio_low"));
	set(plot, "high", text_number(comparison, "ratio_high"));
	set(plot, "equal_within", text_number(comparison, "equal_within"));
	return if_enough(plot, "x", 2);
}
