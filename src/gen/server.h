/* SPDX-License-Identifier: MIT */
#pragma once

#include <pthread.h>

#include "base/loop.h"
#include "conf.h"
#include "rpc/zmq_server.h"
#include "stream.h"
#include "worker.h"

/* The generator as clients see it: TRex's stateless RPC, as much of it as the orchestrator needs,
 * and x_nfvchain_* beside.  One thread, which is no lcore, answers from snapshots; it never waits
 * for the worker, nor the worker for it. */

#define SERVER_MAX_RETIRED 8

struct server_port {
	char *owner;	 /* user who acquired it, or NULL */
	char handler[9]; /* proves ownership */
	uint32_t session_id;
	size_t n_streams;
	struct stream streams[STREAM_MAX_PER_PORT];
	struct run *run;			 /* the last one, or NULL */
	struct run *retired[SERVER_MAX_RETIRED]; /* to free once the worker has let go */
	uint64_t rate_ns; /* when the rates below were last brought up to date */
	uint64_t last_tx, last_rx, last_tx_bytes, last_rx_bytes;
	double tx_pps, rx_pps, tx_bps, rx_bps;
};

struct server {
	const struct gen_conf *conf;
	struct gen_worker *worker;
	struct server_port ports[GEN_PORTS];
	char api_h[9];
	uint16_t next_stream_base; /* signature stream numbers, never used twice in a row */
	char started_at[32];
	struct loop *loop;
	struct jsonrpc_method *methods; /* all tables, joined */
	struct zmq_server *zmq;
	pthread_t thread;
	bool running;
	int signals;
};

/* Starts serving; SIGTERM, SIGINT, end of the lifeline and the method 'shutdown' stop the worker.
 */
int server_open(struct server *s, const struct gen_conf *conf, struct gen_worker *worker,
		struct err *err);
void server_close(struct server *s);

/* Methods, a table for each family; server.c joins them. */
extern const struct jsonrpc_method rpc_general[];
extern const size_t rpc_n_general;
extern const struct jsonrpc_method rpc_port[];
extern const size_t rpc_n_port;
extern const struct jsonrpc_method rpc_trial[];
extern const size_t rpc_n_trial;

#define RPC_NEEDS_API 1u   /* params must carry our api_h */
#define RPC_NEEDS_OWNER 2u /* and the handler of port_id */

/* The port that 'port_id' names, or NULL with the error set. */
struct server_port *server_find_port(struct server *s, const json_t *params, unsigned *id,
				     struct jsonrpc_error *e);
/* "IDLE", "STREAMS", "TX". */
const char *server_port_state(const struct server *s, unsigned id);
bool server_port_sends(const struct server *s, unsigned id);
void server_random_text(char out[9]);
