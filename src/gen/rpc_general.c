/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_version.h>

#include "base/clock.h"
#include "base/mem.h"
#include "rpc_rx.h"
#include "server.h"

/* Methods about the server as a whole. */

#define API_NAME "STL"
#define API_MAJOR 5
#define API_MINOR 1

/* Is a client of that version one of ours? */
static int
check_version(const char *name, uint64_t major, uint64_t minor, struct jsonrpc_error *e)
{
	if (strcmp(name, API_NAME) != 0)
		return jsonrpc_fail(e, JSONRPC_FAILED,
				    "RPC configuration mismatch - server RPC configuration: "
				    "'" API_NAME "', client RPC configuration: '%s'",
				    name);
	if (major < API_MAJOR)
		return jsonrpc_fail(
			e, JSONRPC_FAILED,
			"RPC version mismatch: a newer client version is required\n(API "
			"type '" API_NAME "':  - server: '%d.%d', client: '%llu.%llu')",
			API_MAJOR, API_MINOR, (unsigned long long)major, (unsigned long long)minor);
	if (major > API_MAJOR || minor > API_MINOR)
		return jsonrpc_fail(
			e, JSONRPC_FAILED,
			"Version mismatch: your client version is too new to be supported by the "
			"server\n(API type '" API_NAME
			"':  - server: '%d.%d', client: '%llu.%llu')",
			API_MAJOR, API_MINOR, (unsigned long long)major, (unsigned long long)minor);
	return 0;
}

static int
call_api_sync_v2(void *ctx, const json_t *params, json_t **result, struct jsonrpc_error *e)
{
	const struct server *s = ctx;
	const char *name;
	uint64_t major, minor;

	if (jsonrpc_text(params, "name", &name, e) < 0 ||
	    jsonrpc_u64(params, "major", &major, e) < 0 ||
	    jsonrpc_u64(params, "minor", &minor, e) < 0 || check_version(name, major, minor, e) < 0)
		return -1;
	*result = json_pack("{s:s}", "api_h", s->api_h);
	return 0;
}

/* What clients of before version 2 say. */
static int
call_api_sync(void *ctx, const json_t *params, json_t **result, struct jsonrpc_error *e)
{
	const struct server *s = ctx;
	const json_t *list = json_object_get(params, "api_vers");
	const json_t *api = json_array_get(list, 0);
	const char *type;
	uint64_t major, minor;

	if (json_array_size(list) != 1)
		return jsonrpc_fail(e, JSONRPC_PARAMS, "'api_vers' should be a list of size 1");
	if (jsonrpc_text(api, "type", &type, e) < 0 || jsonrpc_u64(api, "major", &major, e) < 0 ||
	    jsonrpc_u64(api, "minor", &minor, e) < 0)
		return -1;
	if (strcmp(type, "core") != 0)
		return jsonrpc_fail(e, JSONRPC_PARAMS, "api_vers: unknown type '%s'", type);
	if (check_version(API_NAME, major, minor, e) < 0)
		return -1;
	*result = json_pack("{s:[{s:s, s:s}]}", "api_vers", "type", "core", "api_h", s->api_h);
	return 0;
}

static int
call_get_version(void *ctx, const json_t *params, json_t **result, struct jsonrpc_error *e)
{
	(void)ctx, (void)params, (void)e;
	*result =
		json_pack("{s:s, s:s, s:s, s:s, s:s, s:{s:s, s:s}}", "version", "v3.08",
			  "build_date", "", "build_time", "", "built_by", "nfvchain", "mode", "STL",
			  "x_nfvchain", "version", NFVCHAIN_VERSION, "dpdk", rte_version());
	return 0;
}

static int
call_ping(void *ctx, const json_t *params, json_t **result, struct jsonrpc_error *e)
{
	(void)ctx, (void)params, (void)e;
	*result = json_pack("{s:f}", "ts", (double)clock_now_ns() / 1e9);
	return 0;
}

static int
call_get_supported_cmds(void *ctx, const json_t *params, json_t **result, struct jsonrpc_error *e)
{
	(void)ctx, (void)params, (void)e;
	*result = json_array();
	for (size_t t = 0; t < rpc_n_tables; t++)
		for (size_t i = 0; i < rpc_tables[t]->n; i++)
			json_array_append_new(*result, json_string(rpc_tables[t]->methods[i].name));
	return 0;
}

/* The doorbell wakes the client, which then asks for its events. */
static int
call_publish_now(void *ctx, const json_t *params, json_t **result, struct jsonrpc_error *e)
{
	const struct server *s = ctx;

	(void)params, (void)result, (void)e;
	if (s->zmq != NULL)
		zmq_server_ring(s->zmq);
	return 0;
}

