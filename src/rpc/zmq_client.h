/* SPDX-License-Identifier: MIT */
#pragma once

#include <jansson.h>

#include "base/err.h"

/* The other side: works with our generator and with a real TRex.  Requests go uncompressed. */

struct zmq_client;

/* Never blocks: the server may come later. */
int zmq_client_open(struct zmq_client **c, const char *endpoint, struct err *err);
void zmq_client_close(struct zmq_client *c);

/* Calls 'method'; steals 'params' (NULL for none).  '*result' is a new reference, or pass NULL.
 * -ETIMEDOUT after 'timeout_ms' without an answer; the connection is then made anew, so that a late
 * answer is never taken for another's. */
int zmq_client_call(struct zmq_client *c, const char *method, json_t *params, int timeout_ms,
		    json_t **result, struct err *err);
