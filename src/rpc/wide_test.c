/* SPDX-License-Identifier: MIT */
#include "wide.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static json_t *
load(const char *text)
{
	json_error_t error;

	return wide_loadb(text, strlen(text), JSON_REJECT_DUPLICATES, &error);
}

/* Reads 'text' and expects it to be written as 'expected'. */
static void
assert_rewritten(const char *text, const char *expected)
{
	json_t *json = load(text);
	char *out = wide_dumps(json, JSON_COMPACT | JSON_SORT_KEYS);

	assert_non_null(out);
	assert_string_equal(out, expected);
	free(out);
	json_decref(json);
}

/* Reads 'text' and expects a real in it.  Of several texts for the same real, which one is written
 * depends on jansson's version. */
static void
assert_reads_as(const char *text, double expected)
{
	json_t *json = load(text);
	const json_t *value = json_array_get(json, 0);

	assert_true(json_is_real(value));
	assert_true(json_real_value(value) == expected);
	json_decref(json);
}

static void
integers_of_64_bits_come_back_exactly(void **state)
{
	static const struct {
		const char *text;
		uint64_t value;
	} cases[] = {
		{"[0]", 0},
		{"[9007199254740993]", 9007199254740993},
		{"[9223372036854775807]", INT64_MAX},
		{"[9223372036854775808]", 9223372036854775808u},
		{"[18338657682652659713]", 0xfe80000000000001},
		{"[18446744073709551614]", UINT64_MAX - 1},
		{"[18446744073709551615]", UINT64_MAX},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		json_t *json = load(cases[i].text);
		uint64_t value = 1;

		assert_true(wide_u64(json_array_get(json, 0), &value));
		assert_int_equal(value, cases[i].value);
		assert_rewritten(cases[i].text, cases[i].text);
		json_decref(json);
	}
}

static void
only_values_that_need_it_are_wide(void **state)
{
	json_t *small = wide_json(INT64_MAX);
	json_t *large = wide_json((uint64_t)INT64_MAX + 1);
	uint64_t value;

	assert_true(json_is_integer(small));
	assert_false(wide_is(small));
	assert_true(wide_is(large));
	assert_true(wide_u64(large, &value));
	assert_int_equal(value, (uint64_t)INT64_MAX + 1);
	json_decref(small);
	json_decref(large);
}

static void
integers_of_more_bits_become_reals(void **state)
{
	assert_rewritten("[18446744073709551616]", "[1.8446744073709552e19]");
	assert_rewritten("[-9223372036854775808]", "[-9223372036854775808]");
	assert_reads_as("[-9223372036854775809]", -0x1p63);
}

static void
strings_and_reals_are_left_alone(void **state)
{
	assert_rewritten("[\"18446744073709551615\"]", "[\"18446744073709551615\"]");
	assert_rewritten("[\"\\\"18446744073709551615\"]", "[\"\\\"18446744073709551615\"]");
	assert_rewritten("[\"\\\\\",18446744073709551615]", "[\"\\\\\",18446744073709551615]");
	assert_rewritten("{\"18446744073709551615\":1}", "{\"18446744073709551615\":1}");
	assert_rewritten("[1.18446744073709551615]", "[1.1844674407370954]");
	assert_rewritten("[0.5e1]", "[5.0]");
}

static void
bad_json_stays_bad(void **state)
{
	static const char *const cases[] = {
		"{18446744073709551615:1}",
		"{18446744073709551615 \n:1}",
		"[018446744073709551615]",
		"[18446744073709551615x]",
		"[-]",
		"[1 18446744073709551615]",
		"[18446744073709551615",
		"[\"18446744073709551615]",
		"[\"\\",
		"",
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_null(load(cases[i]));
}

/* A sender can write the mark itself.  Where that is a value it is the number; anywhere else what
 * is written must still be JSON, and the same JSON. */
static void
a_forged_mark_makes_no_bad_json(void **state)
{
	assert_rewritten("[\"\\ufdd0u64:18446744073709551615\"]", "[18446744073709551615]");
	assert_rewritten("{\"\\ufdd0u64:18446744073709551615\":1}",
			 "{\"\xef\xb7\x90u64:18446744073709551615\":1}");
	assert_rewritten("[\"a\\\"\\ufdd0u64:18446744073709551615\"]",
			 "[\"a\\\"\xef\xb7\x90u64:18446744073709551615\"]");
	assert_rewritten("[\"\\ufdd0u64:7\"]", "[\"\xef\xb7\x90u64:7\"]");
	assert_rewritten("[\"\\ufdd0u64:99999999999999999999\"]",
			 "[\"\xef\xb7\x90u64:99999999999999999999\"]");
}

static void
many_in_one_text(void **state)
{
	assert_rewritten("{\"b\": 18446744073709551615, \"a\": [9223372036854775808, 1, "
			 "18446744073709551614]}",
			 "{\"a\":[9223372036854775808,1,18446744073709551614],"
			 "\"b\":18446744073709551615}");
}

static void
other_types_are_no_u64(void **state)
{
	json_t *json = load("[-1, 1.0, \"1\", null, true, {}]");
	uint64_t value;

	for (size_t i = 0; i < json_array_size(json); i++)
		assert_false(wide_u64(json_array_get(json, i), &value));
	assert_false(wide_u64(NULL, &value));
	json_decref(json);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(integers_of_64_bits_come_back_exactly),
		cmocka_unit_test(only_values_that_need_it_are_wide),
		cmocka_unit_test(integers_of_more_bits_become_reals),
		cmocka_unit_test(strings_and_reals_are_left_alone),
		cmocka_unit_test(bad_json_stays_bad),
		cmocka_unit_test(a_forged_mark_makes_no_bad_json),
		cmocka_unit_test(many_in_one_text),
		cmocka_unit_test(other_types_are_no_u64),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
