/* SPDX-License-Identifier: MIT */
#include "hist.h"

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mem.h"
#include "test_random.h"

#define N_SAMPLES 20000

/* A duration between 1 ns and 17 s, each order of magnitude as likely as any other. */
static uint64_t
random_duration(void)
{
	return (uint64_t)exp(rng_unit() * log(0x1p34));
}

static void
buckets_and_index_are_inverse(void **state)
{
	(void)state;
	assert_int_equal(hist_bucket_low(0), 0);
	for (unsigned i = 0; i < HIST_BUCKETS; i++) {
		uint64_t low = hist_bucket_low(i);
		uint64_t high = hist_bucket_high(i);

		assert_true(low <= high);
		assert_int_equal(hist_index(low), i);
		assert_int_equal(hist_index(high), i);
		assert_int_equal(hist_index(low + (high - low) / 2), i);
		if (i + 1 < HIST_BUCKETS)
			assert_int_equal(hist_bucket_low(i + 1), high + 1);
	}
	assert_true(hist_bucket_high(HIST_BUCKETS - 1) == UINT64_MAX);
}

static void
powers_of_two_begin_a_bucket(void **state)
{
	(void)state;
	for (unsigned bit = 0; bit < HIST_MAX_BITS; bit++) {
		uint64_t ns = 1ull << bit;

		assert_int_equal(hist_bucket_low(hist_index(ns)), ns);
		assert_int_equal(hist_index(ns), hist_index(ns - 1) + 1);
	}
	for (unsigned bit = HIST_MAX_BITS; bit < 64; bit++) {
		assert_int_equal(hist_index(1ull << bit), HIST_BUCKETS - 1);
		assert_int_equal(hist_index((1ull << bit) - 1), HIST_BUCKETS - 1);
	}
	assert_int_equal(hist_index(UINT64_MAX), HIST_BUCKETS - 1);
	assert_int_equal(hist_index(0), 0);
}

static void
values_are_known_to_one_percent(void **state)
{
	(void)state;
	/* Up to two linear rounds each nanosecond has its own bucket. */
	for (unsigned i = 0; i < 2 * HIST_SUB; i++)
		assert_int_equal(hist_bucket_high(i), hist_bucket_low(i));
	for (unsigned i = 2 * HIST_SUB; i < HIST_BUCKETS - 1; i++) {
		double low = (double)hist_bucket_low(i);
		double width = (double)hist_bucket_high(i) - low;

		assert_true(width / low < 0.01);
	}
}

static void
no_samples_are_nothing(void **state)
{
	struct hist h;

	(void)state;
	memset(&h, 0xff, sizeof(h));
	hist_init(&h);
	assert_int_equal(h.n, 0);
	assert_true(h.min_ns == UINT64_MAX);
	assert_int_equal(hist_quantile(&h, 0.5), 0);
	assert_true(isnan(hist_mean(&h)));
}

