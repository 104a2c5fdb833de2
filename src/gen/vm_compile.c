/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/random.h"
#include "pkt/frame.h"

#include "vm_inst.h"

/* Instructions to operations.
 *
 * A variable that is first read by a write in network order makes its step there, in one operation
 * with it: nobody in between could see the difference. */

#define IPV4_CHECK 10
#define ICMPV6_CHECK 2
#define UDP_CHECK 6
#define TCP_CHECK 16
#define MAX_IPV4_HEADER 60
#define PROTO_TCP 6
#define PROTO_UDP 17

struct builder {
	const struct vm_program *p;
	struct vm *vm;
	size_t n_lists; /* elements in vm->lists */
};

static struct vm_op *
add_op(struct builder *b, enum vm_code code)
{
	struct vm_op *op = &b->vm->ops[b->vm->n_ops++];

	op->code = (uint8_t)code;
	return op;
}

/* ---- variables ---- */

static uint8_t
slots_of(const struct vm_inst *v)
{
	if (v->type == VM_INST_TUPLE)
		return VM_TUPLE_SLOTS;
	if (v->type == VM_INST_LIMIT)
		return VM_LIMIT_SLOTS;
	if (v->walk == VM_RANDOM_OP)
		return VM_RANDOM_SLOTS;
	return v->list != NULL ? VM_LIST_SLOTS : VM_WALK_SLOTS;
}

/* The step upwards, below the range. */
static uint64_t
step_up(const struct vm_inst *v)
{
	uint64_t range = vm_range(v);
	uint64_t step = range > 0 ? v->step % range : v->step;

	return v->walk == VM_DEC && step > 0 ? range - step : step;
}

/* The distance from the lower end one step before the first frame. */
static uint64_t
distance_before(const struct vm_inst *v)
{
	uint64_t first = v->init - v->min;
	uint64_t step = step_up(v);

	return first >= step ? first - step : first + (vm_range(v) - step);
}

/* What the variable's slots hold before the first frame: the step before it, as with TRex. */
static void
set_init(const struct builder *b, const struct vm_inst *v)
{
	uint64_t *slot = b->vm->init + v->slot;

	if (v->type == VM_INST_TUPLE) {
		slot[0] = v->ip_max - v->ip_min;
		slot[1] = (v->flags & VM_TUPLE_UNLIMITED) != 0 ? v->port_max
							       : v->port_max - v->port_min;
		return;
	}
	if (v->type == VM_INST_LIMIT)
		return;
	if (v->walk == VM_RANDOM_OP) {
		slot[1] = v->list != NULL ? v->list[v->init] : v->init - v->min;
		return;
	}
	slot[0] = distance_before(v);
	if (v->list != NULL)
		slot[1] = v->list[slot[0]];
}

static void
set_walk(struct vm_op *op, const struct vm_inst *v)
{
	op->slot = v->slot;
	op->walk.range = vm_range(v);
	op->walk.room = vm_range(v) - step_up(v);
	op->down = v->walk == VM_DEC && step_up(v) > 0;
}

/* The variables right behind that move only when this one wraps. */
static uint8_t
followers(const struct builder *b, const struct vm_inst *v)
{
	const struct vm_inst *end = b->p->insts + b->p->n;
	uint8_t n = 0;

	for (const struct vm_inst *next = v + 1; next < end && next->is_next; next++)
		n++;
	return n;
}

static uint64_t
add_list(struct builder *b, const struct vm_inst *v)
{
	uint64_t first = b->n_lists;

	b->n_lists += v->n_list;
	b->vm->lists = xrealloc(b->vm->lists, b->n_lists, sizeof(*b->vm->lists));
	memcpy(b->vm->lists + first, v->list, v->n_list * sizeof(*v->list));
	return first;
}

static void
add_walk(struct builder *b, const struct vm_inst *v)
{
	struct vm_op *op;

	if (v->writer != NULL)
		return;
	op = add_op(b, v->list != NULL ? VM_LIST : VM_WALK);
	set_walk(op, v);
	op->skip = followers(b, v);
	if (v->list != NULL)
		op->walk.base = add_list(b, v);
}

