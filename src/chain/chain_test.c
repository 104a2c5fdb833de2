/* SPDX-License-Identifier: MIT */
#include "chain.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/assert_near.h"
#include "base/mem.h"

#include "chain_rules.h"
#include "chain_same.h"

#define V "version: 1\n"

static int
parse(struct chain *chain, const char *text, struct err *err)
{
	return chain_parse(chain, "c.yaml", text, strlen(text), err);
}

/* Accepts 'text', and what is printed reads as the same model. */
static void
take(struct chain *chain, const char *text)
{
	struct err err = {0};
	struct chain again;
	char *printed, *twice;

	if (parse(chain, text, &err) < 0)
		fail_msg("refused: %s", err.msg);
	printed = chain_print(chain);
	if (parse(&again, printed, &err) < 0)
		fail_msg("printed, and then refused: %s\n%s", err.msg, printed);
	assert_true(same_chain(chain, &again));
	twice = chain_print(&again);
	assert_string_equal(printed, twice);
	free(printed);
	free(twice);
	chain_fini(&again);
}

/* Refuses 'text' with a message that begins with 'message'. */
static void
refuse(const char *text, const char *message)
{
	struct err err = {0};
	struct chain chain;

	assert_int_equal(parse(&chain, text, &err), -EINVAL);
	if (strncmp(err.msg, message, strlen(message)) != 0)
		fail_msg("expected: %s\nbut was:  %s", message, err.msg);
	assert_int_equal(err_exit_code(&err), ERR_USAGE);
	chain_fini(&chain);
}

static void
nothing_given_is_the_default(void **state)
{
	struct chain chain, by_default;

	(void)state;
	take(&chain, V);
	chain_default(&by_default, 1);
	assert_true(same_chain(&chain, &by_default));
	assert_int_equal(chain_check(&by_default, NULL), 0);
	assert_string_equal(chain.name, "snake");
	assert_int_equal(chain.n_hops, 1);
	assert_string_equal(chain.hop[0].name, "vnf1");
	assert_string_equal(chain.hop[0].engine, "poll");
	assert_int_equal(chain.link[1].kind, LINK_VHOST_USER);
	assert_int_equal(chain.link[1].ring, 16384);
	assert_int_equal(chain.traffic.frames[0].part[0].size, 64);
	assert_string_equal(chain.bench.preset, CHAIN_PRESET);
	assert_int_equal(chain.bench.trial_ns, 0);
	chain_fini(&chain);
	chain_fini(&by_default);
}

static const char all[] =
	V "name: all_9\n"
	  "generator: {kind: nfvchain-gen, cpus: \"0,2-3\"}\n"
	  "hops:\n"
	  "  - {name: a, kind: nfvchain-fwd, engine: poll, place: process, cpus: [5, 4],\n"
	  "     lcores: 2, nf: [l2fwd, 'work:100'], args: [--burst, \"64\", 3], supervise: false}\n"
	  "  - testpmd\n"
	  "  - {kind: exec, command: \"x {vdev0} {vdev1}\"}\n"
	  "links: [memif, {kind: vhost-user, ring: 256}, {ring: 0x200}, memif]\n"
	  "traffic: {frames: [68, 1518, \"68:1,1518:3\"], flows: 10k, rate: 1.5mpps, vlan: 7}\n"
	  "bench: {preset: search, trial: 250ms, repeat: 3, step: 1.005}\n";

static void
every_setting_arrives(void **state)
{
	struct chain c;

	(void)state;
	take(&c, all);
	assert_string_equal(c.name, "all_9");
	assert_int_equal(c.generator.cpus.n, 3);
	assert_int_equal(c.generator.cpus.cpu[2], 3);
	assert_int_equal(c.n_hops, 3);
	assert_string_equal(c.hop[0].name, "a");
	assert_int_equal(c.hop[0].cpus.cpu[0], 5);
	assert_int_equal(c.hop[0].lcores, 2);
	assert_string_equal(c.hop[0].nf[1], "work:100");
	assert_int_equal(c.hop[0].n_args, 3);
	assert_string_equal(c.hop[0].args[2], "3");
	assert_int_equal(c.hop[1].kind, HOP_TESTPMD);
	assert_string_equal(c.hop[1].name, "vnf2");
	assert_string_equal(c.hop[2].command, "x {vdev0} {vdev1}");
	assert_int_equal(c.link[0].kind, LINK_MEMIF);
	assert_int_equal(c.link[1].ring, 256);
	assert_int_equal(c.link[2].kind, LINK_VHOST_USER);
	assert_int_equal(c.link[2].ring, 512);
	chain_fini(&c);
}

