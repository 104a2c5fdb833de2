/* SPDX-License-Identifier: MIT */
#pragma once

#include <nfvchain/nf.h>

#include "base/err.h"

/* A network function out of somebody else's shared object. */

/* Loads the shared object at 'path' and checks what its nfvchain_nf() returns: built for this
 * header and this DPDK, complete, with names that counters can have.  'lib' is for dlclose once the
 * function is not used any more.  NULL with a sentence, and nothing loaded, when it cannot be
 * used. */
const struct nf *nf_load(const char *path, void **lib, struct err *err);
