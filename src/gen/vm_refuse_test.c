/* SPDX-License-Identifier: MIT */
#include "vm_rig.h"

/* What is not a program, and the sentence that says so. */

static void
bad_fields(void **state)
{
	rig_refuse_for("{}", LEN, "vm.instructions is missing");
	rig_refuse_for("{\"instructions\": 7}", LEN, "vm.instructions must be a list");
	rig_refuse_for("{\"instructions\": [], \"cache\": 65536}", LEN,
		       "vm.cache must be an integer from 0 to 65535");
	rig_refuse("7", "instruction id '0' must be an object");
	rig_refuse("{}", "field 'type' is missing");
	rig_refuse("{\"type\": \"jump\"}",
		   "field 'type' can only be one of ['fix_checksum_hw' ,'fix_checksum_ipv4' "
		   ",'fix_checksum_icmpv6' ,'flow_var' ,'write_flow_var' ,'tuple_flow_var' "
		   ",'trim_pkt_size' ,'write_mask_flow_var' ,'flow_var_rand_limit']");
	rig_refuse("{\"type\": \"trim_pkt_size\"}",
		   "instruction id '0' (trim_pkt_size): field 'name' is missing, it is a string");
	rig_refuse(VAR("up", 1, 1, 1, 5, 1),
		   "field 'op' can only be one of ['inc' ,'dec' ,'random']");
	rig_refuse(VAR("inc", 3, 1, 1, 5, 1),
		   "field 'size' can only be one of ['1' ,'2' ,'4' ,'8']");
	rig_refuse(
		VAR("inc", 1, -1, 1, 5, 1),
		"instruction id '0' (flow_var): field 'init_value' must be an integer that is not "
		"negative");
	rig_refuse(
		VAR("inc", 1, 1, 1, 5, 1) ", " WRITE_AT("v", 70000, 0),
		"instruction id '1' (write_flow_var): field 'pkt_offset' must be an integer from 0 "
		"to 65535");
	rig_refuse(VAR("inc", 1, 1, 1, 5, 1) ", " WRITE_AT("v", 7, 3000000000),
		   "instruction id '1' (write_flow_var): field 'add_value' must be an integer from "
		   "-2147483648 to 2147483647");
}

static void
bad_ranges(void **state)
{
	rig_refuse(VAR("inc", 1, 1, 1, 5, 0), "VM: step cannot be 0");
	rig_refuse(VAR("inc", 1, 5, 5, 1, 1),
		   "VM: requested flow var max value: '1' is smaller than min value: 5");
	rig_refuse(VAR("inc", 1, 9, 1, 5, 1), "VM: requested flow var init value: '9' should be in "
					      "range from min value '1' to max "
					      "value '5'");
	rig_refuse(VAR("inc", 1, 1, 1, 256, 1), "VM: requested value is bigger than 255");
	rig_refuse(VAR("inc", 4, 1, 1, 5, 4294967296),
		   "VM: requested value is bigger than 4294967295");
	rig_refuse(
		VAR("dec", 2, 5, 0, 5, 4),
		"VM: could not pad range to be a true cycle - '(max_value - min_value + 1) % step' "
		"should be zero");
	rig_refuse(LIST("inc", "[1, 2]", 3), "VM: step cannot be bigger than list size");
	rig_refuse(LIST("inc", "[1, 65536]", 1), "VM: requested value is bigger than 65535");
	rig_refuse(LIST("inc", "[1, \"2\"]", 1),
		   "instruction id '0' (flow_var): field 'value_list' must be a list of integers");
	rig_refuse(LIMITED(0, 5), "VM: request random flow var variable with limit of zero '");
	rig_refuse(LIMITED(65536, 5), "instruction id '0' limit 65536 is bigger than size 2");
	rig_refuse(
		TUPLE("\"port_min\": 10, \"port_max\": 9", 0, 0),
		"instruction id '0' (tuple_flow_var): field 'port_max' must be at least port_min");
}

static void
bad_names(void **state)
{
	rig_refuse(VAR("inc", 1, 1, 1, 5, 1) ", " VAR("inc", 1, 1, 1, 5, 1),
		   "instruction id '1' flow variable name v already exists");
	rig_refuse(VAR("inc", 1, 1, 1, 5, 1) ", " WRITE_AT("w", 60, 0),
		   "instruction id '1' packet write with no valid flow variable name 'w'");
	rig_refuse(TUPLE("\"port_min\": 10, \"port_max\": 11", 0, 0) ", " WRITE_AT("t", 60, 0),
		   "instruction id '3' packet write with no valid flow variable name 't'");
	rig_refuse("{\"type\": \"trim_pkt_size\", \"name\": \"v\"}",
		   "instruction id '0' packet size with no valid flow variable name 'v'");
	rig_refuse(NAMED("a", "\"b\"", 1),
		   "Last instruction in the list of instructions has next_var");
	rig_refuse(NAMED("a", "\"b\"", 1) ", " WRITE_AT("a", 60, 0),
		   "Next instruction isn't a variable or a repeatable random");
	rig_refuse(NAMED("a", "\"b\"", 1) ", " NAMED("c", "null", 1),
		   "Next instruction name does not match next_var");
	rig_refuse(
		NAMED("a", "\"v\"", 1) ", " VAR("inc", 1, 1, 1, 5, 1),
		"A variable that is being pointed at by some other variable must run on a single "
		"core.");
}

