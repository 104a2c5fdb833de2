/* SPDX-License-Identifier: MIT */
#include "plan_test.h"

#include "base/mem.h"

#define REFERENCE            \
	V "name: vm-snake\n" \
	  "generator: {place: vm}\nhops: [{name: vnf1, place: vm}]\nlinks: network\n"
#define FAST V "name: fast\nhops: [{name: vnf1, place: vm}]\n"

static struct plan_facts
with_image(void)
{
	struct plan_facts facts = two_cpus;

	facts.guest_kernel = "/img/kernel";
	facts.guest_initrd = "/img/initrd";
	facts.accel = (struct vm_accel_choice){.accel = VM_ACCEL_TCG, .why = "no KVM"};
	return facts;
}

/* The place of every line, the order of the table, and each address. */
static void
people_see_the_reference(void **state)
{
	struct plan_facts facts = with_image();
	struct made m;
	char *text;

	(void)state;
	make(&m, REFERENCE, &facts);
	text = chain_plan_print(&m.plan, &m.chain);
	assert_string_equal(
		text, "gen:0 == network ==> vnf1 == network ==> gen:1\n"
		      "\n"
		      "name       kind          engine    CPUs      lcores\n"
		      "generator  nfvchain-gen            0         0@0\n"
		      "vnf1       nfvchain-fwd  poll      1         0@0\n"
		      "\n"
		      "link  kind         ring  queues   MTU  buffers        between\n"
		      "0     network      1024       1  1500    2048 x 2048  link-0\n"
		      "1     network      1024       1  1500    2048 x 2048  link-1\n"
		      "\n"
		      "VMs: libvirt at qemu:///system, accelerator tcg (no KVM)\n"
		      "generator  1 vCPU on CPU 0, 1024 MiB, console /run/x/generator.console\n"
		      "  port 0  00:04.0  02:f2:ea:00:00:00  network link-0, device nfvf2ea-0-0\n"
		      "  port 1  00:05.0  02:f2:ea:00:00:01  network link-1, device nfvf2ea-0-1\n"
		      "vnf1  1 vCPU on CPU 1, 1024 MiB, console /run/x/vnf1.console\n"
		      "  port 0  00:04.0  02:f2:ea:00:01:00  network link-0, device nfvf2ea-1-0\n"
		      "  port 1  00:05.0  02:f2:ea:00:01:01  network link-1, device nfvf2ea-1-1\n"
		      "networks: link-0 (bridge nfvf2ea-b0), link-1 (bridge nfvf2ea-b1)\n");
	free(text);
	unmake(&m);
}

static void
programs_in_guests_know_guests_devices(void **state)
{
	struct plan_facts facts = with_image();
	struct made m;

	(void)state;
	make(&m, REFERENCE, &facts);
	assert_true(m.plan.proc[0].in_vm && m.plan.proc[1].in_vm);
	check_words(m.plan.proc[1].argv,
		    "nfvchain-fwd --lcores 0@0 -a 0000:00:04.0 -a 0000:00:05.0 --file-prefix=vnf1 "
		    "-- --engine poll --eth-addr 0,02:f2:ea:00:01:00 --eth-addr "
		    "1,02:f2:ea:00:01:01 --eth-dest 0,02:f2:ea:00:00:00 --eth-dest "
		    "1,02:f2:ea:00:00:01 --rxd 1024 --txd 256 --rxq 1 --max-frame 64 --control "
		    "/run/nfvchain/vnf1.ctl");
	check_words(m.plan.proc[1].env, "NFVCHAIN_ID=vm-snake/vnf1");
	assert_string_equal(m.plan.proc[0].argv[0], "nfvchain-gen");
	assert_string_equal(option(&m.plan.proc[0], "--rpc"), "tcp://127.0.0.1:4501");
	assert_null(m.plan.proc[0].listens[0]);
	unmake(&m);
}

