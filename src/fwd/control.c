/* SPDX-License-Identifier: MIT */
#include "control.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_cycles.h>
#include <rte_ethdev.h>
#include <rte_version.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "control_fault.h"
#include "dpdk/eal.h"
#include "engine.h"
#include "rpc/control.h"
#include "show.h"

#define QUIESCE_MS 3000
#define MAX_CLOSED_MS 600000

/* Looks in a row that nothing is inside: a burst in hand is nowhere for a moment. */
#define EMPTY_LOOKS 3
#define EMPTY_LOOK_MS 2

/* A hop, and the socket that it is asked by. */
struct control_hop {
	struct control *control;
	struct fwd *fwd;
	struct control_server *server;
	struct jsonrpc_server rpc;
	struct show_last last;	   /* what was printed last */
	struct loop_watch *closed; /* the timer of a port that is closed for a while, or NULL */
	uint16_t closed_port;
};

struct control {
	struct group *group;
	struct control_hop hop[CONF_MAX_HOPS];
	struct loop *loop;
	struct loop_watch *emptying;
	struct deadline emptied;
	unsigned empty_looks;
	int lifeline;
	pthread_t thread;
	bool running;
	int signals;
};

/* Hops stop once what is between them has gone, unless that takes too long. */
static void
look_empty(void *arg)
{
	struct control *c = arg;

	c->empty_looks = group_is_empty(c->group) ? c->empty_looks + 1 : 0;
	if (c->empty_looks < EMPTY_LOOKS && !deadline_passed(&c->emptied))
		return;
	loop_unwatch(c->emptying);
	c->emptying = NULL;
	group_set_state(c->group, FWD_STOP);
}

static void
stop(struct control *c)
{
	if (c->group->n == 1) {
		group_set_state(c->group, FWD_STOP);
		return;
	}
	if (c->emptying != NULL || atomic_load(&c->group->fwd[0]->closing))
		return;
	group_close_entrances(c->group);
	c->emptied = deadline_in_ms(c->group->fwd[0]->conf->drain_ns / 1000000);
	c->emptying = loop_timer(c->loop, EMPTY_LOOK_MS, look_empty, c);
}

/* What EAL says of the devices now, and not what they were asked to be. */
static json_t *
devices_json(const struct fwd *fwd)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < fwd->plan.n_ports; i++) {
		int promiscuous =
			fwd->inner[i] == NULL ? rte_eth_promiscuous_get(fwd->port[i].id) : -ENOTSUP;

		json_array_append_new(
			list, json_pack("{s:s, s:s, s:o}", "name", fwd->port[i].name, "driver",
					fwd->port[i].driver, "promiscuous",
					promiscuous < 0 ? json_null() : json_boolean(promiscuous)));
	}
	return list;
}

static int
call_hello(void *ctx, const json_t *params, json_t **result, struct jsonrpc_error *e)
{
	struct control_hop *c = ctx;
	const struct fwd *fwd = c->fwd;
	json_t *reasons = json_array();

	(void)params, (void)e;
	for (unsigned i = 0; i < fwd->n_reasons; i++)
		json_array_append_new(reasons, json_string(fwd->reason[i]));
	*result =
		json_pack("{s:s, s:s, s:s, s:i, s:i, s:i, s:i, s:i, s:s, s:s, s:o, s:o}", "version",
			  NFVCHAIN_VERSION, "dpdk", rte_version(), "engine", fwd->engine->name,
			  "ports", fwd->plan.n_ports, "lcores", fwd->plan.n_lcores, "burst",
			  fwd->conf->burst, "rxd", fwd->port[0].rxd, "txd", fwd->port[0].txd,
			  "on_full", fwd->conf->on_full == ON_FULL_HOLD ? "hold" : "drop", "idle",
			  idle_policy_name(fwd->conf->idle), "reasons", reasons, "devices",
			  devices_json(fwd));
	return 0;
}

/* {"window": true} begins a new window for the longest gaps; the answer is of the one before.
 * {"buckets": true} tells how the times of --stage-times are distributed. */
