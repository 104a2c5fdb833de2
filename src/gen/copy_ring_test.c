/* SPDX-License-Identifier: MIT */
#include "copy_ring.h"

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/test_random.h"

#define SIZE (1u << 16)

static struct copy_ring ring;

static int
begin(void **state)
{
	(void)state;
	copy_ring_open(&ring, SIZE);
	return 0;
}

static int
end(void **state)
{
	(void)state;
	copy_ring_close(&ring);
	return 0;
}

/* Frame number 'i' has a length and bytes that its number tells. */
static uint32_t
length_of(uint64_t i)
{
	return (uint32_t)(i * 2654435761u >> 7) % 9300;
}

static bool
write_frame(uint64_t i)
{
	const struct copy_head h = {.tsc = i, .len = length_of(i), .wire_len = (uint32_t)i};
	uint8_t *room = copy_ring_stage(&ring, &h);

	if (room == NULL)
		return false;
	memset(room, (int)(i & 0xff), h.len);
	return true;
}

static bool
is_frame(const struct copy_head *h, const uint8_t *bytes, uint64_t i)
{
	if (h->tsc != i || h->len != length_of(i) || h->wire_len != (uint32_t)i)
		return false;
	for (uint32_t k = 0; k < h->len; k++)
		if (bytes[k] != (uint8_t)i)
			return false;
	return true;
}

static bool
next_is(uint64_t i)
{
	const uint8_t *bytes = NULL;
	const struct copy_head *h = copy_ring_peek(&ring, &bytes);

	return h != NULL && is_frame(h, bytes, i);
}

/* Random writing and reading, against a plain list of what is in it. */
static void
what_goes_in_comes_out_in_order(void **state)
{
	uint64_t written = 0, published = 0, read = 0, refused = 0;

	(void)state;
	rng_seed("copy_ring");
	for (int i = 0; i < 200000; i++) {
		const struct copy_head *h;
		const uint8_t *bytes;

		switch (rng_below(3)) {
		case 0:
			if (write_frame(written))
				written++;
			else
				refused++;
			break;
		case 1:
			copy_ring_publish(&ring, copy_ring_position(&ring));
			published = written;
			break;
		default:
			h = copy_ring_peek(&ring, &bytes);
			assert_int_equal(h != NULL, read < published);
			if (h == NULL)
				break;
			assert_true(is_frame(h, bytes, read));
			copy_ring_next(&ring);
			read++;
		}
	}
	assert_true(read > 1000);
	assert_int_equal(counter_get(&ring.lost), refused);
}

static void
what_is_not_published_is_forgotten(void **state)
{
	const uint8_t *bytes;
	uint64_t position;

	(void)state;
	assert_true(write_frame(0));
	position = copy_ring_position(&ring);
	assert_true(write_frame(1));
	assert_true(write_frame(2));
	assert_true(copy_ring_is_empty(&ring));
	copy_ring_publish(&ring, position);
	assert_true(next_is(0));
	copy_ring_next(&ring);
	assert_null(copy_ring_peek(&ring, &bytes));
	assert_true(write_frame(3));
	copy_ring_publish(&ring, copy_ring_position(&ring));
	assert_true(next_is(3));
}

static void
a_full_ring_counts_and_keeps_what_it_has(void **state)
{
	uint64_t n = 0;

	(void)state;
	while (write_frame(n))
		n++;
	assert_true(n > 5);
	assert_int_equal(counter_get(&ring.lost), 1);
	copy_ring_publish(&ring, copy_ring_position(&ring));
	for (uint64_t i = 0; i < n; i++) {
		assert_true(next_is(i));
		copy_ring_next(&ring);
	}
	assert_true(copy_ring_is_empty(&ring));
	assert_true(write_frame(n));
}

#define MANY 100000

static void *
write_many(void *arg)
{
	(void)arg;
	for (uint64_t i = 0; i < MANY;) {
		if (!write_frame(i)) {
			sched_yield();
			continue;
		}
		copy_ring_publish(&ring, copy_ring_position(&ring));
		i++;
	}
	return NULL;
}

static void
two_threads_share_it(void **state)
{
	pthread_t writer;

	(void)state;
	assert_int_equal(pthread_create(&writer, NULL, write_many, NULL), 0);
	for (uint64_t i = 0; i < MANY;) {
		const uint8_t *bytes;
		const struct copy_head *h = copy_ring_peek(&ring, &bytes);

		if (h == NULL) {
			sched_yield();
			continue;
		}
		assert_true(is_frame(h, bytes, i++));
		copy_ring_next(&ring);
	}
	pthread_join(writer, NULL);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_goes_in_comes_out_in_order),
		TEST(what_is_not_published_is_forgotten),
		TEST(a_full_ring_counts_and_keeps_what_it_has),
		TEST(two_threads_share_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