static void
traffic_and_bench_arrive(void **state)
{
	struct chain c;

	(void)state;
	take(&c, all);
	assert_int_equal(c.traffic.n_frames, 3);
	assert_int_equal(c.traffic.frames[2].part[1].weight, 3);
	assert_int_equal(c.traffic.flows, 10000);
	assert_true(c.traffic.has_rate);
	assert_int_equal(c.traffic.rate.unit, RATE_PPS);
	assert_near(c.traffic.rate.value, 1.5e6, 0);
	assert_int_equal(c.traffic.vlan, 7);
	assert_string_equal(c.bench.preset, "search");
	assert_int_equal(c.bench.trial_ns, 250000000);
	assert_int_equal(c.bench.repeat, 3);
	assert_near(c.bench.step_ratio, 1.005, 1e-12);
	chain_fini(&c);
}

static void
one_link_is_meant_for_all(void **state)
{
	struct chain c;

	(void)state;
	take(&c, V "hops: [nfvchain-fwd, testpmd]\nlinks: {kind: memif, ring: 2048, queues: 2}\n");
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(c.link[i].kind, LINK_MEMIF);
		assert_int_equal(c.link[i].ring, 2048);
		assert_int_equal(c.link[i].queues, 2);
	}
	chain_fini(&c);
}

static void
json_is_a_chain_file_too(void **state)
{
	struct chain c;

	(void)state;
	take(&c, "{\"version\": 1, \"name\": \"j\", \"hops\": [{\"kind\": \"testpmd\"}]}");
	assert_string_equal(c.name, "j");
	chain_fini(&c);
}

/* The signature needs room: 64, tagged 68, IPv6 84, both 88 bytes. */
static void
default_frame_is_the_smallest_possible(void **state)
{
	static const struct {
		const char *traffic;
		unsigned size;
	} cases[] = {{"{flows: 2}", 64},
		     {"{vlan: 5}", 68},
		     {"{ipv6: true}", 84},
		     {"{ipv6: true, vlan: 5}", 88}};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(cases); i++) {
		char *text = xasprintf(V "traffic: %s\n", cases[i].traffic);
		struct chain c;

		take(&c, text);
		assert_int_equal(imix_max_size(&c.traffic.frames[0]), cases[i].size);
		chain_fini(&c);
		free(text);
	}
	refuse(V "traffic: {frames: [84, 64], ipv6: true}\n",
	       "c.yaml:2:19: error: frames of 64 bytes have no room for the signature (84 is the "
	       "smallest for this traffic)");
}

static void
what_is_not_built_is_refused_by_name(void **state)
{
	(void)state;
	refuse(V "hops: [{kind: exec, place: vm, command: x}]\n",
	       "c.yaml:2:28: error: hop kind 'exec' in a VM is not built yet (nfvchain-fwd and "
	       "testpmd are)");
	refuse(V "bench: {preset: rfc2545}\n",
	       "c.yaml:2:17: error: unknown bench preset 'rfc2545' (did you mean 'rfc2544'?)");
}

static void
slips_of_the_finger_are_understood(void **state)
{
	(void)state;
	refuse(V "link: memif\n", "c.yaml:2:1: error: unknown key 'link' (did you mean 'links'?)");
	refuse(V "hops: [{cpu: 1}]\n",
	       "c.yaml:2:9: error: unknown key 'cpu' (did you mean 'cpus'?)");
	refuse(V "generator: {knd: x}\n", "c.yaml:2:13: error: unknown key 'knd' (did you mean");
	refuse(V "links: {rings: 512}\n", "c.yaml:2:9: error: unknown key 'rings' (did you mean");
	refuse(V "traffic: {frame: 64}\n", "c.yaml:2:11: error: unknown key 'frame' (did you mean");
	refuse(V "bench: {trials: 1s}\n", "c.yaml:2:9: error: unknown key 'trials' (did you mean");
	refuse(V "hops: [testpdm]\n",
	       "c.yaml:2:8: error: unknown hop kind 'testpdm' (did you mean 'testpmd'?)");
	refuse(V "links: vhost\n", "c.yaml:2:8: error: unknown link kind 'vhost' (vhost-user, "
				   "memif, ring, veth, veth-xdp, "
				   "tap, pcap, network, stream and pci are built)");
	refuse(V "hops: [{engine: pol}]\n",
	       "c.yaml:2:17: error: unknown engine 'pol' (did you mean 'poll'?)");
}

