/* SPDX-License-Identifier: MIT */
/* Bridges of the kernel's and Open vSwitch as hops: what they may have, who sends to whom, and what
 * is started. */
#include "plan_test.h"

#include "ovs.h"
#include "plan_parts.h"

static void
refuse(const char *text, const char *message)
{
	struct err err = {0};
	struct chain chain;
	int rc = chain_parse(&chain, "c.yaml", text, strlen(text), &err);

	if (rc == 0)
		rc = chain_check(&chain, &err);
	assert_int_equal(rc, -EINVAL);
	if (strstr(err.msg, message) == NULL)
		fail_msg("expected: %s\nbut was:  %s", message, err.msg);
	chain_fini(&chain);
}

static void
what_a_bridge_cannot_have_is_refused(void **state)
{
	(void)state;
	refuse(V "hops: [linux-bridge]\n",
	       "link 0 (vhost-user) cannot end in the linux-bridge 'vnf1', which joins interfaces "
	       "of the kernel's (veth can)");
	refuse(V "hops: [linux-bridge]\nlinks: [veth, veth-xdp]\n",
	       "link 1 (veth-xdp) cannot end in the linux-bridge 'vnf1'");
	refuse(V "links: veth\nhops: [{kind: linux-bridge, cpus: [1]}]\n",
	       "'cpus' of a linux-bridge hop: the kernel forwards on the CPU of whoever sends");
	refuse(V "links: veth\nhops: [{kind: linux-bridge, lcores: 2}]\n",
	       "'lcores' of a linux-bridge hop: it has no process");
	refuse(V "links: veth\nhops: [{kind: linux-bridge, args: [x]}]\n",
	       "'args' of a linux-bridge hop: it has no program");
	refuse(V "links: veth\nhops: [{kind: linux-bridge, nf: [l2fwd]}]\n",
	       "'nf' belongs to hop kind nfvchain-fwd");
}

static void
frames_are_addressed_past_bridges(void **state)
{
	const struct chain_plan *plan;
	struct made m;

	(void)state;
	make(&m,
	     V "name: x\nlinks: veth\n"
	       "hops: [linux-bridge, linux-bridge, nfvchain-fwd, linux-bridge]\n",
	     &two_cpus);
	plan = &m.plan;
	assert_ptr_equal(plan_peer_mac(plan, &m.chain, -1, 0), plan->hop_mac[2][0]);
	assert_ptr_equal(plan_peer_mac(plan, &m.chain, 2, 0), plan->gen_mac[0]);
	assert_ptr_equal(plan_peer_mac(plan, &m.chain, 2, 1), plan->gen_mac[1]);
	assert_ptr_equal(plan_peer_mac(plan, &m.chain, -1, 1), plan->hop_mac[2][1]);
	/* And so the bridges know who is on which side. */
	for (int hop = 0; hop < 2; hop++) {
		assert_ptr_equal(plan_peer_mac(plan, &m.chain, hop, 0), plan->gen_mac[0]);
		assert_ptr_equal(plan_peer_mac(plan, &m.chain, hop, 1), plan->hop_mac[2][0]);
	}
	assert_ptr_equal(plan_peer_mac(plan, &m.chain, 3, 0), plan->hop_mac[2][1]);
	assert_ptr_equal(plan_peer_mac(plan, &m.chain, 3, 1), plan->gen_mac[1]);
	unmake(&m);

	make(&m, V "links: veth\nhops: [linux-bridge]\n", &two_cpus);
	assert_ptr_equal(plan_peer_mac(&m.plan, &m.chain, -1, 0), m.plan.gen_mac[1]);
	assert_ptr_equal(plan_peer_mac(&m.plan, &m.chain, -1, 1), m.plan.gen_mac[0]);
	unmake(&m);
}

