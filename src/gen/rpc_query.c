/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "rpc/wide.h"
#include "server.h"

/* Methods that ask what streams there are, and what they would send. */

#define VALIDATE_EVENTS 100 /* listed at most */

static int
call_get_profile_list(void *ctx, const json_t *params, json_t **result, struct jsonrpc_error *e)
{
	unsigned port;
	const struct server_port *p = server_find_port(ctx, params, &port, e);

	if (p == NULL)
		return -EINVAL;
	*result = json_array();
	for (size_t i = 0; i < p->profiles.n; i++)
		json_array_append_new(*result, json_string(p->profiles.list[i]->id));
	return 0;
}

static json_t *
id_list(const struct profile *p)
{
	json_t *ids = json_array();

	for (size_t i = 0; i < p->n_streams; i++)
		json_array_append_new(ids, json_integer(p->streams[i].id));
	return ids;
}

static int
call_get_stream_list(void *ctx, const json_t *params, json_t **result, struct jsonrpc_error *e)
{
	const char *id = server_profile_id(params, PROFILE_DEFAULT);
	unsigned port;
	const struct server_port *sp = server_find_port(ctx, params, &port, e);
	const struct profile *p;

	if (sp == NULL)
		return -EINVAL;
	if (strcmp(id, "*") != 0) {
		p = profiles_need(&sp->profiles, id, e);
		*result = p != NULL ? id_list(p) : NULL;
		return p != NULL ? 0 : -EINVAL;
	}
	*result = json_object();
	for (size_t i = 0; i < sp->profiles.n; i++)
		json_object_set_new(*result, sp->profiles.list[i]->id,
				    id_list(sp->profiles.list[i]));
	return 0;
}

static int
call_get_stream(void *ctx, const json_t *params, json_t **result, struct jsonrpc_error *e)
{
	const struct stream *stream;
	json_t *object;
	uint32_t id;
	unsigned port;
	bool with_packet;
	const struct profile *p = server_find_profile(ctx, params, &port, e);

	if (p == NULL || jsonrpc_bool(params, "get_pkt", &with_packet, e) < 0 ||
	    server_stream_id(params, &id, e) < 0)
		return -EINVAL;
	stream = profile_stream(p, id);
	if (stream == NULL)
		return jsonrpc_fail(e, JSONRPC_FAILED,
				    "stream id %u, profile id %s on port %u does not exists", id,
				    p->id, port);
	object = json_copy(stream->json);
	if (!with_packet)
		json_object_del(object, "packet");
	*result = json_pack("{s:o}", "stream", object);
	return 0;
}

/* Stream objects as they were added, by id. */
static json_t *
stream_map(const struct profile *p)
{
	json_t *map = json_object();

	for (size_t i = 0; i < p->n_streams; i++) {
		char key[16];

		snprintf(key, sizeof(key), "%u", p->streams[i].id);
		json_object_set(map, key, p->streams[i].json);
	}
	return map;
}

static int
call_get_all_streams(void *ctx, const json_t *params, json_t **result, struct jsonrpc_error *e)
{
	const char *id = server_profile_id(params, PROFILE_DEFAULT);
	unsigned port;
	const struct server_port *sp = server_find_port(ctx, params, &port, e);
	const struct profile *p;
	json_t *map;

	if (sp == NULL)
		return -EINVAL;
	if (strcmp(id, "*") != 0) {
		p = profiles_need(&sp->profiles, id, e);
		if (p == NULL)
			return -EINVAL;
		*result = json_pack("{s:o}", "streams", stream_map(p));
		return 0;
	}
	map = json_object();
	for (size_t i = 0; i < sp->profiles.n; i++)
		if (sp->profiles.list[i]->n_streams > 0)
			json_object_set_new(map, sp->profiles.list[i]->id,
					    stream_map(sp->profiles.list[i]));
	*result = json_pack("{s:o}", "profiles", map);
	return 0;
}

static json_t *
rate_json(const struct graph *g, double speed_bps)
{
	const struct graph_rate max = graph_peak(g, 1), min = graph_peak(g, 0);
	double percent = speed_bps > 0 ? 100 / speed_bps : 0;

	return json_pack("{s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f}", "max_bps_l2", max.bps_l2,
			 "max_bps_l1", max.bps_l1, "max_pps", max.pps, "max_line_util",
			 max.bps_l1 * percent, "min_bps_l2", min.bps_l2, "min_bps_l1", min.bps_l1,
			 "min_pps", min.pps, "min_line_util", min.bps_l1 * percent);
}

static json_t *
graph_json(const struct graph *g)
{
	json_t *events = json_array();

	for (size_t i = 0; i < g->n_events && i < VALIDATE_EVENTS; i++) {
		const struct graph_event *ev = &g->events[i];

		json_array_append_new(events, json_pack("{s:f, s:f, s:f, s:f, s:I}", "time_usec",
							ev->time_us, "diff_pps", ev->diff.pps,
							"diff_bps_l2", ev->diff.bps_l2,
							"diff_bps_l1", ev->diff.bps_l1, "stream_id",
							(json_int_t)ev->stream_id));
	}
	return json_pack("{s:I, s:I, s:o}", "expected_duration",
			 (json_int_t)(g->duration_us < 1e18 ? g->duration_us : 1e18),
			 "events_count", (json_int_t)g->n_events, "events", events);
}

static int
call_validate(void *ctx, const json_t *params, json_t **result, struct jsonrpc_error *e)
{
	struct server *s = ctx;
	struct graph g;
	unsigned port;
	const struct profile *p = server_find_profile(s, params, &port, e);

	if (p == NULL)
		return -EINVAL;
	if (p->n_streams == 0)
		return jsonrpc_fail(e, JSONRPC_FAILED, "no streams attached to port");
	if (profile_graph(&s->ports[port].profiles, p, &g, e) < 0)
		return -EINVAL;
	*result = json_pack("{s:o, s:o}", "rate", rate_json(&g, (double)s->conf->speed_bps),
			    "graph", graph_json(&g));
	graph_fini(&g);
	return 0;
}

/* Nothing here takes so long that a client would have to come back for it. */
static int
call_async_task(void *ctx, const json_t *params, json_t **result, struct jsonrpc_error *e)
{
	uint64_t ticket;

	(void)ctx, (void)result;
	if (jsonrpc_u64(params, "ticket_id", &ticket, e) < 0)
		return -EINVAL;
	return jsonrpc_fail(e, JSONRPC_NO_RESULTS, "there is no task %llu",
			    (unsigned long long)ticket);
}

static const struct jsonrpc_method methods[] = {
	{"get_profile_list", call_get_profile_list, RPC_NEEDS_API},
	{"get_stream_list", call_get_stream_list, RPC_NEEDS_API},
	{"get_stream", call_get_stream, RPC_NEEDS_API},
	{"get_all_streams", call_get_all_streams, RPC_NEEDS_API},
	{"validate", call_validate, RPC_NEEDS_API | RPC_NEEDS_OWNER},
	{"get_async_results", call_async_task, RPC_NEEDS_API},
	{"cancel_async_task", call_async_task, RPC_NEEDS_API},
};
const struct rpc_table rpc_query = {methods, N_ELEMS(methods)};
