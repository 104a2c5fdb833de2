/* SPDX-License-Identifier: MIT */
#include "csv.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"

#include "figure.h"
#include "sweep.h"
#include "text_parts.h"
#include "trials.h"

/* Where the value of a column is found. */
enum of { OF_MEASUREMENT, OF_SEARCH, OF_TRIAL };

static const struct {
	const char *name;
	enum of of;
	const char *path;
} columns[] = {
	{"frames", OF_MEASUREMENT, "frames"},
	{"mean_frame_size_bytes", OF_MEASUREMENT, "mean_frame_size"},
	{"kind", OF_MEASUREMENT, "kind"},
	{"accepted_pps", OF_SEARCH, "accepted_pps"},
	{"verdict", OF_TRIAL, "verdict"},
	{"class", OF_TRIAL, "class"},
	{"rate_pps", OF_TRIAL, "spec.rate_pps"},
	{"duration_ns", OF_TRIAL, "spec.duration_ns"},
	{"flat_out", OF_TRIAL, "spec.flat_out"},
	{"elapsed_s", OF_TRIAL, "elapsed_s"},
	{"loss_ratio", OF_TRIAL, "loss_ratio"},
	{"intended_frames", OF_TRIAL, "slots.intended"},
	{"sent_frames", OF_TRIAL, "slots.sent"},
	{"refused_frames", OF_TRIAL, "slots.refused"},
	{"late_frames", OF_TRIAL, "slots.late"},
	{"received_frames", OF_TRIAL, "frames.received"},
	{"ok_frames", OF_TRIAL, "frames.ok"},
	{"duplicate_frames", OF_TRIAL, "frames.duplicate"},
	{"reordered_frames", OF_TRIAL, "frames.reordered"},
	{"corrupt_frames", OF_TRIAL, "frames.corrupt"},
	{"truncated_frames", OF_TRIAL, "frames.truncated"},
	{"misdelivered_frames", OF_TRIAL, "frames.misdelivered"},
	{"reflected_frames", OF_TRIAL, "frames.reflected"},
	{"overdue_frames", OF_TRIAL, "frames.overdue"},
	{"foreign_frames", OF_TRIAL, "frames.foreign"},
	{"created_frames", OF_TRIAL, "ledger.created"},
	{"dropped_frames", OF_TRIAL, "ledger.drops"},
	{"missed_frames", OF_TRIAL, "ledger.miss"},
	{"in_flight_frames", OF_TRIAL, "ledger.in_flight"},
	{"lost_frames", OF_TRIAL, "ledger.lost"},
	{"unexplained_frames", OF_TRIAL, "ledger.unexplained"},
	{"inside_frames", OF_TRIAL, "ledger.inside"},
	{"residual_frames", OF_TRIAL, "ledger.residual"},
	{"never_seen_frames", OF_TRIAL, "ledger.never_seen"},
	{"unidentified_frames", OF_TRIAL, "ledger.unidentified"},
	{"disagreement_frames", OF_TRIAL, "ledger.disagreement"},
	{"balanced", OF_TRIAL, "ledger.balanced"},
	{"generator_port0_rx_frames", OF_TRIAL, "ledger.generator[0].rx"},
	{"generator_port0_tx_frames", OF_TRIAL, "ledger.generator[0].tx"},
	{"generator_port0_missed_frames", OF_TRIAL, "ledger.generator[0].miss"},
	{"generator_port1_rx_frames", OF_TRIAL, "ledger.generator[1].rx"},
	{"generator_port1_tx_frames", OF_TRIAL, "ledger.generator[1].tx"},
	{"generator_port1_missed_frames", OF_TRIAL, "ledger.generator[1].miss"},
	{"latency_samples", OF_TRIAL, "latency.n"},
	{"latency_min_ns", OF_TRIAL, "latency.min_ns"},
	{"latency_mean_ns", OF_TRIAL, "latency.mean_ns"},
	{"latency_p50_ns", OF_TRIAL, "latency.p50_ns"},
	{"latency_p90_ns", OF_TRIAL, "latency.p90_ns"},
	{"latency_p99_ns", OF_TRIAL, "latency.p99_ns"},
	{"latency_p999_ns", OF_TRIAL, "latency.p999_ns"},
	{"latency_p9999_ns", OF_TRIAL, "latency.p9999_ns"},
	{"latency_max_ns", OF_TRIAL, "latency.max_ns"},
	{"latency_accuracy_ns", OF_TRIAL, "latency_accuracy_ns"},
	{"interrupted", OF_TRIAL, "interrupted"},
	{"fault", OF_TRIAL, "fault"},
	{"reason", OF_TRIAL, "reason"},
};

/* Of each hop; the name and the path behind "ledger.hops[i]". */
static const struct {
	const char *name, *path;
} hop_columns[] = {
	{"name", "name"},
	{"port0_rx_frames", "ports[0].rx"},
	{"port0_tx_frames", "ports[0].tx"},
	{"port0_missed_frames", "ports[0].miss"},
	{"port1_rx_frames", "ports[1].rx"},
	{"port1_tx_frames", "ports[1].tx"},
	{"port1_missed_frames", "ports[1].miss"},
	{"created_frames", "created"},
	{"in_flight_frames", "in_flight"},
	{"dropped_frames", "drops"},
};

/* What the columns behind the fixed ones are: the sensors of all trials, and the longest chain. */
struct shape {
	json_t *noise; /* names, as the keys of an object, in the order they were seen */
	size_t n_hops;
	size_t n_links;
};

/* ---- fields ---- */

