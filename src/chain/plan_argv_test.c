/* SPDX-License-Identifier: MIT */
/* Command lines are an interface: each word of them is held here.  Addresses are 02:HH:HH:00:II:PP
 * with HH:HH the FNV-1a hash of the chain's name (snake: 4d:ae). */
#include "plan.h"

#include "base/mem.h"

#include "plan_test.h"

/* Value of the '--vdev' of a port. */
static const char *
vdev(const struct made *made, size_t proc, int port)
{
	char *const *argv = made->plan.proc[proc].argv;

	for (; *argv != NULL; argv++)
		if (strncmp(*argv, "--vdev=", 7) == 0 && port-- == 0)
			return *argv + 7;
	fail_msg("process %zu has no such port", proc);
	return "";
}

/* ---- command lines ---- */

static void
snake_to_the_word(void **state)
{
	struct made m;

	(void)state;
	make(&m, V, &two_cpus);
	assert_int_equal(m.plan.n_procs, 2);
	check_words(m.plan.proc[0].argv,
		    "/opt/bin/nfvchain-gen --rpc ipc:///run/x/rpc --pub none "
		    "--eth-addr 0,02:4d:ae:00:00:00 --eth-addr 1,02:4d:ae:00:00:01 "
		    "--eth-dest 0,02:4d:ae:00:01:00 --eth-dest 1,02:4d:ae:00:01:01 "
		    "--queues 1 --rxd 16384 --txd 16384 --max-frame 64 -- "
		    "--lcores 0@0 --no-pci --file-prefix=gen "
		    "--vdev=net_vhost0,iface=/run/x/link0.sock,queues=1 "
		    "--vdev=net_vhost1,iface=/run/x/link1.sock,queues=1");
	check_words(m.plan.proc[1].argv,
		    "/opt/bin/nfvchain-fwd --lcores 0@1 --no-pci --file-prefix=vnf1 "
		    "--vdev=net_virtio_user0,path=/run/x/link0.sock,queues=1,queue_size=16384,"
		    "mac=02:4d:ae:00:01:00 "
		    "--vdev=net_virtio_user1,path=/run/x/link1.sock,queues=1,queue_size=16384,"
		    "mac=02:4d:ae:00:01:01 "
		    "-- --engine poll "
		    "--eth-addr 0,02:4d:ae:00:01:00 --eth-addr 1,02:4d:ae:00:01:01 "
		    "--eth-dest 0,02:4d:ae:00:00:00 --eth-dest 1,02:4d:ae:00:00:01 "
		    "--rxd 16384 --txd 16384 --rxq 1 --max-frame 64 --control /run/x/vnf1.ctl");
	unmake(&m);
}

/* Upstream listens: a hop's port 1 is the vhost back end, but for the last. */
static void
three_hops_to_the_word(void **state)
{
	struct plan_facts facts = cpus_from(2, 4);
	struct made m;

	(void)state;
	make(&m,
	     V "name: three\n"
	       "hops:\n"
	       "  - {name: a, nf: [l2fwd, 'x:1 2'], args: [--burst, 64, --idle=spin]}\n"
	       "  - {name: b, kind: testpmd, args: [--burst=64]}\n"
	       "  - {name: c}\n"
	       "traffic: {frames: imix}\n",
	     &facts);
	check_words(m.plan.proc[1].argv,
		    "/opt/bin/nfvchain-fwd --lcores 0@3 --no-pci --file-prefix=a "
		    "--vdev=net_virtio_user0,path=/run/x/link0.sock,queues=1,queue_size=16384,"
		    "mac=02:8b:45:00:01:00 "
		    "--vdev=net_vhost1,iface=/run/x/link1.sock,queues=1 "
		    "-- --engine poll --nf l2fwd --nf x:1 2 "
		    "--eth-addr 0,02:8b:45:00:01:00 --eth-addr 1,02:8b:45:00:01:01 "
		    "--eth-dest 0,02:8b:45:00:00:00 --eth-dest 1,02:8b:45:00:02:00 "
		    "--rxd 16384 --txd 16384 --rxq 1 --max-frame 1518 --control /run/x/a.ctl "
		    "--burst 64 --idle=spin");
	check_words(m.plan.proc[2].argv,
		    "dpdk-testpmd --lcores 0@4,1@4 --no-huge -m 368 --no-pci --file-prefix=b "
		    "--vdev=net_virtio_user0,path=/run/x/link1.sock,queues=1,queue_size=16384,"
		    "mac=02:8b:45:00:02:00 "
		    "--vdev=net_vhost1,iface=/run/x/link2.sock,queues=1 "
		    "-- --forward-mode=mac "
		    "--eth-peer=0,02:8b:45:00:01:01 --eth-peer=1,02:8b:45:00:03:00 "
		    "--rxd=16384 --txd=16384 --total-num-mbufs=69632 --mbuf-size=2176 --auto-start "
		    "--no-lsc-interrupt --stats-period=36000 --burst=64");
	assert_string_equal(option(&m.plan.proc[3], "--vdev"),
			    "net_virtio_user0,path=/run/x/link2.sock,queues=1,queue_size=16384,"
			    "mac=02:8b:45:00:03:00");
	unmake(&m);
}

