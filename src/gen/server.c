/* SPDX-License-Identifier: MIT */
#include "server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "dpdk/eal.h"
#include "rpc_rx.h"
#include "traffic.h"

#define RATES_MS 500	  /* TRex's period, to which its clients' smoothing is used */
#define ENDS_MS 10	  /* how often the end of a run is looked for, if somebody waits for it */
#define LAST_WORDS_MS 300 /* how long listeners have to hear that the server stops */
#define MAX_FILES 16384	  /* two connections a client */

const struct rpc_table *const rpc_tables[] = {
	&rpc_general, &rpc_port, &rpc_stats,   &rpc_stream,  &rpc_traffic, &rpc_query,
	&rpc_attr,    &rpc_rx,	 &rpc_capture, &rpc_streams, &rpc_trial,
};
const size_t rpc_n_tables = N_ELEMS(rpc_tables);

void
server_random_text(char out[9])
{
	static const char letters[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
	uint8_t bytes[8];

	if (getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes))
		abort();
	for (int i = 0; i < 8; i++)
		out[i] = letters[bytes[i] % (sizeof(letters) - 1)];
	out[8] = '\0';
}

json_t *
server_mac_json(const uint8_t mac[6])
{
	char text[24];

	snprintf(text, sizeof(text), "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2],
		 mac[3], mac[4], mac[5]);
	return json_string(text);
}

struct server_port *
server_find_port(struct server *s, const json_t *params, unsigned *id, struct jsonrpc_error *e)
{
	uint64_t port;

	if (jsonrpc_u64(params, "port_id", &port, e) < 0)
		return NULL;
	if (port >= GEN_PORTS) {
		jsonrpc_fail(e, JSONRPC_FAILED, "invalid port id - should be: 0 1");
		return NULL;
	}
	*id = (unsigned)port;
	return &s->ports[port];
}

const char *
server_profile_id(const json_t *params, const char *without)
{
	const char *id = json_string_value(json_object_get(params, "profile_id"));

	return id != NULL ? id : without;
}

struct profile *
server_find_profile(struct server *s, const json_t *params, unsigned *port, struct jsonrpc_error *e)
{
	struct server_port *p = server_find_port(s, params, port, e);

	if (p == NULL)
		return NULL;
	return profiles_need(&p->profiles, server_profile_id(params, PROFILE_DEFAULT), e);
}

int
server_stream_id(const json_t *params, uint32_t *id, struct jsonrpc_error *e)
{
	uint64_t wide;

	if (jsonrpc_u64(params, "stream_id", &wide, e) < 0)
		return -EINVAL;
	if (wide > UINT32_MAX)
		return jsonrpc_fail(e, JSONRPC_PARAMS, "parameter 'stream_id' must be below 2^32");
	*id = (uint32_t)wide;
	return 0;
}

static int
check_owner(struct server *s, const json_t *params, struct jsonrpc_error *e)
{
	const char *handler;
	unsigned id;
	struct server_port *p;

	if (jsonrpc_text(params, "handler", &handler, e) < 0)
		return -EINVAL;
	p = server_find_port(s, params, &id, e);
	if (p == NULL)
		return -EINVAL;
	if (p->owner == NULL)
		return jsonrpc_fail(e, JSONRPC_FAILED,
				    "please acquire the port before modifying port state");
	if (strcmp(handler, p->handler) != 0)
		return jsonrpc_fail(e, JSONRPC_FAILED,
				    "port is not owned by you or your current executing session");
	return 0;
}

static int
check_api(const struct server *s, const json_t *params, struct jsonrpc_error *e)
{
	const char *api_h;

	if (jsonrpc_text(params, "api_h", &api_h, e) < 0)
		return -EINVAL;
	if (strcmp(api_h, s->api_h) != 0)
		return jsonrpc_fail(e, JSONRPC_FAILED,
				    "API verification failed - API handler provided mismatch for "
				    "class: 'common'");
	return 0;
}

/* A number is no profile, and not the one that is meant where none is named. */
static int
check_profile_id(const json_t *params, struct jsonrpc_error *e)
{
	const json_t *id = json_object_get(params, "profile_id");
	const char *text;

	return id == NULL || json_is_null(id) ? 0 : jsonrpc_text(params, "profile_id", &text, e);
}

