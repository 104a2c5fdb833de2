/* SPDX-License-Identifier: MIT */
#include "rate.h"

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "mem.h"

/* cmocka 1.1 compares floats, which have 7 digits. */
#define assert_near(a, b, tolerance) assert_true(fabs((a) - (b)) <= (tolerance))

/* Frames of 64 bytes a second on a full gigabit. */
#define FULL_PPS (1e9 / (8 * (64 + 20)))

static struct rate
parsed(const char *text)
{
	struct err err = {0};
	struct rate rate = {0};

	if (rate_parse(text, &rate, &err) != 0)
		fail_msg("'%s' refused: %s", text, err.msg);
	return rate;
}

static double
pps(const char *text, double frame_size)
{
	struct rate rate = parsed(text);

	return rate_pps(&rate, frame_size, FULL_PPS);
}

static void
line_rate_of_small_frames(void **state)
{
	(void)state;
	/* RFC 2544 / ISO 8802-3: 64 byte frames at 1 Gb/s are 1 488 095 frames a second. */
	assert_near(pps("100%", 64), 1488095.24, 0.01);
	assert_near(pps("max", 64), 1488095.24, 0.01);
	assert_near(pps("1gbpsl1", 64), 1488095.24, 0.01);
	assert_near(pps("1gbps", 64), 1953125.0, 0.01);
	assert_near(rate_bps_l1(1488095.238, 64), 1e9, 1);
	assert_near(rate_bps_l2(1488095.238, 64), 761904761.9, 0.1);
}

static void
line_rates_of_rfc2544_sizes(void **state)
{
	/* Frames a second on Ethernet at 10 Mb/s, as RFC 2544 section 20 tells them, times 100. */
	static const struct {
		double frame_size, pps;
	} sizes[] = {
		{64, 1488095.24},  {128, 844594.59}, {256, 452898.55}, {512, 234962.41},
		{1024, 119731.80}, {1280, 96153.85}, {1518, 81274.38},
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(sizes); i++) {
		assert_near(pps("1gbpsl1", sizes[i].frame_size), sizes[i].pps, 0.005);
		assert_near(rate_bps_l1(sizes[i].pps, sizes[i].frame_size), 1e9, 100);
	}
}

static void
units_mean_what_they_say(void **state)
{
	(void)state;
	assert_true(pps("500", 64) == 500);
	assert_true(pps("500pps", 1518) == 500);
	assert_true(pps("100kpps", 64) == 100000);
	assert_true(pps("1.2mpps", 64) == 1200000);
	assert_true(pps("1.2MPPS", 64) == 1200000);
	assert_true(pps("2gpps", 64) == 2e9);
	assert_true(pps("100mbps", 1250) == 10000);
	assert_true(pps("512bps", 64) == 1);
	assert_true(pps("672bpsl1", 64) == 1);
	assert_true(pps("10%", 64) == FULL_PPS * 10 / 100);
	assert_true(pps("Max", 64) == FULL_PPS);
	assert_true(pps("1e6", 64) == 1000000);
	assert_true(pps("1e3kpps", 64) == 1000000);
	assert_true(pps("1.5E-1mpps", 64) == 150000);
	assert_true(pps(".5pps", 64) == 0.5);
	assert_int_equal(parsed("1kbps").unit, RATE_BPS_L2);
	assert_int_equal(parsed("1kbpsL1").unit, RATE_BPS_L1);
	assert_int_equal(parsed("1%").unit, RATE_PERCENT);
	assert_int_equal(parsed("max").unit, RATE_MAX);
}

static void
decimals_are_exact(void **state)
{
	/* The decimal and the multiplier together, not each rounded for itself. */
	char text[32];

	(void)state;
	for (int i = 1; i < 10000; i++) {
		snprintf(text, sizeof(text), "%d.%03dmpps", i / 1000, i % 1000);
		assert_true(parsed(text).value == i * 1000.0);
	}
}

static void
assert_refused(const char *text, const char *msg)
{
	struct err err = {0};
	struct rate rate = {.value = 7, .unit = RATE_PERCENT};

	assert_int_equal(rate_parse(text, &rate, &err), -EINVAL);
	assert_int_equal(err.class, ERR_USAGE);
	assert_string_equal(err.msg, msg);
	assert_true(rate.value == 7 && rate.unit == RATE_PERCENT);
}

static void
bad_rates_say_why(void **state)
{
	(void)state;
	assert_refused("10mb", "rate '10mb': unknown unit 'mb' (try 1.2mpps, 100mbps, 10%)");
	assert_refused("fast", "rate 'fast': not a number (try 1.2mpps, 100mbps, 10%)");
	assert_refused("", "rate '': not a number (try 1.2mpps, 100mbps, 10%)");
	assert_refused("-1mpps", "rate '-1mpps': must not be negative (try 1.2mpps, 100mbps, 10%)");
	assert_refused("0%", "rate '0%': must be greater than 0 (try 1.2mpps, 100mbps, 10%)");
	assert_refused("1e400", "rate '1e400': too large (try 1.2mpps, 100mbps, 10%)");
}

