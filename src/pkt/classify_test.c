/* SPDX-License-Identifier: MIT */
#include "classify.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/test_random.h"
#include "cksum.h"

#define ROOM 600
#define ROUNDS 20000

/* A frame that is put together piece by piece, and what is known about it. */
struct built {
	uint8_t bytes[ROOM];
	size_t len;
	size_t ip[2]; /* offsets of the outer and inner IP headers; 0: none */
	size_t l4;    /* of the outermost */
	uint16_t id[2];
	uint8_t version[2];
	size_t payload; /* offset, of the outer L4 header */
	bool ports;	/* the outer one's L4 has them */
	bool vxlan;
};

static void
add(struct built *b, const void *bytes, size_t n)
{
	assert_true(b->len + n <= ROOM);
	memcpy(b->bytes + b->len, bytes, n);
	b->len += n;
}

static void
add16(struct built *b, uint16_t v)
{
	add(b, (const uint8_t[]){(uint8_t)(v >> 8), (uint8_t)v}, 2);
}

static void
add_zeros(struct built *b, size_t n)
{
	static const uint8_t zeros[64];

	add(b, zeros, n);
}

/* Addresses and up to 3 tags; then 'labels' MPLS labels, or the type of IP itself. */
static void
add_l2(struct built *b, unsigned tags, unsigned labels, uint8_t version)
{
	static const uint16_t types[] = {0x8100, 0x88a8, 0x9100};

	add_zeros(b, 12);
	for (unsigned i = 0; i < tags; i++) {
		add16(b, types[rng_below(3)]);
		add16(b, (uint16_t)rng());
	}
	if (labels == 0) {
		add16(b, version == 4 ? 0x0800 : 0x86dd);
		return;
	}
	add16(b, rng_below(2) == 0 ? 0x8847 : 0x8848);
	for (unsigned i = 0; i < labels; i++)
		add(b, (const uint8_t[]){(uint8_t)rng(), 0, i + 1 == labels, 64}, 4);
}

static void
add_ipv4(struct built *b, unsigned which, uint8_t proto, uint16_t id)
{
	unsigned options = rng_below(3);
	uint16_t tos = (uint16_t)rng_below(256);
	size_t at = b->len, hdr = 20 + options * 4;

	add16(b, (uint16_t)((0x45 + options) << 8 | tos));
	add16(b, (uint16_t)(hdr + 8));
	add16(b, id);
	add16(b, 0x4000);
	add(b, (const uint8_t[]){64, proto, 0, 0, 10, 0, 0, (uint8_t)rng(), 10, 1, 2, 3}, 12);
	add_zeros(b, options * 4);
	b->bytes[at + 10] = (uint8_t)(cksum_ipv4(b->bytes + at, hdr) >> 8);
	b->bytes[at + 11] = (uint8_t)cksum_ipv4(b->bytes + at, hdr);
	b->ip[which] = at;
}

static void
add_ipv6(struct built *b, unsigned which, uint8_t proto, uint16_t id)
{
	unsigned n = rng_below(3); /* extension headers: options for the destination */

	b->ip[which] = b->len;
	add16(b, (uint16_t)(0x6000 | rng_below(0x1000)));
	add16(b, id);
	add16(b, 100);
	add(b, (const uint8_t[]){n > 0 ? 60 : proto, 64}, 2);
	add_zeros(b, 32);
	for (unsigned i = 0; i < n; i++) {
		uint8_t units = (uint8_t)rng_below(3);

		add(b, (const uint8_t[]){i + 1 < n ? 60 : proto, units}, 2);
		add_zeros(b, 6 + 8u * units);
	}
}

static void
add_ip(struct built *b, unsigned which, uint8_t proto)
{
	uint16_t id = (uint16_t)(rng_below(2) == 0 ? rng() : 0xfc00 | rng());

	b->version[which] = rng_below(2) == 0 ? 4 : 6;
	b->id[which] = id;
	if (b->version[which] == 4)
		add_ipv4(b, which, proto, id);
	else
		add_ipv6(b, which, proto, id);
}

static void
add_udp(struct built *b, uint16_t port)
{
	add16(b, 1000);
	add16(b, port);
	add16(b, 8);
	add16(b, 0);
}

