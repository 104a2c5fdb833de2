/* SPDX-License-Identifier: MIT */
#include "vm_model.h"

#include <stdbool.h>
#include <string.h>

static uint64_t
num(const json_t *inst, const char *key)
{
	return (uint64_t)json_integer_value(json_object_get(inst, key));
}

static const char *
text(const json_t *inst, const char *key)
{
	const char *value = json_string_value(json_object_get(inst, key));

	return value != NULL ? value : "";
}

static bool
is(const json_t *inst, const char *type)
{
	return strcmp(text(inst, "type"), type) == 0;
}

static bool
walks(const json_t *inst, const char *op)
{
	return is(inst, "flow_var") && strcmp(text(inst, "op"), op) == 0;
}

static const json_t *
list_of(const json_t *inst)
{
	return json_object_get(inst, "value_list");
}

/* ---- variables ---- */

/* One up or down; true when that was around the end. */
static bool
one_step(struct model_var *v, bool up)
{
	uint64_t end = up ? v->max : v->min;
	bool around = v->pos == end;

	if (around)
		v->pos = up ? v->min : v->max;
	else
		v->pos = up ? v->pos + 1 : v->pos - 1;
	return around;
}

static bool
steps(struct model_var *v, bool up)
{
	bool around = false;

	for (uint64_t i = 0; i < v->step; i++)
		around |= one_step(v, up);
	return around;
}

static void
set_value(struct model_var *v, const json_t *inst)
{
	const json_t *list = list_of(inst);

	v->value =
		list != NULL ? (uint64_t)json_integer_value(json_array_get(list, v->pos)) : v->pos;
}

static void
pad(struct model_var *v, const json_t *inst)
{
	while (walks(inst, "inc") && (v->max - v->min + 1) % v->step != 0)
		v->max++;
	while (walks(inst, "dec") && (v->max - v->min + 1) % v->step != 0)
		v->min--;
}

static bool
is_length(const struct model *m, const char *name)
{
	const json_t *inst;
	size_t i;

	json_array_foreach(m->insts, i, inst)
		if (is(inst, "trim_pkt_size") && strcmp(text(inst, "name"), name) == 0)
			return true;
	return false;
}

static void
init_walk(const struct model *m, struct model_var *v, const json_t *inst)
{
	v->step = num(inst, "step");
	v->min = list_of(inst) != NULL ? 0 : num(inst, "min_value");
	v->max =
		list_of(inst) != NULL ? json_array_size(list_of(inst)) - 1 : num(inst, "max_value");
	v->pos = list_of(inst) == NULL ? num(inst, "init_value") : walks(inst, "inc") ? 0 : v->max;
	if (list_of(inst) == NULL)
		pad(v, inst);
	if (list_of(inst) == NULL && is_length(m, text(inst, "name"))) {
		v->max = v->max > m->len ? m->len : v->max;
		v->min = v->min < 60 ? 60 : v->min;
		v->pos = v->pos < v->min ? v->min : v->pos > v->max ? v->max : v->pos;
	}
	v->step %= v->max - v->min + 1;
	/* The first frame makes the first step. */
	if (!walks(inst, "random"))
		(void)steps(v, walks(inst, "dec"));
	set_value(v, inst);
}

static void
init_var(const struct model *m, struct model_var *v, const json_t *inst)
{
	*v = (struct model_var){0};
	if (is(inst, "flow_var"))
		init_walk(m, v, inst);
	if (is(inst, "flow_var_rand_limit"))
		v->value = num(inst, "min_value");
	if (is(inst, "tuple_flow_var")) {
		v->ip = num(inst, "ip_max");
		v->port = num(inst, "port_max");
	}
}

static void
start(struct model *m)
{
	const json_t *inst;
	size_t i;

	json_array_foreach(m->insts, i, inst) {
		struct model_var old = m->vars[i];

		init_var(m, &m->vars[i], inst);
		memcpy(m->vars[i].seen, old.seen, sizeof(old.seen));
		m->vars[i].n_seen = old.n_seen;
	}
	m->frames = 0;
}

void
model_init(struct model *m, const json_t *vm_object, uint16_t len)
{
	*m = (struct model){.insts = json_object_get(vm_object, "instructions"), .len = len};
	m->cache = num(vm_object, "cache");
	start(m);
}

