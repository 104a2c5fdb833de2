/* SPDX-License-Identifier: MIT */
#include "rtnl.h"

#include <errno.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define ANSWER_S 5
#define ANSWER_BYTES 16384

/* A request that grows by attributes. */
struct request {
	struct nlmsghdr head;
	struct ifinfomsg info;
	char attrs[512];
};

int
rtnl_open(struct err *err)
{
	const struct timeval patience = {.tv_sec = ANSWER_S};
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	if (fd < 0)
		return err_set(err, errno, "rtnetlink: %s", strerror(errno));
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	return fd;
}

/* ---- requests ---- */

static struct request
request(uint16_t type, uint16_t flags)
{
	return (struct request){
		.head = {.nlmsg_len = NLMSG_LENGTH(sizeof(struct ifinfomsg)),
			 .nlmsg_type = type,
			 .nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags)},
	};
}

static struct rtattr *
add(struct request *r, unsigned short type, const void *data, size_t len)
{
	struct rtattr *attr = (struct rtattr *)((char *)r + NLMSG_ALIGN(r->head.nlmsg_len));

	attr->rta_type = type;
	attr->rta_len = (unsigned short)RTA_LENGTH(len);
	if (len > 0)
		memcpy(RTA_DATA(attr), data, len);
	r->head.nlmsg_len = (uint32_t)(NLMSG_ALIGN(r->head.nlmsg_len) + RTA_ALIGN(attr->rta_len));
	return attr;
}

static void
add_name(struct request *r, unsigned short type, const char *name)
{
	add(r, type, name, strlen(name) + 1);
}

/* What was added since 'attr' is inside it. */
static void
end_nest(struct request *r, struct rtattr *attr)
{
	attr->rta_len = (unsigned short)((char *)r + r->head.nlmsg_len - (char *)attr);
}

static void
add_iface(struct request *r, const struct rtnl_iface *iface)
{
	uint32_t mtu = iface->mtu, net_fd = (uint32_t)iface->net_fd;

	add_name(r, IFLA_IFNAME, iface->name);
	add(r, IFLA_ADDRESS, iface->mac, 6);
	add(r, IFLA_MTU, &mtu, sizeof(mtu));
	if (iface->net_fd >= 0)
		add(r, IFLA_NET_NS_FD, &net_fd, sizeof(net_fd));
}

/* Sends it and takes the answer into 'answer'; its length, or -errno as the kernel says. */
static ssize_t
ask(int fd, struct request *r, void *answer)
{
	const struct nlmsghdr *head = answer;
	ssize_t n;

	if (send(fd, r, r->head.nlmsg_len, 0) < 0)
		return -errno;
	do
		n = recv(fd, answer, ANSWER_BYTES, 0);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == EAGAIN ? -ETIMEDOUT : -errno;
	if ((size_t)n < NLMSG_LENGTH(sizeof(struct nlmsgerr)))
		return -EPROTO;
	if (head->nlmsg_type == NLMSG_ERROR)
		return ((const struct nlmsgerr *)NLMSG_DATA(head))->error;
	return n;
}

/* For what is answered with yes or no. */
static int
command(int fd, struct request *r, const char *name, const char *what, struct err *err)
{
	_Alignas(struct nlmsghdr) char answer[ANSWER_BYTES];
	ssize_t rc;

	r->head.nlmsg_flags |= NLM_F_ACK;
	rc = ask(fd, r, answer);
	if (rc >= 0)
		return 0;
	return err_set(err, (int)-rc, "interface '%s': %s: %s", name, what, strerror((int)-rc));
}

int
rtnl_make_pair(int fd, const struct rtnl_iface ends[2], struct err *err)
{
	struct request r = request(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);
	const struct ifinfomsg none = {0};
	struct rtattr *info, *data, *peer;

	add_iface(&r, &ends[0]);
	info = add(&r, IFLA_LINKINFO, NULL, 0);
	add_name(&r, IFLA_INFO_KIND, "veth");
	data = add(&r, IFLA_INFO_DATA, NULL, 0);
	peer = add(&r, VETH_INFO_PEER, &none, sizeof(none));
	add_iface(&r, &ends[1]);
	end_nest(&r, peer);
	end_nest(&r, data);
	end_nest(&r, info);
	return command(fd, &r, ends[0].name, "making a veth pair", err);
}

int
rtnl_start(int fd, const char *name, struct err *err)
{
	struct request r = request(RTM_NEWLINK, 0);

	r.info.ifi_flags = IFF_UP | IFF_NOARP;
	r.info.ifi_change = IFF_UP | IFF_NOARP | IFF_MULTICAST;
	add_name(&r, IFLA_IFNAME, name);
	return command(fd, &r, name, "bringing it up", err);
}

int
rtnl_give(int fd, const char *name, int net_fd, unsigned mtu, unsigned ring, struct err *err)
{
	struct request r = request(RTM_NEWLINK, 0);
	uint32_t mtu_bytes = mtu, frames = ring, ns = (uint32_t)net_fd;

	add_name(&r, IFLA_IFNAME, name);
	add(&r, IFLA_MTU, &mtu_bytes, sizeof(mtu_bytes));
	add(&r, IFLA_TXQLEN, &frames, sizeof(frames));
	add(&r, IFLA_NET_NS_FD, &ns, sizeof(ns));
	return command(fd, &r, name, "giving it into another namespace", err);
}

