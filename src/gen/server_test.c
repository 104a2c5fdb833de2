/* SPDX-License-Identifier: MIT */
#include "server_calls.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/assert_near.h"
#include "base/json.h"
#include "base/mem.h"
#include "trex_cfg.h"

static void
handles_are_checked(void **state)
{
	struct server_rig *r = *state;

	calls_refused(
		r, "get_system_info", "{\"api_h\":\"x\"}", -32000,
		"API verification failed - API handler provided mismatch for class: 'common'");
	calls_refused(r, "get_system_info", "{\"api_h\":7}", -32602,
		      "parameter 'api_h' must be a string but is an integer");
	calls_refused(r, "get_port_stats", "{\"port_id\":2}", -32000,
		      "invalid port id - should be: 0 1");
	calls_refused(r, "get_port_stats", "{\"port_id\":\"0\"}", -32602,
		      "parameter 'port_id' must be an integer from 0 to 2^64 - 1 but is a string");
	calls_refused(r, "stop_traffic", "{\"port_id\":0,\"handler\":\"\"}", -32000,
		      "please acquire the port before modifying port state");
	calls_acquire(r, 0);
	calls_refused(r, "stop_traffic", "{\"port_id\":0,\"handler\":\"\"}", -32000,
		      "port is not owned by you or your current executing session");
	calls_ok(r, "stop_traffic", "{\"port_id\":0}");
	calls_refused(r, "stop_traffic", "{\"port_id\":0,\"profile_id\":5}", -32602,
		      "parameter 'profile_id' must be a string but is an integer");
}

static void
versions_are_compared(void **state)
{
	struct server_rig *r = *state;

	calls_refused(r, "api_sync_v2", "{\"name\":\"ASTF\",\"major\":5,\"minor\":1}", -32000,
		      "RPC configuration mismatch - server RPC configuration: 'STL', client RPC "
		      "configuration: 'ASTF'");
	calls_refused(
		r, "api_sync_v2", "{\"name\":\"STL\",\"major\":4,\"minor\":0}", -32000,
		"RPC version mismatch: a newer client version is required\n(API type 'STL':  - "
		"server: '5.1', client: '4.0')");
	calls_refused(
		r, "api_sync_v2", "{\"name\":\"STL\",\"major\":5,\"minor\":9}", -32000,
		"Version mismatch: your client version is too new to be supported by the server\n"
		"(API type 'STL':  - server: '5.1', client: '5.9')");
	calls_ok(r, "api_sync_v2", "{\"name\":\"STL\",\"major\":5,\"minor\":0}");
	calls_ok(r, "api_sync", "{\"api_vers\":[{\"type\":\"core\",\"major\":5,\"minor\":1}]}");
}

static void
a_port_has_one_owner(void **state)
{
	struct server_rig *r = *state;
	char first[9];
	json_t *o;

	o = calls_result(r, "get_owner", "{\"port_id\":0}");
	assert_string_equal(json_string_value(json_object_get(o, "owner")), "<FREE>");
	json_decref(o);
	calls_acquire(r, 0);
	memcpy(first, r->server.ports[0].handler, sizeof(first));
	calls_acquire(r, 0);
	assert_string_equal(r->server.ports[0].handler, first);
	calls_refused(r, "acquire",
		      "{\"port_id\":0,\"user\":\"bob\",\"session_id\":7,\"force\":false}", -32000,
		      "port is already taken by 'ann'");
	calls_refused(r, "acquire",
		      "{\"port_id\":0,\"user\":\"ann\",\"session_id\":8,\"force\":false}", -32000,
		      "port is already owned by another session of 'ann'");
	calls_ok(r, "acquire", "{\"port_id\":0,\"user\":\"bob\",\"session_id\":8,\"force\":true}");
	assert_string_not_equal(r->server.ports[0].handler, first);
	calls_ok(r, "release", "{\"port_id\":0}");
	calls_refused(r, "release", "{\"port_id\":0}", -32000,
		      "please acquire the port before modifying port state");
}

static void
who_takes_a_port_is_told_to_all(void **state)
{
	struct server_rig *r = *state;
	json_t *result;
	struct err err = {0};
	bool force;

	assert_string_equal(calls_events(r), "");
	calls_acquire(r, 0);
	result = calls_result(r, "get_async_events", "{\"session_id\":7}");
	/* Taking a free port by force is taking a free port. */
	assert_int_equal(json_get_bool(result, "data[0].data.force", &force, &err), 0);
	assert_false(force);
	json_decref(result);
	calls_ok(r, "acquire", "{\"port_id\":0,\"user\":\"bob\",\"session_id\":8,\"force\":true}");
	result = calls_result(r, "get_async_events", "{\"session_id\":7}");
	assert_int_equal(json_get_bool(result, "data[0].data.force", &force, &err), 0);
	assert_true(force);
	json_decref(result);
	calls_ok(r, "release", "{\"port_id\":0}");
	assert_string_equal(calls_events(r), "6 ");
}