/* One of all shapes; the IP header is not yet known when the type is written, so it is patched. */
static void
build(struct built *b)
{
	static const uint8_t protos[] = {17, 6, 1, 47};
	unsigned labels = rng_below(2) * rng_below(3);
	uint8_t proto = protos[rng_below(4)];
	size_t type_at;

	*b = (struct built){.vxlan = proto == 17 && rng_below(2) == 0};
	b->ports = proto == 17 || proto == 6;
	add_l2(b, rng_below(4), labels, 4);
	type_at = b->len - 2;
	add_ip(b, 0, proto);
	if (labels == 0 && b->version[0] == 6)
		memcpy(b->bytes + type_at, "\x86\xdd", 2);
	b->l4 = b->len;
	if (proto == 17)
		add_udp(b, b->vxlan ? (rng_below(2) == 0 ? 4789 : 8472) : 9);
	else if (proto == 6)
		add(b, (const uint8_t[20]){[3] = 80, [12] = 0x50}, 20);
	else if (proto == 1)
		add_zeros(b, 8);
	b->payload = b->len;
	if (b->vxlan) {
		add(b, (const uint8_t[8]){8}, 8);
		add_l2(b, rng_below(2), 0, 4);
		type_at = b->len - 2;
		add_ip(b, 1, 17);
		if (b->version[1] == 6)
			memcpy(b->bytes + type_at, "\x86\xdd", 2);
		add_udp(b, 9);
	}
	add_zeros(b, rng_below(40));
}

static uint16_t
expected_id(const struct built *b)
{
	return b->ip[1] != 0 && b->id[1] >= 0xfc00 ? b->id[1] : b->id[0];
}

/* In a block of its own of exactly that size, so that a sanitizer sees a step beyond. */
static uint8_t *
copy_of(const struct built *b, size_t len)
{
	uint8_t *copy = malloc(len > 0 ? len : 1);

	assert_non_null(copy);
	memcpy(copy, b->bytes, len);
	return copy;
}

static void
any_stack_of_headers_tells_its_number(void **state)
{
	struct built b;

	(void)state;
	rng_seed("classify");
	for (int i = 0; i < ROUNDS; i++) {
		struct classify_ip ip, inner;
		uint8_t *frame;

		build(&b);
		frame = copy_of(&b, b.len);
		assert_true(classify_ip(frame, b.len, &ip));
		assert_int_equal(ip.at, b.ip[0]);
		assert_int_equal(ip.version, b.version[0]);
		assert_int_equal(ip.l4, b.l4);
		assert_int_equal(classify_id(frame, b.len), expected_id(&b));
		assert_int_equal(classify_id_any(frame, b.len), expected_id(&b));
		assert_int_equal(classify_payload_len(frame, b.len), b.len - b.payload);
		assert_int_equal(classify_inner_ip(frame, b.len, &ip, &inner), b.vxlan);
		free(frame);
	}
}

static void
cut_frames_are_read_to_their_end_and_no_further(void **state)
{
	struct built b;

	(void)state;
	for (int i = 0; i < 2000; i++) {
		build(&b);
		for (size_t len = 0; len < b.len; len++) {
			uint8_t *frame = copy_of(&b, len);
			uint16_t id = classify_id(frame, len);

			assert_int_equal(id, classify_id_any(frame, len));
			/* Nothing, or what an IP header that is all there says. */
			assert_true(id == 0 || (id == b.id[0] && len >= b.ip[0] + 20) ||
				    (id == b.id[1] && len >= b.ip[1] + 20));
			assert_true(classify_payload_len(frame, len) <= len);
			free(frame);
		}
	}
}

static bool
checksum_holds(const uint8_t *ip)
{
	return cksum_finish(cksum_add(0, ip, (size_t)(ip[0] & 0x0f) * 4)) == 0;
}

/* How far the checksum is from right, in ones' complement. */
static uint32_t
checksum_error(const uint8_t *ip)
{
	uint32_t right = cksum_ipv4(ip, (size_t)(ip[0] & 0x0f) * 4);

	return ((uint32_t)classify_load16(ip + 10) + 0xffff - right) % 0xffff;
}

static void
a_mark_changes_number_and_lowest_bit_alone(void **state)
{
	struct built b;

	(void)state;
	rng_seed("classify");
	for (int i = 0; i < ROUNDS; i++) {
		uint8_t before[ROOM];
		uint16_t id = (uint16_t)(0xfc00 | rng());
		struct classify_ip ip, inner;
		uint8_t *h = b.bytes;
		bool spoilt = rng_below(2) == 0;
		uint32_t error = 0;

		build(&b);
		assert_true(classify_ip(b.bytes, b.len, &ip));
		if (classify_inner_ip(b.bytes, b.len, &ip, &inner) && rng_below(2) == 0)
			ip = inner;
		h = b.bytes + ip.at;
		if (ip.version == 4 && spoilt)
			h[11] = (uint8_t)(h[11] + 1 + rng_below(200));
		if (ip.version == 4)
			error = checksum_error(h);
		memcpy(before, b.bytes, sizeof(before));
		classify_mark(b.bytes, &ip, id);
		if (ip.version == 4) {
			assert_int_equal(checksum_holds(h), !spoilt);
			assert_int_equal(checksum_error(h), error);
			memcpy(before + ip.at + 10, h + 10, 2); /* checked */
			before[ip.at + 1] |= 1;
			before[ip.at + 4] = (uint8_t)(id >> 8);
			before[ip.at + 5] = (uint8_t)id;
		} else {
			before[ip.at + 1] = (uint8_t)(0x10 | (before[ip.at + 1] & 0xf0));
			before[ip.at + 2] = (uint8_t)(id >> 8);
			before[ip.at + 3] = (uint8_t)id;
		}
		assert_memory_equal(before, b.bytes, sizeof(before));
	}
}

