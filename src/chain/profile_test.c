/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/base64.h"
#include "base/json.h"
#include "base/mem.h"
#include "pkt/cksum.h"
#include "pkt/frame.h"
#include "profile.h"

#define FRAME "{size: 64, ipv4: {src: 16.0.0.1, dst: 48.0.0.1}, udp: {src: 1025, dst: 12}}"

static struct profile *
parse(const char *text, const char *setting)
{
	struct opt_list settings = {0};
	struct profile *p = NULL;
	struct err err = {0};

	if (setting != NULL)
		opt_set_list(&settings, setting, &err);
	if (profile_parse(&p, "p.yaml", text, strlen(text), PROFILES, &settings, &err) < 0)
		fail_msg("%s", err.msg);
	opt_list_fini(&settings);
	return p;
}

/* A profile of one stream with these settings. */
static struct profile *
parse_stream(const char *rest)
{
	char *text = xasprintf("version: 1\nstreams:\n  - {name: a, frame: " FRAME ", %s}\n", rest);
	struct profile *p = parse(text, NULL);

	free(text);
	return p;
}

/* What 'path' has in stream 'i', as text without blanks. */
static void
assert_at(const struct profile *p, size_t i, const char *path, const char *want)
{
	const json_t *at = json_at(p->streams[i].object, path);
	char *got = json_dumps(at, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(9));

	assert_non_null(got);
	assert_string_equal(got, want);
	free(got);
}

static void
a_stream_is_as_trex_has_it(void **state)
{
	struct profile *p = parse_stream("rate: 100mbps, delay: 10us");
	const char *text;
	uint8_t frame[64];

	(void)state;
	assert_int_equal(p->n_streams, 1);
	assert_at(p, 0, "mode",
		  "{\"type\":\"continuous\",\"rate\":{\"type\":\"bps_L2\",\"value\":100000000.0}}");
	assert_at(p, 0, "flags", "0");
	assert_at(p, 0, "isg", "10.0");
	assert_at(p, 0, "self_start", "true");
	assert_at(p, 0, "next_stream_id", "-1");
	assert_at(p, 0, "flow_stats", "{\"enabled\":false}");
	text = json_string_value(json_at(p->streams[0].object, "packet.binary"));
	assert_int_equal(base64_decode(text, frame, sizeof(frame)), 60);
	assert_memory_equal(frame, "\0\0\0\1\0\0\0\0\0\2\0\0\x08\0\x45\0\0\x2e", 18);
	assert_memory_equal(frame + 26, "\x10\0\0\1\x30\0\0\1\x04\x01\0\x0c\0\x1a\0\0", 16);
	assert_int_equal(cksum_finish(cksum_add(0, frame + 14, 20)), 0);
	profile_close(p);
}

static void
modes(void **state)
{
	struct profile *p = parse_stream("rate: 5kpps, burst: 7");

	(void)state;
	assert_at(p, 0, "mode",
		  "{\"type\":\"single_burst\",\"rate\":{\"type\":\"pps\",\"value\":5000.0},"
		  "\"total_pkts\":7}");
	profile_close(p);
	p = parse_stream("rate: 10%, bursts: {count: 3, frames: 4, gap: 100ms}");
	assert_at(p, 0, "mode.type", "\"multi_burst\"");
	assert_at(p, 0, "mode.rate", "{\"type\":\"percentage\",\"value\":10.0}");
	assert_at(p, 0, "mode.ibg", "100000.0");
	assert_at(p, 0, "mode.pkts_per_burst", "4");
	assert_at(p, 0, "mode.count", "3");
	profile_close(p);
}

static void
statistics_and_addresses(void **state)
{
	struct profile *p = parse_stream("latency: 12");

	(void)state;
	assert_at(p, 0, "flow_stats",
		  "{\"enabled\":true,\"stream_id\":12,\"rule_type\":\"latency\","
		  "\"vxlan\":false}");
	profile_close(p);
	p = parse("version: 1\nstreams:\n  - frame: {eth: {src: '02:00:00:00:00:07', dst: "
		  "'02:00:00:00:00:08'}}\n    dummy: yes\n",
		  NULL);
	assert_at(p, 0, "flags", "11");
	profile_close(p);
}

