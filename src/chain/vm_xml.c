/* SPDX-License-Identifier: MIT */
/* libvirt's XML.  Tests hold it word for word, and libvirt's schema judges it. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "base/units.h"

#include "vm.h"
#include "vm_parts.h"

#define QEMU_URI "http://libvirt.org/schemas/domain/qemu/1.0"

/* ---- escapes ---- */

static void
add_escaped(struct str *out, const char *text)
{
	static const char special[] = "&<>'\"";
	static const char *const entity[] = {"&amp;", "&lt;", "&gt;", "&apos;", "&quot;"};

	while (*text != '\0') {
		size_t n = strcspn(text, special);

		str_addn(out, text, n);
		text += n;
		if (*text != '\0')
			str_addf(out, "%s", entity[strchr(special, *text++) - special]);
	}
}

/* "BEFOREtextAFTER", the text escaped. */
static void
add_text(struct str *out, const char *before, const char *text, const char *after)
{
	str_addf(out, "%s", before);
	add_escaped(out, text);
	str_addf(out, "%s", after);
}

/* ---- the machine ---- */

static void
add_head(struct str *out, const struct vm_spec *spec, bool has_args)
{
	char *name = vm_domain_name(spec), uuid[VM_UUID_LEN + 1];

	vm_domain_uuid(uuid, spec->chain, spec->name);
	str_addf(out, "<domain type='%s'", spec->accel == VM_ACCEL_KVM ? "kvm" : "qemu");
	if (has_args)
		str_addf(out, " xmlns:qemu='" QEMU_URI "'");
	str_addf(out, ">\n");
	add_text(out, "  <name>", name, "</name>\n");
	str_addf(out, "  <uuid>%s</uuid>\n", uuid);
	str_addf(out, "  <title>%s of nfvchain's chain %s</title>\n", spec->name, spec->chain);
	str_addf(out,
		 "  <metadata>\n"
		 "    <nfvchain:vm xmlns:nfvchain='" VM_METADATA_URI "' chain='%s' name='%s'/>\n"
		 "  </metadata>\n",
		 spec->chain, spec->name);
	free(name);
}

static void
add_memory(struct str *out, const struct vm_spec *spec)
{
	str_addf(out,
		 "  <memory unit='MiB'>%u</memory>\n"
		 "  <memoryBacking><source type='memfd'/><access mode='shared'/></memoryBacking>\n"
		 "  <vcpu placement='static'>%u</vcpu>\n",
		 spec->memory_mb, spec->vcpus);
}

/* QEMU's threads stay on the CPUs of the plan, each vCPU on one of them as far as they go. */
static void
add_pinning(struct str *out, const struct vm_spec *spec)
{
	if (spec->cpus.n == 0)
		return;
	str_addf(out, "  <cputune>\n");
	for (unsigned i = 0; i < spec->vcpus; i++)
		str_addf(out, "    <vcpupin vcpu='%u' cpuset='%d'/>\n", i,
			 spec->cpus.cpu[i % spec->cpus.n]);
	str_addf(out, "    <emulatorpin cpuset='");
	for (size_t i = 0; i < spec->cpus.n; i++)
		str_addf(out, "%s%d", i > 0 ? "," : "", spec->cpus.cpu[i]);
	str_addf(out, "'/>\n  </cputune>\n");
}

static void
add_boot(struct str *out, const struct vm_spec *spec)
{
	str_addf(out, "  <os>\n    <type arch='x86_64' machine='q35'>hvm</type>\n");
	add_text(out, "    <kernel>", spec->kernel, "</kernel>\n");
	if (spec->initrd != NULL)
		add_text(out, "    <initrd>", spec->initrd, "</initrd>\n");
	if (spec->cmdline != NULL)
		add_text(out, "    <cmdline>", spec->cmdline, "</cmdline>\n");
	str_addf(out, "  </os>\n  <features><acpi/></features>\n");
}

static void
add_cpu(struct str *out, const struct vm_spec *spec)
{
	const char *model = spec->accel == VM_ACCEL_KVM ? "host-passthrough" : "maximum";

	str_addf(out, "  <cpu mode='%s'>\n    <numa><cell id='0' cpus='0", model);
	if (spec->vcpus > 1)
		str_addf(out, "-%u", spec->vcpus - 1);
	/* Without a cell libvirt does not share the memory. */
	str_addf(out,
		 "' memory='%u' unit='MiB' memAccess='shared'/></numa>\n"
		 "  </cpu>\n"
		 "  <clock offset='utc'/>\n"
		 "  <on_poweroff>destroy</on_poweroff>\n"
		 "  <on_reboot>destroy</on_reboot>\n"
		 "  <on_crash>destroy</on_crash>\n",
		 spec->memory_mb);
}

/* ---- devices ---- */

static void
add_network_nic(struct str *out, const struct vm_nic *nic, const char *mac)
{
	str_addf(out, "    <interface type='network'>\n      <mac address='%s'/>\n", mac);
	add_text(out, "      <source network='", nic->network, "'/>\n");
	add_text(out, "      <target dev='", nic->tap, "'/>\n");
	str_addf(out, "      <model type='%s'/>\n", vm_model_name(nic->model));
	if (nic->model == NIC_VIRTIO)
		str_addf(out, "      <driver queues='%u' rx_queue_size='%u'/>\n", nic->queues,
			 nic->ring_rx);
	else
		str_addf(out, "      <rom enabled='no'/>\n");
}

