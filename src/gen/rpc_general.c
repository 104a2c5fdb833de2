/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <rte_version.h>

#include "base/clock.h"
#include "base/mem.h"
#include "server.h"

/* Methods about the server as a whole. */

static int
call_api_sync_v2(void *ctx, const json_t *params, json_t **result, struct jsonrpc_error *e)
{
	struct server *s = ctx;
	const char *name;
	uint64_t major, minor;

	if (jsonrpc_text(params, "name", &name, e) < 0 ||
	    jsonrpc_u64(params, "major", &major, e) < 0 ||
	    jsonrpc_u64(params, "minor", &minor, e) < 0)
		return -1;
	if (strcmp(name, "STL") != 0)
		return jsonrpc_fail(e, JSONRPC_FAILED,
				    "RPC configuration mismatch - server RPC configuration: 'STL', "
				    "client RPC configuration: '%s'",
				    name);
	if (major < 5)
		return jsonrpc_fail(
			e, JSONRPC_FAILED,
			"RPC version mismatch: a newer client version is required\n(API "
			"type 'STL':  - server: '5.1', client: '%u.%u')",
			(unsigned)major, (unsigned)minor);
	if (major > 5 || minor > 1)
		return jsonrpc_fail(
			e, JSONRPC_FAILED,
			"Version mismatch: your client version is too new to be supported "
			"by the server\n(API type 'STL':  - server: '5.1', client: '%u.%u')",
			(unsigned)major, (unsigned)minor);
	*result = json_pack("{s:s}", "api_h", s->api_h);
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
	for (size_t i = 0; i < rpc_n_general; i++)
		json_array_append_new(*result, json_string(rpc_general[i].name));
	for (size_t i = 0; i < rpc_n_port; i++)
		json_array_append_new(*result, json_string(rpc_port[i].name));
	for (size_t i = 0; i < rpc_n_trial; i++)
		json_array_append_new(*result, json_string(rpc_trial[i].name));
	return 0;
}

static json_t *
port_info(struct server *s, unsigned i)
{
	const struct gen_port *p = &s->worker->ports[i];
	char mac[24];

	snprintf(mac, sizeof(mac), "%02x:%02x:%02x:%02x:%02x:%02x", p->addr[0], p->addr[1],
		 p->addr[2], p->addr[3], p->addr[4], p->addr[5]);
	return json_pack(
		"{s:i, s:s, s:s, s:i, s:s, s:s, s:s, s:{s:[], s:i}, s:b, s:b, s:b, s:b, s:b, "
		"s:b, s:b, s:[], s:[i]}",
		"index", i, "driver", p->port.driver, "pci_addr", "N/A", "numa", -1, "hw_mac", mac,
		"stack", "legacy", "description", p->port.name, "rx", "caps", "counters", 0,
		"is_fc_supported", 0, "is_led_supported", 0, "is_link_supported", 0,
		"is_prom_supported", 0, "is_vxlan_supported", 0, "is_ieee1588_supported", 0,
		"is_virtual", 1, "supp_speeds", "cores", 0);
}

static int
call_get_system_info(void *ctx, const json_t *params, json_t **result, struct jsonrpc_error *e)
{
	struct server *s = ctx;
	char host[256] = "";
	json_t *ports = json_array();

	(void)params, (void)e;
	gethostname(host, sizeof(host) - 1);
	for (unsigned i = 0; i < GEN_PORTS; i++)
		json_array_append_new(ports, port_info(s, i));
	*result =
		json_pack("{s:s, s:s, s:i, s:i, s:s, s:b, s:b, s:i, s:o}", "hostname", host,
			  "uptime", s->started_at, "dp_core_count", 1, "dp_core_count_per_port", 1,
			  "core_type", "", "is_multiqueue_mode", 0, "advanced_per_stream_stats", 0,
			  "port_count", GEN_PORTS, "ports", ports);
	return 0;
}

static int
call_shutdown(void *ctx, const json_t *params, json_t **result, struct jsonrpc_error *e)
{
	struct server *s = ctx;

	(void)params, (void)result, (void)e;
	atomic_store(&s->worker->stop, 1);
	return 0;
}

const struct jsonrpc_method rpc_general[] = {
	{"api_sync_v2", call_api_sync_v2, 0},
	{"get_version", call_get_version, 0},
	{"ping", call_ping, 0},
	{"get_supported_cmds", call_get_supported_cmds, RPC_NEEDS_API},
	{"get_system_info", call_get_system_info, RPC_NEEDS_API},
	{"shutdown", call_shutdown, RPC_NEEDS_API},
};
const size_t rpc_n_general = N_ELEMS(rpc_general);
