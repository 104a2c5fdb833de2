/* SPDX-License-Identifier: MIT */
#pragma once

#include <math.h>

/* For unit tests, behind <cmocka.h>, whose own assert_float_equal() takes NaN for anything (1.1),
 * and compares in single precision. */

/* Fails unless 'value' is within 'tolerance' of 'expected'; NaN is near nothing. */
#define assert_near(value, expected, tolerance)                                      \
	do {                                                                         \
		const double value_ = (value), expected_ = (expected);               \
                                                                                     \
		if (!(fabs(value_ - expected_) <= (tolerance)))                      \
			fail_msg("%s is %.9g, not %.9g", #value, value_, expected_); \
	} while (0)