static void
a_chain_file_needs_its_version(void **state)
{
	(void)state;
	refuse("name: x\n", "c.yaml:1:1: error: 'version' is missing (version: 1)");
	refuse("version: 2\n", "c.yaml:1:10: error: this version of the chain file is not known");
	refuse("version: one\n", "c.yaml:1:10: error: 'version' must be");
	refuse("", "c.yaml:1:1: error: a chain file is a map");
	refuse("- version: 1\n", "c.yaml:1:1: error: a chain file is a map");
}

static void
wrong_types_are_refused_where_they_stand(void **state)
{
	(void)state;
	refuse(V "hops: 3\n", "c.yaml:2:7: error: 'hops' must be a list");
	refuse(V "hops: []\n", "c.yaml:2:7: error: 0 hops; a chain has 1 to 16");
	refuse(V "hops: [[testpmd]]\n", "c.yaml:2:8: error: a hop must be a kind or a map");
	refuse(V "hops: [~]\n", "c.yaml:2:8: error: a hop must be a kind or a map");
	refuse(V "hops: [{lcores: 0}]\n", "c.yaml:2:17: error: 'lcores' must be from 1 to 64");
	refuse(V "hops: [{nf: l2fwd}]\n", "c.yaml:2:13: error: 'nf' must be a list of texts");
	refuse(V "hops: [{args: [{}]}]\n", "c.yaml:2:16: error: 'args' must be a list of texts");
	refuse(V "links: []\n", "c.yaml:2:8: error: 'links' has 0 entries, and 1 hop needs 2");
	refuse(V "links: ~\n", "c.yaml:2:8: error: a link must be a kind or a map");
	refuse(V "generator: nfvchain-gen\n", "c.yaml:2:12: error: 'generator' must be a map");
	refuse(V "traffic: [64]\n", "c.yaml:2:10: error: 'traffic' must be a map");
	refuse(V "traffic: {frames: {}}\n", "c.yaml:2:19: error: 'frames' must be a size, 'imix'");
	refuse(V "traffic: {frames: []}\n", "c.yaml:2:19: error: 'frames' must have 1 to 16");
	refuse(V "traffic: {ipv6: 6}\n", "c.yaml:2:17: error: 'ipv6' must be true or false");
}

