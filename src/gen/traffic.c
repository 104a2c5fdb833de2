/* SPDX-License-Identifier: MIT */
#include "traffic.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "rpc_rx.h"
#include "run.h"

#define AHEAD_S 0.1 /* a start in the future is at least so far in it */

_Static_assert(PROFILES_MAX == GEN_PROFILES, "each profile has a slot");

/* Frees what the worker has let go of: once it has taken what a slot was offered last, it knows
 * nothing older of it. */
static void
sweep(struct server *s, unsigned port)
{
	struct gen_port *g = &s->worker->ports[port];

	for (size_t i = 0; i < SERVER_MAX_RETIRED; i++) {
		struct retired *r = &s->ports[port].retired[i];
		const struct gen_slot *slot = &g->slots[r->slot];

		if (r->run == NULL ||
		    atomic_load_explicit(&slot->taken, memory_order_acquire) !=
			    atomic_load_explicit(&slot->offered, memory_order_relaxed))
			continue;
		s->ports[port].refused += run_refused(r->run);
		rpc_rx_run_gone(s, r->run);
		run_free(r->run);
		r->run = NULL;
	}
}

static struct retired *
free_retired(struct server_port *p)
{
	for (size_t i = 0; i < SERVER_MAX_RETIRED; i++)
		if (p->retired[i].run == NULL)
			return &p->retired[i];
	return NULL;
}

/* Gives the profile's slot another run, or none. */
static int
replace_run(struct server *s, unsigned port, struct profile *p, struct run *run,
	    struct jsonrpc_error *e)
{
	struct retired *r = free_retired(&s->ports[port]);

	if (p->run != NULL && r == NULL)
		return jsonrpc_fail(e, JSONRPC_FAILED, "the data lcore does not answer");
	if (p->run != NULL)
		*r = (struct retired){p->run, p->slot};
	p->run = run;
	gen_offer(&s->worker->ports[port], p->slot, run);
	return 0;
}

static void
profile_event(struct server *s, unsigned port, const struct profile *p, enum event_type type)
{
	server_event(s, type, json_pack("{s:i, s:s}", "port_id", (int)port, "profile_id", p->id));
}

void
traffic_publish(struct server *s, unsigned port, bool ended)
{
	struct server_port *p = &s->ports[port];
	enum profile_state before = p->state, now = profiles_state(&p->profiles);
	enum event_type type;

	p->state = now;
	if (now == before)
		return;
	if (now == PROFILE_PAUSE)
		type = EVENT_PORT_PAUSED;
	else if (now == PROFILE_TX)
		type = before == PROFILE_PAUSE ? EVENT_PORT_RESUMED : EVENT_PORT_STARTED;
	else if (before == PROFILE_TX || before == PROFILE_PAUSE)
		type = ended ? EVENT_PORT_JOB_DONE : EVENT_PORT_STOPPED;
	else
		return;
	server_event(s, type, json_pack("{s:i}", "port_id", (int)port));
}

static void
leave(struct server *s, unsigned port, struct profile *p, bool ended)
{
	p->state = p->n_streams > 0 ? PROFILE_STREAMS : PROFILE_IDLE;
	profile_event(s, port, p, ended ? EVENT_PROFILE_FINISHED : EVENT_PROFILE_STOPPED);
	traffic_publish(s, port, ended);
}

static bool
sends(const struct profile *p)
{
	return p->state == PROFILE_TX || p->state == PROFILE_PAUSE;
}

void
traffic_settle(struct server *s)
{
	for (unsigned port = 0; port < GEN_PORTS; port++) {
		struct profiles *ps = &s->ports[port].profiles;

		sweep(s, port);
		for (size_t i = 0; i < ps->n; i++)
			if (sends(ps->list[i]) &&
			    atomic_load_explicit(&ps->list[i]->run->state, memory_order_acquire) ==
				    RUN_SENT)
				leave(s, port, ps->list[i], true);
	}
}

bool
traffic_any(const struct server *s)
{
	for (unsigned port = 0; port < GEN_PORTS; port++)
		if (profiles_state(&s->ports[port].profiles) >= PROFILE_PAUSE)
			return true;
	return false;
}

static bool
needs_destination(const struct profile *p)
{
	for (size_t i = 0; i < p->n_streams; i++)
		if (!p->streams[i].keep_dst_mac && !p->streams[i].dummy)
			return true;
	return false;
}

