/* SPDX-License-Identifier: MIT */
#include "base/assert_within.h"
#include "vm_rig.h"

/* Which values a program writes. */

static void
increments(void **state)
{
	EXPECT(rig_parse(VAR("inc", 2, 1, 1, 5, 1) WRITE), 2, 1, 2, 3, 4, 5, 1, 2, 3, 4);
	EXPECT(rig_parse(VAR("inc", 1, 3, 1, 5, 1) WRITE), 1, 3, 4, 5, 1, 2, 3, 4, 5, 1);
	EXPECT(rig_parse(VAR("inc", 4, 1, 1, 5, 2) WRITE), 4, 1, 3, 5, 1, 3, 5);
	EXPECT(rig_parse(VAR("inc", 8, 0, 0, 9, 4) WRITE), 8, 0, 4, 8, 0, 4, 8);
}

static void
decrements(void **state)
{
	EXPECT(rig_parse(VAR("dec", 2, 5, 1, 5, 1) WRITE), 2, 5, 4, 3, 2, 1, 5);
	EXPECT(rig_parse(VAR("dec", 1, 3, 1, 5, 1) WRITE), 1, 3, 2, 1, 5, 4, 3, 2, 1, 5);
	EXPECT(rig_parse(VAR("dec", 4, 14, 10, 14, 2) WRITE), 4, 14, 12, 10, 14, 12, 10);
}

static void
lists(void **state)
{
	EXPECT(rig_parse(LIST("inc", "[7, 11, 13, 17]", 1) WRITE), 2, 7, 11, 13, 17, 7);
	EXPECT(rig_parse(LIST("dec", "[7, 11, 13, 17]", 1) WRITE), 2, 17, 13, 11, 7, 17);
	EXPECT(rig_parse(LIST("inc", "[7, 11, 13, 17]", 3) WRITE), 2, 7, 17, 13, 11, 7);
	/* A step of the whole list goes nowhere. */
	EXPECT(rig_parse(LIST("inc", "[7, 11, 13, 17]", 4) WRITE), 2, 7, 7, 7);
}

/* The ends of what a size holds, where a sum of 64 bits would wrap. */
static void
whole_ranges(void **state)
{
	EXPECT(rig_parse(VAR("inc", 1, 254, 0, 255, 1) WRITE), 1, 254, 255, 0, 1);
	EXPECT(rig_parse(VAR("dec", 2, 1, 0, 65535, 1) WRITE), 2, 1, 0, 65535, 65534);
	EXPECT(rig_parse(VAR("inc", 4, 4294967294, 0, 4294967295, 1) WRITE), 4, 4294967294,
	       4294967295, 0, 1);
	EXPECT(rig_parse(VAR("inc", 1, 255, 255, 255, 1) WRITE), 1, 255, 255);
	/* Padded beyond a byte, a step of 3 comes back to 0 after 255. */
	EXPECT(rig_parse(VAR("inc", 1, 252, 0, 255, 3) WRITE), 1, 252, 255, 0, 3);
}

/* Beyond jansson's integers, as they come from wide_loadb. */
static void
eight_bytes(void **state)
{
	static const uint64_t top = UINT64_MAX;
	json_t *json = json_pack("{s:[{s:s,s:s,s:s,s:i,s:o,s:i,s:o,s:i},{s:s,s:s,s:i,s:i,s:b}]}",
				 "instructions", "type", "flow_var", "name", "v", "op", "inc",
				 "size", 8, "init_value", wide_json(top - 1), "min_value", 0,
				 "max_value", wide_json(top), "step", 1, "type", "write_flow_var",
				 "name", "v", "pkt_offset", AT, "add_value", 0, "is_big_endian", 1);
	struct jsonrpc_error e;
	struct vm *vm;

	assert_non_null(json);
	assert_int_equal(vm_parse(&vm, json, rig_base, LEN, &e), 0);
	json_decref(json);
	EXPECT(vm, 8, top - 1, top, 0, 1);
}

static void
additions(void **state)
{
	EXPECT(rig_parse(VAR("inc", 1, 1, 1, 5, 1) ", " WRITE_AT("v", 60, 100)), 1, 101, 102, 103,
	       104, 105, 101);
	EXPECT(rig_parse(VAR("inc", 2, 1, 1, 5, 1) ", " WRITE_AT("v", 60, -2)), 2, 65535, 0, 1, 2,
	       3);
}

static void
little_endian(void **state)
{
	EXPECT(rig_parse(VAR(
		       "inc", 4, 258, 258, 300,
		       1) ", {\"type\": \"write_flow_var\", \"name\": \"v\", \"pkt_offset\": 60, "
			  "\"add_value\": 0, \"is_big_endian\": false}"),
	       4, 0x02010000, 0x03010000);
}

