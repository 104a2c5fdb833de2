/* SPDX-License-Identifier: MIT */
#include "vm_test.h"

static void
refused(const struct vm_spec *spec, const char *why)
{
	struct err err = {0};

	assert_int_equal(vm_spec_check(spec, &err), -EINVAL);
	assert_int_equal(err.class, ERR_USAGE);
	assert_string_equal(err.msg, why);
}

static void
a_good_machine_passes(void **state)
{
	struct vm_spec spec = plain_vm();
	struct err err = {0};

	(void)state;
	add_nic(&spec, network_nic(0));
	add_nic(&spec, socket_nic(VM_LINK_VHOST_USER, 1, "/run/x/1", true));
	if (vm_spec_check(&spec, &err) < 0)
		fail_msg("%s", err.msg);
	vm_spec_fini(&spec);
}

static void
texts_that_nobody_can_pass_on_are_refused(void **state)
{
	struct vm_spec spec = plain_vm();

	(void)state;
	set_text(&spec.name, "a b");
	refused(&spec, "VM name 'a b' has other characters than letters, digits, - and _");
	set_text(&spec.name, "vnf1");
	set_text(&spec.cmdline, "quiet\nroot");
	refused(&spec, "VM 'vnf1': the kernel's command line has a control character");
	set_text(&spec.cmdline, "quiet");
	set_text(&spec.kernel, "vmlinuz");
	refused(&spec, "VM 'vnf1': kernel 'vmlinuz' is no absolute path");
	set_text(&spec.kernel, "/vmlinuz");
	set_text(&spec.channel, "");
	refused(&spec, "VM 'vnf1': its channel needs a name");
	vm_spec_fini(&spec);
}

static void
sizes_have_limits(void **state)
{
	struct vm_spec spec = plain_vm();

	(void)state;
	spec.memory_mb = 32;
	refused(&spec, "VM 'vnf1': memory of 32 MiB is not from 64 to 1048576 MiB");
	spec.memory_mb = 256;
	spec.vcpus = 0;
	refused(&spec, "VM 'vnf1': 0 vCPUs: a VM has 1 to 64");
	vm_spec_fini(&spec);
}

static void
nics_do_not_collide(void **state)
{
	struct vm_spec spec = plain_vm();

	(void)state;
	add_nic(&spec, network_nic(0));
	add_nic(&spec, network_nic(1));
	spec.nic[1].slot = spec.nic[0].slot;
	refused(&spec, "VM 'vnf1': NIC 1: PCI slot 4 is another NIC's too");
	spec.nic[1].slot = 3;
	refused(&spec, "VM 'vnf1': NIC 1: PCI slot 3 is not from 4 to 23");
	spec.nic[1].slot = 5;
	spec.nic[1].mac[5] = 0;
	refused(&spec, "VM 'vnf1': NIC 1: its MAC address is another NIC's too");
	spec.nic[1].mac[0] = 3;
	refused(&spec, "VM 'vnf1': NIC 1: its MAC address is a group's");
	vm_spec_fini(&spec);
}

static void
queues_are_what_qemu_has(void **state)
{
	struct vm_spec spec = plain_vm();

	(void)state;
	add_nic(&spec, network_nic(0));
	spec.nic[0].ring_rx = 2048;
	refused(&spec, "VM 'vnf1': NIC 0: receive queue of 2048 descriptors: QEMU has powers of "
		       "two from 256 to 1024");
	spec.nic[0].ring_rx = 512;
	spec.nic[0].ring_tx = 512;
	refused(&spec, "VM 'vnf1': NIC 0: transmit queue of 512 descriptors: QEMU has powers of "
		       "two from 256 to 256");
	spec.nic[0].queues = 0;
	refused(&spec, "VM 'vnf1': NIC 0: 0 queues: there can be 1 to 16");
	vm_spec_fini(&spec);
}

static void
names_of_devices_are_short(void **state)
{
	struct vm_spec spec = plain_vm();
	struct vm_net net = network("link-0");
	struct err err = {0};

	(void)state;
	add_nic(&spec, network_nic(0));
	set_text(&spec.nic[0].tap, "sixteen-letters-");
	refused(&spec, "VM 'vnf1': NIC 0: device 'sixteen-letters-' is longer than 15 characters");
	set_text(&net.bridge, "sixteen-letters-");
	assert_int_equal(vm_net_check(&net, &err), -EINVAL);
	assert_string_equal(err.msg, "bridge 'sixteen-letters-' is longer than 15 characters");
	vm_spec_fini(&spec);
	vm_net_fini(&net);
}

/* Who made it can be read off a UUID, and off nobody else's. */
static void
uuids_say_whose_they_are(void **state)
{
	char a[VM_UUID_LEN + 1], b[VM_UUID_LEN + 1], c[VM_UUID_LEN + 1];

	(void)state;
	vm_network_uuid(a, "vm-snake", "link-0");
	vm_network_uuid(b, "vm-snake", "link-1");
	vm_domain_uuid(c, "other", "link-0");
	assert_string_equal(a, "6e667663-6861-8002-a0fb-a711645a4574");
	assert_string_not_equal(a, b);
	assert_true(vm_uuid_is_ours(a, NULL));
	assert_true(vm_uuid_is_ours(a, "vm-snake"));
	assert_true(vm_uuid_is_ours(b, "vm-snake"));
	assert_false(vm_uuid_is_ours(c, "vm-snake"));
	assert_true(vm_uuid_is_ours(c, "other"));
	assert_true(vm_uuid_is_ours("6E667663-6861-8002-A0FB-A711645A4574", "vm-snake"));
	assert_false(vm_uuid_is_ours("b3a8d8c0-51b9-4e6c-9f9f-2f6a3d1f0c11", NULL));
	assert_false(vm_uuid_is_ours("", NULL));
}

static void
metadata_names_the_chain(void **state)
{
	char *chain = vm_domain_chain("<vm chain=\"vm-snake\" name=\"vnf1\"/>");

	(void)state;
	assert_string_equal(chain, "vm-snake");
	free(chain);
	assert_null(vm_domain_chain("<vm name='vnf1'/>"));
	assert_null(vm_domain_chain("<vm chain='cut"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_machine_passes),
		cmocka_unit_test(texts_that_nobody_can_pass_on_are_refused),
		cmocka_unit_test(sizes_have_limits),
		cmocka_unit_test(nics_do_not_collide),
		cmocka_unit_test(queues_are_what_qemu_has),
		cmocka_unit_test(names_of_devices_are_short),
		cmocka_unit_test(uuids_say_whose_they_are),
		cmocka_unit_test(metadata_names_the_chain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
