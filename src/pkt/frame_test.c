/* SPDX-License-Identifier: MIT */
#include "frame.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cksum.h"

/* The smallest frames that carry a signature, of each shape, as they are on the wire (made without
 * the code under test): frozen, since results of different versions are compared. */

static const uint8_t golden_ipv4_64[] = {
	0x02, 0x00, 0x00, 0x00, 0x00, 0x02, 0x02, 0x00, 0x00, 0x00, 0x00, 0x01, 0x08, 0x00, 0x45,
	0x00, 0x00, 0x2e, 0x00, 0x00, 0x40, 0x00, 0x40, 0x11, 0xae, 0x97, 0xc6, 0x12, 0x00, 0x01,
	0xc6, 0x13, 0x00, 0x01, 0xc0, 0x00, 0x00, 0x09, 0x00, 0x1a, 0x00, 0x00, 0x00, 0x01, 0x02,
	0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f, 0x10, 0x11,
};

static const uint8_t golden_vlan_68[] = {
	0x02, 0x00, 0x00, 0x00, 0x00, 0x02, 0x02, 0x00, 0x00, 0x00, 0x00, 0x01, 0x81,
	0x00, 0x00, 0x64, 0x08, 0x00, 0x45, 0x00, 0x00, 0x2e, 0x00, 0x00, 0x40, 0x00,
	0x40, 0x11, 0xae, 0x97, 0xc6, 0x12, 0x00, 0x01, 0xc6, 0x13, 0x00, 0x01, 0xc0,
	0x00, 0x00, 0x09, 0x00, 0x1a, 0x00, 0x00, 0x00, 0x01, 0x02, 0x03, 0x04, 0x05,
	0x06, 0x07, 0x08, 0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f, 0x10, 0x11,
};

static const uint8_t golden_ipv6_84[] = {
	0x02, 0x00, 0x00, 0x00, 0x00, 0x02, 0x02, 0x00, 0x00, 0x00, 0x00, 0x01, 0x86, 0xdd,
	0x60, 0x00, 0x00, 0x00, 0x00, 0x1a, 0x11, 0x40, 0x20, 0x01, 0x00, 0x02, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xc6, 0x12, 0x00, 0x01, 0x20, 0x01, 0x00, 0x02,
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xc6, 0x13, 0x00, 0x01, 0xc0, 0x00,
	0x00, 0x09, 0x00, 0x1a, 0x2b, 0x31, 0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07,
	0x08, 0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f, 0x10, 0x11,
};

static const uint8_t golden_vlan_ipv6_88[] = {
	0x02, 0x00, 0x00, 0x00, 0x00, 0x02, 0x02, 0x00, 0x00, 0x00, 0x00, 0x01, 0x81, 0x00,
	0x00, 0x64, 0x86, 0xdd, 0x60, 0x00, 0x00, 0x00, 0x00, 0x1a, 0x11, 0x40, 0x20, 0x01,
	0x00, 0x02, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xc6, 0x12, 0x00, 0x01,
	0x20, 0x01, 0x00, 0x02, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xc6, 0x13,
	0x00, 0x01, 0xc0, 0x00, 0x00, 0x09, 0x00, 0x1a, 0x2b, 0x31, 0x00, 0x01, 0x02, 0x03,
	0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f, 0x10, 0x11,
};

static const struct shape {
	const uint8_t *golden;
	uint16_t size, vlan;
	bool ipv6;
} shapes[] = {
	{golden_ipv4_64, 64, 0, false},
	{golden_vlan_68, 68, 100, false},
	{golden_ipv6_84, 84, 0, true},
	{golden_vlan_ipv6_88, 88, 100, true},
};

#define N_SHAPES (sizeof(shapes) / sizeof(shapes[0]))

static struct frame_spec
spec_of(const struct shape *shape, uint16_t size)
{
	struct frame_spec spec;

	frame_spec_init(&spec);
	spec.size = size;
	spec.vlan = shape->vlan;
	spec.ipv6 = shape->ipv6;
	return spec;
}

static void
golden_frames(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_SHAPES; i++) {
		struct frame_spec spec = spec_of(&shapes[i], shapes[i].size);
		uint8_t buf[FRAME_MAX_SIZE];
		struct err err;

		assert_int_equal(frame_build(&spec, buf, sizeof(buf), &err), spec.size - 4);
		assert_memory_equal(buf, shapes[i].golden, (size_t)spec.size - 4);
	}
}

static void
smallest_signed_sizes(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_SHAPES; i++) {
		struct frame_spec spec = spec_of(&shapes[i], 1518);

		assert_int_equal(frame_min_signed_size(&spec), shapes[i].size);
		assert_int_equal(frame_payload_offset(&spec), shapes[i].size - 4 - 18);
	}
}

