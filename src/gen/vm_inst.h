/* SPDX-License-Identifier: MIT */
#pragma once

#include "vm_op.h"

/* A program of the field engine between its JSON text and its operations: instructions as read
 * (vm_read.c), checked against each other and the frame (vm_check.c), compiled (vm_compile.c). */

enum vm_type {
	VM_INST_HW,
	VM_INST_IPV4,
	VM_INST_ICMPV6,
	VM_INST_VAR,
	VM_INST_WRITE,
	VM_INST_TUPLE,
	VM_INST_TRIM,
	VM_INST_MASK,
	VM_INST_LIMIT,
};

enum vm_walk { VM_INC, VM_DEC, VM_RANDOM_OP };

struct vm_inst {
	enum vm_type type;
	unsigned id;	  /* from 0, for errors */
	const char *name; /* of its variable, or the one it reads; the JSON object's */
	const char *next; /* variable that follows when this one wraps, or NULL */
	bool is_next;	  /* follows the variable before it */
	bool split;	  /* divided between cores if there are several */

	/* A variable's range, padded to a multiple of 'step'. */
	uint8_t size; /* bytes */
	enum vm_walk walk;
	uint64_t init, min, max, step;
	uint64_t *list; /* 'n_list' values, or NULL; indices are then the range */
	size_t n_list;
	uint64_t limit, seed;	     /* of VM_INST_LIMIT */
	uint32_t ip_min, ip_max;     /* of a tuple */
	uint16_t port_min, port_max; /* of a tuple */
	uint32_t limit_flows, flags; /* of a tuple */

	/* Of an instruction that reads one, and changes the frame. */
	struct vm_inst *var; /* what it reads */
	bool reads_port;     /* of a tuple, else its address */
	uint16_t at, cast;
	uint32_t mask;
	int32_t shift, add;
	bool big;
	uint16_t l2_len, l3_len, l4_type;
	uint16_t end; /* first offset that it does not touch */

	/* Of compilation. */
	uint8_t slot;
	struct vm_inst *writer; /* the one with which this variable's step is merged */
};

struct vm_program {
	struct vm_inst *insts;
	size_t n;
	uint16_t cache;
	const uint8_t *frame;
	uint16_t len;
	struct jsonrpc_error *e;
};

/* Flag of a tuple: as many flows as there are; ports go on without end. */
#define VM_TUPLE_UNLIMITED 1u
/* l4_type of fix_checksum_hw. */
#define VM_L4_UDP 11
#define VM_L4_TCP 13
#define VM_L4_IP 17

/* Reads the JSON object into 'p', which holds NULL and 0 before. */
int vm_read(struct vm_program *p, const json_t *vm_object);
void vm_program_fini(struct vm_program *p);
/* Finds the variables that instructions read, and checks all against each other and the frame.
 * Variables that are lengths are brought into the range of lengths. */
int vm_check(struct vm_program *p);
struct vm *vm_compile(struct vm_program *p);

/* Number of values of a variable, 0 for 2^64. */
uint64_t vm_range(const struct vm_inst *var);
/* Bytes of the variable that 'reader' reads. */
uint8_t vm_read_size(const struct vm_inst *reader);
bool vm_is_var(const struct vm_inst *inst);
