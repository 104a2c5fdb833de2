/* SPDX-License-Identifier: MIT */
#include "hop_times.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "base/json.h"
#include "base/str.h"

static const struct time_span no_span = {0, 0, NAN, NAN, NAN, NAN};

/* ---- the difference of two answers ---- */

static uint64_t
count_at(const json_t *json, const char *key)
{
	return (uint64_t)json_integer_value(json_object_get(json, key));
}

/* Numbers 'i' of the pairs of a list. */
static uint64_t
pair_at(const json_t *list, size_t i, size_t k)
{
	return (uint64_t)json_integer_value(json_array_get(json_array_get(list, i), k));
}

/* Quantiles of what 'after' has more than 'before', both lists of [high_ns, n] that ascend. */
static void
find_quantiles(struct time_span *span, const json_t *before, const json_t *after, double max_ns)
{
	uint64_t seen = 0;
	size_t b = 0;

	for (size_t i = 0; i < json_array_size(after); i++) {
		uint64_t high = pair_at(after, i, 0), n = pair_at(after, i, 1);
		double ns = fmin((double)high, max_ns);

		while (b < json_array_size(before) && pair_at(before, b, 0) < high)
			b++;
		if (pair_at(before, b, 0) == high)
			n -= pair_at(before, b, 1);
		if (n == 0)
			continue;
		seen += n;
		if (isnan(span->p50_ns) && (double)seen >= 0.5 * (double)span->n)
			span->p50_ns = ns;
		if (isnan(span->p99_ns) && (double)seen >= 0.99 * (double)span->n)
			span->p99_ns = ns;
		span->max_ns = ns;
	}
}

/* False when a counter went backwards, for then the hop is not the one that it was. */
static bool
span_between(struct time_span *span, const json_t *before, const json_t *after, double tsc_hz)
{
	*span = no_span;
	if (count_at(after, "n") < count_at(before, "n") ||
	    count_at(after, "sum_tsc") < count_at(before, "sum_tsc"))
		return false;
	span->n = count_at(after, "n") - count_at(before, "n");
	if (span->n == 0)
		return true;
	span->sum_tsc = count_at(after, "sum_tsc") - count_at(before, "sum_tsc");
	span->mean_ns = (double)span->sum_tsc / (double)span->n * 1e9 / tsc_hz;
	find_quantiles(span, json_object_get(before, "buckets"), json_object_get(after, "buckets"),
		       json_number_value(json_object_get(after, "max_ns")));
	return true;
}

static bool
part_between(struct time_span *span, const char *key, const json_t *before, const json_t *after,
	     double tsc_hz)
{
	return span_between(span, json_object_get(before, key), json_object_get(after, key),
			    tsc_hz);
}

static bool
stages_between(struct hop_times *t, const json_t *before, const json_t *after)
{
	bool grew = true;

	for (size_t i = 0; i < json_array_size(after) && i < HOP_MAX_STAGES; i++) {
		const json_t *was = json_array_get(before, i), *is = json_array_get(after, i);
		const char *nf = json_string_value(json_object_get(is, "nf"));
		struct stage_times *stage = &t->stage[t->n_stages++];

		(void)str_copy(stage->nf, sizeof(stage->nf), nf != NULL ? nf : "");
		grew &= part_between(&stage->wait, "wait", was, is, t->tsc_hz);
		grew &= part_between(&stage->service, "service", was, is, t->tsc_hz);
	}
	return grew;
}

void
hop_times_between(struct hop_times *t, const json_t *before, const json_t *after)
{
	const json_t *was = json_object_get(before, "times"), *is = json_object_get(after, "times");

	memset(t, 0, sizeof(*t));
	t->tsc_hz = json_number_value(json_object_get(after, "tsc_hz"));
	if (was == NULL || is == NULL || !(t->tsc_hz > 0))
		return;
	t->known = stages_between(t, json_object_get(before, "stages"),
				  json_object_get(after, "stages"));
	t->known &= part_between(&t->tx_wait, "tx_wait", was, is, t->tsc_hz);
	t->known &= part_between(&t->total, "total", was, is, t->tsc_hz);
	was = json_object_get(was, "dropped");
	is = json_object_get(is, "dropped");
	t->n_dropped = count_at(is, "n") - count_at(was, "n");
	t->dropped_tsc = count_at(is, "sum_tsc") - count_at(was, "sum_tsc");
}

double
hop_times_parts_ns(const struct hop_times *t)
{
	uint64_t sum = t->tx_wait.sum_tsc - t->dropped_tsc;

	for (unsigned i = 0; i < t->n_stages; i++)
		sum += t->stage[i].wait.sum_tsc + t->stage[i].service.sum_tsc;
	return t->total.n > 0 ? (double)sum / (double)t->total.n * 1e9 / t->tsc_hz : NAN;
}

