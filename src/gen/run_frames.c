/* SPDX-License-Identifier: MIT */
#include "run_frames.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define STEP 16
#define HEAD_MIN 64 /* bytes that are written anew in each frame: one more costs nothing */
#define HEAD_MAX 128

/* Numbers of streams in tx_holds_of: none is used again soon, and none looks like tx_holds. */
#define HOLDS_FIRST 0xc0000000u
#define HOLDS_MASK 0x3fffffffu

static uint32_t
next_number(void)
{
	static _Atomic uint32_t last;

	return HOLDS_FIRST | (atomic_fetch_add(&last, 1) & HOLDS_MASK);
}

/* How much of a frame is written anew each time: its headers, which functions on the way rewrite,
 * and what its program changes. */
static uint16_t
head_of(const struct run_stream *rs)
{
	struct frame_view v;
	uint32_t head = HEAD_MIN;

	if (frame_parse(rs->frame, rs->len, &v) && v.payload > head)
		head = v.payload < HEAD_MAX ? v.payload : HEAD_MAX;
	if (rs->vm != NULL && vm_reach(rs->vm->program) > head)
		head = vm_reach(rs->vm->program);
	head = (head + STEP - 1) / STEP * STEP;
	return (uint16_t)(head < rs->len ? head : rs->len);
}

/* A seed that the client did not give. */
static uint32_t
seed_of(const struct stream *s)
{
	return s->random_seed != 0 ? s->random_seed : (s->id + 1) * 0x9e3779b1u;
}

static void
start_vm(struct run_stream *rs, const struct stream *s)
{
	struct run_vm *vm = xcalloc(1, sizeof(*vm));

	vm->program = s->vm;
	vm->state_size = vm_state_size(s->vm);
	vm->built = xcalloc(1, vm->state_size + 8);
	vm->kept = xcalloc(1, vm->state_size + 8);
	vm->checksums = vm_has_checksums(s->vm);
	vm->trims = vm_mean_len(s->vm, s->len) < s->len;
	vm_init(s->vm, vm->built, seed_of(s));
	memcpy(vm->kept, vm->built, vm->state_size);
	rs->vm = vm;
}

/* Marks the frame by its rule: once, where no program makes it anew each time. */
static int
mark(struct run_stream *rs, const struct stream *s, uint8_t *frame, struct jsonrpc_error *e)
{
	size_t payload = classify_payload_len(frame, s->len);

	if (s->rule == RULE_LATENCY && payload < TRAILER_SIZE)
		return jsonrpc_fail(e, JSONRPC_FAILED,
				    "Need at least 16 payload bytes for payload rules. Packet only "
				    "has %zu bytes",
				    payload);
	rs->mark = s->rule == RULE_LATENCY ? CLASSIFY_ID_LATENCY
					   : (uint16_t)(CLASSIFY_ID_BASE + s->hw_id);
	rs->stamps = s->rule == RULE_LATENCY;
	rs->hw_id = s->hw_id;
	rs->flow_seq = s->flow_seq;
	/* The trailer of a shorter frame must not stay in the payload of a longer one. */
	if (rs->stamps && rs->vm != NULL && rs->vm->trims)
		rs->head = rs->len;
	if (!classify_ip(frame, s->len, &rs->ip))
		rs->mark = 0;
	else if (rs->vm == NULL)
		classify_mark(frame, &rs->ip, rs->mark);
	return 0;
}

int
run_frames_init(struct run_stream *rs, const struct stream *s, uint8_t *frame,
		struct jsonrpc_error *e)
{
	if (s->vm != NULL)
		start_vm(rs, s);
	rs->holds = next_number();
	rs->head = head_of(rs);
	return s->rule != RULE_NONE ? mark(rs, s, frame, e) : 0;
}

void
run_frames_fini(struct run_stream *rs)
{
	if (rs->vm == NULL)
		return;
	free(rs->vm->built);
	free(rs->vm->kept);
	free(rs->vm);
	rs->vm = NULL;
}
