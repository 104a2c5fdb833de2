/* SPDX-License-Identifier: MIT */
#include "backend_links.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/if_packet.h>
#include <linux/if_xdp.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "bridge.h"
#include "freeze.h"
#include "netns.h"
#include "plan_parts.h"
#include "procfs.h"
#include "rtnl.h"
#include "xdp_probe.h"

#define MAX_FDS 512 /* of one program */
#define TUN "/dev/net/tun"
#define TAP_MS 15000
#define TAP_LOOK_MS 5

/* One end of a link: the program's socket at it, once it was found. */
struct end {
	pid_t pid;	  /* whose it is */
	int fd;		  /* a copy of it, or -1 */
	uint64_t dropped; /* as read so far */
};

struct backend_links {
	struct netns_set netns;		       /* one for each process of the plan */
	struct end end[CHAIN_MAX_HOPS + 1][2]; /* as plan->pair */
};

/* ---- up and down ---- */

/* Nothing may be joined, cut or finished on the way: what is sent is what arrives. */
static int
set_plain(int fd, const char *name, struct err *err)
{
	static const uint32_t offloads[] = {ETHTOOL_STSO, ETHTOOL_SGSO,	   ETHTOOL_SGRO,
					    ETHTOOL_SSG,  ETHTOOL_STXCSUM, ETHTOOL_SRXCSUM};
	struct ifreq ifr = {0};

	memcpy(ifr.ifr_name, name, strlen(name) + 1);
	for (size_t i = 0; i < N_ELEMS(offloads); i++) {
		struct ethtool_value value = {.cmd = offloads[i], .data = 0};

		ifr.ifr_data = (char *)&value;
		/* What the kernel cannot do it cannot have on. */
		if (ioctl(fd, SIOCETHTOOL, &ifr) < 0 && errno != EOPNOTSUPP)
			return err_set(err, errno, "interface '%s': switching offloads off: %s",
				       name, strerror(errno));
	}
	return 0;
}

/* Which process of the plan an end belongs to. */
static size_t
proc_at(const struct chain_plan *plan, const struct plan_pair *pair, int end)
{
	return plan_runner(plan, end == 0 ? pair->link : (pair->link + 1) % plan->n_procs);
}

static int
make_pair(const struct chain_plan *plan, const struct netns_set *set, const struct plan_pair *pair,
	  struct err *err)
{
	struct rtnl_iface ends[2];
	int rc;

	for (int i = 0; i < 2; i++)
		ends[i] = (struct rtnl_iface){pair->name[i], pair->mac[i], pair->mtu,
					      set->ns[proc_at(plan, pair, i)].net_fd};
	rc = rtnl_make_pair(set->link_fd[proc_at(plan, pair, 0)], ends, err);
	if (rc == -EOPNOTSUPP)
		return err_machine(err, "this kernel has no veth interfaces (CONFIG_VETH)");
	for (int i = 0; rc == 0 && i < 2; i++) {
		int fd = set->link_fd[proc_at(plan, pair, i)];

		rc = set_plain(fd, pair->name[i], err);
		if (rc == 0)
			rc = rtnl_start(fd, pair->name[i], err);
	}
	return rc;
}

static int
check_tun(struct err *err)
{
	int fd = open(TUN, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return err_machine(err,
				   TUN ": %s (load the kernel's module 'tun', or use veth links, "
				       "which need none)",
				   strerror(errno));
	close(fd);
	return 0;
}

/* Runs in a child, which may do so. */
static int
make_pairs(void *arg, const struct netns_set *set, struct err *err)
{
	const struct backend *b = arg;
	const struct chain_plan *plan = b->plan;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < plan->n_pairs; i++) {
		const struct plan_pair *pair = &plan->pair[i];

		if (pair->kind == LINK_VETH_XDP)
			rc = xdp_probe(err);
		if (pair->tap_end >= 0)
			rc = check_tun(err);
		else if (rc == 0)
			rc = make_pair(plan, set, pair, err);
		err_wrap(err, rc, "link %zu (%s)", pair->link, link_kind_name(pair->kind));
	}
	for (size_t i = 0; rc == 0 && i < plan->n_procs; i++)
		if (plan->proc[i].kernels)
			rc = bridge_make(plan, b->chain, set->link_fd[i], plan->proc[i].hop, err);
	return rc;
}

