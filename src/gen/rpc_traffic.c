/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "rpc/wide.h"
#include "rpc_rx.h"
#include "run.h"
#include "traffic.h"

/* Methods that start, change and stop traffic. */

/* Clients name the cores of the port that shall send; there is one. */
static int
check_core_mask(const json_t *params, struct jsonrpc_error *e)
{
	uint64_t mask;

	if (json_object_get(params, "core_mask") == NULL)
		return 0;
	if (jsonrpc_u64(params, "core_mask", &mask, e) < 0)
		return -EINVAL;
	if (mask & 1)
		return 0;
	return jsonrpc_fail(e, JSONRPC_PARAMS,
			    "core_mask: '0x%llx' for 1 cores generates an empty set",
			    (unsigned long long)mask);
}

static int
read_start(const json_t *params, struct traffic_start *how, struct jsonrpc_error *e)
{
	const json_t *x = json_object_get(params, "x_nfvchain");

	*how = (struct traffic_start){.flat_out = json_is_true(json_object_get(x, "flat_out"))};
	if (jsonrpc_double(params, "duration", &how->duration_s, e) < 0 ||
	    jsonrpc_bool(params, "force", &how->force, e) < 0 || check_core_mask(params, e) < 0)
		return -EINVAL;
	if (json_object_get(params, "start_at_ts") != NULL &&
	    jsonrpc_double(params, "start_at_ts", &how->start_at_s, e) < 0)
		return -EINVAL;
	return multiplier_parse_start(&how->mul, params, e);
}

static int
call_start_traffic(void *ctx, const json_t *params, json_t **result, struct jsonrpc_error *e)
{
	struct server *s = ctx;
	double now_s = (double)clock_now_ns() / 1e9;
	struct traffic_start how;
	unsigned port;
	struct profile *p = server_find_profile(s, params, &port, e);

	if (p == NULL || read_start(params, &how, e) < 0 || traffic_start(s, port, p, &how, e) < 0)
		return -EINVAL;
	*result = json_pack("{s:f, s:f}", "multiplier", p->factor, "ts", now_s);
	return 0;
}

static int
call_stop_traffic(void *ctx, const json_t *params, json_t **result, struct jsonrpc_error *e)
{
	struct server *s = ctx;
	const char *id = server_profile_id(params, PROFILE_DEFAULT);
	unsigned port;
	struct server_port *sp = server_find_port(s, params, &port, e);
	struct profile *p;

	(void)result;
	if (sp == NULL)
		return -EINVAL;
	if (strcmp(id, "*") == 0) {
		for (size_t i = 0; i < sp->profiles.n; i++)
			traffic_stop(s, port, sp->profiles.list[i]);
		return 0;
	}
	p = profiles_need(&sp->profiles, id, e);
	if (p == NULL)
		return -EINVAL;
	traffic_stop(s, port, p);
	return 0;
}

/* Does 'what' to the profile that is named, or to all of them that it can be done to. */
static int
each_profile(struct server *s, const json_t *params, enum profile_state wanted,
	     int (*what)(struct server *s, unsigned port, struct profile *p,
			 struct jsonrpc_error *e),
	     struct jsonrpc_error *e)
{
	unsigned port, n = 0;
	struct server_port *sp = server_find_port(s, params, &port, e);
	struct profile *p;
	int rc = 0;

	if (sp == NULL)
		return -EINVAL;
	if (strcmp(server_profile_id(params, PROFILE_DEFAULT), "*") != 0) {
		p = server_find_profile(s, params, &port, e);
		return p != NULL ? what(s, port, p, e) : -EINVAL;
	}
	for (size_t i = 0; rc == 0 && i < sp->profiles.n; i++)
		if (sp->profiles.list[i]->state == wanted && ++n > 0)
			rc = what(s, port, sp->profiles.list[i], e);
	/* None: the first one tells why not. */
	return rc == 0 && n == 0 ? what(s, port, sp->profiles.list[0], e) : rc;
}

static int
call_pause_traffic(void *ctx, const json_t *params, json_t **result, struct jsonrpc_error *e)
{
	(void)result;
	return each_profile(ctx, params, PROFILE_TX, traffic_pause, e);
}

static int
call_resume_traffic(void *ctx, const json_t *params, json_t **result, struct jsonrpc_error *e)
{
	(void)result;
	return each_profile(ctx, params, PROFILE_PAUSE, traffic_resume, e);
}