static void
values_out_of_range_are_refused(void **state)
{
	(void)state;
	refuse(V "name: a b\n", "c.yaml:2:7: error: chain name 'a b' has other characters");
	refuse(V "name: ../x\n", "c.yaml:2:7: error: chain name '../x' has other characters");
	refuse(V "name: -x\n", "c.yaml:2:7: error: chain name '-x' must not begin with -");
	refuse(V "name: abcdefghijklmnopqrstuvwxyz0123456\n",
	       "c.yaml:2:7: error: chain name 'abcdefghijklmnopqrstuvwxyz0123456' is longer than "
	       "32");
	refuse(V "hops: [{name: gen}]\n", "c.yaml:2:15: error: hop name 'gen' is the generator's");
	refuse(V "links: {ring: 128}\n", "c.yaml:2:15: error: 'ring' of a vhost-user link must be "
					 "a power of two from 256 to 32768");
	refuse(V "links: {ring: 1000}\n", "c.yaml:2:15: error: 'ring' of a vhost-user link");
	refuse(V "links: {kind: memif, ring: 32768}\n",
	       "c.yaml:2:28: error: 'ring' of a memif link must be a power of two from 256 to "
	       "16384");
	refuse(V "links: {queues: 17}\n", "c.yaml:2:17: error: 'queues' must be");
	refuse(V "generator: {cpus: [1, 1]}\n", "c.yaml:2:19: error: CPU 1 is given twice");
	refuse(V "generator: {cpus: 3-1}\n", "c.yaml:2:19: error: '3-1' is no list of CPUs");
	refuse(V "generator: {cpus: [a]}\n", "c.yaml:2:20: error: 'a' is no list of CPUs");
	refuse(V "generator: {cpus: 0-99}\n", "c.yaml:2:19: error: more than 64 CPUs");
	refuse(V "generator: {at: x}\n", "c.yaml:2:17: error: 'at' belongs to generator kind trex");
	refuse(V "traffic: {frames: 63}\n", "c.yaml:2:19: error: frame sizes '63'");
	refuse(V "traffic: {flows: 1000001}\n", "c.yaml:2:18: error: 'flows' must be from 1 to");
	refuse(V "traffic: {flows: 5g}\n", "c.yaml:2:18: error: 'flows' must be from 1 to");
	refuse(V "traffic: {rate: fast}\n", "c.yaml:2:17: error: rate 'fast'");
	refuse(V "traffic: {vlan: 4095}\n", "c.yaml:2:17: error: 'vlan' must be");
	refuse(V "bench: {trial: 1us}\n", "c.yaml:2:16: error: 'trial' must be from 1ms to 24h");
	refuse(V "bench: {step: 1}\n", "c.yaml:2:15: error: 'step' must be a ratio from 1.0001");
	refuse(V "bench: {step: nan}\n", "c.yaml:2:15: error: 'step' must be a ratio such as");
	refuse(V "bench: {repeat: 0}\n", "c.yaml:2:17: error: 'repeat' must be");
	refuse(V "bench: {trial: 0}\n", "c.yaml:2:16: error: 'trial' must be above 0");
	refuse(V "bench: {step: 0}\n", "c.yaml:2:15: error: 'step' must be a ratio");
}

static void
settings_belong_to_a_kind(void **state)
{
	(void)state;
	refuse(V "hops: [{kind: testpmd, engine: poll}]\n",
	       "c.yaml:2:32: error: 'engine' belongs to hop kind nfvchain-fwd");
	refuse(V "hops: [{kind: testpmd, nf: [l2fwd]}]\n",
	       "c.yaml:2:28: error: 'nf' belongs to hop kind nfvchain-fwd");
	refuse(V "hops: [{command: x}]\n",
	       "c.yaml:2:18: error: 'command' belongs to hop kind exec");
	refuse(V "hops: [{kind: exec}]\n", "c.yaml:2:8: error: an exec hop needs a 'command'");
	refuse(V "hops: [exec]\n", "c.yaml:2:8: error: an exec hop needs a 'command'");
	refuse(V "hops: [{kind: exec, command: \"x {vdev0} {vdev1}\", args: [y]}]\n",
	       "c.yaml:2:57: error: 'args' of an exec hop belong into its 'command'");
}

static void
templates_are_checked_when_read(void **state)
{
	(void)state;
	refuse(V "hops: [{kind: exec, command: \"x {vdev1}\"}]\n",
	       "c.yaml:2:30: error: 'command' has no {vdev0}, and a hop has two ports");
	refuse(V "hops: [{kind: exec, command: \"x {vdev0}\"}]\n",
	       "c.yaml:2:30: error: 'command' has no {vdev1}, and a hop has two ports");
	refuse(V "hops: [{kind: exec, command: \"x {vdve0} {vdev1}\"}]\n",
	       "c.yaml:2:30: error: 'command' has an unknown placeholder {vdve0} (did you mean "
	       "{vdev0}?)");
	refuse(V "hops: [{kind: exec, command: \"x '{vdev0} {vdev1}\"}]\n",
	       "c.yaml:2:30: error: 'command' has an open quote (')");
	refuse(V "hops: [{kind: exec, command: \"'' {vdev0} {vdev1}\"}]\n",
	       "c.yaml:2:30: error: 'command' must begin with the name of a program");
}

