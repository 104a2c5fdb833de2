/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/str.h"

#include "steps.h"

static char heard[256];

static void
hear(const char *text)
{
	str_copy(heard, sizeof(heard), text);
}

static const char *
text_of(const json_t *list, size_t i, const char *key)
{
	return json_string_value(json_object_get(json_array_get(list, i), key));
}

static void
steps_are_told_and_kept_in_their_order(void **state)
{
	json_t *list = steps_to_json();

	(void)state;
	assert_int_equal(json_array_size(list), 0);
	json_decref(list);
	steps_hear(hear);
	steps_phase("self-test");
	steps_done("vnf1", "bind", clock_now_ns() - 1500 * NSEC_PER_MS);
	assert_string_equal(heard, "self-test: vnf1: bind: 1.5 s");
	steps_phase("chain");
	steps_done("", "in all", clock_now_ns());
	assert_string_equal(heard, "chain: in all: 0.0 s");
	list = steps_to_json();
	assert_int_equal(json_array_size(list), 2);
	assert_string_equal(text_of(list, 0, "phase"), "self-test");
	assert_string_equal(text_of(list, 0, "of"), "vnf1");
	assert_string_equal(text_of(list, 1, "phase"), "chain");
	assert_string_equal(text_of(list, 1, "step"), "in all");
	assert_true(json_real_value(json_object_get(json_array_get(list, 0), "elapsed_s")) >= 1.5);
	json_decref(list);
}

/* A comparison starts its chains again in each round. */
static void
the_list_has_an_end(void **state)
{
	json_t *list;

	(void)state;
	steps_hear(NULL);
	for (int i = 0; i < 1000; i++)
		steps_done("vnf1", "bind", clock_now_ns());
	list = steps_to_json();
	assert_int_equal(json_array_size(list), 256);
	json_decref(list);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(steps_are_told_and_kept_in_their_order),
		cmocka_unit_test(the_list_has_an_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
