/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "pkt/cksum.h"

#include "vm_op.h"

/* Operations on a frame, from the most frequent ones to the rarest. */

#define ALWAYS_INLINE static inline __attribute__((always_inline))

#define IPV4_HEADER 20
#define IPV4_CHECK 10
#define IPV4_LEN 2
#define IPV6_HEADER 40
#define IPV6_LEN 4
#define PROTO_UDP 17
#define PROTO_ICMPV6 58

/* ---- writing ---- */

ALWAYS_INLINE void
put16(uint8_t *p, uint64_t value)
{
	uint16_t v = __builtin_bswap16((uint16_t)value);

	memcpy(p, &v, sizeof(v));
}

ALWAYS_INLINE void
put32(uint8_t *p, uint64_t value)
{
	uint32_t v = __builtin_bswap32((uint32_t)value);

	memcpy(p, &v, sizeof(v));
}

ALWAYS_INLINE void
put64(uint8_t *p, uint64_t value)
{
	uint64_t v = __builtin_bswap64(value);

	memcpy(p, &v, sizeof(v));
}

static uint16_t
get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

/* 'n' bytes, the least significant one first. */
static void
put_little(uint8_t *p, uint64_t value, unsigned n)
{
	for (unsigned i = 0; i < n; i++, value >>= 8)
		p[i] = (uint8_t)value;
}

/* The next distance of a walk. */
ALWAYS_INLINE uint64_t
walk(uint64_t *slots, const struct vm_op *op)
{
	uint64_t now = slots[op->slot];
	uint64_t below = now < op->walk.room ? op->walk.range : 0;

	now = now - op->walk.room + below;
	slots[op->slot] = now;
	return now;
}

/* By comparisons: programs are the same for each frame, and so are the branches. */
ALWAYS_INLINE void
walk_write(const struct vm_op *op, uint64_t *slots, uint8_t *at)
{
	uint64_t value = walk(slots, op) + op->walk.base;

	if (op->code == VM_WALK_WRITE4)
		put32(at, value);
	else if (op->code == VM_WALK_WRITE2)
		put16(at, value);
	else if (op->code == VM_WALK_WRITE1)
		*at = (uint8_t)value;
	else
		put64(at, value);
}

/* A step; returns how many operations behind it are left out: those of variables that follow, when
 * this one did not wrap. */
ALWAYS_INLINE unsigned
step_walk(const struct vm_op *op, uint64_t *slots)
{
	bool around = slots[op->slot] >= op->walk.room;

	(void)walk(slots, op);
	return around != op->down ? 0 : op->skip;
}

static void
write_masked(const struct vm_op *op, uint64_t slot, uint8_t *p)
{
	uint32_t value = ((uint32_t)(slot + op->mask.base) & op->mask.keep) + op->mask.add;
	uint32_t mask = op->mask.mask;
	unsigned n = op->mask.size;

	if (op->mask.shift > 0)
		value = (uint32_t)((uint64_t)value << op->mask.shift);
	else
		value = (uint32_t)((uint64_t)value >> -op->mask.shift);
	for (unsigned i = 0; i < n; i++, value >>= 8, mask >>= 8) {
		uint8_t *byte = op->mask.little ? p + i : p + n - 1 - i;

		*byte = (uint8_t)((*byte & ~mask) | (value & mask));
	}
}

/* ---- checksums ---- */

ALWAYS_INLINE uint32_t
load32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

/* Of 20 bytes, in whatever order the machine has bytes: a sum of 16-bit words does not mind.
 *
 * Words are loaded one by one: a load that is wider than the store of an address just before would
 * wait for it.  A number added to itself with its halves exchanged has their sum, carry included,
 * in the upper one. */
ALWAYS_INLINE void
fix_ipv4(uint8_t *header)
{
	uint64_t sum = (uint64_t)load32(header) + load32(header + 4);
	uint16_t middle, check;
	uint32_t half;

	memcpy(&middle, header + 8, sizeof(middle));
	sum += middle;
	sum += load32(header + 12);
	sum += load32(header + 16);
	half = (uint32_t)((sum + (sum >> 32 | sum << 32)) >> 32);
	check = (uint16_t) ~((half + (half >> 16 | half << 16)) >> 16);
	memcpy(header + IPV4_CHECK, &check, sizeof(check));
}

