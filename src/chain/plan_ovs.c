/* SPDX-License-Identifier: MIT */
/* An Open vSwitch of the chain's own: the script that starts it.  Its ports are the devices that
 * any other hop has, so that it is compared on the same links; database, sockets and DPDK's files
 * lie in its folder of the run directory, and the machine's own Open vSwitch is not touched. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "base/units.h"

#include "chain_rules.h"
#include "ovs.h"
#include "plan.h"
#include "plan_parts.h"

#define MAX_DESCRIPTORS 4096	 /* more of a queue it does not take */
#define FRAME_MTU 1518		 /* what it has room for unless it is told otherwise */
#define LEAST_BUFFERS 16384	 /* it halves its pool until there is memory, but not below that */
#define SPARE_BUFFERS 4096	 /* beside those in rings */
#define BUFFER_EXTRA 1200	 /* its metadata and the pool's */
#define BUFFER_STEP 1024	 /* what it rounds room for data up to */
#define BUFFER_AROUND (128 + 26) /* headroom; what a frame has beyond the MTU at most */
#define PAGE 4096u
#define BASE_MB 128	 /* what is not buffers */
#define SLEEP_US 50	 /* at most, where somebody else wants the CPU */
#define IDLE_MS 86400000 /* forget no flow within a day */

unsigned
plan_ovs_descriptors(unsigned ring)
{
	return ring < MAX_DESCRIPTORS ? ring : MAX_DESCRIPTORS;
}

/* DPDK's memory: a power of two of buffers with which all rings may be full, of whole pages each.
 */
static unsigned
memory_mb(const struct chain_plan *plan, const struct chain *chain, int hop)
{
	unsigned room = plan_mtu(plan->max_frame) + BUFFER_AROUND;
	unsigned bytes = (room + BUFFER_STEP - 1) / BUFFER_STEP * BUFFER_STEP + BUFFER_EXTRA;
	unsigned need = SPARE_BUFFERS, n = LEAST_BUFFERS;

	/* One queue to receive, two to send. */
	for (int port = 0; port < 2; port++)
		need += 3 * plan_ovs_descriptors(chain->link[plan_link_of(chain, hop, port)].ring);
	while (n < need)
		n *= 2;
	return BASE_MB + (unsigned)((uint64_t)n * ((bytes + PAGE - 1) / PAGE * PAGE) >> 20);
}

/* A mask as long as it needs to be. */
static char *
cpu_mask(const struct chain_cpus *cpus, unsigned n)
{
	int top = 0, digits[(CHAIN_MAX_CPU + 4) / 4] = {0};
	struct str s = {0};

	for (unsigned i = 0; i < n; i++) {
		int cpu = plan_lcore_cpu(cpus, i, n);

		digits[cpu / 4] |= 1 << cpu % 4;
		top = cpu / 4 > top ? cpu / 4 : top;
	}
	str_addf(&s, "0x");
	for (; top >= 0; top--)
		str_addf(&s, "%x", (unsigned)digits[top]);
	return str_take(&s);
}

/* " set ... KEY=VALUE", the value in quotes that Open vSwitch takes away, and the shell others. */
static void
add_setting(struct str *out, const char *key, const char *value)
{
	char *word = xasprintf("%s=\"%s\"", key, value);

	str_addn(out, " ", 1);
	plan_add_quoted(out, word);
	free(word);
}

static void
add_config(struct str *out, const struct chain_plan *plan, const struct chain *chain, int hop)
{
	const struct plan_proc *proc = plan_proc_of(plan, hop);
	char *eal = xasprintf("--no-huge --legacy-mem -m %u --no-pci --file-prefix=%s",
			      memory_mb(plan, chain, hop), proc->name);
	char *mask = cpu_mask(&proc->cpus, chain->hop[hop].lcores);

	str_addf(out,
		 "$vsctl --no-wait init -- set Open_vSwitch . other_config:dpdk-init=true "
		 "other_config:max-idle=%d",
		 IDLE_MS);
	/* Without --legacy-mem it adds --in-memory, which does not go with the rest. */
	add_setting(out, "other_config:dpdk-extra", eal);
	add_setting(out, "other_config:pmd-cpu-mask", mask);
	if (plan_shares_cpu(plan, chain, hop))
		str_addf(out, " other_config:pmd-maxsleep=%d", SLEEP_US);
	for (size_t i = 0; i < chain->hop[hop].n_args; i++) {
		const char *arg = chain->hop[hop].args[i], *equals = strchr(arg, '=');
		char *key = xasprintf("other_config:%.*s", (int)(equals - arg), arg);

		add_setting(out, key, equals + 1);
		free(key);
	}
	str_addf(out, "\n");
	free(mask);
	free(eal);
}

