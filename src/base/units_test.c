/* SPDX-License-Identifier: MIT */
#include "units.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "mem.h"

typedef int (*parser)(const char *text, uint64_t *value, struct err *err);

/* What 'text' means to 'parse', which must take it. */
static uint64_t
meaning(parser parse, const char *text)
{
	struct err err = {0};
	uint64_t value = 12345;

	if (parse(text, &value, &err) != 0)
		fail_msg("'%s' refused: %s", text, err.msg);
	assert_int_equal(err.class, 0);
	return value;
}

static void
assert_refused(parser parse, const char *text, const char *msg)
{
	struct err err = {0};
	uint64_t value = 12345;

	assert_int_equal(parse(text, &value, &err), -EINVAL);
	assert_int_equal(value, 12345);
	assert_int_equal(err.class, ERR_USAGE);
	assert_string_equal(err.msg, msg);
}

static void
durations_are_exact_nanoseconds(void **state)
{
	(void)state;
	assert_int_equal(meaning(duration_parse, "0"), 0);
	assert_int_equal(meaning(duration_parse, "10"), 10000000000);
	assert_int_equal(meaning(duration_parse, "90s"), 90000000000);
	assert_int_equal(meaning(duration_parse, "250ms"), 250000000);
	assert_int_equal(meaning(duration_parse, "50us"), 50000);
	assert_int_equal(meaning(duration_parse, "7ns"), 7);
	assert_int_equal(meaning(duration_parse, "5m"), 300000000000);
	assert_int_equal(meaning(duration_parse, "1H"), 3600000000000);
	assert_int_equal(meaning(duration_parse, "1.5s"), 1500000000);
	assert_int_equal(meaning(duration_parse, ".5MS"), 500000);
	assert_int_equal(meaning(duration_parse, "1.0000000010000000000000000s"), 1000000001);
}

static void
sizes_are_binary_and_counts_decimal(void **state)
{
	(void)state;
	assert_int_equal(meaning(size_parse, "64"), 64);
	assert_int_equal(meaning(size_parse, "9k"), 9216);
	assert_int_equal(meaning(size_parse, "2M"), 2097152);
	assert_int_equal(meaning(size_parse, "1g"), 1073741824);
	assert_int_equal(meaning(size_parse, "1.5k"), 1536);
	assert_int_equal(meaning(count_parse, "1000"), 1000);
	assert_int_equal(meaning(count_parse, "10k"), 10000);
	assert_int_equal(meaning(count_parse, "1M"), 1000000);
	assert_int_equal(meaning(count_parse, "2.5m"), 2500000);
	assert_int_equal(meaning(count_parse, "1g"), 1000000000);
}

static void
the_largest_value_fits_and_the_next_does_not(void **state)
{
	(void)state;
	assert_true(meaning(count_parse, "18446744073709551615") == UINT64_MAX);
	assert_refused(count_parse, "18446744073709551616",
		       "count '18446744073709551616': too large (try 1000, 10k, 1m)");
	/* A double would round these to the same number. */
	assert_true(meaning(count_parse, "18446744073709551.615k") == UINT64_MAX);
	assert_refused(count_parse, "18446744073709551.616k",
		       "count '18446744073709551.616k': too large (try 1000, 10k, 1m)");
	assert_true(meaning(duration_parse, "18446744073.709551615") == UINT64_MAX);
	assert_refused(duration_parse, "5124096h",
		       "duration '5124096h': too large (try 10, 90s, 250ms)");
	assert_refused(size_parse, "17179869184g",
		       "size '17179869184g': too large (try 64, 9k, 2m)");
	assert_int_equal(meaning(count_parse, "9007199254740993"), 9007199254740993);
}

