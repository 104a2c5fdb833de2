/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

#include "err.h"
#include "str.h"

/* A histogram of the HdrHistogram family, and its text as that family's logs have it: V2 encoding,
 * compressed, in base64, for the readers that exist in many languages.
 *
 * Values are whole units from 1 to 'highest' (0 is counted as itself), known to three decimal
 * digits: in steps of 1 below 2048, of 2 below 4096, and so on.  One writer, whose readers see each
 * count whole; fixed size, no allocation. */

#define HDR_SUB_BITS 11 /* 2048 steps, so that three digits hold up to the next power of two */
#define HDR_HALF_BITS (HDR_SUB_BITS - 1)

/* TRex's: 1 us to 10 s. */
#define HDR_HIGHEST 10000000u
#define HDR_COUNTS (15u << HDR_HALF_BITS)

struct hdr {
	_Atomic uint32_t count[HDR_COUNTS]; /* saturates at UINT32_MAX */
};

/* The place of a value. */
static inline unsigned
hdr_index(uint64_t value)
{
	unsigned shift =
		64 - HDR_SUB_BITS - (unsigned)__builtin_clzll(value | ((1u << HDR_SUB_BITS) - 1));

	return (shift << HDR_HALF_BITS) + (unsigned)(value >> shift);
}

/* Counts a value; one above HDR_HIGHEST as HDR_HIGHEST. */
static inline void
hdr_record(struct hdr *h, uint64_t value)
{
	_Atomic uint32_t *count = &h->count[hdr_index(value < HDR_HIGHEST ? value : HDR_HIGHEST)];
	uint32_t n = atomic_load_explicit(count, memory_order_relaxed);

	if (n != UINT32_MAX)
		atomic_store_explicit(count, n + 1, memory_order_relaxed);
}

/* Appends the text of 'n_counts' counts, of a histogram whose values reach to 'highest'. */
int hdr_encode(struct str *out, const _Atomic uint32_t *counts, unsigned n_counts, uint64_t highest,
	       struct err *err);