static void
a_bridge_is_no_process_and_has_no_cpu(void **state)
{
	struct made m;

	(void)state;
	make(&m, V "links: veth\nhops: [linux-bridge, nfvchain-fwd]\n", &two_cpus);
	assert_true(m.plan.proc[1].kernels);
	assert_false(plan_proc_is_here(&m.plan.proc[1]));
	assert_int_equal(m.plan.proc[1].argc, 0);
	assert_int_equal(m.plan.proc[1].cpus.n, 0);
	assert_null(m.plan.proc[1].rt_dir);
	/* The forwarder has a CPU for itself. */
	assert_int_equal(m.plan.proc[2].cpus.cpu[0], 1);
	assert_false(m.plan.shared_cpus);
	unmake(&m);
}

/* ---- Open vSwitch ---- */

static void
what_open_vswitch_cannot_have_is_refused(void **state)
{
	(void)state;
	refuse(V "hops: [ovs-dpdk]\nlinks: veth-xdp\n",
	       "link 0 (veth-xdp) cannot end in the ovs-dpdk 'vnf1', whose buffers do not fit "
	       "AF_XDP (vhost-user and veth can)");
	refuse(V "hops: [ovs-dpdk]\nlinks: [vhost-user, memif]\n",
	       "link 1 (memif) cannot end in the ovs-dpdk 'vnf1', where it stalls when a port is "
	       "added (vhost-user and veth can)");
	refuse(V "hops: [ovs-dpdk]\nlinks: {kind: vhost-user, queues: 2}\n",
	       "link 0 has 2 queues, and a port of the ovs-dpdk 'vnf1' has one");
	refuse(V "hops: [{kind: ovs-dpdk, args: [-v]}]\n",
	       "'args' of an ovs-dpdk hop are settings of its other_config, KEY=VALUE, and '-v' is "
	       "none");
}

static void
has_line(const char *script, const char *line)
{
	if (strstr(script, line) == NULL)
		fail_msg("no '%s' in:\n%s", line, script);
}

static void
open_vswitch_is_started_by_a_script(void **state)
{
	const struct plan_proc *proc;
	struct made m;

	(void)state;
	make(&m,
	     V "name: x\nhops: [{name: ovs, kind: ovs-dpdk, args: [a=it's]}, nfvchain-fwd]\n"
	       "links: [{kind: vhost-user, ring: 2048}, vhost-user, vhost-user]\n"
	       "traffic: {frames: 9000}\n",
	     &two_cpus);
	proc = &m.plan.proc[1];
	assert_string_equal(proc->argv[0], "sh");
	assert_string_equal(proc->argv[1], "/run/x/ovs.sh");
	assert_string_equal(proc->file_path, "/run/x/ovs.sh");
	assert_string_equal(proc->ready_path, "/run/x/rt/ovs/ready");
	assert_string_equal(proc->telemetry_path, "/run/x/rt/ovs/dpdk/ovs/dpdk_telemetry.v2");
	assert_string_equal(proc->env[2], "OVS_RUNDIR=/run/x/rt/ovs");
	/* Interfaces that it makes are to be nobody else's. */
	assert_true(proc->in_ns);
	assert_false(m.plan.proc[0].in_ns);
	has_line(proc->file_text, "'other_config:dpdk-extra=\"--no-huge --legacy-mem -m 512 "
				  "--no-pci --file-prefix=ovs\"'");
	has_line(proc->file_text, "'other_config:pmd-cpu-mask=\"0x2\"'");
	has_line(proc->file_text, "other_config:pmd-maxsleep=50");
	has_line(proc->file_text, "'other_config:a=\"it'\\''s\"'");
	has_line(proc->file_text, "in_port=1,actions=mod_dl_src:02:ad:8b:00:01:01,"
				  "mod_dl_dst:02:ad:8b:00:02:00,output:2\n");
	has_line(proc->file_text, "in_port=2,actions=mod_dl_src:02:ad:8b:00:01:00,"
				  "mod_dl_dst:02:ad:8b:00:00:00,output:1\n");
	has_line(proc->file_text,
		 "p0 type=dpdk ofport_request=1 options:n_rxq_desc=2048 options:n_txq_desc=2048 "
		 "mtu_request=8982 "
		 "'options:dpdk-devargs=\"net_virtio_user0,path=/run/x/link0.sock,");
	has_line(proc->file_text,
		 "p1 type=dpdk ofport_request=2 options:n_rxq_desc=4096 options:n_txq_desc=4096 "
		 "mtu_request=8982 'options:dpdk-devargs=\"net_vhost1,iface=/run/x/link1.sock,");
	unmake(&m);
}

