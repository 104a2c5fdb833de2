/* SPDX-License-Identifier: MIT */
#include "hist.h"

#include <assert.h>
#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "json.h"
#include "mem.h"

static_assert(FLT_RADIX == 2 && DBL_MANT_DIG == 53 && DBL_MAX_EXP == 1024,
	      "doubles are those of IEEE 754");
static_assert(HIST_MAX_BITS < DBL_MANT_DIG, "no value is rounded");

void
hist_init(struct hist *h)
{
	memset(h, 0, sizeof(*h));
	h->min_ns = UINT64_MAX;
}

/* hist_index of what is at least HIST_SUB and no double has to round: the exponent of the double
 * and the first bits of its mantissa are the bucket, a constant apart. */
static inline uint64_t
index_by_exponent(uint64_t ns)
{
	double value = (double)(int64_t)ns;
	uint64_t bits;

	memcpy(&bits, &value, sizeof(bits));
	return (bits >> (DBL_MANT_DIG - 1 - HIST_SUB_BITS)) -
	       ((DBL_MAX_EXP - 1 + HIST_SUB_BITS - 1) << HIST_SUB_BITS);
}

void
hist_record_burst(struct hist *h, const uint64_t *begin_ns, unsigned n, uint64_t end_ns)
{
	uint64_t sum = 0, min, max;
	unsigned n_long = n;

	if (n == 0)
		return;
	max = end_ns - begin_ns[0];
	min = end_ns - begin_ns[n - 1];
	/* No bucket holds more than there are samples: as long as these are few, none saturates. */
	if (max >> HIST_MAX_BITS != 0 || h->n + n > UINT32_MAX) {
		for (unsigned i = 0; i < n; i++)
			hist_record(h, end_ns - begin_ns[i]);
		return;
	}
	/* The shortest are the last; those below the first power of two with steps are their own
	 * bucket's number. */
	while (min < HIST_SUB && n_long > 0 && end_ns - begin_ns[n_long - 1] < HIST_SUB) {
		uint64_t ns = end_ns - begin_ns[--n_long];

		sum += ns;
		h->count[ns]++;
	}
	for (unsigned i = 0; i < n_long; i++) {
		uint64_t ns = end_ns - begin_ns[i];

		sum += ns;
		h->count[index_by_exponent(ns)]++;
	}
	h->n += n;
	h->sum_ns += sum;
	h->min_ns = min < h->min_ns ? min : h->min_ns;
	h->max_ns = max > h->max_ns ? max : h->max_ns;
}

uint64_t
hist_bucket_low(unsigned i)
{
	unsigned shift;

	assert(i < HIST_BUCKETS);
	if (i < 2 * HIST_SUB)
		return i;
	shift = (i >> HIST_SUB_BITS) - 1;
	return (uint64_t)(i - (shift << HIST_SUB_BITS)) << shift;
}

uint64_t
hist_bucket_high(unsigned i)
{
	assert(i < HIST_BUCKETS);
	return i == HIST_BUCKETS - 1 ? UINT64_MAX : hist_bucket_low(i + 1) - 1;
}

static void
add_count(uint32_t *count, uint32_t more)
{
	if (__builtin_add_overflow(*count, more, count))
		*count = UINT32_MAX;
}

void
hist_add(struct hist *h, const struct hist *other)
{
	h->n += other->n;
	h->sum_ns += other->sum_ns;
	h->min_ns = other->min_ns < h->min_ns ? other->min_ns : h->min_ns;
	h->max_ns = other->max_ns > h->max_ns ? other->max_ns : h->max_ns;
	for (unsigned i = 0; i < HIST_BUCKETS; i++)
		add_count(&h->count[i], other->count[i]);
}

/* How many of 'n' samples are the share 'q', at least 1.  0.07 is no double and 0.07 * 100 comes
 * out above 7, so a product may be an integer's upper neighbour and still mean that integer. */
static uint64_t
rank_of(double q, uint64_t n)
{
	double rank = q * (double)n;

	if (!(rank > 1))
		return 1;
	rank = ceil(rank - 2 * DBL_EPSILON * rank);
	return rank < (double)n ? (uint64_t)rank : n;
}

uint64_t
hist_quantile(const struct hist *h, double q)
{
	uint64_t rank, seen = 0;

	if (h->n == 0)
		return 0;
	rank = rank_of(q, h->n);
	for (unsigned i = 0; i < HIST_BUCKETS; i++) {
		uint64_t high = hist_bucket_high(i);

		seen += h->count[i];
		if (seen >= rank)
			return high < h->max_ns ? high : h->max_ns;
	}
	/* Saturated counts lost some samples: the answer is above what they show. */
	return h->max_ns;
}

double
hist_mean(const struct hist *h)
{
	if (h->n == 0)
		return NAN;
	return (double)((long double)h->sum_ns / (long double)h->n);
}

