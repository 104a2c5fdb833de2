/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "rpc_rx.h"
#include "server.h"

/* Methods about a port: who owns it, and how it is. */

static void
owner_event(struct server *s, unsigned port, enum event_type type, const char *who,
	    uint32_t session, bool forced)
{
	json_t *data = json_pack("{s:i, s:s, s:I}", "port_id", (int)port, "who", who, "session_id",
				 (json_int_t)session);

	if (type == EVENT_PORT_ACQUIRED)
		json_object_set_new(data, "force", json_boolean(forced));
	server_event(s, type, data);
}

static int
read_claim(const json_t *params, const char **user, uint32_t *session, bool *force,
	   struct jsonrpc_error *e)
{
	uint64_t wide;

	if (jsonrpc_text(params, "user", user, e) < 0 ||
	    jsonrpc_bool(params, "force", force, e) < 0 ||
	    jsonrpc_u64(params, "session_id", &wide, e) < 0)
		return -EINVAL;
	if (wide > UINT32_MAX)
		return jsonrpc_fail(e, JSONRPC_PARAMS, "parameter 'session_id' must be below 2^32");
	if (strlen(*user) > SERVER_MAX_USER)
		return jsonrpc_fail(e, JSONRPC_PARAMS, "parameter 'user' is longer than %d bytes",
				    SERVER_MAX_USER);
	*session = (uint32_t)wide;
	return 0;
}

/* Whoever owns it keeps it, unless another insists. */
static int
check_free(const struct server_port *p, const char *user, uint32_t session, struct jsonrpc_error *e)
{
	if (strcmp(p->owner, user) != 0)
		return jsonrpc_fail(e, JSONRPC_FAILED, "port is already taken by '%s'", p->owner);
	if (p->session_id != session)
		return jsonrpc_fail(e, JSONRPC_FAILED,
				    "port is already owned by another session of '%s'", user);
	return 0;
}

static int
call_acquire(void *ctx, const json_t *params, json_t **result, struct jsonrpc_error *e)
{
	struct server *s = ctx;
	uint32_t session = 0;
	const char *user;
	bool force, owned;
	unsigned id;
	struct server_port *p = server_find_port(s, params, &id, e);

	if (p == NULL || read_claim(params, &user, &session, &force, e) < 0)
		return -EINVAL;
	owned = p->owner != NULL;
	if (owned && !force && check_free(p, user, session, e) < 0)
		return -EINVAL;
	if (!owned || force) {
		free(p->owner);
		p->owner = xstrdup(user);
		p->session_id = session;
		server_random_text(p->handler);
	}
	owner_event(s, id, EVENT_PORT_ACQUIRED, user, session, owned && force);
	events_join(s->events, session, clock_now_ns());
	*result = json_string(p->handler);
	return 0;
}

/* What it sends goes on. */
static int
call_release(void *ctx, const json_t *params, json_t **result, struct jsonrpc_error *e)
{
	struct server *s = ctx;
	unsigned id;
	struct server_port *p = server_find_port(s, params, &id, e);

	(void)result;
	if (p == NULL)
		return -EINVAL;
	owner_event(s, id, EVENT_PORT_RELEASED, p->owner, p->session_id, false);
	free(p->owner);
	p->owner = NULL;
	return 0;
}

static int
call_get_owner(void *ctx, const json_t *params, json_t **result, struct jsonrpc_error *e)
{
	unsigned id;
	const struct server_port *p = server_find_port(ctx, params, &id, e);

	if (p == NULL)
		return -EINVAL;
	*result = json_pack("{s:s}", "owner", p->owner != NULL ? p->owner : "<FREE>");
	return 0;
}

static json_t *
ipv4_json(const struct port_layers *l)
{
	if (!l->ipv4)
		return json_pack("{s:s}", "state", "none");
	return json_pack("{s:s, s:s, s:s}", "state", l->resolved ? "resolved" : "unresolved", "src",
			 l->ipv4_src, "dst", l->ipv4_dst);
}

static json_t *
layers_json(const struct server *s, unsigned port)
{
	const struct port_layers *l = &s->ports[port].layers;
	json_t *ipv6 = json_pack("{s:b}", "enabled", (int)l->ipv6);

	if (l->ipv6)
		json_object_set_new(ipv6, "src", json_string(l->ipv6_src));
	return json_pack("{s:{s:o, s:o, s:s}, s:o, s:o}", "ether", "src",
			 server_mac_json(s->worker->ports[port].addr), "dst",
			 server_mac_json(l->dest), "state",
			 l->ipv4 && !l->resolved ? "unconfigured" : "configured", "ipv4",
			 ipv4_json(l), "ipv6", ipv6);
}

