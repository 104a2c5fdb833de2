/* SPDX-License-Identifier: MIT */
#pragma once

#include "bench_conf.h"
#include "chain/chain.h"

/* nfvchain bench of a chain between two files: brings it up, lets every frame of the one go through
 * once, takes it down, and prints what became of them.  Of class ERR_ACCOUNTING when that does not
 * come out. */
int bench_files(const struct bench_conf *conf, const struct chain *chain, struct err *err);
