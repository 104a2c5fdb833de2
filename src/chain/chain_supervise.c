/* SPDX-License-Identifier: MIT */
/* Which hops can be started again by themselves, and why others cannot: the links of a hop that
 * dies decide what becomes of its neighbours. */
#include <string.h>

#include "chain.h"
#include "chain_rules.h"

static bool
has_arg(const struct chain_hop *hop, const char *arg)
{
	for (size_t i = 0; i < hop->n_args; i++)
		if (strncmp(hop->args[i], arg, strlen(arg)) == 0)
			return true;
	return false;
}

/* What is at the other end of a link whose end at hop 'i' goes and comes back. */
static int
check_link(const struct chain *chain, size_t i, size_t link, struct err *err)
{
	const char *name = chain->hop[i].name;

	if (chain_link_is_vms(chain, link))
		return err_usage(err,
				 "'supervise': link %zu of hop '%s' ends in a VM, and a guest does "
				 "not find its device again when the process behind it is another",
				 link, name);
	switch (chain->link[link].kind) {
	case LINK_VHOST_USER:
	case LINK_VETH:
		return 0;
	case LINK_MEMIF:
		return err_usage(err,
				 "'supervise': link %zu of hop '%s' is memif, whose driver can "
				 "crash the neighbour with a hop that dies and never connects "
				 "again (vhost-user and veth promise it)",
				 link, name);
	default:
		return err_usage(err,
				 "'supervise': link %zu of hop '%s' is %s, which does not promise "
				 "that the neighbour survives and is connected again (vhost-user "
				 "and veth do)",
				 link, name, link_kind_name(chain->link[link].kind));
	}
}

/* Who is connected to the hop's port 1 has to attach its own port again. */
static int
check_next(const struct chain *chain, size_t i, struct err *err)
{
	const struct chain_hop *next = &chain->hop[i + 1];

	if (i + 1 == chain->n_hops || chain->link[i + 1].kind != LINK_VHOST_USER)
		return 0;
	if (next->kind != HOP_FWD)
		return err_usage(err,
				 "'supervise': hop '%s' after '%s' is %s, which does not connect "
				 "again to a hop that was started anew (nfvchain-fwd does)",
				 next->name, chain->hop[i].name, hop_kind_name(next->kind));
	if (has_arg(next, "--load"))
		return err_usage(err,
				 "'supervise': hop '%s' after '%s' has --load, and cannot attach "
				 "a port again",
				 next->name, chain->hop[i].name);
	return 0;
}

int
chain_rule_supervise(const struct chain *chain, size_t i, struct err *err)
{
	const struct chain_hop *hop = &chain->hop[i];
	int rc;

	if (!hop->supervise)
		return 0;
	if (hop->place == PLACE_VM)
		return err_usage(err,
				 "'supervise': hop '%s' is in a VM, and only a process is started "
				 "again",
				 hop->name);
	if (hop->kind != HOP_FWD && hop->kind != HOP_TESTPMD && hop->kind != HOP_EXEC)
		return err_usage(err,
				 "'supervise': hop '%s' is %s, and only a program of DPDK's is "
				 "started again",
				 hop->name, hop_kind_name(hop->kind));
	if (chain->generator.kind == GENERATOR_TREX)
		return err_usage(err,
				 "'supervise': the generator is a TRex, whose links do not come "
				 "back when hop '%s' does",
				 hop->name);
	rc = check_link(chain, i, i, err);
	if (rc == 0)
		rc = check_link(chain, i, i + 1, err);
	return rc == 0 ? check_next(chain, i, err) : rc;
}