static void
add_text(struct str *out, const char *text)
{
	if (strpbrk(text, ",\"\r\n") == NULL) {
		str_addf(out, "%s", text);
		return;
	}
	str_addf(out, "\"");
	for (; *text != '\0'; text++) {
		if (*text == '"')
			str_addf(out, "\"");
		str_addn(out, text, 1);
	}
	str_addf(out, "\"");
}

/* "tx_full:10 runt:2" */
static void
add_counts(struct str *out, json_t *counts)
{
	struct str s = {0};
	const char *name;
	json_t *n;

	json_object_foreach(counts, name, n) {
		str_addf(&s, "%s%s:", s.len > 0 ? " " : "", name);
		if (json_is_integer(n))
			str_addf(&s, "%" JSON_INTEGER_FORMAT, json_integer_value(n));
	}
	add_text(out, str_text(&s));
	str_fini(&s);
}

/* A comma, and the value; null and what is no value is nothing. */
static void
add_value(struct str *out, json_t *value)
{
	str_addf(out, ",");
	if (json_is_string(value))
		add_text(out, json_string_value(value));
	else if (json_is_integer(value))
		str_addf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
	else if (json_is_real(value))
		figure_exact(out, json_real_value(value));
	else if (json_is_boolean(value))
		str_addf(out, json_is_true(value) ? "true" : "false");
	else if (json_is_object(value))
		add_counts(out, value);
}

/* The value at a path; the list of reasons is written, never changed. */
static json_t *
at(const json_t *root, const char *path)
{
	return (json_t *)(uintptr_t)json_at(root, path);
}

/* ---- rows ---- */

static void
add_header(struct str *out, const struct shape *shape)
{
	const char *name;
	json_t *unused;

	str_addf(out, "measurement,search,trial");
	for (size_t i = 0; i < N_ELEMS(columns); i++)
		str_addf(out, ",%s", columns[i].name);
	json_object_foreach(shape->noise, name, unused) {
		char *column = xasprintf("noise_%s", name);

		str_addf(out, ",");
		add_text(out, column);
		free(column);
	}
	for (size_t i = 0; i < shape->n_hops; i++)
		for (size_t k = 0; k < N_ELEMS(hop_columns); k++)
			str_addf(out, ",hop%zu_%s", i, hop_columns[k].name);
	for (size_t i = 0; i < shape->n_links; i++)
		str_addf(out, ",link%zu_lost_forward_frames,link%zu_lost_backward_frames", i, i);
	str_addf(out, "\r\n");
}

static void
add_ledger(struct str *out, const struct shape *shape, const json_t *trial)
{
	const json_t *hops = json_at(trial, "ledger.hops"), *links = json_at(trial, "ledger.links");

	for (size_t i = 0; i < shape->n_hops; i++)
		for (size_t k = 0; k < N_ELEMS(hop_columns); k++)
			add_value(out, at(json_array_get(hops, i), hop_columns[k].path));
	for (size_t i = 0; i < shape->n_links; i++) {
		add_value(out, at(json_array_get(links, i), "lost_forward"));
		add_value(out, at(json_array_get(links, i), "lost_backward"));
	}
}

/* Measurement, search and trial are counted from 1. */
static void
add_row(struct str *out, const struct shape *shape, const json_t *m, size_t i, size_t no,
	const struct trials_one *one)
{
	const json_t *search = json_array_get(json_object_get(m, "searches"), one->search);
	const json_t *roots[] = {
		[OF_MEASUREMENT] = m, [OF_SEARCH] = search, [OF_TRIAL] = one->json};
	const char *name;
	json_t *unused;

	str_addf(out, "%zu,%zu,%zu", i + 1, one->search + 1, no);
	for (size_t k = 0; k < N_ELEMS(columns); k++)
		add_value(out, at(roots[columns[k].of], columns[k].path));
	json_object_foreach(shape->noise, name, unused)
		add_value(out, json_object_get(json_object_get(one->json, "noise"), name));
	add_ledger(out, shape, one->json);
	str_addf(out, "\r\n");
}

/* ---- the table ---- */

/* A list, such as the sensors of each lcore, fits no field; it stays in result.json. */
static void
learn_noise(struct shape *shape, json_t *noise)
{
	const char *name;
	json_t *value;

	json_object_foreach(noise, name, value)
		if (!json_is_array(value) && !json_is_object(value))
			json_object_set_new(shape->noise, name, json_null());
}

static void
learn(struct shape *shape, const struct trials *list)
{
	for (size_t i = 0; i < list->n; i++) {
		const json_t *trial = list->one[i].json;
		size_t hops = json_array_size(json_at(trial, "ledger.hops"));
		size_t links = json_array_size(json_at(trial, "ledger.links"));

		learn_noise(shape, json_object_get(trial, "noise"));
		shape->n_hops = hops > shape->n_hops ? hops : shape->n_hops;
		shape->n_links = links > shape->n_links ? links : shape->n_links;
	}
}

char *
csv_render(const json_t *result)
{
	const json_t *list = json_object_get(result, "measurements");
	struct shape shape = {.noise = json_object()};
	struct trials trials;
	struct str out = {0};
	struct sweep_view sweep;

	if (sweep_view_init(&sweep, result)) {
		json_decref(shape.noise);
		sweep_csv(&out, &sweep);
		return str_take(&out);
	}
	for (size_t i = 0; i < json_array_size(list); i++) {
		trials_init(&trials, json_array_get(list, i));
		learn(&shape, &trials);
		trials_fini(&trials);
	}
	add_header(&out, &shape);
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *m = json_array_get(list, i);

		trials_init(&trials, m);
		for (size_t k = 0; k < trials.n; k++)
			add_row(&out, &shape, m, i, k + 1, &trials.one[k]);
		trials_fini(&trials);
	}
	json_decref(shape.noise);
	return str_take(&out);
}
