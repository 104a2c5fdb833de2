/* SPDX-License-Identifier: MIT */
#pragma once

#include "server.h"

/* What the other methods need of those about received frames: flow statistics, latency, captures,
 * service mode. */

/* All of it, from server_init to server_fini. */
void rpc_rx_open(struct server *s);
void rpc_rx_close(struct server *s);
/* Each half second. */
void rpc_rx_tick(struct server *s, uint64_t now_ns);

/* Adds "rx" to what get_system_info says of a port. */
void rpc_rx_describe(const struct server *s, unsigned port, json_t *info);
/* Adds "service", "service_filtered" and "rx_info" to what get_port_status says, and
 * "rx_filter_mode" to its "attr". */
void rpc_rx_status(const struct server *s, unsigned port, json_t *status, json_t *attr);

/* A stream was added, and has its frames counted if its rule says so; on error it is removed. */
int rpc_rx_add_stream(struct server *s, unsigned port, struct stream *stream,
		      struct jsonrpc_error *e);
/* It is about to be removed. */
void rpc_rx_remove_stream(struct server *s, unsigned port, struct stream *stream);
/* The profile's streams are about to be sent; and they need no counting any more, also when the
 * start has failed. */
int rpc_rx_start_profile(struct server *s, unsigned port, struct profile *p,
			 struct jsonrpc_error *e);
void rpc_rx_stop_profile(struct server *s, unsigned port, struct profile *p);
/* The worker has let go of the run, and it is about to be freed. */
void rpc_rx_run_gone(struct server *s, const struct run *run);
