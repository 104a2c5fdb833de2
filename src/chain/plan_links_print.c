/* SPDX-License-Identifier: MIT */
/* The links of a plan, for people and for programs. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

#include "plan.h"
#include "plan_parts.h"

/* The same at a VM's end of it: a network's name too. */
static const char *
where_of_vm(const struct chain_plan *plan, const struct chain *chain, size_t i)
{
	for (size_t v = 0; v < plan->n_vms; v++)
		for (int port = 0; port < 2; port++) {
			const struct vm_nic *nic = &plan->vm[v].spec.nic[port];

			if (plan_link_of(chain, plan->vm[v].hop, port) == i)
				return nic->link == VM_LINK_NETWORK ? nic->network : nic->path;
		}
	return NULL;
}

static const struct plan_pair *
pair_of(const struct chain_plan *plan, size_t link)
{
	for (size_t i = 0; i < plan->n_pairs; i++)
		if (plan->pair[i].link == link)
			return &plan->pair[i];
	return NULL;
}

const char *
plan_link_where(const struct chain_plan *plan, const struct chain *chain, size_t i)
{
	const struct plan_pair *pair = pair_of(plan, i);

	if (chain->link[i].kind == LINK_PCAP)
		return chain->link[i].file;
	if (chain->link[i].kind == LINK_PCI)
		return chain->link[i].address;
	if (plan_link_has(chain, i, PLACE_VM))
		return where_of_vm(plan, chain, i);
	if (pair != NULL)
		return pair->name[0];
	if (chain->link[i].kind == LINK_RING)
		return "in one process";
	/* Its upstream end listens, and the generator at the last one. */
	if (i == 0 || i == chain->n_hops)
		return plan->proc[0].listens[i == 0 ? 0 : 1];
	return plan->proc[i].listens[0];
}

/* With so many buffers of so many bytes all rings of the link may be full at once, both directions
 * of it. */
struct buffers {
	unsigned n, bytes;
};

static struct buffers
buffers_of(const struct chain_plan *plan, const struct chain_link *link)
{
	unsigned n = 2 * link->ring * link->queues;

	/* A frame is copied out of the file, and into it. */
	if (link->kind == LINK_PCAP)
		return (struct buffers){0, plan_buffer_room(plan->max_frame)};
	/* The kernel keeps frames at both ends of it; of a tap only what its program has not read
	 * yet, at that end. */
	if (link->kind == LINK_TAP)
		return (struct buffers){n + n / 2,
					plan_packet_ring(plan->max_frame, link->ring).frame};
	if (link->kind == LINK_VETH)
		return (struct buffers){2 * n, plan_packet_ring(plan->max_frame, link->ring).frame};
	if (link->kind == LINK_VETH_XDP)
		return (struct buffers){2 * n, PLAN_XDP_BUFFER};
	return (struct buffers){n, plan_buffer_room(plan->max_frame)};
}

void
plan_print_links(struct str *out, const struct chain_plan *plan, const struct chain *chain)
{
	str_addf(out, "\n%-4s  %-10s  %5s  %6s  %4s  %-13s  %s\n", "link", "kind", "ring", "queues",
		 "MTU", "buffers", "between");
	for (size_t i = 0; i < chain->n_hops + 1; i++) {
		const struct chain_link *link = &chain->link[i];
		const struct plan_pair *pair = pair_of(plan, i);
		struct buffers b = buffers_of(plan, link);

		str_addf(out, "%-4zu  %-10s  %5u  %6u  %4u  %6u x %4u  %s", i,
			 link_kind_name(link->kind), link->ring, link->queues,
			 plan_mtu(plan->max_frame), b.n, b.bytes, plan_link_where(plan, chain, i));
		if (pair != NULL && pair->tap_end < 0)
			str_addf(out, " %s", pair->name[1]);
		else if (pair != NULL)
			str_addf(out, ", tap of %s", plan_tap_owner(plan, pair)->name);
		if (link->kind == LINK_PCI)
			str_addf(out, " %s", link->peer);
		str_addf(out, "\n");
	}
}

json_t *
plan_links_to_json(const struct chain_plan *plan, const struct chain *chain)
{
	json_t *list = json_array();

	for (size_t i = 0; i < chain->n_hops + 1; i++) {
		const struct chain_link *link = &chain->link[i];
		const struct plan_pair *pair = pair_of(plan, i);
		struct buffers b = buffers_of(plan, link);
		json_t *json = json_object(), *ifaces = json_array();

		for (int end = 0; pair != NULL && end < (pair->tap_end < 0 ? 2 : 1); end++)
			json_array_append_new(ifaces, json_string(pair->name[end]));
		json_object_set_new(json, "kind", json_string(link_kind_name(link->kind)));
		json_object_set_new(json, "ring", json_integer(link->ring));
		json_object_set_new(json, "queues", json_integer(link->queues));
		json_object_set_new(json, "mtu_bytes", json_integer(plan_mtu(plan->max_frame)));
		json_object_set_new(json, "max_frame_bytes",
				    json_integer(plan_link_max_frame(link->kind)));
		json_object_set_new(json, "buffers", json_integer(b.n));
		json_object_set_new(json, "buffer_bytes", json_integer(b.bytes));
		json_object_set_new(json, "socket",
				    !plan_has_socket(link->kind)
					    ? json_null()
					    : json_string(plan_link_where(plan, chain, i)));
		json_object_set_new(json, "file",
				    link->file != NULL ? json_string(link->file) : json_null());
		json_object_set_new(json, "pci",
				    link->kind == LINK_PCI
					    ? json_pack("[s, s]", link->address, link->peer)
					    : json_array());
		json_object_set_new(json, "interfaces", ifaces);
		json_array_append_new(list, json);
	}
	return list;
}