static void
add_random(struct builder *b, const struct vm_inst *v)
{
	struct vm_op *op = add_op(b, v->list != NULL ? VM_RANDOM_LIST : VM_RANDOM);

	/* Those behind it move with each frame: a random variable wraps all the time. */
	op->slot = v->slot;
	op->draw.range = vm_range(v);
	if (v->list != NULL)
		op->draw.seed = add_list(b, v);
}

static void
add_limit(struct builder *b, const struct vm_inst *v)
{
	struct vm_op *op = add_op(b, VM_LIMIT);

	op->slot = v->slot;
	op->skip = followers(b, v);
	op->draw.range = vm_range(v);
	op->draw.seed = random_mix(v->seed + RANDOM_GAMMA);
	op->draw.limit = v->limit;
}

static void
add_tuple(struct builder *b, const struct vm_inst *v)
{
	bool endless = (v->flags & VM_TUPLE_UNLIMITED) != 0;
	struct vm_op *op = add_op(b, endless ? VM_TUPLE_ENDLESS : VM_TUPLE);

	op->slot = v->slot;
	op->tuple.n_ips = (uint64_t)v->ip_max - v->ip_min + 1;
	op->tuple.n_ports = (uint32_t)v->port_max - v->port_min + 1;
	op->tuple.limit = v->limit_flows;
}

/* ---- what reads them ---- */

/* Sets 'slot', and returns what is added to it. */
static uint64_t
set_source(struct vm_op *op, const struct vm_inst *reader)
{
	const struct vm_inst *v = reader->var;

	op->slot = v->slot;
	if (v->type == VM_INST_TUPLE) {
		op->slot += reader->reads_port;
		if (!reader->reads_port)
			return v->ip_min;
		return (v->flags & VM_TUPLE_UNLIMITED) != 0 ? 0 : v->port_min;
	}
	op->slot += slots_of(v) - 1;
	return v->list != NULL ? 0 : v->min;
}

static void
add_write(struct builder *b, const struct vm_inst *w)
{
	static const uint8_t big[] = {
		[1] = VM_WRITE1, [2] = VM_WRITE2, [4] = VM_WRITE4, [8] = VM_WRITE8};
	static const uint8_t little[] = {
		[1] = VM_WRITE1, [2] = VM_WRITE_LE2, [4] = VM_WRITE_LE4, [8] = VM_WRITE_LE8};
	uint8_t size = vm_read_size(w);
	struct vm_op *op = add_op(b, w->big ? big[size] : little[size]);

	if (w->var->writer == w) {
		op->code = (uint8_t)(op->code - VM_WRITE1 + VM_WALK_WRITE1);
		set_walk(op, w->var);
	}
	op->walk.base = set_source(op, w) + (uint64_t)(int64_t)w->add;
	op->at = w->at;
}

static void
add_mask(struct builder *b, const struct vm_inst *w)
{
	struct vm_op *op = add_op(b, VM_MASK);
	uint8_t size = vm_read_size(w);

	op->mask.base = set_source(op, w);
	op->mask.keep = size >= 4 ? UINT32_MAX : (1u << 8 * size) - 1;
	op->mask.mask = w->mask;
	op->mask.add = (uint32_t)w->add;
	op->mask.shift = (int8_t)(w->shift > 32 ? 32 : w->shift < -32 ? -32 : w->shift);
	op->mask.size = (uint8_t)w->cast;
	op->mask.little = !w->big;
	op->at = w->at;
}

static uint64_t
common_divisor(uint64_t a, uint64_t b)
{
	while (b != 0) {
		uint64_t rest = a % b;

		a = b;
		b = rest;
	}
	return a;
}

/* The mean of the lengths that occur: the walk visits each 'every'-th of its range. */
static double
mean_of(const struct vm_inst *v)
{
	bool is_random = v->walk == VM_RANDOM_OP;
	uint64_t every = is_random ? 1 : common_divisor(vm_range(v), step_up(v));
	uint64_t first = is_random ? 0 : (v->init - v->min) % every;
	double sum = 0;
	size_t n = 0;

	if (v->list == NULL)
		return (double)(v->min + first) + (double)(vm_range(v) - every) / 2;
	for (size_t i = first; i < v->n_list; i += every, n++)
		sum += (double)v->list[i];
	return sum / (double)n;
}