static void
streams_follow_each_other(void **state)
{
	struct profile *p = parse("version: 1\n"
				  "streams:\n"
				  "  - {name: a, frame: " FRAME ", burst: 2, then: b}\n"
				  "  - {name: b, frame: " FRAME ", burst: 1, waits: yes, times: 2, "
				  "then: a}\n",
				  NULL);

	(void)state;
	assert_at(p, 0, "next_stream_id", "2");
	assert_at(p, 1, "next_stream_id", "1");
	assert_at(p, 1, "self_start", "false");
	assert_at(p, 1, "action_count", "2");
	profile_close(p);
}

static void
fields_become_instructions(void **state)
{
	struct profile *p = parse_stream("vary: [{field: ipv4.src, from: 16.0.0.1, to: 16.0.0.9}]");

	(void)state;
	assert_at(p, 0, "vm.instructions",
		  "[{\"type\":\"flow_var\",\"name\":\"v0\",\"size\":4,\"op\":\"inc\",\"step\":1,"
		  "\"init_value\":268435457,\"min_value\":268435457,\"max_value\":268435465},"
		  "{\"type\":\"write_flow_var\",\"name\":\"v0\",\"pkt_offset\":26,\"add_value\":0,"
		  "\"is_big_endian\":true},"
		  "{\"type\":\"fix_checksum_ipv4\",\"pkt_offset\":14}]");
	profile_close(p);
	p = parse_stream("vary: [{field: udp.src, op: dec, from: 10, to: 20, step: 2}]");
	assert_at(p, 0, "vm.instructions[0].init_value", "20");
	assert_at(p, 0, "vm.instructions[1].pkt_offset", "34");
	profile_close(p);
	p = parse_stream("vary: [{offset: 42, width: 2, list: [7, 0x0b, 13]}], cache: 9");
	assert_at(p, 0, "vm.instructions[0].value_list", "[7,11,13]");
	assert_at(p, 0, "vm.cache", "9");
	profile_close(p);
	p = parse_stream("vary: [{field: ipv4.id, from: 1, to: 9, repeat: 3, seed: 5}]");
	assert_at(p, 0, "vm.instructions[0].type", "\"flow_var_rand_limit\"");
	assert_at(p, 0, "vm.instructions[0].limit", "3");
	profile_close(p);
	p = parse_stream(
		"vary: [{clients: {ip: ipv4.src, port: udp.src, ips: [16.0.0.1, 16.0.0.3], "
		"ports: [10, 11], limit: 4}}]");
	assert_at(p, 0, "vm.instructions[0].type", "\"tuple_flow_var\"");
	assert_at(p, 0, "vm.instructions[0].limit_flows", "4");
	assert_at(p, 0, "vm.instructions[1].name", "\"v0.ip\"");
	assert_at(p, 0, "vm.instructions[2].pkt_offset", "34");
	profile_close(p);
}

static void
checksums_follow_what_varies(void **state)
{
	struct profile *p = parse("version: 1\nstreams:\n"
				  "  - {frame: {tcp: {dst: 80}, ipv4: {}}, "
				  "vary: [{field: tcp.src, from: 1, to: 9}]}\n"
				  "  - {frame: {vlan: 5, eth: {}}, "
				  "vary: [{field: vlan.id, from: 1, to: 9}]}\n"
				  "  - {frame: {size: 100, ipv4: {}, udp: {}}, "
				  "vary: [{field: size, from: 64, to: 100}]}\n",
				  NULL);

	(void)state;
	assert_at(p, 0, "vm.instructions[2]",
		  "{\"type\":\"fix_checksum_hw\",\"l2_len\":14,\"l3_len\":20,\"l4_type\":13}");
	assert_at(p, 1, "vm.instructions[1].mask", "4095");
	assert_int_equal(json_array_size(json_at(p->streams[1].object, "vm.instructions")), 2);
	assert_at(p, 2, "vm.instructions[0].min_value", "60");
	assert_at(p, 2, "vm.instructions[1]", "{\"type\":\"trim_pkt_size\",\"name\":\"v0\"}");
	assert_at(p, 2, "vm.instructions[2].add_value", "-14");
	assert_at(p, 2, "vm.instructions[3].add_value", "-34");
	profile_close(p);
}

