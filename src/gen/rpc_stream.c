/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "rpc_rx.h"
#include "server.h"
#include "traffic.h"

/* Methods that add streams and remove them. */

/* Keeps the stream, and the frames it will send are counted if it says so, or nothing is kept. */
static int
add(struct server *s, unsigned port, struct profile *p, uint32_t id, json_t *object,
    struct jsonrpc_error *e)
{
	struct profiles *ps = &s->ports[port].profiles;
	struct stream *stream = profile_add_stream(ps, p, id, object, e);

	if (stream == NULL)
		return -EINVAL;
	if (rpc_rx_add_stream(s, port, stream, e) < 0) {
		profile_remove_stream(ps, p, stream);
		return -EINVAL;
	}
	return 0;
}

static int
add_to(struct server *s, unsigned port, const char *profile, uint32_t id, json_t *object,
       struct jsonrpc_error *e)
{
	struct profiles *ps = &s->ports[port].profiles;
	struct profile *before = profiles_find(ps, profile);
	struct profile *p = before != NULL ? before : profiles_make(ps, profile, e);

	if (p == NULL)
		return -EINVAL;
	if (profile_stream(p, id) != NULL)
		return jsonrpc_fail(e, JSONRPC_FAILED, "stream %u already exists in profile_id(%s)",
				    id, profile);
	if (add(s, port, p, id, object, e) == 0)
		return 0;
	if (before == NULL)
		profiles_drop(ps, p);
	return -EINVAL;
}

static int
call_add_stream(void *ctx, const json_t *params, json_t **result, struct jsonrpc_error *e)
{
	struct server *s = ctx;
	uint32_t id;
	unsigned port;
	int rc = -EINVAL;

	(void)result;
	if (server_find_port(s, params, &port, e) != NULL && server_stream_id(params, &id, e) == 0)
		rc = add_to(s, port, server_profile_id(params, PROFILE_DEFAULT), id,
			    json_object_get(params, "stream"), e);
	if (rc == 0)
		traffic_publish(s, port, false);
	/* TRex reports what is wrong with a stream's fields as a failure too. */
	e->code = JSONRPC_FAILED;
	return rc;
}

static int
call_remove_stream(void *ctx, const json_t *params, json_t **result, struct jsonrpc_error *e)
{
	struct server *s = ctx;
	struct stream *stream;
	uint32_t id;
	unsigned port;
	struct profile *p = server_find_profile(s, params, &port, e);

	(void)result;
	if (p == NULL || server_stream_id(params, &id, e) < 0)
		return -EINVAL;
	stream = profile_stream(p, id);
	if (stream == NULL)
		return jsonrpc_fail(e, JSONRPC_FAILED,
				    "stream %u does not exists in profile_id(%s)", id, p->id);
	if (profile_check_state(p, 1u << PROFILE_STREAMS, "remove_stream", e) < 0)
		return -EINVAL;
	rpc_rx_remove_stream(s, port, stream);
	profile_remove_stream(&s->ports[port].profiles, p, stream);
	traffic_publish(s, port, false);
	return 0;
}

static int
remove_all(struct server *s, unsigned port, struct profile *p, struct jsonrpc_error *e)
{
	if (profile_check_state(p, 1u << PROFILE_IDLE | 1u << PROFILE_STREAMS,
				"remove_and_delete_all_streams", e) < 0)
		return -EINVAL;
	for (size_t i = 0; i < p->n_streams; i++)
		rpc_rx_remove_stream(s, port, &p->streams[i]);
	profile_clear(&s->ports[port].profiles, p);
	/* Of "_" it stays known what came of its last run. */
	if (p->slot != 0)
		traffic_forget(s, port, p);
	traffic_publish(s, port, false);
	return 0;
}

static int
call_remove_all_streams(void *ctx, const json_t *params, json_t **result, struct jsonrpc_error *e)
{
	struct server *s = ctx;
	const char *id = server_profile_id(params, PROFILE_DEFAULT);
	unsigned port;
	struct server_port *sp = server_find_port(s, params, &port, e);
	struct profile *p;
	int rc = 0;

	(void)result;
	if (sp == NULL)
		return -EINVAL;
	for (size_t i = 0; strcmp(id, "*") == 0 && i < sp->profiles.n; i++)
		if (remove_all(s, port, sp->profiles.list[i], e) < 0)
			rc = -EINVAL;
	p = profiles_find(&sp->profiles, id);
	return p != NULL ? remove_all(s, port, p, e) : rc;
}

#define OWNED (RPC_NEEDS_API | RPC_NEEDS_OWNER)

static const struct jsonrpc_method methods[] = {
	{"add_stream", call_add_stream, OWNED},
	{"remove_stream", call_remove_stream, OWNED},
	{"remove_all_streams", call_remove_all_streams, OWNED},
};
const struct rpc_table rpc_stream = {methods, N_ELEMS(methods)};
