/* SPDX-License-Identifier: MIT */
#include "paired.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"

/* ---- writing ---- */

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
	json_object_set_new(root, "blocks", blocks_to_json(p, b));
	json_object_set_new(
		root, "instructions",
		instructions_to_json(p->arm[PAIRED_A].instructions, p->arm[b].instructions));
	json_object_set_new(root, "asserts", asserts_to_json(p));
	return root;
}

/* ---- reading ---- */

static int
get_text(const json_t *json, const char *key, char *text, size_t size, struct err *err)
{
	const char *value;
	int rc = json_get_text(json, key, &value, err);

	if (rc == 0 && !str_copy(text, size, value))
		rc = err_set(err, EINVAL, "%s: longer than %zu", key, size - 1);
	return rc;
}

/* A number, NaN for null. */
static int
get_number(const json_t *json, const char *key, double *value, struct err *err)
{
	*value = NAN;
	if (json_is_null(json_at(json, key)))
		return 0;
	return json_get_double(json, key, value, err);
}

struct number {
	const char *key;
	double *value;
};

static int
get_numbers(const json_t *json, const struct number *number, size_t n, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; i < n && rc == 0; i++)
		rc = get_number(json, number[i].key, number[i].value, err);
	return rc;
}

static int
get_count(const json_t *json, const char *key, uint64_t most, uint64_t *count, struct err *err)
{
	int rc = json_get_u64(json, key, count, err);

	if (rc == 0 && *count > most)
		rc = err_set(err, EINVAL, "%s: above %ju", key, (uintmax_t)most);
	return rc;
}

static int
verdict_from_name(const char *name, enum paired_verdict *verdict, struct err *err)
{
	for (int i = PAIRED_UNDECIDED; i <= PAIRED_EQUAL; i++) {
		*verdict = (enum paired_verdict)i;
		if (strcmp(name, paired_verdict_name(*verdict)) == 0)
			return 0;
	}
	return err_set(err, EINVAL, "verdict: '%.32s' is none", name);
}

static int
estimate_from_json(struct paired_estimate *e, const json_t *json, const char *count_key,
		   struct err *err)
{
	const struct number numbers[] = {
		{"ratio", &e->ratio},
		{"ratio_low", &e->low},
		{"ratio_high", &e->high},
		{"verdict_low", &e->verdict_low},
		{"verdict_high", &e->verdict_high},
		{"p", &e->p},
	};
	uint64_t n_blocks = 0, n_rounds = 0;
	const char *verdict;
	int rc;

	rc = get_numbers(json, numbers, N_ELEMS(numbers), err);
	if (rc == 0)
		rc = json_get_text(json, "verdict", &verdict, err);
	if (rc == 0)
		rc = verdict_from_name(verdict, &e->verdict, err);
	if (rc == 0)
		rc = get_text(json, "reason", e->reason, sizeof(e->reason), err);
	if (rc == 0)
		rc = get_count(json, count_key, UINT32_MAX, &n_blocks, err);
	if (rc == 0)
		rc = get_count(json, "n_rounds", UINT32_MAX, &n_rounds, err);
	e->n_blocks = n_blocks;
	e->n_rounds = n_rounds;
	return rc;
}

static int
plan_from_json(struct paired_plan *plan, const json_t *json, struct err *err)
{
	uint64_t slices = 0, blocks = 0, rounds = 0;
	int rc;

	plan->n_b = 1;
	rc = json_get_u64(json, "seed", &plan->seed, err);
	if (rc == 0)
		rc = json_get_u64(json, "slice_ns", &plan->slice_ns, err);
	if (rc == 0)
		rc = get_count(json, "slices_per_arm", PAIRED_MAX_SLICES, &slices, err);
	if (rc == 0)
		rc = get_count(json, "blocks_per_round", UINT32_MAX, &blocks, err);
	if (rc == 0)
		rc = get_count(json, "n_rounds", UINT32_MAX, &rounds, err);
	plan->slices_per_arm = (unsigned)slices;
	plan->blocks_per_round = (unsigned)blocks;
	plan->n_rounds = (unsigned)rounds;
	return rc;
}

