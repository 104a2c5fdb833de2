/* SPDX-License-Identifier: MIT */
#include "paired.h"

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/mem.h"
#include "paired_session.h"

static void
make(struct paired *p, unsigned n_b, bool has_control)
{
	static const double arms[] = {1, 1.1, 1, 1, 1};
	const struct paired_plan plan = {
		.seed = 11,
		.slice_ns = 100000000,
		.n_b = n_b,
		.has_control = has_control,
		.slices_per_arm = 2,
		.blocks_per_round = 3,
		.n_rounds = 4,
	};
	struct session_machine m;
	struct paired_conf conf;
	struct err err;

	paired_conf_init(&conf);
	assert_int_equal(paired_init(p, &plan, &conf, &err), 0);
	session_machine_init(&m, &session_vm, 3);
	session_run(p, &m, arms);
	strcpy(p->metric, "rate");
	strcpy(p->unit, "pps");
	strcpy(p->arm[0].label, "old");
	strcpy(p->arm[1].label, "new");
	strcpy(p->arm[1].command, "forwarder --burst 64");
}

/* Written, read, and written again as the same text; returns it. */
static char *
assert_round_trip(const struct paired *p, unsigned b)
{
	json_t *json = paired_to_json(p, b), *again;
	char *text = json_dumps(json, 0), *text_again;
	struct paired back;
	struct err err = {0};

	assert_int_equal(paired_from_json(&back, json, &err), 0);
	again = paired_to_json(&back, 1);
	text_again = json_dumps(again, 0);
	assert_string_equal(text, text_again);
	free(text_again);
	json_decref(json);
	json_decref(again);
	paired_fini(&back);
	return text;
}

static void
all_of_it_comes_back(void **state)
{
	struct paired p;
	char *text;

	(void)state;
	make(&p, 1, true);
	free(assert_round_trip(&p, 1));
	p.arm[0].instructions = 12;
	p.arm[1].instructions = 9;
	p.n_asserts = 3;
	for (int i = 0; i < 3; i++) {
		strcpy(p.asserts[i].text, "ratio >= 1");
		strcpy(p.asserts[i].sentence, "it is");
		p.asserts[i].holds = i - 1;
	}
	text = assert_round_trip(&p, 1);
	assert_non_null(strstr(text, "\"holds\": null"));
	free(text);
	p.conf.higher_is_better = false;
	paired_judge(&p);
	free(assert_round_trip(&p, 1));
	paired_fini(&p);
	make(&p, 1, false);
	free(assert_round_trip(&p, 1));
	paired_fini(&p);
}

static void
several_bs_are_one_comparison_each(void **state)
{
	struct paired p;
	json_t *json;
	char *text;

	(void)state;
	make(&p, 3, true);
	text = assert_round_trip(&p, 2);
	json = json_loads(text, 0, NULL);
	assert_int_equal(json_array_size(json_at(json, "blocks[0].b")), 2);
	assert_int_equal(strlen(json_string_value(json_at(json, "blocks[0].order"))), 6);
	assert_true(json_number_value(json_at(json, "ratio")) == p.result[2].ratio);
	json_decref(json);
	free(text);
	paired_fini(&p);
}

static void
unknown_is_null(void **state)
{
	struct paired p;
	json_t *json;
	char *text;

	(void)state;
	make(&p, 1, true);
	p.block[0].slice[0].value = NAN;
	strcpy(p.block[0].slice[0].reason, "stalled");
	for (size_t i = 0; i < 6; i++)
		p.block[1].slice[i].value = NAN;
	p.n_blocks = 2;
	paired_judge(&p);
	text = assert_round_trip(&p, 1);
	json = json_loads(text, 0, NULL);
	assert_true(json_is_null(json_at(json, "ratio_low")));
	assert_true(json_is_null(json_at(json, "instructions")));
	assert_true(json_is_null(json_at(json, "blocks[1].ratio")));
	assert_true(json_is_null(json_at(json, "blocks[1].a[0]")));
	assert_true(json_is_false(json_at(json, "blocks[1].valid")));
	assert_string_equal(json_string_value(json_at(json, "blocks[0].invalid[0].reason")),
			    "stalled");
	assert_string_equal(json_string_value(json_at(json, "verdict")), "undecided");
	json_decref(json);
	free(text);
	paired_fini(&p);
}

static void
every_missing_key_is_told(void **state)
{
	static const char *const keys[] = {
		"metric",  "unit",	   "better",  "a",	"b",	"level", "verdict_level",
		"n_valid", "n_rounds",	   "verdict", "reason", "plan", "drift", "too_noisy",
		"blocks",  "equal_within",
	};
	struct paired p, back;
	struct err err;

	(void)state;
	make(&p, 1, true);
	for (unsigned i = 0; i < N_ELEMS(keys); i++) {
		json_t *json = paired_to_json(&p, 1);

		assert_int_equal(json_object_del(json, keys[i]), 0);
		err = (struct err){0};
		assert_true(paired_from_json(&back, json, &err) < 0);
		assert_true(strlen(err.msg) > 0);
		paired_fini(&back);
		json_decref(json);
	}
	paired_fini(&p);
}

static void
assert_refused(const struct paired *p, const char *block, const char *key, json_t *value,
	       const char *want)
{
	json_t *json = paired_to_json(p, 1), *at = json;
	struct paired back;
	struct err err = {0};

	if (block != NULL)
		at = json_array_get(json_object_get(json, "blocks"), 1);
	json_object_set_new(at, key, value);
	assert_int_equal(paired_from_json(&back, json, &err), -EINVAL);
	assert_string_equal(err.msg, want);
	paired_fini(&back);
	json_decref(json);
}

static void
nonsense_is_refused(void **state)
{
	char many[200] = "";
	struct paired p;

	(void)state;
	make(&p, 1, true);
	memset(many, 'A', 150);
	assert_refused(&p, NULL, "better", json_string("faster"),
		       "better: neither 'higher' nor 'lower'");
	assert_refused(&p, NULL, "verdict", json_string("great"), "verdict: 'great' is none");
	assert_refused(&p, NULL, "level", json_integer(1), "a level is above 0 and below 1");
	assert_refused(&p, NULL, "blocks", json_null(), "blocks: not a list");
	assert_refused(&p, NULL, "unit", json_string("packets per second"), "unit: longer than 15");
	p.block[0].round = 5;
	assert_refused(&p, "", "round", json_integer(4),
		       "blocks[1]: round: below that of the block before");
	p.block[0].round = 0;
	assert_refused(&p, "", "order", json_string("ABX"), "blocks[1]: order: an unknown arm");
	assert_refused(&p, "", "order", json_string("ABaABaA"),
		       "blocks[1]: a: not a value for each slice");
	assert_refused(&p, "", "order", json_string(many),
		       "blocks[1]: order: more than 128 slices");
	paired_fini(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_of_it_comes_back),
		cmocka_unit_test(several_bs_are_one_comparison_each),
		cmocka_unit_test(unknown_is_null),
		cmocka_unit_test(every_missing_key_is_told),
		cmocka_unit_test(nonsense_is_refused),
	};

	return cmocka_run_group_tests_name("bench_paired_json", tests, NULL, NULL);
}