static void
parts_must_go_together(void **state)
{
	(void)state;
	refuse(V "hops: [{name: a}, {name: a}]\n",
	       "c.yaml:2:26: error: hops 1 and 2 are both named 'a'");
	refuse(V "hops: [{name: vnf2}, testpmd]\n",
	       "c.yaml:2:22: error: hops 1 and 2 are both named 'vnf2'");
	refuse(V "hops: [testpmd, testpmd]\nlinks: [memif, memif]\n",
	       "c.yaml:3:8: error: 'links' has 2 entries, and 2 hops need 3");
	refuse(V "links: [{queues: 2}, memif]\n",
	       "c.yaml:2:22: error: links 0 and 1 have 2 and 1 queues");
	refuse(V
	       "hops: [testpmd, testpmd, testpmd, testpmd, testpmd, testpmd, testpmd, testpmd,\n"
	       "  testpmd, testpmd, testpmd, testpmd, testpmd, testpmd, testpmd, testpmd, exec]\n",
	       "c.yaml:3:75: error: 17 hops; a chain has 1 to 16");
}

/* A chain can be made without a file, so chain_check holds by itself. */
static void
the_model_is_checked_without_a_file(void **state)
{
	struct err err = {0};
	struct chain c;

	(void)state;
	for (size_t n = 0; n <= 17; n++) {
		chain_default(&c, n);
		assert_int_equal(chain_check(&c, &err), n >= 1 && n <= 16 ? 0 : -EINVAL);
		chain_fini(&c);
	}
	assert_string_equal(err.msg, "chain 'snake': 17 hops; a chain has 1 to 16");
	chain_default(&c, 2);
	c.hop[1].kind = HOP_EXEC;
	c.hop[1].place = PLACE_VM;
	assert_int_equal(chain_check(&c, &err), -EINVAL);
	assert_string_equal(err.msg,
			    "chain 'snake': hop 2: hop kind 'exec' in a VM is not built yet "
			    "(nfvchain-fwd and testpmd are)");
	chain_fini(&c);
}

static void
releasing_nothing_is_fine(void **state)
{
	struct chain c = {0};
	struct err err = {0};

	(void)state;
	chain_fini(NULL);
	chain_fini(&c);
	assert_int_equal(chain_load(&c, "/no/such/chain.yaml", &err), -ENOENT);
	chain_fini(&c);
	assert_true(parse(&c, V "hops: [{args: [a, b], nf: [c], lcores: x}]\n", &err) < 0);
	chain_fini(&c);
	chain_fini(&c);
}

/* What is printed must survive any text that an argument can be. */
static void
odd_texts_survive_printing(void **state)
{
	static const char *const odd[] = {"",
					  "~",
					  "null",
					  "true",
					  "1",
					  "- x",
					  "a: b",
					  "#",
					  "'\"\\",
					  "\t\n\r",
					  "\x01",
					  "\x7f",
					  "\xc2\x85",
					  "\xc3\xa4",
					  "\xe2\x80\xa8",
					  "\xef\xbb\xbf",
					  "\xf0\x9f\x98\x80",
					  "%",
					  "{",
					  "]"};
	struct chain c, again;
	struct err err = {0};
	char *text;

	(void)state;
	chain_default(&c, 1);
	for (size_t i = 0; i < N_ELEMS(odd); i++)
		c.hop[0].args[c.hop[0].n_args++] = xstrdup(odd[i]);
	text = chain_print(&c);
	if (parse(&again, text, &err) < 0)
		fail_msg("%s", err.msg);
	assert_true(same_chain(&c, &again));
	free(text);
	chain_fini(&c);
	chain_fini(&again);
}

static void
exact_numbers_survive_printing(void **state)
{
	static const uint64_t trials[] = {1000000, 1000001, 1500000000, 86400000000000};
	static const double steps[] = {1.0001, 1.02, 1 + 1.0 / 3, 2};
	struct chain c, again;

	(void)state;
	chain_default(&c, 1);
	for (size_t i = 0; i < N_ELEMS(trials); i++) {
		char *text;

		c.bench.trial_ns = trials[i];
		c.bench.step_ratio = steps[i];
		text = chain_print(&c);
		assert_int_equal(parse(&again, text, NULL), 0);
		assert_true(same_chain(&c, &again));
		chain_fini(&again);
		free(text);
	}
	chain_fini(&c);
}

/* ---- files that are shipped ---- */

/* A path in the source tree, from where this file was compiled; skips where that is gone. */
static char *
source_path(const char *name)
{
	size_t dir = strlen(__FILE__) - strlen("src/chain/chain_test.c");
	char *path = xasprintf("%.*s%s", (int)dir, __FILE__, name);

	if (access(path, R_OK) == 0)
		return path;
	print_message("%s is not there\n", path);
	free(path);
	skip();
	return NULL;
}