static void
tunables_are_put_in(void **state)
{
	static const char text[] = "version: 1\n"
				   "tunables:\n"
				   "  n: {default: 5}\n"
				   "  kind: {default: a, one_of: [a, b]}\n"
				   "streams:\n"
				   "  - {name: x, only: {kind: a}, frame: " FRAME ", burst: $n}\n"
				   "  - {name: x, only: {kind: '!a'}, frame: " FRAME
				   ", stats: {value: $n, only: {n: [7, 8]}}}\n";
	struct profile *p = parse(text, NULL);

	(void)state;
	assert_int_equal(p->n_streams, 1);
	assert_at(p, 0, "mode.total_pkts", "5");
	profile_close(p);
	p = parse(text, "kind=b");
	assert_at(p, 0, "mode.type", "\"continuous\"");
	assert_at(p, 0, "flow_stats.enabled", "false");
	profile_close(p);
}

static void
captures_keep_their_time(void **state)
{
	struct profile *p = parse("version: 1\nstreams:\n"
				  "  - capture: {file: examples.pcap, speed: 2, loops: 3}\n",
				  NULL);

	(void)state;
	assert_int_equal(p->n_streams, 4);
	assert_at(p, 0, "isg", "0.0");
	assert_at(p, 1, "isg", "175.0");
	assert_at(p, 2, "isg", "425.0");
	assert_at(p, 1, "self_start", "false");
	assert_at(p, 3, "next_stream_id", "1");
	assert_at(p, 3, "action_count", "3");
	profile_close(p);
}

/* Every profile that is shipped, with each of its choices. */
static void
ours_are_read(void **state)
{
	static const char *const names[] = {"bench", "imix",	   "udp_1pkt_simple",
					    "vlan",  "burst",	   "flow_stats",
					    "pcap",  "syn_attack", "flow_stats_latency"};
	static const char *const dirs[] = {PROFILES, NULL};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(names); i++) {
		struct profile *p = NULL;
		struct err err = {0};
		bool ours;
		char *py = xasprintf("stl/%s.py", names[i]);
		char *path = profile_find(py, dirs, &ours, &err);

		assert_non_null(path);
		assert_true(ours);
		if (profile_open(&p, path, NULL, &err) < 0)
			fail_msg("%s", err.msg);
		for (size_t k = 0; k < p->n_tunables; k++) {
			for (char **c = p->tunables[k].one_of; c != NULL && *c != NULL; c++) {
				struct opt_list set = {0};
				char *word = xasprintf("%s=%s", p->tunables[k].name, *c);
				struct profile *q = NULL;

				opt_set_list(&set, word, &err);
				if (profile_open(&q, path, &set, &err) < 0)
					fail_msg("%s: %s", word, err.msg);
				assert_true(q->n_streams > 0);
				profile_close(q);
				opt_list_fini(&set);
				free(word);
			}
		}
		profile_close(p);
		free(path);
		free(py);
	}
}

static void
assert_same_streams(const char *a, const char *setting_a, const char *b, const char *setting_b)
{
	struct profile *p = parse(a, setting_a), *q = parse(b, setting_b);

	assert_int_equal(p->n_streams, q->n_streams);
	for (size_t i = 0; i < p->n_streams; i++)
		assert_true(json_equal(p->streams[i].object, q->streams[i].object));
	profile_close(p);
	profile_close(q);
}

