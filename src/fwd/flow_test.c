/* SPDX-License-Identifier: MIT */
#include "flow.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/test_random.h"

#define ROUNDS 200000

/* Bit by bit, after the polynomial's definition, and so of no kin to what is tested. */
static uint32_t
crc32c(uint32_t crc, const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		crc ^= p[i];
		for (unsigned bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78 : 0);
	}
	return crc;
}

static const uint8_t udp4[] = {
	0x02, 0,    0,	  0,	0, 1, 0x02, 0, 0,  0,  0, 2, 0x08, 0x00, /* Ethernet */
	0x45, 0,    0,	  28,	0, 1, 0x40, 0, 64, 17, 0, 0, 10,   0,
	0,    1,    192,  168,	7, 9,	       /* IPv4 */
	0x04, 0xd2, 0x16, 0x2e, 0, 8, 0,    0, /* UDP */
};
#define IP4 14
#define UDP4 34

static uint32_t
hash_of(const uint8_t *frame, size_t len)
{
	struct rte_mbuf m = {
		.buf_addr = (void *)(uintptr_t)frame,
		.data_len = (uint16_t)len,
		.pkt_len = (uint32_t)len,
	};

	return flow_hash(&m);
}

/* What the hash of a frame has to be: the CRC of addresses, ports and protocol, one after the
 * other.
 */
static uint32_t
expected(const uint8_t *addresses, size_t n, const uint8_t ports[4], uint8_t protocol)
{
	const uint8_t tail[4] = {protocol, 0, 0, 0};

	return crc32c(crc32c(crc32c(0, addresses, n), ports, 4), tail, 4);
}

static const uint8_t no_ports[4];

static void
the_reference_is_crc32c(void **state)
{
	/* The check value of the catalogue of CRCs; that one is inverted at both ends. */
	(void)state;
	assert_int_equal(crc32c(UINT32_MAX, (const uint8_t *)"123456789", 9) ^ UINT32_MAX,
			 0xe3069283);
}

static void
plain_frames_hash_their_five_fields(void **state)
{
	uint8_t f[sizeof(udp4)];

	(void)state;
	memcpy(f, udp4, sizeof(f));
	assert_int_equal(hash_of(f, sizeof(f)), expected(f + 26, 8, f + UDP4, 17));
	f[23] = 6;
	assert_int_equal(hash_of(f, sizeof(f)), expected(f + 26, 8, f + UDP4, 6));
	/* Type of service, identification, checksum, payload: not the flow's. */
	f[15] = f[19] = f[25] = f[41] = 0x77;
	assert_int_equal(hash_of(f, sizeof(f)), expected(f + 26, 8, f + UDP4, 6));
	/* Each of the five is. */
	for (size_t at = 26; at < 38; at++) {
		uint32_t before = hash_of(f, sizeof(f));

		f[at] ^= 1;
		assert_int_not_equal(hash_of(f, sizeof(f)), before);
	}
}

static void
tags_do_not_change_the_flow(void **state)
{
	uint8_t f[sizeof(udp4) + 8];

	(void)state;
	memcpy(f, udp4, 12);
	memcpy(f + 12, (const uint8_t[]){0x88, 0xa8, 0, 5, 0x81, 0x00, 0, 6}, 8);
	memcpy(f + 20, udp4 + 12, sizeof(udp4) - 12);
	assert_int_equal(hash_of(f, sizeof(f)), hash_of(udp4, sizeof(udp4)));
	memcpy(f + 16, udp4 + 12, sizeof(udp4) - 12);
	memcpy(f + 12, (const uint8_t[]){0x81, 0x00, 0, 6}, 4);
	assert_int_equal(hash_of(f, sizeof(f) - 4), hash_of(udp4, sizeof(udp4)));
}

static void
all_fragments_of_a_datagram_are_one_flow(void **state)
{
	uint8_t first[sizeof(udp4)], later[sizeof(udp4)];

	(void)state;
	memcpy(first, udp4, sizeof(first));
	memcpy(later, udp4, sizeof(later));
	first[20] = 0x20; /* more follow */
	later[20] = 0;
	later[21] = 0xb9;
	memset(later + UDP4, 0xab, 8); /* payload where the ports would be */
	assert_int_equal(hash_of(first, sizeof(first)), expected(first + 26, 8, no_ports, 17));
	assert_int_equal(hash_of(later, sizeof(later)), hash_of(first, sizeof(first)));
}

