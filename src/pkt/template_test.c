/* SPDX-License-Identifier: MIT */
#include "template.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "cksum.h"

static const struct shape {
	uint16_t vlan, min_size;
	bool ipv6;
} shapes[] = {{0, 64, false}, {7, 68, false}, {0, 84, true}, {7, 88, true}};

#define N_SHAPES (sizeof(shapes) / sizeof(shapes[0]))

static const struct sig sig = {
	.time_ns = 0x0123456789abull,
	.seq = 0xdeadbeef,
	.stream = 0x5678,
	.lateness = 0x9abc,
};

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

static uint32_t
get32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* Sums over the whole packet, as a receiver does. */
static void
assert_checksums(const uint8_t *frame, const struct frame_view *v, size_t len)
{
	const uint8_t *ip = frame + v->l3, *udp = frame + v->l4;
	uint16_t check = (uint16_t)(udp[6] << 8 | udp[7]);

	if (ip[0] >> 4 == 6) {
		assert_int_not_equal(check, 0);
		assert_int_equal(cksum_l4(ip, udp, len - v->l4), check);
	} else {
		assert_int_equal(check, 0);
		assert_int_equal(cksum_finish(cksum_add(0, ip, v->l4 - v->l3)), 0);
	}
}

static void
assert_flow(const uint8_t *frame, size_t len, const struct frame_spec *spec, uint32_t flow)
{
	struct frame_view v;
	struct sig s;

	assert_true(frame_parse(frame, len, &v));
	assert_int_equal(v.payload, frame_payload_offset(spec));
	assert_int_equal(v.len, len);
	assert_checksums(frame, &v, len);
	assert_int_equal(frame[v.l4] << 8 | frame[v.l4 + 1], 49152 + flow % 16384);
	assert_int_equal(get32(frame + v.l3 + (spec->ipv6 ? 20 : 12)), spec->src_ip + flow / 16384);
	assert_true(sig_read(frame + v.payload, &s, (uint16_t)len));
	assert_int_equal(s.seq, sig.seq);
	assert_int_equal(s.time_ns, sig.time_ns);
}

static void
emitted_frames_are_valid(void **state)
{
	static const uint32_t flows[] = {0, 1, 255, 256, 16383, 16384, 65536, 999999};

	(void)state;
	for (size_t i = 0; i < N_SHAPES; i++)
		for (uint16_t size = shapes[i].min_size; size <= 9216;
		     size = (uint16_t)(size + 1 + size / 9)) {
			struct frame_spec spec = spec_of(&shapes[i], size);
			uint8_t frame[FRAME_MAX_SIZE];
			struct frame_template t;
			struct err err;

			assert_int_equal(
				frame_template_build(&t, &spec, frame, sizeof(frame), &err), 0);
			assert_int_equal(t.len, size - 4);
			for (size_t f = 0; f < sizeof(flows) / sizeof(flows[0]); f++) {
				frame_emit(&t, frame, flows[f], &sig);
				assert_flow(frame, t.len, &spec, flows[f]);
			}
		}
}

static void
only_flow_and_signature_change(void **state)
{
	(void)state;
	/* Headers of flow 0 are those of frame_build, and the payload stays as it was. */
	for (size_t i = 0; i < N_SHAPES; i++) {
		struct frame_spec spec = spec_of(&shapes[i], 600);
		uint8_t built[600], frame[600];
		struct frame_template t;
		struct frame_view v;
		struct err err;

		assert_int_equal(frame_template_build(&t, &spec, built, sizeof(built), &err), 0);
		memcpy(frame, built, sizeof(frame));
		memset(frame, 0xee, t.payload); /* a forwarder rewrote it */
		frame_emit(&t, frame, 12345, &sig);
		frame_emit(&t, frame, 0, &sig);
		assert_true(frame_parse(built, t.len, &v));
		assert_memory_equal(frame, built, v.l4 + 6);
		assert_memory_equal(frame + v.payload + SIG_SIZE, built + v.payload + SIG_SIZE,
				    t.len - v.payload - SIG_SIZE);
	}
}

