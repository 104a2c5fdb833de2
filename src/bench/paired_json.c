/* SPDX-License-Identifier: MIT */
#include "paired.h"

#include <math.h>

#include "base/json.h"
#include "base/mem.h"

static void
set_estimate(json_t *to, const struct paired_estimate *e)
{
	json_object_set_new(to, "ratio", json_number(e->ratio));
	json_object_set_new(to, "ratio_low", json_number(e->low));
	json_object_set_new(to, "ratio_high", json_number(e->high));
	json_object_set_new(to, "verdict_low", json_number(e->verdict_low));
	json_object_set_new(to, "verdict_high", json_number(e->verdict_high));
	json_object_set_new(to, "p", json_number(e->p));
	json_object_set_new(to, "verdict", json_string(paired_verdict_name(e->verdict)));
	json_object_set_new(to, "reason", json_string(e->reason));
}

static json_t *
label_to_json(const struct paired_label *label)
{
	json_t *one = json_object();

	json_object_set_new(one, "label", json_string(label->label));
	json_object_set_new(one, "command", json_string(label->command));
	return one;
}

static json_t *
control_to_json(const struct paired *p)
{
	const struct paired_estimate *e = &p->result[p->plan.n_b + 1];
	json_t *one;

	if (!p->plan.has_control)
		return json_null();
	one = json_object();
	set_estimate(one, e);
	json_object_set_new(one, "n", json_u64(e->n_blocks));
	json_object_set_new(one, "n_rounds", json_u64(e->n_rounds));
	return one;
}

static json_t *
one_drift_to_json(const struct drift *d)
{
	json_t *one = json_object();

	json_object_set_new(one, "n", json_u64(d->n));
	json_object_set_new(one, "tau", json_number(d->tau));
	json_object_set_new(one, "p", json_number(d->p));
	json_object_set_new(one, "slope", json_number(d->slope));
	json_object_set_new(one, "first_mean", json_number(d->first_mean));
	json_object_set_new(one, "last_mean", json_number(d->last_mean));
	return one;
}

static json_t *
drift_to_json(const struct paired *p)
{
	json_t *one = json_object();

	json_object_set_new(one, "level", one_drift_to_json(&p->level_drift));
	json_object_set_new(one, "ratio", one_drift_to_json(&p->ratio_drift));
	return one;
}

static json_t *
place_to_json(const struct paired *p)
{
	json_t *array = json_array();

	for (unsigned i = 0; i < p->n_places; i++)
		json_array_append_new(array, json_number(exp(p->place[i])));
	return array;
}

static json_t *
plan_to_json(const struct paired_plan *plan)
{
	json_t *one = json_object();

	json_object_set_new(one, "seed", json_u64(plan->seed));
	json_object_set_new(one, "slice_ns", json_u64(plan->slice_ns));
	json_object_set_new(one, "slices_per_arm", json_u64(plan->slices_per_arm));
	json_object_set_new(one, "blocks_per_round", json_u64(plan->blocks_per_round));
	json_object_set_new(one, "n_rounds", json_u64(plan->n_rounds));
	return one;
}

static json_t *
values_to_json(const struct paired_block *block, unsigned arm)
{
	json_t *list = json_array();

	for (size_t i = 0; i < block->n_slices; i++)
		if (block->slice[i].arm == arm)
			json_array_append_new(list, json_number(block->slice[i].value));
	return list;
}

/* The letter of a slice's arm in a comparison of B number 'b' alone, or 0: of another B. */
static char
letter_for(const struct paired *p, unsigned b, unsigned arm)
{
	if (arm != PAIRED_A && arm <= p->plan.n_b)
		return arm == b ? 'B' : 0;
	return paired_letter(&p->plan, arm);
}

/* Sets "order", and "invalid": why which slices of it are. */
static void
set_order(json_t *to, const struct paired *p, const struct paired_block *block, unsigned b)
{
	char order[N_ELEMS(block->slice) + 1] = "";
	json_t *invalid = json_array();
	size_t n = 0;

	for (size_t i = 0; i < block->n_slices; i++) {
		const struct paired_slice *slice = &block->slice[i];
		char letter = letter_for(p, b, slice->arm);

		if (letter == 0)
			continue;
		if (isnan(slice->value))
			json_array_append_new(invalid,
					      json_pack("{s:I, s:s}", "slice", (json_int_t)n,
							"reason", slice->reason));
		order[n++] = letter;
	}
	json_object_set_new(to, "order", json_string(order));
	json_object_set_new(to, "invalid", invalid);
}

