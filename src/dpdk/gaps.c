/* SPDX-License-Identifier: MIT */
#include "gaps.h"

static void
raise_to(counter_t *max, uint64_t ns)
{
	if (ns > counter_get(max))
		atomic_store_explicit(max, ns, memory_order_relaxed);
}

/* The maxima are emptied before the window is told, so that no reader takes an old one for new. */
static void
begin(struct gaps *g, uint64_t window)
{
	atomic_store_explicit(&g->max_ns, 0, memory_order_relaxed);
	atomic_store_explicit(&g->wait_max_ns, 0, memory_order_relaxed);
	atomic_store_explicit(&g->window, window, memory_order_release);
}

void
gaps_note(struct gaps *g, uint64_t ns, bool asked, uint64_t window)
{
	if (window != counter_get(&g->window))
		begin(g, window);
	if (asked) {
		raise_to(&g->wait_max_ns, ns);
		return;
	}
	counter_add(&g->n_20us, 1);
	counter_add(&g->sum_ns, ns);
	raise_to(&g->max_ns, ns);
	if (ns <= GAPS_LONG_NS)
		return;
	counter_add(&g->n_1ms, 1);
	counter_add(&g->sum_1ms_ns, ns);
}

static uint64_t
of_window(const struct gaps *g, const counter_t *max, uint64_t window)
{
	counter_t *own = (counter_t *)(uintptr_t)&g->window;

	return atomic_load_explicit(own, memory_order_acquire) == window ? counter_get(max) : 0;
}

uint64_t
gaps_max(const struct gaps *g, uint64_t window)
{
	return of_window(g, &g->max_ns, window);
}

uint64_t
gaps_wait_max(const struct gaps *g, uint64_t window)
{
	return of_window(g, &g->wait_max_ns, window);
}