/* The variable that 'name' reads, and its value and size. */
static uint64_t
read_var(const struct model *m, const char *name, unsigned *size)
{
	const json_t *inst;
	size_t i;

	json_array_foreach(m->insts, i, inst) {
		const struct model_var *v = &m->vars[i];
		size_t n = strlen(text(inst, "name"));

		*size = (unsigned)num(inst, "size");
		if (json_object_get(inst, "size") != NULL && strcmp(text(inst, "name"), name) == 0)
			return v->value;
		if (!is(inst, "tuple_flow_var") || strncmp(name, text(inst, "name"), n) != 0 ||
		    name[n] != '.')
			continue;
		*size = strcmp(name + n, ".ip") == 0 ? 4 : 2;
		return *size == 4 ? v->ip : v->port;
	}
	return 0;
}

/* ---- random values, as the other one drew them ---- */

static uint64_t
get(const uint8_t *p, uint64_t size, bool big)
{
	uint64_t value = 0;

	for (uint64_t i = 0; i < size; i++)
		value = value << 8 | p[big ? i : size - 1 - i];
	return value;
}

static const char *
look_up_random(struct model_var *v, const json_t *inst, uint64_t drawn)
{
	const json_t *list = list_of(inst), *element;
	size_t i;

	v->value = drawn;
	if (list == NULL)
		return drawn < v->min || drawn > v->max ? "random: not in its range" : NULL;
	json_array_foreach(list, i, element)
		if ((uint64_t)json_integer_value(element) == drawn)
			return NULL;
	return "random: not in its list";
}

/* Draws 'limit' numbers, and then the same again. */
static const char *
look_up_limited(struct model_var *v, const json_t *inst, uint64_t drawn, bool *around)
{
	*around = v->drawn % num(inst, "limit") == 0;
	v->drawn = *around ? 1 : v->drawn + 1;
	v->value = drawn;
	if (drawn < num(inst, "min_value") || drawn > num(inst, "max_value"))
		return "flow_var_rand_limit: not in its range";
	if (v->drawn > v->n_seen)
		v->seen[v->n_seen++] = drawn;
	return v->seen[v->drawn - 1] == drawn ? NULL : "flow_var_rand_limit: not what it was";
}

static void
step_tuple(struct model_var *v, const json_t *inst)
{
	bool endless = (num(inst, "flags") & 1) != 0;

	v->flows++;
	if (!endless && num(inst, "limit_flows") > 0 && v->flows > num(inst, "limit_flows")) {
		v->ip = num(inst, "ip_min");
		v->port = num(inst, "port_min");
		v->flows = 1;
		return;
	}
	if (v->ip++ < num(inst, "ip_max"))
		return;
	v->ip = num(inst, "ip_min");
	v->port++;
	if (endless && v->port == 65536)
		v->port = 1025;
	if (!endless && v->port > num(inst, "port_max"))
		v->port = num(inst, "port_min");
}

/* Moves a variable; '*around' when it wrapped. */
static const char *
step_var(struct model *m, size_t i, const uint8_t *real, bool *around)
{
	const json_t *inst = json_array_get(m->insts, i);
	struct model_var *v = &m->vars[i];
	uint64_t drawn = get(real + MODEL_SPY + 8 * i, num(inst, "size"), true);

	*around = true;
	if (walks(inst, "random"))
		return look_up_random(v, inst, drawn);
	if (is(inst, "flow_var_rand_limit"))
		return look_up_limited(v, inst, drawn, around);
	if (is(inst, "tuple_flow_var")) {
		step_tuple(v, inst);
		return NULL;
	}
	*around = steps(v, walks(inst, "inc"));
	set_value(v, inst);
	return NULL;
}

/* ---- the frame ---- */

static void
put(uint8_t *p, uint64_t value, uint64_t size, bool big)
{
	for (uint64_t i = 0; i < size; i++, value >>= 8)
		p[big ? size - 1 - i : i] = (uint8_t)value;
}

static void
write_var(struct model *m, const json_t *inst)
{
	uint8_t *p = m->frame + num(inst, "pkt_offset");
	bool big = json_is_true(json_object_get(inst, "is_big_endian"));
	uint64_t mask = num(inst, "mask"), cast = num(inst, "pkt_cast_size");
	int64_t shift = (int64_t)num(inst, "shift");
	unsigned size;
	uint64_t value = read_var(m, text(inst, "name"), &size);

	if (is(inst, "write_flow_var")) {
		put(p, value + num(inst, "add_value"), size, big);
		return;
	}
	if (size < 4)
		value &= (1u << 8 * size) - 1;
	value = (value + num(inst, "add_value")) & UINT32_MAX;
	value = shift > 0 ? value << shift : value >> -shift;
	put(p, (get(p, cast, big) & ~mask) | (value & mask), cast, big);
}

