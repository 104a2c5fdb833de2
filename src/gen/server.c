/* SPDX-License-Identifier: MIT */
#include "server.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "dpdk/eal.h"

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

struct server_port *
server_find_port(struct server *s, const json_t *params, unsigned *id, struct jsonrpc_error *e)
{
	uint64_t port;

	if (jsonrpc_u64(params, "port_id", &port, e) < 0)
		return NULL;
	if (port >= GEN_PORTS) {
		jsonrpc_fail(e, JSONRPC_FAILED, "port_id - expecting value between 0 to %d",
			     GEN_PORTS - 1);
		return NULL;
	}
	*id = (unsigned)port;
	return &s->ports[port];
}

bool
server_port_sends(const struct server *s, unsigned id)
{
	const struct run *run = s->ports[id].run;

	return run != NULL && atomic_load(&run->state) != RUN_SENT;
}

const char *
server_port_state(const struct server *s, unsigned id)
{
	if (server_port_sends(s, id))
		return "TX";
	return s->ports[id].n_streams > 0 ? "STREAMS" : "IDLE";
}

static int
check_owner(struct server *s, const json_t *params, struct jsonrpc_error *e)
{
	const char *handler = json_string_value(json_object_get(params, "handler"));
	unsigned id;
	struct server_port *p = server_find_port(s, params, &id, e);

	if (p == NULL)
		return -EINVAL;
	if (p->owner == NULL)
		return jsonrpc_fail(e, JSONRPC_FAILED,
				    "please acquire the port before modifying port state");
	if (handler == NULL || strcmp(handler, p->handler) != 0)
		return jsonrpc_fail(e, JSONRPC_FAILED,
				    "port is not owned by you or your current executing session");
	return 0;
}

static int
guard(void *ctx, const struct jsonrpc_method *m, const json_t *params, struct jsonrpc_error *e)
{
	struct server *s = ctx;

	if (m->flags & RPC_NEEDS_API) {
		const char *api_h = json_string_value(json_object_get(params, "api_h"));

		if (api_h == NULL || strcmp(api_h, s->api_h) != 0)
			return jsonrpc_fail(e, JSONRPC_FAILED,
					    "API verification failed - API handler provided "
					    "mismatch for class: 'common'");
	}
	return m->flags & RPC_NEEDS_OWNER ? check_owner(s, params, e) : 0;
}

static void
stop(struct server *s)
{
	atomic_store(&s->worker->stop, 1);
}

static void
on_signal(void *arg)
{
	struct server *s = arg;

	if (s->signals++ > 0)
		_exit(1);
	stop(s);
}

static void
on_lifeline(void *arg)
{
	struct server *s = arg;
	char byte;

	if (read(s->conf->lifeline, &byte, 1) <= 0)
		stop(s);
}

static void *
server_main(void *arg)
{
	struct server *s = arg;

	eal_bind_control_thread();
	loop_run(s->loop);
	return NULL;
}

static struct jsonrpc_method *
join_tables(size_t *n)
{
	struct jsonrpc_method *all =
		xcalloc(rpc_n_general + rpc_n_port + rpc_n_trial, sizeof(*all));

	memcpy(all, rpc_general, rpc_n_general * sizeof(*all));
	memcpy(all + rpc_n_general, rpc_port, rpc_n_port * sizeof(*all));
	memcpy(all + rpc_n_general + rpc_n_port, rpc_trial, rpc_n_trial * sizeof(*all));
	*n = rpc_n_general + rpc_n_port + rpc_n_trial;
	return all;
}

static int
listen_rpc(struct server *s, struct err *err)
{
	struct zmq_server_conf conf = {
		.rpc_endpoint = s->conf->rpc,
		.pub_endpoint = strcmp(s->conf->pub, "none") == 0 ? NULL : s->conf->pub,
		.rpc = {.ctx = s, .guard = guard},
	};

	s->methods = join_tables(&conf.rpc.n_methods);
	conf.rpc.methods = s->methods;
	return zmq_server_open(&s->zmq, &conf, s->loop, err);
}

int
server_open(struct server *s, const struct gen_conf *conf, struct gen_worker *worker,
	    struct err *err)
{
	time_t now = time(NULL);
	cpu_set_t ours;
	struct tm tm;
	int rc;

	memset(s, 0, sizeof(*s));
	s->conf = conf;
	s->worker = worker;
	server_random_text(s->api_h);
	strftime(s->started_at, sizeof(s->started_at), "%b %d %Y @ %H:%M:%S", gmtime_r(&now, &tm));
	rc = loop_open(&s->loop, err);
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
	if (conf->lifeline >= 0)
		loop_fd(s->loop, conf->lifeline, on_lifeline, s);
	rc = pthread_create(&s->thread, NULL, server_main, s);
	if (rc != 0)
		return err_set(err, rc, "RPC thread: %s", strerror(rc));
	s->running = true;
	return 0;
}

static void
free_port(struct server_port *p)
{
	for (size_t i = 0; i < p->n_streams; i++)
		stream_fini(&p->streams[i]);
	for (size_t i = 0; i < SERVER_MAX_RETIRED; i++)
		run_free(p->retired[i]);
	run_free(p->run);
	free(p->owner);
}

void
server_close(struct server *s)
{
	if (s->running) {
		loop_stop(s->loop);
		pthread_join(s->thread, NULL);
	}
	zmq_server_close(s->zmq);
	free(s->methods);
	loop_close(s->loop);
	for (unsigned i = 0; i < GEN_PORTS; i++)
		free_port(&s->ports[i]);
	memset(s, 0, sizeof(*s));
}
