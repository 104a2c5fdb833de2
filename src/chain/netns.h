/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>

#include "base/err.h"
#include "base/proc.h"

/* Network namespaces of our own, without names: each and all interfaces in it go when the last
 * process in it has ended and the last descriptor of it is closed, also when we are killed.
 *
 * Whoever may make them does so; an ordinary user gets them inside a user namespace of theirs,
 * where they are root over them, unless the machine forbids that: a sentence of class ERR_MACHINE.
 */

#define NETNS_MAX 17

struct netns_set {
	size_t n;
	struct proc_ns ns[NETNS_MAX]; /* for children that are to live there; one user_fd for all,
				       * -1: no user namespace */
	int link_fd[NETNS_MAX];	      /* an rtnetlink socket in each */
};

/* Brings interfaces into them. */
typedef int netns_fill(void *arg, const struct netns_set *set, struct err *err);

/* Makes 'n' of them, and has a child of ours call 'fill'; what that changes in memory is lost.  On
 * failure nothing is left. */
int netns_open(struct netns_set *set, size_t n, netns_fill *fill, void *arg, struct err *err);
/* Takes a set that is zeroed, too. */
void netns_close(struct netns_set *set);