/* Addresses change places, ports and all else stay. */
static void
the_other_way_sources_are_destinations(void **state)
{
	static const char one[] =
		"version: 1\n"
		"tunables: {first: {default: 16.0.0.1}}\n"
		"streams:\n"
		"  - frame: {size: 100, eth: {src: '02:00:00:00:00:01', dst: "
		"'02:00:00:00:00:02'},\n"
		"            ipv4: {src: $first, dst: 48.0.0.9}, udp: {src: 1, dst: 2}}\n"
		"    vary: [{field: ipv4.src, from: $first, to: 16.0.0.9}, {field: eth.dst, to: "
		"7},\n"
		"           {field: udp.src, from: 5, to: 6}, {offset: 70, op: random}]\n"
		"  - frame: {eth: {dst: '02:00:00:00:00:02'}, ipv6: {src: '2001::1'}, tcp: {dst: "
		"9}}\n"
		"    vary: [{field: ipv6.dst, to: 5},\n"
		"           {field: size, from: 64, to: 78}]\n"
		"  - frame: {ipv4: {src: 1.1.1.1, dst: 2.2.2.2}, udp: {}}\n"
		"    vary: [{clients: {ip: ipv4.src, port: udp.src, ips: [1.1.1.1, 1.1.1.9]}}]\n";
	static const char other[] =
		"version: 1\n"
		"streams:\n"
		"  - frame: {size: 100, eth: {dst: '02:00:00:00:00:01', src: "
		"'02:00:00:00:00:02'},\n"
		"            ipv4: {dst: 16.0.0.1, src: 48.0.0.9}, udp: {src: 1, dst: 2}}\n"
		"    vary: [{field: ipv4.dst, from: 16.0.0.1, to: 16.0.0.9}, {field: eth.src, to: "
		"7},\n"
		"           {field: udp.src, from: 5, to: 6}, {offset: 70, op: random}]\n"
		"  - frame: {eth: {src: '02:00:00:00:00:02'},\n"
		"            ipv6: {dst: '2001::1', src: '2001:2::2'}, tcp: {dst: 9}}\n"
		"    vary: [{field: ipv6.src, to: 5},\n"
		"           {field: size, from: 64, to: 78}]\n"
		"  - frame: {ipv4: {src: 2.2.2.2, dst: 1.1.1.1}, udp: {}}\n"
		"    vary: [{clients: {ip: ipv4.dst, port: udp.src, ips: [1.1.1.1, 1.1.1.9]}}]\n";

	(void)state;
	assert_same_streams(one, "direction=1", other, NULL);
	assert_same_streams(one, "direction=0", one, NULL);
	assert_same_streams(other, "direction=1", one, NULL);
}

/* Such as one that is written for TRex's way. */
static void
a_profile_may_have_a_direction_of_its_own(void **state)
{
	static const char text[] =
		"version: 1\n"
		"tunables: {direction: {default: 0}}\n"
		"streams:\n"
		"  - {only: {direction: 0}, frame: {ipv4: {src: 1.1.1.1}}, burst: 1}\n"
		"  - {only: {direction: 1}, frame: {ipv4: {src: 2.2.2.2}}, burst: 2}\n";
	static const char second[] =
		"version: 1\nstreams: [{frame: {ipv4: {src: 2.2.2.2}}, burst: 2}]\n";

	(void)state;
	assert_same_streams(text, "direction=1", second, NULL);
}

static void
assert_refused(const char *rest, const char *part)
{
	char *text =
		rest[0] == '-' ? xasprintf("version: 1\nstreams:\n  %s\n", rest) : xstrdup(rest);
	struct profile *p = NULL;
	struct err err = {0};

	assert_true(profile_parse(&p, "p.yaml", text, strlen(text), PROFILES, NULL, &err) < 0);
	assert_null(p);
	if (strstr(err.msg, part) == NULL)
		print_error("'%s' is not in: %s\n", part, err.msg);
	assert_non_null(strstr(err.msg, part));
	assert_memory_equal(err.msg, "p.yaml:", 7);
	free(text);
}