/* Of a header whose length it says itself, within 'room'. */
static void
fix_ipv4_options(uint8_t *header, uint16_t room)
{
	uint16_t len = (header[0] & 0xf) * 4;

	len = len < IPV4_HEADER ? IPV4_HEADER : len > room ? room : len;
	put16(header + IPV4_CHECK, cksum_ipv4(header, len));
}

/* Sum of 'len' bytes from 'l4' on, but for the two at 'check', and of the pseudo header, in which
 * the length is 'declared'. */
static uint16_t
sum_l4(const struct vm_op *op, const uint8_t *frame, uint32_t len, uint32_t declared, uint8_t proto,
       bool ipv6)
{
	uint32_t skip = op->sums.check - op->sums.l4;
	const uint8_t *l3 = frame + op->sums.l3, *l4 = frame + op->sums.l4;
	uint32_t sum = ipv6 ? cksum_add(0, l3 + 8, 32) : cksum_add(0, l3 + 12, 8);

	sum += (declared >> 16) + (declared & 0xffff) + proto;
	sum = cksum_add(sum, l4, skip);
	return cksum_finish(cksum_add(sum, l4 + skip + 2, len - skip - 2));
}

/* The upper layer's length as the header says it, but no more than the frame has from l4 on, and no
 * less than what ends with the checksum. */
static uint32_t
l4_len(const struct vm_op *op, const uint8_t *frame, uint32_t end, bool ipv6, uint32_t *declared)
{
	const uint8_t *l3 = frame + op->sums.l3;
	uint32_t header = op->sums.l4 - op->sums.l3;
	uint32_t room = end - op->sums.l4, least = op->sums.check + 2u - op->sums.l4;
	uint32_t all = ipv6 ? IPV6_HEADER + get16(l3 + IPV6_LEN) : get16(l3 + IPV4_LEN);

	*declared = all >= header + least ? all - header : room;
	return *declared < room ? *declared : room;
}

static void
fix_icmpv6(const struct vm_op *op, uint8_t *frame)
{
	uint32_t declared, len = l4_len(op, frame, op->n, true, &declared);

	put16(frame + op->sums.check, sum_l4(op, frame, len, declared, PROTO_ICMPV6, true));
}

/* A frame trimmed so far that it has no checksum left is not touched behind its end. */
static void
fix_sums(const struct vm_op *op, uint8_t *frame, uint16_t frame_len)
{
	uint32_t declared, len;
	uint16_t check;

	if (!op->sums.ipv6 && op->sums.l4 <= frame_len)
		put16(frame + op->sums.l3 + IPV4_CHECK,
		      cksum_ipv4(frame + op->sums.l3, op->sums.l4 - op->sums.l3));
	if (op->sums.check == 0 || op->sums.check + 2u > frame_len)
		return;
	len = l4_len(op, frame, frame_len, op->sums.ipv6, &declared);
	check = sum_l4(op, frame, len, declared, op->sums.proto, op->sums.ipv6);
	/* With UDP 0 means that the sender computed none. */
	put16(frame + op->sums.check, check == 0 && op->sums.proto == PROTO_UDP ? 0xffff : check);
}

void
vm_checksums(const struct vm *vm, uint8_t *frame, uint16_t len)
{
	for (const struct vm_op *op = vm->ops + vm->sums; op->code == VM_SUMS; op++)
		fix_sums(op, frame, len);
}

/* ---- the rarer variables; each returns whether it wrapped ---- */

static bool
step_list(const struct vm *vm, const struct vm_op *op, uint64_t *slots)
{
	bool around = slots[op->slot] >= op->walk.room;

	slots[op->slot + 1] = vm->lists[op->walk.base + walk(slots, op)];
	return around != op->down;
}

static bool
step_limit(const struct vm_op *op, uint64_t *slots)
{
	uint64_t *drawn = &slots[op->slot];

	if (*drawn == op->draw.limit)
		*drawn = 0;
	(*drawn)++;
	slots[op->slot + 1] = vm_draw(op->draw.seed + *drawn * RANDOM_GAMMA, op->draw.range);
	return *drawn == 1;
}

static void
step_random(const struct vm *vm, const struct vm_op *op, uint64_t *slots)
{
	uint64_t drawn;

	slots[op->slot] += RANDOM_GAMMA;
	drawn = vm_draw(slots[op->slot], op->draw.range);
	slots[op->slot + 1] = op->code == VM_RANDOM ? drawn : vm->lists[op->draw.seed + drawn];
}

