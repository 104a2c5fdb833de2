/* SPDX-License-Identifier: MIT */
#include "copy_ring.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* Positions count bytes for ever; a record is a head and a frame in one piece, so that some room
 * may be left over at the end of the memory, which a head of this length takes. */

#define SKIP UINT32_MAX
#define ALIGN 32u

static_assert(sizeof(struct copy_head) <= ALIGN, "what is left over has room for a head");

void
copy_ring_open(struct copy_ring *r, uint32_t size)
{
	assert(size >= 1u << 16 && (size & (size - 1)) == 0);
	*r = (struct copy_ring){.bytes = xcalloc(size, 1), .size = size};
}

void
copy_ring_close(struct copy_ring *r)
{
	free(r->bytes);
	*r = (struct copy_ring){0};
}

static uint32_t
record_size(uint32_t len)
{
	return (uint32_t)(sizeof(struct copy_head) + len + ALIGN - 1) & ~(ALIGN - 1);
}

static struct copy_head *
head_at(const struct copy_ring *r, uint64_t position)
{
	return (struct copy_head *)(void *)(r->bytes + (position & (r->size - 1)));
}

static bool
has_room(struct copy_ring *r, uint64_t need)
{
	if (r->staged + need - r->known_tail <= r->size)
		return true;
	r->known_tail = atomic_load_explicit(&r->tail, memory_order_acquire);
	return r->staged + need - r->known_tail <= r->size;
}

uint8_t *
copy_ring_stage(struct copy_ring *r, const struct copy_head *h)
{
	uint32_t size = record_size(h->len);
	uint32_t left = r->size - (uint32_t)(r->staged & (r->size - 1));
	uint32_t skip = size > left ? left : 0;
	struct copy_head *at;

	if (size > r->size / 2 || !has_room(r, (uint64_t)size + skip)) {
		counter_add(&r->lost, 1);
		return NULL;
	}
	if (skip > 0)
		head_at(r, r->staged)->len = SKIP;
	r->staged += skip;
	at = head_at(r, r->staged);
	*at = *h;
	r->staged += size;
	return (uint8_t *)(at + 1);
}

void
copy_ring_publish(struct copy_ring *r, uint64_t position)
{
	r->staged = position;
	atomic_store_explicit(&r->head, position, memory_order_release);
}

const struct copy_head *
copy_ring_peek(struct copy_ring *r, const uint8_t **bytes)
{
	uint64_t tail = atomic_load_explicit(&r->tail, memory_order_relaxed);
	uint64_t head = atomic_load_explicit(&r->head, memory_order_acquire);
	struct copy_head *at;

	if (tail == head)
		return NULL;
	at = head_at(r, tail);
	if (at->len == SKIP) {
		tail += r->size - (tail & (r->size - 1));
		atomic_store_explicit(&r->tail, tail, memory_order_release);
		if (tail == head)
			return NULL;
		at = head_at(r, tail);
	}
	*bytes = (const uint8_t *)(at + 1);
	return at;
}

void
copy_ring_next(struct copy_ring *r)
{
	uint64_t tail = atomic_load_explicit(&r->tail, memory_order_relaxed);

	atomic_store_explicit(&r->tail, tail + record_size(head_at(r, tail)->len),
			      memory_order_release);
}
