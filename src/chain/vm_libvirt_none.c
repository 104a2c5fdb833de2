/* SPDX-License-Identifier: MIT */
/* In place of the libvirt back end, in a build without libvirt. */
#include "vm_host.h"

static int
host_open(struct vm_host **host, const struct vm_host_conf *conf, struct err *err)
{
	return err_machine(err, "this nfvchain was built without libvirt (plain QEMU can carry VMs "
				"that are joined by links of kind stream or vhost-user)");
}

const struct vm_host_ops vm_host_libvirt = {.name = "libvirt", .open = host_open};
