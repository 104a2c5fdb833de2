/* SPDX-License-Identifier: MIT */
/* Chains between two files: what they may be, and what runs. */
#include "plan_test.h"

#define ENDS(in, out) "links: [{kind: pcap, file: " in "}, {kind: pcap, file: " out "}]\n"

static void
refuse(const char *text, const char *message)
{
	struct err err = {0};
	struct chain chain;

	assert_int_equal(chain_parse(&chain, "c.yaml", text, strlen(text), &err), -EINVAL);
	if (strncmp(err.msg, message, strlen(message)) != 0)
		fail_msg("expected: %s\nbut was:  %s", message, err.msg);
	chain_fini(&chain);
}

static void
a_file_takes_the_place_of_the_generator(void **state)
{
	struct plan_facts facts = two_cpus;
	const struct plan_proc *first, *last;
	struct made m;
	char *text;

	(void)state;
	facts.file_max_frame = 700;
	make(&m,
	     V "hops: [nfvchain-fwd, testpmd]\n"
	       "links: [{kind: pcap, file: a b.pcap}, memif, {kind: pcap, file: o.pcap}]\n",
	     &facts);
	assert_true(chain_has_files(&m.chain));
	assert_false(plan_proc_is_here(&m.plan.proc[0]));
	assert_int_equal(m.plan.proc[0].argc, 0);
	assert_null(m.plan.rpc_endpoint);
	assert_int_equal(m.plan.max_frame, 700);
	first = &m.plan.proc[1];
	last = &m.plan.proc[2];
	assert_string_equal(option(first, "--vdev"), "net_pcap0,rx_pcap=a b.pcap");
	assert_non_null(option(first, "--paused"));
	assert_non_null(option(first, "--promiscuous"));
	assert_string_equal(option(first, "--hold"), "60s");
	assert_string_equal(option(last, "--vdev"),
			    "net_memif0,role=client,id=0,socket=/run/x/link1.sock,socket-abstract="
			    "no,rsize=14,bsize=2048,mac=02:4d:ae:00:02:00");
	/* The CPU that a generator would have is theirs. */
	assert_int_equal(first->cpus.cpu[0], 0);
	assert_int_equal(last->cpus.cpu[0], 1);
	text = chain_plan_print(&m.plan, &m.chain);
	assert_int_equal(
		strncmp(text, "a b.pcap == pcap ==> vnf1 == memif ==> vnf2 == pcap ==> o.pcap", 62),
		0);
	assert_null(strstr(text, "generator"));
	free(text);
	unmake(&m);
}

static void
what_no_file_can_be_is_refused(void **state)
{
	(void)state;
	refuse(V "links: pcap\n",
	       "c.yaml:2:8: error: a pcap link needs a 'file' ({kind: pcap, file: in.pcap})");
	refuse(V "links: {kind: memif, file: x}\n",
	       "c.yaml:2:28: error: 'file' belongs to links of kind pcap");
	refuse(V "links: [{kind: pcap, file: \"a,b\"}, memif]\n",
	       "c.yaml:2:28: error: 'file': DPDK's device arguments cannot carry a path with , [ "
	       "or "
	       "]");
	refuse(V "links: [{kind: pcap, file: x}, memif]\n",
	       "c.yaml:2:9: error: link 0 is a file and link 1 is not: a generator cannot judge");
	refuse(V "links: [memif, {kind: pcap, file: x}]\n",
	       "c.yaml:2:16: error: link 1 is a file and link 0 is not");
	refuse(V ENDS("x", "x"), "c.yaml:2:9: error: 'x' would be written while it is read");
	refuse(V "hops: [nfvchain-fwd, nfvchain-fwd]\nlinks: {kind: pcap, file: x}\n",
	       "c.yaml:3:8: error: 'x' would be written while it is read");
	refuse(V "hops: [nfvchain-fwd, nfvchain-fwd]\n"
		 "links: [{kind: pcap, file: x}, {kind: pcap, file: z}, {kind: pcap, file: y}]\n",
	       "c.yaml:3:32: error: link 1 is a file, and lies between two hops");
	refuse(V "hops: [testpmd]\n" ENDS("x", "y"), "c.yaml:3:9: error: the first hop, which "
						     "reads the file, must be an nfvchain-fwd, and "
						     "'vnf1' is testpmd");
	refuse(V "generator: {kind: trex, dir: /opt/trex}\n" ENDS("x", "y"), "c.yaml:3:9: error: ");
}

static void
a_file_is_printed_and_read_again(void **state)
{
	struct made m, again;
	char *text;

	(void)state;
	make(&m, V ENDS("in.pcap", "out.pcap"), &two_cpus);
	text = chain_print(&m.chain);
	make(&again, text, &two_cpus);
	assert_string_equal(again.chain.link[0].file, "in.pcap");
	assert_string_equal(again.chain.link[1].file, "out.pcap");
	free(text);
	unmake(&again);
	unmake(&m);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_takes_the_place_of_the_generator),
		cmocka_unit_test(what_no_file_can_be_is_refused),
		cmocka_unit_test(a_file_is_printed_and_read_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
