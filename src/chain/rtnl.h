/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdint.h>

#include "base/err.h"

/* Network interfaces of the kernel, by rtnetlink: a socket speaks to the network namespace that it
 * was made in, wherever its owner is by then. */

#define RTNL_MAX_NAME 15 /* characters of an interface's name */

struct rtnl_iface {
	const char *name;
	const uint8_t *mac; /* 6 bytes */
	unsigned mtu;
	int net_fd; /* the namespace it is to be in; -1: the socket's */
};

/* Frames of an interface since it was made. */
struct rtnl_counts {
	uint64_t rx, tx;
	uint64_t rx_dropped; /* arrived, and the kernel had no room */
	uint64_t tx_dropped; /* sent, and never reached the other end */
	unsigned index;	     /* the interface's number in its namespace */
};

/* A socket in the caller's namespace, or -errno. */
int rtnl_open(struct err *err);

/* A pair: what is sent into one end comes out of the other.  Both are down. */
int rtnl_make_pair(int fd, const struct rtnl_iface ends[2], struct err *err);
/* Brings it up, without ARP and multicast: nothing is sent into it but by who uses it. */
int rtnl_start(int fd, const char *name, struct err *err);
/* Gives an interface into the namespace behind 'net_fd', where it is down, and sets its MTU and how
 * many frames may wait to be read from a tap. */
int rtnl_give(int fd, const char *name, int net_fd, unsigned mtu, unsigned ring, struct err *err);
/* Is it there, and up?  1, 0, or -errno. */
int rtnl_is_up(int fd, const char *name, struct err *err);
/* A bridge without spanning tree, multicast snooping, filters of iptables' and a time of learning;
 * it is down. */
int rtnl_make_bridge(int fd, const struct rtnl_iface *bridge, struct err *err);
/* Makes an interface a port of a bridge. */
int rtnl_enslave(int fd, const char *name, const char *bridge, struct err *err);
/* From then on the bridge sends frames to 'mac' out of that port. */
int rtnl_add_station(int fd, const char *name, const uint8_t mac[6], struct err *err);

int rtnl_counts(int fd, const char *name, struct rtnl_counts *counts, struct err *err);