/* ---- JSON ---- */

static json_t *
span_to_json(const struct time_span *s)
{
	json_t *json;

	if (s->n == 0)
		return json_null();
	json = json_object();
	json_object_set_new(json, "n", json_u64(s->n));
	json_object_set_new(json, "sum_tsc", json_u64(s->sum_tsc));
	json_object_set_new(json, "mean_ns", json_number(s->mean_ns));
	json_object_set_new(json, "p50_ns", json_number(s->p50_ns));
	json_object_set_new(json, "p99_ns", json_number(s->p99_ns));
	json_object_set_new(json, "max_ns", json_number(s->max_ns));
	return json;
}

json_t *
hop_times_to_json(const struct hop_times *t, const char *name)
{
	json_t *json = json_object(), *stages = json_array();

	json_object_set_new(json, "name", json_string(name));
	json_object_set_new(json, "stages", t->known ? stages : json_null());
	if (!t->known) {
		json_decref(stages);
		return json;
	}
	for (unsigned i = 0; i < t->n_stages; i++)
		json_array_append_new(stages, json_pack("{s:i, s:s, s:o, s:o}", "stage", (int)i,
							"nf", t->stage[i].nf, "wait",
							span_to_json(&t->stage[i].wait), "service",
							span_to_json(&t->stage[i].service)));
	json_object_set_new(json, "tx_wait", span_to_json(&t->tx_wait));
	json_object_set_new(json, "total", span_to_json(&t->total));
	json_object_set_new(json, "dropped",
			    json_pack("{s:o, s:o}", "n", json_u64(t->n_dropped), "sum_tsc",
				      json_u64(t->dropped_tsc)));
	json_object_set_new(json, "tsc_hz", json_number(t->tsc_hz));
	return json;
}

static int
span_from_json(struct time_span *s, const json_t *json, struct err *err)
{
	const struct {
		const char *key;
		double *value;
	} figures[] = {
		{"mean_ns", &s->mean_ns},
		{"p50_ns", &s->p50_ns},
		{"p99_ns", &s->p99_ns},
		{"max_ns", &s->max_ns},
	};
	int rc;

	*s = no_span;
	if (json == NULL || json_is_null(json))
		return 0;
	rc = json_get_u64(json, "n", &s->n, err);
	if (rc == 0)
		rc = json_get_u64(json, "sum_tsc", &s->sum_tsc, err);
	for (size_t i = 0; rc == 0 && i < sizeof(figures) / sizeof(figures[0]); i++)
		if (!json_is_null(json_object_get(json, figures[i].key)))
			rc = json_get_double(json, figures[i].key, figures[i].value, err);
	return rc;
}

static int
stage_from_json(struct stage_times *s, const json_t *json, struct err *err)
{
	const char *nf;
	int rc = json_get_text(json, "nf", &nf, err);

	if (rc < 0)
		return rc;
	(void)str_copy(s->nf, sizeof(s->nf), nf);
	rc = err_wrap(err, span_from_json(&s->wait, json_object_get(json, "wait"), err), "wait");
	if (rc == 0)
		rc = err_wrap(err,
			      span_from_json(&s->service, json_object_get(json, "service"), err),
			      "service");
	return rc;
}

int
hop_times_from_json(struct hop_times *t, const json_t *json, struct err *err)
{
	const json_t *stages = json_object_get(json, "stages");
	int rc = 0;

	memset(t, 0, sizeof(*t));
	if (stages == NULL || json_is_null(stages))
		return 0;
	if (!json_is_array(stages) || json_array_size(stages) > HOP_MAX_STAGES)
		return err_set(err, EINVAL, "stages: not an array of up to %d", HOP_MAX_STAGES);
	t->n_stages = (unsigned)json_array_size(stages);
	for (unsigned i = 0; rc == 0 && i < t->n_stages; i++)
		rc = err_wrap(err, stage_from_json(&t->stage[i], json_array_get(stages, i), err),
			      "stages[%u]", i);
	if (rc == 0)
		rc = err_wrap(err,
			      span_from_json(&t->tx_wait, json_object_get(json, "tx_wait"), err),
			      "tx_wait");
	if (rc == 0)
		rc = err_wrap(err, span_from_json(&t->total, json_object_get(json, "total"), err),
			      "total");
	if (rc == 0)
		rc = json_get_u64(json, "dropped.n", &t->n_dropped, err);
	if (rc == 0)
		rc = json_get_u64(json, "dropped.sum_tsc", &t->dropped_tsc, err);
	if (rc == 0)
		rc = json_get_double(json, "tsc_hz", &t->tsc_hz, err);
	t->known = rc == 0;
	return rc;
}
