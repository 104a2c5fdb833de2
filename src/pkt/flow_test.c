/* SPDX-License-Identifier: MIT */
#include "flow.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "template.h"

/* Compiled twice, for the instruction and for the table: both have to give these values, which were
 * made without the code under test. */

#define UDP_IPV4 0xd2b65776
#define TCP_IPV4 0x439fe30e
#define SCTP_IPV4 0x3a8379dc
#define ICMP_IPV4 0x3005ce3e
#define FRAGMENT_IPV4 0x3312d37d
#define UDP_IPV6 0xdca623f1
#define HOP_BY_HOP_IPV6 0x3ab3d3bc
#define MACS 0xb062676d

#define IP FRAME_L2
#define PROTO (IP + 9)
#define UDP (IP + FRAME_IPV4)

struct frame {
	uint8_t bytes[FRAME_MAX_SIZE];
	size_t len;
};

static struct frame
built(uint16_t vlan, bool ipv6, uint16_t size)
{
	struct frame_spec spec;
	struct frame f;
	struct err err;
	int len;

	frame_spec_init(&spec);
	spec.vlan = vlan;
	spec.ipv6 = ipv6;
	spec.size = size;
	len = frame_build(&spec, f.bytes, sizeof(f.bytes), &err);
	assert_true(len > 0);
	f.len = (size_t)len;
	return f;
}

static void
insert(struct frame *f, size_t at, const void *bytes, size_t n)
{
	memmove(f->bytes + at + n, f->bytes + at, f->len - at);
	memcpy(f->bytes + at, bytes, n);
	f->len += n;
}

/* In a block of just that size, so that sanitizers see a step beyond. */
static uint32_t
hash_of(const struct frame *f, size_t len)
{
	uint8_t *copy = malloc(len > 0 ? len : 1);
	uint32_t hash;

	assert_non_null(copy);
	memcpy(copy, f->bytes, len);
	hash = flow_hash(copy, len);
	assert_int_equal(hash, flow_hash_any(copy, len));
	free(copy);
	return hash;
}

static void
crc_of_the_standard(void **state)
{
	uint8_t zeros[32] = {0}, ones[32];

	(void)state;
	/* RFC 3720, B.4; there in network order. */
	memset(ones, 0xff, sizeof(ones));
	assert_int_equal(crc32c(zeros, sizeof(zeros)), 0x8a9136aa);
	assert_int_equal(crc32c(ones, sizeof(ones)), 0x62a8ab43);
	assert_int_equal(crc32c((const uint8_t *)"123456789", 9), 0xe3069283);
	assert_int_equal(crc32c(NULL, 0), 0);
}

static void
hash_by_protocol(void **state)
{
	static const struct {
		uint8_t proto;
		uint32_t hash;
	} rows[] = {{17, UDP_IPV4}, {6, TCP_IPV4}, {132, SCTP_IPV4}, {1, ICMP_IPV4}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct frame f = built(0, false, 64);

		f.bytes[PROTO] = rows[i].proto;
		assert_int_equal(hash_of(&f, f.len), rows[i].hash);
	}
}

static void
tags_sizes_and_options_do_not_matter(void **state)
{
	static const uint8_t qinq[4] = {0x88, 0xa8, 0x00, 0x07}, options[8] = {1, 1, 1, 1};
	struct frame f = built(0, false, 1518);

	(void)state;
	assert_int_equal(hash_of(&f, f.len), UDP_IPV4);
	f.bytes[IP + 1] = 0xb8; /* type of service */
	f.bytes[IP + 8] = 3;	/* time to live */
	f.bytes[IP + 6] = 0;	/* may be fragmented, but is not */
	f.bytes[0] = 0x06;
	assert_int_equal(hash_of(&f, f.len), UDP_IPV4);
	f = built(100, false, 68);
	assert_int_equal(hash_of(&f, f.len), UDP_IPV4);
	insert(&f, 12, qinq, sizeof(qinq));
	assert_int_equal(hash_of(&f, f.len), UDP_IPV4);
	f = built(0, false, 64);
	insert(&f, UDP, options, sizeof(options));
	f.bytes[IP] = 0x47;
	assert_int_equal(hash_of(&f, f.len), UDP_IPV4);
	f = built(100, true, 88);
	assert_int_equal(hash_of(&f, f.len), UDP_IPV6);
}

static void
every_field_of_the_key_matters(void **state)
{
	static const uint8_t fields[] = {PROTO, IP + 12, IP + 15, IP + 16, IP + 19,
					 UDP,	UDP + 1, UDP + 2, UDP + 3};

	(void)state;
	for (size_t i = 0; i < sizeof(fields); i++) {
		struct frame f = built(0, false, 64);

		f.bytes[fields[i]] ^= 0x80;
		assert_int_not_equal(hash_of(&f, f.len), UDP_IPV4);
	}
}