/* What a start is refused for unless it is forced. */
static int
check_port(struct server *s, unsigned port, const struct profile *p, struct jsonrpc_error *e)
{
	const struct port_layers *l = &s->ports[port].layers;

	rpc_port_watch_links(s);
	if (!s->ports[port].link_up)
		return jsonrpc_fail(e, JSONRPC_FAILED, "Link state is DOWN.");
	if (l->ipv4 && !l->resolved && needs_destination(p))
		return jsonrpc_fail(e, JSONRPC_FAILED,
				    "Port %u dest MAC is invalid and there are streams without "
				    "explicit dest MAC.",
				    port);
	return 0;
}

static int
find_factor(const struct server *s, unsigned port, const struct profile *p,
	    const struct multiplier *m, bool force, double *factor, struct jsonrpc_error *e)
{
	const struct multiplier_link link = {
		.speed_bps = (double)s->conf->speed_bps,
		.current = p->factor,
		.force = force,
	};
	struct graph graph;
	int rc = profile_graph(&s->ports[port].profiles, p, &graph, e);

	if (rc == 0)
		rc = multiplier_factor(m, &graph, &link, factor, e);
	graph_fini(&graph);
	return rc;
}

static struct run *
make_run(struct server *s, unsigned port, const struct profile *p, const struct traffic_start *how,
	 double factor, struct jsonrpc_error *e)
{
	const struct run_conf conf = {
		.tx_port = (uint16_t)port,
		.stream_base = s->next_stream_base,
		.n_queues = (uint16_t)s->conf->queues,
		.factor = factor,
		.speed_bps = (double)s->conf->speed_bps,
		.duration_s = how->duration_s,
		.start_at_ns = (uint64_t)(how->start_at_s * 1e9),
		.flat_out = how->flat_out,
		.src_mac = s->worker->ports[port].addr,
		.dst_mac = s->ports[port].layers.dest,
	};

	return run_new(p->streams, p->n_streams, &conf, e);
}

/* Makes the run and hands it over, or leaves everything as it was. */
static struct run *
offer_run(struct server *s, unsigned port, struct profile *p, const struct traffic_start *how,
	  double factor, struct jsonrpc_error *e)
{
	struct run *run;

	if (rpc_rx_start_profile(s, port, p, e) < 0)
		return NULL;
	run = make_run(s, port, p, how, factor, e);
	if (run != NULL && replace_run(s, port, p, run, e) == 0)
		return run;
	run_free(run);
	rpc_rx_stop_profile(s, port, p);
	return NULL;
}

static int
check_start(struct server *s, unsigned port, struct profile *p, const struct traffic_start *how,
	    struct jsonrpc_error *e)
{
	int rc = profile_check_state(p, 1u << PROFILE_STREAMS, "start", e);

	if (rc == 0 && !how->force)
		rc = check_port(s, port, p, e);
	return rc;
}

int
traffic_start(struct server *s, unsigned port, struct profile *p, const struct traffic_start *how,
	      struct jsonrpc_error *e)
{
	double now_s = (double)clock_now_ns() / 1e9, factor;
	struct run *run;

	if (check_start(s, port, p, how, e) < 0 ||
	    find_factor(s, port, p, &how->mul, how->force, &factor, e) < 0)
		return -EINVAL;
	if (how->start_at_s != 0 && !(how->start_at_s >= now_s + AHEAD_S && how->start_at_s < 1e9))
		return jsonrpc_fail(e, JSONRPC_FAILED,
				    "start_at_ts, if defined, should be at least 100ms from "
				    "now_sec()");
	run = offer_run(s, port, p, how, factor, e);
	if (run == NULL)
		return -EINVAL;
	s->next_stream_base = (uint16_t)(s->next_stream_base + run->n_streams);
	p->factor = factor;
	p->timed = how->duration_s > 0;
	p->state = PROFILE_TX;
	profile_event(s, port, p, EVENT_PROFILE_STARTED);
	traffic_publish(s, port, false);
	server_watch_ends(s);
	return 0;
}

void
traffic_stop(struct server *s, unsigned port, struct profile *p)
{
	if (!sends(p))
		return;
	run_request_stop(p->run);
	leave(s, port, p, false);
}

