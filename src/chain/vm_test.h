/* SPDX-License-Identifier: MIT */
#pragma once

/* Virtual machines that the tests of vm_*.c share. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"

#include "vm.h"

static inline struct vm_nic
network_nic(unsigned port)
{
	return (struct vm_nic){
		.link = VM_LINK_NETWORK,
		.mac = {0x02, 0xab, 0xcd, 0, 1, (uint8_t)port},
		.slot = VM_FIRST_SLOT + port,
		.network = xasprintf("link-%u", port),
		.tap = xasprintf("nfvt-%u", port),
		.queues = 1,
		.ring_rx = 1024,
		.ring_tx = 256,
	};
}

static inline struct vm_nic
socket_nic(enum vm_link link, unsigned port, const char *path, bool listens)
{
	return (struct vm_nic){
		.link = link,
		.mac = {0x02, 0xab, 0xcd, 0, 1, (uint8_t)port},
		.slot = VM_FIRST_SLOT + port,
		.path = xstrdup(path),
		.listens = listens,
		.queues = 1,
		.ring_rx = 1024,
		.ring_tx = link == VM_LINK_VHOST_USER ? 1024 : 256,
	};
}

/* A VM without NICs. */
static inline struct vm_spec
plain_vm(void)
{
	return (struct vm_spec){
		.chain = xstrdup("vm-snake"),
		.name = xstrdup("vnf1"),
		.kernel = xstrdup("/img/vmlinuz"),
		.initrd = xstrdup("/img/root.cpio"),
		.cmdline = xstrdup("console=ttyS0 hugepages=256"),
		.memory_mb = 1024,
		.vcpus = 1,
		.accel = VM_ACCEL_TCG,
		.console_path = xstrdup("/run/x/vnf1.console"),
		.channel = xstrdup("nfvchain.0"),
		.channel_path = xstrdup("/run/x/vnf1.channel"),
		.monitor_path = xstrdup("/run/x/vnf1.qmp"),
	};
}

static inline void
add_nic(struct vm_spec *spec, struct vm_nic nic)
{
	spec->nic[spec->n_nics++] = nic;
}

static inline struct vm_net
network(const char *name)
{
	return (struct vm_net){
		.chain = xstrdup("vm-snake"),
		.name = xstrdup(name),
		.bridge = xstrdup("nfvb-0"),
	};
}

static inline void
set_text(char **field, const char *text)
{
	free(*field);
	*field = text != NULL ? xstrdup(text) : NULL;
}