/* Of the device. */
static json_t *
attr_json(const struct server *s, unsigned port)
{
	return json_pack("{s:{s:b}, s:{s:b}, s:{s:b}, s:f, s:[], s:{s:i}}", "promiscuous",
			 "enabled", (int)attr_promiscuous(server_device(s, port)), "multicast",
			 "enabled", (int)attr_multicast(server_device(s, port)), "link", "up",
			 (int)s->ports[port].link_up, "speed", (double)s->conf->speed_bps / 1e9,
			 "vxlan_fs", "fc", "mode", -1);
}

static void
add_layers(json_t *attr, const struct server *s, unsigned port)
{
	const struct port_layers *l = &s->ports[port].layers;
	json_t *tags = json_array();

	for (unsigned i = 0; i < l->n_vlans; i++)
		json_array_append_new(tags, json_integer(l->vlan[i]));
	json_object_set_new(attr, "layer_cfg", layers_json(s, port));
	json_object_set_new(attr, "vlan", json_pack("{s:o}", "tags", tags));
}

void
rpc_port_watch_links(struct server *s)
{
	for (unsigned i = 0; i < GEN_PORTS; i++) {
		bool up = attr_link_up(server_device(s, i));
		json_t *status, *attr;

		if (up == s->ports[i].link_up)
			continue;
		s->ports[i].link_up = up;
		status = json_object();
		attr = attr_json(s, i);
		rpc_rx_status(s, i, status, attr);
		json_decref(status);
		server_event(s, EVENT_PORT_ATTR_CHANGED,
			     json_pack("{s:i, s:o}", "port_id", (int)i, "attr", attr));
	}
}

/* The state of one profile as text, or of all ("*") as an object. */
static json_t *
profile_states(const struct profiles *ps, const char *id, struct jsonrpc_error *e)
{
	const struct profile *p;
	json_t *all;

	if (strcmp(id, "*") != 0) {
		p = profiles_need(ps, id, e);
		return p != NULL ? json_string(profile_state_name(p->state)) : NULL;
	}
	all = json_object();
	for (size_t i = 0; i < ps->n; i++)
		json_object_set_new(all, ps->list[i]->id,
				    json_string(profile_state_name(ps->list[i]->state)));
	return all;
}

static int
call_get_port_status(void *ctx, const json_t *params, json_t **result, struct jsonrpc_error *e)
{
	struct server *s = ctx;
	const char *profile = server_profile_id(params, NULL);
	unsigned id;
	const struct server_port *p = server_find_port(s, params, &id, e);
	json_t *states = NULL, *attr;

	if (p == NULL)
		return -EINVAL;
	if (profile != NULL && profile[0] != '\0') {
		states = profile_states(&p->profiles, profile, e);
		if (states == NULL)
			return -EINVAL;
	}
	rpc_port_watch_links(s);
	attr = attr_json(s, id);
	add_layers(attr, s, id);
	*result = json_pack("{s:s, s:s, s:i, s:I, s:O}", "owner", p->owner != NULL ? p->owner : "",
			    "state", profile_state_name(profiles_state(&p->profiles)),
			    "profile_count", (int)p->profiles.n, "max_stream_id",
			    (json_int_t)profiles_max_stream_id(&p->profiles), "attr", attr);
	if (states != NULL)
		json_object_set_new(*result, "state_profile", states);
	rpc_rx_status(s, id, *result, attr);
	json_decref(attr);
	return 0;
}

/* Groups of tagged packets are TRex's own; every release asks for them. */
static int
call_get_tpg_status(void *ctx, const json_t *params, json_t **result, struct jsonrpc_error *e)
{
	bool by_user = json_object_get(params, "username") != NULL;
	bool by_port = json_object_get(params, "port_id") != NULL;

	(void)ctx;
	if (by_user == by_port)
		return jsonrpc_fail(e, JSONRPC_FAILED,
				    "Should provide %s one between port_id and username to get TPG "
				    "status",
				    by_user ? "only" : "at least");
	*result = json_pack("{s:b, s:{s:[], s:[], s:s, s:i, s:i}}", "enabled", 0, "data",
			    "acquired_ports", "rx_ports", "username", "-", "num_tpgids", 0,
			    "num_tags", 0);
	return 0;
}

static const struct jsonrpc_method methods[] = {
	{"acquire", call_acquire, RPC_NEEDS_API},
	{"release", call_release, RPC_NEEDS_API | RPC_NEEDS_OWNER},
	{"get_owner", call_get_owner, RPC_NEEDS_API},
	{"get_port_status", call_get_port_status, RPC_NEEDS_API},
	{"get_tpg_status", call_get_tpg_status, RPC_NEEDS_API},
};
const struct rpc_table rpc_port = {methods, N_ELEMS(methods)};
