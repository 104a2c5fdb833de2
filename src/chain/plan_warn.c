/* SPDX-License-Identifier: MIT */
/* Who shares a CPU with whom, and what a plan warns of. */
#include <stdarg.h>
#include <stdlib.h>

#include "base/mem.h"

#include "plan.h"
#include "plan_parts.h"

/* The CPUs that lcores of a process keep busy. */
static struct chain_cpus
busy_cpus(const struct chain_plan *plan, const struct chain *chain, int hop)
{
	const struct chain_cpus *cpus = plan_own_cpus(plan_proc_of(plan, hop));
	unsigned n = plan_n_lcores(chain, hop);
	struct chain_cpus busy = {0};

	for (unsigned i = 0; cpus->n > 0 && i < n; i++)
		plan_cpus_add(&busy, plan_lcore_cpu(cpus, i, n));
	return busy;
}

static bool
share_cpu(const struct chain_plan *plan, const struct chain *chain, int a, int b)
{
	struct chain_cpus x = busy_cpus(plan, chain, a), y = busy_cpus(plan, chain, b);

	if (plan_same_lcore(plan, chain, a, b))
		return false;
	for (size_t i = 0; i < x.n; i++)
		if (plan_cpus_have(&y, x.cpu[i]))
			return true;
	return false;
}

bool
plan_shares_cpu(const struct chain_plan *plan, const struct chain *chain, int hop)
{
	if (plan_n_lcores(chain, hop) > plan_own_cpus(plan_proc_of(plan, hop))->n)
		return true;
	for (int other = -1; other < (int)chain->n_hops; other++)
		if (other != hop && share_cpu(plan, chain, hop, other))
			return true;
	return false;
}

static void __attribute__((format(printf, 2, 3)))
warn(struct chain_plan *plan, const char *fmt, ...)
{
	size_t n = 0;
	va_list ap;

	while (plan->warnings[n] != NULL)
		n++;
	if (n + 1 == N_ELEMS(plan->warnings))
		return;
	va_start(ap, fmt);
	plan->warnings[n] = xvasprintf(fmt, ap);
	va_end(ap);
}

/* ---- warnings ---- */

static void
warn_generator_shares(struct chain_plan *plan, const struct chain *chain)
{
	for (int i = 0; i < (int)chain->n_hops; i++)
		if (share_cpu(plan, chain, -1, i)) {
			warn(plan,
			     "the generator shares CPU %d with hop '%s': figures will be poor, "
			     "give the chain a CPU more",
			     plan->proc[0].cpus.cpu[0], chain->hop[i].name);
			return;
		}
}

static void
warn_hops_share(struct chain_plan *plan, const struct chain *chain)
{
	struct chain_cpus cpus = {0};
	size_t n = 0;
	char *text;

	for (int i = 0; i < (int)chain->n_hops; i++) {
		struct chain_cpus busy = busy_cpus(plan, chain, i);

		if (!plan_shares_cpu(plan, chain, i))
			continue;
		for (size_t k = 0; k < busy.n; k++)
			plan_cpus_add(&cpus, busy.cpu[k]);
		n++;
	}
	text = plan_cpus_print(&cpus);
	if (n > 1)
		warn(plan, "%zu hops share CPU %s: each gets a part of it", n, text);
	free(text);
}

/* Has a hop the kernel's packet socket at that port? */
static bool
is_packet_end(const struct chain *chain, int hop, int port)
{
	size_t link = plan_link_of(chain, hop, port);

	return chain->link[link].kind == LINK_VETH ||
	       (chain->link[link].kind == LINK_TAP &&
		plan_tap_end(chain, link) != plan_end_of(hop, port));
}

static void
warn_ovs(struct chain_plan *plan, const struct chain *chain, int i)
{
	unsigned ring = chain->link[i].ring > chain->link[i + 1].ring ? chain->link[i].ring
								      : chain->link[i + 1].ring;

	if (plan_ovs_descriptors(ring) < ring)
		warn(plan,
		     "hop '%s' (ovs-dpdk) uses %u of the %u descriptors of its links, so it holds "
		     "less than others do ('ring: %u' makes that equal)",
		     chain->hop[i].name, plan_ovs_descriptors(ring), ring,
		     plan_ovs_descriptors(ring));
}

static void
warn_foreign(struct chain_plan *plan, const struct chain *chain, int i)
{
	const struct chain_hop *hop = &chain->hop[i];

	if (hop->kind == HOP_FWD || hop->kind == HOP_LINUX_BRIDGE)
		return;
	if (plan_shares_cpu(plan, chain, i))
		warn(plan,
		     "hop '%s' (%s) shares its CPU and may never yield it: figures will be poor",
		     hop->name, hop_kind_name(hop->kind));
	if (is_packet_end(chain, i, 0) || is_packet_end(chain, i, 1))
		warn(plan,
		     "hop '%s' (%s) does not forward IPv4 fragments: DPDK's af_packet has the "
		     "kernel "
		     "put them together",
		     hop->name, hop_kind_name(hop->kind));
	if (hop->kind == HOP_OVS_DPDK)
		warn_ovs(plan, chain, i);
	if (hop->kind == HOP_EXEC && plan->max_frame > PLAN_MIN_ROOM)
		warn(plan, "hop '%s' (exec) must be told to make buffers for frames of %u bytes",
		     hop->name, plan->max_frame);
}

static void
warn_queues(struct chain_plan *plan, const struct chain *chain)
{
	unsigned n = chain->link[0].queues, flows = chain->traffic.flows;

	/* Which queue is the flow's hash; with enough of them each gets some. */
	if (flows < n)
		warn(plan, "%u flow%s %u of the %u queues at most: set 'flows' in 'traffic'", flows,
		     flows == 1 ? " fills" : "s fill", flows, n);
}

void
plan_add_warnings(struct chain_plan *plan, const struct chain *chain)
{
	for (const char *const *remark = plan_trex_remarks(chain); *remark != NULL; remark++)
		warn(plan, "%s", *remark);
	warn_queues(plan, chain);
	warn_generator_shares(plan, chain);
	warn_hops_share(plan, chain);
	for (int i = 0; i < (int)chain->n_hops; i++)
		warn_foreign(plan, chain, i);
}
