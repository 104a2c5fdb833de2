/* SPDX-License-Identifier: MIT */
/* A comparison read back from JSON; what paired_json.c wrote. */
#include "paired.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"

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

static double
number_or_nan(const json_t *json, const char *key)
{
	const json_t *v = json_object_get(json, key);

	return json_is_number(v) ? json_number_value(v) : NAN;
}

/* Results made before rounds were told have none. */
static void
rounds_from_json(struct paired *p, const json_t *list)
{
	p->n_rounds = json_array_size(list);
	p->round = xcalloc(p->n_rounds + 1, sizeof(*p->round));
	for (size_t i = 0; i < p->n_rounds; i++) {
		const json_t *one = json_array_get(list, i);
		struct paired_round *r = &p->round[i];

		r->round = (unsigned)json_integer_value(json_object_get(one, "round"));
		r->n_valid = (size_t)json_integer_value(json_object_get(one, "n_valid"));
		r->ratio[1] = number_or_nan(one, "ratio");
		r->ratio[2] = number_or_nan(one, "control");
	}
}

/* Nor had they looked at places. */
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
	rounds_from_json(p, json_object_get(json, "rounds"));
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
