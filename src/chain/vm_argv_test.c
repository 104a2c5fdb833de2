/* SPDX-License-Identifier: MIT */
#include "base/str.h"

#include "vm_test.h"

/* The words, one a line. */
static char *
argv_of(const struct vm_spec *spec)
{
	struct err err = {0};
	struct str s = {0};
	char **argv;

	if (vm_qemu_argv(spec, "qemu-system-x86_64", &argv, &err) < 0)
		fail_msg("%s", err.msg);
	for (char **p = argv; *p != NULL; p++)
		str_addf(&s, "%s\n", *p);
	vm_argv_free(argv);
	return str_take(&s);
}

static const char machine[] = "qemu-system-x86_64\n"
			      "-name\nguest=vm-snake-vnf1,debug-threads=on\n"
			      "-nodefaults\n-no-user-config\n-no-reboot\n"
			      "-display\nnone\n"
			      "-machine\nq35,memory-backend=mem\n";

static const char rest[] =
	"-smp\n1\n-m\n1024\n"
	"-object\nmemory-backend-memfd,id=mem,size=1024M,share=on\n"
	"-kernel\n/img/vmlinuz\n-initrd\n/img/root.cpio\n"
	"-append\nconsole=ttyS0 hugepages=256\n"
	"-chardev\nfile,id=console,path=/run/x/vnf1.console\n-serial\nchardev:console\n"
	"-chardev\nsocket,id=channel,path=/run/x/vnf1.channel,server=on,wait=off\n"
	"-device\nvirtio-serial-pci,id=serial,bus=pcie.0,addr=0x3\n"
	"-device\nvirtserialport,bus=serial.0,chardev=channel,name=nfvchain.0\n"
	"-chardev\nsocket,id=monitor,path=/run/x/vnf1.qmp,server=on,wait=off\n"
	"-mon\nchardev=monitor,mode=control\n"
	"-device\nvirtio-rng-pci,bus=pcie.0,addr=0x2\n";

static void
expect(const struct vm_spec *spec, const char *accel, const char *nics)
{
	char *got = argv_of(spec);
	char *want = xasprintf("%s%s%s%s", machine, accel, rest, nics);

	assert_string_equal(got, want);
	free(got);
	free(want);
}

static void
emulation_and_kvm_differ_in_two_words(void **state)
{
	struct vm_spec spec = plain_vm();

	(void)state;
	expect(&spec, "-accel\ntcg,thread=multi\n-cpu\nmax\n", "");
	spec.accel = VM_ACCEL_KVM;
	expect(&spec, "-accel\nkvm\n-cpu\nhost\n", "");
	vm_spec_fini(&spec);
}

static void
links_are_sockets(void **state)
{
	struct vm_spec spec = plain_vm();

	(void)state;
	add_nic(&spec, socket_nic(VM_LINK_VHOST_USER, 0, "/run/x/link0.sock", true));
	add_nic(&spec, socket_nic(VM_LINK_VHOST_USER, 1, "/run/x/link1.sock", false));
	add_nic(&spec, socket_nic(VM_LINK_STREAM, 2, "/run/x/link2.sock", true));
	add_nic(&spec, socket_nic(VM_LINK_STREAM, 3, "/run/x/link3.sock", false));
	spec.nic[1].queues = 2;
	expect(&spec, "-accel\ntcg,thread=multi\n-cpu\nmax\n",
	       "-chardev\nsocket,id=vhost0,path=/run/x/link0.sock,server=on,wait=off\n"
	       "-netdev\nvhost-user,id=net0,chardev=vhost0,queues=1\n"
	       "-device\nvirtio-net-pci,netdev=net0,mac=02:ab:cd:00:01:00,bus=pcie.0,addr=0x4,"
	       "rx_queue_size=1024,tx_queue_size=1024,vectors=0\n"
	       "-chardev\nsocket,id=vhost1,path=/run/x/link1.sock,server=off,reconnect=1\n"
	       "-netdev\nvhost-user,id=net1,chardev=vhost1,queues=2\n"
	       "-device\nvirtio-net-pci,netdev=net1,mac=02:ab:cd:00:01:01,bus=pcie.0,addr=0x5,"
	       "rx_queue_size=1024,tx_queue_size=1024,mq=on,vectors=0\n"
	       "-netdev\nstream,id=net2,server=on,addr.type=unix,addr.path=/run/x/link2.sock\n"
	       "-device\nvirtio-net-pci,netdev=net2,mac=02:ab:cd:00:01:02,bus=pcie.0,addr=0x6,"
	       "rx_queue_size=1024,tx_queue_size=256\n"
	       "-netdev\nstream,id=net3,server=off,addr.type=unix,addr.path=/run/x/link3.sock\n"
	       "-device\nvirtio-net-pci,netdev=net3,mac=02:ab:cd:00:01:03,bus=pcie.0,addr=0x7,"
	       "rx_queue_size=1024,tx_queue_size=256\n");
	vm_spec_fini(&spec);
}

static void
commas_stay_in_their_values(void **state)
{
	struct vm_spec spec = plain_vm();
	char *got;

	(void)state;
	set_text(&spec.console_path, "/run/a,b/c,d");
	add_nic(&spec, socket_nic(VM_LINK_STREAM, 0, "/run/a,server=on", false));
	got = argv_of(&spec);
	assert_non_null(strstr(got, "file,id=console,path=/run/a,,b/c,,d\n"));
	assert_non_null(strstr(got, "addr.path=/run/a,,server=on\n"));
	free(got);
	vm_spec_fini(&spec);
}

static void
networks_are_libvirts(void **state)
{
	struct vm_spec spec = plain_vm();
	struct err err = {0};
	char **argv;

	(void)state;
	add_nic(&spec, network_nic(0));
	assert_int_equal(vm_qemu_argv(&spec, "qemu", &argv, &err), -EINVAL);
	assert_null(argv);
	assert_string_equal(err.msg, "VM 'vnf1': NIC 0 is of network 'link-0', and only libvirt "
				     "makes those (links of kind stream need no libvirt)");
	vm_spec_fini(&spec);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(emulation_and_kvm_differ_in_two_words),
		cmocka_unit_test(links_are_sockets),
		cmocka_unit_test(commas_stay_in_their_values),
		cmocka_unit_test(networks_are_libvirts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
