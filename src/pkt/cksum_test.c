/* SPDX-License-Identifier: MIT */
#include "cksum.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void
rfc1071_example(void **state)
{
	static const uint8_t data[] = {0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};

	(void)state;
	/* RFC 1071, section 3: the sum is 2ddf0, folded ddf2. */
	assert_int_equal(cksum_add(0, data, sizeof(data)), 0x2ddf0);
	assert_int_equal(cksum_finish(0x2ddf0), 0x220d);
}

static void
odd_bytes_are_padded(void **state)
{
	static const uint8_t data[] = {0x12, 0x34, 0x56};

	(void)state;
	assert_int_equal(cksum_add(0, data, 3), 0x1234 + 0x5600);
	assert_int_equal(cksum_add(7, data, 0), 7);
}

static void
folding_carries_twice(void **state)
{
	(void)state;
	assert_int_equal(cksum_finish(0), 0xffff);
	assert_int_equal(cksum_finish(0xffff), 0);
	assert_int_equal(cksum_finish(0x1ffff), 0xfffe);
	assert_int_equal(cksum_finish(0xffffffff), 0);
}

static void
ipv4_header_of_the_textbook(void **state)
{
	uint8_t hdr[20] = {0x45, 0x00, 0x00, 0x73, 0x00, 0x00, 0x40, 0x00, 0x40, 0x11,
			   0xb8, 0x61, 0xc0, 0xa8, 0x00, 0x01, 0xc0, 0xa8, 0x00, 0xc7};

	(void)state;
	assert_int_equal(cksum_ipv4(hdr, 20), 0xb861);
	/* The field's old value does not matter, and a valid header sums up to nothing. */
	hdr[10] ^= 0x5a;
	assert_int_equal(cksum_ipv4(hdr, 20), 0xb861);
	hdr[10] ^= 0x5a;
	assert_int_equal(cksum_finish(cksum_add(0, hdr, 20)), 0);
}

/* A header with addresses 'ip'[12..19] and, for IPv6, both 16-byte addresses of one repeated byte.
 */
static void
make_ip(uint8_t *ip, bool ipv6, uint8_t proto)
{
	memset(ip, 0, 40);
	ip[0] = ipv6 ? 0x60 : 0x45;
	ip[ipv6 ? 6 : 9] = proto;
	for (unsigned i = 0; i < (ipv6 ? 32 : 8); i++)
		ip[(ipv6 ? 8 : 12) + i] = (uint8_t)(0xc0 + 3 * i);
}

static void
l4_checksums_verify(void **state)
{
	(void)state;
	/* What a receiver does: pseudo header and segment together sum up to nothing. */
	for (unsigned ipv6 = 0; ipv6 < 2; ipv6++)
		for (size_t len = 20; len < 64; len++)
			for (unsigned tcp = 0; tcp < 2; tcp++) {
				uint8_t ip[40], l4[64], proto = tcp ? 6 : 17;
				unsigned field = tcp ? 16 : 6;
				uint32_t sum;
				uint16_t check;

				make_ip(ip, ipv6, proto);
				for (size_t i = 0; i < len; i++)
					l4[i] = (uint8_t)(i * 37 + len);
				check = cksum_l4(ip, l4, len);
				l4[field] = (uint8_t)(check >> 8);
				l4[field + 1] = (uint8_t)check;
				sum = ipv6 ? cksum_add(0, ip + 8, 32) : cksum_add(0, ip + 12, 8);
				sum = cksum_add(sum + proto + (uint32_t)len, l4, len);
				assert_int_equal(cksum_finish(sum), 0);
				assert_int_equal(cksum_l4(ip, l4, len), check);
			}
}

static void
udp_never_sends_zero(void **state)
{
	uint8_t ip[40], udp[8] = {0};
	uint16_t check;

	(void)state;
	/* Choose the source port so that the checksum comes out as 0: that would mean "none". */
	make_ip(ip, true, 17);
	check = cksum_l4(ip, udp, 8);
	udp[0] = (uint8_t)(check >> 8);
	udp[1] = (uint8_t)check;
	assert_int_equal(cksum_l4(ip, udp, 8), 0xffff);
	/* In TCP 0 is a checksum like any other. */
	make_ip(ip, true, 6);
	udp[0] = udp[1] = 0;
	check = cksum_l4(ip, udp, 8);
	udp[0] = (uint8_t)(check >> 8);
	udp[1] = (uint8_t)check;
	assert_int_equal(cksum_l4(ip, udp, 8), 0);
}

static void
updates_equal_recomputation(void **state)
{
	uint8_t data[24];
	uint32_t x = 12345;

	(void)state;
	for (unsigned i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(x = x * 1103515245 + 12345, x >> 16);
	for (unsigned n = 0; n < 20000; n++) {
		uint16_t before = cksum_finish(cksum_add(0, data, sizeof(data)));
		unsigned at = n % 11 * 2;
		uint32_t from = 0, to = 0;
		uint16_t after;

		for (unsigned i = 0; i < 4; i++) {
			from = from << 8 | data[at + i];
			x = x * 1103515245 + 12345;
			data[at + i] = n % 7 == 0 ? 0xff : (uint8_t)(x >> 16);
			to = to << 8 | data[at + i];
		}
		after = cksum_finish(cksum_add(0, data, sizeof(data)));
		assert_int_equal(cksum_update32(before, from, to), after);
	}
}

static void
rfc1624_corner_case(void **state)
{
	(void)state;
	/* RFC 1624, section 4: where the older equation gave ffff, equation 3 gives 0. */
	assert_int_equal(cksum_update16(0xdd2f, 0x5555, 0x3285), 0x0000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rfc1071_example),
		cmocka_unit_test(odd_bytes_are_padded),
		cmocka_unit_test(folding_carries_twice),
		cmocka_unit_test(ipv4_header_of_the_textbook),
		cmocka_unit_test(l4_checksums_verify),
		cmocka_unit_test(udp_never_sends_zero),
		cmocka_unit_test(updates_equal_recomputation),
		cmocka_unit_test(rfc1624_corner_case),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
