/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

#include "base/err.h"

/* Where the server may listen.  Its protocol knows no passwords, so it listens where only this
 * machine reaches it, unless two options say otherwise. */

/* Can only this machine reach the ZeroMQ endpoint? */
bool listen_is_local(const char *endpoint);

/* A tcp endpoint with its address replaced, for the caller to free; others are only copied. */
char *listen_at(const char *endpoint, const char *address);

/* Applies '--listen ADDRESS' (or NULL) to the endpoints, which are the caller's to free, and
 * refuses those that are open to others unless '--insecure' stands beside it. */
int listen_check(char **rpc, char **pub, const char *address, bool insecure, struct err *err);
