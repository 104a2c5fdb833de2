/* SPDX-License-Identifier: MIT */
#pragma once

#include <jansson.h>

#include "base/err.h"

/* A control socket for a hop that has none on this machine: what nfvchain-fwd's has
 * (rpc/control.h), answered by a thread of its own, so that one hop that is slow holds up no other.
 */

struct hop_socket;

/* Asks the hop; steals 'params'.  Returns as control_client_call, within a time that whoever closes
 * the socket is ready to wait. */
typedef int hop_ask_fn(void *arg, const char *method, json_t *params, json_t **result,
		       struct err *err);

/* Listens at 'path'; 'ask' is called from the socket's thread. */
int hop_socket_open(struct hop_socket **s, const char *path, hop_ask_fn *ask, void *arg,
		    struct err *err);
/* Returns once 'ask' is called no more; removes the path. */
void hop_socket_close(struct hop_socket *s);