static void
addresses_are_kept(void **state)
{
	struct server_rig *r = *state;
	json_t *s;

	calls_ok(r, "set_l2", "{\"port_id\":0,\"dst_mac\":\"02:00:00:00:00:77\"}");
	s = calls_result(r, "get_port_status", "{\"port_id\":0}");
	assert_string_equal(json_string_value(json_at(s, "attr.layer_cfg.ether.dst")),
			    "02:00:00:00:00:77");
	json_decref(s);
	calls_ok(r, "set_l3", "{\"port_id\":0,\"src_addr\":\"1.1.1.1\",\"dst_addr\":\"1.1.1.2\"}");
	s = calls_result(r, "get_port_status", "{\"port_id\":0}");
	assert_string_equal(json_string_value(json_at(s, "attr.layer_cfg.ether.state")),
			    "unconfigured");
	assert_string_equal(json_string_value(json_at(s, "attr.layer_cfg.ipv4.state")),
			    "unresolved");
	assert_null(json_object_get(s, "state_profile"));
	json_decref(s);
	calls_ok(r, "set_l3",
		 "{\"port_id\":0,\"src_addr\":\"1.1.1.1\",\"dst_addr\":\"1.1.1.2\","
		 "\"resolved_mac\":\"02:00:00:00:00:78\"}");
	calls_ok(r, "set_vlan", "{\"port_id\":0,\"vlan\":[3,4095]}");
	calls_ok(r, "conf_ipv6", "{\"port_id\":0,\"enabled\":true,\"src_ipv6\":\"2001:db8::1\"}");
	s = calls_result(r, "get_port_status", "{\"port_id\":0}");
	assert_string_equal(json_string_value(json_at(s, "attr.layer_cfg.ipv4.state")), "resolved");
	assert_string_equal(json_string_value(json_at(s, "attr.layer_cfg.ether.dst")),
			    "02:00:00:00:00:78");
	assert_int_equal(json_integer_value(json_at(s, "attr.vlan.tags[1]")), 4095);
	assert_string_equal(json_string_value(json_at(s, "attr.layer_cfg.ipv6.src")),
			    "2001:db8::1");
	json_decref(s);
}

/* A server that starts with TRex's configuration, as generator.c opens its ports with it. */
static void
configure(struct server_rig *r, const char *port_info)
{
	char *text = xasprintf("- version: 2\n  interfaces: [a, b]\n  port_info:\n%s", port_info);
	struct err err = {0};

	server_fini(&r->server);
	if (trex_cfg_parse("cfg", text, strlen(text), &r->conf, &r->conf.eal, &err) < 0)
		fail_msg("%s", err.msg);
	for (unsigned i = 0; i < GEN_PORTS; i++) {
		struct gen_port *p = &r->worker.ports[i];

		if (r->conf.addr[i].set)
			memcpy(p->addr, r->conf.addr[i].mac, 6);
		memset(p->dest, 0xff, 6);
		if (r->conf.dest[i].set)
			memcpy(p->dest, r->conf.dest[i].mac, 6);
	}
	server_init(&r->server, &r->conf, &r->worker);
	free(text);
}

static void
assert_status(struct server_rig *r, int port, const char *path, const char *want)
{
	char params[32], *got;
	json_t *status;

	snprintf(params, sizeof(params), "{\"port_id\":%d}", port);
	status = calls_result(r, "get_port_status", params);
	got = json_dumps(json_at(status, path), JSON_COMPACT | JSON_ENCODE_ANY | JSON_SORT_KEYS);
	assert_non_null(got);
	assert_string_equal(got, want);
	free(got);
	json_decref(status);
}

/* TRex's configuration makes a port one of L3 if it has an address and a gateway, resolved if the
 * gateway's MAC address is there too; else one of L2. */
