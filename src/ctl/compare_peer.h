/* SPDX-License-Identifier: MIT */
#pragma once

#include "bench_conf.h"

/* `nfvchain bench --peer`: a paired run of 'chain' (B) against the peer (A, the baseline), which is
 * the same chain with another program as its hop, or another chain. */
int compare_with_peer(const struct bench_conf *bench, const struct chain *chain, int argc,
		      char **argv, struct err *err);

/* `nfvchain bench --engine poll,event`: a paired run of the chain with each of these engines, the
 * first being A.  Nobody is to beat a baseline, so whatever the verdicts are, it is 0. */
int compare_engines(const struct bench_conf *bench, const struct chain *chain, int argc,
		    char **argv, struct err *err);
