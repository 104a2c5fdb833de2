/* SPDX-License-Identifier: MIT */
/* Links of the kernel's: interfaces, MTU, rings; and what is refused. */
#include "plan.h"

#include "base/mem.h"

#include "plan_parts.h"
#include "plan_test.h"

static void
refuse(const char *text, const char *message)
{
	struct plan_facts facts = two_cpus;
	struct chain_plan plan;
	struct err err = {0};
	struct chain chain;
	int rc = chain_parse(&chain, "c.yaml", text, strlen(text), &err);

	if (rc == 0) {
		facts.trex_ports = true;
		rc = chain_plan_make(&plan, &chain, &facts, &err);
		chain_plan_fini(&plan);
	}
	assert_int_equal(rc, -EINVAL);
	/* Behind it may be the line of the file. */
	if (strncmp(err.msg, message, strlen(message)) != 0)
		fail_msg("expected: %s\nbut was:  %s", message, err.msg);
	chain_fini(&chain);
}

static void
a_pair_joins_two_neighbours(void **state)
{
	const struct plan_pair *pair;
	struct made m;

	(void)state;
	make(&m, V "name: x\nhops: [nfvchain-fwd, testpmd]\nlinks: [veth, memif, veth-xdp]\n",
	     &two_cpus);
	assert_int_equal(m.plan.n_pairs, 2);
	pair = &m.plan.pair[0];
	assert_int_equal(pair->link, 0);
	assert_int_equal(pair->mtu, 1500);
	assert_memory_equal(pair->mac[0], m.plan.gen_mac[0], 6);
	assert_memory_equal(pair->mac[1], m.plan.hop_mac[0][0], 6);
	pair = &m.plan.pair[1];
	assert_int_equal(pair->link, 2);
	assert_memory_equal(pair->mac[0], m.plan.hop_mac[1][1], 6);
	assert_memory_equal(pair->mac[1], m.plan.gen_mac[1], 6);
	/* No socket is waited for but the one there is. */
	assert_null(m.plan.proc[0].listens[0]);
	assert_string_equal(m.plan.proc[1].listens[0], "/run/x/link1.sock");
	for (size_t i = 0; i < 3; i++)
		assert_true(m.plan.proc[i].in_ns);
	unmake(&m);
	make(&m, V "links: memif\n", &two_cpus);
	assert_int_equal(m.plan.n_pairs, 0);
	assert_false(m.plan.proc[0].in_ns);
	unmake(&m);
}

static void
each_end_has_a_device_of_its_driver(void **state)
{
	struct made m;

	(void)state;
	make(&m, V "name: x\nhops: [nfvchain-fwd, testpmd]\nlinks: [veth, veth, veth-xdp]\n",
	     &two_cpus);
	assert_string_equal(option(&m.plan.proc[0], "--vdev"),
			    "net_af_packet0,iface=nfvad8b-0a,blocksz=405504,framesz=1584,"
			    "framecnt=2048,qdisc_bypass=1");
	assert_string_equal(option(&m.plan.proc[1], "--vdev"),
			    "net_af_packet0,iface=nfvad8b-0b,blocksz=405504,framesz=1584,"
			    "framecnt=2048,qdisc_bypass=1");
	assert_string_equal(m.plan.proc[0].argv[m.plan.proc[0].argc - 1],
			    "--vdev=net_af_xdp1,iface=nfvad8b-2b,force_copy=1,busy_budget=0");
	assert_string_equal(option(&m.plan.proc[0], "-n"), "1");
	assert_non_null(option(&m.plan.proc[0], "--no-huge"));
	assert_null(option(&m.plan.proc[1], "--no-huge"));
	assert_null(option(&m.plan.proc[1], "-n"));
	assert_string_equal(option(&m.plan.proc[2], "--mbuf-size"), "3904");
	unmake(&m);
}

static void
a_tap_is_made_by_who_starts_first(void **state)
{
	const struct plan_pair *pair;
	struct made m;
	char *text;

	(void)state;
	make(&m, V "name: x\nhops: [nfvchain-fwd, testpmd]\nlinks: tap\n", &two_cpus);
	assert_int_equal(m.plan.n_pairs, 3);
	pair = &m.plan.pair[0];
	assert_string_equal(pair->name[0], "nfvad8b-0t");
	assert_string_equal(pair->name[1], "nfvad8b-0t");
	assert_int_equal(pair->tap_end, 0);
	assert_int_equal(m.plan.pair[1].tap_end, 0);
	assert_int_equal(m.plan.pair[2].tap_end, 1);
	assert_ptr_equal(plan_tap_owner(&m.plan, pair), &m.plan.proc[0]);
	assert_ptr_equal(plan_tap_owner(&m.plan, &m.plan.pair[1]), &m.plan.proc[1]);
	assert_ptr_equal(plan_tap_owner(&m.plan, &m.plan.pair[2]), &m.plan.proc[0]);
	assert_string_equal(option(&m.plan.proc[0], "--vdev"),
			    "net_tap0,iface=nfvad8b-0t,mac=02:ad:8b:00:00:00");
	assert_string_equal(m.plan.proc[0].argv[m.plan.proc[0].argc - 1],
			    "--vdev=net_tap1,iface=nfvad8b-2t,mac=02:ad:8b:00:00:01");
	assert_string_equal(option(&m.plan.proc[1], "--vdev"),
			    "net_af_packet0,iface=nfvad8b-0t,blocksz=405504,framesz=1584,"
			    "framecnt=2048,qdisc_bypass=1");
	text = chain_plan_print(&m.plan, &m.chain);
	assert_non_null(strstr(text, "nfvad8b-0t, tap of generator\n"));
	assert_non_null(strstr(text, "6144 x 1584"));
	free(text);
	unmake(&m);
}

