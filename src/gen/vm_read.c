/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "rpc/wide.h"

#include "vm_inst.h"

/* TRex's JSON, an instruction at a time.  Texts that start with "VM:" are TRex's. */

struct reader {
	const json_t *object;
	struct vm_inst *inst;
	struct jsonrpc_error *e;
};

static const char *const type_names[] = {
	[VM_INST_HW] = "fix_checksum_hw",	  [VM_INST_IPV4] = "fix_checksum_ipv4",
	[VM_INST_ICMPV6] = "fix_checksum_icmpv6", [VM_INST_VAR] = "flow_var",
	[VM_INST_WRITE] = "write_flow_var",	  [VM_INST_TUPLE] = "tuple_flow_var",
	[VM_INST_TRIM] = "trim_pkt_size",	  [VM_INST_MASK] = "write_mask_flow_var",
	[VM_INST_LIMIT] = "flow_var_rand_limit",
};

static const char *const walk_names[] = {
	[VM_INC] = "inc",
	[VM_DEC] = "dec",
	[VM_RANDOM_OP] = "random",
};

#define WHERE "instruction id '%u' (%s): "

static int
bad_field(const struct reader *r, const char *field, const char *wanted)
{
	return jsonrpc_fail(r->e, JSONRPC_FAILED, WHERE "field '%s' %s%s", r->inst->id,
			    type_names[r->inst->type], field,
			    json_object_get(r->object, field) == NULL ? "is missing, it is "
								      : "must be ",
			    wanted);
}

static bool
has_field(const struct reader *r, const char *field)
{
	const json_t *v = json_object_get(r->object, field);

	return v != NULL && !json_is_null(v);
}

static int
read_u64(const struct reader *r, const char *field, uint64_t *value)
{
	struct jsonrpc_error ignored;

	if (jsonrpc_u64(r->object, field, value, &ignored) < 0)
		return bad_field(r, field, "an integer that is not negative");
	return 0;
}

static int
read_u32(const struct reader *r, const char *field, uint32_t *value)
{
	uint64_t wide;

	if (read_u64(r, field, &wide) < 0)
		return -1;
	*value = (uint32_t)wide;
	return wide <= UINT32_MAX ? 0 : bad_field(r, field, "an integer from 0 to 4294967295");
}

static int
read_u16(const struct reader *r, const char *field, uint16_t *value)
{
	uint64_t wide;

	if (read_u64(r, field, &wide) < 0)
		return -1;
	*value = (uint16_t)wide;
	return wide <= UINT16_MAX ? 0 : bad_field(r, field, "an integer from 0 to 65535");
}

static int
read_i32(const struct reader *r, const char *field, int32_t *value)
{
	const json_t *v = json_object_get(r->object, field);
	double d = json_is_number(v) ? json_number_value(v) : NAN;

	/* Every 32-bit integer is a double. */
	if (!(d >= INT32_MIN && d <= INT32_MAX) || d != floor(d))
		return bad_field(r, field, "an integer from -2147483648 to 2147483647");
	*value = (int32_t)d;
	return 0;
}

static int
read_bool(const struct reader *r, const char *field, bool *value)
{
	struct jsonrpc_error ignored;

	if (jsonrpc_bool(r->object, field, value, &ignored) < 0)
		return bad_field(r, field, "true or false");
	return 0;
}

static int
read_text(const struct reader *r, const char *field, const char **value)
{
	struct jsonrpc_error ignored;

	if (jsonrpc_text(r->object, field, value, &ignored) < 0)
		return bad_field(r, field, "a string");
	return 0;
}

/* "field 'op' can only be one of ['inc' ,'dec' ,'random']", as TRex writes it. */
static int
bad_choice(struct jsonrpc_error *e, const json_t *object, const char *field,
	   const char *const *names, size_t n)
{
	char list[256] = "";
	size_t used = 0;

	if (json_object_get(object, field) == NULL)
		return jsonrpc_fail(e, JSONRPC_FAILED, "field '%s' is missing", field);
	for (size_t i = 0; i < n && used < sizeof(list); i++)
		used += (size_t)snprintf(list + used, sizeof(list) - used, "%s'%s'",
					 i > 0 ? " ," : "", names[i]);
	return jsonrpc_fail(e, JSONRPC_FAILED, "field '%s' can only be one of [%s]", field, list);
}

static int
read_choice(struct jsonrpc_error *e, const json_t *object, const char *field,
	    const char *const *names, size_t n, unsigned *choice)
{
	const char *text = json_string_value(json_object_get(object, field));

	for (unsigned i = 0; text != NULL && i < n; i++) {
		if (strcmp(names[i], text) == 0) {
			*choice = i;
			return 0;
		}
	}
	return bad_choice(e, object, field, names, n);
}

static int
read_size(const struct reader *r)
{
	static const char *const sizes[] = {"1", "2", "4", "8"};
	uint64_t size;
	struct jsonrpc_error ignored;

	if (jsonrpc_u64(r->object, "size", &size, &ignored) < 0 || size > 8 || size == 0 ||
	    (size & (size - 1)) != 0)
		return bad_choice(r->e, r->object, "size", sizes, N_ELEMS(sizes));
	r->inst->size = (uint8_t)size;
	return 0;
}