static void
bad_lengths(void **state)
{
	rig_refuse(VAR("inc", 4, 60, 60, 80, 1) TRIM,
		   "instruction id '1' packet size change should point to a flow variable with "
		   "size 2");
	rig_refuse(
		LIMITED(3, 5) TRIM,
		"instruction id '2' packet size change should point to a simple flow variable type "
		"(Random/Client) types are not supported");
	rig_refuse(VAR("inc", 2, 200, 200, 300, 1) TRIM,
		   "instruction id '1' min packet size 100 is bigger or eq to max packet size 100");
	rig_refuse(VAR("inc", 2, 20, 20, 50, 1) TRIM,
		   "instruction id '1' min packet size 60 is bigger or eq to max packet size 50");
	rig_refuse(LIST("inc", "[60, 101]", 1) TRIM, "instruction id '1' packet size in value_list "
						     "101 is bigger than packet size 100 or "
						     "smaller than 60");
}

static void
bad_offsets(void **state)
{
	rig_refuse(VAR("inc", 4, 1, 1, 5, 1) ", " WRITE_AT("v", 97, 0),
		   "instruction id '1' packet write with packet_offset 101 bigger than packet size "
		   "100");
	rig_refuse(VAR("inc", 4, 1, 1, 5, 1) ", " MASK(99, 2, 1, 0, 0, true),
		   "instruction id '1' packet write with packet_offset 101 bigger than packet size "
		   "100");
	rig_refuse(VAR("inc", 4, 1, 1, 5, 1) ", " MASK(60, 8, 1, 0, 0, true),
		   "instruction id '1' cast size should be 1,2,4 it is 8");
	rig_refuse_for(
		"{\"instructions\": [" VAR("inc", 4, 1, 1, 5, 1) ", " WRITE_AT("v", 509, 0) "]}",
		1000, "maximum offset is 513 bigger than maximum 512");
	vm_free(rig_parse_for(
		"{\"instructions\": [" VAR("inc", 4, 1, 1, 5, 1) ", " WRITE_AT("v", 508, 0) "]}",
		1000));
}

static void
bad_checksums(void **state)
{
	memset(rig_base, 0, sizeof(rig_base));
	rig_refuse(
		"{\"type\": \"fix_checksum_ipv4\", \"pkt_offset\": 81}",
		"instruction id '0' fix ipv4 command offset 81 is too high relative to packet size "
		"100");
	rig_base[70] = 0x4f;
	rig_refuse("{\"type\": \"fix_checksum_ipv4\", \"pkt_offset\": 70}",
		   "instruction id '0' fix ipv4 command offset 70 plus 60 is too high relative to "
		   "packet "
		   "size 100");
	rig_refuse("{\"type\": \"fix_checksum_icmpv6\", \"l2_len\": 14, \"l3_len\": 40}",
		   "instruction id '0' fix icmpv6 checksum command works only with IPv6");
	rig_base[14] = 0x60;
	rig_refuse(
		"{\"type\": \"fix_checksum_icmpv6\", \"l2_len\": 14, \"l3_len\": 40}",
		"instruction id '0' fix icmpv6 checksum command didn't find ICMPv6 layer, IPv6's "
		"next header type is 0");
	rig_refuse(
		"{\"type\": \"fix_checksum_hw\", \"l2_len\": 14, \"l3_len\": 40, \"l4_type\": 17}",
		"instruction id '0' fix hw command offsets should be TCP or UDP for IPv6");
	rig_base[14] = 0x45;
	rig_refuse(
		"{\"type\": \"fix_checksum_hw\", \"l2_len\": 14, \"l3_len\": 24, \"l4_type\": 11}",
		"instruction id '0' fix hw command IPv4 header size is not valid 20");
	rig_refuse(
		"{\"type\": \"fix_checksum_hw\", \"l2_len\": 14, \"l3_len\": 20, \"l4_type\": 11}",
		"instruction id '0' fix hw command L4 should be TCP or UDP, it is 0");
	rig_refuse(
		"{\"type\": \"fix_checksum_hw\", \"l2_len\": 12, \"l3_len\": 20, \"l4_type\": 11}",
		"instruction id '0' fix hw offset l2 12 is lower than 14");
	rig_refuse(
		"{\"type\": \"fix_checksum_hw\", \"l2_len\": 90, \"l3_len\": 20, \"l4_type\": 11}",
		"instruction id '0' fix hw command offsets 110 is too high relative to packet size "
		"100");
}

/* 64 bytes of variables, and not one more. */
static void
too_many_variables(void **state)
{
	struct vm *vm;
	char text[64 * 256] = "";
	size_t used = 0;

	for (unsigned i = 0; i < 65; i++) {
		used += (size_t)snprintf(
			text + used, sizeof(text) - used,
			"%s{\"type\": \"flow_var\", \"name\": \"%u\", \"op\": \"inc\", "
			"\"size\": 1, \"value_list\": [1], \"step\": 1}",
			i > 0 ? ", " : "", i);
		if (i == 63) {
			vm = rig_parse(text);
			assert_true(vm_state_size(vm) <= 1024);
			vm_free(vm);
		}
	}
	rig_refuse(text, "too many flow variables current size is :65 maximum support is 64");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bad_fields),	      cmocka_unit_test(bad_ranges),
		cmocka_unit_test(bad_names),	      cmocka_unit_test(bad_lengths),
		cmocka_unit_test(bad_offsets),	      cmocka_unit_test(bad_checksums),
		cmocka_unit_test(too_many_variables),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