static int
call_counters(void *ctx, const json_t *params, json_t **result, struct jsonrpc_error *e)
{
	struct control_hop *c = ctx;

	(void)e;
	*result = show_counters(c->fwd, json_is_true(json_object_get(params, "buckets")));
	if (json_is_true(json_object_get(params, "window")))
		counter_add(&c->fwd->window, 1);
	return 0;
}

static int
call_quiesce(void *ctx, const json_t *params, json_t **result, struct jsonrpc_error *e)
{
	struct control_hop *c = ctx;

	if (atomic_load(&c->fwd->state) != FWD_STOP)
		fwd_set_state(c->fwd, FWD_PAUSE);
	if (!fwd_wait_state(c->fwd, (enum fwd_state)atomic_load(&c->fwd->state), QUIESCE_MS))
		return jsonrpc_fail(e, JSONRPC_FAILED, "an lcore did not come to rest within %d ms",
				    QUIESCE_MS);
	c->fwd->epoch++;
	return call_counters(ctx, params, result, e);
}

static int
call_resume(void *ctx, const json_t *params, json_t **result, struct jsonrpc_error *e)
{
	struct control_hop *c = ctx;

	(void)params, (void)result;
	if (atomic_load(&c->fwd->state) == FWD_STOP)
		return jsonrpc_fail(e, JSONRPC_FAILED, "the forwarder is ending");
	/* With a port that is closed it rests until that is open again. */
	if (c->closed == NULL)
		fwd_set_state(c->fwd, FWD_RUN);
	return 0;
}

static void
open_closed(struct control_hop *c, struct err *err)
{
	int rc = fwd_reopen_port(c->fwd, c->closed_port, err);

	loop_unwatch(c->closed);
	c->closed = NULL;
	if (rc < 0)
		LOG(ERR, "port %u: %s", c->closed_port, err->msg);
	if (atomic_load(&c->fwd->state) != FWD_STOP)
		fwd_set_state(c->fwd, FWD_RUN);
}

static void
on_closed_long_enough(void *arg)
{
	struct err err = {0};

	open_closed(arg, &err);
}

/* Closes a port for a while, with all lcores at rest. */
static int
close_port(struct control_hop *c, uint16_t port, uint64_t ms, struct jsonrpc_error *e)
{
	struct err err = {0};

	if (ms > MAX_CLOSED_MS)
		return jsonrpc_fail(e, JSONRPC_PARAMS, "closed_ms is at most %d", MAX_CLOSED_MS);
	if (fwd_close_port(c->fwd, port, &err) < 0) {
		fwd_set_state(c->fwd, FWD_RUN);
		return jsonrpc_fail(e, JSONRPC_FAILED, "%s", err.msg);
	}
	c->closed_port = port;
	c->closed = loop_timer(c->control->loop, ms, on_closed_long_enough, c);
	return 0;
}

static int
call_port_reopen(void *ctx, const json_t *params, json_t **result, struct jsonrpc_error *e)
{
	struct control_hop *c = ctx;
	struct err err = {0};
	uint64_t port, closed_ms = 0;
	int rc;

	if (jsonrpc_u64(params, "port", &port, e) < 0)
		return -EINVAL;
	if (json_object_get(params, "closed_ms") != NULL &&
	    jsonrpc_u64(params, "closed_ms", &closed_ms, e) < 0)
		return -EINVAL;
	if (c->closed != NULL)
		return jsonrpc_fail(e, JSONRPC_FAILED, "port %u is closed for a while",
				    c->closed_port);
	if (port >= c->fwd->plan.n_ports)
		return jsonrpc_fail(e, JSONRPC_PARAMS, "there is no port %llu",
				    (unsigned long long)port);
	rc = call_quiesce(ctx, params, result, e);
	if (rc < 0)
		return rc;
	if (closed_ms > 0)
		return close_port(c, (uint16_t)port, closed_ms, e);
	rc = fwd_reopen_port(c->fwd, (uint16_t)port, &err);
	fwd_set_state(c->fwd, FWD_RUN);
	return rc < 0 ? jsonrpc_fail(e, JSONRPC_FAILED, "%s", err.msg) : 0;
}