static int
guard(void *ctx, const struct jsonrpc_method *m, const json_t *params, struct jsonrpc_error *e)
{
	struct server *s = ctx;
	int rc = 0;

	/* So that no method meets a run that has ended unnoticed. */
	traffic_settle(s);
	if (m->flags & RPC_NEEDS_API)
		rc = check_api(s, params, e);
	if (rc == 0 && m->flags & RPC_NEEDS_OWNER)
		rc = check_owner(s, params, e);
	return rc == 0 ? check_profile_id(params, e) : rc;
}

void
server_event(struct server *s, enum event_type type, json_t *data)
{
	events_emit(s->events, type, data, clock_now_ns());
	if (s->zmq != NULL)
		zmq_server_ring(s->zmq);
}

static void
stop_worker(struct server *s)
{
	atomic_store(&s->worker->stop, 1);
}

static void
on_last_words(void *arg)
{
	struct server *s = arg;
	uint64_t now = clock_now_ns();

	if (now >= s->stop_ns || events_waiting(s->events, now) == 0)
		stop_worker(s);
}

void
server_stop(struct server *s, const char *cause)
{
	if (s->stop_ns != 0)
		return;
	s->stop_ns = clock_now_ns() + LAST_WORDS_MS * NSEC_PER_MS;
	server_event(s, EVENT_SERVER_STOPPED, json_pack("{s:s}", "cause", cause));
	if (s->loop == NULL || events_waiting(s->events, clock_now_ns()) == 0)
		stop_worker(s);
	else
		s->stop_watch = loop_timer(s->loop, ENDS_MS, on_last_words, s);
}

static void
on_signal(void *arg)
{
	struct server *s = arg;

	if (s->signals++ > 0)
		_exit(1);
	server_stop(s, "a signal");
}

static void
on_lifeline(void *arg)
{
	struct server *s = arg;
	char byte;

	if (read(s->conf->lifeline, &byte, 1) <= 0)
		server_stop(s, "its parent is gone");
}

void
server_update_rates(struct server *s, uint64_t now_ns)
{
	double seconds = s->rates_ns != 0 ? (double)(now_ns - s->rates_ns) / 1e9 : 0;

	s->rates_ns = now_ns;
	for (unsigned i = 0; i < GEN_PORTS; i++) {
		const struct gen_port *g = &s->worker->ports[i];
		struct port_rates *r = &s->ports[i].rates;

		rate_counter_update(&r->tx, counter_get(&g->opackets), seconds);
		rate_counter_update(&r->rx, counter_get(&g->ipackets), seconds);
		rate_counter_update(&r->tx_bytes, counter_get(&g->obytes), seconds);
		rate_counter_update(&r->rx_bytes, counter_get(&g->ibytes), seconds);
	}
	cpu_load_update(&s->cpu, counter_get(&s->worker->busy_ns), seconds);
}

static void
on_rates(void *arg)
{
	server_update_rates(arg, clock_now_ns());
	rpc_port_watch_links(arg);
	rpc_rx_tick(arg, clock_now_ns());
}

static void
on_ends(void *arg)
{
	traffic_settle(arg);
	server_watch_ends(arg);
}

void
server_watch_ends(struct server *s)
{
	bool needed = traffic_any(s) && events_listeners(s->events, clock_now_ns()) > 0;

	if (s->loop == NULL || needed == (s->ends_watch != NULL))
		return;
	if (needed) {
		s->ends_watch = loop_timer(s->loop, ENDS_MS, on_ends, s);
	} else {
		loop_unwatch(s->ends_watch);
		s->ends_watch = NULL;
	}
}

static void *
server_main(void *arg)
{
	struct server *s = arg;

	eal_bind_control_thread();
	loop_run(s->loop);
	return NULL;
}

static void
join_tables(struct server *s)
{
	struct jsonrpc_server *rpc = &s->rpc;

	*rpc = (struct jsonrpc_server){.ctx = s, .guard = guard};
	for (size_t i = 0; i < rpc_n_tables; i++) {
		s->methods = xrealloc(s->methods, rpc->n_methods + rpc_tables[i]->n,
				      sizeof(*s->methods));
		memcpy(s->methods + rpc->n_methods, rpc_tables[i]->methods,
		       rpc_tables[i]->n * sizeof(*s->methods));
		rpc->n_methods += rpc_tables[i]->n;
	}
	rpc->methods = s->methods;
}

