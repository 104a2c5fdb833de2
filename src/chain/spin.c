/* SPDX-License-Identifier: MIT */
#include "spin.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"

/* Steps of a piece of work, each waiting for the one before: some 20 us on any CPU of today. */
#define STEPS 20000
/* Readings of the clock between two pieces. */
#define READINGS 50

#define SHORT_NS (20 * NSEC_PER_US)
#define LONG_NS NSEC_PER_MS

struct spinner {
	struct spin *spin;
	uint64_t duration_ns;
	pthread_t thread;
	bool started;
};

/* Always as many instructions; the result keeps the compiler from leaving them out. */
static uint64_t
work(uint64_t x)
{
	for (int i = 0; i < STEPS; i++)
		x = (x ^ (uint64_t)i) * 0x2545f4914f6cdd1dull + 1;
	return x;
}

static void
note_gap(struct spin *s, uint64_t ns, uint64_t expected_ns)
{
	if (ns > s->gap_max_ns)
		s->gap_max_ns = ns;
	if (ns <= SHORT_NS + expected_ns)
		return;
	s->gaps_20us++;
	s->gaps_20us_ns += ns - expected_ns;
	s->gaps_1ms += ns > LONG_NS;
}

static void *
spin_main(void *arg)
{
	struct spinner *me = arg;
	struct spin *s = me->spin;
	uint64_t begin = clock_now_ns(), last = begin, now;
	volatile uint64_t sink = 1;

	s->piece_ns = UINT64_MAX;
	do {
		for (int i = 0; i < READINGS; i++) {
			now = clock_now_ns();
			note_gap(s, now - last, 0);
			last = now;
		}
		sink = work(sink);
		now = clock_now_ns();
		if (now - last < s->piece_ns)
			s->piece_ns = now - last;
		note_gap(s, now - last, s->piece_ns);
		last = now;
	} while (now - begin < me->duration_ns);
	s->elapsed_ns = now - begin;
	return NULL;
}

/* A thread that runs on that CPU from its first instruction on, or none. */
static bool
start(struct spinner *me)
{
	pthread_attr_t attr;
	cpu_set_t set;
	bool started;

	if (me->spin->cpu < 0 || me->spin->cpu >= CPU_SETSIZE)
		return false;
	CPU_ZERO(&set);
	CPU_SET(me->spin->cpu, &set);
	pthread_attr_init(&attr);
	started = pthread_attr_setaffinity_np(&attr, sizeof(set), &set) == 0 &&
		  pthread_create(&me->thread, &attr, spin_main, me) == 0;
	pthread_attr_destroy(&attr);
	return started;
}

void
spin_run(struct spin *spin, size_t n, uint64_t duration_ns)
{
	struct spinner *all = xcalloc(n + 1, sizeof(*all));

	for (size_t i = 0; i < n; i++) {
		spin[i] = (struct spin){.cpu = spin[i].cpu};
		all[i] = (struct spinner){.spin = &spin[i], .duration_ns = duration_ns};
		all[i].started = start(&all[i]);
	}
	for (size_t i = 0; i < n; i++) {
		if (all[i].started)
			pthread_join(all[i].thread, NULL);
		spin[i].known = all[i].started;
	}
	free(all);
}
