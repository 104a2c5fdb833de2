/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/mem.h"
#include "rpc_rx.h"

/* Methods about received frames, of a generator that counts them by port only: nothing is ever
 * active, and what would make something active is refused. */

void
rpc_rx_describe(const struct server *s, unsigned port, json_t *info)
{
	(void)s, (void)port;
	json_object_set_new(info, "rx", json_pack("{s:[], s:i}", "caps", "counters", 0));
}

void
rpc_rx_status(const struct server *s, unsigned port, json_t *status, json_t *attr)
{
	(void)s, (void)port;
	json_object_set_new(status, "service", json_false());
	json_object_set_new(status, "service_filtered", json_false());
	json_object_set_new(status, "rx_info",
			    json_pack("{s:{s:b}, s:{s:b}, s:{s:b}, s:{s:b}, s:{s:b}, s:{s:b}}",
				      "latency", "is_active", 0, "queue", "is_active", 0, "stack",
				      "is_active", 1, "grat_arp", "is_active", 0, "capture_port",
				      "is_active", 0, "capwap_proxy", "is_active", 0));
	json_object_set_new(attr, "rx_filter_mode", json_string("hw"));
}

int
rpc_rx_add_stream(struct server *s, unsigned port, struct stream *stream, struct jsonrpc_error *e)
{
	(void)s, (void)port;
	if (stream->rule == RULE_NONE)
		return 0;
	return jsonrpc_fail(e, JSONRPC_FAILED, "stream %u: flow statistics are not built yet",
			    stream->id);
}

void
rpc_rx_remove_stream(struct server *s, unsigned port, struct stream *stream)
{
	(void)s, (void)port, (void)stream;
}

int
rpc_rx_start_profile(struct server *s, unsigned port, struct profile *p, struct jsonrpc_error *e)
{
	(void)s, (void)port, (void)p, (void)e;
	return 0;
}

void
rpc_rx_stop_profile(struct server *s, unsigned port, struct profile *p)
{
	(void)s, (void)port, (void)p;
}

static int
call_get_active_pgids(void *ctx, const json_t *params, json_t **result, struct jsonrpc_error *e)
{
	(void)ctx, (void)params, (void)e;
	*result = json_pack("{s:{s:[], s:[]}}", "ids", "flow_stats", "latency");
	return 0;
}

static int
call_get_pgid_stats(void *ctx, const json_t *params, json_t **result, struct jsonrpc_error *e)
{
	(void)ctx, (void)params, (void)e;
	*result = json_pack("{s:n, s:{s:n}, s:n}", "flow_stats", "latency", "g", "ver_id");
	return 0;
}

/* Off is what it is; on is refused. */
static int
call_switch(void *ctx, const json_t *params, json_t **result, struct jsonrpc_error *e)
{
	bool enabled;

	(void)ctx, (void)result;
	if (jsonrpc_bool(params, "enabled", &enabled, e) < 0)
		return -1;
	return enabled ? jsonrpc_fail(e, JSONRPC_FAILED, "service mode is not built yet") : 0;
}

static int
call_capture(void *ctx, const json_t *params, json_t **result, struct jsonrpc_error *e)
{
	const char *command;

	(void)ctx;
	if (jsonrpc_text(params, "command", &command, e) < 0)
		return -1;
	if (strcmp(command, "status") != 0)
		return jsonrpc_fail(e, JSONRPC_FAILED, "captures are not built yet");
	*result = json_array();
	return 0;
}

static int
call_not_built(void *ctx, const json_t *params, json_t **result, struct jsonrpc_error *e)
{
	(void)ctx, (void)params, (void)result;
	return jsonrpc_fail(e, JSONRPC_FAILED, "service mode is not built yet");
}

static const struct jsonrpc_method methods[] = {
	{"get_active_pgids", call_get_active_pgids, RPC_NEEDS_API},
	{"get_pgid_stats", call_get_pgid_stats, RPC_NEEDS_API},
	{"service", call_switch, RPC_NEEDS_API | RPC_NEEDS_OWNER},
	{"set_rx_feature", call_switch, RPC_NEEDS_API},
	{"capture", call_capture, RPC_NEEDS_API},
	{"get_rx_queue_pkts", call_not_built, RPC_NEEDS_API},
	{"push_pkts", call_not_built, RPC_NEEDS_API},
};
const struct rpc_table rpc_rx = {methods, N_ELEMS(methods)};
