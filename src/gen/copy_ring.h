/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "dpdk/counters.h"

/* Copies of frames on their way from one thread to another: one writes, one reads, neither ever
 * waits, and after copy_ring_open nothing is allocated.  A frame that finds no room is counted. */

struct copy_head {
	uint64_t tsc;	   /* when it was received or sent, or is to be sent */
	uint32_t len;	   /* bytes that are here */
	uint32_t wire_len; /* bytes it had, without FCS */
	uint8_t port;
	bool tx; /* sent, not received */
};

struct copy_ring {
	uint8_t *bytes;
	uint32_t size;	       /* a power of two */
	uint64_t staged;       /* the writer's: up to here it has written */
	uint64_t known_tail;   /* the writer's: the reader was this far */
	_Atomic uint64_t head; /* up to here the reader may read */
	_Atomic uint64_t tail; /* up to here it has */
	counter_t lost;	       /* frames without room */
};

/* 'size' is a power of two, at least 64 kB. */
void copy_ring_open(struct copy_ring *r, uint32_t size);
void copy_ring_close(struct copy_ring *r);

/* The writer's side: where to put the h->len bytes of a frame; NULL when there is no room.  The
 * reader sees it once all up to it is published. */
uint8_t *copy_ring_stage(struct copy_ring *r, const struct copy_head *h);
static inline uint64_t
copy_ring_position(const struct copy_ring *r)
{
	return r->staged;
}
/* Shows the reader what was staged up to 'position'; the rest is forgotten. */
void copy_ring_publish(struct copy_ring *r, uint64_t position);

/* The reader's side. */
static inline bool
copy_ring_is_empty(const struct copy_ring *r)
{
	struct copy_ring *w = (struct copy_ring *)(uintptr_t)r;

	return atomic_load_explicit(&w->tail, memory_order_relaxed) ==
	       atomic_load_explicit(&w->head, memory_order_relaxed);
}
/* The next frame, whose bytes are at '*bytes' until copy_ring_next; NULL when there is none. */
const struct copy_head *copy_ring_peek(struct copy_ring *r, const uint8_t **bytes);
void copy_ring_next(struct copy_ring *r);
