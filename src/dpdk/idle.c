/* SPDX-License-Identifier: MIT */
#include "idle.h"

#include <errno.h>
#include <string.h>

static const char *const names[] = {"auto", "spin", "yield", "sleep"};

void
idle_init(struct idle *idle, enum idle_policy policy, bool shared)
{
	memset(idle, 0, sizeof(*idle));
	idle->policy = policy;
	idle->shared = shared;
	idle->sleep_after_tsc = rte_get_tsc_hz() / 1000000 * IDLE_SLEEP_AFTER_US;
	idle->deep_after_tsc = UINT64_MAX;
}

void
idle_sleep_deep(struct idle *idle)
{
	idle->deep_after_tsc = rte_get_tsc_hz() / 1000000 * IDLE_DEEP_AFTER_US;
}

int
idle_policy_parse(const char *text, enum idle_policy *policy)
{
	for (unsigned i = 0; i < 4; i++) {
		if (strcmp(text, names[i]) == 0) {
			*policy = (enum idle_policy)i;
			return 0;
		}
	}
	return -EINVAL;
}

const char *
idle_policy_name(enum idle_policy policy)
{
	return names[policy];
}

void
idle_yield(struct idle *idle, uint64_t now)
{
	idle->waited_tsc = now;
	counter_add(&idle->yields, 1);
	sched_yield();
	idle->woke_tsc = rte_rdtsc();
}

static void
sleep_us(struct idle *idle, uint64_t now, long us)
{
	struct timespec ts = {0, us * 1000};

	idle->waited_tsc = now;
	nanosleep(&ts, NULL);
	idle->woke_tsc = rte_rdtsc();
}

void
idle_wait(struct idle *idle, uint64_t now)
{
	uint64_t since = now - idle->since;
	bool may_sleep = idle->policy == IDLE_SLEEP || idle->policy == IDLE_AUTO;

	if (since > idle->deep_after_tsc)
		sleep_us(idle, now, IDLE_DEEP_US);
	else if (since > idle->sleep_after_tsc && may_sleep)
		sleep_us(idle, now, IDLE_SLEEP_US);
	else if (idle->shared || idle->policy != IDLE_AUTO)
		idle_yield(idle, now);
	else
		rte_pause();
}
