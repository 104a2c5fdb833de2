/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "trex_cfg.h"
#include "trex_line.h"

/* The settings that a configuration makes, and EAL's words in one text. */
struct got {
	struct gen_conf conf;
	char eal[512];
	struct err err;
	int rc;
};

static struct got
parse(const char *text)
{
	struct got g = {.rc = 0};

	gen_conf_init(&g.conf);
	g.rc = trex_cfg_parse("cfg", text, strlen(text), &g.conf, &g.conf.eal, &g.err);
	for (size_t i = 0; i < g.conf.eal.n; i++) {
		strncat(g.eal, i > 0 ? " " : "", sizeof(g.eal) - strlen(g.eal) - 1);
		strncat(g.eal, g.conf.eal.items[i], sizeof(g.eal) - strlen(g.eal) - 1);
	}
	return g;
}

static void
assert_eal(const char *text, const char *eal)
{
	struct got g = parse(text);

	if (g.rc != 0)
		print_error("%s\n", g.err.msg);
	assert_int_equal(g.rc, 0);
	assert_string_equal(g.eal, eal);
	gen_conf_fini(&g.conf);
}

static void
assert_refused(const char *text, const char *part)
{
	struct got g = parse(text);

	assert_true(g.rc < 0);
	if (strstr(g.err.msg, part) == NULL)
		print_error("'%s' is not in: %s\n", part, g.err.msg);
	assert_non_null(strstr(g.err.msg, part));
	gen_conf_fini(&g.conf);
}

static void
interfaces_of_each_form(void **state)
{
	(void)state;
	assert_eal("- version: 2\n  port_limit: 2\n  interfaces: ['03:00.0', '0000:03:00.1']\n",
		   "-a 0000:03:00.0 -a 0000:03:00.1");
	assert_eal("- version: 2\n  port_limit: 2\n  interfaces: ['82:00.0/1', '82:00.0/2']\n",
		   "-a 0000:82:00.0");
	assert_eal("- version: 2\n  port_limit: 2\n  interfaces: [veth0, dummy]\n",
		   "--vdev=net_af_packet0,iface=veth0 --vdev=net_null1");
	assert_eal("- port_limit: 2\n  interfaces: ['--vdev=net_memif0,role=server', "
		   "'--vdev=net_memif1,role=client']\n",
		   "--vdev=net_memif0,role=server --vdev=net_memif1,role=client");
	/* Not a list, as some have it. */
	assert_eal("version: 2\nport_limit: 2\ninterfaces: [a, b]\n",
		   "--vdev=net_af_packet0,iface=a --vdev=net_af_packet1,iface=b");
}

static void
assert_devices(const char *interfaces, const char *first, unsigned first_nth, const char *second,
	       unsigned second_nth)
{
	char text[256];
	struct got g;

	snprintf(text, sizeof(text), "- version: 2\n  interfaces: [%s]\n", interfaces);
	g = parse(text);
	assert_int_equal(g.rc, 0);
	assert_string_equal(g.conf.device[0].name, first);
	assert_int_equal(g.conf.device[0].nth, first_nth);
	assert_string_equal(g.conf.device[1].name, second);
	assert_int_equal(g.conf.device[1].nth, second_nth);
	gen_conf_fini(&g.conf);
}

/* EAL has an order of its own. */
static void
ports_are_in_the_files_order(void **state)
{
	(void)state;
	assert_devices("'03:00.1', '0000:03:00.0'", "0000:03:00.1", 0, "0000:03:00.0", 0);
	assert_devices("'82:00.0/0', '82:00.0/1'", "0000:82:00.0", 0, "0000:82:00.0", 1);
	assert_devices("'82:00.0/1', '82:00.0/0'", "0000:82:00.0", 1, "0000:82:00.0", 0);
	assert_devices("'82:00.0/1', '82:00.0/2'", "0000:82:00.0", 0, "0000:82:00.0", 1);
	assert_devices("'82:00.0', '82:00.0'", "0000:82:00.0", 0, "0000:82:00.0", 1);
	assert_devices("b, a", "net_af_packet0", 0, "net_af_packet1", 0);
	assert_devices("dummy, '--vdev=net_memif7,id=0'", "net_null0", 0, "net_memif7", 0);
}

static void
ports_have_addresses(void **state)
{
	static const uint8_t mac[6] = {2, 0, 0, 0, 0, 0x10};
	struct got g = parse("- port_limit: 2\n"
			     "  version: 2\n"
			     "  interfaces: [a, b]\n"
			     "  port_info:\n"
			     "    - dest_mac: [2, 0, 0, 0, 0, 0x10]\n"
			     "      src_mac: '02:00:00:00:00:10'\n"
			     "    - ip: 10.0.0.1\n"
			     "      default_gw: 10.0.0.2\n"
			     "      vlan: 100\n");

	(void)state;
	assert_int_equal(g.rc, 0);
	assert_true(g.conf.dest[0].set && g.conf.addr[0].set);
	assert_memory_equal(g.conf.dest[0].mac, mac, 6);
	assert_memory_equal(g.conf.addr[0].mac, mac, 6);
	assert_false(g.conf.dest[1].set);
	assert_memory_equal(&g.conf.l3[1].ip, "\x0a\0\0\1", 4);
	assert_memory_equal(&g.conf.l3[1].gateway, "\x0a\0\0\2", 4);
	assert_int_equal(g.conf.l3[1].vlan, 100);
	gen_conf_fini(&g.conf);
}