/* Its queues are those of the NIC, and its telemetry lies where the agent lets it be asked. */
static void
testpmd_runs_in_a_guest(void **state)
{
	struct plan_facts facts = with_image();
	struct made m;

	(void)state;
	facts.testpmd = "/opt/dpdk-testpmd";
	make(&m,
	     V "generator: {place: vm}\nhops: [{name: p, kind: testpmd, place: vm}]\n"
	       "links: stream\n",
	     &facts);
	check_words(m.plan.proc[1].argv,
		    "dpdk-testpmd --lcores 0@0,1@0 -a 0000:00:04.0 -a 0000:00:05.0 "
		    "--file-prefix=p -- --forward-mode=mac --eth-peer=0,02:4d:ae:00:00:00 "
		    "--eth-peer=1,02:4d:ae:00:00:01 --rxd=1024 --txd=256 "
		    "--total-num-mbufs=8192 --mbuf-size=2176 --auto-start --no-lsc-interrupt "
		    "--stats-period=36000");
	check_words(m.plan.proc[1].env, "NFVCHAIN_ID=snake/p RUNTIME_DIRECTORY=/run/nfvchain");
	assert_null(m.plan.proc[1].control_path);
	assert_string_equal(m.plan.proc[1].telemetry_path,
			    "/run/nfvchain/dpdk/p/dpdk_telemetry.v2");
	unmake(&m);
}

/* Else the second to come up would take the first for what an earlier run left. */
static void
chains_that_are_up_at_once_are_told_apart(void **state)
{
	struct plan_facts facts = with_image();
	struct made m;

	(void)state;
	make(&m, FAST, &facts);
	assert_string_equal(m.plan.vm[0].spec.chain, "fast");
	unmake(&m);
	facts.arm = 'b';
	make(&m, FAST, &facts);
	assert_string_equal(m.plan.vm_chain, "fast-b");
	assert_string_equal(m.plan.vm[0].spec.chain, "fast-b");
	unmake(&m);
}

/* QEMU makes the sockets, and the generator's vhost is the one that connects. */
static void
qemu_listens_to_processes(void **state)
{
	struct plan_facts facts = with_image();
	const struct vm_spec *spec;
	struct made m;

	(void)state;
	make(&m, FAST, &facts);
	assert_int_equal(m.plan.n_vms, 1);
	assert_int_equal(m.plan.n_nets, 0);
	assert_null(m.plan.connect);
	spec = &m.plan.vm[0].spec;
	for (int port = 0; port < 2; port++) {
		char *vdev = xasprintf("net_vhost%d,iface=/run/x/link%d.sock,queues=1,client=1",
				       port, port);
		bool found = false;

		assert_true(spec->nic[port].listens);
		assert_int_equal(spec->nic[port].link, VM_LINK_VHOST_USER);
		assert_int_equal(spec->nic[port].ring_tx, 1024);
		assert_null(m.plan.proc[0].listens[port]);
		for (size_t i = 0; i < m.plan.proc[0].argc; i++)
			found |= strncmp(m.plan.proc[0].argv[i], "--vdev=", 7) == 0 &&
				 strcmp(m.plan.proc[0].argv[i] + 7, vdev) == 0;
		assert_true(found);
		free(vdev);
	}
	unmake(&m);
}

/* One listener for each stream, the generator at both of its own. */
static void
streams_have_one_listener(void **state)
{
	struct plan_facts facts = with_image();
	struct made m;

	(void)state;
	make(&m, V "generator: {place: vm}\nhops: [{place: vm}, {place: vm}]\nlinks: stream\n",
	     &facts);
	assert_int_equal(m.plan.n_vms, 3);
	for (size_t link = 0; link < 3; link++) {
		char *path = xasprintf("/run/x/link%zu.sock", link);
		int n_listen = 0, n = 0;

		for (size_t v = 0; v < m.plan.n_vms; v++)
			for (int port = 0; port < 2; port++) {
				const struct vm_nic *nic = &m.plan.vm[v].spec.nic[port];

				if (strcmp(nic->path, path) != 0)
					continue;
				n++;
				n_listen += nic->listens;
			}
		assert_int_equal(n, 2);
		assert_int_equal(n_listen, 1);
		free(path);
	}
	assert_true(m.plan.vm[0].spec.nic[0].listens && m.plan.vm[0].spec.nic[1].listens);
	unmake(&m);
}

