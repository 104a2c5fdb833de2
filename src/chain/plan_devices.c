/* SPDX-License-Identifier: MIT */
/* The devices of programs here, as --vdev takes them. */
#include <stdlib.h>

#include "base/mem.h"
#include "base/units.h"

#include "plan.h"
#include "plan_parts.h"

static unsigned
log2_of(unsigned power_of_two)
{
	return (unsigned)__builtin_ctz(power_of_two);
}

static char *
mac_text(const struct chain_plan *plan, int hop, int port)
{
	char text[18];

	return xstrdup(mac_print(text, sizeof(text),
				 hop < 0 ? plan->gen_mac[port] : plan->hop_mac[hop][port]));
}

/* On an interface of the kernel's. */
static char *
kernels_vdev(const struct chain_plan *plan, const struct chain *chain, int hop, int port)
{
	size_t i = plan_link_of(chain, hop, port);
	const struct chain_link *link = &chain->link[i];
	struct plan_packet_ring r = plan_packet_ring(plan->max_frame, link->ring);
	int end = plan_end_of(hop, port);
	char *iface = plan_iface(plan, chain, i, end), *mac = mac_text(plan, hop, port);
	char *text;

	if (plan_tap_end(chain, i) == end)
		text = xasprintf("net_tap%d,iface=%s,mac=%s", port, iface, mac);
	/* Copies, for no interface of this kind can share memory. */
	else if (link->kind == LINK_VETH_XDP)
		text = xasprintf("net_af_xdp%d,iface=%s,force_copy=1,busy_budget=0", port, iface);
	else
		text = xasprintf("net_af_packet%d,iface=%s,blocksz=%u,framesz=%u,framecnt=%u,"
				 "qdisc_bypass=1",
				 port, iface, r.block, r.frame, r.count);
	free(iface);
	free(mac);
	return text;
}

/* The device of a port as --vdev takes it, and its end of the link in it. */
char *
plan_vdev(const struct chain_plan *plan, const struct chain *chain, const struct plan_facts *facts,
	  int hop, int port)
{
	size_t i = plan_link_of(chain, hop, port);
	const struct chain_link *link = &chain->link[i];
	bool listens = plan_is_listener(chain, hop, port);
	char *path = plan_link_path(chain, facts->run_dir, i);
	char *mac = mac_text(plan, hop, port), *text;

	if (link->kind == LINK_PCAP)
		text = xasprintf("net_pcap%d,%s_pcap=%s", port, port == 0 ? "rx" : "tx",
				 link->file);
	else if (plan_is_kernels(link->kind))
		text = kernels_vdev(plan, chain, hop, port);
	else if (link->kind == LINK_MEMIF)
		text = xasprintf("net_memif%d,role=%s,id=0,socket=%s,socket-abstract=no,rsize=%u,"
				 "bsize=%u,mac=%s",
				 port, listens ? "server" : "client", path, log2_of(link->ring),
				 plan_buffer_room(plan->max_frame), mac);
	else if (plan_link_has(chain, i, PLACE_VM))
		/* QEMU listens, so the back end is the one that connects. */
		text = xasprintf("net_vhost%d,iface=%s,queues=%u,client=1", port, path,
				 link->queues);
	else if (listens)
		text = xasprintf("net_vhost%d,iface=%s,queues=%u", port, path, link->queues);
	else
		text = xasprintf("net_virtio_user%d,path=%s,queues=%u,queue_size=%u,mac=%s", port,
				 path, link->queues, link->ring, mac);
	free(path);
	free(mac);
	return text;
}
