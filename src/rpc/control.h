/* SPDX-License-Identifier: MIT */
#pragma once

#include "base/loop.h"
#include "jsonrpc.h"

/* JSON-RPC 2.0 over a SOCK_SEQPACKET socket in the run directory: one request or reply a packet.
 * The forwarder's control socket. */

#define CONTROL_MAX_BYTES (1u << 17)

struct control_server;

/* Listens at 'path' (mode 0600; a stale socket nobody answers on is replaced, a live one is an
 * error that says so) and serves from 'loop'. */
int control_server_open(struct control_server **s, const char *path,
			const struct jsonrpc_server *rpc, struct loop *loop, struct err *err);
/* Also unlinks the path. */
void control_server_close(struct control_server *s);

struct control_client;

/* Connects, retrying until 'timeout_ms' has passed while nobody listens. */
int control_client_open(struct control_client **c, const char *path, int timeout_ms,
			struct err *err);
void control_client_close(struct control_client *c);
/* As zmq_client_call; -EPIPE when the server has gone. */
int control_client_call(struct control_client *c, const char *method, json_t *params,
			int timeout_ms, json_t **result, struct err *err);