/* Sums over the whole IP packet as a receiver does. */
static void
assert_checksums(const uint8_t *buf, const struct frame_view *v, size_t len)
{
	const uint8_t *udp = buf + v->l4;
	uint16_t check = (uint16_t)(udp[6] << 8 | udp[7]);

	if (buf[v->l3] >> 4 == 4) {
		assert_int_equal(cksum_finish(cksum_add(0, buf + v->l3, v->l4 - v->l3)), 0);
		assert_int_equal(check, 0);
	} else {
		assert_int_equal(cksum_l4(buf + v->l3, udp, len - v->l4), check);
	}
}

static void
built_frames_parse(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_SHAPES; i++)
		for (uint16_t size = 70; size <= 9216; size = (uint16_t)(size + 1 + size / 9)) {
			struct frame_spec spec = spec_of(&shapes[i], size);
			uint8_t buf[FRAME_MAX_SIZE];
			struct frame_view v;
			struct err err;
			int len = frame_build(&spec, buf, sizeof(buf), &err);

			assert_int_equal(len, size - 4);
			assert_true(frame_parse(buf, (size_t)len, &v));
			assert_int_equal(v.payload, frame_payload_offset(&spec));
			assert_int_equal(v.l4 + FRAME_UDP, v.payload);
			assert_int_equal(v.len, len);
			assert_int_equal(v.proto, 17);
			assert_int_equal(v.n_vlans, spec.vlan != 0);
			assert_int_equal(v.ethertype, spec.ipv6 ? 0x86dd : 0x0800);
			assert_checksums(buf, &v, (size_t)len);
		}
}

static void
payload_is_the_same_for_every_size(void **state)
{
	uint8_t small[FRAME_MAX_SIZE], large[FRAME_MAX_SIZE];
	struct frame_spec spec;
	struct err err;
	uint16_t at;

	(void)state;
	/* A buffer filled once serves all sizes. */
	frame_spec_init(&spec);
	at = frame_payload_offset(&spec);
	spec.size = 9216;
	assert_int_equal(frame_build(&spec, large, sizeof(large), &err), 9212);
	spec.size = 700;
	assert_int_equal(frame_build(&spec, small, sizeof(small), &err), 696);
	assert_memory_equal(small + at, large + at, 696u - at);
	frame_fill(small + at, 300, 600);
	assert_memory_equal(small + at, large + at, 696u - at);
}