/* A write that stands before its variable has the value of the frame before. */
static void
order_counts(void **state)
{
	EXPECT(rig_parse(WRITE_AT("v", 60, 0) ", " VAR("inc", 2, 1, 1, 5, 1)), 2, 5, 1, 2, 3);
	/* Two writes of one variable: both after its step. */
	EXPECT(rig_parse(VAR("inc", 1, 1, 1, 5, 1) ", " WRITE_AT("v", 61, 0) ", " WRITE_AT("v", 60,
											   1)),
	       2, 0x0201, 0x0302, 0x0403);
}

static void
tuples(void **state)
{
	EXPECT(rig_parse(TUPLE("\"port_min\": 10, \"port_max\": 11", 0, 0)), 6, FLOW(1, 10),
	       FLOW(2, 10), FLOW(3, 10), FLOW(1, 11), FLOW(2, 11), FLOW(3, 11), FLOW(1, 10),
	       FLOW(2, 10));
	EXPECT(rig_parse(TUPLE("\"port_min\": 10, \"port_max\": 20", 4, 0)), 6, FLOW(1, 10),
	       FLOW(2, 10), FLOW(3, 10), FLOW(1, 11), FLOW(1, 10), FLOW(2, 10), FLOW(3, 10),
	       FLOW(1, 11), FLOW(1, 10));
	/* Without a limit ports go on behind the given ones, and from 1025 behind 65535. */
	EXPECT(rig_parse(TUPLE("\"port_min\": 10, \"port_max\": 65534", 4, 1)), 6, FLOW(1, 65535),
	       FLOW(2, 65535), FLOW(3, 65535), FLOW(1, 1025), FLOW(2, 1025), FLOW(3, 1025),
	       FLOW(1, 1026));
}

/* A limit above the number of tuples: they come around before it. */
static void
limit_above_tuples(void **state)
{
	EXPECT(rig_parse(TUPLE("\"port_min\": 10, \"port_max\": 10", 4, 0)), 6, FLOW(1, 10),
	       FLOW(2, 10), FLOW(3, 10), FLOW(1, 10), FLOW(1, 10), FLOW(2, 10));
}

static void
dependent_variables(void **state)
{
	EXPECT(rig_parse(NAMED("a", "\"b\"", 1) ", " NAMED("b", "null", 2) ", " WRITE_AT(
		       "a", 60, 0) ", " WRITE_AT("b", 61, 0)),
	       2, 0x0000, 0x0100, 0x0001, 0x0101, 0x0002, 0x0102, 0x0000, 0x0100);
	EXPECT(rig_parse(NAMED("a", "\"b\"", 1) ", " NAMED("b", "\"c\"", 1) ", " NAMED(
		       "c", "\"\"",
		       1) ", " WRITE_AT("a", 60, 0) ", " WRITE_AT("b", 61, 0) ", " WRITE_AT("c", 62,
											    0)),
	       3, 0x000000, 0x010000, 0x000100, 0x010100, 0x000001, 0x010001, 0x000101, 0x010101,
	       0x000000);
}

static void
masks(void **state)
{
	rig_base[AT] = 0x24;
	rig_base[AT + 1] = 0xab;
	EXPECT(rig_parse(VAR("inc", 1, 1, 1, 15, 1) ", " MASK(60, 1, 240, 4, 0, true)), 1, 0x14,
	       0x24, 0x34, 0x44);
	EXPECT(rig_parse(VAR("inc", 2, 256, 256, 999, 256) ", " MASK(60, 2, 4080, -4, 16, true)), 2,
	       0x201b, 0x202b, 0x203b);
	EXPECT(rig_parse(VAR("inc", 2, 256, 256, 999, 256) ", " MASK(60, 2, 4080, -4, 16, false)),
	       2, 0x14a0, 0x24a0, 0x34a0);
	/* What is shifted out is gone, and 8 bytes give their lower half. */
	EXPECT(rig_parse(VAR("inc", 8, 4294967297, 4294967297, 4294967300,
			     1) ", " MASK(60, 4, 255, 0, 0, true)),
	       4, 0x24ab0001, 0x24ab0002);
	EXPECT(rig_parse(VAR("inc", 1, 1, 1, 15, 1) ", " MASK(60, 1, 255, 40, 0, true)), 1, 0, 0);
	rig_base[AT] = rig_base[AT + 1] = 0;
}

/* ---- random ---- */

