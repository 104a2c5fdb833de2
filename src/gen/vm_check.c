/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <string.h>

#include "pkt/frame.h"

#include "vm_inst.h"

/* What an instruction may refer to: variables and bytes of the frame.  Texts are TRex's where it
 * has one. */

#define PROTO_TCP 6
#define PROTO_UDP 17
#define PROTO_ICMPV6 58
#define TCP_HEADER 20
#define ICMPV6_CHECK_END 4 /* bytes up to and with the checksum */

#define FAIL(p, inst, fmt, ...) \
	jsonrpc_fail((p)->e, JSONRPC_FAILED, "instruction id '%u' " fmt, (inst)->id, ##__VA_ARGS__)

bool
vm_is_var(const struct vm_inst *inst)
{
	return inst->type == VM_INST_VAR || inst->type == VM_INST_LIMIT ||
	       inst->type == VM_INST_TUPLE;
}

uint64_t
vm_range(const struct vm_inst *var)
{
	return var->max - var->min + 1;
}

uint8_t
vm_read_size(const struct vm_inst *reader)
{
	if (reader->var->type == VM_INST_TUPLE)
		return reader->reads_port ? 2 : 4;
	return reader->var->size;
}

/* Whether 'var' is known as 'name': a tuple as two, NAME.ip and NAME.port. */
static bool
is_called(const struct vm_inst *var, const char *name, bool *port)
{
	size_t n = strlen(var->name);

	*port = false;
	if (var->type != VM_INST_TUPLE)
		return strcmp(var->name, name) == 0;
	if (strncmp(var->name, name, n) != 0)
		return false;
	*port = strcmp(name + n, ".port") == 0;
	return *port || strcmp(name + n, ".ip") == 0;
}

static struct vm_inst *
find_var(const struct vm_program *p, size_t n, const char *name, bool *port)
{
	for (size_t i = 0; i < n; i++)
		if (vm_is_var(&p->insts[i]) && is_called(&p->insts[i], name, port))
			return &p->insts[i];
	return NULL;
}

static bool
same_names(const struct vm_inst *a, const struct vm_inst *b)
{
	bool port;

	if (a->type == VM_INST_TUPLE && b->type == VM_INST_TUPLE)
		return strcmp(a->name, b->name) == 0;
	return a->type == VM_INST_TUPLE ? is_called(a, b->name, &port)
					: is_called(b, a->name, &port);
}

/* Bytes that the variable takes of TRex's VM_MAX_VARS. */
static size_t
var_bytes(const struct vm_inst *var)
{
	if (var->type == VM_INST_TUPLE)
		return 4 + 2 + 4;
	return var->type == VM_INST_LIMIT ? 2u * var->size + 4 : var->size;
}

static int
check_vars(const struct vm_program *p)
{
	size_t bytes = 0;

	for (size_t i = 0; i < p->n; i++)
		if (p->insts[i].type == VM_INST_VAR && p->insts[i].walk == VM_RANDOM_OP)
			bytes = 4; /* one generator for all of them */
	for (size_t i = 0; i < p->n; i++) {
		const struct vm_inst *v = &p->insts[i];

		if (!vm_is_var(v))
			continue;
		for (size_t k = 0; k < i; k++)
			if (vm_is_var(&p->insts[k]) && same_names(&p->insts[k], v))
				return FAIL(p, v, "%s variable name %.64s already exists",
					    v->type == VM_INST_TUPLE ? "client" : "flow", v->name);
		bytes += var_bytes(v);
		if (bytes > VM_MAX_VARS)
			return jsonrpc_fail(p->e, JSONRPC_FAILED,
					    "too many flow variables current size is :%zu "
					    "maximum support is %u",
					    bytes, VM_MAX_VARS);
	}
	return 0;
}

static int
check_lengths(const struct vm_program *p, const struct vm_inst *trim)
{
	const struct vm_inst *v = trim->var;

	for (size_t i = 0; i < v->n_list; i++)
		if (v->list[i] > p->len || v->list[i] < VM_MIN_LEN)
			return FAIL(p, trim,
				    "packet size in value_list %" PRIu64
				    " is bigger than packet size %u or smaller than %u",
				    v->list[i], p->len, VM_MIN_LEN);
	return 0;
}

static uint64_t
clamp(uint64_t value, uint64_t min, uint64_t max)
{
	return value < min ? min : value > max ? max : value;
}

/* A variable that is a length cannot leave the range of lengths, wherever else it is written. */
static int
clamp_lengths(const struct vm_program *p, struct vm_inst *trim)
{
	struct vm_inst *v = trim->var;
	uint64_t min = v->min < p->len ? v->min : p->len;
	uint64_t max = v->max < p->len ? v->max : p->len;

	if (min >= max || max < VM_MIN_LEN)
		return FAIL(p, trim,
			    "min packet size %" PRIu64
			    " is bigger or eq to max packet size %" PRIu64,
			    min < VM_MIN_LEN && min < max ? VM_MIN_LEN : min, max);
	v->min = min < VM_MIN_LEN ? VM_MIN_LEN : min;
	v->max = max;
	v->init = clamp(v->init, v->min, v->max);
	return 0;
}

static int
check_trim(const struct vm_program *p, struct vm_inst *trim)
{
	trim->var = find_var(p, p->n, trim->name, &trim->reads_port);
	if (trim->var == NULL)
		return FAIL(p, trim, "packet size with no valid flow variable name '%.64s'",
			    trim->name);
	if (vm_read_size(trim) != 2)
		return FAIL(p, trim,
			    "packet size change should point to a flow variable with size 2");
	if (trim->var->type != VM_INST_VAR)
		return FAIL(p, trim,
			    "packet size change should point to a simple flow variable type "
			    "(Random/Client) types are not supported");
	return trim->var->list != NULL ? check_lengths(p, trim) : clamp_lengths(p, trim);
}

static int
check_write(const struct vm_program *p, struct vm_inst *w)
{
	uint32_t end;

	if (w->type == VM_INST_MASK && w->cast != 1 && w->cast != 2 && w->cast != 4)
		return FAIL(p, w, "cast size should be 1,2,4 it is %u", w->cast);
	w->var = find_var(p, p->n, w->name, &w->reads_port);
	if (w->var == NULL)
		return FAIL(p, w, "packet write with no valid flow variable name '%.64s'", w->name);
	end = (uint32_t)w->at + (w->type == VM_INST_MASK ? w->cast : vm_read_size(w));
	if (end > p->len)
		return FAIL(p, w, "packet write with packet_offset %u bigger than packet size %u",
			    end, p->len);
	w->end = (uint16_t)end;
	return 0;
}

/* The header's length, as the frame has it. */
static uint16_t
ipv4_header(const struct vm_program *p, uint16_t at)
{
	uint16_t len = (p->frame[at] & 0xf) * 4;

	return len < FRAME_IPV4 ? FRAME_IPV4 : len;
}

static int
check_ipv4(const struct vm_program *p, struct vm_inst *fix)
{
	if (fix->at + FRAME_IPV4 > p->len)
		return FAIL(p, fix,
			    "fix ipv4 command offset %u is too high relative to packet size %u",
			    fix->at, p->len);
	fix->l3_len = ipv4_header(p, fix->at);
	if (fix->at + fix->l3_len > p->len)
		return FAIL(p, fix,
			    "fix ipv4 command offset %u plus %u is too high relative to packet "
			    "size %u",
			    fix->at, fix->l3_len, p->len);
	fix->end = fix->at + fix->l3_len;
	return 0;
}

static int
check_icmpv6(const struct vm_program *p, struct vm_inst *fix)
{
	const uint8_t *ip = p->frame + fix->l2_len;
	uint32_t l4 = (uint32_t)fix->l2_len + fix->l3_len;

	if (fix->l3_len < FRAME_IPV6 || l4 + ICMPV6_CHECK_END > p->len)
		return FAIL(
			p, fix,
			"fix icmpv6 checksum command lengths %u and %u do not fit packet size %u",
			fix->l2_len, fix->l3_len, p->len);
	if (ip[0] >> 4 != 6)
		return FAIL(p, fix, "fix icmpv6 checksum command works only with IPv6");
	if (ip[6] != PROTO_ICMPV6 && fix->l3_len == FRAME_IPV6)
		return FAIL(p, fix,
			    "fix icmpv6 checksum command didn't find ICMPv6 layer, IPv6's next "
			    "header type is %u",
			    ip[6]);
	fix->end = (uint16_t)(l4 + ICMPV6_CHECK_END);
	return 0;
}

/* What fix_checksum_hw finds in the frame: l3_len becomes the header's, l4_type what follows. */
static int
check_hw_layers(const struct vm_program *p, struct vm_inst *fix)
{
	const uint8_t *ip = p->frame + fix->l2_len;
	bool is_ip = fix->l4_type == VM_L4_IP;
	uint16_t header;

	if (ip[0] >> 4 == 6) {
		if (fix->l4_type != VM_L4_TCP && fix->l4_type != VM_L4_UDP)
			return FAIL(p, fix, "fix hw command offsets should be TCP or UDP for IPv6");
		return fix->l3_len < FRAME_IPV6
			       ? FAIL(p, fix, "fix hw offset l3 %u is lower than %u for IPv6",
				      fix->l3_len, FRAME_IPV6)
			       : 0;
	}
	if (ip[0] >> 4 != 4)
		return FAIL(p, fix, "fix hw command should work on IPv4 or IPv6");
	header = (ip[0] & 0xf) * 4;
	if (header < FRAME_IPV4 || (!is_ip && header != fix->l3_len))
		return FAIL(p, fix, "fix hw command IPv4 header size is not valid %u", header);
	if (!is_ip && ip[9] != PROTO_TCP && ip[9] != PROTO_UDP)
		return FAIL(p, fix, "fix hw command L4 should be TCP or UDP, it is %u", ip[9]);
	fix->l3_len = header;
	fix->l4_type = ip[9] == PROTO_TCP ? VM_L4_TCP : ip[9] == PROTO_UDP ? VM_L4_UDP : VM_L4_IP;
	return 0;
}

static int
check_hw(const struct vm_program *p, struct vm_inst *fix)
{
	uint32_t end;

	if (fix->l2_len < FRAME_L2)
		return FAIL(p, fix, "fix hw offset l2 %u is lower than %u", fix->l2_len, FRAME_L2);
	if (fix->l4_type != VM_L4_IP && fix->l3_len < FRAME_IPV4)
		return FAIL(p, fix, "fix hw offset l3 %u is lower than %u", fix->l3_len,
			    FRAME_IPV4);
	end = (uint32_t)fix->l2_len + FRAME_IPV4;
	if (end <= p->len) {
		if (check_hw_layers(p, fix) < 0)
			return -1;
		end = (uint32_t)fix->l2_len + fix->l3_len;
		end += fix->l4_type == VM_L4_TCP   ? TCP_HEADER
		       : fix->l4_type == VM_L4_UDP ? FRAME_UDP
						   : 0;
	}
	if (end > p->len)
		return FAIL(p, fix,
			    "fix hw command offsets %u is too high relative to packet size %u", end,
			    p->len);
	fix->end = (uint16_t)end;
	return 0;
}

/* Whether the variable would be divided between cores, which those that follow another cannot. */
static bool
is_split(const struct vm_inst *v)
{
	return v->split && !(v->type == VM_INST_VAR && v->walk == VM_RANDOM_OP);
}

static int
check_next(const struct vm_program *p, size_t i)
{
	struct vm_inst *next = &p->insts[i + 1];
	const char *why = NULL;

	if (p->insts[i].next == NULL)
		return 0;
	if (i + 1 == p->n)
		why = "Last instruction in the list of instructions has next_var";
	else if (next->type != VM_INST_VAR && next->type != VM_INST_LIMIT)
		why = "Next instruction isn't a variable or a repeatable random";
	else if (strcmp(next->name, p->insts[i].next) != 0)
		why = "Next instruction name does not match next_var";
	else if (is_split(next))
		why = "A variable that is being pointed at by some other variable must run on a "
		      "single core.";
	if (why != NULL)
		return jsonrpc_fail(p->e, JSONRPC_FAILED, "%s", why);
	next->is_next = true;
	return 0;
}

static int
check_inst(const struct vm_program *p, struct vm_inst *inst)
{
	switch (inst->type) {
	case VM_INST_WRITE:
	case VM_INST_MASK:
		return check_write(p, inst);
	case VM_INST_IPV4:
		return check_ipv4(p, inst);
	case VM_INST_ICMPV6:
		return check_icmpv6(p, inst);
	case VM_INST_HW:
		return check_hw(p, inst);
	default:
		return 0;
	}
}

int
vm_check(struct vm_program *p)
{
	unsigned end = 0;

	if (check_vars(p) < 0)
		return -1;
	for (size_t i = 0; i < p->n; i++)
		if (p->insts[i].type == VM_INST_TRIM && check_trim(p, &p->insts[i]) < 0)
			return -1;
	for (size_t i = 0; i < p->n; i++)
		if (check_next(p, i) < 0)
			return -1;
	for (size_t i = 0; i < p->n; i++) {
		if (check_inst(p, &p->insts[i]) < 0)
			return -1;
		end = p->insts[i].end > end ? p->insts[i].end : end;
	}
	if (end > VM_MAX_REACH)
		return jsonrpc_fail(p->e, JSONRPC_FAILED,
				    "maximum offset is %u bigger than maximum %u", end,
				    VM_MAX_REACH);
	return 0;
}
