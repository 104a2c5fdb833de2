/* SPDX-License-Identifier: MIT */
#include "sig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/assert_within.h"

#define SIG_BITS (8 * SIG_SIZE)

static const struct sig examples[] = {
	{.time_ns = 0, .seq = 0, .stream = 0, .lateness = 0},
	{.time_ns = 0x0102030405ull, .seq = 0x11223344, .stream = 0xa5a5, .lateness = 0x55aa},
	{.time_ns = 0xffffffffffffull, .seq = 0xffffffff, .stream = 0xffff, .lateness = 0xffff},
	{.time_ns = 86400000000000ull, .seq = 0x80000000, .stream = 1, .lateness = 7},
};

#define N_EXAMPLES (sizeof(examples) / sizeof(examples[0]))

static void
flip(uint8_t *p, unsigned bit)
{
	p[bit / 8] ^= (uint8_t)(1u << bit % 8);
}

static void
wire_format_is_frozen(void **state)
{
	static const uint8_t golden[SIG_SIZE] = {
		0x4e, 0x46, 0xa5, 0xa5, 0x11, 0x22, 0x33, 0x44, 0x00,
		0x01, 0x02, 0x03, 0x04, 0x05, 0x55, 0xaa, 0xa0, 0x27,
	};
	uint8_t wire[SIG_SIZE];

	(void)state;
	/* Programs of different versions meet in one chain: these bytes never change. */
	sig_write(wire, &examples[1], 60);
	assert_memory_equal(wire, golden, SIG_SIZE);
}

static void
what_is_written_is_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_EXAMPLES; i++) {
		uint8_t wire[SIG_SIZE];
		struct sig s;

		sig_write(wire, &examples[i], 1514);
		assert_true(sig_has_magic(wire));
		assert_true(sig_read(wire, &s, 1514));
		assert_int_equal(s.time_ns, examples[i].time_ns);
		assert_int_equal(s.seq, examples[i].seq);
		assert_int_equal(s.stream, examples[i].stream);
		assert_int_equal(s.lateness, examples[i].lateness);
	}
}

static void
every_flipped_bit_is_detected(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_EXAMPLES; i++)
		for (unsigned bit = 0; bit < SIG_BITS; bit++) {
			uint8_t wire[SIG_SIZE];
			struct sig s;

			sig_write(wire, &examples[i], 60);
			flip(wire, bit);
			assert_false(sig_read(wire, &s, 60));
		}
}

static void
no_single_change_can_cancel(void **state)
{
	/* The proof behind the examples: a flipped bit, or another length, adds or takes a multiple
	 * of the multipliers, and the check can stay the same only if that leaves the top 16 bits
	 * all equal. */
	(void)state;
	for (unsigned i = 0; i < 64; i++) {
		uint16_t a = sig_check(1ull << i, 0, 0);
		uint16_t b = sig_check(0, 1ull << i, 0);

		assert_true(a != 0 && a != 0xffff);
		assert_true(b != 0 && b != 0xffff);
	}
	for (uint16_t d = 1; d <= 9212; d++) {
		uint16_t len = sig_check(0, 0, d);

		assert_true(len != 0 && len != 0xffff);
	}
}

static void
length_is_covered(void **state)
{
	(void)state;
	/* A frame cut or padded by any number of bytes does not pass for the one that was sent. */
	for (uint16_t sent = 60; sent <= 9212; sent = (uint16_t)(sent + 1 + sent / 8)) {
		uint8_t wire[SIG_SIZE];
		struct sig s;

		sig_write(wire, &examples[1], sent);
		for (uint16_t len = SIG_SIZE; len <= 9212; len++)
			assert_int_equal(sig_read(wire, &s, len), len == sent);
	}
}

static void
double_flips_are_rarely_missed(void **state)
{
	unsigned missed = 0, tried = 0;

	(void)state;
	for (size_t i = 0; i < N_EXAMPLES; i++)
		for (unsigned one = 0; one < SIG_BITS; one++)
			for (unsigned two = one + 1; two < SIG_BITS; two++) {
				uint8_t wire[SIG_SIZE];
				struct sig s;

				sig_write(wire, &examples[i], 60);
				flip(wire, one);
				flip(wire, two);
				missed += sig_read(wire, &s, 60);
				tried++;
			}
	print_message("# %u of %u double flips were not detected\n", missed, tried);
	/* Never more than chance would miss with 16 bits. */
	assert_within(missed, 0, tried / 65536);
}

