/* SPDX-License-Identifier: MIT */
#pragma once

#include "bench/trial.h"
#include "chain/chain.h"
#include "session.h"

/* What the generator itself can do: its two ports joined by the cheapest peer, over the same kind
 * of link and on the CPU of the first hop.  Results above this say nothing about a chain. */

struct selftest {
	double max_pps;	      /* received without a schedule */
	double scheduled_pps; /* highest load of a few at which it keeps its schedule, here and now:
			       * above that trials are invalid, whatever the chain can do */
	double pacing_p50_ns; /* actual - intended departure at 'at_pps'; negative: unknown */
	double pacing_p99_ns;
	double at_pps;
	struct trial flat_out;
	struct trial paced; /* its latency is the floor */
};

/* Fills in one 'selftest' for each of chain->traffic.frames. */
int selftest_run(const struct chain *chain, struct selftest *tests, struct err *err);

/* Can the test have the machines of the chain, so that they boot once?  They must be all of it: a
 * generator and one hop of one lcore. */
bool selftest_shares(const struct chain *chain);
/* The same in those machines: brings them up, tests, and leaves 's' with the chain up.  On failure
 * nothing is left. */
int selftest_run_sharing(struct session *s, const struct chain *chain, struct selftest *tests,
			 struct err *err);