int
backend_links_up(struct backend *b, struct err *err)
{
	struct backend_links *links;
	bool needed = false;

	for (size_t i = 0; i < b->plan->n_procs; i++)
		needed |= b->plan->proc[i].in_ns;
	if (!needed)
		return 0;
	links = xcalloc(1, sizeof(*links));
	for (size_t i = 0; i < b->plan->n_pairs; i++)
		links->end[i][0].fd = links->end[i][1].fd = -1;
	b->links = links;
	return netns_open(&links->netns, b->plan->n_procs, make_pairs, b, err);
}

void
backend_links_down(struct backend *b)
{
	if (b->links == NULL)
		return;
	for (size_t i = 0; i < b->plan->n_pairs; i++)
		for (int k = 0; k < 2; k++)
			if (b->links->end[i][k].fd >= 0)
				close(b->links->end[i][k].fd);
	netns_close(&b->links->netns);
	free(b->links);
	b->links = NULL;
}

/* A tap is up as soon as its program starts the port. */
static int
await_tap(struct backend *b, size_t owner, const char *name, struct err *err)
{
	struct deadline d = deadline_in_ms(TAP_MS);
	int rc;

	while ((rc = rtnl_is_up(b->links->netns.link_fd[owner], name, err)) == 0) {
		if (deadline_passed(&d))
			return err_set(err, ETIMEDOUT, "%s makes no interface '%s' within %d s",
				       b->plan->proc[owner].name, name, TAP_MS / 1000);
		rc = backend_wait(b, TAP_LOOK_MS, err);
		if (rc < 0)
			return rc;
	}
	return rc < 0 ? rc : 0;
}

/* Stands in for a tap that was given away, under its name: the driver asks for the state of its
 * link by that, and goes on setting it up. */
static int
make_stand_in(int link_fd, const struct plan_pair *pair, struct err *err)
{
	char other[RTNL_MAX_NAME + 1];
	uint8_t mac[6];
	struct rtnl_iface ends[2] = {
		{pair->name[0], pair->mac[pair->tap_end], pair->mtu, -1},
		{other, mac, pair->mtu, -1},
	};
	int rc;

	snprintf(other, sizeof(other), "%.*s-s", RTNL_MAX_NAME - 2, pair->name[0]);
	memcpy(mac, ends[0].mac, sizeof(mac));
	mac[5] ^= 0x80;
	rc = rtnl_make_pair(link_fd, ends, err);
	for (int i = 0; rc == 0 && i < 2; i++)
		rc = rtnl_start(link_fd, ends[i].name, err);
	return rc;
}

static int
move_tap(const struct netns_set *set, size_t owner, size_t other, const struct plan_pair *pair,
	 struct err *err)
{
	const char *name = pair->name[0];
	int rc = set_plain(set->link_fd[owner], name, err);

	if (rc == 0)
		rc = rtnl_give(set->link_fd[owner], name, set->ns[other].net_fd, pair->mtu,
			       pair->ring, err);
	if (rc == 0)
		rc = make_stand_in(set->link_fd[owner], pair, err);
	return rc == 0 ? rtnl_start(set->link_fd[other], name, err) : rc;
}

/* Its program may still be about to set up its port, and must not find it gone: so it stands still
 * meanwhile. */