static void
step_tuple(const struct vm_op *op, uint64_t *slots)
{
	uint64_t *ip = &slots[op->slot], *port = ip + 1, *flows = ip + 2;

	if (op->tuple.limit > 0 && ++*flows > op->tuple.limit) {
		*ip = *port = 0;
		*flows = 1;
	} else if (++*ip == op->tuple.n_ips) {
		*ip = 0;
		*port = *port + 1 == op->tuple.n_ports ? 0 : *port + 1;
	}
}

static void
step_endless(const struct vm_op *op, uint64_t *slots)
{
	uint64_t *ip = &slots[op->slot], *port = ip + 1;

	if (++*ip == op->tuple.n_ips) {
		*ip = 0;
		*port = *port == UINT16_MAX ? VM_FIRST_PORT : *port + 1;
	}
}

static void
count_cache(const struct vm *vm, const struct vm_op *op, uint64_t *slots)
{
	uint64_t *frames = &slots[op->slot], *seed = frames + 1;

	if (*frames == op->n) {
		vm_init_slots(vm, slots, (uint32_t)*seed);
		*frames = 0;
	}
	(*frames)++;
}

/* Returns how many operations behind this one are left out. */
static __attribute__((noinline)) unsigned
run_rarer(const struct vm *vm, const struct vm_op *op, uint64_t *slots, uint8_t *frame)
{
	switch (op->code) {
	case VM_WRITE_LE2:
	case VM_WRITE_LE4:
	case VM_WRITE_LE8:
		put_little(frame + op->at, slots[op->slot] + op->walk.base,
			   2u << (op->code - VM_WRITE_LE2));
		return 0;
	case VM_MASK:
		write_masked(op, slots[op->slot], frame + op->at);
		return 0;
	case VM_LIST:
		return step_list(vm, op, slots) ? 0 : op->skip;
	case VM_LIMIT:
		return step_limit(op, slots) ? 0 : op->skip;
	case VM_RANDOM:
	case VM_RANDOM_LIST:
		step_random(vm, op, slots);
		return 0;
	case VM_TUPLE:
		step_tuple(op, slots);
		return 0;
	case VM_TUPLE_ENDLESS:
		step_endless(op, slots);
		return 0;
	case VM_IPV4_OPTIONS:
		fix_ipv4_options(frame + op->at, op->n);
		return 0;
	case VM_ICMPV6:
		fix_icmpv6(op, frame);
		return 0;
	case VM_CACHE:
		count_cache(vm, op, slots);
		return 0;
	default:
		return 0;
	}
}

/* What a program does beyond the beginning that vm_run makes itself. */
static __attribute__((noinline)) uint16_t
run_rest(const struct vm *vm, const struct vm_op *op, uint64_t *slots, uint8_t *frame, uint16_t len)
{
	for (;; op++) {
		uint8_t *at = frame + op->at;

		switch (op->code) {
		case VM_WALK_WRITE1:
		case VM_WALK_WRITE2:
		case VM_WALK_WRITE4:
		case VM_WALK_WRITE8:
			walk_write(op, slots, at);
			break;
		case VM_WRITE1:
			*at = (uint8_t)(slots[op->slot] + op->walk.base);
			break;
		case VM_WRITE2:
			put16(at, slots[op->slot] + op->walk.base);
			break;
		case VM_WRITE4:
			put32(at, slots[op->slot] + op->walk.base);
			break;
		case VM_WRITE8:
			put64(at, slots[op->slot] + op->walk.base);
			break;
		case VM_WALK:
			op += step_walk(op, slots);
			break;
		case VM_IPV4:
			fix_ipv4(at);
			break;
		case VM_TRIM:
			len = (uint16_t)(slots[op->slot] + op->walk.base);
			break;
		case VM_SUMS:
			fix_sums(op, frame, len);
			break;
		case VM_END:
			return len;
		default:
			op += run_rarer(vm, op, slots, frame);
		}
	}
}

/* Walks and writes in a row, and the IPv4 checksum, make up most programs: these cost no jump
 * through a table and no call. */
uint16_t
vm_run(const struct vm *vm, void *state, uint8_t *frame, uint16_t len)
{
	const struct vm_op *op = vm->first;
	uint64_t *slots = state;

	for (; op->code <= VM_WALK_WRITE8; op++)
		walk_write(op, slots, frame + op->at);
	if (op->code == VM_IPV4 && op[1].code == VM_END) {
		fix_ipv4(frame + op->at);
		return len;
	}
	return run_rest(vm, op, slots, frame, len);
}