static void
memif_to_the_word(void **state)
{
	struct made m;

	(void)state;
	make(&m, V "name: memif\nhops: [nfvchain-fwd]\nlinks: {kind: memif, ring: 16384}\n",
	     &two_cpus);
	check_words(m.plan.proc[0].argv,
		    "/opt/bin/nfvchain-gen --rpc ipc:///run/x/rpc --pub none "
		    "--eth-addr 0,02:4b:c7:00:00:00 --eth-addr 1,02:4b:c7:00:00:01 "
		    "--eth-dest 0,02:4b:c7:00:01:00 --eth-dest 1,02:4b:c7:00:01:01 "
		    "--queues 1 --rxd 16384 --txd 16384 --max-frame 64 -- "
		    "--lcores 0@0 --no-pci --file-prefix=gen "
		    "--vdev=net_memif0,role=server,id=0,socket=/run/x/link0.sock,"
		    "socket-abstract=no,rsize=14,bsize=2048,mac=02:4b:c7:00:00:00 "
		    "--vdev=net_memif1,role=server,id=0,socket=/run/x/link1.sock,"
		    "socket-abstract=no,rsize=14,bsize=2048,mac=02:4b:c7:00:00:01");
	assert_string_equal(option(&m.plan.proc[1], "--vdev"),
			    "net_memif0,role=client,id=0,socket=/run/x/link0.sock,"
			    "socket-abstract=no,rsize=14,bsize=2048,mac=02:4b:c7:00:01:00");
	unmake(&m);
}

static void
links_of_both_kinds_mix(void **state)
{
	struct made m;

	(void)state;
	make(&m,
	     V "name: mix\nhops: [nfvchain-fwd, nfvchain-fwd]\n"
	       "links: [{kind: memif, ring: 1024}, {ring: 4096}, {kind: memif, ring: 256}]\n",
	     &two_cpus);
	assert_ptr_equal(strstr(vdev(&m, 0, 0), "net_memif0,role=server,"), vdev(&m, 0, 0));
	assert_ptr_equal(strstr(vdev(&m, 1, 0), "net_memif0,role=client,"), vdev(&m, 1, 0));
	assert_string_equal(vdev(&m, 1, 1), "net_vhost1,iface=/run/x/link1.sock,queues=1");
	assert_string_equal(vdev(&m, 2, 0), "net_virtio_user0,path=/run/x/link1.sock,queues=1,"
					    "queue_size=4096,mac=02:8c:ee:00:02:00");
	assert_ptr_equal(strstr(vdev(&m, 2, 1), "net_memif1,role=client,"), vdev(&m, 2, 1));
	assert_non_null(strstr(vdev(&m, 2, 1), ",rsize=8,"));
	/* One figure for both ports of a program: the larger. */
	assert_string_equal(option(&m.plan.proc[1], "--rxd"), "4096");
	assert_string_equal(option(&m.plan.proc[0], "--txd"), "1024");
	unmake(&m);
}

static void
exec_to_the_word(void **state)
{
	struct made m;

	(void)state;
	make(&m,
	     V "name: exec\n"
	       "hops:\n"
	       "  - name: p\n"
	       "    kind: exec\n"
	       "    lcores: 2\n"
	       "    command: >-\n"
	       "      'my prog' --lcores={lcores} -m {mem} --vdev {vdev0}  --vdev=\"{vdev1}\"\n"
	       "      x{prefix}y {dest0}/{dest1} {addr0},{addr1} '' \"a\\\"b\" '$HOME' \\'q {\n",
	     &two_cpus);
	check_words(m.plan.proc[1].argv,
		    "my prog --lcores=0@1,1@1 -m 368 "
		    "--vdev net_virtio_user0,path=/run/x/link0.sock,queues=1,queue_size=16384,"
		    "mac=02:95:57:00:01:00 "
		    "--vdev=net_virtio_user1,path=/run/x/link1.sock,queues=1,queue_size=16384,"
		    "mac=02:95:57:00:01:01 "
		    "xpy 02:95:57:00:00:00/02:95:57:00:00:01 "
		    "02:95:57:00:01:00,02:95:57:00:01:01  a\"b $HOME 'q {");
	assert_string_equal(m.plan.proc[1].argv[0], "my prog");
	assert_string_equal(m.plan.proc[1].argv[10], "");
	unmake(&m);
}

