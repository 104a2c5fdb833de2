/* SPDX-License-Identifier: MIT */
/* What varies from frame to frame, as instructions of TRex's field engine. */
#include "profile_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

#define PROTO_ICMPV6 58
#define PROTO_TCP 6
#define PROTO_UDP 17
/* TRex's numbers for what fix_checksum_hw is about. */
#define HW_UDP 11
#define HW_TCP 13

/* Where a value is written. */
struct place {
	uint16_t at;
	uint8_t size;  /* bytes */
	uint16_t mask; /* of a field that is part of its bytes, or 0 */
	bool header;   /* covered by a checksum */
	bool length;   /* the frame's own */
};

struct layer_field {
	const char *name;
	enum { OF_FRAME, OF_VLAN, OF_IPV4, OF_IPV6, OF_UDP, OF_TCP } layer;
	uint8_t at, size;
	uint16_t mask;
};

static const struct layer_field fields[] = {
	/* Four bytes, as many as vary: the first two of an address say whose it is. */
	{"eth.dst", OF_FRAME, 2, 4, 0},	    {"eth.src", OF_FRAME, 8, 4, 0},
	{"vlan.id", OF_VLAN, 0, 2, 0x0fff}, {"ipv4.src", OF_IPV4, 12, 4, 0},
	{"ipv4.dst", OF_IPV4, 16, 4, 0},    {"ipv4.ttl", OF_IPV4, 8, 1, 0},
	{"ipv4.tos", OF_IPV4, 1, 1, 0},	    {"ipv4.id", OF_IPV4, 4, 2, 0},
	{"ipv6.src", OF_IPV6, 20, 4, 0},    {"ipv6.dst", OF_IPV6, 36, 4, 0},
	{"udp.src", OF_UDP, 0, 2, 0},	    {"udp.dst", OF_UDP, 2, 2, 0},
	{"tcp.src", OF_TCP, 0, 2, 0},	    {"tcp.dst", OF_TCP, 2, 2, 0},
	{"tcp.seq", OF_TCP, 4, 4, 0},
};

/* Where the layer of 'f' begins in the frame; false when it has none. */
static bool
find_layer(const struct packet *p, const struct layer_field *f, uint16_t *at)
{
	switch (f->layer) {
	case OF_FRAME:
		*at = 0;
		return true;
	case OF_VLAN:
		*at = p->vlan_at[0];
		return p->n_vlans > 0;
	case OF_IPV4:
	case OF_IPV6:
		*at = p->l3;
		return p->l3 != 0 && p->is_ipv6 == (f->layer == OF_IPV6);
	default:
		*at = p->l4;
		return p->l4 != 0 && p->proto == (f->layer == OF_UDP ? PROTO_UDP : PROTO_TCP);
	}
}

/* Where a frame that goes the other way has what 'name' is in one that does not. */
static const char *
mirrored_name(const char *name)
{
	static const char *const pairs[][2] = {
		{"eth.src", "eth.dst"}, {"ipv4.src", "ipv4.dst"}, {"ipv6.src", "ipv6.dst"}};

	for (size_t i = 0; i < N_ELEMS(pairs); i++)
		for (unsigned k = 0; k < 2; k++)
			if (strcmp(name, pairs[i][k]) == 0)
				return pairs[i][!k];
	return name;
}

static int
find_place(const struct profile_reading *r, const struct yaml_node *node, const struct packet *p,
	   struct place *place, struct err *err)
{
	const char *name = profile_text(r, node);

	if (name == NULL)
		return yaml_error(r->doc, node, err, "a field has a name, such as ipv4.src");
	*place = (struct place){.length = strcmp(name, "size") == 0, .size = 2, .header = true};
	if (place->length)
		return 0;
	for (size_t i = 0; i < N_ELEMS(fields); i++) {
		const struct layer_field *f = &fields[i];
		uint16_t at;

		if (strcmp(f->name, r->mirrored ? mirrored_name(name) : name) != 0)
			continue;
		if (!find_layer(p, f, &at))
			return yaml_error(r->doc, node, err, "the frame has no %s", name);
		place->at = (uint16_t)(at + f->at);
		place->size = f->size;
		place->mask = f->mask;
		place->header = f->layer >= OF_IPV4;
		return 0;
	}
	return yaml_error(r->doc, node, err,
			  "'%s' is no field (eth, vlan.id, ipv4, ipv6, udp, tcp as in ipv4.src; "
			  "size; or offset and width)",
			  name);
}