static void
refusals_quote_the_input_and_help(void **state)
{
	(void)state;
	assert_refused(duration_parse, "10x",
		       "duration '10x': unknown unit 'x' (try 10, 90s, 250ms)");
	assert_refused(duration_parse, "-5s",
		       "duration '-5s': must not be negative (try 10, 90s, 250ms)");
	assert_refused(duration_parse, "0.5ns",
		       "duration '0.5ns': not a whole number of nanoseconds "
		       "(try 10, 90s, 250ms)");
	assert_refused(duration_parse, "nan", "duration 'nan': not a number (try 10, 90s, 250ms)");
	assert_refused(size_parse, "9kb", "size '9kb': unknown unit 'kb' (try 64, 9k, 2m)");
	assert_refused(size_parse, "0.3k",
		       "size '0.3k': not a whole number of bytes (try 64, 9k, 2m)");
	assert_refused(count_parse, "", "count '': not a number (try 1000, 10k, 1m)");
}

static void
garbage_is_refused_by_all(void **state)
{
	static const char *const garbage[] = {
		"",
		" ",
		" 1",
		"1 ",
		"1 s",
		"+1",
		"-1",
		"--1",
		"-",
		"nan",
		"inf",
		"-inf",
		".",
		"1.",
		"1..5",
		"1.5.2",
		"1e3",
		"0x10",
		"0x1p3",
		"1,5",
		"1_000",
		"1\n",
		"s",
		"k",
		"ten",
		"1kk",
		"1%",
		"\xd9\xa1",
		"1-1",
		"-0.5",
		"0.0000000000000000001",
	};
	static const parser parsers[] = {duration_parse, size_parse, count_parse};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(garbage); i++) {
		for (size_t j = 0; j < N_ELEMS(parsers); j++) {
			struct err err = {0};
			uint64_t value = 12345;

			if (parsers[j](garbage[i], &value, &err) != -EINVAL)
				fail_msg("'%s' taken by parser %zu", garbage[i], j);
			assert_int_equal(value, 12345);
			assert_non_null(strstr(err.msg, garbage[i]));
		}
	}
}

static int
byte_parse(const char *text, uint64_t *value, struct err *err)
{
	return uint_parse(text, 1, 255, value, err);
}

static int
any_parse(const char *text, uint64_t *value, struct err *err)
{
	return uint_parse(text, 0, UINT64_MAX, value, err);
}

static void
unsigned_integers_stay_in_range(void **state)
{
	(void)state;
	assert_int_equal(meaning(byte_parse, "1"), 1);
	assert_int_equal(meaning(byte_parse, "255"), 255);
	assert_int_equal(meaning(byte_parse, "0xfF"), 255);
	assert_int_equal(meaning(byte_parse, "010"), 10);
	assert_true(meaning(any_parse, "18446744073709551615") == UINT64_MAX);
	assert_true(meaning(any_parse, "0XFFFFFFFFFFFFFFFF") == UINT64_MAX);
	assert_refused(byte_parse, "0", "number '0': must be from 1 to 255");
	assert_refused(byte_parse, "256", "number '256': must be from 1 to 255");
	assert_refused(any_parse, "18446744073709551616",
		       "number '18446744073709551616': must be from 0 to 18446744073709551615");
	assert_refused(any_parse, "-1", "number '-1': not an unsigned integer (try 10, 0x1f)");
}

static void
unsigned_integers_are_nothing_else(void **state)
{
	static const char *const garbage[] = {"",   " 1",  "1 ",    "+1",   "-1",  "0x",  "0x-1",
					      "ff", "1.0", "0x0x1", "0x 1", "1e3", "10k", "nan"};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(garbage); i++) {
		uint64_t value;

		if (any_parse(garbage[i], &value, NULL) != -EINVAL)
			fail_msg("'%s' taken", garbage[i]);
	}
}

static void
mac_addresses_read_as_they_print(void **state)
{
	uint8_t mac[6] = {0};
	char text[18];

	(void)state;
	assert_int_equal(mac_parse("52:54:00:F0:6d:aA", mac, NULL), 0);
	assert_memory_equal(mac, ((uint8_t[]){0x52, 0x54, 0x00, 0xf0, 0x6d, 0xaa}), 6);
	assert_string_equal(mac_print(text, sizeof(text), mac), "52:54:00:f0:6d:aa");
}

