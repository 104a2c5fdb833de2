/* SPDX-License-Identifier: MIT */
#include "vm_rig.h"

/* What a program makes of a frame as a whole: length, checksums, frames that repeat. */

static void
trims(void **state)
{
	struct vm *vm =
		rig_parse(VAR("inc", 2, 60, 60, 66, 1) TRIM ", " WRITE_AT("v", 16, -14) IPV4_FIX);
	struct rig_player p;

	rig_make_base(0x45, 17);
	rig_start(&p, vm, 0);
	for (unsigned i = 0; i < 20; i++) {
		rig_play(&p, LEN);
		assert_int_equal(p.len, 60 + i % 7);
		assert_int_equal(rig_field(&p, 16, 2), 46 + i % 7);
		assert_int_equal(cksum_finish(cksum_add(0, p.frame + 14, 20)), 0);
	}
	assert_true(vm_mean_len(vm, LEN) == 63);
	assert_int_equal(vm_reach(vm), 34);
	vm_free(vm);
}

static void
expect_mean(const char *instructions, unsigned cache, double mean)
{
	struct vm *vm = rig_parse(instructions);

	vm_set_cache(vm, (uint16_t)cache);
	if (vm_mean_len(vm, LEN) != mean)
		fail_msg("%f, not %f: %s", vm_mean_len(vm, LEN), mean, instructions);
	vm_free(vm);
}

static void
mean_lengths(void **state)
{
	expect_mean(VAR("inc", 2, 60, 60, 66, 1) WRITE, 0, LEN);
	expect_mean(VAR("inc", 2, 60, 60, 9000, 1) TRIM, 0, 80);
	expect_mean(VAR("random", 2, 60, 60, 69, 1) TRIM, 0, 64.5);
	expect_mean(VAR("random", 2, 60, 60, 69, 1) TRIM, 3, 64.5);
	/* 61, 65, 69, 73 */
	expect_mean(VAR("dec", 2, 61, 60, 75, 4) TRIM, 0, 67);
	expect_mean(LIST("inc", "[60, 70, 95, 99]", 2) TRIM, 0, 77.5);
	expect_mean(LIST("random", "[60, 70, 95, 99]", 2) TRIM, 0, 81);
	/* The first four of them are all that there are. */
	expect_mean(VAR("inc", 2, 60, 60, 66, 1) TRIM, 4, 61.5);
}

/* A start outside the lengths a frame can have is the next one inside. */
static void
lengths_are_clamped(void **state)
{
	struct vm *vm = rig_parse(VAR("dec", 2, 9000, 40, 9000, 1) TRIM);
	struct rig_player p;

	rig_start(&p, vm, 0);
	for (unsigned i = 0; i < 100; i++) {
		rig_play(&p, LEN);
		assert_int_equal(p.len, 100 - i % 41);
	}
	vm_free(vm);
}

/* A checksum that was wrong is right afterwards, whatever the length of the header. */
static void
ipv4_checksums(void **state)
{
	static const uint8_t heads[] = {0x45, 0x46, 0x4f};

	for (unsigned i = 0; i < N_ELEMS(heads); i++) {
		struct rig_player p;
		struct vm *vm;

		rig_make_base(heads[i], 17);
		vm = rig_parse(VAR("inc", 4, 0, 0, 4294967295, 65537) ", " WRITE_AT("v", 26, 0)
				       IPV4_FIX);
		rig_start(&p, vm, 0);
		for (unsigned k = 0; k < 1000; k++) {
			rig_play(&p, LEN);
			assert_int_equal(
				cksum_finish(cksum_add(0, p.frame + 14, (heads[i] & 15) * 4)), 0);
		}
		assert_int_equal(vm_reach(vm), 14 + (heads[i] & 15) * 4);
		vm_free(vm);
	}
}

/* A program that writes the header's length itself cannot make the checksum read beyond the frame.
 */
static void
ipv4_header_that_grows(void **state)
{
	struct rig_player p;
	struct vm *vm;

	rig_make_base(0x45, 17);
	rig_base[70] = 0x45;
	vm = rig_parse(VAR("inc", 1, 64, 64, 79, 1) ", " WRITE_AT(
		"v", 70, 0) ", "
			    "{\"type\": \"fix_checksum_ipv4\", \"pkt_offset\": 70}");
	rig_start(&p, vm, 0);
	for (unsigned i = 0; i < 16; i++) {
		unsigned len = i < 5 ? 20 : i * 4 > 30 ? 30 : i * 4;

		rig_play(&p, LEN);
		assert_int_equal(cksum_finish(cksum_add(0, p.frame + 70, len)), 0);
	}
	assert_int_equal(vm_reach(vm), LEN);
	vm_free(vm);
}