static void
init_layers(struct server *s, unsigned port)
{
	const struct gen_l3 *l3 = &s->conf->l3[port];
	struct port_layers *l = &s->ports[port].layers;

	memcpy(l->dest, s->worker->ports[port].dest, 6);
	if (l3->ip != 0) {
		l->ipv4 = true;
		l->resolved = s->conf->dest[port].set;
		inet_ntop(AF_INET, &l3->ip, l->ipv4_src, sizeof(l->ipv4_src));
		inet_ntop(AF_INET, &l3->gateway, l->ipv4_dst, sizeof(l->ipv4_dst));
	}
	if (l3->vlan != 0)
		l->vlan[l->n_vlans++] = l3->vlan;
}

void
server_init(struct server *s, const struct gen_conf *conf, struct gen_worker *worker)
{
	time_t now = time(NULL);
	struct tm tm;

	memset(s, 0, sizeof(*s));
	s->conf = conf;
	s->worker = worker;
	s->events = events_new();
	server_random_text(s->api_h);
	strftime(s->started_at, sizeof(s->started_at), "%b %d %Y @ %H:%M:%S", gmtime_r(&now, &tm));
	for (unsigned i = 0; i < GEN_PORTS; i++) {
		profiles_init(&s->ports[i].profiles, (double)conf->speed_bps,
			      conf->max_frame - FRAME_FCS);
		init_layers(s, i);
		s->ports[i].link_up = attr_link_up(server_device(s, i));
		s->can_promiscuous[i] = attr_can_promiscuous(server_device(s, i));
	}
	attr_names_init(&s->xstats, (uint16_t[]){server_device(s, 0), server_device(s, 1)});
	rpc_rx_open(s);
	join_tables(s);
}

void
server_fini(struct server *s)
{
	if (s->events == NULL)
		return;
	traffic_fini(s);
	rpc_rx_close(s);
	for (unsigned i = 0; i < GEN_PORTS; i++) {
		profiles_fini(&s->ports[i].profiles);
		free(s->ports[i].owner);
	}
	attr_names_fini(&s->xstats);
	events_free(s->events);
	free(s->methods);
	memset(s, 0, sizeof(*s));
}

static int
listen_rpc(struct server *s, struct err *err)
{
	struct zmq_server_conf conf = {
		.rpc_endpoint = s->conf->rpc,
		.pub_endpoint = strcmp(s->conf->pub, "none") == 0 ? NULL : s->conf->pub,
		.rpc = s->rpc,
	};

	return zmq_server_open(&s->zmq, &conf, s->loop, err);
}

/* Each connection takes a descriptor, and the usual limit of 1024 is a few hundred clients. */
static void
allow_files(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= MAX_FILES)
		return;
	limit.rlim_cur = limit.rlim_max < MAX_FILES ? limit.rlim_max : MAX_FILES;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
}

static int
start_loop(struct server *s, struct err *err)
{
	cpu_set_t ours;
	int rc = loop_open(&s->loop, err);

	if (rc < 0)
		return rc;
	/* ZeroMQ's own threads inherit the CPUs of the thread that makes them. */
	(void)sched_getaffinity(0, sizeof(ours), &ours);
	eal_bind_control_thread();
	rc = listen_rpc(s, err);
	(void)sched_setaffinity(0, sizeof(ours), &ours);
	if (rc < 0)
		return rc;
	loop_signal(s->loop, SIGTERM, on_signal, s);
	loop_signal(s->loop, SIGINT, on_signal, s);
	if (s->conf->lifeline >= 0)
		loop_fd(s->loop, s->conf->lifeline, on_lifeline, s);
	s->rates_watch = loop_timer(s->loop, RATES_MS, on_rates, s);
	return 0;
}

int
server_open(struct server *s, const struct gen_conf *conf, struct gen_worker *worker,
	    struct err *err)
{
	int rc;

	server_init(s, conf, worker);
	allow_files();
	rc = start_loop(s, err);
	if (rc < 0)
		return rc;
	rc = pthread_create(&s->thread, NULL, server_main, s);
	if (rc != 0)
		return err_set(err, rc, "RPC thread: %s", strerror(rc));
	s->running = true;
	return 0;
}

void
server_close(struct server *s)
{
	if (s->running) {
		loop_stop(s->loop);
		pthread_join(s->thread, NULL);
	}
	zmq_server_close(s->zmq);
	loop_close(s->loop);
	server_fini(s);
}