/* What variables of both kinds have. */
static int
read_var_head(const struct reader *r)
{
	struct vm_inst *inst = r->inst;

	if (read_text(r, "name", &inst->name) < 0)
		return -1;
	if (has_field(r, "next_var") && read_text(r, "next_var", &inst->next) < 0)
		return -1;
	if (inst->next != NULL && inst->next[0] == '\0')
		inst->next = NULL;
	inst->split = true;
	if (has_field(r, "split_to_cores") && read_bool(r, "split_to_cores", &inst->split) < 0)
		return -1;
	return read_size(r);
}

static int
check_fits(const struct reader *r, uint64_t value)
{
	uint64_t max = UINT64_MAX >> (64 - 8 * r->inst->size);

	if (value > max)
		return jsonrpc_fail(r->e, JSONRPC_FAILED,
				    "VM: requested value is bigger than %" PRIu64, max);
	return 0;
}

static int
check_range(const struct reader *r)
{
	const struct vm_inst *v = r->inst;

	if (v->step == 0)
		return jsonrpc_fail(r->e, JSONRPC_FAILED, "VM: step cannot be 0");
	if (v->max < v->min)
		return jsonrpc_fail(r->e, JSONRPC_FAILED,
				    "VM: requested flow var max value: '%" PRIu64
				    "' is smaller than min value: %" PRIu64,
				    v->max, v->min);
	if (v->init < v->min || v->init > v->max)
		return jsonrpc_fail(r->e, JSONRPC_FAILED,
				    "VM: requested flow var init value: '%" PRIu64
				    "' should be in range from min value '%" PRIu64
				    "' to max value '%" PRIu64 "'",
				    v->init, v->min, v->max);
	return check_fits(r, v->max) < 0 || check_fits(r, v->step) < 0 ? -1 : 0;
}

/* A range that is no multiple of the step grows until it is one.  Values that the variable's size
 * does not hold lose their upper bits when they are written. */
static int
pad_range(const struct reader *r)
{
	struct vm_inst *v = r->inst;
	uint64_t over = (v->max - v->min + 1) % v->step;
	uint64_t pad = over > 0 ? v->step - over : 0;
	uint64_t room = v->walk == VM_INC ? UINT64_MAX - v->max : v->min;

	if (v->walk == VM_RANDOM_OP || pad == 0)
		return 0;
	if (room < pad)
		return jsonrpc_fail(r->e, JSONRPC_FAILED,
				    "VM: could not pad range to be a true cycle - "
				    "'(max_value - min_value + 1) %% step' should be zero");
	if (v->walk == VM_INC)
		v->max += pad;
	else
		v->min -= pad;
	return 0;
}

static int
read_list(const struct reader *r)
{
	struct vm_inst *v = r->inst;
	const json_t *list = json_object_get(r->object, "value_list");

	if (!json_is_array(list))
		return bad_field(r, "value_list", "a list of integers");
	v->n_list = json_array_size(list);
	if (v->step == 0)
		return jsonrpc_fail(r->e, JSONRPC_FAILED, "VM: step cannot be 0");
	if (v->step > v->n_list)
		return jsonrpc_fail(r->e, JSONRPC_FAILED,
				    "VM: step cannot be bigger than list size");
	if (v->n_list > UINT16_MAX)
		return jsonrpc_fail(r->e, JSONRPC_FAILED, "VM: value_list size is bigger than %u",
				    UINT16_MAX);
	v->list = xcalloc(v->n_list, sizeof(*v->list));
	for (size_t i = 0; i < v->n_list; i++) {
		if (!wide_u64(json_array_get(list, i), &v->list[i]))
			return bad_field(r, "value_list", "a list of integers");
		if (check_fits(r, v->list[i]) < 0)
			return -1;
	}
	v->max = v->n_list - 1;
	v->init = v->walk == VM_INC ? 0 : v->max;
	return 0;
}

static int
read_var(const struct reader *r)
{
	struct vm_inst *v = r->inst;
	unsigned walk = VM_INC;

	if (read_var_head(r) < 0 ||
	    read_choice(r->e, r->object, "op", walk_names, N_ELEMS(walk_names), &walk) < 0)
		return -1;
	v->walk = (enum vm_walk)walk;
	if (read_u64(r, "step", &v->step) < 0)
		return -1;
	if (has_field(r, "value_list"))
		return read_list(r);
	if (read_u64(r, "init_value", &v->init) < 0 || read_u64(r, "min_value", &v->min) < 0 ||
	    read_u64(r, "max_value", &v->max) < 0)
		return -1;
	return check_range(r) < 0 ? -1 : pad_range(r);
}

