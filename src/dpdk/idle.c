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

void
idle_wait(struct idle *idle, uint64_t now)
{
	bool long_idle = now - idle->since > idle->sleep_after_tsc;
	bool may_sleep = idle->policy == IDLE_SLEEP || idle->policy == IDLE_AUTO;

	if (long_idle && may_sleep) {
		struct timespec ts = {0, IDLE_SLEEP_US * 1000};

		idle->waited_tsc = now;
		nanosleep(&ts, NULL);
		idle->woke_tsc = rte_rdtsc();
	} else if (idle->shared || idle->policy != IDLE_AUTO) {
		idle_yield(idle, now);
	} else {
		rte_pause();
	}
}
