/* SPDX-License-Identifier: MIT */
/* What hops that are bridges of the kernel's or an Open vSwitch may have. */
#include <string.h>

#include "chain.h"
#include "chain_rules.h"

bool
chain_hop_is_kernels(const struct chain *chain, int hop)
{
	return hop >= 0 && (size_t)hop < chain->n_hops && chain->hop[hop].kind == HOP_LINUX_BRIDGE;
}

static int
rule_bridge(const struct chain_hop *hop, const char **key, struct err *err)
{
	*key = "cpus";
	if (hop->cpus.n > 0)
		return err_usage(err, "'cpus' of a linux-bridge hop: the kernel forwards on the "
				      "CPU of whoever sends to it");
	*key = "lcores";
	if (hop->lcores != 1)
		return err_usage(err, "'lcores' of a linux-bridge hop: it has no process");
	*key = "args";
	if (hop->n_args > 0)
		return err_usage(err, "'args' of a linux-bridge hop: it has no program");
	return 0;
}

static int
rule_ovs(const struct chain_hop *hop, const char **key, struct err *err)
{
	*key = "args";
	for (size_t i = 0; i < hop->n_args; i++) {
		const char *equals = strchr(hop->args[i], '=');

		if (equals == NULL || equals == hop->args[i])
			return err_usage(err,
					 "'args' of an ovs-dpdk hop are settings of its "
					 "other_config, KEY=VALUE, and '%.100s' is none",
					 hop->args[i]);
	}
	return 0;
}

int
chain_rule_foreign(const struct chain_hop *hop, const char **key, struct err *err)
{
	if (hop->kind == HOP_LINUX_BRIDGE)
		return rule_bridge(hop, key, err);
	return hop->kind == HOP_OVS_DPDK ? rule_ovs(hop, key, err) : 0;
}

static int
check_end(const struct chain_hop *hop, const struct chain_link *link, size_t i, struct err *err)
{
	const char *kind = link_kind_name(link->kind);

	if (hop->kind == HOP_LINUX_BRIDGE && link->kind != LINK_VETH)
		return err_usage(err,
				 "link %zu (%s) cannot end in the linux-bridge '%s', which joins "
				 "interfaces of the kernel's (veth can)",
				 i, kind, hop->name);
	if (hop->kind != HOP_OVS_DPDK)
		return 0;
	if (link->kind == LINK_VETH_XDP)
		return err_usage(err,
				 "link %zu (%s) cannot end in the ovs-dpdk '%s', whose buffers do "
				 "not fit AF_XDP (vhost-user and veth can)",
				 i, kind, hop->name);
	if (link->kind == LINK_MEMIF)
		return err_usage(err,
				 "link %zu (%s) cannot end in the ovs-dpdk '%s', where it stalls "
				 "when a port is added (vhost-user and veth can)",
				 i, kind, hop->name);
	if (link->kind != LINK_VHOST_USER && link->kind != LINK_VETH)
		return err_usage(err,
				 "link %zu (%s) cannot end in the ovs-dpdk '%s' (vhost-user and "
				 "veth can)",
				 i, kind, hop->name);
	if (link->queues > 1)
		return err_usage(err,
				 "link %zu has %u queues, and a port of the ovs-dpdk '%s' has one: "
				 "more are told apart by RSS, which no such link has",
				 i, link->queues, hop->name);
	return 0;
}

int
chain_rule_foreign_link(const struct chain *chain, size_t i, struct err *err)
{
	int rc = i > 0 ? check_end(&chain->hop[i - 1], &chain->link[i], i, err) : 0;

	return rc == 0 && i < chain->n_hops ? check_end(&chain->hop[i], &chain->link[i], i, err)
					    : rc;
}