static int
give_tap(struct backend *b, const struct plan_pair *pair, struct err *err)
{
	size_t owner = proc_at(b->plan, pair, pair->tap_end),
	       other = proc_at(b->plan, pair, !pair->tap_end);
	int rc = await_tap(b, owner, pair->name[0], err);

	if (rc < 0)
		return rc;
	rc = freeze_proc(&b->proc[owner]);
	if (rc == 0)
		rc = move_tap(&b->links->netns, owner, other, pair, err);
	else
		rc = err_set(err, -rc, "%s cannot be stopped: %s", b->plan->proc[owner].name,
			     strerror(-rc));
	freeze_thaw(&b->proc[owner]);
	return rc;
}

int
backend_links_started(struct backend *b, size_t i, struct err *err)
{
	int rc = 0;

	for (size_t k = 0; rc == 0 && b->links != NULL && k < b->plan->n_pairs; k++) {
		const struct plan_pair *pair = &b->plan->pair[k];

		if (pair->tap_end < 0 || proc_at(b->plan, pair, pair->tap_end) != i)
			continue;
		rc = give_tap(b, pair, err);
		err_wrap(err, rc, "link %zu (tap)", pair->link);
	}
	return rc;
}

const struct proc_ns *
backend_links_ns(const struct backend *b, const struct plan_proc *pp)
{
	return b->links != NULL && pp->in_ns ? &b->links->netns.ns[pp - b->plan->proc] : NULL;
}

/* ---- what the kernel had no room for ---- */

/* Which interface a socket is at, by its number there; 0: it is no such socket. */
static unsigned
packet_index(int fd)
{
	struct sockaddr_ll addr = {0};
	socklen_t len = sizeof(addr);

	if (getsockname(fd, (struct sockaddr *)&addr, &len) < 0 || addr.sll_family != AF_PACKET)
		return 0;
	return (unsigned)addr.sll_ifindex;
}

static uint64_t
read_packet(struct end *end)
{
	struct tpacket_stats stats;
	socklen_t len = sizeof(stats);

	/* The kernel begins again at each look. */
	if (getsockopt(end->fd, SOL_PACKET, PACKET_STATISTICS, &stats, &len) == 0)
		end->dropped += stats.tp_drops;
	return end->dropped;
}

/* Of what an interface with XDP dropped, its driver tells a program what there was no buffer for.
 */
static uint64_t
read_xdp(struct end *end)
{
	struct xdp_statistics stats = {0};
	socklen_t len = sizeof(stats);

	if (getsockopt(end->fd, SOL_XDP, XDP_STATISTICS, &stats, &len) == 0)
		end->dropped = stats.rx_dropped;
	return end->dropped;
}

static int
family_of(int fd)
{
	int family = AF_UNSPEC;
	socklen_t len = sizeof(family);

	(void)getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &len);
	return family;
}

/* Is that socket the one at interface 'index'?  One of XDP does not tell: then the 'skip'-th is,
 * for a program opens its ports in order. */
static bool
is_at(int fd, enum link_kind kind, unsigned index, unsigned *skip)
{
	if (kind != LINK_VETH_XDP)
		return packet_index(fd) == index;
	return family_of(fd) == AF_XDP && (*skip)-- == 0;
}

/* A copy of the socket that the program behind 'pidfd' has at the interface, or -1. */
static int
find_socket(const struct proc *p, enum link_kind kind, unsigned index, unsigned skip)
{
	char path[64];
	int fds[MAX_FDS];
	size_t n;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)p->pid);
	n = procfs_numbers(path, fds, N_ELEMS(fds));
	for (size_t i = 0; i < n; i++) {
		int fd = (int)syscall(SYS_pidfd_getfd, p->pidfd, fds[i], 0);

		if (fd < 0)
			continue;
		if (is_at(fd, kind, index, &skip))
			return fd;
		close(fd);
	}
	return -1;
}

/* How many of the ports before 'port' have a socket of that kind too. */
static unsigned
ports_before(const struct backend *b, int hop, int port, enum link_kind kind)
{
	return port == 1 && b->chain->link[plan_link_of(b->chain, hop, 0)].kind == kind;
}