static void
bad_specs_say_why(void **state)
{
	static const struct {
		uint16_t size, vlan;
		bool ipv6;
		const char *msg;
	} bad[] = {
		{63, 0, false, "frame size 63 is not from 64 to 9216"},
		{9217, 0, false, "frame size 9217 is not from 64 to 9216"},
		{64, 0, true, "frame size 64 has no room for the headers, which take 66"},
		{69, 1, true, "frame size 69 has no room for the headers, which take 70"},
		{64, 4095, false, "VLAN id 4095 is not from 1 to 4094"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		uint8_t buf[FRAME_MAX_SIZE];
		struct frame_spec spec;
		struct err err = {0};

		frame_spec_init(&spec);
		spec.size = bad[i].size;
		spec.vlan = bad[i].vlan;
		spec.ipv6 = bad[i].ipv6;
		assert_int_equal(frame_build(&spec, buf, sizeof(buf), &err), -EINVAL);
		assert_string_equal(err.msg, bad[i].msg);
	}
}

static void
a_small_buffer_is_not_written(void **state)
{
	uint8_t buf[60], zero[60] = {0};
	struct frame_spec spec;
	struct err err;

	(void)state;
	frame_spec_init(&spec);
	memset(buf, 0, sizeof(buf));
	assert_int_equal(frame_build(&spec, buf, 59, &err), -ENOBUFS);
	assert_memory_equal(buf, zero, sizeof(buf));
}

/* 'tags' go between the addresses and the ethertype of a 64-byte frame. */
static size_t
insert_tags(uint8_t *buf, const uint8_t *tags, size_t n)
{
	memcpy(buf, golden_ipv4_64, 12);
	memcpy(buf + 12, tags, n);
	memcpy(buf + 12 + n, golden_ipv4_64 + 12, sizeof(golden_ipv4_64) - 12);
	return sizeof(golden_ipv4_64) + n;
}

static void
two_tags_and_no_more(void **state)
{
	static const uint8_t qinq[] = {0x88, 0xa8, 0, 5, 0x81, 0, 0, 6};
	static const uint8_t three[] = {0x81, 0, 0, 5, 0x81, 0, 0, 6, 0x81, 0, 0, 7};
	struct frame_view v;
	uint8_t buf[128];
	size_t len;

	(void)state;
	len = insert_tags(buf, qinq, sizeof(qinq));
	assert_true(frame_parse(buf, len, &v));
	assert_int_equal(v.n_vlans, 2);
	assert_int_equal(v.l3, 22);
	assert_int_equal(v.payload, 50);
	len = insert_tags(buf, three, sizeof(three));
	assert_false(frame_parse(buf, len, &v));
	assert_int_equal(v.n_vlans, 2);
	assert_int_equal(v.ethertype, 0x8100);
	assert_int_equal(v.l3, 0);
}

static void
cut_frames_never_read_beyond(void **state)
{
	(void)state;
	/* Every length in a block of exactly that length: a read beyond it is found by ASan. */
	for (size_t i = 0; i < N_SHAPES; i++)
		for (size_t len = 0; len <= shapes[i].size - 4u; len++) {
			uint8_t *buf = malloc(len > 0 ? len : 1);
			struct frame_view v;
			bool whole;

			assert_non_null(buf);
			memcpy(buf, shapes[i].golden, len);
			whole = frame_parse(buf, len, &v);
			assert_int_equal(whole, len >= shapes[i].size - 4u - 18);
			assert_true(v.l3 <= len && v.l4 <= len && v.payload <= len);
			/* Cut behind the headers: known, and known to be cut. */
			if (whole)
				assert_int_equal(v.len, shapes[i].size - 4);
			free(buf);
		}
}

static void
what_is_no_such_frame(void **state)
{
	static const struct {
		size_t at;
		uint8_t byte;
	} change[] = {
		{12, 0x09}, /* another ethertype */
		{14, 0x55}, /* IP version 5 */
		{14, 0x44}, /* an IP header of 16 bytes */
		{14, 0x4f}, /* of 60 bytes: there is no room for UDP behind it */
		{17, 0x13}, /* a packet shorter than its header */
		{17, 0x1b}, /* no room for UDP */
		{21, 0x01}, /* not the first fragment */
		{23, 0x01}, /* ICMP */
		{23, 0x06}, /* TCP with a header of 0 bytes */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(change) / sizeof(change[0]); i++) {
		struct frame_view v;
		uint8_t buf[60];

		memcpy(buf, golden_ipv4_64, sizeof(buf));
		buf[change[i].at] = change[i].byte;
		assert_false(frame_parse(buf, sizeof(buf), &v));
		assert_int_equal(v.l4, 0);
		assert_int_equal(v.payload, 0);
	}
}

static void
tcp_with_options(void **state)
{
	struct frame_view v;
	uint8_t buf[74];

	(void)state;
	memcpy(buf, golden_ipv4_64, 60);
	memset(buf + 60, 0, sizeof(buf) - 60);
	buf[17] = 60;
	buf[23] = 6;
	buf[34 + 12] = 0xa0; /* 40 bytes: up to the end of the packet */
	assert_true(frame_parse(buf, sizeof(buf), &v));
	assert_int_equal(v.payload, 74);
	buf[17] = 59;
	assert_false(frame_parse(buf, sizeof(buf), &v));
}

static void
a_cut_ip_header_is_none(void **state)
{
	struct frame_view v;
	uint8_t buf[60];

	(void)state;
	memcpy(buf, golden_ipv4_64, sizeof(buf));
	buf[14] = 0x4f; /* 60 bytes of header, of which 46 are there */
	buf[17] = 80;
	assert_false(frame_parse(buf, sizeof(buf), &v));
	assert_int_equal(v.l3, 0);
	assert_int_equal(v.len, 0);
	assert_int_equal(v.ethertype, 0x0800);
}

static void
padding_is_not_payload(void **state)
{
	struct frame_view v;
	uint8_t buf[60];

	(void)state;
	memcpy(buf, golden_ipv4_64, sizeof(buf));
	buf[17] = 30; /* two bytes of payload, the rest pads the frame */
	assert_true(frame_parse(buf, sizeof(buf), &v));
	assert_int_equal(v.len, 44);
}

static void
the_longest_packet_overflows_nothing(void **state)
{
	struct frame_view v;
	uint8_t buf[84];

	(void)state;
	memcpy(buf, golden_vlan_ipv6_88, sizeof(buf));
	buf[18 + 4] = buf[18 + 5] = 0xff;
	assert_true(frame_parse(buf, sizeof(buf), &v));
	assert_int_equal(v.len, 18 + 40 + 65535);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(golden_frames),
		cmocka_unit_test(smallest_signed_sizes),
		cmocka_unit_test(built_frames_parse),
		cmocka_unit_test(payload_is_the_same_for_every_size),
		cmocka_unit_test(bad_specs_say_why),
		cmocka_unit_test(a_small_buffer_is_not_written),
		cmocka_unit_test(two_tags_and_no_more),
		cmocka_unit_test(cut_frames_never_read_beyond),
		cmocka_unit_test(what_is_no_such_frame),
		cmocka_unit_test(tcp_with_options),
		cmocka_unit_test(a_cut_ip_header_is_none),
		cmocka_unit_test(padding_is_not_payload),
		cmocka_unit_test(the_longest_packet_overflows_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
