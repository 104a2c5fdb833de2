/* SPDX-License-Identifier: MIT */
/* The command line of QEMU without libvirt.  Tests hold every word of it. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "base/units.h"

#include "vm.h"
#include "vm_parts.h"

#define MAX_WORDS 128

/* Emulated by QEMU 7.2, a vhost-user NIC with MSI-X ends it by a null pointer as soon as the
 * guest's kernel sets up an interrupt.  A plain interrupt is what uio_pci_generic wants anyway, and
 * who polls takes none. */
#define NO_MSIX ",vectors=0"

struct words {
	char **argv;
	size_t n;
};

static void __attribute__((format(printf, 2, 3))) add(struct words *w, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	/* What a VM with all its NICs needs is far below the limit. */
	if (w->n < MAX_WORDS)
		w->argv[w->n++] = xvasprintf(fmt, ap);
	va_end(ap);
}

/* A text as QEMU's option values take it: a comma is written twice. */
static char *
option_value(const char *text)
{
	struct str s = {0};

	str_addn(&s, "", 0);
	for (; *text != '\0'; text++)
		str_addf(&s, *text == ',' ? ",," : "%c", *text);
	return str_take(&s);
}

char *
vm_stream_netdev(const struct vm_nic *nic, size_t i)
{
	char *path = option_value(nic->path);
	char *text = xasprintf("stream,id=net%zu,server=%s,addr.type=unix,addr.path=%s", i,
			       nic->listens ? "on" : "off", path);

	free(path);
	return text;
}

char *
vm_nic_device(const struct vm_nic *nic, size_t i)
{
	char mac[18];

	mac_print(mac, sizeof(mac), nic->mac);
	/* The firmware would start from the network first, for a long time. */
	if (nic->model != NIC_VIRTIO)
		return xasprintf("%s,netdev=net%zu,mac=%s,bus=pcie.0,addr=0x%x,romfile=",
				 vm_model_name(nic->model), i, mac, nic->slot);
	return xasprintf("virtio-net-pci,netdev=net%zu,mac=%s,bus=pcie.0,addr=0x%x,"
			 "rx_queue_size=%u,tx_queue_size=%u%s%s",
			 i, mac, nic->slot, nic->ring_rx, nic->ring_tx,
			 nic->queues > 1 ? ",mq=on" : "",
			 nic->link == VM_LINK_VHOST_USER ? NO_MSIX : "");
}

static void
add_vhost_user(struct words *w, const struct vm_nic *nic, size_t i)
{
	char *path = option_value(nic->path);

	add(w, "-chardev");
	/* QEMU waits for the back end of its first NIC before it does anything else, even serve its
	 * monitor; with wait=off all its sockets are there by then.  A client tries again when the
	 * other end was gone for a while. */
	add(w, "socket,id=vhost%zu,path=%s,%s", i, path,
	    nic->listens ? "server=on,wait=off" : "server=off,reconnect=1");
	add(w, "-netdev");
	add(w, "vhost-user,id=net%zu,chardev=vhost%zu,queues=%u", i, i, nic->queues);
	free(path);
}

static int
add_nic(struct words *w, const struct vm_nic *nic, size_t i, struct err *err)
{
	char *device = vm_nic_device(nic, i), *netdev;

	if (nic->link == VM_LINK_NETWORK) {
		free(device);
		return err_usage(err,
				 "NIC %zu is of network '%s', and only libvirt makes those "
				 "(links of kind stream need no libvirt)",
				 i, nic->network);
	}
	if (nic->link == VM_LINK_VHOST_USER) {
		add_vhost_user(w, nic, i);
	} else {
		netdev = vm_stream_netdev(nic, i);
		add(w, "-netdev");
		add(w, "%s", netdev);
		free(netdev);
	}
	add(w, "-device");
	add(w, "%s", device);
	free(device);
	return 0;
}

static void
add_machine(struct words *w, const struct vm_spec *spec)
{
	char *name = vm_domain_name(spec);

	add(w, "-name");
	add(w, "guest=%s,debug-threads=on", name);
	add(w, "-nodefaults");
	add(w, "-no-user-config");
	add(w, "-no-reboot");
	add(w, "-display");
	add(w, "none");
	add(w, "-machine");
	add(w, "q35,memory-backend=mem");
	add(w, "-accel");
	add(w, spec->accel == VM_ACCEL_KVM ? "kvm" : "tcg,thread=multi");
	add(w, "-cpu");
	/* QEMU's default lacks what DPDK is compiled for. */
	add(w, spec->accel == VM_ACCEL_KVM ? "host" : "max");
	add(w, "-smp");
	add(w, "%u", spec->vcpus);
	add(w, "-m");
	add(w, "%u", spec->memory_mb);
	/* Shared: a vhost-user back end maps it. */
	add(w, "-object");
	add(w, "memory-backend-memfd,id=mem,size=%uM,share=on", spec->memory_mb);
	free(name);
}

static void
add_kernel(struct words *w, const struct vm_spec *spec)
{
	add(w, "-kernel");
	add(w, "%s", spec->kernel);
	if (spec->initrd != NULL) {
		add(w, "-initrd");
		add(w, "%s", spec->initrd);
	}
	add(w, "-append");
	add(w, "%s", spec->cmdline != NULL ? spec->cmdline : "");
}

/* Serial port to a file, the agent's port and the monitor to sockets. */
static void
add_channels(struct words *w, const struct vm_spec *spec)
{
	char *console = option_value(spec->console_path);
	char *channel = option_value(spec->channel_path), *name = option_value(spec->channel);
	char *monitor = option_value(spec->monitor_path);

	add(w, "-chardev");
	add(w, "file,id=console,path=%s", console);
	add(w, "-serial");
	add(w, "chardev:console");
	add(w, "-chardev");
	add(w, "socket,id=channel,path=%s,server=on,wait=off", channel);
	add(w, "-device");
	add(w, "virtio-serial-pci,id=serial,bus=pcie.0,addr=0x3");
	add(w, "-device");
	add(w, "virtserialport,bus=serial.0,chardev=channel,name=%s", name);
	add(w, "-chardev");
	add(w, "socket,id=monitor,path=%s,server=on,wait=off", monitor);
	add(w, "-mon");
	add(w, "chardev=monitor,mode=control");
	free(console);
	free(channel);
	free(name);
	free(monitor);
}

int
vm_qemu_argv(const struct vm_spec *spec, const char *qemu, char ***argv, struct err *err)
{
	struct words w = {0};
	int rc = vm_spec_check(spec, err);

	*argv = NULL;
	if (rc == 0 && (spec->channel_path == NULL || spec->monitor_path == NULL))
		rc = err_usage(err, "VM '%s' has no paths for its sockets", spec->name);
	if (rc < 0)
		return rc;
	w.argv = xcalloc(MAX_WORDS + 1, sizeof(*w.argv));
	add(&w, "%s", qemu);
	add_machine(&w, spec);
	add_kernel(&w, spec);
	add_channels(&w, spec);
	add(&w, "-device");
	add(&w, "virtio-rng-pci,bus=pcie.0,addr=0x2");
	for (size_t i = 0; rc == 0 && i < spec->n_nics; i++)
		rc = add_nic(&w, &spec->nic[i], i, err);
	if (rc < 0) {
		vm_argv_free(w.argv);
		return err_wrap(err, rc, "VM '%s'", spec->name);
	}
	*argv = w.argv;
	return 0;
}

void
vm_argv_free(char **argv)
{
	for (char **p = argv; p != NULL && *p != NULL; p++)
		free(*p);
	free(argv);
}
