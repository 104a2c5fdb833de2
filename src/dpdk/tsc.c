/* SPDX-License-Identifier: MIT */
#include "tsc.h"

#include <math.h>
#include <stdatomic.h>

#include <rte_cycles.h>

#include "base/clock.h"
#include "base/log.h"

#define LOOKS 64
#define APART_MS 100
#define CREDIBLE 0.01

static struct tsc_look first;
static _Atomic uint64_t known_hz; /* 0: not yet */

struct tsc_look
tsc_look(void)
{
	struct tsc_look best = {.width_tsc = UINT64_MAX};

	for (unsigned i = 0; i < LOOKS; i++) {
		const uint64_t before = rte_rdtsc(), ns = clock_now_ns(), after = rte_rdtsc();

		if (after - before < best.width_tsc)
			best = (struct tsc_look){.tsc = before + (after - before) / 2,
						 .ns = ns,
						 .width_tsc = after - before};
	}
	return best;
}

double
tsc_rate(const struct tsc_look *from, const struct tsc_look *to)
{
	return (double)(to->tsc - from->tsc) * 1e9 / (double)(to->ns - from->ns);
}

void
tsc_start(void)
{
	if (first.ns == 0)
		first = tsc_look();
}

static uint64_t
measure(void)
{
	const double theirs = (double)rte_get_tsc_hz();
	uint64_t now_ns = clock_now_ns();
	struct tsc_look second;
	double hz;

	tsc_start();
	if (now_ns < first.ns + APART_MS * NSEC_PER_MS)
		clock_sleep_ms((first.ns + APART_MS * NSEC_PER_MS - now_ns) / NSEC_PER_MS + 1);
	second = tsc_look();
	hz = tsc_rate(&first, &second);
	if (theirs > 0 && !(fabs(hz / theirs - 1) < CREDIBLE)) {
		LOG(WARN, "the TSC counts %.0f a second by the clock, %.0f by DPDK", hz, theirs);
		return (uint64_t)theirs;
	}
	LOG(DEBUG, "the TSC counts %.0f a second, %.0f by DPDK", hz, theirs);
	return (uint64_t)(hz + 0.5);
}

uint64_t
tsc_hz(void)
{
	uint64_t hz = atomic_load_explicit(&known_hz, memory_order_relaxed), none = 0;

	if (hz != 0)
		return hz;
	hz = measure();
	/* Threads that ask at once get the same figure. */
	return atomic_compare_exchange_strong(&known_hz, &none, hz) ? hz : none;
}