static void
addresses_of_the_configuration_are_told(void **state)
{
	struct server_rig *r = *state;

	configure(r, "    - {src_mac: '02:00:00:00:01:01', dest_mac: '02:00:00:00:01:02'}\n"
		     "    - {ip: 10.0.0.1, default_gw: 10.0.0.2, vlan: 100}\n");
	assert_status(r, 0, "attr.layer_cfg.ether",
		      "{\"dst\":\"02:00:00:00:01:02\",\"src\":\"02:00:00:00:01:01\","
		      "\"state\":\"configured\"}");
	assert_status(r, 0, "attr.layer_cfg.ipv4", "{\"state\":\"none\"}");
	assert_status(r, 0, "attr.vlan", "{\"tags\":[]}");
	assert_status(r, 1, "attr.layer_cfg.ether.state", "\"unconfigured\"");
	assert_status(r, 1, "attr.layer_cfg.ipv4",
		      "{\"dst\":\"10.0.0.2\",\"src\":\"10.0.0.1\",\"state\":\"unresolved\"}");
	assert_status(r, 1, "attr.vlan", "{\"tags\":[100]}");
	configure(r, "    - {}\n"
		     "    - {ip: 10.0.0.1, default_gw: 10.0.0.2, dest_mac: [2, 0, 0, 0, 1, 3]}\n");
	assert_status(r, 1, "attr.layer_cfg.ether.dst", "\"02:00:00:00:01:03\"");
	assert_status(r, 1, "attr.layer_cfg.ether.state", "\"configured\"");
	assert_status(r, 1, "attr.layer_cfg.ipv4.state", "\"resolved\"");
	/* And the client's word is later than the configuration's. */
	calls_ok(r, "set_l2", "{\"port_id\":1,\"dst_mac\":\"02:00:00:00:01:04\"}");
	assert_status(r, 1, "attr.layer_cfg.ipv4", "{\"state\":\"none\"}");
	assert_status(r, 1, "attr.layer_cfg.ether.dst", "\"02:00:00:00:01:04\"");
}

static void
bad_addresses_are_refused(void **state)
{
	struct server_rig *r = *state;

	calls_refused(r, "set_l2", "{\"port_id\":0,\"dst_mac\":\"02:00\"}", -32602,
		      "'invalid MAC address: '02:00'");
	calls_refused(r, "set_l3",
		      "{\"port_id\":0,\"src_addr\":\"1.1.1\",\"dst_addr\":\"1.1.1.2\"}", -32602,
		      "invalid source IPv4 address: '1.1.1'");
	calls_refused(r, "set_l3", "{\"port_id\":0,\"src_addr\":\"1.1.1.1\",\"dst_addr\":\"\"}",
		      -32602, "invalid destination IPv4 address: ''");
	calls_refused(r, "set_vlan", "{\"port_id\":0,\"vlan\":[1,2,3]}", -32602,
		      "Maximal number of stacked VLANs is 2, got: 3");
	calls_refused(r, "set_vlan", "{\"port_id\":0,\"vlan\":[4096]}", -32602,
		      "invalid VLAN tag: '4096'");
	calls_refused(r, "conf_ipv6", "{\"port_id\":0,\"enabled\":true,\"src_ipv6\":\"1.2.3.4\"}",
		      -32602, "invalid source IPv6 address: '1.2.3.4'");
	calls_refused(r, "set_port_attr",
		      "{\"port_id\":0,\"attr\":{\"link_status\":{\"up\":false}}}", -32000,
		      "Error applying link_status: operation is not supported for this NIC.");
	calls_refused(r, "set_port_attr", "{\"port_id\":0,\"attr\":{\"x\":1}}", -32000,
		      "unknown attribute type: 'x'");
	calls_refused(r, "get_async_results", "{\"ticket_id\":5}", -32003, "there is no task 5");
}

static void
rates_follow_the_counters(void **state)
{
	struct server_rig *r = *state;
	struct gen_port *g = &r->worker.ports[0];
	struct err err = {0};
	json_t *s;
	double x;

	server_update_rates(&r->server, 1000000000);
	counter_add(&g->opackets, 1000);
	counter_add(&g->obytes, 64000);
	counter_add(&r->worker.busy_ns, 100000000);
	server_update_rates(&r->server, 1500000000);
	s = calls_result(r, "get_port_stats", "{\"port_id\":0}");
	assert_int_equal(json_get_double(s, "m_total_tx_pps", &x, &err), 0);
	assert_near(x, 1000, 1e-6);
	json_decref(s);
	s = calls_result(r, "get_global_stats", "{}");
	assert_int_equal(json_get_double(s, "m_tx_bps", &x, &err), 0);
	assert_near(x, 512000, 1e-6);
	assert_int_equal(json_get_double(s, "m_rx_drop_bps", &x, &err), 0);
	assert_near(x, 512000, 1e-6);
	assert_int_equal(json_get_double(s, "m_total_tx_bytes", &x, &err), 0);
	assert_near(x, 64000, 0);
	assert_int_equal(json_get_double(s, "m_cpu_util", &x, &err), 0);
	assert_near(x, 10, 1e-6);
	json_decref(s);
	s = calls_result(r, "get_utilization", "{}");
	assert_int_equal(json_integer_value(json_at(s, "cpu[0].history[0]")), 20);
	assert_int_equal(json_array_size(json_at(s, "cpu[0].history")), 20);
	json_decref(s);
}

