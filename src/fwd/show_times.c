/* SPDX-License-Identifier: MIT */
#include "show_times.h"

#include <math.h>
#include <stdio.h>

#include <rte_telemetry.h>

#include "base/json.h"
#include "base/str.h"
#include "dpdk/compat.h"
#include "dpdk/tsc.h"
#include "nf_list.h"
#include "stage_times.h"

static double
ns_of(uint64_t tsc)
{
	return (double)tsc * 1e9 / (double)tsc_hz();
}

/* Whole ones; the last bucket has no end. */
static uint64_t
whole_ns(uint64_t tsc)
{
	return (uint64_t)llround(fmin(ns_of(tsc), 1e18));
}

static json_t *
duration_json(const struct times_sum *s, uint64_t tsc)
{
	return s->n > 0 ? json_u64(whole_ns(tsc)) : json_null();
}

static json_t *
buckets_json(const struct times_sum *s)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < TIMES_BUCKETS; i++) {
		json_t *pair;

		if (s->bucket[i] == 0)
			continue;
		pair = json_array();
		json_array_append_new(pair, json_u64(whole_ns(times_bucket_high(i))));
		json_array_append_new(pair, json_u64(s->bucket[i]));
		json_array_append_new(list, pair);
	}
	return list;
}

static json_t *
span_json(const struct fwd *fwd, enum times_kind kind, unsigned stage, bool buckets)
{
	json_t *json = json_object();
	struct times_sum s;

	times_sum_up(fwd, kind, stage, &s);
	json_object_set_new(json, "n", json_u64(s.n));
	json_object_set_new(json, "sum_tsc", json_u64(s.sum));
	json_object_set_new(json, "mean_ns",
			    json_number(s.n > 0 ? ns_of(s.sum) / (double)s.n : NAN));
	json_object_set_new(json, "p50_ns", duration_json(&s, times_quantile(&s, 0.5)));
	json_object_set_new(json, "p99_ns", duration_json(&s, times_quantile(&s, 0.99)));
	json_object_set_new(json, "max_ns", duration_json(&s, s.max));
	if (buckets)
		json_object_set_new(json, "buckets", buckets_json(&s));
	return json;
}

/* "l2fwd+work:300", as --stage-nf has it; "" for a stage without functions. */
static json_t *
functions_json(const struct fwd *fwd, unsigned stage)
{
	struct nf_list list = {0};
	struct str s = {0};
	struct err err = {0};
	json_t *json;

	/* They were opened, so they are well spelt. */
	(void)nf_list_of_stage(&list, fwd->conf, stage, &err);
	for (unsigned i = 0; i < list.n; i++)
		str_addf(&s, "%s%s", i > 0 ? "+" : "", list.spec[i]);
	json = json_string(str_text(&s));
	str_fini(&s);
	return json;
}

static void
add_stage(const struct fwd *fwd, json_t *stages, unsigned i, bool buckets)
{
	json_t *stage = json_array_get(stages, i);
	bool waits = fwd->plan.roles.n_stages > 0;

	if (stage == NULL) {
		stage = json_object();
		json_array_append_new(stages, stage);
	}
	json_object_set_new(stage, "nf", functions_json(fwd, i));
	json_object_set_new(stage, "wait",
			    waits ? span_json(fwd, TIMES_WAIT, i, buckets) : json_null());
	json_object_set_new(stage, "service", span_json(fwd, TIMES_SERVICE, i, buckets));
}

static json_t *
dropped_json(const struct fwd *fwd)
{
	uint64_t n, sum;

	times_dropped_sum(fwd, &n, &sum);
	return json_pack("{s:o, s:o}", "n", json_u64(n), "sum_tsc", json_u64(sum));
}

void
show_times_add(const struct fwd *fwd, json_t *root, bool buckets)
{
	json_t *stages = json_object_get(root, "stages");

	if (!fwd->conf->stage_times)
		return;
	if (stages == NULL) {
		stages = json_array();
		json_object_set_new(root, "stages", stages);
	}
	for (unsigned i = 0; i < times_n_stages(fwd); i++)
		add_stage(fwd, stages, i, buckets);
	json_object_set_new(root, "times",
			    json_pack("{s:o, s:o, s:o}", "tx_wait",
				      span_json(fwd, TIMES_TX_WAIT, 0, buckets), "total",
				      span_json(fwd, TIMES_TOTAL, 0, buckets), "dropped",
				      dropped_json(fwd)));
}

/* ---- telemetry ---- */

static struct fwd *telemetry_fwd;

static void
add_span(struct rte_tel_data *d, const char *name, enum times_kind kind, unsigned stage)
{
	struct times_sum s;
	char key[64];

	times_sum_up(telemetry_fwd, kind, stage, &s);
	const struct {
		const char *what;
		uint64_t value;
	} figures[] = {
		{"frames", s.n},
		{"mean_ns", s.n > 0 ? (uint64_t)llround(ns_of(s.sum) / (double)s.n) : 0},
		{"p50_ns", whole_ns(times_quantile(&s, 0.5))},
		{"p99_ns", whole_ns(times_quantile(&s, 0.99))},
		{"max_ns", whole_ns(s.max)},
	};

	for (size_t i = 0; i < RTE_DIM(figures); i++) {
		snprintf(key, sizeof(key), "%s_%s", name, figures[i].what);
		compat_tel_dict_uint(d, key, figures[i].value);
	}
}

static int
telemetry_times(const char *cmd, const char *params, struct rte_tel_data *d)
{
	bool waits = telemetry_fwd->plan.roles.n_stages > 0;
	char name[32];

	(void)cmd, (void)params;
	rte_tel_data_start_dict(d);
	for (unsigned i = 0; i < times_n_stages(telemetry_fwd); i++) {
		snprintf(name, sizeof(name), "wait%u", i);
		if (waits)
			add_span(d, name, TIMES_WAIT, i);
		snprintf(name, sizeof(name), "service%u", i);
		add_span(d, name, TIMES_SERVICE, i);
	}
	add_span(d, "tx_wait", TIMES_TX_WAIT, 0);
	add_span(d, "total", TIMES_TOTAL, 0);
	return 0;
}

void
show_times_register(struct fwd *fwd)
{
	telemetry_fwd = fwd;
	if (fwd->conf->stage_times)
		rte_telemetry_register_cmd("/nfvchain/times", telemetry_times,
					   "Waits and services of the stages. No parameters");
}