/* ---- bridges ---- */

int
rtnl_make_bridge(int fd, const struct rtnl_iface *bridge, struct err *err)
{
	static const unsigned short off[] = {IFLA_BR_MCAST_SNOOPING, IFLA_BR_NF_CALL_IPTABLES,
					     IFLA_BR_NF_CALL_IP6TABLES, IFLA_BR_NF_CALL_ARPTABLES};
	struct request r = request(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);
	const uint32_t none = 0;
	struct rtattr *info, *data;

	add_iface(&r, bridge);
	info = add(&r, IFLA_LINKINFO, NULL, 0);
	add_name(&r, IFLA_INFO_KIND, "bridge");
	data = add(&r, IFLA_INFO_DATA, NULL, 0);
	add(&r, IFLA_BR_STP_STATE, &none, sizeof(none));
	/* With it a port forwards as soon as it is up. */
	add(&r, IFLA_BR_FORWARD_DELAY, &none, sizeof(none));
	for (size_t i = 0; i < sizeof(off) / sizeof(off[0]); i++)
		add(&r, off[i], &none, 1);
	end_nest(&r, data);
	end_nest(&r, info);
	return command(fd, &r, bridge->name, "making a bridge", err);
}

/* The number of an interface, or -errno. */
static int
index_of(int fd, const char *name, struct err *err)
{
	struct rtnl_counts counts;
	int rc = rtnl_counts(fd, name, &counts, err);

	return rc < 0 ? rc : (int)counts.index;
}

int
rtnl_enslave(int fd, const char *name, const char *bridge, struct err *err)
{
	struct request r = request(RTM_NEWLINK, 0);
	int index = index_of(fd, bridge, err);
	uint32_t master = (uint32_t)index;

	if (index < 0)
		return index;
	add(&r, IFLA_MASTER, &master, sizeof(master));
	add_name(&r, IFLA_IFNAME, name);
	return command(fd, &r, name, "making it a port of the bridge", err);
}

int
rtnl_add_station(int fd, const char *name, const uint8_t mac[6], struct err *err)
{
	struct request r = request(RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE);
	int index = index_of(fd, name, err);
	const struct ndmsg station = {.ndm_family = AF_BRIDGE,
				      .ndm_ifindex = index,
				      .ndm_state = NUD_NOARP,
				      .ndm_flags = NTF_MASTER};

	if (index < 0)
		return index;
	/* Its header is shorter than an interface's. */
	memcpy(&r.info, &station, sizeof(station));
	r.head.nlmsg_len = NLMSG_LENGTH(sizeof(station));
	add(&r, NDA_LLADDR, mac, 6);
	return command(fd, &r, name, "telling the bridge who is behind it", err);
}

/* ---- counters ---- */

static bool
find_counts(const struct nlmsghdr *head, struct rtnl_counts *counts)
{
	const struct ifinfomsg *info = NLMSG_DATA(head);
	const struct rtattr *attr = IFLA_RTA(info);
	int len = (int)IFLA_PAYLOAD(head);
	struct rtnl_link_stats64 stats;

	for (; RTA_OK(attr, len); attr = RTA_NEXT(attr, len)) {
		if (attr->rta_type != IFLA_STATS64)
			continue;
		memset(&stats, 0, sizeof(stats));
		memcpy(&stats, RTA_DATA(attr),
		       RTA_PAYLOAD(attr) < sizeof(stats) ? RTA_PAYLOAD(attr) : sizeof(stats));
		*counts = (struct rtnl_counts){stats.rx_packets, stats.tx_packets, stats.rx_dropped,
					       stats.tx_dropped, (unsigned)info->ifi_index};
		return true;
	}
	return false;
}

int
rtnl_counts(int fd, const char *name, struct rtnl_counts *counts, struct err *err)
{
	_Alignas(struct nlmsghdr) char answer[ANSWER_BYTES];
	struct request r = request(RTM_GETLINK, 0);
	ssize_t rc;

	add_name(&r, IFLA_IFNAME, name);
	rc = ask(fd, &r, answer);
	if (rc > 0 && find_counts((const struct nlmsghdr *)answer, counts))
		return 0;
	rc = rc < 0 ? rc : -EPROTO;
	return err_set(err, (int)-rc, "interface '%s': its counters: %s", name, strerror((int)-rc));
}

int
rtnl_is_up(int fd, const char *name, struct err *err)
{
	_Alignas(struct nlmsghdr) char answer[ANSWER_BYTES];
	struct request r = request(RTM_GETLINK, 0);
	const struct ifinfomsg *info = NLMSG_DATA((const struct nlmsghdr *)answer);
	ssize_t rc;

	add_name(&r, IFLA_IFNAME, name);
	rc = ask(fd, &r, answer);
	if (rc == -ENODEV)
		return 0;
	if (rc <= 0)
		return err_set(err, rc < 0 ? (int)-rc : EPROTO, "interface '%s': %s", name,
			       strerror(rc < 0 ? (int)-rc : EPROTO));
	return (info->ifi_flags & IFF_UP) != 0;
}