int
traffic_pause(struct server *s, unsigned port, struct profile *p, struct jsonrpc_error *e)
{
	if (profile_check_state(p, 1u << PROFILE_TX, "pause", e) < 0)
		return -EINVAL;
	/* The spaces and the spelling are TRex's. */
	if (!profile_is_continuous(p))
		return jsonrpc_fail(e, JSONRPC_FAILED,
				    " pause is supported when all streams are in continues mode ");
	if (p->timed)
		return jsonrpc_fail(e, JSONRPC_FAILED,
				    " pause is supported when duration is not enable is start "
				    "command ");
	if (run_pause(p->run, true, e) < 0)
		return -EINVAL;
	p->state = PROFILE_PAUSE;
	profile_event(s, port, p, EVENT_PROFILE_PAUSED);
	traffic_publish(s, port, false);
	return 0;
}

int
traffic_resume(struct server *s, unsigned port, struct profile *p, struct jsonrpc_error *e)
{
	if (profile_check_state(p, 1u << PROFILE_PAUSE, "resume", e) < 0 ||
	    run_pause(p->run, false, e) < 0)
		return -EINVAL;
	p->state = PROFILE_TX;
	profile_event(s, port, p, EVENT_PROFILE_RESUMED);
	traffic_publish(s, port, false);
	return 0;
}

int
traffic_update(struct server *s, unsigned port, struct profile *p, const struct multiplier *m,
	       bool force, struct jsonrpc_error *e)
{
	double factor;

	if (profile_check_state(p, 1u << PROFILE_TX | 1u << PROFILE_PAUSE, "update", e) < 0 ||
	    find_factor(s, port, p, m, force, &factor, e) < 0 ||
	    run_set_factor(p->run, factor, NULL, 0, e) < 0)
		return -EINVAL;
	p->factor = factor;
	return 0;
}

/* The factor that makes one stream what 'm' names. */
static int
factor_of_stream(const struct server *s, unsigned port, const struct stream *stream,
		 const struct multiplier *m, bool force, double *factor, struct jsonrpc_error *e)
{
	const struct multiplier_link link = {(double)s->conf->speed_bps, 1, force};
	struct graph graph;
	int rc = profile_graph_of(&s->ports[port].profiles, stream, &graph, e);

	if (rc == 0)
		rc = multiplier_factor(m, &graph, &link, factor, e);
	graph_fini(&graph);
	return rc;
}

int
traffic_update_streams(struct server *s, unsigned port, struct profile *p, const uint32_t *ids,
		       size_t n, const struct multiplier *m, bool force, struct jsonrpc_error *e)
{
	double *factors;
	int rc = profile_check_state(p, 1u << PROFILE_TX | 1u << PROFILE_PAUSE, "update", e);

	if (rc < 0)
		return rc;
	if (m->op != MULTIPLIER_ABS)
		return jsonrpc_fail(e, JSONRPC_FAILED,
				    "Must use absolute multiplier for updating stream");
	factors = xcalloc(n, sizeof(*factors));
	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = factor_of_stream(s, port, profile_stream(p, ids[i]), m, force, &factors[i], e);
	/* All or none: one change of the run, whatever their number. */
	if (rc == 0)
		rc = run_set_factors(p->run, factors, ids, n, e);
	free(factors);
	return rc;
}

void
traffic_forget(struct server *s, unsigned port, struct profile *p)
{
	struct jsonrpc_error e;

	/* Fails only while the worker is stuck; the next start gets to hear of that. */
	if (p->run != NULL && !sends(p))
		(void)replace_run(s, port, p, NULL, &e);
}

uint64_t
traffic_refused(const struct server *s, unsigned port)
{
	const struct server_port *p = &s->ports[port];
	uint64_t n = p->refused;

	for (size_t i = 0; i < SERVER_MAX_RETIRED; i++)
		if (p->retired[i].run != NULL)
			n += run_refused(p->retired[i].run);
	for (size_t i = 0; i < p->profiles.n; i++)
		if (p->profiles.list[i]->run != NULL)
			n += run_refused(p->profiles.list[i]->run);
	return n;
}

void
traffic_fini(struct server *s)
{
	for (unsigned port = 0; port < GEN_PORTS; port++) {
		struct server_port *p = &s->ports[port];

		for (size_t i = 0; i < SERVER_MAX_RETIRED; i++)
			run_free(p->retired[i].run);
		for (size_t i = 0; i < p->profiles.n; i++)
			run_free(p->profiles.list[i]->run);
	}
}
