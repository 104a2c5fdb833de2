/* SPDX-License-Identifier: MIT */
#include "clock.h"

#include <errno.h>
#include <limits.h>
#include <time.h>

uint64_t
clock_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * NSEC_PER_S + (uint64_t)now.tv_nsec;
}

struct deadline
deadline_in_ms(uint64_t ms)
{
	uint64_t now = clock_now_ns();
	uint64_t wait_ns;

	/* "Never" is a fair wish: it must not wrap around into the past. */
	if (__builtin_mul_overflow(ms, NSEC_PER_MS, &wait_ns) || wait_ns > UINT64_MAX - now)
		return (struct deadline){.at_ns = UINT64_MAX};
	return (struct deadline){.at_ns = now + wait_ns};
}

bool
deadline_passed(const struct deadline *d)
{
	return clock_now_ns() >= d->at_ns;
}

int
deadline_left_ms(const struct deadline *d)
{
	uint64_t now = clock_now_ns();
	uint64_t left_ms;

	if (now >= d->at_ns)
		return 0;
	left_ms = (d->at_ns - now - 1) / NSEC_PER_MS + 1;
	return left_ms < INT_MAX ? (int)left_ms : INT_MAX;
}

void
clock_sleep_ms(uint64_t ms)
{
	uint64_t until = deadline_in_ms(ms).at_ns;
	struct timespec ts = {
		.tv_sec = (time_t)(until / NSEC_PER_S),
		.tv_nsec = (long)(until % NSEC_PER_S),
	};

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL) == EINTR)
		;
}