/* What a loop over frames of one template writes. */
static void
emit_in_loop(const struct frame_template *t, uint8_t *frame, uint32_t flow)
{
	const uint64_t a = sig_stream_word(sig.stream) | sig.seq;
	const uint64_t b = sig.time_ns << 16 | sig.lateness;

	if (flow == 0 && template_is_plain(t, 1)) {
		const struct template_loop plain = template_loop(t, true);

		template_loop_emit(&plain, frame, a, b);
	} else {
		const struct template_loop loop = template_loop(t, false);

		template_loop_emit(&loop, frame, a, b);
		template_set_flow(t, frame, flow);
	}
}

static void
a_loop_writes_the_same_bytes(void **state)
{
	static const uint32_t flows[] = {0, 1, 16383, 16384, 999999};

	(void)state;
	for (size_t i = 0; i < N_SHAPES; i++)
		for (uint16_t extra = 0; extra < 50; extra += 7) {
			struct frame_spec spec =
				spec_of(&shapes[i], (uint16_t)(shapes[i].min_size + extra));
			size_t len = spec.size - 4u;
			uint8_t given[200], one[200];
			uint8_t *loop = malloc(len); /* not a byte more */
			struct frame_template t;
			struct frame_view v;
			struct err err;

			assert_non_null(loop);
			assert_true(frame_build(&spec, given, sizeof(given), &err) > 0);
			assert_true(frame_parse(given, len, &v));
			/* A user's checksum may be wrong. */
			if (!spec.ipv6 && extra % 2 == 1)
				given[v.l3 + 10] ^= 0x11;
			assert_int_equal(frame_template_init(&t, given, len, &err), 0);
			assert_int_equal(template_is_plain(&t, 1), !spec.ipv6);
			assert_false(template_is_plain(&t, 2));
			for (size_t f = 0; f < sizeof(flows) / sizeof(flows[0]); f++) {
				memcpy(one, given, len);
				memcpy(loop, given, len);
				frame_emit(&t, one, flows[f], &sig);
				emit_in_loop(&t, loop, flows[f]);
				assert_memory_equal(loop, one, len);
				assert_flow(loop, len, &spec, flows[f]);
			}
			free(loop);
		}
}

static void
nothing_is_written_beyond_the_signature(void **state)
{
	(void)state;
	/* The smallest frame in a block of exactly its size; the copy goes in whole steps. */
	for (size_t i = 0; i < N_SHAPES; i++) {
		struct frame_spec spec = spec_of(&shapes[i], shapes[i].min_size);
		size_t len = spec.size - 4u;
		uint8_t *frame = malloc(len);
		struct frame_template t;
		struct err err;

		assert_non_null(frame);
		assert_int_equal(frame_template_build(&t, &spec, frame, len, &err), 0);
		frame_emit(&t, frame, 77, &sig);
		assert_flow(frame, len, &spec, 77);
		free(frame);
	}
}

static void
one_buffer_serves_all_sizes(void **state)
{
	static const uint16_t sizes[] = {1518, 100, 594, 101, 1518, 999};
	uint8_t buffer[FRAME_MAX_SIZE], scratch[FRAME_MAX_SIZE];
	struct frame_template t;
	struct frame_spec spec;
	struct err err;

	(void)state;
	for (size_t i = 0; i < N_SHAPES; i++) {
		spec = spec_of(&shapes[i], 9216);
		assert_int_equal(frame_template_build(&t, &spec, buffer, sizeof(buffer), &err), 0);
		for (size_t k = 0; k < sizeof(sizes) / sizeof(sizes[0]); k++) {
			spec.size = sizes[k];
			assert_int_equal(
				frame_template_build(&t, &spec, scratch, sizeof(scratch), &err), 0);
			frame_emit(&t, buffer, (uint32_t)k * 20000, &sig);
			assert_flow(buffer, t.len, &spec, (uint32_t)k * 20000);
		}
	}
}

static void
checksums_hold_for_every_signature(void **state)
{
	struct frame_spec spec = spec_of(&shapes[2], 85);
	uint8_t frame[96];
	struct frame_template t;
	struct frame_view v;
	uint64_t x = 88172645463325252ull;
	struct err err;

	(void)state;
	assert_int_equal(frame_template_build(&t, &spec, frame, sizeof(frame), &err), 0);
	for (unsigned n = 0; n < 200000; n++) {
		struct sig s;

		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		s = (struct sig){.time_ns = x >> 16,
				 .seq = (uint32_t)(x * 31),
				 .stream = (uint16_t)x,
				 .lateness = (uint16_t)(n % 3 == 0 ? 0xffff : n)};
		frame_emit(&t, frame, n * 5 % FRAME_MAX_FLOWS, &s);
		assert_true(frame_parse(frame, t.len, &v));
		assert_checksums(frame, &v, t.len);
	}
}

