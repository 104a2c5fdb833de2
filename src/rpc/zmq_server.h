/* SPDX-License-Identifier: MIT */
#pragma once

#include "base/loop.h"
#include "jsonrpc.h"

/* A JSON-RPC server for ZeroMQ's REQ sockets with TRex's envelope, and the PUB socket that is its
 * doorbell: the two bytes "{}" tell clients to ask for events.  All calls from the loop's thread.
 */

struct zmq_server;

struct zmq_server_conf {
	const char *rpc_endpoint; /* "ipc:///run/.../rpc", "tcp://127.0.0.1:4501" */
	const char *pub_endpoint; /* or NULL */
	struct jsonrpc_server rpc;
};

/* Binds and starts serving from 'loop'.  A taken port or an unwritable path is one sentence. */
int zmq_server_open(struct zmq_server **s, const struct zmq_server_conf *conf, struct loop *loop,
		    struct err *err);
void zmq_server_ring(struct zmq_server *s); /* rings the doorbell */
void zmq_server_close(struct zmq_server *s);