static void
long_frames_stay_off_its_veth_links(void **state)
{
	struct plan_facts facts = two_cpus;
	struct chain_plan plan;
	struct err err = {0};
	struct chain chain;
	static const char text[] =
		V "hops: [linux-bridge, ovs-dpdk]\nlinks: [veth, veth, vhost-user]\n"
		  "traffic: {frames: 1519}\n";

	(void)state;
	assert_int_equal(chain_parse(&chain, "c.yaml", text, strlen(text), &err), 0);
	assert_int_equal(chain_plan_make(&plan, &chain, &facts, &err), -EINVAL);
	assert_string_equal(err.msg, "chain 'snake': frames of 1519 bytes do not fit link 1: an "
				     "ovs-dpdk hop takes 1518 at most from a veth link");
	chain_fini(&chain);
}

static void
a_deeper_ring_is_warned_about(void **state)
{
	struct made m;

	(void)state;
	make(&m, V "hops: [ovs-dpdk]\n", &two_cpus);
	assert_string_equal(m.plan.warnings[0],
			    "hop 'vnf1' (ovs-dpdk) uses 4096 of the 16384 descriptors of its "
			    "links, so it holds less than others do ('ring: 4096' makes that "
			    "equal)");
	unmake(&m);
	make(&m, V "hops: [ovs-dpdk]\nlinks: {kind: vhost-user, ring: 4096}\n", &two_cpus);
	assert_null(m.plan.warnings[0]);
	unmake(&m);
}

static const char ports[] = "netdev@ovs-netdev:\n"
			    "  port 1: br0 (tap)\n"
			    "    TX packets:0 errors:0 dropped:7 aborted:0 carrier:0\n"
			    "  port 2: p0 (dpdk: configured_rx_queues=1, mtu=1500)\n"
			    "    RX packets:16 errors:0 dropped:1 overruns:? frame:?\n"
			    "    TX packets:5 errors:0 dropped:20 aborted:? carrier:?\n"
			    "  port 3: p1 (dpdk: configured_rx_queues=1, mtu=1500)\n"
			    "    TX packets:5 errors:0 dropped:3 aborted:? carrier:?\n";

static void
drops_are_read_from_what_it_prints(void **state)
{
	struct err err = {0};
	uint64_t n;

	(void)state;
	assert_int_equal(ovs_parse_ports(ports, &n, &err), 0);
	assert_int_equal(n, 23);
	assert_int_equal(ovs_parse_ports("netdev@ovs-netdev:\n", &n, &err), -EPROTO);
	assert_string_equal(err.msg, "Open vSwitch has 0 ports, not 2");
	assert_int_equal(ovs_parse_ports("p0 (dpdk: x)\n TX packets:5 errors:?", &n, &err),
			 -EPROTO);
	assert_string_equal(err.msg, "a port of Open vSwitch tells no drops");
	assert_int_equal(ovs_parse_upcalls("pmd thread numa_id 0 core_id 1:\n"
					   "  miss with failed upcall: 570\n"
					   "main thread:\n  miss with failed upcall: 1\n",
					   &n, &err),
			 0);
	assert_int_equal(n, 571);
	assert_int_equal(ovs_parse_upcalls("", &n, &err), -EPROTO);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_a_bridge_cannot_have_is_refused),
		cmocka_unit_test(frames_are_addressed_past_bridges),
		cmocka_unit_test(a_bridge_is_no_process_and_has_no_cpu),
		cmocka_unit_test(what_open_vswitch_cannot_have_is_refused),
		cmocka_unit_test(open_vswitch_is_started_by_a_script),
		cmocka_unit_test(long_frames_stay_off_its_veth_links),
		cmocka_unit_test(a_deeper_ring_is_warned_about),
		cmocka_unit_test(drops_are_read_from_what_it_prints),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
