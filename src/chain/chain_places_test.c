/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "chain.h"
#include "chain_rules.h"
#include "chain_same.h"

#define V "version: 1\n"
#define GEN_VM "generator: {place: vm}\n"
#define HOP_VM "hops: [{place: vm}]\n"

static void
take(struct chain *chain, const char *text)
{
	struct err err = {0};
	struct chain again;
	char *printed;

	if (chain_parse(chain, "c.yaml", text, strlen(text), &err) < 0)
		fail_msg("%s", err.msg);
	printed = chain_print(chain);
	if (chain_parse(&again, "again.yaml", printed, strlen(printed), &err) < 0)
		fail_msg("%s\n%s", err.msg, printed);
	assert_true(same_chain(chain, &again));
	free(printed);
	chain_fini(&again);
}

static void
refuse(const char *text, const char *why)
{
	struct err err = {0};
	struct chain chain;

	assert_int_equal(chain_parse(&chain, "c.yaml", text, strlen(text), &err), -EINVAL);
	if (strncmp(err.msg, why, strlen(why)) != 0)
		fail_msg("expected: %s\nbut was:  %s", why, err.msg);
	chain_fini(&chain);
}

static void
the_two_modes_are_taken(void **state)
{
	struct chain chain;

	(void)state;
	take(&chain, V GEN_VM HOP_VM "links: network\n");
	assert_int_equal(chain.generator.place, PLACE_VM);
	assert_int_equal(chain.link[1].ring, 1024);
	assert_true(chain_has_vms(&chain));
	chain_fini(&chain);
	take(&chain, V GEN_VM HOP_VM "links: {kind: stream, ring: 256}\n");
	assert_int_equal(chain.link[0].ring, 256);
	chain_fini(&chain);
	take(&chain, V HOP_VM);
	assert_int_equal(chain.link[0].kind, LINK_VHOST_USER);
	assert_int_equal(chain.link[0].ring, 1024);
	chain_fini(&chain);
	take(&chain, V);
	assert_int_equal(chain.link[0].ring, 16384);
	assert_false(chain_has_vms(&chain));
	chain_fini(&chain);
}

/* A ring is short where it ends in a VM, and long elsewhere. */
static void
processes_and_vms_mix(void **state)
{
	struct chain chain;

	(void)state;
	take(&chain, V "hops: [nfvchain-fwd, {place: vm}, {place: vm}]\n"
		       "links: [memif, vhost-user, stream, vhost-user]\n");
	assert_int_equal(chain.link[0].ring, 16384);
	assert_int_equal(chain.link[1].ring, 1024);
	assert_int_equal(chain.link[2].ring, 1024);
	assert_int_equal(chain.link[3].ring, 1024);
	assert_false(chain_link_is_vms(&chain, 0));
	assert_true(chain_link_is_vms(&chain, 1));
	assert_true(chain_link_is_vms(&chain, 3));
	chain_fini(&chain);
}

static void
links_that_cannot_be_there_are_refused(void **state)
{
	(void)state;
	refuse(V HOP_VM "links: network\n",
	       "c.yaml:3:8: error: link 0 (network) joins two VMs, and the generator is a process "
	       "(place: vm makes it one)");
	refuse(V GEN_VM "links: [vhost-user, stream]\n",
	       "c.yaml:3:21: error: link 1 (stream) joins two VMs, and vnf1 is a process");
	refuse(V GEN_VM HOP_VM,
	       "c.yaml:1:1: error: link 0 (vhost-user) cannot join two VMs, the generator and vnf1 "
	       "(network and stream can)");
	refuse(V HOP_VM "links: memif\n",
	       "c.yaml:3:8: error: link 0 (memif) cannot join a VM and a process (vhost-user can)");
	refuse(V "links: network\n",
	       "c.yaml:2:8: error: link 0 (network) joins two VMs, and the generator is a process");
}

static void
queues_of_guests_are_qemus(void **state)
{
	(void)state;
	refuse(V HOP_VM "links: {kind: vhost-user, ring: 2048}\n",
	       "c.yaml:3:8: error: link 0 ends in a VM, and 'ring' there is at most 1024");
	refuse(V GEN_VM HOP_VM "links: {kind: network, ring: 2048}\n",
	       "c.yaml:4:30: error: 'ring' of a network link must be a power of two from 256 to "
	       "1024");
	refuse(V GEN_VM HOP_VM "links: {kind: stream, queues: 2}\n",
	       "c.yaml:4:8: error: link 0 (stream) is a socket, which has one queue (vhost-user "
	       "and network have more)");
}

static void
rings_are_within_a_process(void **state)
{
	struct chain chain;
	struct err err = {0};

	(void)state;
	take(&chain, V "hops: [nfvchain-fwd, nfvchain-fwd, nfvchain-fwd]\nlinks: ring\n");
	assert_int_equal(chain.link[0].kind, LINK_VHOST_USER);
	assert_int_equal(chain.link[0].ring, 16384);
	assert_int_equal(chain.link[1].kind, LINK_RING);
	assert_int_equal(chain.link[2].ring, 1024);
	assert_int_equal(chain.link[3].kind, LINK_VHOST_USER);
	chain_fini(&chain);
	take(&chain, V "hops: [nfvchain-fwd, nfvchain-fwd, testpmd]\n"
		       "links: [memif, {kind: ring, ring: 64}, vhost-user, memif]\n");
	assert_int_equal(chain.link[1].ring, 64);
	chain_fini(&chain);
	refuse(V "links: ring\n",
	       "c.yaml:2:8: error: a ring joins two hops, and this chain has one");
	refuse(V "hops: [nfvchain-fwd, nfvchain-fwd]\nlinks: [ring, ring, memif]\n",
	       "c.yaml:3:9: error: link 0 (ring) is within one nfvchain-fwd, and the generator is "
	       "a "
	       "program of its own (vhost-user joins processes)");
	refuse(V "hops: [nfvchain-fwd, testpmd]\nlinks: ring\n",
	       "c.yaml:3:8: error: link 1 (ring) is within one nfvchain-fwd, and vnf2 is not an "
	       "nfvchain-fwd (vhost-user joins processes)");
	refuse(V "hops: [{place: vm}, nfvchain-fwd]\nlinks: ring\n",
	       "c.yaml:3:8: error: link 1 (ring) is within one nfvchain-fwd, and vnf1 is in a VM "
	       "(vhost-user joins processes)");
	refuse(V "hops: [nfvchain-fwd, nfvchain-fwd]\nlinks: {kind: ring, ring: 32}\n",
	       "c.yaml:3:27: error: 'ring' of a ring link must be a power of two from 64 to 32768");
	chain_default(&chain, 4);
	assert_int_equal(chain_set_links(&chain, "ring", &err), 0);
	assert_int_equal(chain.link[4].kind, LINK_VHOST_USER);
	assert_int_equal(chain.link[3].kind, LINK_RING);
	assert_int_equal(chain.link[3].ring, 1024);
	assert_int_equal(chain_check(&chain, &err), 0);
	chain_fini(&chain);
	chain_default(&chain, 1);
	assert_int_equal(chain_set_links(&chain, "ring", &err), -EINVAL);
	assert_string_equal(err.msg, "--link: a ring joins two hops, and this chain has one");
	chain_fini(&chain);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_two_modes_are_taken),
		cmocka_unit_test(processes_and_vms_mix),
		cmocka_unit_test(links_that_cannot_be_there_are_refused),
		cmocka_unit_test(queues_of_guests_are_qemus),
		cmocka_unit_test(rings_are_within_a_process),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
