/* SPDX-License-Identifier: MIT */
#pragma once

#include <jansson.h>

#include "forwarder.h"
#include "rpc/jsonrpc.h"

/* Arms a fault as the 'fault' verb asks for it.  Those that go on for a time or are a share of all
 * frames are armed on each lcore that sends, others on the first. */
int control_fault(struct fwd *fwd, const json_t *params, struct jsonrpc_error *e);