static int
compare_u64(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static void
quantiles_agree_with_a_sorted_array(void **state)
{
	/* In thousandths, so that the rank below is exact. */
	static const unsigned quantiles[] = {0, 1, 10, 70, 250, 500, 900, 990, 999, 1000};
	static uint64_t v[N_SAMPLES];
	struct hist h;
	uint64_t sum = 0;

	(void)state;
	hist_init(&h);
	for (size_t i = 0; i < N_SAMPLES; i++) {
		v[i] = random_duration();
		sum += v[i];
		hist_record(&h, v[i]);
	}
	qsort(v, N_SAMPLES, sizeof(v[0]), compare_u64);
	assert_int_equal(h.n, N_SAMPLES);
	assert_true(h.sum_ns == sum && h.min_ns == v[0] && h.max_ns == v[N_SAMPLES - 1]);
	for (size_t i = 0; i < N_ELEMS(quantiles); i++) {
		size_t rank = (quantiles[i] * N_SAMPLES + 999) / 1000;
		uint64_t exact = v[rank > 0 ? rank - 1 : 0];
		uint64_t got = hist_quantile(&h, quantiles[i] / 1000.0);

		assert_true(got >= exact);
		assert_true((double)got <= 1.01 * (double)exact);
	}
}

static void
quantiles_have_exact_ranks(void **state)
{
	struct hist h;

	(void)state;
	/* Samples 1 ... 100 have buckets of their own: the quantile k/100 is k, for each k, though
	 * hardly any k/100 is a double. */
	hist_init(&h);
	for (uint64_t ns = 1; ns <= 100; ns++)
		hist_record(&h, ns);
	for (unsigned k = 1; k <= 100; k++)
		assert_int_equal(hist_quantile(&h, k / 100.0), k);
	assert_int_equal(hist_quantile(&h, 0.505), 51);
	assert_int_equal(hist_quantile(&h, -1), 1);
	assert_int_equal(hist_quantile(&h, 2), 100);
	assert_int_equal(hist_quantile(&h, NAN), 1);
	assert_true(hist_mean(&h) == 50.5);
}

static void
quantiles_never_exceed_the_maximum(void **state)
{
	struct hist h;

	(void)state;
	hist_init(&h);
	hist_record(&h, 1000001);
	assert_int_equal(hist_quantile(&h, 0.5), 1000001);
	/* Saturated values are above the last bucket's begin; the maximum stays exact. */
	hist_record(&h, 60000000000);
	assert_int_equal(h.max_ns, 60000000000);
	assert_int_equal(hist_quantile(&h, 1), 60000000000);
	assert_int_equal(h.count[HIST_BUCKETS - 1], 1);
}

static void
sums_of_histograms_hold_all_samples(void **state)
{
	static struct hist all, parts[3];

	(void)state;
	hist_init(&all);
	for (int i = 0; i < 3; i++)
		hist_init(&parts[i]);
	for (int i = 0; i < 1000; i++) {
		uint64_t ns = random_duration();

		hist_record(&all, ns);
		hist_record(&parts[i % 2], ns);
	}
	hist_add(&parts[0], &parts[1]);
	hist_add(&parts[0], &parts[2]); /* empty */
	assert_memory_equal(&parts[0], &all, sizeof(all));
	hist_add(&parts[2], &all);
	assert_memory_equal(&parts[2], &all, sizeof(all));
}

static void
counts_saturate(void **state)
{
	static struct hist h, other;

	(void)state;
	hist_init(&h);
	hist_record(&h, 5);
	h.n += UINT32_MAX - 2u;
	h.count[5] += UINT32_MAX - 2u;
	hist_record(&h, 5);
	assert_int_equal(h.count[5], UINT32_MAX);
	hist_record(&h, 5);
	assert_int_equal(h.count[5], UINT32_MAX);
	assert_int_equal(h.n, 1ull + UINT32_MAX);
	hist_init(&other);
	hist_record(&other, 5);
	hist_record(&other, 7);
	hist_add(&h, &other);
	assert_int_equal(h.count[5], UINT32_MAX);
	assert_int_equal(h.count[7], 1);
	assert_int_equal(h.n, 3ull + UINT32_MAX);
	assert_int_equal(hist_quantile(&h, 0.5), 5);
	assert_int_equal(hist_quantile(&h, 1), 7);
}

/* The samples that lie 'ns' before some end, as one burst and one at a time. */
static void
record_both_ways(struct hist *burst, struct hist *single, const uint64_t *ns, unsigned n)
{
	uint64_t end_ns = ns[0] + rng() % 1000, begin_ns[64];

	for (unsigned i = 0; i < n; i++) {
		begin_ns[i] = end_ns - ns[i];
		hist_record(single, ns[i]);
	}
	hist_record_burst(burst, begin_ns, n, end_ns);
	assert_memory_equal(burst, single, sizeof(*burst));
}

static void
bursts_add_what_single_samples_add(void **state)
{
	static struct hist burst, single;
	uint64_t ns[64];

	(void)state;
	hist_init(&burst);
	hist_init(&single);
	hist_record_burst(&burst, ns, 0, 1000);
	assert_memory_equal(&burst, &single, sizeof(burst));
	/* Both ends of each bucket, alone in a burst. */
	for (unsigned i = 0; i < HIST_BUCKETS; i++) {
		ns[0] = hist_bucket_low(i);
		record_both_ways(&burst, &single, ns, 1);
		ns[0] = i + 1 < HIST_BUCKETS ? hist_bucket_high(i) : 1ull << 40;
		record_both_ways(&burst, &single, ns, 1);
	}
	for (unsigned round = 0; round < 20000; round++) {
		/* Now and then from below the powers of two to beyond them. */
		uint64_t high = round % 100 == 0 ? 1ull << 36 : random_duration();
		unsigned n = 1 + rng() % 64;

		for (unsigned i = 0; i < n; i++)
			ns[i] = i == 0 ? high : ns[i - 1] - rng() % (ns[i - 1] / 8 + 1);
		record_both_ways(&burst, &single, ns, n);
	}
}

static void
bursts_saturate_as_single_samples_do(void **state)
{
	static struct hist burst, single;
	uint64_t ns[64];

	(void)state;
	hist_init(&burst);
	for (unsigned i = 0; i < 64; i++)
		ns[i] = 5000;
	hist_record(&burst, 5000);
	burst.n += UINT32_MAX - 100u;
	burst.count[hist_index(5000)] += UINT32_MAX - 100u;
	single = burst;
	record_both_ways(&burst, &single, ns, 64);
	assert_int_equal(burst.count[hist_index(5000)], UINT32_MAX - 35u);
	record_both_ways(&burst, &single, ns, 64);
	assert_int_equal(burst.count[hist_index(5000)], UINT32_MAX);
}

static char *
text_of(const struct hist *h)
{
	json_t *json = hist_to_json(h);
	char *text = json_dumps(json, JSON_COMPACT);

	assert_non_null(text);
	json_decref(json);
	return text;
}

static int
read_text(struct hist *h, const char *text, struct err *err)
{
	json_t *json = json_loads(text, 0, NULL);
	int rc;

	assert_non_null(json);
	rc = hist_from_json(h, json, err);
	json_decref(json);
	return rc;
}

static void
json_has_its_keys_in_order(void **state)
{
	struct hist h;
	char *text;

	(void)state;
	hist_init(&h);
	for (int i = 0; i < 20; i++)
		hist_record(&h, i < 10 ? 100 : 1001);
	text = text_of(&h);
	assert_string_equal(text, "{\"n\":20,\"min_ns\":100,\"mean_ns\":550.5,\"p50_ns\":100,"
				  "\"p90_ns\":null,\"p99_ns\":null,\"p999_ns\":null,"
				  "\"p9999_ns\":null,\"max_ns\":1001,"
				  "\"buckets\":[[100,10],[1000,10]]}");
	free(text);
	hist_init(&h);
	text = text_of(&h);
	assert_string_equal(text, "{\"n\":0,\"min_ns\":null,\"mean_ns\":null,\"p50_ns\":null,"
				  "\"p90_ns\":null,\"p99_ns\":null,\"p999_ns\":null,"
				  "\"p9999_ns\":null,\"max_ns\":null,\"buckets\":[]}");
	free(text);
}

static void
quantiles_of_too_few_samples_are_null(void **state)
{
	static const struct {
		const char *key;
		uint64_t n_min;
	} quantiles[] = {{"p50_ns", 20},
			 {"p90_ns", 100},
			 {"p99_ns", 1000},
			 {"p999_ns", 10000},
			 {"p9999_ns", 100000}};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(quantiles); i++) {
		struct hist h;
		json_t *json;

		hist_init(&h);
		hist_record(&h, 9);
		h.n = h.count[9] = (uint32_t)quantiles[i].n_min - 1;
		json = hist_to_json(&h);
		assert_true(json_is_null(json_object_get(json, quantiles[i].key)));
		json_decref(json);
		hist_record(&h, 9);
		json = hist_to_json(&h);
		assert_int_equal(json_integer_value(json_object_get(json, quantiles[i].key)), 9);
		json_decref(json);
	}
}