static void
random_garbage_is_no_signature(void **state)
{
	uint64_t x = 0x123456789abcdefull;
	unsigned taken = 0;

	(void)state;
	for (unsigned i = 0; i < 1000000; i++) {
		uint8_t wire[SIG_SIZE];
		struct sig s;

		for (unsigned k = 0; k < SIG_SIZE; k++) {
			x = x * 6364136223846793005ull + 1442695040888963407ull;
			wire[k] = (uint8_t)(x >> 56);
		}
		wire[0] = SIG_MAGIC >> 8; /* even with the right magic */
		wire[1] = SIG_MAGIC & 0xff;
		taken += sig_read(wire, &s, 60);
	}
	assert_within(taken, 0, 50); /* expected: 15 */
}

static void
the_extended_magic_is_another_format(void **state)
{
	uint8_t wire[SIG_SIZE];
	struct sig s;

	(void)state;
	sig_write(wire, &examples[0], 60);
	wire[1] = SIG_MAGIC_EXT & 0xff;
	assert_false(sig_has_magic(wire));
	assert_false(sig_read(wire, &s, 60));
}

static void
a_run_is_known_by_what_comes_next(void **state)
{
	const uint32_t first = 0xfffffff0; /* the last 16 before the wrap */
	const struct sig_run begin = sig_run_from(7, first, 60);
	struct sig_run run = begin;
	uint64_t time_ns;

	(void)state;
	for (uint32_t i = 0; i < 16; i++) {
		struct sig s = examples[i % N_EXAMPLES];
		uint8_t wire[SIG_SIZE];

		s.stream = 7;
		s.seq = first + i;
		sig_write(wire, &s, 60);
		assert_true(sig_head(wire) == (0x4e460007ull << 32 | s.seq));
		assert_int_equal(sig_stream(sig_head(wire)), 7);
		assert_true(sig_run_holds(&run, wire, &time_ns));
		assert_int_equal(time_ns, s.time_ns);
		assert_int_equal(sig_run_holds(&begin, wire, &time_ns), i == 0);
		sig_run_step(&run);
		assert_false(sig_run_holds(&run, wire, &time_ns));
	}
}

static void
a_run_takes_nothing_but_what_is_intact(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_EXAMPLES; i++) {
		const struct sig *s = &examples[i];
		struct sig_run run = sig_run_from(s->stream, s->seq, 60);
		struct sig_run longer = sig_run_from(s->stream, s->seq, 61);
		uint8_t wire[SIG_SIZE];
		uint64_t time_ns;

		sig_write(wire, s, 60);
		assert_true(sig_run_holds(&run, wire, &time_ns));
		assert_false(sig_run_holds(&longer, wire, &time_ns));
		for (unsigned bit = 0; bit < SIG_BITS; bit++) {
			flip(wire, bit);
			assert_false(sig_run_holds(&run, wire, &time_ns));
			flip(wire, bit);
		}
	}
}

static void
sum_is_that_of_its_words(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_EXAMPLES; i++) {
		uint8_t wire[SIG_SIZE];
		uint64_t sum = 0;

		sig_write(wire, &examples[i], 60);
		for (unsigned k = 0; k < SIG_SIZE; k += 2)
			sum += (uint64_t)wire[k] << 8 | wire[k + 1];
		assert_int_equal(sig_sum(wire) % 0xffff, sum % 0xffff);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wire_format_is_frozen),
		cmocka_unit_test(what_is_written_is_read),
		cmocka_unit_test(every_flipped_bit_is_detected),
		cmocka_unit_test(no_single_change_can_cancel),
		cmocka_unit_test(length_is_covered),
		cmocka_unit_test(double_flips_are_rarely_missed),
		cmocka_unit_test(random_garbage_is_no_signature),
		cmocka_unit_test(the_extended_magic_is_another_format),
		cmocka_unit_test(a_run_is_known_by_what_comes_next),
		cmocka_unit_test(a_run_takes_nothing_but_what_is_intact),
		cmocka_unit_test(sum_is_that_of_its_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