/* {field: NAME}, or {offset: N, width: BYTES}. */
static int
read_place(const struct profile_reading *r, const struct yaml_node *map, const struct packet *p,
	   struct place *place, struct err *err)
{
	uint64_t at = 0, size = 1;
	int rc;

	if (yaml_get(map, "field") != NULL)
		return find_place(r, yaml_get(map, "field"), p, place, err);
	if (yaml_get(map, "offset") == NULL)
		return yaml_error(r->doc, map, err,
				  "which field? (field: ipv4.src, or offset: 42)");
	rc = profile_uint(r, map, "offset", 0, p->len - 1u, &at, err);
	if (rc == 0)
		rc = profile_uint(r, map, "width", 1, 8, &size, err);
	if (rc == 0 && ((size & (size - 1)) != 0 || at + size > p->len))
		rc = yaml_error(r->doc, map, err, "a width is 1, 2, 4 or 8 bytes of the frame");
	*place = (struct place){.at = (uint16_t)at, .size = (uint8_t)size, .header = true};
	return rc;
}

/* The values it goes through. */
struct range {
	const char *op;
	uint64_t from, to, step, start, repeat, seed;
	json_t *list; /* or NULL */
};

static int
read_list(const struct profile_reading *r, const struct yaml_node *node, json_t **list,
	  struct err *err)
{
	int rc = 0;

	if (!yaml_is_list(node) || yaml_length(node) == 0)
		return yaml_error(r->doc, node, err, "'list' is a list of values");
	*list = json_array();
	for (size_t i = 0; rc == 0 && i < yaml_length(node); i++) {
		uint64_t value;

		rc = profile_value(r, yaml_item(node, i), &value, err);
		if (rc == 0)
			json_array_append_new(*list, json_integer((json_int_t)value));
	}
	return rc;
}

static int
read_value(const struct profile_reading *r, const struct yaml_node *map, const char *key,
	   uint64_t max, uint64_t *value, struct err *err)
{
	const struct yaml_node *node = yaml_get(map, key);
	int rc = node != NULL ? profile_value(r, node, value, err) : 0;

	if (rc == 0 && *value > max)
		rc = yaml_error(r->doc, node != NULL ? node : map, err,
				"%s: more than the field holds, %llu", key,
				(unsigned long long)max);
	return rc;
}

static int
read_range(const struct profile_reading *r, const struct yaml_node *map, uint8_t size,
	   struct range *g, struct err *err)
{
	const uint64_t max = size == 8 ? INT64_MAX : (1ull << 8 * size) - 1;
	int rc;

	*g = (struct range){.op = "inc", .to = max, .step = 1};
	rc = profile_word(r, map, "op", &g->op, err);
	if (rc == 0 && strcmp(g->op, "inc") != 0 && strcmp(g->op, "dec") != 0 &&
	    strcmp(g->op, "random") != 0)
		rc = yaml_error(r->doc, yaml_get(map, "op"), err, "op is inc, dec or random");
	if (rc == 0)
		rc = read_value(r, map, "from", max, &g->from, err);
	if (rc == 0)
		rc = read_value(r, map, "to", max, &g->to, err);
	if (rc == 0 && g->from > g->to)
		rc = yaml_error(r->doc, map, err, "'from' is above 'to'");
	if (rc == 0)
		rc = read_value(r, map, "step", max, &g->step, err);
	g->start = strcmp(g->op, "dec") == 0 ? g->to : g->from;
	if (rc == 0)
		rc = read_value(r, map, "start", max, &g->start, err);
	if (rc == 0)
		rc = profile_uint(r, map, "repeat", 1, UINT32_MAX, &g->repeat, err);
	if (rc == 0)
		rc = profile_uint(r, map, "seed", 0, UINT32_MAX, &g->seed, err);
	if (rc == 0 && yaml_get(map, "list") != NULL)
		rc = read_list(r, yaml_get(map, "list"), &g->list, err);
	return rc;
}

/* ---- instructions ---- */

static json_t *
write_var(const char *var, const struct place *p, int add)
{
	if (p->mask != 0)
		return json_pack("{s:s, s:s, s:i, s:i, s:i, s:i, s:i, s:b}", "type",
				 "write_mask_flow_var", "name", var, "pkt_offset", p->at,
				 "pkt_cast_size", p->size, "mask", p->mask, "shift", 0, "add_value",
				 add, "is_big_endian", 1);
	return json_pack("{s:s, s:s, s:i, s:i, s:b}", "type", "write_flow_var", "name", var,
			 "pkt_offset", p->at, "add_value", add, "is_big_endian", 1);
}