static void
options_move_the_ports(void **state)
{
	uint8_t f[sizeof(udp4) + 4];

	(void)state;
	memcpy(f, udp4, UDP4);
	f[IP4] = 0x46;
	memset(f + UDP4, 1, 4);
	memcpy(f + UDP4 + 4, udp4 + UDP4, 8);
	assert_int_equal(hash_of(f, sizeof(f)), hash_of(udp4, sizeof(udp4)));
}

static void
ipv6_hashes_its_five_fields(void **state)
{
	uint8_t f[14 + 40 + 8] = {0x02, 0, 0, 0, 0, 1, 0x02, 0, 0, 0, 0, 2, 0x86, 0xdd, 0x60};

	(void)state;
	f[20] = 17;
	for (size_t i = 22; i < 58; i++)
		f[i] = (uint8_t)(i * 7);
	assert_int_equal(hash_of(f, sizeof(f)), expected(f + 22, 32, f + 54, 17));
	f[20] = 58; /* ICMPv6 has no ports */
	assert_int_equal(hash_of(f, sizeof(f)), expected(f + 22, 32, no_ports, 58));
}

static void
what_is_no_ip_hashes_its_addresses(void **state)
{
	const uint8_t macs[16] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
	uint8_t f[60] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 0x88, 0xcc};

	(void)state;
	assert_int_equal(hash_of(f, sizeof(f)), crc32c(0, macs, 16));
	/* Nor is what says that it is, and is not. */
	f[12] = 0x08;
	f[13] = 0x00;
	f[14] = 0x65;
	assert_int_equal(hash_of(f, sizeof(f)), crc32c(0, macs, 16));
	f[14] = 0x43;
	assert_int_equal(hash_of(f, sizeof(f)), crc32c(0, macs, 16));
}

/* A frame of random headers, likely ones more often than others. */
static void
make_up(uint8_t *f, size_t len)
{
	static const uint8_t types[][2] = {{0x08, 0}, {0x86, 0xdd}, {0x81, 0}, {0x88, 0xa8}};
	size_t at = 12;

	for (size_t i = 0; i < len; i++)
		f[i] = (uint8_t)rng_below(256);
	while (at + 3 < len && rng_below(8) != 0) {
		unsigned type = (unsigned)rng_below(4);

		memcpy(f + at, types[type], 2);
		if (type < 2) {
			f[at + 2] = (uint8_t)(type == 0 ? 0x40 | rng_below(16) : 0x60);
			return;
		}
		at += 4;
	}
}

/* Frames of any length end where the next byte is one that must not be touched; and bytes behind
 * the end do not change the flow. */
static void
nothing_is_read_behind_the_end(void **state)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);
	uint8_t *area =
		mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)state;
	assert_true(area != MAP_FAILED);
	assert_int_equal(mprotect(area + page, page, PROT_NONE), 0);
	for (unsigned i = 0; i < ROUNDS; i++) {
		size_t len = rng_below(80);
		uint8_t again[160];
		uint8_t *f = area + page - len;

		make_up(f, len);
		memcpy(again, f, len);
		memset(again + len, (int)i, sizeof(again) - len);
		assert_int_equal(hash_of(f, len), hash_of(again, len));
	}
	munmap(area, 2 * page);
}

/* Flows that differ in little still spread: over 16 buckets, none has twice its share. */
static void
neighbouring_flows_spread(void **state)
{
	unsigned bucket[16] = {0};
	uint8_t f[sizeof(udp4)];

	(void)state;
	memcpy(f, udp4, sizeof(f));
	for (unsigned port = 0; port < 1024; port++) {
		f[UDP4] = (uint8_t)(port >> 8);
		f[UDP4 + 1] = (uint8_t)port;
		bucket[hash_of(f, sizeof(f)) >> 12 & 15]++;
	}
	for (unsigned i = 0; i < 16; i++)
		assert_in_range(bucket[i], 32, 128);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_reference_is_crc32c),
		cmocka_unit_test(plain_frames_hash_their_five_fields),
		cmocka_unit_test(tags_do_not_change_the_flow),
		cmocka_unit_test(all_fragments_of_a_datagram_are_one_flow),
		cmocka_unit_test(options_move_the_ports),
		cmocka_unit_test(ipv6_hashes_its_five_fields),
		cmocka_unit_test(what_is_no_ip_hashes_its_addresses),
		cmocka_unit_test(nothing_is_read_behind_the_end),
		cmocka_unit_test(neighbouring_flows_spread),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
