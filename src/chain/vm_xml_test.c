/* SPDX-License-Identifier: MIT */
#include <unistd.h>

#include "base/proc.h"

#include "vm_test.h"

static const char head[] =
	"  <name>vm-snake-vnf1</name>\n"
	"  <uuid>6e667663-6861-8001-a0fb-a7118fe28c98</uuid>\n"
	"  <title>vnf1 of nfvchain's chain vm-snake</title>\n"
	"  <metadata>\n"
	"    <nfvchain:vm xmlns:nfvchain='urn:nfvchain:libvirt:1' chain='vm-snake' "
	"name='vnf1'/>\n"
	"  </metadata>\n"
	"  <memory unit='MiB'>1024</memory>\n"
	"  <memoryBacking><source type='memfd'/><access mode='shared'/></memoryBacking>\n";

static const char boot[] = "  <os>\n"
			   "    <type arch='x86_64' machine='q35'>hvm</type>\n"
			   "    <kernel>/img/vmlinuz</kernel>\n"
			   "    <initrd>/img/root.cpio</initrd>\n"
			   "    <cmdline>console=ttyS0 hugepages=256</cmdline>\n"
			   "  </os>\n"
			   "  <features><acpi/></features>\n";

static const char events[] = "  </cpu>\n"
			     "  <clock offset='utc'/>\n"
			     "  <on_poweroff>destroy</on_poweroff>\n"
			     "  <on_reboot>destroy</on_reboot>\n"
			     "  <on_crash>destroy</on_crash>\n"
			     "  <devices>\n"
			     "    <controller type='usb' model='none'/>\n"
			     "    <serial type='file'><source path='/run/x/vnf1.console'/><target "
			     "port='0'/></serial>\n"
			     "    <controller type='virtio-serial' index='0'/>\n"
			     "    <channel type='unix'><target type='virtio' "
			     "name='nfvchain.0'/></channel>\n";

static const char tail[] =
	"    <memballoon model='none'/>\n"
	"    <rng model='virtio'><backend model='random'>/dev/urandom</backend></rng>\n"
	"  </devices>\n";

static void
expect(const struct vm_spec *spec, const char *type, const char *cpus, const char *cpu,
       const char *nics, const char *end)
{
	char *got = vm_domain_xml(spec);
	char *want = xasprintf("<domain type=%s>\n%s%s%s%s%s%s%s%s</domain>\n", type, head, cpus,
			       boot, cpu, events, nics, tail, end);

	assert_string_equal(got, want);
	free(got);
	free(want);
}

static const char one_cpu[] = "  <vcpu placement='static'>1</vcpu>\n";
static const char maximum[] =
	"  <cpu mode='maximum'>\n"
	"    <numa><cell id='0' cpus='0' memory='1024' unit='MiB' memAccess='shared'/></numa>\n";

static void
a_domain_of_the_reference(void **state)
{
	struct vm_spec spec = plain_vm();

	(void)state;
	add_nic(&spec, network_nic(0));
	expect(&spec, "'qemu'", one_cpu, maximum,
	       "    <interface type='network'>\n"
	       "      <mac address='02:ab:cd:00:01:00'/>\n"
	       "      <source network='link-0'/>\n"
	       "      <target dev='nfvt-0'/>\n"
	       "      <model type='virtio'/>\n"
	       "      <driver queues='1' rx_queue_size='1024'/>\n"
	       "      <address type='pci' domain='0x0000' bus='0x00' slot='0x04' "
	       "function='0x0'/>\n"
	       "    </interface>\n",
	       "");
	vm_spec_fini(&spec);
}