static json_t *
flow_var(const char *name, uint8_t size, struct range *g)
{
	json_t *o;

	if (g->repeat > 0)
		return json_pack("{s:s, s:s, s:i, s:I, s:I, s:I, s:I}", "type",
				 "flow_var_rand_limit", "name", name, "size", size, "seed",
				 (json_int_t)g->seed, "limit", (json_int_t)g->repeat, "min_value",
				 (json_int_t)g->from, "max_value", (json_int_t)g->to);
	o = json_pack("{s:s, s:s, s:i, s:s, s:I}", "type", "flow_var", "name", name, "size", size,
		      "op", g->op, "step", (json_int_t)g->step);
	if (g->list != NULL) {
		json_object_set_new(o, "value_list", g->list);
		g->list = NULL;
		return o;
	}
	json_object_set_new(o, "init_value", json_integer((json_int_t)g->start));
	json_object_set_new(o, "min_value", json_integer((json_int_t)g->from));
	json_object_set_new(o, "max_value", json_integer((json_int_t)g->to));
	return o;
}

/* A frame that changes its length says so in its headers. */
static void
add_lengths(json_t *out, const char *var, const struct packet *p)
{
	struct place at = {.size = 2};

	json_array_append_new(out, json_pack("{s:s, s:s}", "type", "trim_pkt_size", "name", var));
	if (p->l3 != 0) {
		at.at = (uint16_t)(p->l3 + (p->is_ipv6 ? 4 : 2));
		json_array_append_new(
			out, write_var(var, &at, -(int)p->l3 - (p->is_ipv6 ? FRAME_IPV6 : 0)));
	}
	if (p->l4 != 0 && p->proto == PROTO_UDP) {
		at.at = (uint16_t)(p->l4 + 4);
		json_array_append_new(out, write_var(var, &at, -(int)p->l4));
	}
}

static int
vary_size(const struct profile_reading *r, const struct yaml_node *map, const char *var,
	  const struct packet *p, struct range *g, json_t *out, struct err *err)
{
	if (g->list != NULL || g->from < FRAME_MIN_SIZE || g->to > (uint64_t)p->len + FRAME_FCS)
		return yaml_error(r->doc, map, err,
				  "sizes go 'from' %d or more 'to' that of the frame, %d, at most",
				  FRAME_MIN_SIZE, p->len + FRAME_FCS);
	g->from -= FRAME_FCS;
	g->to -= FRAME_FCS;
	g->start -= FRAME_FCS;
	json_array_append_new(out, flow_var(var, 2, g));
	add_lengths(out, var, p);
	return 0;
}

/* "a - b", two values. */
static int
read_pair(const struct profile_reading *r, const struct yaml_node *map, const char *key,
	  uint64_t max, uint64_t *low, uint64_t *high, struct err *err)
{
	const struct yaml_node *node = yaml_get(map, key);
	int rc;

	if (!yaml_is_list(node) || yaml_length(node) != 2)
		return yaml_error(r->doc, node != NULL ? node : map, err,
				  "'%s' is a list of the first and the last", key);
	rc = profile_value(r, yaml_item(node, 0), low, err);
	if (rc == 0)
		rc = profile_value(r, yaml_item(node, 1), high, err);
	if (rc == 0 && (*low > *high || *high > max))
		rc = yaml_error(r->doc, node, err, "'%s' goes up, to %llu at most", key,
				(unsigned long long)max);
	return rc;
}

