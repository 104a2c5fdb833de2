/* SPDX-License-Identifier: MIT */
#pragma once

#include "base/err.h"

/* Can AF_XDP work here?  Makes a socket and loads the smallest program there is, and lets both go;
 * a refusal, of class ERR_MACHINE, says which of them the kernel would not have. */
int xdp_probe(struct err *err);