static int
call_get_async_events(void *ctx, const json_t *params, json_t **result, struct jsonrpc_error *e)
{
	struct server *s = ctx;
	uint64_t session;

	if (jsonrpc_u64(params, "session_id", &session, e) < 0)
		return -1;
	if (session > UINT32_MAX)
		return jsonrpc_fail(e, JSONRPC_PARAMS, "parameter 'session_id' must be below 2^32");
	*result = json_pack("{s:o}", "data",
			    events_take(s->events, (uint32_t)session, clock_now_ns()));
	server_watch_ends(s);
	return 0;
}

static json_t *
port_info(const struct server *s, unsigned i)
{
	const struct gen_port *p = &s->worker->ports[i];
	json_t *info = json_pack(
		"{s:i, s:s, s:s, s:i, s:o, s:s, s:s, s:b, s:b, s:b, s:b, s:b, s:b, s:b, s:[], "
		"s:[i]}",
		"index", (int)i, "driver", p->port.driver, "pci_addr", "N/A", "numa", -1, "hw_mac",
		server_mac_json(p->addr), "stack", "legacy", "description", p->port.name,
		"is_fc_supported", 0, "is_led_supported", 0, "is_link_supported", 0,
		"is_prom_supported", (int)s->can_promiscuous[i], "is_vxlan_supported", 0,
		"is_ieee1588_supported", 0, "is_virtual", 1, "supp_speeds", "cores", 0);

	rpc_rx_describe(s, i, info);
	return info;
}

/* The processor's name, as TRex tells it. */
static void
read_cpu_name(char *name, size_t size)
{
	FILE *f = fopen("/proc/cpuinfo", "re");
	char line[256];

	snprintf(name, size, "unknown");
	while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
		char *colon = strchr(line, ':');

		if (strncmp(line, "model name", strlen("model name")) != 0 || colon == NULL)
			continue;
		line[strcspn(line, "\n")] = '\0';
		snprintf(name, size, "%s", colon + 1 + strspn(colon + 1, " "));
		break;
	}
	if (f != NULL)
		fclose(f);
}

static int
call_get_system_info(void *ctx, const json_t *params, json_t **result, struct jsonrpc_error *e)
{
	const struct server *s = ctx;
	char host[256] = "", cpu[128];
	json_t *ports = json_array();

	(void)params, (void)e;
	gethostname(host, sizeof(host) - 1);
	read_cpu_name(cpu, sizeof(cpu));
	for (unsigned i = 0; i < GEN_PORTS; i++)
		json_array_append_new(ports, port_info(s, i));
	*result =
		json_pack("{s:s, s:s, s:i, s:i, s:s, s:b, s:b, s:i, s:o}", "hostname", host,
			  "uptime", s->started_at, "dp_core_count", 1, "dp_core_count_per_port", 1,
			  "core_type", cpu, "is_multiqueue_mode", 0, "advanced_per_stream_stats", 1,
			  "port_count", GEN_PORTS, "ports", ports);
	return 0;
}

static int
call_shutdown(void *ctx, const json_t *params, json_t **result, struct jsonrpc_error *e)
{
	struct server *s = ctx;
	const char *user;
	char cause[SERVER_MAX_USER + 64];
	bool force;

	(void)result;
	if (jsonrpc_text(params, "user", &user, e) < 0 ||
	    jsonrpc_bool(params, "force", &force, e) < 0)
		return -1;
	for (unsigned i = 0; !force && i < GEN_PORTS; i++)
		if (s->ports[i].owner != NULL && strcmp(s->ports[i].owner, user) != 0)
			return jsonrpc_fail(e, JSONRPC_FAILED,
					    "port %u is owned by '%s' - specify 'force' for "
					    "override",
					    i, s->ports[i].owner);
	snprintf(cause, sizeof(cause), "server has been shut down by '%.*s'", SERVER_MAX_USER,
		 user);
	server_stop(s, cause);
	return 0;
}

static const struct jsonrpc_method methods[] = {
	{"api_sync", call_api_sync, 0},
	{"api_sync_v2", call_api_sync_v2, 0},
	{"get_version", call_get_version, 0},
	{"ping", call_ping, 0},
	{"get_supported_cmds", call_get_supported_cmds, RPC_NEEDS_API},
	{"get_system_info", call_get_system_info, RPC_NEEDS_API},
	{"publish_now", call_publish_now, RPC_NEEDS_API},
	{"get_async_events", call_get_async_events, RPC_NEEDS_API},
	{"shutdown", call_shutdown, RPC_NEEDS_API},
};
const struct rpc_table rpc_general = {methods, N_ELEMS(methods)};
