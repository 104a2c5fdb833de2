/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "pcap.h"

/* A file as it is made here, in either byte order. */
struct file {
	uint8_t bytes[1024];
	size_t len;
	bool swapped;
};

static void
add32(struct file *f, uint32_t v)
{
	v = f->swapped ? __builtin_bswap32(v) : v;
	memcpy(f->bytes + f->len, &v, sizeof(v));
	f->len += sizeof(v);
}

static void
add16(struct file *f, uint16_t v)
{
	v = f->swapped ? __builtin_bswap16(v) : v;
	memcpy(f->bytes + f->len, &v, sizeof(v));
	f->len += sizeof(v);
}

static void
add_bytes(struct file *f, const char *text, size_t padded)
{
	memcpy(f->bytes + f->len, text, strlen(text));
	f->len += padded;
}

/* "frame one" after 1.5 s, "two!" after 2.000001 s. */
static void
make_pcap(struct file *f, uint32_t magic)
{
	const uint32_t scale = magic == 0xa1b2c3d4u ? 1 : 1000;

	add32(f, magic);
	add32(f, 2 | 4 << 16);
	add32(f, 0);
	add32(f, 0);
	add32(f, 65535);
	add32(f, 1);
	add32(f, 1);
	add32(f, 500000 * scale);
	add32(f, 9);
	add32(f, 1500);
	add_bytes(f, "frame one", 9);
	add32(f, 2);
	add32(f, 1 * scale);
	add32(f, 4);
	add32(f, 4);
	add_bytes(f, "two!", 4);
}

static void
begin_block(struct file *f, uint32_t type, uint32_t size)
{
	add32(f, type);
	add32(f, size);
}

/* The same with an interface of resolution 'tsresol', and a block that means nothing here. */
static void
make_pcapng(struct file *f, uint8_t tsresol)
{
	const uint64_t ns[] = {1500000000, 2000001000};

	begin_block(f, 0x0a0d0d0a, 28);
	add32(f, 0x1a2b3c4d);
	add16(f, 1);
	add16(f, 0);
	add32(f, UINT32_MAX);
	add32(f, UINT32_MAX);
	add32(f, 28);
	begin_block(f, 1, 32);
	add16(f, 1);
	add16(f, 0);
	add32(f, 0);
	add16(f, 9);
	add16(f, 1);
	f->bytes[f->len] = tsresol;
	f->len += 4;
	add32(f, 0);
	add32(f, 32);
	begin_block(f, 5, 16);
	add32(f, 7);
	add32(f, 16);
	for (int i = 0; i < 2; i++) {
		uint64_t units = tsresol == 6 ? ns[i] / 1000 : ns[i];

		begin_block(f, 6, 44);
		add32(f, 0);
		add32(f, (uint32_t)(units >> 32));
		add32(f, (uint32_t)units);
		add32(f, i == 0 ? 9 : 4);
		add32(f, i == 0 ? 1500 : 4);
		add_bytes(f, i == 0 ? "frame one" : "two!", 12);
		add32(f, 44);
	}
}

static void
assert_both(const struct file *f)
{
	struct pcap pcap;
	struct err err = {0};

	if (pcap_parse(&pcap, "x.pcap", f->bytes, f->len, &err) < 0)
		fail_msg("%s", err.msg);
	assert_int_equal(pcap.n, 2);
	assert_int_equal(pcap.frames[0].time_ns, 1500000000);
	assert_int_equal(pcap.frames[1].time_ns, 2000001000);
	assert_int_equal(pcap.frames[0].len, 9);
	assert_int_equal(pcap.frames[0].wire_len, 1500);
	assert_memory_equal(pcap.frames[0].data, "frame one", 9);
	assert_memory_equal(pcap.frames[1].data, "two!", 4);
	pcap_unload(&pcap);
}

static void
every_kind_of_file(void **state)
{
	(void)state;
	for (int swapped = 0; swapped < 2; swapped++) {
		struct file us = {.swapped = swapped}, ns = us, ng6 = us, ng9 = us;

		make_pcap(&us, 0xa1b2c3d4);
		assert_both(&us);
		make_pcap(&ns, 0xa1b23c4d);
		assert_both(&ns);
		make_pcapng(&ng6, 6);
		assert_both(&ng6);
		make_pcapng(&ng9, 9);
		assert_both(&ng9);
	}
}

/* Cut anywhere, a file is refused with the place, or has frames that are all there. */
static void
cut_files(void **state)
{
	(void)state;
	for (int ng = 0; ng < 2; ng++) {
		struct file f = {.swapped = false};

		if (ng)
			make_pcapng(&f, 6);
		else
			make_pcap(&f, 0xa1b2c3d4);
		for (size_t len = 0; len < f.len; len++) {
			uint8_t *copy = malloc(len + 1);
			struct pcap pcap;
			struct err err = {0};

			memcpy(copy, f.bytes, len);
			if (pcap_parse(&pcap, "x.pcap", copy, len, &err) == 0)
				assert_true(pcap.n < 2);
			else
				assert_memory_equal(err.msg, "x.pcap: ", 8);
			pcap_unload(&pcap);
			free(copy);
		}
	}
}

static void
what_is_no_capture(void **state)
{
	struct file f = {.swapped = false};
	struct pcap pcap;
	struct err err = {0};

	(void)state;
	assert_true(pcap_load(&pcap, "/nonexistent.pcap", &err) < 0);
	assert_non_null(strstr(err.msg, "/nonexistent.pcap"));
	make_pcap(&f, 0x12345678);
	assert_true(pcap_parse(&pcap, "x", f.bytes, f.len, &err) < 0);
	assert_non_null(strstr(err.msg, "no capture"));
	f = (struct file){.swapped = false};
	make_pcap(&f, 0xa1b2c3d4);
	f.bytes[20] = 113; /* Linux cooked */
	assert_true(pcap_parse(&pcap, "x", f.bytes, f.len, &err) < 0);
	assert_non_null(strstr(err.msg, "not Ethernet (link type 113)"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_of_file),
		cmocka_unit_test(cut_files),
		cmocka_unit_test(what_is_no_capture),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
