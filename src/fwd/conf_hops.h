/* SPDX-License-Identifier: MIT */
#pragma once

#include "conf.h"

/* The settings of all hops that a command line describes.
 *
 *     --engine poll --hop vnf1 --nf l2fwd --hop vnf2 --nf work:100
 *
 * What stands before the first --hop is each hop's; what stands behind one is that hop's. */

#define CONF_MAX_HOPS 16

struct fwd_confs {
	unsigned n; /* 1 without --hop */
	struct fwd_conf hop[CONF_MAX_HOPS];
};

/* As fwd_conf_parse; words that mean something to a process alone are refused for several hops. */
int fwd_confs_parse(struct fwd_confs *confs, const char *personality, int argc, char **argv,
		    struct err *err);
void fwd_confs_fini(struct fwd_confs *confs);

/* The end of file that all of them wait for, or -1. */
int fwd_confs_lifeline(const struct fwd_confs *confs);
