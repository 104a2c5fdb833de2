/* SPDX-License-Identifier: MIT */
#include "csv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "csv_golden.h"
#include "test_result.h"

static json_t *
one_trial(struct trial *t)
{
	json_t *result = test_result_start();

	result_add_measurement(result, "64", 64, &test_fixed);
	result_begin_search(result);
	test_result_add(result, t);
	result_end_search(result, NULL, 1.5);
	result_end_measurement(result);
	return result;
}

static json_t *
first_trial(json_t *result)
{
	json_t *m = json_array_get(json_object_get(result, "measurements"), 0);
	json_t *search = json_array_get(json_object_get(m, "searches"), 0);

	return json_array_get(json_object_get(search, "trials"), 0);
}

/* Takes one field off the front of '*text', unquoted, and says what ended it: ',', '\n' or 0. */
static char
take_field(const char **text, struct str *field)
{
	const char *c = *text;
	bool quoted = *c == '"';

	str_fini(field);
	for (c += quoted; *c != '\0'; c++) {
		if (quoted && c[0] == '"' && c[1] != '"')
			break;
		if (!quoted && (*c == ',' || *c == '\r'))
			break;
		c += quoted && *c == '"';
		str_addn(field, c, 1);
	}
	c += quoted;
	*text = c + (*c == '\r' ? 2 : 1);
	return *c == '\r' ? c[1] : *c;
}

/* Content of the column 'name' in row 'row', counted from 1; fails when rows differ in length. */
static char *
column(const char *csv, const char *name, unsigned row)
{
	struct str field = {0};
	unsigned at = 0, wanted = 0, columns = 0, rows = 0;
	char *found = NULL, end;

	for (const char *c = csv; *c != '\0';) {
		end = take_field(&c, &field);
		if (rows == 0 && strcmp(str_text(&field), name) == 0)
			wanted = at;
		if (rows == row && at == wanted)
			found = strdup(str_text(&field));
		at++;
		if (end != '\n')
			continue;
		columns = rows++ == 0 ? at : columns;
		assert_int_equal(at, columns);
		at = 0;
	}
	str_fini(&field);
	assert_non_null(found);
	return found;
}

static void
assert_column(const char *csv, const char *name, unsigned row, const char *expected)
{
	char *found = column(csv, name, row);

	assert_string_equal(found, expected);
	free(found);
}

/* ---- tests ---- */

static void
a_trial_is_a_row_with_every_counter(void **state)
{
	json_t *result = one_trial(test_trial_lossy());
	char *csv = csv_render(result);

	(void)state;
	if (strcmp(csv, golden_csv) != 0)
		fprintf(stderr, "rendered:\n%s", csv);
	assert_string_equal(csv, golden_csv);
	free(csv);
	json_decref(result);
}

static void
what_is_unknown_is_an_empty_field(void **state)
{
	json_t *result = one_trial(test_trial_new(1e6));
	json_t *trial = first_trial(result);
	char *csv;

	(void)state;
	json_object_set_new(trial, "loss_ratio", json_null());
	json_object_del(json_object_get(trial, "ledger"), "lost");
	json_object_set_new(trial, "latency", json_integer(3));
	csv = csv_render(result);
	assert_column(csv, "loss_ratio", 1, "");
	assert_column(csv, "lost_frames", 1, "");
	assert_column(csv, "latency_p50_ns", 1, "");
	assert_column(csv, "hop1_dropped_frames", 1, "");
	assert_column(csv, "sent_frames", 1, "1000000");
	free(csv);
	json_decref(result);
}

static void
texts_are_quoted_as_rfc_4180_says(void **state)
{
	json_t *result = one_trial(test_trial_new(1e6));
	char *csv;

	(void)state;
	json_object_set_new(first_trial(result), "reason",
			    json_string("a \"b\", c\r\nand more\nof it"));
	csv = csv_render(result);
	assert_non_null(strstr(csv, ",\"a \"\"b\"\", c\r\nand more\nof it\","));
	assert_column(csv, "reason", 1, "a \"b\", c\r\nand more\nof it");
	free(csv);
	json_object_set_new(first_trial(result), "reason", json_string("\"x\""));
	csv = csv_render(result);
	assert_non_null(strstr(csv, ",\"\"\"x\"\"\","));
	free(csv);
	json_decref(result);
}

static void
sensors_of_later_versions_have_columns_too(void **state)
{
	json_t *result = one_trial(test_trial_new(1e6));
	char *csv;

	(void)state;
	result_begin_search(result);
	test_result_add(result, test_trial_new(2e6));
	json_object_set_new(json_object_get(first_trial(result), "noise"), "smi,count",
			    json_integer(7));
	csv = csv_render(result);
	assert_column(csv, "noise_smi,count", 1, "7");
	assert_column(csv, "noise_smi,count", 2, "");
	assert_column(csv, "search", 2, "2");
	assert_column(csv, "trial", 2, "2");
	assert_column(csv, "rate_pps", 2, "2000000");
	free(csv);
	json_decref(result);
}

static void
rows_are_as_long_as_the_longest_chain(void **state)
{
	json_t *result = one_trial(test_trial_new(1e6));
	struct trial *shorter = test_trial_new(1e6);
	char *csv;

	(void)state;
	shorter->ledger.n_hops = 1;
	test_result_add(result, shorter);
	csv = csv_render(result);
	assert_column(csv, "hop1_name", 1, "vnf2");
	assert_column(csv, "hop1_name", 2, "");
	assert_column(csv, "link2_lost_forward_frames", 1, "0");
	free(csv);
	json_decref(result);
}

/* Readers find their columns by place, whatever was measured. */
static void
the_first_columns_are_always_the_same(void **state)
{
	json_t *empty = json_object(), *result = one_trial(test_trial_new(1e6));
	char *none = csv_render(empty), *one = csv_render(result);
	size_t len = strcspn(none, "\r");

	(void)state;
	assert_string_equal(none + len, "\r\n");
	assert_memory_equal(one, none, len);
	assert_int_equal(one[len], ',');
	free(none);
	free(one);
	json_decref(empty);
	json_decref(result);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_trial_is_a_row_with_every_counter),
		cmocka_unit_test(what_is_unknown_is_an_empty_field),
		cmocka_unit_test(texts_are_quoted_as_rfc_4180_says),
		cmocka_unit_test(sensors_of_later_versions_have_columns_too),
		cmocka_unit_test(rows_are_as_long_as_the_longest_chain),
		cmocka_unit_test(the_first_columns_are_always_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