static void
garbage_is_refused(void **state)
{
	static const char *const garbage[] = {
		"nan",	   "nanpps", "NAN(1)",	"inf",	 "infinity", "-inf",   "-nan",	 "0x10",
		"0X1p3",   "-0x1",   "0x10pps", "+1",	 " 1",	     "1 ",     "1 mpps", "1mpps ",
		"1mppsx",  "1%%",    "1k%",	"%",	 "k",	     "mpps",   "1k",	 "1mb/s",
		"1gbpsl2", "1e",     "1e+",	"1.2.3", "1,5mpps",  "1_000",  ".",	 "-",
		"1\n",	   "maxx",   "max ",	"1max",	 "-max",     "1kkpps", "1tpps",	 "1-1",
	};
	static const char *const nothing[] = {
		"0", "0.0", "0pps", "0e5", "1e-5000", "1e-99999999999999999999", "0gbps", "0%"};
	static const char *const too_much[] = {"1e16",
					       "1e10gbps",
					       "1000001gpps",
					       "1e5000%",
					       "1e99999999999999999999",
					       "9999999999999999999999999999999999999999"};
	struct rate rate;

	(void)state;
	for (size_t i = 0; i < N_ELEMS(garbage); i++)
		if (rate_parse(garbage[i], &rate, NULL) != -EINVAL)
			fail_msg("'%s' taken", garbage[i]);
	for (size_t i = 0; i < N_ELEMS(nothing); i++)
		if (rate_parse(nothing[i], &rate, NULL) != -EINVAL)
			fail_msg("'%s' taken", nothing[i]);
	for (size_t i = 0; i < N_ELEMS(too_much); i++)
		if (rate_parse(too_much[i], &rate, NULL) != -EINVAL)
			fail_msg("'%s' taken", too_much[i]);
}

static void
assert_prints(const char *text, const char *expected)
{
	struct rate rate = parsed(text);
	char buf[64];

	assert_string_equal(rate_print(buf, sizeof(buf), &rate), expected);
}

static void
rates_print_as_in_a_chain_file(void **state)
{
	(void)state;
	assert_prints("1200000", "1.2mpps");
	assert_prints("1.2mpps", "1.2mpps");
	assert_prints("999pps", "999pps");
	assert_prints("1000pps", "1kpps");
	assert_prints("10%", "10%");
	assert_prints("2500%", "2500%");
	assert_prints("0.1%", "0.1%");
	assert_prints("100mbps", "100mbps");
	assert_prints("1000mbpsl1", "1gbpsl1");
	assert_prints("0.25pps", "0.25pps");
	assert_prints("1488095.24", "1.48809524mpps");
	assert_prints("MAX", "max");
}

static void
printed_rates_read_back_the_same(void **state)
{
	static const enum rate_unit units[] = {RATE_PPS, RATE_BPS_L2, RATE_BPS_L1, RATE_PERCENT};
	uint64_t x = 88172645463325252;

	(void)state;
	for (int i = 0; i < 2000; i++) {
		struct rate rate = {.unit = units[i % 4]};
		struct rate back;
		char buf[64];

		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		rate.value = exp((double)(x >> 11) / 0x1p53 * 60 - 26);
		rate_print(buf, sizeof(buf), &rate);
		back = parsed(buf);
		if (back.value != rate.value || back.unit != rate.unit)
			fail_msg("%a printed as %s", rate.value, buf);
	}
}

static void
figures_print_with_four_digits(void **state)
{
	char buf[32];

	(void)state;
	assert_string_equal(rate_print_pps(buf, sizeof(buf), 1488095.24), "1.488 Mpps");
	assert_string_equal(rate_print_pps(buf, sizeof(buf), 0), "0 pps");
	assert_string_equal(rate_print_pps(buf, sizeof(buf), 0.5), "0.5 pps");
	assert_string_equal(rate_print_pps(buf, sizeof(buf), 999.94), "999.9 pps");
	assert_string_equal(rate_print_pps(buf, sizeof(buf), 999.96), "1 kpps");
	assert_string_equal(rate_print_pps(buf, sizeof(buf), 25e9), "25 Gpps");
	assert_string_equal(rate_print_pps(buf, sizeof(buf), 12346e9), "12350 Gpps");
	assert_string_equal(rate_print_bps(buf, sizeof(buf), 762e6), "762 Mb/s");
	assert_string_equal(rate_print_bps(buf, sizeof(buf), 1e9), "1 Gb/s");
	assert_string_equal(rate_print_bps(buf, sizeof(buf), 761904761.9), "761.9 Mb/s");
	assert_string_equal(rate_print_bps(buf, sizeof(buf), 1.5e12), "1.5 Tb/s");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(line_rate_of_small_frames),
		cmocka_unit_test(line_rates_of_rfc2544_sizes),
		cmocka_unit_test(units_mean_what_they_say),
		cmocka_unit_test(decimals_are_exact),
		cmocka_unit_test(bad_rates_say_why),
		cmocka_unit_test(garbage_is_refused),
		cmocka_unit_test(rates_print_as_in_a_chain_file),
		cmocka_unit_test(printed_rates_read_back_the_same),
		cmocka_unit_test(figures_print_with_four_digits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