static void
shutting_down_asks_the_owners(void **state)
{
	struct server_rig *r = *state;

	calls_acquire(r, 0);
	calls_events(r);
	calls_refused(r, "shutdown", "{\"user\":\"bob\",\"force\":false}", -32000,
		      "port 0 is owned by 'ann' - specify 'force' for override");
	assert_int_equal(atomic_load(&r->worker.stop), 0);
	calls_ok(r, "shutdown", "{\"user\":\"bob\",\"force\":true}");
	assert_int_equal(atomic_load(&r->worker.stop), 1);
	assert_string_equal(calls_events(r), "100 ");
}

static void
tagged_packet_groups_are_off(void **state)
{
	struct server_rig *r = *state;
	json_t *s = calls_result(r, "get_tpg_status", "{\"username\":\"ann\"}");

	assert_true(json_is_false(json_object_get(s, "enabled")));
	json_decref(s);
	calls_refused(r, "get_tpg_status", "{}", -32000,
		      "Should provide at least one between port_id and username to get TPG status");
}

/* As vhost-user ports before their peers are there: the lists have to go together for as long as a
 * client is connected. */
static void
devices_that_name_no_statistics_have_those_of_every_device(void **state)
{
	struct server_rig *r = *state;
	json_t *names = calls_result(r, "get_port_xstats_names", "{\"port_id\":0}");
	json_t *values = calls_result(r, "get_port_xstats_values", "{\"port_id\":1}");
	const json_t *list = json_object_get(names, "xstats_names");

	assert_int_equal(json_array_size(list), 8);
	assert_string_equal(json_string_value(json_array_get(list, 1)), "tx_good_packets");
	assert_int_equal(json_array_size(json_object_get(values, "xstats_values")), 8);
	json_decref(names);
	json_decref(values);
}

/* What TRex's client cannot do without, and what its users do every day. */
static const char *const needed[] = {
	"api_sync_v2",
	"get_version",
	"ping",
	"get_supported_cmds",
	"get_system_info",
	"get_port_status",
	"publish_now",
	"get_async_events",
	"get_global_stats",
	"get_port_stats",
	"get_utilization",
	"get_port_xstats_names",
	"get_active_pgids",
	"get_port_xstats_values",
	"get_pgid_stats",
	"get_tpg_status",
	"acquire",
	"release",
	"add_stream",
	"remove_stream",
	"start_traffic",
	"remove_all_streams",
	"stop_traffic",
	"update_traffic",
	"pause_traffic",
	"resume_traffic",
	"validate",
	"remove_rx_filters",
	"get_profile_list",
	"get_stream_list",
	"get_stream",
	"get_all_streams",
	"set_port_attr",
	"service",
	"set_rx_feature",
	"get_rx_queue_pkts",
	"push_pkts",
	"capture",
	"set_l2",
	"set_l3",
	"set_vlan",
	"conf_ipv6",
	"get_async_results",
	"cancel_async_task",
};

static void
all_that_clients_need_is_there(void **state)
{
	struct server_rig *r = *state;
	json_t *list = calls_result(r, "get_supported_cmds", "{}"), *name;
	size_t i;

	for (size_t k = 0; k < N_ELEMS(needed); k++) {
		bool found = false;

		json_array_foreach(list, i, name)
			found |= strcmp(json_string_value(name), needed[k]) == 0;
		if (!found)
			fail_msg("%s is not there", needed[k]);
	}
	json_decref(list);
}

static void
every_method_is_named_once(void **state)
{
	struct server_rig *r = *state;
	json_t *list = calls_result(r, "get_supported_cmds", "{}");
	const size_t n = json_array_size(list);

	assert_int_equal(n, r->server.rpc.n_methods);
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < i; k++)
			assert_false(json_equal(json_array_get(list, i), json_array_get(list, k)));
	json_decref(list);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, calls_init, calls_fini)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(handles_are_checked),
		TEST(versions_are_compared),
		TEST(a_port_has_one_owner),
		TEST(who_takes_a_port_is_told_to_all),
		TEST(addresses_are_kept),
		TEST(addresses_of_the_configuration_are_told),
		TEST(bad_addresses_are_refused),
		TEST(rates_follow_the_counters),
		TEST(shutting_down_asks_the_owners),
		TEST(tagged_packet_groups_are_off),
		TEST(devices_that_name_no_statistics_have_those_of_every_device),
		TEST(every_method_is_named_once),
		TEST(all_that_clients_need_is_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