/* Large frames: room in each buffer for a whole one, and everybody is told. */
static void
large_frames_get_room(void **state)
{
	struct made m;

	(void)state;
	make(&m, V "hops: [nfvchain-fwd, testpmd]\nlinks: memif\ntraffic: {frames: [64, 9216]}\n",
	     &two_cpus);
	assert_int_equal(m.plan.max_frame, 9216);
	assert_string_equal(option(&m.plan.proc[0], "--max-frame"), "9216");
	assert_string_equal(option(&m.plan.proc[1], "--max-frame"), "9216");
	assert_string_equal(option(&m.plan.proc[2], "--mbuf-size"), "9344");
	assert_string_equal(option(&m.plan.proc[2], "--max-pkt-len"), "9216");
	for (size_t i = 0; i < 3; i++)
		assert_non_null(strstr(option(&m.plan.proc[i], "--vdev"), ",bsize=9216,"));
	unmake(&m);
	make(&m, V "hops: [testpmd]\nlinks: memif\ntraffic: {frames: 2049}\n", &two_cpus);
	assert_string_equal(option(&m.plan.proc[1], "--mbuf-size"), "2240");
	assert_non_null(strstr(option(&m.plan.proc[1], "--vdev"), ",bsize=2112,"));
	unmake(&m);
	make(&m, V "hops: [testpmd]\ntraffic: {frames: 1518}\n", &two_cpus);
	assert_null(option(&m.plan.proc[1], "--max-pkt-len"));
	unmake(&m);
}

static void
a_deep_ring_gets_the_memory_it_needs(void **state)
{
	struct made m;

	(void)state;
	make(&m,
	     V "name: deep\nlinks: {ring: 32768}\n"
	       "hops: [{kind: exec, command: 'x -m {mem} {vdev0} {vdev1}'}, testpmd]\n",
	     &two_cpus);
	/* Four rings full of buffers, a page each. */
	assert_string_equal(option(&m.plan.proc[1], "-m"), "624");
	assert_string_equal(option(&m.plan.proc[2], "-m"), "624");
	assert_string_equal(option(&m.plan.proc[2], "--total-num-mbufs"), "135168");
	unmake(&m);
}

static void
queues_and_lcores_reach_the_programs(void **state)
{
	struct plan_facts facts = cpus_from(0, 8);
	struct made m;

	(void)state;
	make(&m,
	     V "hops: [{lcores: 2}, {kind: testpmd, lcores: 3, cpus: 4-6}]\nlinks: {queues: 4}\n",
	     &facts);
	assert_string_equal(option(&m.plan.proc[0], "--queues"), "4");
	assert_string_equal(option(&m.plan.proc[1], "--lcores"), "0@1,1@2");
	assert_string_equal(option(&m.plan.proc[1], "--rxq"), "4");
	assert_non_null(strstr(option(&m.plan.proc[1], "--vdev"), ",queues=4,"));
	assert_string_equal(option(&m.plan.proc[2], "--lcores"), "0@4,1@4,2@5,3@6");
	assert_string_equal(option(&m.plan.proc[2], "--nb-cores"), "3");
	assert_string_equal(option(&m.plan.proc[2], "--rxq"), "4");
	assert_string_equal(option(&m.plan.proc[2], "--txq"), "4");
	assert_false(m.plan.shared_cpus);
	unmake(&m);
}

static void
trex_tools_get_their_ports(void **state)
{
	struct plan_facts facts = two_cpus;
	struct made m;

	(void)state;
	make(&m, V, &facts);
	assert_string_equal(m.plan.rpc_endpoint, "ipc:///run/x/rpc");
	assert_null(m.plan.pub_endpoint);
	unmake(&m);
	facts.trex_ports = true;
	make(&m, V, &facts);
	assert_string_equal(m.plan.rpc_endpoint, "tcp://127.0.0.1:4501");
	assert_string_equal(m.plan.pub_endpoint, "tcp://127.0.0.1:4500");
	assert_string_equal(option(&m.plan.proc[0], "--rpc"), "tcp://127.0.0.1:4501");
	assert_string_equal(option(&m.plan.proc[0], "--pub"), "tcp://127.0.0.1:4500");
	unmake(&m);
}

