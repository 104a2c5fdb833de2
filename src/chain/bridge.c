/* SPDX-License-Identifier: MIT */
#include "bridge.h"

#include <errno.h>
#include <stdlib.h>

#include "plan_parts.h"
#include "rtnl.h"

#define BRIDGE "bridge"

/* The neighbours' addresses are entered, so that no frame is sent to everybody while the bridge
 * learns; besides it learns and forgets as it does everywhere. */
static int
add_port(const struct chain_plan *plan, const struct chain *chain, int fd, int hop, int port,
	 struct err *err)
{
	char *name =
		plan_iface(plan, chain, plan_link_of(chain, hop, port), plan_end_of(hop, port));
	int rc = rtnl_enslave(fd, name, BRIDGE, err);

	if (rc == 0)
		rc = rtnl_add_station(fd, name, plan_peer_mac(plan, chain, hop, port), err);
	free(name);
	return rc;
}

int
bridge_make(const struct chain_plan *plan, const struct chain *chain, int fd, int hop,
	    struct err *err)
{
	const struct rtnl_iface bridge = {BRIDGE, plan->hop_mac[hop][0], plan_mtu(plan->max_frame),
					  -1};
	int rc = rtnl_make_bridge(fd, &bridge, err);

	if (rc == -EOPNOTSUPP)
		rc = err_machine(err, "this kernel has no bridges (CONFIG_BRIDGE)");
	for (int port = 0; rc == 0 && port < 2; port++)
		rc = add_port(plan, chain, fd, hop, port, err);
	if (rc == 0)
		rc = rtnl_start(fd, BRIDGE, err);
	return err_wrap(err, rc, "hop '%s'", chain->hop[hop].name);
}