static int
conf_from_json(struct paired_conf *conf, const json_t *json, struct err *err)
{
	const struct number numbers[] = {
		{"level", &conf->level},
		{"verdict_level", &conf->verdict_level},
		{"equal_within", &conf->equal_within},
		{"control_within", &conf->control_within},
	};
	const char *better;
	int rc = json_get_text(json, "better", &better, err);

	if (rc < 0)
		return rc;
	conf->higher_is_better = strcmp(better, "higher") == 0;
	if (!conf->higher_is_better && strcmp(better, "lower") != 0)
		return err_set(err, EINVAL, "better: neither 'higher' nor 'lower'");
	return get_numbers(json, numbers, N_ELEMS(numbers), err);
}

static int
one_drift_from_json(struct drift *d, const json_t *json, struct err *err)
{
	const struct number numbers[] = {
		{"tau", &d->tau},
		{"p", &d->p},
		{"slope", &d->slope},
		{"first_mean", &d->first_mean},
		{"last_mean", &d->last_mean},
	};
	uint64_t n = 0;
	int rc = get_count(json, "n", UINT32_MAX, &n, err);

	d->n = n;
	return rc < 0 ? rc : get_numbers(json, numbers, N_ELEMS(numbers), err);
}

/* The arm of a letter, or -1. */
static int
arm_of(const struct paired *p, char letter)
{
	for (unsigned arm = 0; arm < paired_n_arms(&p->plan); arm++)
		if (paired_letter(&p->plan, arm) == letter)
			return (int)arm;
	return -1;
}

/* Why the slice at 'place' is invalid, or NULL. */
static const char *
reason_of(const json_t *block, size_t place)
{
	const json_t *list = json_object_get(block, "invalid");
	const json_t *one;
	size_t i;

	json_array_foreach(list, i, one)
		if (json_integer_value(json_object_get(one, "slice")) == (json_int_t)place)
			return json_string_value(json_object_get(one, "reason"));
	return NULL;
}

static int
slices_from_json(struct paired *p, const json_t *block, struct err *err)
{
	static const char *const key[] = {"a", "b", "control"};
	size_t taken[N_ELEMS(key)] = {0};
	const char *order;
	int rc = json_get_text(block, "order", &order, err);

	if (rc == 0 && strlen(order) > N_ELEMS(p->block->slice))
		rc = err_set(err, EINVAL, "order: more than %zu slices", N_ELEMS(p->block->slice));
	for (size_t i = 0; rc == 0 && order[i] != '\0'; i++) {
		int arm = arm_of(p, order[i]);
		const json_t *value;

		if (arm < 0)
			return err_set(err, EINVAL, "order: an unknown arm");
		value = json_array_get(json_object_get(block, key[arm]), taken[arm]++);
		if (!json_is_number(value) && !json_is_null(value))
			return err_set(err, EINVAL, "%s: not a value for each slice", key[arm]);
		paired_add(p, (unsigned)arm, json_is_null(value) ? NAN : json_number_value(value),
			   reason_of(block, i));
	}
	return rc;
}

static int
block_from_json(struct paired *p, const json_t *json, struct err *err)
{
	uint64_t least = p->n_blocks > 0 ? p->block[p->n_blocks - 1].round : 0, round;
	struct paired_block *block;
	int rc;

	rc = get_count(json, "round", UINT32_MAX, &round, err);
	if (rc == 0 && round < least)
		rc = err_set(err, EINVAL, "round: below that of the block before");
	if (rc < 0)
		return rc;
	paired_begin(p, (unsigned)round);
	block = &p->block[p->n_blocks - 1];
	for (unsigned arm = 0; arm < PAIRED_MAX_ARMS; arm++)
		block->ratio[arm] = NAN;
	rc = slices_from_json(p, json, err);
	if (rc == 0)
		rc = json_get_bool(json, "valid", &block->valid, err);
	if (rc == 0)
		rc = get_text(json, "reason", block->reason, sizeof(block->reason), err);
	if (rc == 0)
		rc = get_number(json, "ratio", &block->ratio[1], err);
	return rc;
}

static int
blocks_from_json(struct paired *p, const json_t *list, struct err *err)
{
	if (!json_is_array(list))
		return err_set(err, EINVAL, "blocks: not a list");
	for (size_t i = 0; i < json_array_size(list); i++) {
		int rc = block_from_json(p, json_array_get(list, i), err);

		if (rc < 0)
			return err_wrap(err, rc, "blocks[%zu]", i);
	}
	return 0;
}