static void
kvm_takes_the_hosts_cpu_and_vcpus_are_pinned(void **state)
{
	struct vm_spec spec = plain_vm();

	(void)state;
	spec.accel = VM_ACCEL_KVM;
	spec.vcpus = 3;
	spec.cpus = (struct chain_cpus){.cpu = {2, 5}, .n = 2};
	expect(&spec, "'kvm'",
	       "  <vcpu placement='static'>3</vcpu>\n"
	       "  <cputune>\n"
	       "    <vcpupin vcpu='0' cpuset='2'/>\n"
	       "    <vcpupin vcpu='1' cpuset='5'/>\n"
	       "    <vcpupin vcpu='2' cpuset='2'/>\n"
	       "    <emulatorpin cpuset='2,5'/>\n"
	       "  </cputune>\n",
	       "  <cpu mode='host-passthrough'>\n"
	       "    <numa><cell id='0' cpus='0-2' memory='1024' unit='MiB' "
	       "memAccess='shared'/></numa>\n",
	       "", "");
	vm_spec_fini(&spec);
}

static void
vhost_user_listens_or_connects(void **state)
{
	struct vm_spec spec = plain_vm();

	(void)state;
	add_nic(&spec, socket_nic(VM_LINK_VHOST_USER, 0, "/run/x/0", true));
	add_nic(&spec, socket_nic(VM_LINK_VHOST_USER, 1, "/run/x/1", false));
	expect(&spec, "'qemu' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'", one_cpu,
	       maximum,
	       "    <interface type='vhostuser'>\n"
	       "      <mac address='02:ab:cd:00:01:00'/>\n"
	       "      <source type='unix' path='/run/x/0' mode='server'/>\n"
	       "      <model type='virtio'/>\n"
	       "      <driver queues='1' rx_queue_size='1024' tx_queue_size='1024'/>\n"
	       "      <alias name='ua-net4'/>\n"
	       "      <address type='pci' domain='0x0000' bus='0x00' slot='0x04' "
	       "function='0x0'/>\n"
	       "    </interface>\n"
	       "    <interface type='vhostuser'>\n"
	       "      <mac address='02:ab:cd:00:01:01'/>\n"
	       "      <source type='unix' path='/run/x/1' mode='client'>"
	       "<reconnect enabled='yes' timeout='1'/></source>\n"
	       "      <model type='virtio'/>\n"
	       "      <driver queues='1' rx_queue_size='1024' tx_queue_size='1024'/>\n"
	       "      <alias name='ua-net5'/>\n"
	       "      <address type='pci' domain='0x0000' bus='0x00' slot='0x05' "
	       "function='0x0'/>\n"
	       "    </interface>\n",
	       "  <qemu:override>\n"
	       "    <qemu:device alias='ua-net4'>\n"
	       "      <qemu:frontend>\n"
	       "        <qemu:property name='vectors' type='unsigned' value='0'/>\n"
	       "      </qemu:frontend>\n"
	       "    </qemu:device>\n"
	       "    <qemu:device alias='ua-net5'>\n"
	       "      <qemu:frontend>\n"
	       "        <qemu:property name='vectors' type='unsigned' value='0'/>\n"
	       "      </qemu:frontend>\n"
	       "    </qemu:device>\n"
	       "  </qemu:override>\n");
	vm_spec_fini(&spec);
}

static void
streams_are_passed_through(void **state)
{
	struct vm_spec spec = plain_vm();

	(void)state;
	add_nic(&spec, socket_nic(VM_LINK_STREAM, 0, "/run/x/0", true));
	expect(&spec, "'qemu' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'", one_cpu,
	       maximum, "",
	       "  <qemu:commandline>\n"
	       "    <qemu:arg value='-netdev'/>\n"
	       "    <qemu:arg "
	       "value='stream,id=net0,server=on,addr.type=unix,addr.path=/run/x/0'/>\n"
	       "    <qemu:arg value='-device'/>\n"
	       "    <qemu:arg value='virtio-net-pci,netdev=net0,mac=02:ab:cd:00:01:00,bus=pcie.0,"
	       "addr=0x4,rx_queue_size=1024,tx_queue_size=256'/>\n"
	       "  </qemu:commandline>\n");
	vm_spec_fini(&spec);
}

