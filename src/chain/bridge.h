/* SPDX-License-Identifier: MIT */
#pragma once

#include "base/err.h"
#include "plan.h"

/* Hops that are bridges of the kernel's: an interface of kind bridge in the network namespace of
 * the hop, the hop's ends of its two links as ports. */

/* Makes the bridge of hop 'hop' by an rtnetlink socket of its namespace; the links' interfaces are
 * there.  It forwards from the first frame on, and makes none itself.  Of class ERR_MACHINE when
 * the kernel has no bridges. */
int bridge_make(const struct chain_plan *plan, const struct chain *chain, int fd, int hop,
		struct err *err);
