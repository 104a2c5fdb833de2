/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdint.h>

#include <jansson.h>

#include "err.h"

/* Log-linear histogram of durations: 128 linear steps in each power of two, so a value is known to
 * better than 1 % (2 significant digits), from 1 ns to 17 s; larger values saturate in the last
 * bucket, 'max_ns' stays exact.  Fixed size, no allocation: it can live in a worker's memory with
 * that worker as its only writer. */

#define HIST_SUB_BITS 7
#define HIST_SUB (1u << HIST_SUB_BITS)
#define HIST_MAX_BITS 34
#define HIST_BUCKETS ((HIST_MAX_BITS - HIST_SUB_BITS + 1) * HIST_SUB)

/* 'n' and 'sum_ns' lie apart: side by side, gcc adds to both as one vector, which takes three times
 * the instructions. */
struct hist {
	uint64_t n;	 /* samples */
	uint64_t min_ns; /* UINT64_MAX as long as n is 0 */
	uint64_t max_ns;
	uint64_t sum_ns;	      /* of all samples, for the mean */
	uint32_t count[HIST_BUCKETS]; /* saturates at UINT32_MAX */
};

void hist_init(struct hist *h);

static inline unsigned
hist_index(uint64_t ns)
{
	unsigned shift;

	if (__builtin_expect(ns >= 1ull << HIST_MAX_BITS, 0))
		return HIST_BUCKETS - 1;
	/* Values below the first power of two that has steps are counted as of that one, so that
	 * one line serves all. */
	shift = (63 ^ (unsigned)__builtin_clzll(ns | HIST_SUB)) - HIST_SUB_BITS;
	return (shift << HIST_SUB_BITS) + (unsigned)(ns >> shift);
}

/* Adds one sample; a handful of instructions, fit for a burst loop. */
static inline void
hist_record(struct hist *h, uint64_t ns)
{
	uint32_t *count = &h->count[hist_index(ns)];

	h->n++;
	h->sum_ns += ns;
	/* Extremes are soon found: a branch is cheaper than a store for each sample. */
	if (__builtin_expect(ns < h->min_ns, 0))
		h->min_ns = ns;
	if (__builtin_expect(ns > h->max_ns, 0))
		h->max_ns = ns;
	if (++*count == 0)
		*count = UINT32_MAX;
}

/* Adds 'n' samples, in half the instructions of one at a time: 'end_ns' less each of 'begin_ns',
 * which ascend and none of which is above 'end_ns'. */
void hist_record_burst(struct hist *h, const uint64_t *begin_ns, unsigned n, uint64_t end_ns);

/* Adds 'n' samples, all about 'ns', whose sum is 'sum_ns'; none if 'n' is 0. */
static inline void
hist_record_alike(struct hist *h, uint64_t ns, uint64_t n, uint64_t sum_ns)
{
	uint32_t *count = &h->count[hist_index(ns)];

	if (n == 0)
		return;
	h->n += n;
	h->sum_ns += sum_ns;
	if (__builtin_expect(ns < h->min_ns, 0))
		h->min_ns = ns;
	if (__builtin_expect(ns > h->max_ns, 0))
		h->max_ns = ns;
	*count = n < UINT32_MAX - *count ? *count + (uint32_t)n : UINT32_MAX;
}

/* Lowest and highest value that fall into bucket 'i'; the last bucket reaches to UINT64_MAX. */
uint64_t hist_bucket_low(unsigned i);
uint64_t hist_bucket_high(unsigned i);

/* Adds all samples of 'other'. */
void hist_add(struct hist *h, const struct hist *other);

/* Value below or at which the share 'q' (0 to 1) of the samples lies, as the upper end of its
 * bucket but never above max_ns; 0 when there are no samples.  Overstates, never understates, also
 * when a count is saturated. */
uint64_t hist_quantile(const struct hist *h, double q);
/* NaN when there are no samples. */
double hist_mean(const struct hist *h);

/* {"n", "min_ns", "mean_ns", "p50_ns", "p90_ns", "p99_ns", "p999_ns", "p9999_ns", "max_ns",
 * "buckets": [[low_ns, count], ...]}; a quantile with fewer than 10 / (1 - q) samples is
 * null, and so are minimum, mean and maximum of no samples.  The caller owns the result. */
json_t *hist_to_json(const struct hist *h);
/* The same without the buckets. */
json_t *hist_summary(const struct hist *h);
/* Reads what hist_to_json wrote: bucket counts, minimum and maximum exactly, the sum from the mean
 * (exact below 2^52 ns).  'h' is empty after an error. */
int hist_from_json(struct hist *h, const json_t *json, struct err *err);
