/* SPDX-License-Identifier: MIT */
#pragma once

#include "chain/chain.h"
#include "compare_conf.h"

/* One side of a comparison: a chain, and what people call it. */

struct compare_side {
	char *label;	   /* as the user named it */
	char *command;	   /* of the hop that is compared; for people */
	unsigned n_lcores; /* of all its hops */
	unsigned n_cpus;   /* that they keep busy: lcores of a hop may share one */
	struct chain chain;
};

/* Makes a side of "poll", "testpmd", "linux-bridge", "ovs-dpdk", "exec:COMMAND" (the default chain
 * with that hop) or a chain file, with the flags of 'conf' applied, checked. */
int compare_side_make(struct compare_side *side, const char *spec, const struct compare_conf *conf,
		      struct err *err);
/* Makes a side of 'chain' with its one hop replaced by what 'spec' says, or of the chain file
 * 'spec'. */
int compare_side_replace(struct compare_side *side, const struct chain *chain, const char *spec,
			 const struct compare_conf *conf, struct err *err);
/* Takes a copy of 'chain' as it is. */
int compare_side_copy(struct compare_side *side, const struct chain *chain, const char *label,
		      struct err *err);
/* All must send the same traffic, of one mix; notes the command lines and the lcores of
 * their hops. */
int compare_sides_check(struct compare_side *side, unsigned n_sides, bool verbose, struct err *err);
void compare_side_fini(struct compare_side *side);
