/* SPDX-License-Identifier: MIT */
#include "hdr.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <zlib.h>

#include "assert_within.h"
#include "base64.h"
#include "test_random.h"

#define MAX_COUNTS (40u << HDR_HALF_BITS)
#define HEAD_SIZE 40

/* A decoder of its own, from the format's description: checks the heads and returns the values'
 * counts by walking values, not indices. */
struct decoded {
	uint64_t highest;
	unsigned n; /* counts that the text has */
	uint64_t count[MAX_COUNTS];
	uint8_t plain[4 * MAX_COUNTS];
	size_t plain_size;
};

static struct decoded decoded;
static struct hdr hdr;

static uint64_t
big_endian(const uint8_t *p, unsigned n)
{
	uint64_t v = 0;

	while (n-- > 0)
		v = v << 8 | *p++;
	return v;
}

static int64_t
take_signed(const uint8_t **p)
{
	uint64_t v = 0;
	unsigned shift = 0;

	do {
		v |= (uint64_t)(**p & 0x7f) << shift;
		shift += 7;
	} while ((*(*p)++ & 0x80) != 0);
	return (int64_t)(v >> 1) ^ -(int64_t)(v & 1);
}

static void
decode(const char *text)
{
	static uint8_t packed[1 << 20];
	long n = base64_decode(text, packed, sizeof(packed));
	uLongf size = sizeof(decoded.plain);
	const uint8_t *p, *end;

	assert_true(n > 8);
	assert_int_equal(big_endian(packed, 4), 0x1c849314);
	assert_int_equal(big_endian(packed + 4, 4), n - 8);
	memset(&decoded, 0, sizeof(decoded));
	assert_int_equal(uncompress(decoded.plain, &size, packed + 8, (uLong)n - 8), Z_OK);
	p = decoded.plain;
	end = p + size;
	decoded.plain_size = size;
	assert_int_equal(big_endian(p, 4), 0x1c849313);
	/* Some writers count the head. */
	if (big_endian(p + 4, 4) != size)
		assert_int_equal(big_endian(p + 4, 4), size - HEAD_SIZE);
	assert_int_equal(big_endian(p + 8, 4), 0);
	assert_int_equal(big_endian(p + 12, 4), 3);
	assert_int_equal(big_endian(p + 16, 8), 1);
	decoded.highest = big_endian(p + 24, 8);
	assert_int_equal(big_endian(p + 32, 8), 0x3ff0000000000000); /* 1.0 */
	for (p += HEAD_SIZE; p < end;) {
		int64_t v = take_signed(&p);

		/* A run of zeros, or one count, which may be 0, too. */
		if (v < 0)
			decoded.n += (unsigned)-v;
		else
			decoded.count[decoded.n++] = (uint64_t)v;
		assert_true(decoded.n < MAX_COUNTS);
	}
	assert_ptr_equal(p, end);
}

/* Lowest value of the bucket at an index, as HdrHistogram's description has it: sub-buckets of 2048
 * steps whose upper halves follow one another. */
static uint64_t
lowest_of(unsigned index)
{
	unsigned bucket = index / 1024;

	return bucket < 2 ? index : (uint64_t)(index % 1024 + 1024) << (bucket - 1);
}

static void
places_are_those_of_three_digits(void **state)
{
	unsigned last = 0;

	(void)state;
	for (uint64_t v = 0; v <= HDR_HIGHEST; v += v < 100000 ? 1 : 37) {
		unsigned i = hdr_index(v);

		assert_within(i, last, last + (v < 100000 ? 1 : 37));
		assert_true(lowest_of(i) <= v && v < lowest_of(i + 1));
		/* Three digits: no step is wider than a thousandth. */
		assert_true(v < 2048 || (lowest_of(i + 1) - lowest_of(i)) * 1000 <= v);
		last = i;
	}
	assert_true(hdr_index(HDR_HIGHEST) < HDR_COUNTS);
	assert_true(lowest_of(HDR_COUNTS) > HDR_HIGHEST);
}