static int
call_update_traffic(void *ctx, const json_t *params, json_t **result, struct jsonrpc_error *e)
{
	struct server *s = ctx;
	struct multiplier m;
	unsigned port;
	bool force;
	struct profile *p = server_find_profile(s, params, &port, e);

	if (p == NULL || jsonrpc_bool(params, "force", &force, e) < 0 ||
	    multiplier_parse(&m, params, e) < 0 || traffic_update(s, port, p, &m, force, e) < 0)
		return -EINVAL;
	*result = json_pack("{s:f}", "multiplier", p->factor);
	return 0;
}

/* Some streams of a profile. */
struct chosen {
	uint32_t *ids;
	size_t n;
};

static int
read_ids(const struct profile *p, const json_t *params, const char *command, struct chosen *c,
	 struct jsonrpc_error *e)
{
	const json_t *list = json_object_get(params, "stream_ids"), *v;
	size_t i;

	if (json_array_size(list) == 0)
		return jsonrpc_fail(e, JSONRPC_PARAMS, "please specify streams to %s", command);
	c->ids = xcalloc(json_array_size(list), sizeof(*c->ids));
	json_array_foreach(list, i, v) {
		uint64_t id;

		if (!wide_u64(v, &id) || id > UINT32_MAX)
			return jsonrpc_fail(e, JSONRPC_PARAMS,
					    "stream_ids[%zu] is not a stream's number", i);
		if (profile_stream(p, (uint32_t)id) == NULL)
			return jsonrpc_fail(e, JSONRPC_FAILED,
					    "%s_streams: stream %llu does not exists in "
					    "profile_id(%s)",
					    command, (unsigned long long)id, p->id);
		c->ids[c->n++] = (uint32_t)id;
	}
	return 0;
}

static int
pause_streams(struct server *s, const json_t *params, bool pause, struct jsonrpc_error *e)
{
	const char *command = pause ? "pause" : "resume";
	struct chosen c = {0};
	unsigned port;
	struct profile *p = server_find_profile(s, params, &port, e);
	int rc = p != NULL ? read_ids(p, params, command, &c, e) : -EINVAL;

	if (rc == 0)
		rc = profile_check_state(p, 1u << PROFILE_TX | 1u << PROFILE_PAUSE, command, e);
	if (rc == 0)
		rc = run_pause_streams(p->run, c.ids, c.n, pause, e);
	free(c.ids);
	return rc;
}

static int
call_pause_streams(void *ctx, const json_t *params, json_t **result, struct jsonrpc_error *e)
{
	(void)result;
	return pause_streams(ctx, params, true, e);
}

static int
call_resume_streams(void *ctx, const json_t *params, json_t **result, struct jsonrpc_error *e)
{
	(void)result;
	return pause_streams(ctx, params, false, e);
}

static int
call_update_streams(void *ctx, const json_t *params, json_t **result, struct jsonrpc_error *e)
{
	struct server *s = ctx;
	struct chosen c = {0};
	struct multiplier m;
	unsigned port;
	bool force;
	struct profile *p = server_find_profile(s, params, &port, e);
	int rc = -EINVAL;

	if (p != NULL && jsonrpc_bool(params, "force", &force, e) == 0 &&
	    multiplier_parse(&m, params, e) == 0 && read_ids(p, params, "update", &c, e) == 0)
		rc = traffic_update_streams(s, port, p, c.ids, c.n, &m, force, e);
	free(c.ids);
	if (rc == 0)
		*result = json_pack("{s:f}", "multiplier", p->factor);
	return rc;
}

/* The client waits after a stop before it says that the last frames are in. */
static int
call_remove_rx_filters(void *ctx, const json_t *params, json_t **result, struct jsonrpc_error *e)
{
	struct server *s = ctx;
	unsigned port;
	struct profile *p = server_find_profile(s, params, &port, e);

	(void)result;
	if (p == NULL || profile_check_state(p, 1u << PROFILE_STREAMS, "remove_rx_filters", e) < 0)
		return -EINVAL;
	rpc_rx_stop_profile(s, port, p);
	return 0;
}

#define OWNED (RPC_NEEDS_API | RPC_NEEDS_OWNER)

static const struct jsonrpc_method methods[] = {
	{"start_traffic", call_start_traffic, OWNED},
	{"stop_traffic", call_stop_traffic, OWNED},
	{"pause_traffic", call_pause_traffic, OWNED},
	{"resume_traffic", call_resume_traffic, OWNED},
	{"update_traffic", call_update_traffic, OWNED},
	{"pause_streams", call_pause_streams, OWNED},
	{"resume_streams", call_resume_streams, OWNED},
	{"update_streams", call_update_streams, OWNED},
	{"remove_rx_filters", call_remove_rx_filters, OWNED},
};
const struct rpc_table rpc_traffic = {methods, N_ELEMS(methods)};
