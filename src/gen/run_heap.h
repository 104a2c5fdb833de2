/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdint.h>

/* Streams by the time of their next slot: a heap of 16-byte entries, four children to each, which
 * share a cache line.  The first is the one due first; of those due in the same nanosecond, the one
 * with the lowest number. */

struct run_wait {
	uint64_t due_ns;
	uint32_t stream;
};

struct run_heap {
	struct run_wait *wait; /* NULL until run_heap_init */
	void *memory;
	uint32_t n;
};

/* Room for 'most' entries; aborts without memory.  run_heap_fini is harmless before it. */
void run_heap_init(struct run_heap *h, uint32_t most);
void run_heap_fini(struct run_heap *h);
void run_heap_add(struct run_heap *h, uint64_t due_ns, uint32_t stream);

static inline int
run_wait_before(const struct run_wait *a, const struct run_wait *b)
{
	return a->due_ns < b->due_ns || (a->due_ns == b->due_ns && a->stream < b->stream);
}

/* The first of the children of entry 'i', or 'n' when there are none. */
static inline uint32_t
run_heap_first_child(const struct run_heap *h, uint32_t i)
{
	uint32_t first = 4 * i + 1, end = first + 4 < h->n ? first + 4 : h->n, best = first;

	if (first >= h->n)
		return h->n;
	for (uint32_t c = first + 1; c < end; c++)
		if (run_wait_before(&h->wait[c], &h->wait[best]))
			best = c;
	return best;
}

/* Puts another entry in the place of the first. */
static inline void
run_heap_replace(struct run_heap *h, uint64_t due_ns, uint32_t stream)
{
	const struct run_wait w = {due_ns, stream};
	uint32_t i = 0, c;

	while ((c = run_heap_first_child(h, i)) < h->n && run_wait_before(&h->wait[c], &w)) {
		h->wait[i] = h->wait[c];
		i = c;
	}
	h->wait[i] = w;
}

static inline void
run_heap_remove_first(struct run_heap *h)
{
	const struct run_wait last = h->wait[--h->n];

	if (h->n > 0)
		run_heap_replace(h, last.due_ns, last.stream);
}

/* Before this time nothing but the first is due. */
static inline uint64_t
run_heap_second_ns(const struct run_heap *h)
{
	uint32_t c = run_heap_first_child(h, 0);

	return c < h->n ? h->wait[c].due_ns : UINT64_MAX;
}