static void
a_uri_means_libvirt(void **state)
{
	struct plan_facts facts = with_image();
	struct made m;

	(void)state;
	facts.connect = "qemu:///session";
	make(&m, FAST, &facts);
	assert_string_equal(m.plan.connect, "qemu:///session");
	unmake(&m);
}

static void
what_is_told_can_be_seen(void **state)
{
	struct plan_facts facts = with_image();
	struct made m;
	json_t *json;
	char *text;

	(void)state;
	facts.verbose = true;
	make(&m, REFERENCE, &facts);
	text = chain_plan_print(&m.plan, &m.chain);
	assert_non_null(
		strstr(text, "\n# in the VM vnf1:\nNFVCHAIN_ID=vm-snake/vnf1 nfvchain-fwd "));
	assert_non_null(strstr(text, "\n<network>\n  <name>link-0</name>\n"));
	assert_non_null(strstr(text, "\n<domain type='qemu'>\n  <name>vm-snake-vnf1</name>\n"));
	free(text);
	json = chain_plan_to_json(&m.plan, &m.chain);
	assert_int_equal(json_array_size(json_object_get(json, "vms")), 2);
	assert_int_equal(json_array_size(json_object_get(json, "networks")), 2);
	assert_string_equal(
		json_string_value(json_object_get(json_object_get(json, "accelerator"), "used")),
		"tcg");
	json_decref(json);
	unmake(&m);
}

static void
a_nic_is_of_the_model_that_is_asked_for(void **state)
{
	struct plan_facts facts = with_image();
	struct made m;
	char *text;

	(void)state;
	facts.verbose = true;
	make(&m,
	     V "name: e\ngenerator: {place: vm}\nhops: [{name: vnf1, place: vm}]\n"
	       "links: [{kind: stream, model: e1000}, {kind: stream, model: e1000e}]\n",
	     &facts);
	text = chain_plan_print(&m.plan, &m.chain);
	assert_non_null(strstr(text, " e1000,netdev=net0,mac=02:"));
	assert_non_null(strstr(text, " e1000e,netdev=net1,mac=02:"));
	assert_null(strstr(text, "virtio-net-pci"));
	free(text);
	unmake(&m);
	make(&m,
	     V "name: e\ngenerator: {place: vm}\nhops: [{name: vnf1, place: vm}]\n"
	       "links: {kind: network, model: e1000}\n",
	     &facts);
	text = chain_plan_print(&m.plan, &m.chain);
	assert_non_null(strstr(text, "<model type='e1000'/>\n      <rom enabled='no'/>\n"));
	free(text);
	unmake(&m);
}

static void
without_an_image_there_are_no_vms(void **state)
{
	struct chain_plan plan;
	struct chain chain;
	struct err err = {0};

	(void)state;
	assert_int_equal(chain_parse(&chain, "c.yaml", FAST, strlen(FAST), &err), 0);
	assert_true(chain_plan_make(&plan, &chain, &two_cpus, &err) < 0);
	assert_int_equal(err.class, ERR_MACHINE);
	chain_fini(&chain);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(people_see_the_reference),
		cmocka_unit_test(testpmd_runs_in_a_guest),
		cmocka_unit_test(chains_that_are_up_at_once_are_told_apart),
		cmocka_unit_test(programs_in_guests_know_guests_devices),
		cmocka_unit_test(qemu_listens_to_processes),
		cmocka_unit_test(streams_have_one_listener),
		cmocka_unit_test(a_uri_means_libvirt),
		cmocka_unit_test(what_is_told_can_be_seen),
		cmocka_unit_test(a_nic_is_of_the_model_that_is_asked_for),
		cmocka_unit_test(without_an_image_there_are_no_vms),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
