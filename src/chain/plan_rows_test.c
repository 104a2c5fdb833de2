/* SPDX-License-Identifier: MIT */
/* Hops that rings join: one process, one command line, and who has which lcore. */
#include "plan_parts.h"

#include "plan_test.h"

static void
a_row_to_the_word(void **state)
{
	struct made m;

	(void)state;
	make(&m,
	     V "name: three\nhops: [{name: a, args: [--burst, 64]}, {name: b, nf: [wire]}, {name: "
	       "c}]\nlinks: [memif, {kind: ring, ring: 64}, vhost-user, memif]\n",
	     &two_cpus);
	assert_int_equal(m.plan.n_procs, 4);
	check_words(m.plan.proc[1].argv,
		    "/opt/bin/nfvchain-fwd --lcores 0@1 --no-pci --file-prefix=a "
		    "--vdev=net_memif0,role=client,id=0,socket=/run/x/link0.sock,"
		    "socket-abstract=no,rsize=14,bsize=2048,mac=02:8b:45:00:01:00 "
		    "--vdev=net_vhost1,iface=/run/x/link2.sock,queues=1 "
		    "-- --hop a --lcore-mask 0x1 --hop-ring 64 --engine poll "
		    "--eth-addr 0,02:8b:45:00:01:00 --eth-addr 1,02:8b:45:00:01:01 "
		    "--eth-dest 0,02:8b:45:00:00:00 --eth-dest 1,02:8b:45:00:02:00 "
		    "--rxd 16384 --txd 16384 --rxq 1 --max-frame 64 --control /run/x/a.ctl "
		    "--idle yield --burst 64 "
		    "--hop b --lcore-mask 0x1 --engine poll --nf wire "
		    "--eth-addr 0,02:8b:45:00:02:00 --eth-addr 1,02:8b:45:00:02:01 "
		    "--eth-dest 0,02:8b:45:00:01:01 --eth-dest 1,02:8b:45:00:03:00 "
		    "--rxd 16384 --txd 16384 --rxq 1 --max-frame 64 --control /run/x/b.ctl "
		    "--idle yield");
	/* The whole process is known by all of them. */
	check_words(m.plan.proc[1].env, "RUNTIME_DIRECTORY=/run/x/rt/a NFVCHAIN_ID=three/a+b");
	assert_string_equal(m.plan.proc[1].log_path, "/run/x/a+b.log");
	assert_string_equal(m.plan.proc[1].listens[0], "/run/x/link2.sock");
	assert_int_equal(m.plan.proc[2].argc, 0);
	assert_true(plan_proc_is_fused(&m.plan.proc[2]));
	assert_false(plan_proc_is_here(&m.plan.proc[2]));
	assert_int_equal(plan_runner(&m.plan, 2), 1);
	assert_int_equal(plan_runner(&m.plan, 3), 3);
	assert_string_equal(m.plan.proc[2].control_path, "/run/x/b.ctl");
	unmake(&m);
}

static const char *
lcores_of(struct made *m, const char *text, size_t n_cpus, char *masks, size_t size)
{
	struct plan_facts facts = cpus_from(0, n_cpus);
	struct str s = {0};

	make(m, text, &facts);
	for (int i = 0; i < (int)m->chain.n_hops; i++)
		str_addf(&s, "%s%lx", i > 0 ? " " : "",
			 (unsigned long)plan_lcore_mask(&m->plan, &m->chain, i));
	str_copy(masks, size, str_text(&s));
	str_fini(&s);
	return option(&m->plan.proc[1], "--lcores");
}

/* One lcore for those that poll on one CPU, else each has its own. */
static void
lcores_follow_the_cpus(void **state)
{
	static const struct {
		const char *text;
		size_t n_cpus;
		const char *lcores, *masks;
	} cases[] = {
		{V "hops: [nfvchain-fwd, nfvchain-fwd, nfvchain-fwd]\nlinks: ring\n", 2, "0@1",
		 "1 1 1"},
		{V "hops: [nfvchain-fwd, nfvchain-fwd, nfvchain-fwd]\nlinks: ring\n", 4,
		 "0@1,1@2,2@3", "1 2 4"},
		{V "hops: [nfvchain-fwd, nfvchain-fwd, nfvchain-fwd, nfvchain-fwd]\nlinks: ring\n",
		 3, "0@1,1@2", "1 1 2 2"},
		{V "hops: [{cpus: [2]}, {cpus: [3]}, {cpus: [2]}]\nlinks: ring\n", 4, "0@2,1@3",
		 "1 2 1"},
		{V "hops: [nfvchain-fwd, {engine: event}, nfvchain-fwd]\nlinks: ring\n", 2,
		 "0@1,1@1", "1 2 1"},
		{V "hops: [{lcores: 2}, nfvchain-fwd]\nlinks: ring\n", 2, "0@1,1@1,2@1", "3 4"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct made m;
		char masks[64];

		assert_string_equal(lcores_of(&m, cases[i].text, cases[i].n_cpus, masks, 64),
				    cases[i].lcores);
		assert_string_equal(masks, cases[i].masks);
		unmake(&m);
	}
}

/* The process may run where any of its hops may. */
static void
a_row_has_the_cpus_of_all(void **state)
{
	struct plan_facts facts = cpus_from(0, 4);
	struct made m;
	char *text;

	(void)state;
	make(&m, V "hops: [{cpus: [2]}, {cpus: [3]}]\nlinks: ring\n", &facts);
	assert_int_equal(m.plan.proc[1].cpus.n, 2);
	assert_int_equal(plan_own_cpus(&m.plan.proc[1])->n, 1);
	assert_int_equal(plan_own_cpus(&m.plan.proc[2])->cpu[0], 3);
	assert_false(plan_shares_cpu(&m.plan, &m.chain, 0));
	text = chain_plan_print(&m.plan, &m.chain);
	assert_non_null(strstr(text, "\nvnf1 to vnf2 are one process: rings join them, and where "
				     "they share a lcore bursts go from hand to hand\n"));
	free(text);
	unmake(&m);
}

/* Sixteen hops fit a command line, and have a name that fits a file's. */
static void
the_longest_row(void **state)
{
	struct chain chain;
	struct chain_plan plan;
	struct err err = {0};

	(void)state;
	chain_default(&chain, 16);
	assert_int_equal(chain_set_links(&chain, "ring", &err), 0);
	if (chain_plan_make(&plan, &chain, &two_cpus, &err) < 0)
		fail_msg("%s", err.msg);
	assert_string_equal(plan.proc[1].log_path,
			    "/run/x/vnf1+vnf2+vnf3+vnf4+vnf5+vnf6+vnf7+vnf8+vnf9+vnf10+vnf11+vnf12+"
			    "vnf13+vnf14+vnf15+vnf16.log");
	assert_false(plan_shares_cpu(&plan, &chain, 7));
	chain_plan_fini(&plan);
	chain_fini(&chain);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_row_to_the_word),
		cmocka_unit_test(lcores_follow_the_cpus),
		cmocka_unit_test(a_row_has_the_cpus_of_all),
		cmocka_unit_test(the_longest_row),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
