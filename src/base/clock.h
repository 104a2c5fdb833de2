/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Monotonic time of the control plane, in nanoseconds. */
uint64_t clock_now_ns(void);

/* A point in time after which waiting ends. */
struct deadline {
	uint64_t at_ns;
};

struct deadline deadline_in_ms(uint64_t ms);
bool deadline_passed(const struct deadline *d);
/* Milliseconds left, rounded up, for poll(2); 0 when passed. */
int deadline_left_ms(const struct deadline *d);

/* Sleeps through EINTR. */
void clock_sleep_ms(uint64_t ms);

#define NSEC_PER_S 1000000000ull
#define NSEC_PER_MS 1000000ull
#define NSEC_PER_US 1000ull
