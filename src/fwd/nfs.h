/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

#include "forwarder.h"

/* The network functions of a forwarder, in their order. */

/* Finds, checks and opens what --nf names ("l2fwd", "wire", "./mine.so:args"); l2fwd without any.
 */
int nfs_open(struct fwd *fwd, struct err *err);
void nfs_close(struct fwd *fwd);

/* Lets each function see the burst.  A frame that one drops or sends elsewhere is not shown to the
 * next.  Returns whether every verdict is NF_FORWARD; 'verdict' is filled in either way. */
bool nfs_burst(struct fwd_lcore *w, struct rte_mbuf **frames, uint16_t n, uint8_t *verdict);

/* Counter of a drop verdict as nfs_burst gives it. */
static inline unsigned
nfs_reason(uint8_t verdict)
{
	return REASON_NF + NF_VALUE(verdict);
}

extern const struct nf nf_l2fwd;
extern const struct nf nf_wire;