static const struct plan_pair *
pair_at(const struct backend *b, int hop, int port, size_t *i)
{
	size_t link = plan_link_of(b->chain, hop, port);

	for (*i = 0; *i < b->plan->n_pairs; ++*i)
		if (b->plan->pair[*i].link == link)
			return &b->plan->pair[*i];
	return NULL;
}

/* A bridge has no socket, and where no process is there is nothing to look for one in.  What a
 * socket had no room for. */
static uint64_t
socket_missed(struct backend *b, size_t proc, struct end *end, const struct plan_pair *pair,
	      unsigned index, unsigned skip)
{
	const struct proc *p = &b->proc[proc];

	if (b->plan->proc[proc].kernels)
		return 0;
	/* A program that was started anew has a new one. */
	if (end->fd >= 0 && end->pid != p->pid) {
		close(end->fd);
		end->fd = -1;
	}
	if (end->fd < 0) {
		end->fd = find_socket(p, pair->kind, index, skip);
		end->pid = p->pid;
	}
	if (end->fd < 0)
		return end->dropped;
	return pair->kind == LINK_VETH_XDP ? read_xdp(end) : read_packet(end);
}

/* Of the one interface there is: what its program did not read, or what the other's socket had no
 * room for. */
static uint64_t
tap_missed(struct backend *b, size_t i, int at, size_t k)
{
	struct backend_links *links = b->links;
	const struct plan_pair *pair = &b->plan->pair[k];
	struct rtnl_counts counts = {0};

	if (rtnl_counts(links->netns.link_fd[proc_at(b->plan, pair, !pair->tap_end)], pair->name[0],
			&counts, NULL) < 0)
		return 0;
	if (at == pair->tap_end)
		return counts.tx_dropped;
	return socket_missed(b, i, &links->end[k][at], pair, counts.index, 0);
}

uint64_t
backend_links_missed(struct backend *b, size_t i, size_t port)
{
	int hop = (int)i - 1, at = plan_end_of(hop, (int)port);
	struct rtnl_counts near = {0}, far = {0};
	struct backend_links *links;
	const struct plan_pair *pair;
	uint64_t missed;
	size_t k;

	if (b->links == NULL || i >= b->n_started ||
	    (pair = pair_at(b, hop, (int)port, &k)) == NULL)
		return 0;
	if (pair->tap_end >= 0)
		return tap_missed(b, i, at, k);
	links = b->links;
	i = plan_runner(b->plan, i);
	if (rtnl_counts(links->netns.link_fd[i], pair->name[at], &near, NULL) < 0 ||
	    rtnl_counts(links->netns.link_fd[proc_at(b->plan, pair, !at)], pair->name[!at], &far,
			NULL) < 0)
		return 0;
	missed = socket_missed(b, i, &links->end[k][at], pair, near.index,
			       ports_before(b, hop, (int)port, pair->kind));
	/* The generator tells nothing of it. */
	if (pair->kind == LINK_VETH_XDP)
		return near.rx_dropped + far.tx_dropped - (i > 0 ? missed : 0);
	/* Not what its own interface dropped: those went to the socket as well, and what the kernel
	 * itself would have done with them is nobody's business. */
	return far.tx_dropped + missed;
}

int
backend_links_bridge(struct backend *b, size_t i, struct ledger_hop *hop, struct err *err)
{
	int rc = -ENODEV;

	for (size_t port = 0; b->links != NULL && port < 2; port++) {
		struct rtnl_counts near;
		size_t k;
		const struct plan_pair *pair = pair_at(b, (int)i, (int)port, &k);

		rc = pair == NULL
			     ? -ENODEV
			     : rtnl_counts(b->links->netns.link_fd[i + 1],
					   pair->name[plan_end_of((int)i, (int)port)], &near, err);
		if (rc < 0)
			break;
		/* What the other end had no room for it misses, so that was sent. */
		hop->port[port].rx = near.rx;
		hop->port[port].tx = near.tx + near.tx_dropped;
	}
	hop->known = rc == 0;
	return rc;
}
