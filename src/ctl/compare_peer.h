/* SPDX-License-Identifier: MIT */
#pragma once

#include "bench_conf.h"

/* `nfvchain bench --peer`: a paired run of 'chain' (B) against the peer (A, the baseline), which is
 * the same chain with another program as its hop, or another chain. */
int compare_with_peer(const struct bench_conf *bench, const struct chain *chain, int argc,
		      char **argv, struct err *err);
