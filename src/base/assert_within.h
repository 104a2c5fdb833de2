/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdint.h>

/* For unit tests, behind <cmocka.h>: cmocka 2 deprecates assert_in_range(), and cmocka 1.1 lacks
 * what it names instead. */

/* Fails unless 'least' <= 'value' <= 'most', as unsigned integers. */
#define assert_within(value, least, most)                                                    \
	do {                                                                                 \
		const uintmax_t value_ = (uintmax_t)(value), least_ = (uintmax_t)(least),    \
				most_ = (uintmax_t)(most);                                   \
                                                                                             \
		if (value_ < least_ || value_ > most_)                                       \
			fail_msg("%s is %ju, not within %ju to %ju", #value, value_, least_, \
				 most_);                                                     \
	} while (0)