/* What the kernel and DPDK's driver ask of a ring, for each size of frame there is. */
static void
a_ring_holds_every_frame(void **state)
{
	(void)state;
	for (unsigned size = 64; size <= 9216; size++) {
		const struct plan_packet_ring r = plan_packet_ring((uint16_t)size, 512);
		const unsigned len = size - 4;

		/* The kernel puts data 66 bytes in, and cuts what does not fit; a tag it took out
		 * counts no more. */
		assert_true(r.frame >= 66 + len);
		assert_int_equal(r.frame % 16, 0);
		assert_int_equal(r.block % 4096, 0);
		/* Frames lie one behind the other, and fill whole blocks. */
		assert_int_equal(r.block % r.frame, 0);
		assert_int_equal(r.count % (r.block / r.frame), 0);
		/* The driver refuses buffers that are smaller than what it could receive. */
		assert_true(r.frame - 32 <= plan_buffer_room((uint16_t)size) + 64);
		assert_true(plan_mtu((uint16_t)size) + 14 >= len);
	}
	assert_int_equal(plan_mtu(64), 1500);
	assert_int_equal(plan_mtu(9216), 9198);
}

static void
what_a_link_cannot_carry_is_refused(void **state)
{
	struct made m;

	(void)state;
	refuse(V "links: veth-xdp\ntraffic: {frames: [64, 3521]}\n",
	       "chain 'snake': frames of 3521 bytes do not fit link 0: veth-xdp carries 3520 at "
	       "most");
	refuse(V "links: tap\ntraffic: {frames: [64, 1523]}\n",
	       "chain 'snake': frames of 1523 bytes do not fit link 0: tap carries 1522 at most");
	refuse(V
	       "generator: {place: vm}\nhops: [{place: vm}]\nlinks: {kind: stream, model: e1000}\n"
	       "traffic: {frames: 1523}\n",
	       "chain 'snake': frames of 1523 bytes do not fit link 0: an e1000 NIC carries 1522 "
	       "at "
	       "most in one buffer");
	refuse(V "links: {kind: memif, model: e1000}\n",
	       "c.yaml:2:29: error: 'model' belongs to links of kind network and stream");
	refuse(V "links: veth\n",
	       "chain 'snake': the generator of a chain with veth links is in a network namespace "
	       "of its own, where TRex's ports cannot be reached (leave out --trex-ports, or use "
	       "vhost-user links)");
	refuse(V "links: {kind: veth, queues: 2}\n",
	       "c.yaml:2:29: error: more than one queue of a veth link is not built yet");
	refuse(V "links: {kind: veth-xdp, ring: 4096}\n",
	       "c.yaml:2:31: error: 'ring' of a veth-xdp link must be a power of two from 256 to "
	       "2048");
	make(&m, V "links: veth-xdp\ntraffic: {frames: 3520}\n", &two_cpus);
	unmake(&m);
	make(&m, V "links: veth\ntraffic: {frames: 9216}\n", &two_cpus);
	unmake(&m);
}

static void
an_option_makes_all_links_of_a_kind(void **state)
{
	struct err err = {0};
	struct chain c;

	(void)state;
	chain_default(&c, 2);
	c.link[1].ring = 512;
	assert_int_equal(chain_set_links(&c, "veth", &err), 0);
	assert_int_equal(c.link[0].kind, LINK_VETH);
	assert_int_equal(c.link[2].kind, LINK_VETH);
	assert_int_equal(c.link[0].ring, 2048);
	assert_int_equal(c.link[1].ring, 512);
	assert_int_equal(chain_check(&c, &err), 0);
	assert_int_equal(chain_set_links(&c, "vet", &err), -EINVAL);
	assert_string_equal(err.msg, "--link: unknown link kind 'vet' (did you mean 'veth'?)");
	chain_fini(&c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_pair_joins_two_neighbours),
		cmocka_unit_test(each_end_has_a_device_of_its_driver),
		cmocka_unit_test(a_tap_is_made_by_who_starts_first),
		cmocka_unit_test(a_ring_holds_every_frame),
		cmocka_unit_test(what_a_link_cannot_carry_is_refused),
		cmocka_unit_test(an_option_makes_all_links_of_a_kind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