static json_t *
block_to_json(const struct paired *p, const struct paired_block *block, unsigned b)
{
	json_t *one = json_object();

	json_object_set_new(one, "round", json_u64(block->round));
	set_order(one, p, block, b);
	json_object_set_new(one, "a", values_to_json(block, PAIRED_A));
	json_object_set_new(one, "b", values_to_json(block, b));
	json_object_set_new(one, "control",
			    p->plan.has_control ? values_to_json(block, p->plan.n_b + 1)
						: json_null());
	json_object_set_new(one, "ratio", json_number(block->ratio[b]));
	json_object_set_new(one, "valid", json_boolean(block->valid));
	json_object_set_new(one, "reason", json_string(block->reason));
	return one;
}

static json_t *
blocks_to_json(const struct paired *p, unsigned b)
{
	json_t *list = json_array();

	for (size_t i = 0; i < p->n_blocks; i++)
		json_array_append_new(list, block_to_json(p, &p->block[i], b));
	return list;
}

static json_t *
rounds_to_json(const struct paired *p, unsigned b)
{
	json_t *list = json_array();

	for (size_t i = 0; i < p->n_rounds; i++) {
		const struct paired_round *r = &p->round[i];
		double control = p->plan.has_control ? r->ratio[p->plan.n_b + 1] : NAN;

		json_array_append_new(
			list, json_pack("{s:i, s:o, s:o, s:o}", "round", (int)r->round, "n_valid",
					json_u64(r->n_valid), "ratio", json_number(r->ratio[b]),
					"control", json_number(control)));
	}
	return list;
}

static json_t *
instructions_to_json(double a, double b)
{
	json_t *one;

	if (isnan(a) && isnan(b))
		return json_null();
	one = json_object();
	json_object_set_new(one, "a", json_number(a));
	json_object_set_new(one, "b", json_number(b));
	json_object_set_new(one, "ratio", json_number(b / a));
	return one;
}

static json_t *
asserts_to_json(const struct paired *p)
{
	json_t *list = json_array();

	for (size_t i = 0; i < p->n_asserts; i++) {
		const struct paired_assert *a = &p->asserts[i];
		json_t *one = json_object();

		json_object_set_new(one, "text", json_string(a->text));
		json_object_set_new(one, "holds",
				    a->holds < 0 ? json_null() : json_boolean(a->holds));
		json_object_set_new(one, "sentence", json_string(a->sentence));
		json_array_append_new(list, one);
	}
	return list;
}

json_t *
paired_to_json(const struct paired *p, unsigned b)
{
	const struct paired_conf *conf = &p->conf;
	json_t *root = json_object();

	json_object_set_new(root, "metric", json_string(p->metric));
	json_object_set_new(root, "unit", json_string(p->unit));
	json_object_set_new(root, "better",
			    json_string(conf->higher_is_better ? "higher" : "lower"));
	json_object_set_new(root, "a", label_to_json(&p->arm[PAIRED_A]));
	json_object_set_new(root, "b", label_to_json(&p->arm[b]));
	json_object_set_new(root, "level", json_number(conf->level));
	json_object_set_new(root, "verdict_level", json_number(conf->verdict_level));
	json_object_set_new(root, "n_blocks", json_u64(p->n_blocks));
	json_object_set_new(root, "n_valid", json_u64(p->result[b].n_blocks));
	json_object_set_new(root, "n_rounds", json_u64(p->result[b].n_rounds));
	set_estimate(root, &p->result[b]);
	json_object_set_new(root, "too_noisy", json_boolean(p->too_noisy));
	json_object_set_new(root, "equal_within", json_number(conf->equal_within));
	json_object_set_new(root, "control_within", json_number(conf->control_within));
	json_object_set_new(root, "control", control_to_json(p));
	json_object_set_new(root, "drift", drift_to_json(p));
	json_object_set_new(root, "place", place_to_json(p));
	json_object_set_new(root, "plan", plan_to_json(&p->plan));
	json_object_set_new(root, "rounds", rounds_to_json(p, b));
	json_object_set_new(root, "blocks", blocks_to_json(p, b));
	json_object_set_new(
		root, "instructions",
		instructions_to_json(p->arm[PAIRED_A].instructions, p->arm[b].instructions));
	json_object_set_new(root, "asserts", asserts_to_json(p));
	return root;
}