static void
half_mac_addresses_change_nothing(void **state)
{
	static const char *const garbage[] = {
		"",
		"02:00:00:00:00",
		"02:00:00:00:00:",
		"02:00:00:00:00:1",
		"02:00:00:00:00:01 ",
		"02:00:00:00:00:01:02",
		"02:00:00:00:00:0g",
		"2:00:00:00:000:01",
		"02-00-00-00-00-01",
		"+2:00:00:00:00:01",
		"020000000001",
	};
	uint8_t mac[6] = {1, 2, 3, 4, 5, 6};
	struct err err = {0};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(garbage); i++) {
		assert_int_equal(mac_parse(garbage[i], mac, &err), -EINVAL);
		assert_memory_equal(mac, ((uint8_t[]){1, 2, 3, 4, 5, 6}), 6);
	}
	mac_parse("02:00", mac, &err);
	assert_string_equal(err.msg, "MAC address '02:00': not six bytes in hexadecimal "
				     "(try 02:00:00:00:00:01)");
}

static void
assert_duration(uint64_t ns, const char *expected)
{
	char buf[32];

	assert_string_equal(duration_print(buf, sizeof(buf), ns), expected);
}

static void
durations_print_with_four_digits(void **state)
{
	(void)state;
	assert_duration(0, "0 s");
	assert_duration(1, "1 ns");
	assert_duration(999, "999 ns");
	assert_duration(1000, "1 us");
	assert_duration(1250000, "1.25 ms");
	assert_duration(1234567, "1.235 ms");
	assert_duration(999949999, "999.9 ms");
	assert_duration(999950000, "1 s"); /* not 1000 ms */
	assert_duration(90000000000, "90 s");
	assert_duration(999999999999, "1000 s");
	assert_duration(86400000000000, "86400 s");
	assert_duration(UINT64_MAX, "18446744074 s");
}

static void
counts_print_in_groups(void **state)
{
	char buf[32];

	(void)state;
	assert_string_equal(count_print(buf, sizeof(buf), 0), "0");
	assert_string_equal(count_print(buf, sizeof(buf), 999), "999");
	assert_string_equal(count_print(buf, sizeof(buf), 1000), "1 000");
	assert_string_equal(count_print(buf, sizeof(buf), 1234567), "1 234 567");
	assert_string_equal(count_print(buf, sizeof(buf), UINT64_MAX),
			    "18 446 744 073 709 551 615");
}

static void
printers_never_leave_the_buffer(void **state)
{
	static const char *const units[] = {"b", NULL};
	char buf[5];

	(void)state;
	memset(buf, '#', sizeof(buf));
	assert_string_equal(count_print(buf, 4, 1234567), "1 2");
	assert_string_equal(duration_print(buf, 4, 1250000), "1.2");
	assert_string_equal(mac_print(buf, 4, (const uint8_t[6]){0xab}), "ab:");
	assert_string_equal(scaled_print(buf, 4, 12345678, units), "123");
	assert_int_equal(buf[4], '#');
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(durations_are_exact_nanoseconds),
		cmocka_unit_test(sizes_are_binary_and_counts_decimal),
		cmocka_unit_test(the_largest_value_fits_and_the_next_does_not),
		cmocka_unit_test(refusals_quote_the_input_and_help),
		cmocka_unit_test(garbage_is_refused_by_all),
		cmocka_unit_test(unsigned_integers_stay_in_range),
		cmocka_unit_test(unsigned_integers_are_nothing_else),
		cmocka_unit_test(mac_addresses_read_as_they_print),
		cmocka_unit_test(half_mac_addresses_change_nothing),
		cmocka_unit_test(durations_print_with_four_digits),
		cmocka_unit_test(counts_print_in_groups),
		cmocka_unit_test(printers_never_leave_the_buffer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