static int
read_limit(const struct reader *r)
{
	struct vm_inst *v = r->inst;

	if (read_var_head(r) < 0 || read_u64(r, "seed", &v->seed) < 0 ||
	    read_u64(r, "limit", &v->limit) < 0 || read_u64(r, "min_value", &v->min) < 0 ||
	    read_u64(r, "max_value", &v->max) < 0)
		return -1;
	if (v->limit == 0)
		return jsonrpc_fail(r->e, JSONRPC_FAILED,
				    "VM: request random flow var variable with limit of zero '");
	v->step = 1;
	v->init = v->min;
	if (check_range(r) < 0)
		return -1;
	if (v->limit > UINT64_MAX >> (64 - 8 * v->size))
		return jsonrpc_fail(r->e, JSONRPC_FAILED,
				    "instruction id '%u' limit %" PRIu64 " is bigger than size %u",
				    v->id, v->limit, v->size);
	return 0;
}

static int
read_tuple(const struct reader *r)
{
	struct vm_inst *v = r->inst;
	uint16_t flags;

	if (read_text(r, "name", &v->name) < 0 || read_u32(r, "ip_min", &v->ip_min) < 0 ||
	    read_u32(r, "ip_max", &v->ip_max) < 0 || read_u16(r, "port_min", &v->port_min) < 0 ||
	    read_u16(r, "port_max", &v->port_max) < 0 ||
	    read_u32(r, "limit_flows", &v->limit_flows) < 0 || read_u16(r, "flags", &flags) < 0)
		return -1;
	v->flags = flags;
	if (v->ip_max < v->ip_min)
		return bad_field(r, "ip_max", "at least ip_min");
	if (v->port_max < v->port_min)
		return bad_field(r, "port_max", "at least port_min");
	return 0;
}

static int
read_write(const struct reader *r)
{
	struct vm_inst *w = r->inst;

	if (read_text(r, "name", &w->name) < 0 || read_u16(r, "pkt_offset", &w->at) < 0 ||
	    read_i32(r, "add_value", &w->add) < 0 || read_bool(r, "is_big_endian", &w->big) < 0)
		return -1;
	if (w->type == VM_INST_WRITE)
		return 0;
	if (read_u16(r, "pkt_cast_size", &w->cast) < 0 || read_u32(r, "mask", &w->mask) < 0)
		return -1;
	return read_i32(r, "shift", &w->shift);
}

static int
read_checksum(const struct reader *r)
{
	struct vm_inst *inst = r->inst;

	if (inst->type == VM_INST_IPV4)
		return read_u16(r, "pkt_offset", &inst->at);
	if (read_u16(r, "l2_len", &inst->l2_len) < 0 || read_u16(r, "l3_len", &inst->l3_len) < 0)
		return -1;
	return inst->type == VM_INST_HW ? read_u16(r, "l4_type", &inst->l4_type) : 0;
}

static int
read_inst(const struct reader *r)
{
	unsigned type;

	if (!json_is_object(r->object))
		return jsonrpc_fail(r->e, JSONRPC_FAILED, "instruction id '%u' must be an object",
				    r->inst->id);
	if (read_choice(r->e, r->object, "type", type_names, N_ELEMS(type_names), &type) < 0)
		return -1;
	r->inst->type = (enum vm_type)type;
	switch (r->inst->type) {
	case VM_INST_VAR:
		return read_var(r);
	case VM_INST_LIMIT:
		return read_limit(r);
	case VM_INST_TUPLE:
		return read_tuple(r);
	case VM_INST_WRITE:
	case VM_INST_MASK:
		return read_write(r);
	case VM_INST_TRIM:
		return read_text(r, "name", &r->inst->name);
	default:
		return read_checksum(r);
	}
}

static int
read_cache(struct vm_program *p, const json_t *cache)
{
	uint64_t n = 0;

	if (cache == NULL || json_is_null(cache))
		return 0;
	if (!wide_u64(cache, &n) || n > UINT16_MAX)
		return jsonrpc_fail(p->e, JSONRPC_FAILED,
				    "vm.cache must be an integer from 0 to %u", UINT16_MAX);
	p->cache = (uint16_t)n;
	return 0;
}

int
vm_read(struct vm_program *p, const json_t *vm_object)
{
	const json_t *list = json_object_get(vm_object, "instructions");
	struct reader r = {.e = p->e};

	if (!json_is_array(list))
		return jsonrpc_fail(p->e, JSONRPC_FAILED, "vm.instructions %s",
				    list == NULL ? "is missing" : "must be a list");
	p->n = json_array_size(list);
	p->insts = xcalloc(p->n > 0 ? p->n : 1, sizeof(*p->insts));
	for (size_t i = 0; i < p->n; i++) {
		r.object = json_array_get(list, i);
		r.inst = &p->insts[i];
		r.inst->id = (unsigned)i;
		if (read_inst(&r) < 0)
			return -1;
	}
	return read_cache(p, json_object_get(vm_object, "cache"));
}

void
vm_program_fini(struct vm_program *p)
{
	for (size_t i = 0; i < p->n; i++)
		free(p->insts[i].list);
	free(p->insts);
}