static void
add_trim(struct builder *b, const struct vm_inst *trim)
{
	struct vm_op *op = add_op(b, VM_TRIM);

	op->walk.base = set_source(op, trim);
	b->vm->trim = op;
	b->vm->draws_len = trim->var->walk == VM_RANDOM_OP;
	b->vm->mean_len = mean_of(trim->var);
}

/* ---- checksums ---- */

/* Whether the instruction writes the byte at 'at'.  A checksum may, where headers overlap; the sums
 * that come behind all of the program change nothing that it reads. */
static bool
writes_at(const struct vm_inst *w, uint16_t at)
{
	uint32_t check;

	switch (w->type) {
	case VM_INST_WRITE:
	case VM_INST_MASK:
		return w->at <= at && at < w->end;
	case VM_INST_IPV4:
		check = w->at + IPV4_CHECK;
		break;
	case VM_INST_ICMPV6:
		check = w->l2_len + w->l3_len + ICMPV6_CHECK;
		break;
	default:
		return false;
	}
	return check <= at && at < check + 2u;
}

static bool
is_written(const struct vm_program *p, uint16_t at)
{
	for (size_t i = 0; i < p->n; i++)
		if (writes_at(&p->insts[i], at))
			return true;
	return false;
}

static void
add_ipv4(struct builder *b, const struct vm_inst *fix)
{
	bool changes = is_written(b->p, fix->at);
	uint16_t room = (uint16_t)(b->p->len - fix->at);
	struct vm_op *op;

	op = add_op(b, !changes && fix->l3_len == FRAME_IPV4 ? VM_IPV4 : VM_IPV4_OPTIONS);
	op->at = fix->at;
	op->n = !changes ? fix->l3_len : room < MAX_IPV4_HEADER ? room : MAX_IPV4_HEADER;
}

static void
add_icmpv6(struct builder *b, const struct vm_inst *fix)
{
	struct vm_op *op = add_op(b, VM_ICMPV6);

	op->sums.l3 = fix->l2_len;
	op->sums.l4 = fix->l2_len + fix->l3_len;
	op->sums.check = op->sums.l4 + ICMPV6_CHECK;
	op->n = b->p->len;
}

static void
add_sums(struct builder *b, const struct vm_inst *fix)
{
	struct vm_op *op = add_op(b, VM_SUMS);
	bool tcp = fix->l4_type == VM_L4_TCP;

	op->sums.l3 = fix->l2_len;
	op->sums.l4 = fix->l2_len + fix->l3_len;
	op->sums.ipv6 = b->p->frame[fix->l2_len] >> 4 == 6;
	op->sums.proto = tcp ? PROTO_TCP : PROTO_UDP;
	if (fix->l4_type != VM_L4_IP)
		op->sums.check = op->sums.l4 + (tcp ? TCP_CHECK : UDP_CHECK);
}

/* ---- the program ---- */

static void
add_inst(struct builder *b, const struct vm_inst *inst)
{
	switch (inst->type) {
	case VM_INST_VAR:
		if (inst->walk == VM_RANDOM_OP)
			add_random(b, inst);
		else
			add_walk(b, inst);
		break;
	case VM_INST_LIMIT:
		add_limit(b, inst);
		break;
	case VM_INST_TUPLE:
		add_tuple(b, inst);
		break;
	case VM_INST_WRITE:
		add_write(b, inst);
		break;
	case VM_INST_MASK:
		add_mask(b, inst);
		break;
	case VM_INST_TRIM:
		add_trim(b, inst);
		break;
	case VM_INST_IPV4:
		add_ipv4(b, inst);
		break;
	case VM_INST_ICMPV6:
		add_icmpv6(b, inst);
		break;
	case VM_INST_HW:
		break; /* at the end: they cover whatever else is done */
	}
}

static void
find_writers(const struct vm_program *p)
{
	for (size_t i = 0; i < p->n; i++) {
		struct vm_inst *v = &p->insts[i];
		struct vm_inst *reader = v + 1;
		struct vm_inst *end = p->insts + p->n;

		if (v->type != VM_INST_VAR || v->walk == VM_RANDOM_OP || v->list != NULL ||
		    v->next != NULL || v->is_next)
			continue;
		while (reader < end && reader->var != v)
			reader++;
		if (reader < end && reader->type == VM_INST_WRITE && (reader->big || v->size == 1))
			v->writer = reader;
	}
}

struct span {
	uint32_t from, to;
};