static void
l4_checksums(void **state)
{
	static const struct {
		uint8_t head, proto;
		const char *fix;
	} cases[] = {
		{0x45, 17, HW(20, 11)}, {0x45, 6, HW(20, 13)},	{0x46, 17, HW(24, 11)},
		{0x45, 17, HW(0, 17)},	{0x60, 17, HW(40, 11)}, {0x60, 6, HW(40, 13)},
	};

	for (unsigned i = 0; i < N_ELEMS(cases); i++) {
		bool ipv6 = cases[i].head == 0x60;
		char *text = xasprintf(VAR("inc", 2, 0, 0, 65535, 1) ", " WRITE_AT("v", 90, 0) "%s",
				       cases[i].fix);
		unsigned l4 = ipv6 ? 54 : 14 + (cases[i].head & 15) * 4;
		struct rig_player p;
		struct vm *vm;

		rig_make_base(cases[i].head, cases[i].proto);
		if (ipv6) {
			rig_base[20] = cases[i].proto;
			rig_base[18] = 0;
			rig_base[19] = 46; /* payload */
		}
		vm = rig_parse(text);
		assert_true(vm_has_checksums(vm));
		rig_start(&p, vm, 0);
		for (unsigned k = 0; k < 100; k++) {
			rig_play(&p, LEN);
			assert_int_equal(cksum_l4(p.frame + 14, p.frame + l4, LEN - l4),
					 rig_field(&p, l4 + (cases[i].proto == 6 ? 16 : 6), 2));
			assert_int_equal(
				ipv6 ? 0 : cksum_finish(cksum_add(0, p.frame + 14, l4 - 14)), 0);
		}
		/* A payload that was changed afterwards. */
		p.frame[95] ^= 0x55;
		vm_checksums(vm, p.frame, p.len);
		assert_int_equal(cksum_l4(p.frame + 14, p.frame + l4, LEN - l4),
				 rig_field(&p, l4 + (cases[i].proto == 6 ? 16 : 6), 2));
		assert_int_equal(vm_reach(vm), LEN);
		vm_free(vm);
		free(text);
	}
}

/* Bytes behind the datagram, and a frame cut short, do not count. */
static void
l4_checksum_of_the_datagram(void **state)
{
	struct rig_player p;
	struct vm *vm;

	rig_make_base(0x45, 17);
	rig_base[17] = 60; /* 40 bytes behind the header, up to 74 of 100 */
	vm = rig_parse(VAR("inc", 1, 0, 0, 255, 1) ", " WRITE_AT("v", 70, 0) HW(20, 11));
	rig_start(&p, vm, 0);
	rig_play(&p, LEN);
	assert_int_equal(cksum_l4(p.frame + 14, p.frame + 34, 40), rig_field(&p, 40, 2));
	vm_free(vm);
}

static void
icmpv6_checksums(void **state)
{
	struct rig_player p;
	struct vm *vm;

	rig_make_base(0x60, 0);
	rig_base[20] = 58;
	rig_base[18] = 0;
	rig_base[19] = 31; /* odd, and less than there is */
	vm = rig_parse(VAR("inc", 2, 0, 0, 65535, 1) ", " WRITE_AT(
		"v", 60, 0) ", "
			    "{\"type\": \"fix_checksum_icmpv6\", \"l2_len\": 14, \"l3_len\": 40}");
	rig_start(&p, vm, 0);
	for (unsigned i = 0; i < 100; i++) {
		uint32_t sum;

		rig_play(&p, LEN);
		sum = cksum_add(31 + 58, p.frame + 22, 32);
		assert_int_equal(cksum_finish(cksum_add(sum, p.frame + 54, 31)), 0);
	}
	vm_free(vm);
}

/* One checksum lies where the other's header tells its length. */
static void
checksum_over_a_header(void **state)
{
	struct rig_player p;
	struct vm *vm;

	rig_make_base(0x60, 0);
	rig_base[20] = 58;
	rig_base[57] = 0x45;
	vm = rig_parse(VAR("inc", 2, 0, 0, 65535, 1) ", " WRITE_AT(
		"v", 90, 0) ", "
			    "{\"type\": \"fix_checksum_icmpv6\", \"l2_len\": 14, \"l3_len\": 40}, "
			    "{\"type\": \"fix_checksum_ipv4\", \"pkt_offset\": 57}");
	rig_start(&p, vm, 0);
	for (unsigned i = 0; i < 100; i++) {
		unsigned len;

		rig_play(&p, LEN);
		len = (p.frame[57] & 15) * 4u;
		len = len < 20 ? 20 : len > LEN - 57 ? LEN - 57 : len;
		assert_int_equal(cksum_finish(cksum_add(0, p.frame + 57, len)), 0);
	}
	vm_free(vm);
}

static void
cache_repeats(void **state)
{
	struct vm *vm = rig_parse_for(
		"{\"cache\": 4, \"instructions\": [" VAR("inc", 2, 1, 1, 20, 1) WRITE "]}", LEN);

	assert_int_equal(vm_cache(vm), 4);
	EXPECT(vm, 2, 1, 2, 3, 4, 1, 2, 3, 4, 1);
}

/* Random frames repeat as well. */
static void
cache_of_random(void **state)
{
	struct vm *vm = rig_parse(VAR("random", 4, 0, 0, 4294967295, 1) WRITE);
	uint64_t seen[5];
	struct rig_player p;

	vm_set_cache(vm, 5);
	rig_start(&p, vm, 7);
	for (unsigned i = 0; i < 23; i++) {
		rig_play(&p, LEN);
		if (i < 5)
			seen[i] = rig_field(&p, AT, 4);
		assert_int_equal(rig_field(&p, AT, 4), seen[i % 5]);
	}
	assert_true(seen[0] != seen[1]);
	vm_free(vm);
}

static void
nothing_to_do(void **state)
{
	assert_null(rig_parse(""));
	vm_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(trims),
		cmocka_unit_test(mean_lengths),
		cmocka_unit_test(lengths_are_clamped),
		cmocka_unit_test(ipv4_checksums),
		cmocka_unit_test(ipv4_header_that_grows),
		cmocka_unit_test(l4_checksums),
		cmocka_unit_test(l4_checksum_of_the_datagram),
		cmocka_unit_test(icmpv6_checksums),
		cmocka_unit_test(checksum_over_a_header),
		cmocka_unit_test(cache_repeats),
		cmocka_unit_test(cache_of_random),
		cmocka_unit_test(nothing_to_do),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