static void
a_network_is_silent(void **state)
{
	struct vm_net net = network("link-0");
	char *xml = vm_network_xml(&net);

	(void)state;
	assert_string_equal(xml, "<network>\n"
				 "  <name>link-0</name>\n"
				 "  <uuid>6e667663-6861-8002-a0fb-a711645a4574</uuid>\n"
				 "  <bridge name='nfvb-0' stp='off' delay='0'/>\n"
				 "  <mtu size='1500'/>\n"
				 "  <dns enable='no'/>\n"
				 "</network>\n");
	free(xml);
	vm_net_fini(&net);
}

static void
texts_are_escaped(void **state)
{
	struct vm_spec spec = plain_vm();
	char *xml;

	(void)state;
	set_text(&spec.cmdline, "a=\"<&>'\"");
	set_text(&spec.console_path, "/run/it's & that");
	xml = vm_domain_xml(&spec);
	assert_non_null(strstr(xml, "<cmdline>a=&quot;&lt;&amp;&gt;&apos;&quot;</cmdline>"));
	assert_non_null(strstr(xml, "<source path='/run/it&apos;s &amp; that'/>"));
	free(xml);
	vm_spec_fini(&spec);
}

/* ---- libvirt's own opinion ---- */

#define SCHEMAS "/usr/share/libvirt/schemas/"

/* Validates 'xml', and frees it. */
static void
check_schema(const char *schema, char *xml)
{
	char path[] = "/tmp/nfvchain-xml.XXXXXX", log[] = "/tmp/nfvchain-log.XXXXXX";
	char program[] = "xmllint", noout[] = "--noout", relaxng[] = "--relaxng";
	char *argv[] = {program, noout, relaxng, xstrdup(schema), path, NULL};
	struct proc_conf conf = {.name = "xmllint", .argv = argv, .log_path = log};
	struct err err = {0};
	char words[512];
	struct proc p;

	close(mkstemp(log));
	assert_int_equal(write(mkstemp(path), xml, strlen(xml)), strlen(xml));
	if (proc_start(&p, &conf, &err) < 0)
		fail_msg("%s", err.msg);
	if (!proc_wait(&p, 30000) || p.status != 0)
		fail_msg("%s\n%s", proc_last_words(words, sizeof(words), &p), xml);
	proc_close(&p);
	unlink(path);
	unlink(log);
	free(argv[3]);
	free(xml);
}

static void
libvirts_schema_agrees(void **state)
{
	struct vm_spec spec = plain_vm();
	struct vm_net net = network("link-0");

	(void)state;
	if (access(SCHEMAS "domain.rng", R_OK) < 0 || access("/usr/bin/xmllint", X_OK) < 0) {
		print_message("libvirt's schemas or xmllint are not installed\n");
		skip();
	}
	check_schema(SCHEMAS "network.rng", vm_network_xml(&net));
	check_schema(SCHEMAS "domain.rng", vm_domain_xml(&spec));
	spec.accel = VM_ACCEL_KVM;
	spec.vcpus = 4;
	spec.cpus = (struct chain_cpus){.cpu = {0, 1}, .n = 2};
	set_text(&spec.cmdline, "a=\"<&>'\"");
	add_nic(&spec, network_nic(0));
	add_nic(&spec, socket_nic(VM_LINK_VHOST_USER, 1, "/run/it's", true));
	add_nic(&spec, socket_nic(VM_LINK_VHOST_USER, 2, "/run/x/1", false));
	add_nic(&spec, socket_nic(VM_LINK_STREAM, 3, "/run/a,b", true));
	check_schema(SCHEMAS "domain.rng", vm_domain_xml(&spec));
	set_text(&spec.initrd, NULL);
	set_text(&spec.cmdline, NULL);
	check_schema(SCHEMAS "domain.rng", vm_domain_xml(&spec));
	vm_spec_fini(&spec);
	vm_net_fini(&net);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_domain_of_the_reference),
		cmocka_unit_test(kvm_takes_the_hosts_cpu_and_vcpus_are_pinned),
		cmocka_unit_test(vhost_user_listens_or_connects),
		cmocka_unit_test(streams_are_passed_through),
		cmocka_unit_test(a_network_is_silent),
		cmocka_unit_test(texts_are_escaped),
		cmocka_unit_test(libvirts_schema_agrees),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
