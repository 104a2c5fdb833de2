/* SPDX-License-Identifier: MIT */
/* Links made of interfaces of the kernel's, and what is computed for every kind of link. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "pkt/frame.h"

#include "plan.h"
#include "plan_parts.h"

#define FRAME_PLAIN 1518  /* smaller largest frames change nothing */
#define FRAME_XDP 3520	  /* with FCS: fits a page, beside what XDP wants of it */
#define FRAME_TAP 1522	  /* with FCS: net_tap before DPDK 24 sends no longer ones */
#define FRAME_E1000 1522  /* its buffers are of 2048 bytes, longer frames would be in pieces */
#define FRAME_OVER_MTU 18 /* Ethernet's header and FCS */
#define PACKET_BEFORE 66  /* what TPACKET_V2 has before a frame's data */
#define PACKET_ALIGN 16	  /* of a frame in the ring */
#define PACKET_BLOCK_FRAMES 256 /* so many are whole pages, whatever the size */

bool
plan_is_kernels(enum link_kind kind)
{
	return kind == LINK_VETH || kind == LINK_VETH_XDP || kind == LINK_TAP;
}

bool
plan_has_socket(enum link_kind kind)
{
	return !plan_is_kernels(kind) && kind != LINK_PCI && kind != LINK_PCAP && kind != LINK_RING;
}

const char *
plan_pci_port(const struct chain *chain, int hop, int port)
{
	const struct chain_link *link = &chain->link[plan_link_of(chain, hop, port)];

	return plan_end_of(hop, port) == 0 ? link->address : link->peer;
}

int
plan_end_of(int hop, int port)
{
	return hop < 0 ? port : !port;
}

uint16_t
plan_link_max_frame(enum link_kind kind)
{
	if (kind == LINK_TAP)
		return FRAME_TAP;
	return kind == LINK_VETH_XDP ? FRAME_XDP : FRAME_MAX_SIZE;
}

unsigned
plan_mtu(uint16_t max_frame)
{
	return (max_frame > FRAME_PLAIN ? max_frame : FRAME_PLAIN) - FRAME_OVER_MTU;
}

struct plan_packet_ring
plan_packet_ring(uint16_t max_frame, unsigned ring)
{
	/* A tag that the kernel took out is put back behind them. */
	unsigned len = PACKET_BEFORE + (max_frame > FRAME_PLAIN ? max_frame : FRAME_PLAIN);
	struct plan_packet_ring r = {.count = ring};

	/* The driver takes frames to lie one behind the other, across blocks too. */
	r.frame = (len + PACKET_ALIGN - 1) / PACKET_ALIGN * PACKET_ALIGN;
	r.block = r.frame * PACKET_BLOCK_FRAMES;
	return r;
}

int
plan_tap_end(const struct chain *chain, size_t link)
{
	if (chain->link[link].kind != LINK_TAP)
		return -1;
	/* The end that would listen at a socket, for that starts first. */
	return link == chain->n_hops;
}

char *
plan_iface(const struct chain_plan *plan, const struct chain *chain, size_t link, int end)
{
	char letter = chain->link[link].kind == LINK_TAP ? 't' : end == 0 ? 'a' : 'b';

	return xasprintf("nfv%02x%02x-%zu%c", plan->gen_mac[0][1], plan->gen_mac[0][2], link,
			 letter);
}

const struct plan_proc *
plan_tap_owner(const struct chain_plan *plan, const struct plan_pair *pair)
{
	return &plan->proc[pair->tap_end == 0 ? pair->link : (pair->link + 1) % plan->n_procs];
}

const uint8_t *
plan_peer_mac(const struct chain_plan *plan, const struct chain *chain, int hop, int port)
{
	/* The generator's port 1 is behind the last hop, and looks back along the chain. */
	int end = plan_end_of(hop, port), step = end == 0 ? 1 : -1;
	int n = (int)chain->n_hops, peer = (hop < 0 && port == 1 ? n : hop) + step;

	while (chain_hop_is_kernels(chain, peer))
		peer += step;
	return peer < 0 || peer >= n ? plan->gen_mac[!end] : plan->hop_mac[peer][end];
}

