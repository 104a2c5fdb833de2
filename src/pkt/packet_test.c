/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cksum.h"
#include "packet.h"

static const uint8_t dst[6] = {2, 0, 0, 0, 0, 2}, src[6] = {2, 0, 0, 0, 0, 1};

/* The frame of frame_build, layer by layer. */
static void
it_builds_what_frame_build_does(void **state)
{
	uint8_t want[FRAME_MAX_SIZE];
	struct frame_spec spec;
	struct packet p;
	struct err err = {0};

	(void)state;
	for (uint16_t size = 68; size < 1600; size = (uint16_t)(size + 61)) {
		frame_spec_init(&spec);
		spec.size = size;
		spec.vlan = 100;
		assert_int_equal(frame_build(&spec, want, sizeof(want), &err), size - 4);
		packet_eth(&p, spec.dst_mac, spec.src_mac);
		packet_vlan(&p, 100, 0);
		packet_ipv4(&p,
			    &(struct packet_ipv4){
				    .src = spec.src_ip, .dst = spec.dst_ip, .ttl = 64, .df = true});
		packet_udp(&p, FRAME_FIRST_PORT, spec.dst_port);
		assert_int_equal(packet_finish(&p, size, &err), size - 4);
		assert_memory_equal(p.bytes, want, size - 4u);
	}
}

/* A whole with a right checksum in it sums up to 0xffff. */
static void
assert_sums(const struct packet *p)
{
	const uint8_t *ip = p->bytes + p->l3, *l4 = p->bytes + p->l4;
	size_t len = (size_t)p->len - p->l4;
	uint32_t sum = 0;

	if (!p->is_ipv6)
		assert_int_equal(cksum_finish(cksum_add(0, ip, 20)), 0);
	if (p->proto != 1)
		sum = cksum_add((uint32_t)len + p->proto, p->is_ipv6 ? ip + 8 : ip + 12,
				p->is_ipv6 ? 32 : 8);
	assert_int_equal(cksum_finish(cksum_add(sum, l4, len)), 0);
}

static void
checksums_hold_in_all_of_them(void **state)
{
	static const struct packet_ipv6 v6 = {
		.src = {0x20, 1}, .dst = {0x20, 1, [15] = 9}, .hops = 9};
	struct packet p;
	struct err err = {0};

	(void)state;
	for (unsigned kind = 0; kind < 6; kind++) {
		for (uint16_t size = 94; size < 400; size++) {
			packet_eth(&p, dst, src);
			if (kind % 2)
				packet_ipv6(&p, &v6);
			else
				packet_ipv4(&p,
					    &(struct packet_ipv4){.src = 1, .dst = 2, .ttl = 3});
			if (kind / 2 == 0)
				packet_icmp(&p, 8, 0);
			else if (kind / 2 == 1)
				packet_tcp(&p,
					   &(struct packet_tcp){.src = 80, .seq = 7, .flags = 2});
			else
				packet_udp(&p, 1, 2);
			p.udp_sums = true;
			assert_true(packet_payload(&p, (const uint8_t *)"abc", 3));
			assert_int_equal(packet_finish(&p, size, &err), size - 4);
			assert_memory_equal(p.bytes + p.l4 + (kind / 2 == 1 ? 20 : 8), "abc", 3);
			assert_sums(&p);
		}
	}
}

static void
two_tags_are_a_service_tag_and_a_customer_tag(void **state)
{
	static const uint8_t tags[] = {0x88, 0xa8, 0, 10, 0x81, 0, 0x60, 20, 0x08, 0};
	struct packet p;
	struct err err = {0};

	(void)state;
	packet_eth(&p, dst, src);
	packet_vlan(&p, 10, 0);
	packet_vlan(&p, 20, 3);
	packet_ipv4(&p, &(struct packet_ipv4){.ttl = 1});
	assert_int_equal(packet_finish(&p, 0, &err), 60);
	assert_memory_equal(p.bytes + 12, tags, sizeof(tags));
	assert_int_equal(p.vlan_at[0], 14);
	assert_int_equal(p.vlan_at[1], 18);
	assert_int_equal(p.l3, 22);
}

static void
sizes_that_cannot_be_are_refused(void **state)
{
	static uint8_t much[FRAME_MAX_SIZE];
	struct packet p;
	struct err err = {0};

	(void)state;
	packet_eth(&p, dst, src);
	assert_false(packet_payload(&p, much, sizeof(much)));
	assert_true(packet_payload(&p, much, 100));
	assert_true(packet_finish(&p, 64, &err) < 0);
	assert_non_null(strstr(err.msg, "which take 118"));
	packet_eth(&p, dst, src);
	assert_true(packet_finish(&p, 60, &err) < 0);
	packet_eth(&p, dst, src);
	assert_true(packet_finish(&p, 9217, &err) < 0);
	packet_eth(&p, dst, src);
	packet_type(&p, 0x88cc);
	assert_int_equal(packet_finish(&p, 0, &err), 60);
	assert_memory_equal(p.bytes + 12, "\x88\xcc", 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_builds_what_frame_build_does),
		cmocka_unit_test(checksums_hold_in_all_of_them),
		cmocka_unit_test(two_tags_are_a_service_tag_and_a_customer_tag),
		cmocka_unit_test(sizes_that_cannot_be_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