/* Has an alias, for vm_xml's own words about it below; libvirt keeps names of 'ua-' for users. */
static void
add_vhost_user_nic(struct str *out, const struct vm_nic *nic, const char *mac)
{
	str_addf(out, "    <interface type='vhostuser'>\n      <mac address='%s'/>\n", mac);
	add_text(out, "      <source type='unix' path='", nic->path, "'");
	str_addf(out, nic->listens ? " mode='server'/>\n"
				   : " mode='client'>"
				     "<reconnect enabled='yes' timeout='1'/></source>\n");
	str_addf(out,
		 "      <model type='virtio'/>\n"
		 "      <driver queues='%u' rx_queue_size='%u' tx_queue_size='%u'/>\n"
		 "      <alias name='ua-net%u'/>\n",
		 nic->queues, nic->ring_rx, nic->ring_tx, nic->slot);
}

static void
add_nic(struct str *out, const struct vm_nic *nic)
{
	char mac[18];

	if (nic->link == VM_LINK_STREAM)
		return;
	mac_print(mac, sizeof(mac), nic->mac);
	if (nic->link == VM_LINK_NETWORK)
		add_network_nic(out, nic, mac);
	else
		add_vhost_user_nic(out, nic, mac);
	str_addf(out,
		 "      <address type='pci' domain='0x0000' bus='0x00' slot='0x%02x' "
		 "function='0x0'/>\n"
		 "    </interface>\n",
		 nic->slot);
}

static void
add_devices(struct str *out, const struct vm_spec *spec)
{
	str_addf(out, "  <devices>\n    <controller type='usb' model='none'/>\n");
	add_text(out, "    <serial type='file'><source path='", spec->console_path,
		 "'/><target port='0'/></serial>\n");
	str_addf(out, "    <controller type='virtio-serial' index='0'/>\n");
	/* The path of its socket is libvirt's affair. */
	add_text(out, "    <channel type='unix'><target type='virtio' name='", spec->channel,
		 "'/></channel>\n");
	for (size_t i = 0; i < spec->n_nics; i++)
		add_nic(out, &spec->nic[i]);
	str_addf(out,
		 "    <memballoon model='none'/>\n"
		 "    <rng model='virtio'><backend model='random'>/dev/urandom</backend></rng>\n"
		 "  </devices>\n");
}

static size_t
count_nics(const struct vm_spec *spec, enum vm_link link)
{
	size_t n = 0;

	for (size_t i = 0; i < spec->n_nics; i++)
		n += spec->nic[i].link == link;
	return n;
}

/* A vhost-user NIC has no MSI-X, with libvirt as without (see vm_argv.c). */
static void
add_overrides(struct str *out, const struct vm_spec *spec)
{
	str_addf(out, "  <qemu:override>\n");
	for (size_t i = 0; i < spec->n_nics; i++) {
		if (spec->nic[i].link != VM_LINK_VHOST_USER)
			continue;
		str_addf(out,
			 "    <qemu:device alias='ua-net%u'>\n"
			 "      <qemu:frontend>\n"
			 "        <qemu:property name='vectors' type='unsigned' value='0'/>\n"
			 "      </qemu:frontend>\n"
			 "    </qemu:device>\n",
			 spec->nic[i].slot);
	}
	str_addf(out, "  </qemu:override>\n");
}

/* What libvirt has no words for goes to QEMU as it is. */
static void
add_args(struct str *out, const struct vm_spec *spec)
{
	str_addf(out, "  <qemu:commandline>\n");
	for (size_t i = 0; i < spec->n_nics; i++) {
		char *netdev, *device;

		if (spec->nic[i].link != VM_LINK_STREAM)
			continue;
		netdev = vm_stream_netdev(&spec->nic[i], i);
		device = vm_nic_device(&spec->nic[i], i);
		str_addf(out, "    <qemu:arg value='-netdev'/>\n");
		add_text(out, "    <qemu:arg value='", netdev, "'/>\n");
		str_addf(out, "    <qemu:arg value='-device'/>\n");
		add_text(out, "    <qemu:arg value='", device, "'/>\n");
		free(netdev);
		free(device);
	}
	str_addf(out, "  </qemu:commandline>\n");
}

char *
vm_domain_xml(const struct vm_spec *spec)
{
	bool has_args = count_nics(spec, VM_LINK_STREAM) > 0;
	bool has_overrides = count_nics(spec, VM_LINK_VHOST_USER) > 0;
	struct str out = {0};

	add_head(&out, spec, has_args || has_overrides);
	add_memory(&out, spec);
	add_pinning(&out, spec);
	add_boot(&out, spec);
	add_cpu(&out, spec);
	add_devices(&out, spec);
	if (has_args)
		add_args(&out, spec);
	if (has_overrides)
		add_overrides(&out, spec);
	str_addf(&out, "</domain>\n");
	return str_take(&out);
}

char *
vm_network_xml(const struct vm_net *net)
{
	char uuid[VM_UUID_LEN + 1];
	struct str out = {0};

	vm_network_uuid(uuid, net->chain, net->name);
	add_text(&out, "<network>\n  <name>", net->name, "</name>\n");
	str_addf(&out, "  <uuid>%s</uuid>\n", uuid);
	add_text(&out, "  <bridge name='", net->bridge, "' stp='off' delay='0'/>\n");
	/* Neither an address nor a forward mode: nothing but the guests speaks on it. */
	str_addf(&out, "  <mtu size='1500'/>\n  <dns enable='no'/>\n</network>\n");
	return str_take(&out);
}