/* Whoever sends over a link sends to the address that the other end has. */
static void
destinations_are_the_neighbours_addresses(void **state)
{
	struct made m;

	(void)state;
	make(&m, V "hops: [nfvchain-fwd, nfvchain-fwd]\n", &two_cpus);
	assert_memory_equal(m.plan.gen_mac[0], ((uint8_t[]){2, 0x4d, 0xae, 0, 0, 0}), 6);
	assert_memory_equal(m.plan.gen_mac[1], ((uint8_t[]){2, 0x4d, 0xae, 0, 0, 1}), 6);
	assert_memory_equal(m.plan.hop_mac[1][0], ((uint8_t[]){2, 0x4d, 0xae, 0, 2, 0}), 6);
	for (size_t i = 0; i < 2; i++) {
		const struct plan_proc *proc = &m.plan.proc[i + 1];
		char *words = NULL;
		struct str s = {0};

		for (size_t k = 0; k < proc->argc; k++)
			str_addf(&s, "%s ", proc->argv[k]);
		words = str_take(&s);
		assert_non_null(strstr(words, i == 0 ? "--eth-dest 1,02:4d:ae:00:02:00 "
						     : "--eth-dest 0,02:4d:ae:00:01:01 "));
		assert_non_null(strstr(words, i == 0 ? "--eth-dest 0,02:4d:ae:00:00:00 "
						     : "--eth-dest 1,02:4d:ae:00:00:01 "));
		free(words);
	}
	unmake(&m);
}

/* ---- limits ---- */

static void
too_many_words_are_refused(void **state)
{
	struct str text = {0};

	(void)state;
	str_addf(&text, V "hops: [{kind: exec, command: \"x {vdev0} {vdev1}");
	for (int i = 0; i < PLAN_MAX_ARGV - 5; i++)
		str_addf(&text, " w");
	{
		char *fits = xasprintf("%s\"}]\n", str_text(&text));
		struct made m;

		make(&m, fits, &two_cpus);
		assert_int_equal(m.plan.proc[1].argc, PLAN_MAX_ARGV - 2);
		assert_null(m.plan.proc[1].argv[PLAN_MAX_ARGV - 2]);
		unmake(&m);
		free(fits);
	}
	str_addf(&text, " w\"}]\n");
	{
		struct err err = {0};
		struct chain chain;

		assert_int_equal(chain_parse(&chain, "c", str_text(&text), text.len, &err),
				 -EINVAL);
		assert_non_null(strstr(err.msg, "'command' has more than 382 words"));
	}
	str_fini(&text);
}

/* The longest line that the grammar allows for our own program fits. */
static void
the_most_arguments_fit(void **state)
{
	struct err err = {0};
	struct chain_plan plan;
	struct chain chain;

	(void)state;
	chain_default(&chain, 2);
	for (size_t i = 0; i < 2; i++) {
		struct chain_hop *hop = &chain.hop[i];

		while (hop->n_nf < 8)
			hop->nf[hop->n_nf++] = xstrdup("l2fwd");
		while (hop->n_args < CHAIN_MAX_WORDS)
			hop->args[hop->n_args++] = xstrdup("-v");
	}
	assert_int_equal(chain_plan_make(&plan, &chain, &two_cpus, &err), 0);
	assert_true(plan.proc[2].argc <= PLAN_MAX_ARGV - 2);
	chain_plan_fini(&plan);
	chain_fini(&chain);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(snake_to_the_word),
		cmocka_unit_test(three_hops_to_the_word),
		cmocka_unit_test(memif_to_the_word),
		cmocka_unit_test(links_of_both_kinds_mix),
		cmocka_unit_test(exec_to_the_word),
		cmocka_unit_test(large_frames_get_room),
		cmocka_unit_test(a_deep_ring_gets_the_memory_it_needs),
		cmocka_unit_test(queues_and_lcores_reach_the_programs),
		cmocka_unit_test(trex_tools_get_their_ports),
		cmocka_unit_test(destinations_are_the_neighbours_addresses),
		cmocka_unit_test(too_many_words_are_refused),
		cmocka_unit_test(the_most_arguments_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