/* The bytes that the operation reads, masks aside: those keep what they do not write. */
static struct span
reads(const struct vm *vm, const struct vm_op *op)
{
	switch (op->code) {
	case VM_IPV4:
	case VM_IPV4_OPTIONS:
		return (struct span){op->at, op->at + op->n};
	case VM_ICMPV6:
		return (struct span){op->sums.l3, vm->len};
	case VM_SUMS:
		return (struct span){op->sums.l3, op->sums.check != 0 ? vm->len : op->sums.l4};
	default:
		return (struct span){0, 0};
	}
}

static struct span
writes(const struct vm_op *op)
{
	switch (op->code) {
	case VM_WALK_WRITE1:
	case VM_WRITE1:
		return (struct span){op->at, op->at + 1u};
	case VM_WALK_WRITE2:
	case VM_WRITE2:
	case VM_WRITE_LE2:
		return (struct span){op->at, op->at + 2u};
	case VM_WALK_WRITE4:
	case VM_WRITE4:
	case VM_WRITE_LE4:
		return (struct span){op->at, op->at + 4u};
	case VM_WALK_WRITE8:
	case VM_WRITE8:
	case VM_WRITE_LE8:
		return (struct span){op->at, op->at + 8u};
	case VM_MASK:
		return (struct span){op->at, (uint32_t)op->at + op->mask.size};
	case VM_IPV4:
	case VM_IPV4_OPTIONS:
		return (struct span){op->at + IPV4_CHECK, op->at + IPV4_CHECK + 2u};
	case VM_ICMPV6:
		return (struct span){op->sums.check, op->sums.check + 2u};
	case VM_SUMS:
		return (struct span){op->sums.l3, op->sums.check + 2u};
	default:
		return (struct span){0, 0};
	}
}

/* A frame trimmed to the least may end before the checksums do, which then stay as they were. */
static bool
may_stay(const struct vm *vm, const struct vm_op *op)
{
	return op->code == VM_SUMS && vm->trim != NULL &&
	       (op->sums.l4 > VM_MIN_LEN || op->sums.check + 2u > VM_MIN_LEN);
}

static void
set_reach(struct vm *vm)
{
	vm->overwrites = true;
	for (size_t i = 0; i < vm->n_ops; i++) {
		struct span in = reads(vm, &vm->ops[i]);
		struct span out = writes(&vm->ops[i]);
		uint32_t end = in.to > out.to ? in.to : out.to;

		vm->reach = end > vm->reach ? (uint16_t)end : vm->reach;
		if (may_stay(vm, &vm->ops[i]))
			vm->overwrites = false;
		for (size_t k = i + 1; in.to > 0 && k < vm->n_ops; k++) {
			out = writes(&vm->ops[k]);
			if (out.from < in.to && in.from < out.to)
				vm->overwrites = false;
		}
	}
}

static void
add_all(struct builder *b)
{
	const struct vm_program *p = b->p;

	/* Room for the start of a cache. */
	b->vm->n_ops = 1;
	b->vm->ops[0].code = VM_CACHE;
	for (size_t i = 0; i < p->n; i++)
		add_inst(b, &p->insts[i]);
	b->vm->sums = b->vm->n_ops;
	for (size_t i = 0; i < p->n; i++)
		if (p->insts[i].type == VM_INST_HW)
			add_sums(b, &p->insts[i]);
	add_op(b, VM_END);
}

struct vm *
vm_compile(struct vm_program *p)
{
	struct vm *vm = xcalloc(1, sizeof(*vm));
	struct builder b = {.p = p, .vm = vm};

	vm->ops = xcalloc(p->n + 2, sizeof(*vm->ops));
	vm->len = p->len;
	for (size_t i = 0; i < p->n; i++) {
		if (!vm_is_var(&p->insts[i]))
			continue;
		p->insts[i].slot = (uint8_t)vm->n_slots;
		vm->n_slots += slots_of(&p->insts[i]);
	}
	vm->init = xcalloc(vm->n_slots > 0 ? vm->n_slots : 1, sizeof(*vm->init));
	for (size_t i = 0; i < p->n; i++)
		if (vm_is_var(&p->insts[i]))
			set_init(&b, &p->insts[i]);
	find_writers(p);
	add_all(&b);
	set_reach(vm);
	vm_set_cache(vm, p->cache);
	return vm;
}
