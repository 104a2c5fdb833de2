/* SPDX-License-Identifier: MIT */
#pragma once

#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include <rte_cycles.h>
#include <rte_pause.h>

#include "counters.h"

/* What a lcore does that found no frames: a ladder it climbs while it stays idle, and leaves with
 * the first frame.
 *
 * Two busy pollers on one CPU get time slices of milliseconds, which costs a factor of 100 to
 * 10,000, so a lcore that shares its CPU yields after its first empty round.  One that does not
 * never sleeps while there was traffic within the last 100 us. */

enum idle_policy { IDLE_AUTO, IDLE_SPIN, IDLE_YIELD, IDLE_SLEEP };

#define IDLE_SPIN_ROUNDS 64	 /* empty rounds before anything but a pause */
#define IDLE_SLEEP_AFTER_US 2000 /* IDLE_SLEEP and a sharing IDLE_AUTO sleep after this */
#define IDLE_SLEEP_US 50
#define IDLE_DEEP_AFTER_US 1000000 /* a lcore that may sleeps deep after this, unless it spins */
#define IDLE_DEEP_US 1000

struct idle {
	enum idle_policy policy;
	bool shared;	/* another busy thread is on this CPU */
	uint32_t empty; /* rounds without a frame */
	uint64_t since; /* TSC at the first of them */
	uint64_t sleep_after_tsc;
	uint64_t deep_after_tsc; /* UINT64_MAX: never; see idle_sleep_deep */
	counter_t yields;	 /* switches we asked for: the kernel counts them as involuntary */
	uint64_t waited_tsc;	 /* end of the last round after which we gave the CPU away */
	uint64_t woke_tsc;	 /* when we had it again */
};

void idle_init(struct idle *idle, enum idle_policy policy, bool shared);
/* Lets it sleep for a millisecond at a time once there was nothing for a second: for who may be
 * that late with the first frame after such a pause. */
void idle_sleep_deep(struct idle *idle);
int idle_policy_parse(const char *text, enum idle_policy *policy);
const char *idle_policy_name(enum idle_policy policy);

/* The rungs above spinning. */
void idle_wait(struct idle *idle, uint64_t now);
/* Gives the CPU to whoever else wants it; 'now' ended the last round. */
void idle_yield(struct idle *idle, uint64_t now);

/* When the round after the one that ended at 'now' began: then, or once we had the CPU again. */
static inline uint64_t
idle_woke(const struct idle *idle, uint64_t now)
{
	return idle->waited_tsc == now ? idle->woke_tsc : now;
}

/* One round is over: 'n' frames were found, 'now' is the TSC. */
static inline void
idle_round(struct idle *idle, unsigned n, uint64_t now)
{
	if (n > 0) {
		idle->empty = 0;
		return;
	}
	if (idle->empty++ == 0)
		idle->since = now;
	if (idle->policy == IDLE_SPIN)
		return;
	if (idle->shared || idle->policy != IDLE_AUTO || idle->empty > IDLE_SPIN_ROUNDS)
		idle_wait(idle, now);
}
