/* SPDX-License-Identifier: MIT */
#pragma once

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "pkt/cksum.h"
#include "pkt/frame.h"
#include "rpc/wide.h"

#include "vm.h"

/* For the tests of the field engine: programs as text, and frames made by them. */

#define LEN 100 /* of most frames here */
#define AT 60	/* where most programs write */

/* The frame that programs are for; tests fill it as they need. */
extern uint8_t rig_base[FRAME_MAX_SIZE];

/* The program {"instructions": ...} for a frame of 'len' bytes; fails the test if it is refused. */
struct vm *rig_parse_for(const char *text, uint16_t len);
/* A program of these instructions for LEN bytes. */
struct vm *rig_parse(const char *instructions);

/* vm_parse refuses the program with this sentence. */
void rig_refuse_for(const char *text, uint16_t len, const char *sentence);
void rig_refuse(const char *instructions, const char *sentence);

/* Makes frames, each from 'rig_base'. */
struct rig_player {
	struct vm *vm;
	uint64_t state[130];
	uint8_t frame[FRAME_MAX_SIZE];
	uint16_t len;
};

void rig_start(struct rig_player *p, struct vm *vm, uint32_t seed);
void rig_play(struct rig_player *p, uint16_t len);
/* The number in 'size' bytes from 'at' on. */
uint64_t rig_field(const struct rig_player *p, unsigned at, unsigned size);

/* The program writes these numbers at AT, one in a frame; frees it. */
void rig_expect(struct vm *vm, unsigned size, const uint64_t *values, size_t n);

/* An IPv4 or IPv6 header behind 14 bytes, with a wrong checksum, and LEN - 14 bytes that it is
 * about. */
void rig_make_base(uint8_t version_ihl, uint8_t proto);

#define VAR(op, size, init, min, max, step)                                              \
	"{\"type\": \"flow_var\", \"name\": \"v\", \"op\": \"" op "\", \"size\": " #size \
	", \"init_value\": " #init ", \"min_value\": " #min ", \"max_value\": " #max     \
	", \"step\": " #step "}"

#define LIST(op, values, step)                                                        \
	"{\"type\": \"flow_var\", \"name\": \"v\", \"op\": \"" op "\", \"size\": 2, " \
	"\"value_list\": " values ", \"step\": " #step "}"

#define WRITE_AT(name, at, add)                                                       \
	"{\"type\": \"write_flow_var\", \"name\": \"" name "\", \"pkt_offset\": " #at \
	", \"add_value\": " #add ", \"is_big_endian\": true}"

#define WRITE ", " WRITE_AT("v", 60, 0)

#define TUPLE(ports, limit, flags)                                                          \
	"{\"type\": \"tuple_flow_var\", \"name\": \"t\", \"ip_min\": 268435457, "           \
	"\"ip_max\": 268435459, " ports ", \"limit_flows\": " #limit ", \"flags\": " #flags \
	"}, " WRITE_AT("t.ip", 60, 0) ", " WRITE_AT("t.port", 64, 0)

#define FLOW(ip, port) 0x100000000000 | (uint64_t)(ip) << 16 | (port)

#define NAMED(name, next, max)                                                            \
	"{\"type\": \"flow_var\", \"name\": \"" name "\", \"op\": \"inc\", \"size\": 1, " \
	"\"init_value\": 0, \"min_value\": 0, \"max_value\": " #max ", \"step\": 1, "     \
	"\"split_to_cores\": false, \"next_var\": " next "}"

#define MASK(at, cast, mask, shift, add, big)                                       \
	"{\"type\": \"write_mask_flow_var\", \"name\": \"v\", \"pkt_offset\": " #at \
	", \"pkt_cast_size\": " #cast ", \"mask\": " #mask ", \"shift\": " #shift   \
	", \"add_value\": " #add ", \"is_big_endian\": " #big "}"

#define LIMITED(limit, seed)                                                                   \
	"{\"type\": \"flow_var_rand_limit\", \"name\": \"v\", \"size\": 2, \"limit\": " #limit \
	", \"seed\": " #seed ", \"min_value\": 0, \"max_value\": 100}" WRITE

#define IPV4_FIX ", {\"type\": \"fix_checksum_ipv4\", \"pkt_offset\": 14}"

#define TRIM ", {\"type\": \"trim_pkt_size\", \"name\": \"v\"}"

#define HW(l3_len, l4_type)                                                      \
	", {\"type\": \"fix_checksum_hw\", \"l2_len\": 14, \"l3_len\": " #l3_len \
	", \"l4_type\": " #l4_type "}"

#define EXPECT(vm, size, ...)                                 \
	rig_expect(vm, size, (const uint64_t[]){__VA_ARGS__}, \
		   sizeof((const uint64_t[]){__VA_ARGS__}) / sizeof(uint64_t))