static void
sizes_threads_and_endpoints(void **state)
{
	struct got g = parse("- port_limit: 2\n"
			     "  version: 2\n"
			     "  low_end: true\n"
			     "  low_end_core: 1\n"
			     "  interfaces: [a, b]\n"
			     "  zmq_rpc_port: 14501\n"
			     "  enable_zmq_pub: false\n"
			     "  prefix: t1\n"
			     "  limit_memory: 400\n"
			     "  c: 4\n"
			     "  rx_desc: 512\n"
			     "  tx_desc: 2048\n"
			     "  port_speed: 40000\n"
			     "  port_mtu: 9000\n"
			     "  memory: {mbuf_64: 1000, dp_flows: 1}\n"
			     "  ext_dpdk_opt: ['--log-level=8']\n");

	(void)state;
	assert_int_equal(g.rc, 0);
	assert_string_equal(g.eal, "--vdev=net_af_packet0,iface=a --vdev=net_af_packet1,iface=b "
				   "--lcores=0@1 --file-prefix=t1 -m 400 --log-level=8");
	assert_string_equal(g.conf.rpc, "tcp://127.0.0.1:14501");
	assert_string_equal(g.conf.pub, "none");
	assert_int_equal(g.conf.rxd, 512);
	assert_int_equal(g.conf.txd, 2048);
	assert_int_equal(g.conf.speed_bps, 40000000000ull);
	assert_int_equal(g.conf.max_frame, 9018);
	gen_conf_fini(&g.conf);
}

static void
the_thread_of_a_platform(void **state)
{
	(void)state;
	assert_eal("- port_limit: 2\n"
		   "  interfaces: [a, b]\n"
		   "  platform:\n"
		   "    master_thread_id: 0\n"
		   "    latency_thread_id: 1\n"
		   "    dual_if: [{socket: 0, threads: [2, 3]}]\n",
		   "--vdev=net_af_packet0,iface=a --vdev=net_af_packet1,iface=b --lcores=0@2");
}

static void
what_cannot_be_is_refused(void **state)
{
	(void)state;
	assert_refused("- port_limit: 4\n  interfaces: [a, b, c, d]\n", "two ports, not 4");
	assert_refused("- port_limit: 2\n  interfaces: [a]\n", "two ports, not 1");
	assert_refused("- port_limit: 2\n", "'interfaces' must be a list");
	assert_refused("- port_limit: 2\n  interfaces: ['03:00.0', veth0]\n", "cannot be mixed");
	assert_refused("- port_limit: 2\n  interfaces: ['a,b=c', veth0]\n", "no interface name");
	assert_refused("- port_limit: 2\n  interfaces: [a-name-too-long-for-linux, b]\n",
		       "no interface name");
	assert_refused("- port_limit: 2\n  interfaces: [a, b]\n  port_info: [{mpls: {}}]\n",
		       "MPLS");
	assert_refused("- port_limit: 2\n  interfaces: [a, b]\n  port_info: [{ip: 1.2.3}]\n",
		       "no IPv4 address");
	assert_refused("- port_limit: 2\n  interfaces: [a, b]\n  port_info: [{ip: 1.2.3.4}]\n",
		       "go together");
	assert_refused("- port_limit: 2\n  interfaces: [a, b]\n  port_info: [{dest_mac: [1, 2]}]\n",
		       "six bytes");
	assert_refused("- port_limit: 2\n  interfaces: [a, b]\n  prefx: x\n", "prefix");
	assert_refused("- port_limit: 2\n  interfaces: [a, b]\n  zmq_rpc_port: 70000\n", "65535");
	assert_refused("just text\n", "no list of TRex configurations");
	assert_refused("[]\n", "no list of TRex configurations");
}

/* A line of TRex that must be refused, with 'part' in the reason. */
static void
assert_line_refused(const char *words, const char *part)
{
	char *copy = xstrdup(words), *save = NULL, *argv[16];
	struct gen_conf conf;
	struct err err = {0};
	int argc = 0;

	for (char *w = strtok_r(copy, " ", &save); w != NULL; w = strtok_r(NULL, " ", &save))
		argv[argc++] = w;
	gen_conf_init(&conf);
	assert_true(trex_line_parse(&conf, argc, argv, &err) < 0);
	if (strstr(err.msg, part) == NULL)
		print_error("'%s' is not in: %s\n", part, err.msg);
	assert_non_null(strstr(err.msg, part));
	gen_conf_fini(&conf);
	free(copy);
}

static void
lines_of_trex(void **state)
{
	(void)state;
	assert_true(trex_line_is("./t-rex-64") && trex_line_is("/opt/_t-rex-64"));
	assert_false(trex_line_is("nfvchain-gen"));
	assert_line_refused("t-rex-64 -f cap2/dns.yaml", "-f is of a mode that is not built");
	assert_line_refused("t-rex-64 --no-key", "without -i");
	assert_line_refused("t-rex-64 -i --no-watchdo", "'--no-watchdog'?");
	assert_line_refused("t-rex-64 -i --cfg", "--cfg needs a value");
	assert_line_refused("t-rex-64 -i --limit-ports 4", "two ports");
	assert_line_refused("t-rex-64 -i --cfg /nonexistent.yaml", "/nonexistent.yaml");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(interfaces_of_each_form),
		cmocka_unit_test(ports_are_in_the_files_order),
		cmocka_unit_test(ports_have_addresses),
		cmocka_unit_test(sizes_threads_and_endpoints),
		cmocka_unit_test(the_thread_of_a_platform),
		cmocka_unit_test(what_cannot_be_is_refused),
		cmocka_unit_test(lines_of_trex),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