static void
check_folds_every_carry(void **state)
{
	uint64_t x = 1;

	(void)state;
	for (unsigned n = 0; n < 200000; n++) {
		uint64_t sum = n < 100000 ? 0x1ffff0000ull + n : x >> 16, fold;

		x = x * 6364136223846793005ull + 1442695040888963407ull;
		for (fold = sum; fold > 0xffff;)
			fold = (fold >> 16) + (fold & 0xffff);
		assert_int_equal(template_check(sum), fold ^ 0xffff);
	}
	assert_int_equal(template_check(0xffffffffffffull), 0);
	assert_int_equal(template_check(0x0000ffff0001ull), 0xfffe);
}

static void
a_users_frame_is_kept(void **state)
{
	/* QinQ, IPv4 with options, a UDP checksum, a source port near the end. */
	uint8_t frame[120] = {2, 0,    0, 0, 0,	 2,    2,    0,	   0,	 0, 0,	1,    0x88, 0xa8, 0,
			      5, 0x81, 0, 0, 6,	 8,    0,    0x47, 0x12, 0, 98, 0xab, 0xcd, 0,	  0,
			      9, 17,   0, 0, 10, 0,    0,    1,	   10,	 0, 0,	2,    1,    1,	  1,
			      1, 1,    1, 1, 0,	 0xff, 0xff, 0,	   53,	 0, 70, 1,    2};
	struct frame_template t;
	struct frame_view v;
	struct err err;
	struct sig s;

	(void)state;
	memset(frame + 76, 0x5a, sizeof(frame) - 76);
	assert_int_equal(frame_template_init(&t, frame, sizeof(frame), &err), 0);
	frame_emit(&t, frame, 3, &sig);
	assert_true(frame_parse(frame, sizeof(frame), &v));
	assert_int_equal(v.l4, 50);
	assert_checksums(frame, &v, sizeof(frame));
	assert_int_equal(frame[50] << 8 | frame[51], 2); /* 65535 + 3, modulo 65536 */
	assert_int_equal(frame[23], 0x12);
	assert_int_equal(frame[30], 9);
	assert_true(sig_read(frame + v.payload, &s, sizeof(frame)));
	assert_int_equal(frame[76], 0x5a);
}

static void
frames_that_cannot_be_signed(void **state)
{
	struct frame_spec spec = spec_of(&shapes[1], 64);
	uint8_t frame[FRAME_MAX_SIZE] = {0};
	struct frame_template t;
	struct err err = {0};

	(void)state;
	assert_int_equal(frame_template_build(&t, &spec, frame, sizeof(frame), &err), -EINVAL);
	assert_string_equal(err.msg, "frame size 64 has no room for a signature, which takes 68");
	assert_int_equal(frame_template_init(&t, frame, 60, &err), -EINVAL);
	assert_string_equal(err.msg, "not a UDP frame, which a signature needs");
	spec = spec_of(&shapes[0], 64);
	assert_int_equal(frame_template_build(&t, &spec, frame, sizeof(frame), &err), 0);
	assert_int_equal(frame_template_init(&t, frame, 59, &err), -EINVAL);
	assert_string_equal(err.msg, "the IP header tells a frame of 60 bytes, not 59");
	frame[39]++;
	assert_int_equal(frame_template_init(&t, frame, 60, &err), -EINVAL);
	assert_string_equal(err.msg, "the UDP header tells another length than the IP header");
	frame[39]--;
	frame[23] = 6;
	frame[46] = 0x50;
	assert_int_equal(frame_template_init(&t, frame, 60, &err), -EINVAL);
	assert_int_equal(frame_template_init(&t, frame, 10000, &err), -EINVAL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(emitted_frames_are_valid),
		cmocka_unit_test(only_flow_and_signature_change),
		cmocka_unit_test(a_loop_writes_the_same_bytes),
		cmocka_unit_test(nothing_is_written_beyond_the_signature),
		cmocka_unit_test(one_buffer_serves_all_sizes),
		cmocka_unit_test(checksums_hold_for_every_signature),
		cmocka_unit_test(check_folds_every_carry),
		cmocka_unit_test(a_users_frame_is_kept),
		cmocka_unit_test(frames_that_cannot_be_signed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