static void
assert_round_trip(const struct hist *h)
{
	static struct hist back;
	struct err err = {0};
	char *text = text_of(h);
	char *again;

	memset(&back, 0xff, sizeof(back));
	if (read_text(&back, text, &err) != 0)
		fail_msg("refused: %s", err.msg);
	assert_memory_equal(&back, h, sizeof(back));
	again = text_of(&back);
	assert_string_equal(again, text);
	free(again);
	free(text);
}

static void
json_reads_back_the_same(void **state)
{
	static struct hist h;

	(void)state;
	hist_init(&h);
	assert_round_trip(&h);
	hist_record(&h, 0);
	assert_round_trip(&h);
	for (int i = 0; i < N_SAMPLES; i++) {
		hist_record(&h, random_duration());
		if (i % 1000 == 0)
			assert_round_trip(&h);
	}
	hist_record(&h, 60000000000);
	assert_round_trip(&h);
	h.n += 2ull * UINT32_MAX;
	h.count[1234] = UINT32_MAX;
	assert_round_trip(&h);
}

static void
json_that_does_not_add_up_is_refused(void **state)
{
	static const struct {
		const char *text, *msg; /* no message: whatever the JSON reader says */
	} wrong[] = {
		{"{}", NULL},
		{"[]", NULL},
		{"{\"n\":-1,\"buckets\":[]}", NULL},
		{"{\"n\":0}", "buckets: not a list"},
		{"{\"n\":0,\"buckets\":[[5,1]]}", "buckets: 1 samples, but n is 0"},
		{"{\"n\":2,\"buckets\":[[5,1]]}", "buckets: 1 samples, but n is 2"},
		{"{\"n\":1,\"buckets\":[[5,1]]}", NULL},
		{"{\"n\":1,\"buckets\":[[5]]}", "buckets[0]: not a pair of low_ns and count"},
		{"{\"n\":1,\"buckets\":[5]}", "buckets[0]: not a pair of low_ns and count"},
		{"{\"n\":1,\"buckets\":[[5.0,1]]}", "buckets[0]: not a pair of low_ns and count"},
		{"{\"n\":1,\"buckets\":[[-5,1]]}", "buckets[0]: not a pair of low_ns and count"},
		{"{\"n\":1,\"buckets\":[[5,-1]]}", "buckets[0]: not a pair of low_ns and count"},
		{"{\"n\":1,\"buckets\":[[5,4294967296]]}",
		 "buckets[0]: not a pair of low_ns and count"},
		{"{\"n\":1,\"buckets\":[[257,1]]}", "buckets[0]: no bucket begins at 257 ns"},
		{"{\"n\":1,\"buckets\":[[99999999999999,1]]}",
		 "buckets[0]: no bucket begins at 99999999999999 ns"},
		{"{\"n\":2,\"buckets\":[[5,1],[5,1]]}", "buckets[1]: not above the one before"},
		{"{\"n\":2,\"buckets\":[[5,1],[4,1]]}", "buckets[1]: not above the one before"},
		{"{\"n\":1,\"min_ns\":4,\"max_ns\":5,\"mean_ns\":5,\"buckets\":[[5,1]]}",
		 "min_ns and max_ns do not belong to the buckets"},
		{"{\"n\":1,\"min_ns\":5,\"max_ns\":6,\"mean_ns\":5,\"buckets\":[[5,1]]}",
		 "min_ns and max_ns do not belong to the buckets"},
		{"{\"n\":1,\"min_ns\":5,\"max_ns\":5,\"mean_ns\":-5,\"buckets\":[[5,1]]}",
		 "mean_ns: out of range"},
		{"{\"n\":1,\"min_ns\":5,\"max_ns\":5,\"mean_ns\":1e30,\"buckets\":[[5,1]]}",
		 "mean_ns: out of range"},
	};
	static struct hist h, empty;

	(void)state;
	hist_init(&empty);
	for (size_t i = 0; i < N_ELEMS(wrong); i++) {
		struct err err = {0};

		if (read_text(&h, wrong[i].text, &err) >= 0)
			fail_msg("%s taken", wrong[i].text);
		assert_int_not_equal(err.class, 0);
		if (wrong[i].msg != NULL)
			assert_string_equal(err.msg, wrong[i].msg);
		assert_memory_equal(&h, &empty, sizeof(h));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(buckets_and_index_are_inverse),
		cmocka_unit_test(powers_of_two_begin_a_bucket),
		cmocka_unit_test(values_are_known_to_one_percent),
		cmocka_unit_test(no_samples_are_nothing),
		cmocka_unit_test(quantiles_agree_with_a_sorted_array),
		cmocka_unit_test(quantiles_have_exact_ranks),
		cmocka_unit_test(quantiles_never_exceed_the_maximum),
		cmocka_unit_test(sums_of_histograms_hold_all_samples),
		cmocka_unit_test(counts_saturate),
		cmocka_unit_test(bursts_add_what_single_samples_add),
		cmocka_unit_test(bursts_saturate_as_single_samples_do),
		cmocka_unit_test(json_has_its_keys_in_order),
		cmocka_unit_test(quantiles_of_too_few_samples_are_null),
		cmocka_unit_test(json_reads_back_the_same),
		cmocka_unit_test(json_that_does_not_add_up_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
