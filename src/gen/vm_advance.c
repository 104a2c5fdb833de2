/* SPDX-License-Identifier: MIT */
#include "vm_op.h"

/* The state after many frames at once.  Each variable is moved by so many steps as it makes in
 * them, and tells how often it wrapped: so often moves the one that follows it. */

typedef unsigned __int128 u128;

/* 2^64 is what a range of 0 stands for. */
static u128
range_of(const struct vm_op *op)
{
	return op->walk.range == 0 ? (u128)1 << 64 : op->walk.range;
}

static uint64_t
advance_walk(const struct vm_op *op, uint64_t *slots, uint64_t n)
{
	uint64_t step = op->walk.range - op->walk.room;
	u128 range = range_of(op);
	u128 sum = slots[op->slot] + (u128)n * step;
	uint64_t around = (uint64_t)(sum / range);

	slots[op->slot] = (uint64_t)(sum % range);
	return op->down ? n - around : around;
}

static uint64_t
advance_list(const struct vm *vm, const struct vm_op *op, uint64_t *slots, uint64_t n)
{
	uint64_t around = advance_walk(op, slots, n);

	if (n > 0)
		slots[op->slot + 1] = vm->lists[op->walk.base + slots[op->slot]];
	return around;
}

static void
advance_random(const struct vm *vm, const struct vm_op *op, uint64_t *slots, uint64_t n)
{
	uint64_t drawn;

	if (n == 0)
		return;
	slots[op->slot] += n * RANDOM_GAMMA;
	drawn = vm_draw(slots[op->slot], op->draw.range);
	slots[op->slot + 1] = op->code == VM_RANDOM ? drawn : vm->lists[op->draw.seed + drawn];
}

static uint64_t
advance_limit(const struct vm_op *op, uint64_t *slots, uint64_t n)
{
	uint64_t limit = op->draw.limit;
	/* 1 to 'limit', or 0 before the first draw, which starts as well as each after a restart.
	 */
	uint64_t drawn = slots[op->slot];
	uint64_t starts;
	u128 sum = (u128)drawn + n;

	if (n == 0)
		return 0;
	starts = (uint64_t)((sum - 1) / limit) + (drawn == 0);
	drawn = (uint64_t)((sum - 1) % limit) + 1;
	slots[op->slot] = drawn;
	slots[op->slot + 1] = vm_draw(op->draw.seed + drawn * RANDOM_GAMMA, op->draw.range);
	return starts;
}

/* Addresses run through their range for each port: flows are numbered. */
static void
advance_tuple(const struct vm_op *op, uint64_t *slots, uint64_t n)
{
	uint64_t *ip = &slots[op->slot], *port = ip + 1, *flows = ip + 2;
	u128 all = (u128)op->tuple.n_ips * op->tuple.n_ports;
	u128 flow = (u128)*port * op->tuple.n_ips + *ip + n;

	if (n == 0)
		return;
	if (op->tuple.limit > 0) {
		*flows = (*flows + n - 1) % op->tuple.limit + 1;
		flow = *flows - 1;
	}
	flow %= all;
	*ip = (uint64_t)(flow % op->tuple.n_ips);
	*port = (uint64_t)(flow / op->tuple.n_ips);
}

static void
advance_endless(const struct vm_op *op, uint64_t *slots, uint64_t n)
{
	uint64_t *ip = &slots[op->slot], *port = ip + 1;
	uint64_t ports = *port + (*ip + n) / op->tuple.n_ips;

	*ip = (*ip + n) % op->tuple.n_ips;
	if (ports > UINT16_MAX)
		ports = VM_FIRST_PORT +
			(ports - UINT16_MAX - 1) % (UINT16_MAX + 1u - VM_FIRST_PORT);
	*port = ports;
}

/* Returns how often the operation behind this one runs; 'n' is how often this one does. */
static uint64_t
advance_op(const struct vm *vm, const struct vm_op *op, uint64_t *slots, uint64_t n)
{
	uint64_t around = n;

	switch (op->code) {
	case VM_WALK_WRITE1:
	case VM_WALK_WRITE2:
	case VM_WALK_WRITE4:
	case VM_WALK_WRITE8:
	case VM_WALK:
		around = advance_walk(op, slots, n);
		break;
	case VM_LIST:
		around = advance_list(vm, op, slots, n);
		break;
	case VM_LIMIT:
		around = advance_limit(op, slots, n);
		break;
	case VM_RANDOM:
	case VM_RANDOM_LIST:
		advance_random(vm, op, slots, n);
		break;
	case VM_TUPLE:
		advance_tuple(op, slots, n);
		break;
	case VM_TUPLE_ENDLESS:
		advance_endless(op, slots, n);
		break;
	default:
		break;
	}
	return around;
}

/* 'n' frames that all follow each other, no start of a cache among them. */
static void
advance_all(const struct vm *vm, uint64_t *slots, uint32_t n)
{
	uint64_t runs = n;
	unsigned follow = 0; /* operations ahead that 'runs' is about */

	for (const struct vm_op *op = vm->ops + 1; op->code != VM_END; op++) {
		uint64_t around = advance_op(vm, op, slots, follow > 0 ? runs : n);

		follow = follow > 0 ? follow - 1 : op->skip;
		runs = around;
	}
}

void
vm_advance(const struct vm *vm, void *state, uint32_t n)
{
	uint64_t *slots = state;
	uint64_t *frames = slots + vm->n_slots, *seed = frames + 1;
	uint64_t after;

	if (n == 0)
		return;
	if (vm->cache == 0) {
		advance_all(vm, slots, n);
		return;
	}
	after = *frames + n;
	if (after > vm->cache) {
		vm_init_slots(vm, slots, (uint32_t)*seed);
		n = (uint32_t)((after - 1) % vm->cache + 1);
	}
	advance_all(vm, slots, n);
	*frames = (after - 1) % vm->cache + 1;
}
