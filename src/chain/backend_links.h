/* SPDX-License-Identifier: MIT */
#pragma once

#include "backend.h"

/* The links of a chain that are the kernel's: pairs of interfaces between network namespaces of our
 * own, one for each process.  (Not one for all: there the fan-out groups that DPDK's af_packet
 * makes from process and interface numbers would meet.)  When the processes in them are gone, and
 * we are, the kernel takes it all away, so a kill leaves nothing. */

/* Makes them, before any process is started; nothing for a chain that has none.  Refuses, of class
 * ERR_MACHINE, when this user may make no namespace or the kernel has no such interfaces.  What was
 * made stays for backend_links_down when it fails. */
int backend_links_up(struct backend *b, struct err *err);
void backend_links_down(struct backend *b);

/* After process 'i' of the plan was started: waits for the taps it makes and gives each to the
 * neighbour that is to open it, which has not been started yet. */
int backend_links_started(struct backend *b, size_t i, struct err *err);

/* Where a process of the plan is to live; NULL: where we are. */
const struct proc_ns *backend_links_ns(const struct backend *b, const struct plan_proc *pp);

/* Frames for port 'port' of process 'i' of the plan that the kernel had no room for since it was
 * made: on the way into its interface, and in the ring of its socket.  0 where a link is not the
 * kernel's. */
uint64_t backend_links_missed(struct backend *b, size_t i, size_t port);

/* What the interfaces of hop 'i', a bridge, tell; its misses are backend_links_missed's. */
int backend_links_bridge(struct backend *b, size_t i, struct ledger_hop *hop, struct err *err);