static int
label_from_json(struct paired_label *label, const json_t *json, struct err *err)
{
	int rc = get_text(json, "label", label->label, sizeof(label->label), err);

	if (rc == 0)
		rc = get_text(json, "command", label->command, sizeof(label->command), err);
	return rc;
}

static int
assert_from_json(struct paired_assert *a, const json_t *json, struct err *err)
{
	const json_t *holds = json_object_get(json, "holds");
	int rc = get_text(json, "text", a->text, sizeof(a->text), err);

	a->holds = json_is_boolean(holds) ? json_boolean_value(holds) : -1;
	if (rc == 0)
		rc = get_text(json, "sentence", a->sentence, sizeof(a->sentence), err);
	return rc;
}

static int
asserts_from_json(struct paired *p, const json_t *list, struct err *err)
{
	if (json_array_size(list) > PAIRED_MAX_ASSERTS)
		return err_set(err, EINVAL, "asserts: more than %d", PAIRED_MAX_ASSERTS);
	for (size_t i = 0; i < json_array_size(list); i++) {
		int rc = assert_from_json(&p->asserts[i], json_array_get(list, i), err);

		if (rc < 0)
			return err_wrap(err, rc, "asserts[%zu]", i);
		p->n_asserts++;
	}
	return 0;
}

static int
names_from_json(struct paired *p, const json_t *json, struct err *err)
{
	const json_t *counted = json_object_get(json, "instructions");
	int rc = get_text(json, "metric", p->metric, sizeof(p->metric), err);

	if (rc == 0)
		rc = get_text(json, "unit", p->unit, sizeof(p->unit), err);
	if (rc == 0)
		rc = label_from_json(&p->arm[0], json_object_get(json, "a"), err);
	if (rc == 0)
		rc = label_from_json(&p->arm[1], json_object_get(json, "b"), err);
	if (rc == 0 && json_is_object(counted))
		rc = get_number(counted, "a", &p->arm[0].instructions, err);
	if (rc == 0 && json_is_object(counted))
		rc = get_number(counted, "b", &p->arm[1].instructions, err);
	return rc;
}

/* Results made before places were looked at have none. */
static void
place_from_json(struct paired *p, const json_t *json)
{
	size_t n = json_array_size(json);

	p->n_places = n < PAIRED_MAX_ARMS ? (unsigned)n : PAIRED_MAX_ARMS;
	for (unsigned i = 0; i < p->n_places; i++)
		p->place[i] = log(json_number_value(json_array_get(json, i)));
}

/* What was made of the blocks. */
static int
judgement_from_json(struct paired *p, const json_t *json, struct err *err)
{
	int rc = estimate_from_json(&p->result[1], json, "n_valid", err);

	place_from_json(p, json_object_get(json, "place"));
	if (rc == 0)
		rc = json_get_bool(json, "too_noisy", &p->too_noisy, err);
	if (rc == 0 && p->plan.has_control)
		rc = estimate_from_json(&p->result[2], json_object_get(json, "control"), "n", err);
	if (rc == 0)
		rc = one_drift_from_json(&p->level_drift, json_at(json, "drift.level"), err);
	if (rc == 0)
		rc = one_drift_from_json(&p->ratio_drift, json_at(json, "drift.ratio"), err);
	return rc;
}

int
paired_from_json(struct paired *p, const json_t *json, struct err *err)
{
	struct paired_plan plan = {.has_control = json_is_object(json_object_get(json, "control"))};
	struct paired_conf conf = {0};
	int rc;

	*p = (struct paired){0};
	rc = plan_from_json(&plan, json_object_get(json, "plan"), err);
	if (rc == 0)
		rc = conf_from_json(&conf, json, err);
	if (rc == 0)
		rc = paired_init(p, &plan, &conf, err);
	if (rc == 0)
		rc = names_from_json(p, json, err);
	if (rc == 0)
		rc = judgement_from_json(p, json, err);
	if (rc == 0)
		rc = blocks_from_json(p, json_object_get(json, "blocks"), err);
	if (rc == 0)
		rc = asserts_from_json(p, json_object_get(json, "asserts"), err);
	return rc;
}
