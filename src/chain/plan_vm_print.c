/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/str.h"
#include "base/units.h"

#include "plan.h"
#include "plan_parts.h"

/* Where the frames of a NIC go: "network link-0", or which socket, and who made it. */
static char *
nic_link(const struct vm_nic *nic)
{
	struct str s = {0};

	if (nic->link == VM_LINK_NETWORK)
		str_addf(&s, "network %s, device %s", nic->network, nic->tap);
	else
		str_addf(&s, "%s, QEMU %s %s", vm_link_name(nic->link),
			 nic->listens ? "listens at" : "connects to", nic->path);
	return str_take(&s);
}

static void
print_nic(struct str *out, const struct vm_nic *nic, size_t port)
{
	char *link = nic_link(nic), mac[18];

	str_addf(out, "  port %zu  00:%02x.0  %s  %s\n", port, nic->slot,
		 mac_print(mac, sizeof(mac), nic->mac), link);
	free(link);
}

static void
print_vm(struct str *out, const struct vm_spec *spec)
{
	str_addf(out, "%s  %u vCPU%s on CPU", spec->name, spec->vcpus, spec->vcpus > 1 ? "s" : "");
	for (size_t i = 0; i < spec->cpus.n; i++)
		str_addf(out, "%s%d", i > 0 ? "," : " ", spec->cpus.cpu[i]);
	str_addf(out, ", %u MiB, console %s\n", spec->memory_mb, spec->console_path);
	for (size_t i = 0; i < spec->n_nics; i++)
		print_nic(out, &spec->nic[i], i);
}

void
plan_print_vms(struct str *out, const struct chain_plan *plan)
{
	if (plan->n_vms == 0)
		return;
	str_addf(out, "\nVMs: %s%s, accelerator %s (%s)\n",
		 plan->connect != NULL ? "libvirt at " : "plain QEMU",
		 plan->connect != NULL ? plan->connect : "", vm_accel_name(plan->accel.accel),
		 plan->accel.why);
	for (size_t i = 0; i < plan->n_vms; i++)
		print_vm(out, &plan->vm[i].spec);
	for (size_t i = 0; i < plan->n_nets; i++)
		str_addf(out, "%s%s (bridge %s)%s", i == 0 ? "networks: " : ", ", plan->net[i].name,
			 plan->net[i].bridge, i + 1 == plan->n_nets ? "\n" : "");
}

/* What libvirt or QEMU would be told, as one could use it. */
void
plan_print_vm_texts(struct str *out, const struct chain_plan *plan)
{
	for (size_t i = 0; plan->connect != NULL && i < plan->n_nets; i++) {
		char *xml = vm_network_xml(&plan->net[i]);

		str_addf(out, "\n%s", xml);
		free(xml);
	}
	for (size_t i = 0; i < plan->n_vms; i++) {
		const struct vm_spec *spec = &plan->vm[i].spec;
		char *xml, **argv;

		if (plan->connect != NULL) {
			xml = vm_domain_xml(spec);
			str_addf(out, "\n%s", xml);
			free(xml);
		} else if (vm_qemu_argv(spec, "qemu-system-x86_64", &argv, NULL) == 0) {
			str_addf(out, "\n");
			for (char **p = argv; *p != NULL; p++) {
				str_addf(out, "%s", p == argv ? "" : " ");
				plan_add_quoted(out, *p);
			}
			str_addf(out, "\n");
			vm_argv_free(argv);
		}
	}
}

/* ---- for programs ---- */

static json_t *
nic_to_json(const struct vm_nic *nic)
{
	json_t *json = json_object();
	char mac[18];

	json_object_set_new(json, "mac", json_string(mac_print(mac, sizeof(mac), nic->mac)));
	json_object_set_new(json, "pci_slot", json_integer(nic->slot));
	json_object_set_new(json, "link", json_string(vm_link_name(nic->link)));
	if (nic->link == VM_LINK_NETWORK) {
		json_object_set_new(json, "network", json_string(nic->network));
		json_object_set_new(json, "device", json_string(nic->tap));
	} else {
		json_object_set_new(json, "socket", json_string(nic->path));
		json_object_set_new(json, "qemu_listens", json_boolean(nic->listens));
	}
	return json;
}

static json_t *
vm_to_json(const struct vm_spec *spec)
{
	json_t *json = json_object(), *nics = json_array();

	for (size_t i = 0; i < spec->n_nics; i++)
		json_array_append_new(nics, nic_to_json(&spec->nic[i]));
	json_object_set_new(json, "name", json_string(spec->name));
	json_object_set_new(json, "vcpus", json_integer(spec->vcpus));
	json_object_set_new(json, "memory_mb", json_integer(spec->memory_mb));
	json_object_set_new(json, "kernel", json_string(spec->kernel));
	json_object_set_new(json, "initrd", json_string(spec->initrd));
	json_object_set_new(json, "console", json_string(spec->console_path));
	json_object_set_new(json, "nics", nics);
	return json;
}

void
plan_vms_to_json(json_t *json, const struct chain_plan *plan)
{
	json_t *vms, *nets;

	if (plan->n_vms == 0)
		return;
	vms = json_array();
	nets = json_array();
	for (size_t i = 0; i < plan->n_vms; i++)
		json_array_append_new(vms, vm_to_json(&plan->vm[i].spec));
	for (size_t i = 0; i < plan->n_nets; i++)
		json_array_append_new(nets, json_pack("{s:s, s:s}", "name", plan->net[i].name,
						      "bridge", plan->net[i].bridge));
	json_object_set_new(json, "vms", vms);
	json_object_set_new(json, "networks", nets);
	json_object_set_new(json, "libvirt",
			    plan->connect != NULL ? json_string(plan->connect) : json_null());
	json_object_set_new(json, "accelerator", vm_accel_to_json(&plan->accel));
}