static void
mistakes_have_a_place(void **state)
{
	(void)state;
	assert_refused("streams: []\n", "begins with 'version: 1'");
	assert_refused("version: 1\nstreams: []\n", "'streams' is a list");
	assert_refused("- {rate: 1pps}", "has a 'frame' or a 'capture'");
	assert_refused("- {frame: {udp: {}}}", "'udp' is carried by");
	assert_refused("- {frame: {ipv4: {}, ipv6: {}}}", "not both");
	assert_refused("- {frame: {size: 64, ipv4: {}, payload: " FRAME "}}",
		       "'payload' is a text");
	assert_refused("- {frame: {ipv4: {src: 1.2.3}}}", "no IPv4 address");
	assert_refused("- {frame: {ipv4: {src: 0x1ffffffff}}}", "32 bits");
	assert_refused("- {frame: {vlan: 4096}}", "0 to 4095");
	assert_refused("- {frame: " FRAME ", rate: fast}", "rate: ");
	assert_refused("- {frame: " FRAME ", burst: 1, bursts: {}}", "not both");
	assert_refused("- {frame: " FRAME ", stats: 1, latency: 2}", "not both");
	assert_refused("- {frame: " FRAME ", vary: [{field: ipv6.src}]}", "has no ipv6.src");
	assert_refused("- {frame: " FRAME ", vary: [{field: ipv4.source}]}", "is no field");
	assert_refused("- {frame: " FRAME ", vary: [{field: ipv4.ttl, to: 256}]}", "255");
	assert_refused("- {frame: " FRAME ", vary: [{field: ipv4.ttl, from: 9, to: 2}]}", "above");
	assert_refused("- {frame: " FRAME ", vary: [{offset: 59, width: 2}]}", "of the frame");
	assert_refused("- {frame: " FRAME ", vary: [{field: size, from: 64, to: 65}]}", "sizes go");
	assert_refused("- {frame: " FRAME ", name: a, then: b}", "no stream 'b'");
	assert_refused("- {frame: " FRAME ", burst: $x}", "no tunable 'x'");
	assert_refused("- {frame: " FRAME ", waits: maybe}", "'waits' must be true or false");
	assert_refused("- {capture: {file: nothing.pcap}}", "nothing.pcap");
	assert_refused("- {capture: {file: bench.yaml}}", "is no capture");
	assert_refused("- {frame: " FRAME ", name: a}\n  - {frame: " FRAME ", name: a}",
		       "two streams 'a'");
}

static void
settings_that_are_wrong(void **state)
{
	static const char text[] =
		"version: 1\ntunables: {k: {default: a, one_of: [a, b]}}\nstreams: "
		"[{frame: {}}]\n";
	static const char *const rows[][2] = {{"k", "is not NAME=VALUE"},
					      {"j=1", "tunables are k, direction"},
					      {"k=c", "k is one of a, b"}};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		struct opt_list set = {0};
		struct profile *p = NULL;
		struct err err = {0};

		opt_set_list(&set, rows[i][0], &err);
		assert_true(profile_parse(&p, "p", text, strlen(text), ".", &set, &err) < 0);
		assert_non_null(strstr(err.msg, rows[i][1]));
		opt_list_fini(&set);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_stream_is_as_trex_has_it),
		cmocka_unit_test(modes),
		cmocka_unit_test(statistics_and_addresses),
		cmocka_unit_test(streams_follow_each_other),
		cmocka_unit_test(fields_become_instructions),
		cmocka_unit_test(checksums_follow_what_varies),
		cmocka_unit_test(tunables_are_put_in),
		cmocka_unit_test(the_other_way_sources_are_destinations),
		cmocka_unit_test(a_profile_may_have_a_direction_of_its_own),
		cmocka_unit_test(captures_keep_their_time),
		cmocka_unit_test(ours_are_read),
		cmocka_unit_test(mistakes_have_a_place),
		cmocka_unit_test(settings_that_are_wrong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