static json_t *
buckets_to_json(const struct hist *h)
{
	json_t *buckets = json_array();

	for (unsigned i = 0; i < HIST_BUCKETS; i++) {
		json_t *pair;

		if (h->count[i] == 0)
			continue;
		pair = json_array();
		json_array_append_new(pair, json_u64(hist_bucket_low(i)));
		json_array_append_new(pair, json_u64(h->count[i]));
		json_array_append_new(buckets, pair);
	}
	return buckets;
}

json_t *
hist_summary(const struct hist *h)
{
	/* Ten samples beyond a quantile are the least that says anything about it. */
	static const struct {
		const char *key;
		double q;
		uint64_t n_min;
	} quantiles[] = {
		{"p50_ns", 0.5, 20},	   {"p90_ns", 0.9, 100},	 {"p99_ns", 0.99, 1000},
		{"p999_ns", 0.999, 10000}, {"p9999_ns", 0.9999, 100000},
	};
	json_t *json = json_object();

	json_object_set_new(json, "n", json_u64(h->n));
	json_object_set_new(json, "min_ns", h->n > 0 ? json_u64(h->min_ns) : json_null());
	json_object_set_new(json, "mean_ns", json_number(hist_mean(h)));
	for (size_t i = 0; i < N_ELEMS(quantiles); i++)
		json_object_set_new(json, quantiles[i].key,
				    h->n >= quantiles[i].n_min
					    ? json_u64(hist_quantile(h, quantiles[i].q))
					    : json_null());
	json_object_set_new(json, "max_ns", h->n > 0 ? json_u64(h->max_ns) : json_null());
	return json;
}

json_t *
hist_to_json(const struct hist *h)
{
	json_t *json = hist_summary(h);

	json_object_set_new(json, "buckets", buckets_to_json(h));
	return json;
}

/* Reads element 'at' of "buckets", which must lie above bucket '*last'. */
static int
bucket_from_json(struct hist *h, const json_t *pair, size_t at, int *last, struct err *err)
{
	json_int_t low = json_integer_value(json_array_get(pair, 0));
	json_int_t count = json_integer_value(json_array_get(pair, 1));
	unsigned i;

	if (json_array_size(pair) != 2 || !json_is_integer(json_array_get(pair, 0)) || low < 0 ||
	    count < 1 || count > UINT32_MAX)
		return err_usage(err, "buckets[%zu]: not a pair of low_ns and count", at);
	i = hist_index((uint64_t)low);
	if (hist_bucket_low(i) != (uint64_t)low)
		return err_usage(err, "buckets[%zu]: no bucket begins at %lld ns", at,
				 (long long)low);
	if ((int)i <= *last)
		return err_usage(err, "buckets[%zu]: not above the one before", at);
	h->count[i] = (uint32_t)count;
	*last = (int)i;
	return 0;
}

static int
buckets_from_json(struct hist *h, const json_t *buckets, struct err *err)
{
	bool is_saturated = false;
	uint64_t total = 0;
	int last = -1;
	size_t at;
	json_t *pair;
	int rc;

	if (!json_is_array(buckets))
		return err_usage(err, "buckets: not a list");
	json_array_foreach(buckets, at, pair) {
		rc = bucket_from_json(h, pair, at, &last, err);
		if (rc < 0)
			return rc;
		total += h->count[last];
		is_saturated |= h->count[last] == UINT32_MAX;
	}
	if (is_saturated ? total > h->n : total != h->n)
		return err_usage(err, "buckets: %llu samples, but n is %llu",
				 (unsigned long long)total, (unsigned long long)h->n);
	return 0;
}

/* Reads minimum, mean and maximum of a histogram that has samples, and checks them against its
 * buckets. */
static int
extremes_from_json(struct hist *h, const json_t *json, struct err *err)
{
	long double sum;
	double mean;
	int rc;

	rc = json_get_u64(json, "min_ns", &h->min_ns, err);
	if (rc == 0)
		rc = json_get_u64(json, "max_ns", &h->max_ns, err);
	if (rc == 0)
		rc = json_get_double(json, "mean_ns", &mean, err);
	if (rc < 0)
		return rc;
	if (h->min_ns > h->max_ns || h->count[hist_index(h->min_ns)] == 0 ||
	    h->count[hist_index(h->max_ns)] == 0)
		return err_usage(err, "min_ns and max_ns do not belong to the buckets");
	sum = roundl((long double)mean * (long double)h->n);
	if (!(sum >= 0 && sum < 0x1p64L))
		return err_usage(err, "mean_ns: out of range");
	h->sum_ns = (uint64_t)sum;
	return 0;
}

static int
read_all(struct hist *h, const json_t *json, struct err *err)
{
	int rc;

	rc = json_get_u64(json, "n", &h->n, err);
	if (rc == 0)
		rc = buckets_from_json(h, json_object_get(json, "buckets"), err);
	if (rc == 0 && h->n > 0)
		rc = extremes_from_json(h, json, err);
	return rc;
}

int
hist_from_json(struct hist *h, const json_t *json, struct err *err)
{
	int rc;

	hist_init(h);
	rc = read_all(h, json, err);
	if (rc < 0)
		hist_init(h);
	return rc;
}
