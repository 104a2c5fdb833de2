/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "console.h"
#include "console_words.h"

static void
check(const char *line, size_t n, const char *const *expected)
{
	struct console_words words;
	struct err err = {0};

	assert_int_equal(console_split(&words, line, &err), 0);
	assert_int_equal(words.n, n);
	for (size_t i = 0; i < n; i++)
		assert_string_equal(words.word[i], expected[i]);
	assert_null(words.word[n]);
	console_words_fini(&words);
}

#define CHECK(line, ...)                                                    \
	check(line, sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *), \
	      (const char *const[]){__VA_ARGS__})

static void
splits_as_a_shell(void **state)
{
	check("", 0, NULL);
	check("  \t\n", 0, NULL);
	check("# start", 0, NULL);
	CHECK("start -f stl/bench.py -m 100mbps -p 0\n", "start", "-f", "stl/bench.py", "-m",
	      "100mbps", "-p", "0");
	CHECK("  a  b # c", "a", "b");
	CHECK("a#b", "a#b");
	CHECK("a 'b c' \"d e\"f ''", "a", "b c", "d ef", "");
	CHECK("a\\ b 'c\\d' \"e\\\"f\"", "a b", "c\\d", "e\"f");
	CHECK("a\\", "a\\");
}

static void
refuses(void **state)
{
	char *many = xcalloc(1, 2 * CONSOLE_MAX_WORDS + 3);
	struct console_words words;
	struct err err = {0};

	assert_int_equal(console_split(&words, "a 'b", &err), -EINVAL);
	assert_string_equal(err.msg, "a quote is not closed");
	console_words_fini(&words);
	for (size_t i = 0; i <= CONSOLE_MAX_WORDS; i++)
		memcpy(many + 2 * i, "a ", 3);
	assert_int_equal(console_split(&words, many, &err), -EINVAL);
	console_words_fini(&words);
	free(many);
}

static void
amounts_are_relative(void **state)
{
	static const struct {
		const char *text, *type, *op;
		double value;
	} cases[] = {
		{"10kpps", "pps", "abs", 10000},   {"+10%", "percentage", "add", 10},
		{"10%+", "percentage", "add", 10}, {"-5kpps", "pps", "sub", 5000},
		{"5kpps-", "pps", "sub", 5000},	   {"2", "raw", "abs", 2},
		{"1gbpsl1", "bpsl1", "abs", 1e9},
	};
	struct stl_mult mult;
	struct err err = {0};
	const char *op;

	for (size_t i = 0; i < N_ELEMS(cases); i++) {
		assert_int_equal(console_mult(cases[i].text, &mult, &op, &err), 0);
		assert_string_equal(mult.type, cases[i].type);
		assert_string_equal(op, cases[i].op);
		assert_true(mult.value == cases[i].value);
	}
	assert_true(console_mult("fast", &mult, &op, &err) < 0);
	assert_true(console_mult("+", &mult, &op, &err) < 0);
	assert_true(console_mult("", &mult, &op, &err) < 0);
}

static void
verbs_need_a_server(void **state)
{
	struct console c = {.at = xstrdup("tcp://127.0.0.1:1")};
	struct err err = {0};

	assert_int_equal(console_line(&c, "", &err), 0);
	assert_int_equal(console_line(&c, "quit", &err), CONSOLE_QUIT);
	assert_int_equal(console_line(&c, "exit", &err), CONSOLE_QUIT);
	assert_int_equal(console_line(&c, "stats", &err), -ENOTCONN);
	assert_int_equal(console_line(&c, "strat -f imix", &err), -EINVAL);
	assert_string_equal(err.msg, "there is no 'strat' (did you mean 'start'?)");
	assert_int_equal(console_line(&c, "capture", &err), -EINVAL);
	assert_string_equal(console_verb("pa", 0), "pause");
	assert_null(console_verb("pa", 1));
	assert_string_equal(console_verb("st", 2), "stop");
	console_fini(&c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(splits_as_a_shell),
		cmocka_unit_test(refuses),
		cmocka_unit_test(amounts_are_relative),
		cmocka_unit_test(verbs_need_a_server),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
