/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <stdlib.h>

#include "base/json.h"
#include "base/mem.h"
#include "sweep_run.h"

/* A sweep as JSON. */

static json_t *
axes_json(const struct sweep_conf *conf)
{
	json_t *axes = json_object();

	for (size_t i = 0; i < SWEEP_N_AXES; i++) {
		json_t *list = json_array();

		for (size_t k = 0; k < conf->axis[i].n; k++)
			json_array_append_new(list, json_real(conf->axis[i].value[k]));
		json_object_set_new(axes, sweep_axis_name((enum sweep_axis_id)i), list);
	}
	return axes;
}

static json_t *
turns_json(const struct sweep *s, const struct sweep_cell *cell)
{
	json_t *list = json_array();

	for (size_t i = 0; i < cell->n_turns; i++) {
		const struct sweep_kept *k = &cell->turns[i];
		bool valid = !isnan(k->turn.pps);

		json_array_append_new(
			list,
			json_pack("{s:i, s:i, s:s, s:o, s:o, s:o, s:b, s:o}", "round",
				  (int)k->turn.round, "block", (int)k->turn.block, "engine",
				  s->conf->arm[k->turn.arm].label, "pps", json_number(k->turn.pps),
				  "frames", json_u64(k->frames), "ns", json_u64(k->ns), "valid",
				  valid, "reason", valid ? json_null() : json_string(k->reason)));
	}
	return list;
}

static json_t *
ledger_json(const struct alone_ledger *l)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:o}", "rx", json_u64(l->rx), "created",
			 json_u64(l->created), "tx", json_u64(l->tx), "drops", json_u64(l->drops),
			 "in_flight", json_u64(l->in_flight));
}

static json_t *
arm_json(const struct sweep *s, const struct sweep_cell *cell, unsigned arm,
	 const struct sweep_estimate *e)
{
	char **words = sweep_arm_words(&s->conf->arm[arm], s->conf, &cell->point);
	const struct alone_spec spec = sweep_spec(s, cell, arm, words);
	char *command = cell->measurable ? alone_command(&spec) : NULL;
	json_t *json = json_pack("{s:s, s:o, s:o, s:o, s:o, s:i, s:i, s:o, s:o}", "engine",
				 s->conf->arm[arm].label, "pps", json_number(e->pps), "ratio",
				 json_number(e->ratio), "ratio_low", json_number(e->low),
				 "ratio_high", json_number(e->high), "n_turns", (int)e->n_turns,
				 "n_valid", (int)e->n_valid, "ledger",
				 cell->n_turns > 0 ? ledger_json(&cell->ledger[arm]) : json_null(),
				 "command", command != NULL ? json_string(command) : json_null());

	free(command);
	sweep_words_free(words);
	return json;
}

static void
judge(const struct sweep *s, const struct sweep_cell *cell, struct sweep_verdict *v)
{
	struct sweep_turn *turns = xcalloc(cell->n_turns + 1, sizeof(*turns));

	for (size_t i = 0; i < cell->n_turns; i++)
		turns[i] = cell->turns[i].turn;
	sweep_judge(v, turns, cell->n_turns, s->conf->n_arms);
	free(turns);
}

static json_t *
label_or_null(const struct sweep *s, const struct sweep_verdict *v, unsigned arm)
{
	return v->outcome != SWEEP_UNKNOWN && arm < s->conf->n_arms
		       ? json_string(s->conf->arm[arm].label)
		       : json_null();
}

static json_t *
cell_json(const struct sweep *s, const struct sweep_cell *cell)
{
	json_t *json = json_object(), *arms = json_array();
	struct sweep_verdict v;

	judge(s, cell, &v);
	for (size_t i = 0; i < SWEEP_N_AXES; i++)
		json_object_set_new(json, sweep_axis_name((enum sweep_axis_id)i),
				    json_real(cell->point.at[i]));
	json_object_set_new(json, "measured", json_boolean(cell->n_turns > 0));
	json_object_set_new(json, "reason",
			    cell->measurable
				    ? json_null()
				    : json_sprintf("%.0f lcores need as many CPUs, and "
						   "here are %zu",
						   cell->point.at[SWEEP_LCORES], s->allowed.n));
	json_object_set_new(json, "outcome", json_string(sweep_outcome_name(v.outcome)));
	json_object_set_new(json, "best", label_or_null(s, &v, v.best));
	json_object_set_new(json, "second", label_or_null(s, &v, v.second));
	json_object_set_new(json, "margin", json_number(v.margin));
	json_object_set_new(json, "margin_low", json_number(v.margin_low));
	json_object_set_new(json, "margin_high", json_number(v.margin_high));
	json_object_set_new(json, "n_units", json_integer(v.n_units));
	json_object_set_new(json, "unit", json_string(v.by_round ? "round" : "block"));
	for (unsigned arm = 0; arm < s->conf->n_arms; arm++)
		json_array_append_new(arms, arm_json(s, cell, arm, &v.arm[arm]));
	json_object_set_new(json, "engines", arms);
	json_object_set_new(json, "turns", turns_json(s, cell));
	return json;
}

json_t *
sweep_to_json(const struct sweep *s)
{
	const struct sweep_conf *conf = s->conf;
	json_t *engines = json_array(), *cells = json_array();
	json_t *json =
		json_pack("{s:o, s:o, s:s, s:i, s:i, s:o, s:o, s:o, s:i, s:i, s:i}", "axes",
			  axes_json(conf), "engines", engines, "sched", conf->sched, "vector",
			  (int)conf->vector, "classes", (int)conf->classes, "flow_seed",
			  conf->flow_seed > 0 ? json_u64(conf->flow_seed) : json_null(), "seed",
			  json_u64(conf->seed), "turn_ns", json_u64(conf->turn_ns), "n_rounds",
			  (int)s->plan.n_rounds, "n_cpus", (int)s->allowed.n, "n_unbalanced",
			  (int)s->n_unbalanced);

	for (unsigned arm = 0; arm < conf->n_arms; arm++)
		json_array_append_new(engines, json_string(conf->arm[arm].label));
	for (size_t i = 0; i < s->n_cells; i++)
		json_array_append_new(cells, cell_json(s, &s->cell[i]));
	json_object_set_new(json, "cells", cells);
	return json;
}