static void
a_mark_by_chance_is_moved_away(void **state)
{
	struct built b;

	(void)state;
	for (int i = 0; i < ROUNDS; i++) {
		uint8_t before[ROOM];
		struct classify_ip ip;

		build(&b);
		assert_true(classify_ip(b.bytes, b.len, &ip));
		memcpy(before, b.bytes, sizeof(before));
		classify_unmark(b.bytes, &ip);
		if (b.id[0] < 0xfc00) {
			assert_memory_equal(before, b.bytes, sizeof(before));
			continue;
		}
		assert_int_equal(classify_load16(b.bytes + ip.at + (ip.version == 4 ? 4 : 2)),
				 b.id[0] & 0xefff);
		assert_true(ip.version == 6 || checksum_holds(b.bytes + ip.at));
	}
}

static void
marks_are_those_on_the_wire(void **state)
{
	/* As sniffed from TRex: TOS 1, identification 0xfc00; "60 10 fc 00". */
	uint8_t v4[34] = {[12] = 8, [14] = 0x45, [22] = 64, [23] = 17},
		v6[54] = {[12] = 0x86, 0xdd};
	struct classify_ip ip;

	(void)state;
	v6[14] = 0x60;
	assert_true(classify_ip(v4, sizeof(v4), &ip));
	classify_mark(v4, &ip, 0xfc00);
	assert_memory_equal(v4 + 14, "\x45\x01\x00\x00\xfc\x00", 6);
	assert_true(classify_ip(v6, sizeof(v6), &ip));
	classify_mark(v6, &ip, 0xfc00);
	assert_memory_equal(v6 + 14, "\x60\x10\xfc\x00", 4);
}

static void
trailer_is_that_on_the_wire(void **state)
{
	static const uint8_t sniffed[16] = {0xab, 3,	0,    0,    0xfe, 0xff, 0xff, 0xff,
					    0x17, 0x79, 0x0c, 0x8c, 0xd7, 4,	0,    0};
	const struct trailer t = {.flow_seq = 3, .seq = 0xfffffffe, .tsc = 0x4d78c0c7917};
	struct trailer read = {0};
	uint8_t wire[16];

	(void)state;
	trailer_write(wire, &t);
	assert_memory_equal(wire, sniffed, 16);
	assert_true(trailer_read(wire, &read));
	assert_int_equal(read.flow_seq, 3);
	assert_int_equal(read.hw_id, 0);
	assert_int_equal(read.seq, t.seq);
	assert_int_equal(read.tsc, t.tsc);
	for (unsigned id = 0; id < 65536; id += 1 + id / 300) {
		wire[2] = (uint8_t)id;
		wire[3] = (uint8_t)(id >> 8);
		assert_int_equal(trailer_read(wire, &read), id < 128);
		assert_true(id >= 128 || read.hw_id == id);
	}
}

static void
a_trailer_counts_by_number_or_by_time(void **state)
{
	const uint64_t now = 1000000, window = 1000;
	uint8_t tail[16];
	struct classified c;

	(void)state;
	for (int i = 0; i < ROUNDS; i++) {
		struct trailer t = {.hw_id = (uint16_t)rng_below(128),
				    .tsc = now - 2000 + rng_below(4000)};
		uint16_t id = rng_below(3) == 0 ? 0xffff : (uint16_t)rng();
		bool near = t.tsc > now - window && t.tsc < now + window;
		enum classify_kind kind;

		trailer_write(tail, &t);
		kind = classify(id, tail, now, window, &c);
		assert_int_equal(kind == CLASSIFY_LATENCY, id == 0xffff || near);
		if (kind == CLASSIFY_LATENCY)
			assert_int_equal(c.trailer.hw_id, t.hw_id);
		else
			assert_int_equal(kind == CLASSIFY_STATS, id >= 0xfc00);
		if (kind == CLASSIFY_STATS)
			assert_int_equal(c.hw_id, id - 0xfc00);
		tail[0] ^= 1;
		kind = classify(id, tail, now, window, &c);
		assert_int_equal(kind == CLASSIFY_BROKEN, id == 0xffff);
		assert_int_equal(classify(id, NULL, now, window, &c), kind);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_stack_of_headers_tells_its_number),
		cmocka_unit_test(cut_frames_are_read_to_their_end_and_no_further),
		cmocka_unit_test(a_mark_changes_number_and_lowest_bit_alone),
		cmocka_unit_test(a_mark_by_chance_is_moved_away),
		cmocka_unit_test(marks_are_those_on_the_wire),
		cmocka_unit_test(trailer_is_that_on_the_wire),
		cmocka_unit_test(a_trailer_counts_by_number_or_by_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
