/* SPDX-License-Identifier: MIT */
#pragma once

#include "base/random.h"

#include "vm.h"

/* A compiled program of the field engine: operations in a row, each of which works on slots, the
 * words of the state.
 *
 * A variable that walks through a range keeps its distance from the lower end; whoever reads it
 * adds that end.  Walking down by s is walking up by range - s.  A step takes 'room' away,
 * the range less the step, and adds the range when that went below 0. */

enum vm_code {
	/* Walks, and writes the value: what most programs do.  In network order. */
	VM_WALK_WRITE1,
	VM_WALK_WRITE2,
	VM_WALK_WRITE4,
	VM_WALK_WRITE8,
	VM_WRITE1,
	VM_WRITE2,
	VM_WRITE4,
	VM_WRITE8,
	VM_WALK,
	VM_IPV4, /* checksum of a header of 20 bytes */
	VM_TRIM, /* sets the length */
	VM_SUMS, /* checksums of fix_checksum_hw; these stand at the end */
	VM_END,
	/* The rest. */
	VM_WRITE_LE2,
	VM_WRITE_LE4,
	VM_WRITE_LE8,
	VM_MASK,
	VM_LIST,	/* walks along a list */
	VM_RANDOM,	/* draws a number */
	VM_RANDOM_LIST, /* draws an element of a list */
	VM_LIMIT,	/* draws a number, the same ones after 'limit' of them */
	VM_TUPLE,	/* address and port */
	VM_TUPLE_ENDLESS,
	VM_IPV4_OPTIONS, /* checksum of a header of any length */
	VM_ICMPV6,
	VM_CACHE, /* starts again after so many frames */
};

/* Slots of the variables, from vm_op.slot on. */
#define VM_WALK_SLOTS 1	  /* distance */
#define VM_LIST_SLOTS 2	  /* index, value */
#define VM_RANDOM_SLOTS 2 /* counter of the generator, distance or value */
#define VM_LIMIT_SLOTS 2  /* draws since the start, distance */
#define VM_TUPLE_SLOTS 3  /* distance of the address, of the port (or the port itself), flows */
#define VM_CACHE_SLOTS 2  /* frames since the start, seed */

/* Ports of an endless tuple go on here after 65535. */
#define VM_FIRST_PORT 1025

struct vm_op {
	uint8_t code; /* enum vm_code */
	uint8_t slot;
	uint8_t skip; /* operations that are left out while this variable does not wrap */
	bool down;    /* wraps when walking up does not */
	uint16_t at;  /* offset in the frame */
	uint16_t n;   /* of VM_CACHE: frames */
	union {
		struct {
			uint64_t range; /* 0: 2^64 */
			uint64_t room;	/* range - step */
			uint64_t base;	/* of what is written, or first element of the list */
		} walk;
		struct {
			uint64_t range; /* 0: 2^64 */
			uint64_t seed;	/* of VM_LIMIT; first element of a list */
			uint64_t limit;
		} draw;
		struct {
			uint64_t n_ips;
			uint32_t n_ports;
			uint32_t limit; /* flows, or 0 */
		} tuple;
		struct {
			uint64_t base;
			uint32_t mask, keep; /* 'keep': bits of the variable */
			uint32_t add;
			int8_t shift; /* left, or right when negative; +-32: nothing is left */
			uint8_t size; /* of the bytes changed: 1, 2, 4 */
			bool little;
		} mask;
		struct {
			uint16_t l3, l4;
			uint16_t check; /* offset of the L4 checksum, or 0 */
			uint8_t proto;
			bool ipv6;
		} sums;
	};
};

struct vm {
	struct vm_op *ops;	   /* VM_CACHE, what the program does, VM_END */
	const struct vm_op *first; /* VM_CACHE is passed over when there is none */
	const struct vm_op *trim;  /* that sets the length, or NULL */
	size_t n_ops;
	size_t sums;	 /* the first VM_SUMS, or VM_END */
	uint64_t *lists; /* elements of all value lists */
	uint64_t *init;	 /* of the slots, but for counters of random variables */
	uint16_t n_slots;
	uint16_t len;
	uint16_t reach;
	uint16_t cache;
	bool overwrites;
	bool draws_len;	 /* the length is random */
	double mean_len; /* of what 'trim' sets, without a cache */
};

/* A number below 'range' (0: 2^64) of random bits that belong to position 'at' of a generator.  The
 * numbers of a range up to 2^32 are equally likely but for one in 2^32, those of a wider one, which
 * takes 128 bits, but for one in 2^64; so each number costs one position, and many can be passed
 * over at once. */
static inline uint64_t
vm_draw(uint64_t at, uint64_t range)
{
	uint64_t bits = random_mix(at);
	unsigned __int128 product = (unsigned __int128)bits * range;

	if (range == 0)
		return bits;
	if (range > UINT32_MAX)
		product += (unsigned __int128)random_mix(~at) * range >> 64;
	return (uint64_t)(product >> 64);
}

/* The state before the first frame, without that of a cache. */
void vm_init_slots(const struct vm *vm, uint64_t *slots, uint32_t random_seed);