static int
call_fault(void *ctx, const json_t *params, json_t **result, struct jsonrpc_error *e)
{
	struct control_hop *c = ctx;

	(void)result;
	return control_fault(c->fwd, params, e);
}

static int
call_drain(void *ctx, const json_t *params, json_t **result, struct jsonrpc_error *e)
{
	struct control_hop *c = ctx;

	(void)params, (void)result, (void)e;
	stop(c->control);
	return 0;
}

static const struct jsonrpc_method methods[] = {
	{"hello", call_hello, 0},
	{"counters", call_counters, 0},
	{"quiesce", call_quiesce, 0},
	{"resume", call_resume, 0},
	{"port_reopen", call_port_reopen, 0},
	{"fault", call_fault, 0},
	{"drain", call_drain, 0},
};

static void
on_signal(void *arg)
{
	struct control *c = arg;

	if (c->signals++ > 0)
		_exit(1);
	LOG(INFO, "draining");
	stop(c);
}

static void
on_lifeline(void *arg)
{
	struct control *c = arg;
	char byte;

	/* Nobody writes there: readable means that the other end is gone. */
	if (read(c->lifeline, &byte, 1) <= 0)
		stop(c);
}

static void
on_period(void *arg)
{
	struct control *c = arg;

	for (unsigned i = 0; i < c->group->n; i++)
		show_period(c->group->fwd[i], &c->hop[i].last);
}

static void *
control_main(void *arg)
{
	struct control *c = arg;

	eal_bind_control_thread();
	loop_run(c->loop);
	return NULL;
}

/* Each hop that has a socket is asked by it. */
static int
serve(struct control *c, struct err *err)
{
	int rc = 0;

	for (unsigned i = 0; rc == 0 && i < c->group->n; i++) {
		struct control_hop *h = &c->hop[i];

		h->control = c;
		h->fwd = c->group->fwd[i];
		h->rpc = (struct jsonrpc_server){
			.methods = methods, .n_methods = N_ELEMS(methods), .ctx = h};
		if (h->fwd->conf->control != NULL)
			rc = control_server_open(&h->server, h->fwd->conf->control, &h->rpc,
						 c->loop, err);
	}
	return rc;
}

static int
watch(struct control *c, struct err *err)
{
	const struct fwd_conf *conf = c->group->fwd[0]->conf;
	int rc = loop_open(&c->loop, err);

	if (rc == 0)
		rc = serve(c, err);
	if (rc < 0)
		return rc;
	loop_signal(c->loop, SIGTERM, on_signal, c);
	loop_signal(c->loop, SIGINT, on_signal, c);
	if (c->lifeline >= 0)
		loop_fd(c->loop, c->lifeline, on_lifeline, c);
	if (conf->period_ns > 0)
		loop_timer(c->loop, RTE_MAX(conf->period_ns / 1000000, 1u), on_period, c);
	return 0;
}

int
control_open(struct control **control, struct group *group, int lifeline, struct err *err)
{
	struct control *c = xcalloc(1, sizeof(*c));
	int rc;

	*control = c;
	c->group = group;
	c->lifeline = lifeline;
	rc = watch(c, err);
	if (rc < 0)
		return rc;
	rc = pthread_create(&c->thread, NULL, control_main, c);
	if (rc != 0)
		return err_set(err, rc, "control thread: %s", strerror(rc));
	c->running = true;
	return 0;
}

void
control_close(struct control *c)
{
	if (c == NULL)
		return;
	if (c->running) {
		loop_stop(c->loop);
		pthread_join(c->thread, NULL);
	}
	for (unsigned i = 0; i < c->group->n; i++)
		control_server_close(c->hop[i].server);
	loop_close(c->loop);
	free(c);
}