static void
shipped_chains_are_accepted(void **state)
{
	static const char *const names[] = {"snake", "three", "memif", "exec",
					    "skew",  "tap",   "pcap"};
	struct chain c, by_default;
	struct err err = {0};

	(void)state;
	chain_default(&by_default, 1);
	for (size_t i = 0; i < N_ELEMS(names); i++) {
		char *file = xasprintf("chains/%s.yaml", names[i]);
		char *path = source_path(file);

		if (chain_load(&c, path, &err) < 0)
			fail_msg("%s", err.msg);
		assert_string_equal(c.name, names[i]);
		/* snake.yaml claims to be the default written out. */
		assert_int_equal(same_chain(&c, &by_default), i == 0);
		chain_fini(&c);
		free(path);
		free(file);
	}
	chain_fini(&by_default);
}

static const json_t *
schema_at(const json_t *schema, const char *def, const char *member)
{
	const json_t *at = json_object_get(json_object_get(schema, "$defs"), def);

	at = def[0] == '\0' ? schema : at;
	return json_object_get(at, member);
}

static void
check_schema_keys(const json_t *properties, const char *const *keys)
{
	size_t n = 0;

	for (; keys[n] != NULL; n++)
		if (json_object_get(properties, keys[n]) == NULL)
			fail_msg("the schema has no '%s'", keys[n]);
	assert_int_equal(json_object_size(properties), n);
}

static void
check_schema_words(const json_t *words, const struct chain_words *w)
{
	size_t n = 0;

	for (; w->words[n] != NULL; n++)
		assert_string_equal(json_string_value(json_array_get(words, n)), w->words[n]);
	assert_int_equal(json_array_size(words), n);
}

static void
schema_and_reader_know_the_same_words(void **state)
{
	char *path = source_path("docs/schema/chain.schema.json");
	json_t *schema = json_load_file(path, 0, NULL);
	const json_t *hop, *link;

	(void)state;
	assert_non_null(schema);
	hop = schema_at(schema, "hop", "properties");
	link = json_object_get(json_array_get(schema_at(schema, "link", "oneOf"), 1), "properties");
	check_schema_keys(schema_at(schema, "", "properties"), chain_keys);
	check_schema_keys(schema_at(schema, "generator", "properties"), chain_generator_keys);
	check_schema_keys(hop, chain_hop_keys);
	check_schema_keys(link, chain_link_keys);
	check_schema_keys(schema_at(schema, "traffic", "properties"), chain_traffic_keys);
	check_schema_keys(schema_at(schema, "bench", "properties"), chain_bench_keys);
	check_schema_words(schema_at(schema, "hop_kind", "enum"), &chain_hop_kinds);
	check_schema_words(schema_at(schema, "link_kind", "enum"), &chain_link_kinds);
	check_schema_words(json_object_get(json_object_get(hop, "engine"), "enum"), &chain_engines);
	check_schema_words(json_object_get(json_object_get(hop, "place"), "enum"), &chain_places);
	json_decref(schema);
	free(path);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_given_is_the_default),
		cmocka_unit_test(every_setting_arrives),
		cmocka_unit_test(traffic_and_bench_arrive),
		cmocka_unit_test(one_link_is_meant_for_all),
		cmocka_unit_test(json_is_a_chain_file_too),
		cmocka_unit_test(default_frame_is_the_smallest_possible),
		cmocka_unit_test(what_is_not_built_is_refused_by_name),
		cmocka_unit_test(slips_of_the_finger_are_understood),
		cmocka_unit_test(a_chain_file_needs_its_version),
		cmocka_unit_test(wrong_types_are_refused_where_they_stand),
		cmocka_unit_test(values_out_of_range_are_refused),
		cmocka_unit_test(settings_belong_to_a_kind),
		cmocka_unit_test(templates_are_checked_when_read),
		cmocka_unit_test(parts_must_go_together),
		cmocka_unit_test(the_model_is_checked_without_a_file),
		cmocka_unit_test(releasing_nothing_is_fine),
		cmocka_unit_test(odd_texts_survive_printing),
		cmocka_unit_test(exact_numbers_survive_printing),
		cmocka_unit_test(shipped_chains_are_accepted),
		cmocka_unit_test(schema_and_reader_know_the_same_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
