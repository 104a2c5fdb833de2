/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

#include "conf_hops.h"
#include "fused.h"
#include "hop_ring.h"

/* Hops of a chain that share a process: forwarders in a row, each with its own engine, functions,
 * addresses and counters, and rings between them.  EAL's port 0 is the first one's, port 1 the last
 * one's. */

struct group {
	unsigned n;
	struct fwd *fwd[CONF_MAX_HOPS];
	unsigned n_links;
	struct hop_link link[CONF_MAX_HOPS - 1];
	struct rte_mempool *pool;
	unsigned n_fused;
	struct fused *fused[PLAN_MAX_LCORES]; /* lcores that poll, for one hop or several */
};

/* Opens the hops; with one of them just that.  Half-opened is closable. */
int group_open(struct group *g, const struct fwd_confs *confs, bool shares_cpus, struct err *err);
void group_close(struct group *g);

/* Runs all lcores until every hop is told to stop; then nothing is left between them. */
void group_run(struct group *g);

/* Nothing comes in from outside any more; what is inside goes on. */
void group_close_entrances(struct group *g);
/* Is a frame inside a hop or between two, as far as can be seen while they run? */
bool group_is_empty(const struct group *g);
void group_set_state(struct group *g, enum fwd_state state);

/* As fwd_close_ports. */
unsigned group_close_ports(struct group *g);