/* The same work as our l2fwd: new addresses, the other port. */
static void
add_flow(struct str *out, const struct chain_plan *plan, const struct chain *chain, int hop,
	 int port)
{
	char own[18], peer[18];

	mac_print(own, sizeof(own), plan->hop_mac[hop][!port]);
	mac_print(peer, sizeof(peer), plan_peer_mac(plan, chain, hop, !port));
	str_addf(out,
		 "	$ofctl add-flow unix:br0.mgmt "
		 "in_port=%d,actions=mod_dl_src:%s,mod_dl_dst:%s,output:%d\n",
		 port + 1, own, peer, 2 - port);
}

static void
add_port(struct str *out, const struct chain_plan *plan, const struct chain *chain, int hop,
	 int port, const char *device)
{
	unsigned n = plan_ovs_descriptors(chain->link[plan_link_of(chain, hop, port)].ring);

	str_addf(out, "	$vsctl add-port br0 p%d -- set Interface p%d type=dpdk ofport_request=%d",
		 port, port, port + 1);
	str_addf(out, " options:n_rxq_desc=%u options:n_txq_desc=%u", n, n);
	if (plan->max_frame > FRAME_MTU)
		str_addf(out, " mtu_request=%u", plan_mtu(plan->max_frame));
	add_setting(out, "options:dpdk-devargs", device);
	str_addf(out,
		 "\n	[ \"$($vsctl get Interface p%d ofport)\" = %d ] || "
		 "{ why=$($vsctl get Interface p%d error); echo \"port %d: $why\"; exit 1; }\n",
		 port, port + 1, port, port);
}

char *
plan_ovs_script(const struct chain_plan *plan, const struct chain *chain, int hop,
		char *const device[2])
{
	const struct plan_proc *proc = plan_proc_of(plan, hop);
	struct str s = {0};

	str_addf(&s, "set -eu\n"
		     "cd \"$OVS_RUNDIR\"\n"
		     "rm -f conf.db ready\n"
		     "vsctl='ovs-vsctl --retry --timeout=20 --db=unix:db.sock -vsyslog:off'\n"
		     "ofctl='ovs-ofctl --timeout=20 -vsyslog:off'\n"
		     "ovsdb-tool -vsyslog:off create conf.db " OVS_SCHEMA "\n"
		     "ovsdb-server --remote=punix:db.sock --unixctl=db.ctl -vsyslog:off -vfile:off "
		     "-vconsole:warn conf.db &\n");
	add_config(&s, plan, chain, hop);
	/* Who waits for the switch to be ready is told why it will not be, and waits no longer. */
	str_addf(&s, "(\n"
		     "	trap 'kill -KILL $$' EXIT\n"
		     "	$vsctl add-br br0 -- set Bridge br0 datapath_type=netdev fail-mode=secure "
		     "other-config:disable-in-band=true\n");
	for (int port = 0; port < 2; port++)
		add_flow(&s, plan, chain, hop, port);
	for (int port = 0; port < 2; port++)
		add_port(&s, plan, chain, hop, port, device[port]);
	str_addf(&s, "	: >ready\n"
		     "	trap - EXIT\n"
		     ") &\n"
		     "exec " OVS_VSWITCHD " unix:db.sock --unixctl=");
	plan_add_quoted(&s, proc->rt_dir);
	str_addf(&s, "/ctl -vsyslog:off -vfile:off -vconsole:info\n");
	return str_take(&s);
}
