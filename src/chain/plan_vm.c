/* SPDX-License-Identifier: MIT */
/* The VMs of a plan and their networks.  Which end of a link listens: QEMU, where a process is at
 * the other end; between two VMs as elsewhere the upstream one, or the generator. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

#include "guest_image.h"
#include "plan.h"
#include "plan_parts.h"

/* Twice the buffers of eight full rings of the largest frames, in pages of 2 MiB; and as much again
 * for the kernel, whose root file system lies in memory too. */
#define HUGEPAGES 256
#define MEMORY_MB 1024
#define CHANNEL "nfvchain.ctl"

bool
plan_in_vm(const struct chain *chain, int hop)
{
	return chain_place(chain, hop) == PLACE_VM;
}

bool
plan_link_has(const struct chain *chain, size_t link, enum hop_place place)
{
	return chain_place(chain, (int)link - 1) == place || chain_place(chain, (int)link) == place;
}

char *
plan_pci_address(int port)
{
	return xasprintf("0000:00:%02x.0", VM_FIRST_SLOT + (unsigned)port);
}

static char *
network_name(size_t link)
{
	return xasprintf("link-%zu", link);
}

static void
set_nic(struct vm_nic *nic, const struct chain_plan *plan, const struct chain *chain,
	const struct plan_facts *facts, int hop, int port)
{
	size_t i = plan_link_of(chain, hop, port);
	const struct chain_link *link = &chain->link[i];
	unsigned hash = plan->gen_mac[0][1] << 8 | plan->gen_mac[0][2];

	memcpy(nic->mac, hop < 0 ? plan->gen_mac[port] : plan->hop_mac[hop][port],
	       sizeof(nic->mac));
	nic->slot = VM_FIRST_SLOT + (unsigned)port;
	nic->model = link->model;
	nic->queues = link->queues;
	nic->ring_rx = link->ring;
	nic->ring_tx = link->kind == LINK_VHOST_USER ? link->ring : VM_MIN_RING;
	nic->listens = plan_is_listener(chain, hop, port);
	if (link->kind == LINK_NETWORK) {
		nic->link = VM_LINK_NETWORK;
		nic->network = network_name(i);
		nic->tap = xasprintf("nfv%04x-%d-%d", hash, hop + 1, port);
	} else {
		nic->link = link->kind == LINK_STREAM ? VM_LINK_STREAM : VM_LINK_VHOST_USER;
		nic->path = plan_link_path(chain, facts->run_dir, i);
	}
}

static void
set_vm(struct plan_vm *vm, const struct chain_plan *plan, const struct chain *chain,
       const struct plan_facts *facts, int hop)
{
	const char *name = hop < 0 ? "generator" : chain->hop[hop].name;
	struct vm_spec *spec = &vm->spec;

	vm->hop = hop;
	spec->chain = xstrdup(plan->vm_chain);
	spec->name = xstrdup(name);
	spec->kernel = xstrdup(facts->guest_kernel);
	if (hop < 0 && chain->generator.dir != NULL) {
		vm->image_initrd = xstrdup(facts->guest_initrd);
		spec->initrd = xasprintf("%s/%s.initrd", facts->run_dir, name);
	} else {
		spec->initrd = xstrdup(facts->guest_initrd);
	}
	spec->cmdline = guest_image_cmdline(HUGEPAGES);
	spec->memory_mb = MEMORY_MB;
	/* Its archive, and what is unpacked from it. */
	if (vm->image_initrd != NULL)
		spec->memory_mb += 2 * facts->trex_mb + MEMORY_MB / 4;
	spec->vcpus = plan_n_lcores(chain, hop);
	spec->cpus = plan_proc_of(plan, hop)->cpus;
	spec->accel = facts->accel.accel;
	spec->console_path = xasprintf("%s/%s.console", facts->run_dir, name);
	spec->channel = xstrdup(CHANNEL);
	spec->channel_path = xasprintf("%s/%s.agent", facts->run_dir, name);
	spec->monitor_path = xasprintf("%s/%s.qmp", facts->run_dir, name);
	for (int port = 0; port < 2; port++)
		set_nic(&spec->nic[spec->n_nics++], plan, chain, facts, hop, port);
}

static void
set_network(struct vm_net *net, const struct chain_plan *plan, const struct chain *chain,
	    size_t link)
{
	net->chain = xstrdup(plan->vm_chain);
	net->name = network_name(link);
	net->bridge = xasprintf("nfv%02x%02x-b%zu", plan->gen_mac[0][1], plan->gen_mac[0][2], link);
}

int
plan_vms(struct chain_plan *plan, const struct chain *chain, const struct plan_facts *facts,
	 struct err *err)
{
	int rc = 0;

	if (!chain_has_vms(chain))
		return 0;
	if (facts->guest_kernel == NULL || facts->guest_initrd == NULL)
		return err_machine(err, "there is no image that its VMs could boot");
	plan->accel = facts->accel;
	plan->vm_chain = facts->arm != '\0' ? xasprintf("%s-%c", chain->name, facts->arm)
					    : xstrdup(chain->name);
	for (size_t i = 0; i <= chain->n_hops; i++)
		if (chain->link[i].kind == LINK_NETWORK)
			set_network(&plan->net[plan->n_nets++], plan, chain, i);
	/* Only libvirt makes networks; everything else plain QEMU can, without root. */
	plan->connect = facts->connect != NULL ? xstrdup(facts->connect)
			: plan->n_nets > 0     ? xstrdup("qemu:///system")
					       : NULL;
	for (int hop = -1; rc == 0 && hop < (int)chain->n_hops; hop++) {
		struct plan_vm *vm = &plan->vm[plan->n_vms];

		if (!plan_in_vm(chain, hop))
			continue;
		plan->n_vms++;
		set_vm(vm, plan, chain, facts, hop);
		rc = vm_spec_check(&vm->spec, err);
	}
	return rc;
}

void
plan_vms_fini(struct chain_plan *plan)
{
	for (size_t i = 0; i < plan->n_vms; i++) {
		vm_spec_fini(&plan->vm[i].spec);
		free(plan->vm[i].image_initrd);
		plan->vm[i].image_initrd = NULL;
	}
	for (size_t i = 0; i < plan->n_nets; i++)
		vm_net_fini(&plan->net[i]);
	free(plan->connect);
	free(plan->vm_chain);
	plan->vm_chain = NULL;
	plan->n_vms = plan->n_nets = 0;
	plan->connect = NULL;
}
