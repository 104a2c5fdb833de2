/* SPDX-License-Identifier: MIT */
#pragma once

#include <pthread.h>

#include "attr.h"
#include "base/loop.h"
#include "conf.h"
#include "events.h"
#include "profiles.h"
#include "rates.h"
#include "rpc/zmq_server.h"
#include "worker.h"

/* The generator as clients see it: TRex's stateless RPC, and x_nfvchain_* beside.  One thread,
 * which is no lcore, answers from snapshots; it never waits for the worker, nor the worker for it.
 */

#define SERVER_MAX_RETIRED 64
#define SERVER_MAX_USER 256 /* characters of an owner's name */

/* What set_l2, set_l3, set_vlan and conf_ipv6 have left. */
struct port_layers {
	uint8_t dest[6]; /* of frames that do not bring their own */
	bool ipv4;	 /* set_l3 was last */
	bool resolved;	 /* and it came with the gateway's address */
	char ipv4_src[16], ipv4_dst[16];
	uint16_t vlan[2];
	unsigned n_vlans;
	bool ipv6;
	char ipv6_src[46]; /* "" for the address made from the MAC address */
};

/* A run to be freed once the worker has let go of it. */
struct retired {
	struct run *run; /* NULL: none */
	unsigned slot;
};

struct server_port {
	char *owner;	 /* user who acquired it, or NULL */
	char handler[9]; /* proves ownership */
	uint32_t session_id;
	struct profiles profiles;
	enum profile_state state; /* as last published */
	struct retired retired[SERVER_MAX_RETIRED];
	uint64_t refused; /* frames the link had no room for, in runs that are freed */
	struct port_layers layers;
	struct port_rates rates;
	bool link_up; /* as last seen */
};

struct rx_state;

struct server {
	const struct gen_conf *conf;
	struct gen_worker *worker;
	struct server_port ports[GEN_PORTS];
	struct rx_state *rx; /* of the methods about received frames */
	struct attr_names xstats;
	bool can_promiscuous[GEN_PORTS];
	char api_h[9];
	uint16_t next_stream_base; /* signature stream numbers, never used twice in a row */
	char started_at[32];
	struct events *events;
	uint64_t rates_ns; /* when rates were last brought up to date */
	struct cpu_load cpu;
	struct loop *loop;
	struct loop_watch *rates_watch;
	struct loop_watch *ends_watch;	/* while somebody waits for the end of a run */
	struct loop_watch *stop_watch;	/* while the last answers go out */
	uint64_t stop_ns;		/* then the worker is stopped */
	struct jsonrpc_method *methods; /* all tables, joined */
	struct jsonrpc_server rpc;
	struct zmq_server *zmq;
	pthread_t thread;
	bool running;
	int signals;
};

/* Everything but sockets and threads: for tests, who call server_serve and the timers' functions
 * themselves. */
void server_init(struct server *s, const struct gen_conf *conf, struct gen_worker *worker);
void server_fini(struct server *s);

/* Starts serving; SIGTERM, SIGINT, end of the lifeline and the method 'shutdown' stop the worker.
 */
int server_open(struct server *s, const struct gen_conf *conf, struct gen_worker *worker,
		struct err *err);
void server_close(struct server *s);

/* What the timers do. */
void server_update_rates(struct server *s, uint64_t now_ns);
void server_watch_ends(struct server *s);

/* Looks whether links came or went, and tells. */
void rpc_port_watch_links(struct server *s);

/* Tells everybody who listens, then stops the worker, a little later, so that they hear it. */
void server_stop(struct server *s, const char *cause);

/* Queues an event and rings the doorbell; steals 'data'. */
void server_event(struct server *s, enum event_type type, json_t *data);

/* Methods, a table for each family; server.c joins them. */
struct rpc_table {
	const struct jsonrpc_method *methods;
	size_t n;
};
extern const struct rpc_table rpc_general, rpc_port, rpc_stats, rpc_stream, rpc_traffic, rpc_query,
	rpc_attr, rpc_rx, rpc_capture, rpc_streams, rpc_trial;
extern const struct rpc_table *const rpc_tables[];
extern const size_t rpc_n_tables;

#define RPC_NEEDS_API 1u   /* params must carry our api_h */
#define RPC_NEEDS_OWNER 2u /* and the handler of port_id */

/* The port's number in DPDK. */
static inline uint16_t
server_device(const struct server *s, unsigned port)
{
	return s->worker->ports[port].port.id;
}

/* The port that 'port_id' names, or NULL with the error set. */
struct server_port *server_find_port(struct server *s, const json_t *params, unsigned *id,
				     struct jsonrpc_error *e);
/* The profile that 'profile_id' names, "_" without; NULL with the error set. */
const char *server_profile_id(const json_t *params, const char *without);
struct profile *server_find_profile(struct server *s, const json_t *params, unsigned *port,
				    struct jsonrpc_error *e);
/* A stream's number, below 2^32. */
int server_stream_id(const json_t *params, uint32_t *id, struct jsonrpc_error *e);
void server_random_text(char out[9]);
json_t *server_mac_json(const uint8_t mac[6]);
