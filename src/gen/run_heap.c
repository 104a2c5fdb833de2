/* SPDX-License-Identifier: MIT */
#include "run_heap.h"

#include <stdlib.h>

#define LINE 64

void
run_heap_init(struct run_heap *h, uint32_t most)
{
	/* The root's children, from entry 1 on, begin a cache line. */
	size_t size = ((size_t)most + 3) * sizeof(*h->wait);

	h->memory = aligned_alloc(LINE, (size + LINE - 1) / LINE * LINE);
	if (h->memory == NULL)
		abort();
	h->wait = (struct run_wait *)h->memory + 3;
	h->n = 0;
}

void
run_heap_fini(struct run_heap *h)
{
	free(h->memory);
	*h = (struct run_heap){0};
}

void
run_heap_add(struct run_heap *h, uint64_t due_ns, uint32_t stream)
{
	const struct run_wait w = {due_ns, stream};
	uint32_t i = h->n++;

	for (; i > 0 && run_wait_before(&w, &h->wait[(i - 1) / 4]); i = (i - 1) / 4)
		h->wait[i] = h->wait[(i - 1) / 4];
	h->wait[i] = w;
}