/* What other implementations wrote of the same values, as their own test suites publish it. */
static void
other_implementations_write_the_same(void **state)
{
	static const struct {
		const char *text;
		uint64_t highest;
		struct {
			uint64_t value;
			uint32_t n;
		} in[3];
	} vectors[] = {
		{"HISTFAAAACB4nJNpmSzMwMDAzAABMJoRQnEw2H+AsP7LMwEARZgDpQ==", 2048, {{2048, 1}}},
		{"HISTFAAAACV4nJNpmSzMwMDAwQABzFCaEUrp2H+AsI4zMh1lZEpkAgBdIQSk",
		 300,
		 {{100, 1}, {200, 1}, {250, 1}}},
		{"HISTFAAAACl4nJNpmSzMwMBgyAABzFCaEURcm7yEwf4DROA8/4I5jNM7mJgAlWkH9g==",
		 3600000000,
		 {{1000, 10000}, {100000000, 1}}},
	};
	static _Atomic uint32_t counts[MAX_COUNTS];

	(void)state;
	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		static uint8_t theirs[sizeof(decoded.plain)];
		struct str s = {0};
		struct err err;
		size_t n;

		memset(counts, 0, sizeof(counts));
		for (size_t k = 0; k < 3; k++)
			counts[hdr_index(vectors[i].in[k].value)] += vectors[i].in[k].n;
		decode(vectors[i].text);
		n = decoded.plain_size;
		memcpy(theirs, decoded.plain, n);
		for (size_t k = 0; k < 3 && vectors[i].in[k].n > 0; k++)
			assert_int_equal(decoded.count[hdr_index(vectors[i].in[k].value)],
					 vectors[i].in[k].n);
		assert_int_equal(hdr_encode(&s, counts, MAX_COUNTS, vectors[i].highest, &err), 0);
		/* How zlib packs it depends on its version, what it packs does not. */
		decode(str_text(&s));
		assert_int_equal(decoded.plain_size, n);
		assert_int_equal(big_endian(decoded.plain + 4, 4), n - HEAD_SIZE);
		memcpy(theirs + 4, decoded.plain + 4, 4);
		assert_memory_equal(decoded.plain, theirs, n);
		str_fini(&s);
	}
}

static void
nothing_recorded_is_a_head_alone(void **state)
{
	struct str s = {0};
	struct err err;

	(void)state;
	memset(&hdr, 0, sizeof(hdr));
	assert_int_equal(hdr_encode(&s, hdr.count, HDR_COUNTS, HDR_HIGHEST, &err), 0);
	decode(str_text(&s));
	assert_int_equal(decoded.n, 0);
	assert_int_equal(decoded.highest, 10000000);
	str_fini(&s);
}

/* Values of all magnitudes come back, each in its bucket; those beyond the range at its end. */
static void
what_is_recorded_comes_back(void **state)
{
	static uint64_t want[HDR_COUNTS];

	(void)state;
	rng_seed("hdr");
	for (int round = 0; round < 20; round++) {
		unsigned n = rng_below(3000);
		struct str s = {0};
		struct err err;

		memset(&hdr, 0, sizeof(hdr));
		memset(want, 0, sizeof(want));
		for (unsigned i = 0; i < n; i++) {
			uint64_t v = rng() >> (rng_below(30) + 34);
			uint64_t kept = v < 10000000 ? v : 10000000;
			unsigned at = 0, step = 8192;

			/* The bucket, found by halves. */
			for (; step > 0; step /= 2)
				at += at + step < HDR_COUNTS && lowest_of(at + step) <= kept ? step
											     : 0;
			want[at]++;
			hdr_record(&hdr, v);
		}
		assert_int_equal(hdr_encode(&s, hdr.count, HDR_COUNTS, HDR_HIGHEST, &err), 0);
		decode(str_text(&s));
		assert_true(decoded.n <= HDR_COUNTS);
		for (unsigned i = 0; i < HDR_COUNTS; i++)
			assert_int_equal(decoded.count[i], want[i]);
		str_fini(&s);
	}
}

static void
counts_do_not_wrap(void **state)
{
	struct str s = {0};
	struct err err;

	(void)state;
	memset(&hdr, 0, sizeof(hdr));
	hdr.count[hdr_index(5)] = UINT32_MAX - 1;
	for (int i = 0; i < 3; i++)
		hdr_record(&hdr, 5);
	assert_int_equal(hdr_encode(&s, hdr.count, HDR_COUNTS, HDR_HIGHEST, &err), 0);
	decode(str_text(&s));
	assert_int_equal(decoded.count[5], UINT32_MAX);
	str_fini(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(places_are_those_of_three_digits),
		cmocka_unit_test(other_implementations_write_the_same),
		cmocka_unit_test(nothing_recorded_is_a_head_alone),
		cmocka_unit_test(what_is_recorded_comes_back),
		cmocka_unit_test(counts_do_not_wrap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