static uint16_t
checksum(uint64_t sum, const uint8_t *p, uint64_t n)
{
	for (uint64_t i = 0; i < n; i++)
		sum += i % 2 == 0 ? (uint64_t)p[i] << 8 : p[i];
	while (sum > UINT16_MAX)
		sum = (sum >> 16) + (sum & UINT16_MAX);
	return (uint16_t)~sum;
}

/* Of a header as long as 'head' says. */
static void
fix_ipv4(struct model *m, uint64_t at, uint8_t head)
{
	uint64_t len = (head & 15) * 4u, room = m->len - at;

	len = len < 20 ? 20 : len > room ? room : len;
	put(m->frame + at + 10, 0, 2, true);
	put(m->frame + at + 10, checksum(0, m->frame + at, len), 2, true);
}

/* 'end' is that of the frame, 'check' the checksum's offset behind l4. */
static void
fix_l4(struct model *m, const json_t *inst, uint64_t end, uint64_t check, uint64_t proto, bool ipv6)
{
	uint64_t l3 = num(inst, "l2_len");
	uint64_t header = ipv6 ? num(inst, "l3_len") : (m->base[l3] & 15) * 4u;
	uint8_t *l4 = m->frame + l3 + header;
	uint64_t all =
		ipv6 ? 40 + get(m->frame + l3 + 4, 2, true) : get(m->frame + l3 + 2, 2, true);
	uint64_t len = end - l3 - header, declared = len, sum;
	uint16_t found;

	/* Trimmed away. */
	if (l3 + header + check + 2 > end)
		return;
	if (all >= header + check + 2)
		declared = all - header;
	len = declared < len ? declared : len;
	put(l4 + check, 0, 2, true);
	sum = (uint16_t)~checksum(declared + proto, m->frame + l3 + (ipv6 ? 8 : 12), ipv6 ? 32 : 8);
	found = checksum(sum, l4, len);
	put(l4 + check, proto == 17 && found == 0 ? 0xffff : found, 2, true);
}

static void
fix_hw(struct model *m, const json_t *inst)
{
	uint64_t l3 = num(inst, "l2_len");
	bool ipv6 = m->base[l3] >> 4 == 6;
	bool tcp = num(inst, "l4_type") == 13;

	if (!ipv6)
		fix_ipv4(m, l3, m->base[l3]);
	fix_l4(m, inst, m->frame_len, tcp ? 16 : 6, tcp ? 6 : 17, ipv6);
}

static void
change_frame(struct model *m, const json_t *inst)
{
	unsigned size;

	if (is(inst, "write_flow_var") || is(inst, "write_mask_flow_var"))
		write_var(m, inst);
	if (is(inst, "trim_pkt_size"))
		m->frame_len = (uint16_t)read_var(m, text(inst, "name"), &size);
	if (is(inst, "fix_checksum_ipv4"))
		fix_ipv4(m, num(inst, "pkt_offset"), m->frame[num(inst, "pkt_offset")]);
	if (is(inst, "fix_checksum_icmpv6"))
		fix_l4(m, inst, m->len, 2, 58, true);
}

const char *
model_run(struct model *m, const uint8_t *base, const uint8_t *real)
{
	const char *why = NULL;
	bool around = true, follows = false;
	const json_t *inst;
	size_t i;

	if (m->cache > 0 && m->frames == m->cache)
		start(m);
	m->frames++;
	m->base = base;
	memcpy(m->frame, base, m->len);
	m->frame_len = m->len;
	json_array_foreach(m->insts, i, inst) {
		bool is_var = is(inst, "flow_var") || is(inst, "flow_var_rand_limit") ||
			      is(inst, "tuple_flow_var");

		/* One that is not moved does not move the next either. */
		if (is_var && (!follows || around) && why == NULL)
			why = step_var(m, i, real, &around);
		follows = text(inst, "next_var")[0] != '\0';
		change_frame(m, inst);
	}
	json_array_foreach(m->insts, i, inst)
		if (is(inst, "fix_checksum_hw"))
			fix_hw(m, inst);
	return why;
}