static void
fragments_stay_together(void **state)
{
	struct frame f = built(0, false, 594);

	(void)state;
	f.bytes[IP + 6] = 0x20; /* the first: more follow */
	assert_int_equal(hash_of(&f, f.len), FRAGMENT_IPV4);
	f.bytes[IP + 7] = 0x40; /* one in the middle */
	memset(f.bytes + UDP, 0x5a, 4);
	assert_int_equal(hash_of(&f, f.len), FRAGMENT_IPV4);
	f.bytes[IP + 6] = 0; /* the last */
	assert_int_equal(hash_of(&f, f.len), FRAGMENT_IPV4);
}

static void
extension_headers_hide_the_ports(void **state)
{
	struct frame f = built(0, true, 84);

	(void)state;
	assert_int_equal(hash_of(&f, f.len), UDP_IPV6);
	f.bytes[IP + 6] = 0;
	assert_int_equal(hash_of(&f, f.len), HOP_BY_HOP_IPV6);
}

static void
without_ip_the_addresses_tell(void **state)
{
	static const uint8_t tag[4] = {0x81, 0x00, 0x00, 0x07};
	struct frame f = built(0, false, 64);

	(void)state;
	f.bytes[13] = 0x06; /* ARP */
	assert_int_equal(hash_of(&f, f.len), MACS);
	f = built(0, false, 64);
	f.bytes[IP] = 0x44; /* a header of 16 bytes */
	assert_int_equal(hash_of(&f, f.len), MACS);
	f.bytes[IP] = 0x65;
	assert_int_equal(hash_of(&f, f.len), MACS);
	f = built(0, true, 84);
	f.bytes[IP] = 0x45;
	assert_int_equal(hash_of(&f, f.len), MACS);
	f = built(0, false, 64);
	for (int i = 0; i < 3; i++)
		insert(&f, 12, tag, sizeof(tag));
	assert_int_equal(hash_of(&f, f.len), MACS);
}

/* What a frame of 'len' bytes of a whole one has to give. */
static uint32_t
hash_of_cut(const struct frame *f, size_t len, size_t l4, uint32_t without_ports)
{
	if (len < 12)
		return 0;
	if (len < l4)
		return MACS;
	return len < l4 + 4 ? without_ports : hash_of(f, f->len);
}

static void
cut_frames_have_what_is_there_of_a_key(void **state)
{
	struct frame v4 = built(0, false, 64), tagged = built(5, false, 68),
		     v6 = built(0, true, 84);
	struct frame no_ports = v6;

	(void)state;
	memset(no_ports.bytes + IP + FRAME_IPV6, 0, 4);
	for (size_t len = 0; len <= v4.len; len++)
		assert_int_equal(hash_of(&v4, len), hash_of_cut(&v4, len, UDP, FRAGMENT_IPV4));
	for (size_t len = 0; len <= tagged.len; len++)
		assert_int_equal(hash_of(&tagged, len),
				 hash_of_cut(&tagged, len, UDP + FRAME_VLAN, FRAGMENT_IPV4));
	for (size_t len = 0; len <= v6.len; len++)
		assert_int_equal(hash_of(&v6, len), hash_of_cut(&v6, len, IP + FRAME_IPV6,
								hash_of(&no_ports, no_ports.len)));
}

/* How many of the generator's first 'flows' flows have a hash whose last bits are each value. */
static void
assert_even(const struct frame_template *t, uint8_t *bytes, unsigned flows, unsigned queues)
{
	unsigned n[16] = {0};

	for (uint32_t flow = 0; flow < flows; flow++) {
		template_set_flow(t, bytes, flow);
		n[flow_hash(bytes, t->len) % queues]++;
	}
	for (unsigned q = 0; q < queues; q++)
		assert_int_equal(n[q], flows / queues);
}

static void
neighbouring_flows_spread_evenly(void **state)
{
	struct frame f = built(0, false, 64);
	struct frame_template t;
	struct err err;

	(void)state;
	assert_int_equal(frame_template_init(&t, f.bytes, f.len, &err), 0);
	for (unsigned flows = 2; flows <= 16384; flows *= 2)
		for (unsigned queues = 2; queues <= 16 && queues <= flows; queues *= 2)
			assert_even(&t, f.bytes, flows, queues);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(crc_of_the_standard),
		cmocka_unit_test(hash_by_protocol),
		cmocka_unit_test(tags_sizes_and_options_do_not_matter),
		cmocka_unit_test(every_field_of_the_key_matters),
		cmocka_unit_test(fragments_stay_together),
		cmocka_unit_test(extension_headers_hide_the_ports),
		cmocka_unit_test(without_ip_the_addresses_tell),
		cmocka_unit_test(cut_frames_have_what_is_there_of_a_key),
		cmocka_unit_test(neighbouring_flows_spread_evenly),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