static void
set_pair(struct plan_pair *pair, const struct chain_plan *plan, const struct chain *chain,
	 size_t link)
{
	pair->link = link;
	pair->kind = chain->link[link].kind;
	pair->tap_end = plan_tap_end(chain, link);
	pair->mtu = plan_mtu(plan->max_frame);
	pair->ring = chain->link[link].ring;
	for (int end = 0; end < 2; end++)
		pair->name[end] = plan_iface(plan, chain, link, end);
	memcpy(pair->mac[0], link == 0 ? plan->gen_mac[0] : plan->hop_mac[link - 1][1], 6);
	memcpy(pair->mac[1], link == chain->n_hops ? plan->gen_mac[1] : plan->hop_mac[link][0], 6);
}

static int
check_frames(const struct chain_plan *plan, const struct chain *chain, size_t link, struct err *err)
{
	enum nic_model model = chain->link[link].model;
	uint16_t max =
		model == NIC_VIRTIO ? plan_link_max_frame(chain->link[link].kind) : FRAME_E1000;
	bool ovs = (link > 0 && chain->hop[link - 1].kind == HOP_OVS_DPDK) ||
		   (link < chain->n_hops && chain->hop[link].kind == HOP_OVS_DPDK);

	/* It asks the driver how long they may be, and af_packet tells of none longer. */
	if (ovs && chain->link[link].kind == LINK_VETH && plan->max_frame > FRAME_PLAIN)
		return err_usage(err,
				 "frames of %u bytes do not fit link %zu: an ovs-dpdk hop takes %d "
				 "at most from a veth link",
				 plan->max_frame, link, FRAME_PLAIN);
	if (plan->max_frame <= max)
		return 0;
	if (model != NIC_VIRTIO)
		return err_usage(err,
				 "frames of %u bytes do not fit link %zu: an %s NIC carries %u at "
				 "most in one buffer",
				 plan->max_frame, link, vm_model_name(model), max);
	return err_usage(err, "frames of %u bytes do not fit link %zu: %s carries %u at most",
			 plan->max_frame, link, link_kind_name(chain->link[link].kind), max);
}

/* Open vSwitch makes interfaces for itself, which are to be nobody else's. */
static bool
needs_ns(const struct chain_plan *plan, const struct chain *chain, int hop)
{
	return plan_proc_is_here(plan_proc_of(plan, hop)) &&
	       (plan->n_pairs > 0 || (hop >= 0 && chain->hop[hop].kind == HOP_OVS_DPDK));
}

int
plan_links(struct chain_plan *plan, const struct chain *chain, const struct plan_facts *facts,
	   struct err *err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i <= chain->n_hops; i++) {
		rc = check_frames(plan, chain, i, err);
		if (rc == 0 && plan_is_kernels(chain->link[i].kind))
			set_pair(&plan->pair[plan->n_pairs++], plan, chain, i);
	}
	for (size_t i = 0; i < plan->n_procs; i++)
		plan->proc[i].in_ns = needs_ns(plan, chain, (int)i - 1);
	/* There is no TCP between that namespace and anybody else. */
	if (rc == 0 && plan->n_pairs > 0 && facts->trex_ports)
		rc = err_usage(err,
			       "the generator of a chain with %s links is in a network namespace "
			       "of its own, where TRex's ports cannot be reached (leave out "
			       "--trex-ports, or use vhost-user links)",
			       link_kind_name(plan->pair[0].kind));
	return rc;
}

void
plan_links_fini(struct chain_plan *plan)
{
	for (size_t i = 0; i < plan->n_pairs; i++) {
		free(plan->pair[i].name[0]);
		free(plan->pair[i].name[1]);
	}
	plan->n_pairs = 0;
}