/* Clients: an address and a port each, addresses first. */
static int
vary_tuple(const struct profile_reading *r, const struct yaml_node *map, const char *var,
	   const struct packet *p, json_t *out, struct err *err)
{
	static const char *const keys[] = {"ips", "ports", "ip", "port", "limit", NULL};
	uint64_t ip_min = 0, ip_max = 0, port_min = 1025, port_max = 65535, limit = 0;
	struct place ip, port;
	char *ip_var, *port_var;
	int rc = profile_map(r, map, "clients", keys, err);

	if (rc == 0)
		rc = read_pair(r, map, "ips", UINT32_MAX, &ip_min, &ip_max, err);
	if (rc == 0 && yaml_get(map, "ports") != NULL)
		rc = read_pair(r, map, "ports", 65535, &port_min, &port_max, err);
	if (rc == 0)
		rc = profile_uint(r, map, "limit", 0, UINT32_MAX, &limit, err);
	if (rc == 0)
		rc = find_place(r, yaml_get(map, "ip"), p, &ip, err);
	if (rc == 0)
		rc = find_place(r, yaml_get(map, "port"), p, &port, err);
	if (rc == 0 && (ip.size != 4 || port.size != 2 || port.length))
		rc = yaml_error(r->doc, map, err, "'ip' has four bytes and 'port' two");
	if (rc < 0)
		return rc;
	ip_var = xasprintf("%s.ip", var);
	port_var = xasprintf("%s.port", var);
	json_array_append_new(
		out, json_pack("{s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:i}", "type", "tuple_flow_var",
			       "name", var, "ip_min", (json_int_t)ip_min, "ip_max",
			       (json_int_t)ip_max, "port_min", (json_int_t)port_min, "port_max",
			       (json_int_t)port_max, "limit_flows", (json_int_t)limit, "flags", 0));
	json_array_append_new(out, write_var(ip_var, &ip, 0));
	json_array_append_new(out, write_var(port_var, &port, 0));
	free(ip_var);
	free(port_var);
	return 0;
}

static int
vary_one(const struct profile_reading *r, const struct yaml_node *map, unsigned i,
	 const struct packet *p, json_t *out, bool *header, struct err *err)
{
	static const char *const keys[] = {"field", "offset",  "width", "op",	  "from",
					   "to",    "step",    "start", "repeat", "seed",
					   "list",  "clients", "add",	"only",	  NULL};
	struct range g = {.list = NULL};
	uint64_t add = 0;
	struct place place;
	char var[16];
	int rc = profile_map(r, map, "vary", keys, err);

	snprintf(var, sizeof(var), "v%u", i);
	if (rc == 0 && yaml_get(map, "clients") != NULL) {
		*header = true;
		return vary_tuple(r, yaml_get(map, "clients"), var, p, out, err);
	}
	if (rc == 0)
		rc = read_place(r, map, p, &place, err);
	if (rc == 0)
		rc = read_range(r, map, place.size, &g, err);
	if (rc == 0)
		rc = profile_uint(r, map, "add", 0, INT32_MAX, &add, err);
	if (rc == 0 && place.length)
		rc = vary_size(r, map, var, p, &g, out, err);
	else if (rc == 0) {
		json_array_append_new(out, flow_var(var, place.size, &g));
		json_array_append_new(out, write_var(var, &place, (int)add));
	}
	json_decref(g.list);
	if (rc == 0)
		*header |= place.header;
	return rc;
}

/* Checksums are right again.  UDP over IPv4 carries none, unless the profile asks for one. */
static void
add_checksums(json_t *out, const struct packet *p)
{
	const bool sums = p->l4 != 0 && (p->proto == PROTO_TCP ||
					 (p->proto == PROTO_UDP && (p->is_ipv6 || p->udp_sums)));

	if (p->l3 == 0)
		return;
	if (sums)
		json_array_append_new(out,
				      json_pack("{s:s, s:i, s:i, s:i}", "type", "fix_checksum_hw",
						"l2_len", p->l3, "l3_len", p->l4 - p->l3, "l4_type",
						p->proto == PROTO_TCP ? HW_TCP : HW_UDP));
	else if (p->is_ipv6 && p->l4 != 0 && p->proto == PROTO_ICMPV6)
		json_array_append_new(out,
				      json_pack("{s:s, s:i, s:i}", "type", "fix_checksum_icmpv6",
						"l2_len", p->l3, "l3_len", p->l4 - p->l3));
	else if (!p->is_ipv6)
		json_array_append_new(out, json_pack("{s:s, s:i}", "type", "fix_checksum_ipv4",
						     "pkt_offset", p->l3));
}

int
profile_vary(const struct profile_reading *r, const struct yaml_node *node, const struct packet *p,
	     json_t **instructions, struct err *err)
{
	bool header = false;
	int rc = 0;

	*instructions = json_array();
	if (node != NULL && !yaml_is_list(node))
		rc = yaml_error(r->doc, node, err, "'vary' is a list");
	for (unsigned i = 0; rc == 0 && i < yaml_length(node); i++) {
		bool taken = true;

		rc = profile_only(r, yaml_item(node, i), &taken, err);
		if (rc == 0 && taken)
			rc = vary_one(r, yaml_item(node, i), i, p, *instructions, &header, err);
	}
	if (rc == 0 && header)
		add_checksums(*instructions, p);
	if (rc < 0) {
		json_decref(*instructions);
		*instructions = NULL;
	}
	return rc;
}