static void
random_repeats(void **state)
{
	struct rig_player a, b;
	struct vm *vm = rig_parse(VAR("random", 2, 1, 1, 1000, 1) WRITE);
	unsigned same = 0;

	rig_start(&a, vm, 5);
	rig_start(&b, vm, 5);
	for (unsigned i = 0; i < 1000; i++) {
		rig_play(&a, LEN);
		rig_play(&b, LEN);
		assert_within(rig_field(&a, AT, 2), 1, 1000);
		assert_int_equal(rig_field(&a, AT, 2), rig_field(&b, AT, 2));
	}
	rig_start(&b, vm, 6);
	for (unsigned i = 0; i < 1000; i++) {
		rig_play(&a, LEN);
		rig_play(&b, LEN);
		same += rig_field(&a, AT, 2) == rig_field(&b, AT, 2);
	}
	assert_within(same, 0, 20);
	vm_free(vm);
}

/* Each value of a byte equally often: chi-square with 255 degrees of freedom stays below 350 but
 * for one in 30,000 seeds, and this one is fixed. */
static void
random_is_uniform(void **state)
{
	struct vm *vm = rig_parse(VAR("random", 1, 0, 0, 255, 1) WRITE);
	const unsigned each = 400;
	unsigned count[256] = {0};
	double chi = 0;
	struct rig_player p;

	rig_start(&p, vm, 1);
	for (unsigned i = 0; i < 256 * each; i++) {
		rig_play(&p, LEN);
		count[p.frame[AT]]++;
	}
	for (unsigned i = 0; i < 256; i++)
		chi += ((double)count[i] - each) * ((double)count[i] - each) / each;
	assert_true(chi > 170 && chi < 350);
	vm_free(vm);
}

/* The upper half of 4- and 8-byte ranges is reached as often as the lower. */
static void
random_is_wide(void **state)
{
	struct vm *vm = rig_parse(VAR("random", 4, 0, 0, 4294967295, 1) ", " WRITE_AT(
		"v", 60, 0) ", "
			    "{\"type\": \"flow_var\", \"name\": \"w\", \"op\": \"random\", "
			    "\"size\": 8, \"init_value\": 0, \"min_value\": 0, "
			    "\"max_value\": 6917529027641081855, \"step\": 1}, " WRITE_AT("w", 64,
											  0));
	unsigned upper[2] = {0}, bits = 0;
	struct rig_player p;

	rig_start(&p, vm, 1);
	for (unsigned i = 0; i < 10000; i++) {
		rig_play(&p, LEN);
		bits |= (unsigned)rig_field(&p, 60, 4);
		upper[0] += rig_field(&p, 60, 4) >= 0x80000000;
		assert_true(rig_field(&p, 64, 8) < 0x6000000000000000);
		upper[1] += rig_field(&p, 64, 8) >= 0x3000000000000000;
	}
	assert_int_equal(bits, UINT32_MAX);
	assert_within(upper[0], 4800, 5200);
	assert_within(upper[1], 4800, 5200);
	vm_free(vm);
}

static void
limited_random_repeats(void **state)
{
	struct vm *vm = rig_parse(LIMITED(3, 5));
	uint64_t seen[3];
	struct rig_player p;

	rig_start(&p, vm, 99);
	for (unsigned i = 0; i < 30; i++) {
		rig_play(&p, LEN);
		if (i < 3)
			seen[i] = rig_field(&p, AT, 2);
		assert_within(rig_field(&p, AT, 2), 0, 100);
		assert_int_equal(rig_field(&p, AT, 2), seen[i % 3]);
	}
	assert_true(seen[0] != seen[1] || seen[1] != seen[2]);
	vm_free(vm);
}

static void
random_list(void **state)
{
	struct vm *vm = rig_parse(LIST("random", "[7, 11, 13]", 1) WRITE);
	unsigned count[3] = {0};
	struct rig_player p;

	rig_start(&p, vm, 1);
	for (unsigned i = 0; i < 3000; i++) {
		rig_play(&p, LEN);
		assert_true(rig_field(&p, AT, 2) == 7 || rig_field(&p, AT, 2) == 11 ||
			    rig_field(&p, AT, 2) == 13);
		count[(rig_field(&p, AT, 2) - 7) / 3]++;
	}
	for (unsigned i = 0; i < 3; i++)
		assert_within(count[i], 900, 1100);
	vm_free(vm);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(increments),
		cmocka_unit_test(decrements),
		cmocka_unit_test(lists),
		cmocka_unit_test(whole_ranges),
		cmocka_unit_test(eight_bytes),
		cmocka_unit_test(additions),
		cmocka_unit_test(little_endian),
		cmocka_unit_test(order_counts),
		cmocka_unit_test(tuples),
		cmocka_unit_test(limit_above_tuples),
		cmocka_unit_test(dependent_variables),
		cmocka_unit_test(masks),
		cmocka_unit_test(random_repeats),
		cmocka_unit_test(random_is_uniform),
		cmocka_unit_test(random_is_wide),
		cmocka_unit_test(limited_random_repeats),
		cmocka_unit_test(random_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
