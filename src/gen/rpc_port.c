/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/rate.h"
#include "server.h"

/* Methods about one port: ownership, streams, traffic, counters. */

static int
call_acquire(void *ctx, const json_t *params, json_t **result, struct jsonrpc_error *e)
{
	struct server *s = ctx;
	bool force = json_is_true(json_object_get(params, "force"));
	uint64_t session;
	const char *user;
	unsigned id;
	struct server_port *p = server_find_port(s, params, &id, e);

	if (p == NULL || jsonrpc_text(params, "user", &user, e) < 0 ||
	    jsonrpc_u64(params, "session_id", &session, e) < 0)
		return -EINVAL;
	if (p->owner != NULL && !force) {
		if (strcmp(p->owner, user) != 0)
			return jsonrpc_fail(e, JSONRPC_FAILED, "port is already taken by '%s'",
					    p->owner);
		if (p->session_id != session)
			return jsonrpc_fail(e, JSONRPC_FAILED,
					    "port is already owned by another session of '%s'",
					    user);
	} else {
		free(p->owner);
		p->owner = xstrdup(user);
		p->session_id = (uint32_t)session;
		server_random_text(p->handler);
	}
	*result = json_string(p->handler);
	return 0;
}

static int
call_release(void *ctx, const json_t *params, json_t **result, struct jsonrpc_error *e)
{
	unsigned id;
	struct server_port *p = server_find_port(ctx, params, &id, e);

	(void)result;
	free(p->owner);
	p->owner = NULL;
	return 0;
}

static int
call_get_port_status(void *ctx, const json_t *params, json_t **result, struct jsonrpc_error *e)
{
	struct server *s = ctx;
	unsigned id;
	struct server_port *p = server_find_port(s, params, &id, e);
	uint32_t max_id = 0;

	if (p == NULL)
		return -EINVAL;
	for (size_t i = 0; i < p->n_streams; i++)
		max_id = p->streams[i].id > max_id ? p->streams[i].id : max_id;
	*result =
		json_pack("{s:s, s:s, s:{s:s}, s:i, s:I, s:b, s:b, s:{s:{s:b}, s:{s:b}, s:f}}",
			  "owner", p->owner != NULL ? p->owner : "", "state",
			  server_port_state(s, id), "state_profile", "_", server_port_state(s, id),
			  "profile_count", p->n_streams > 0, "max_stream_id", (json_int_t)max_id,
			  "service", 0, "service_filtered", 0, "attr", "link", "up", 1,
			  "promiscuous", "enabled", 0, "speed", (double)s->conf->speed_bps / 1e9);
	return 0;
}

static int
call_add_stream(void *ctx, const json_t *params, json_t **result, struct jsonrpc_error *e)
{
	struct server *s = ctx;
	uint64_t stream_id;
	unsigned id;
	struct server_port *p = server_find_port(s, params, &id, e);
	int rc;

	(void)result;
	if (jsonrpc_u64(params, "stream_id", &stream_id, e) < 0)
		return -EINVAL;
	for (size_t i = 0; i < p->n_streams; i++)
		if (p->streams[i].id == (uint32_t)stream_id)
			return jsonrpc_fail(e, JSONRPC_FAILED,
					    "stream %llu already exists in profile_id(_)",
					    (unsigned long long)stream_id);
	if (p->n_streams == STREAM_MAX_PER_PORT)
		return jsonrpc_fail(e, JSONRPC_FAILED, "more than %d streams on a port",
				    STREAM_MAX_PER_PORT);
	rc = stream_parse(&p->streams[p->n_streams], (uint32_t)stream_id,
			  json_object_get(params, "stream"), e);
	if (rc < 0)
		return rc;
	if (p->streams[p->n_streams].len + (unsigned)FRAME_FCS > s->conf->max_frame) {
		stream_fini(&p->streams[p->n_streams]);
		return jsonrpc_fail(e, JSONRPC_FAILED,
				    "stream %llu: larger than --max-frame %llu of this generator",
				    (unsigned long long)stream_id,
				    (unsigned long long)s->conf->max_frame);
	}
	p->n_streams++;
	return 0;
}

static int
call_remove_all_streams(void *ctx, const json_t *params, json_t **result, struct jsonrpc_error *e)
{
	struct server *s = ctx;
	unsigned id;
	struct server_port *p = server_find_port(s, params, &id, e);

	(void)result;
	if (server_port_sends(s, id))
		return jsonrpc_fail(e, JSONRPC_FAILED,
				    "command 'remove_and_delete_all_streams' cannot be executed on "
				    "current state: 'TX on profile_id(_).");
	while (p->n_streams > 0)
		stream_fini(&p->streams[--p->n_streams]);
	return 0;
}

/* The factor that brings the streams of the port to what 'mul' asks for. */
static int
read_factor(const struct server *s, const struct server_port *p, const json_t *params,
	    double *factor, struct jsonrpc_error *e)
{
	const json_t *mul = json_object_get(params, "mul");
	const char *type = json_string_value(json_object_get(mul, "type"));
	double value = json_number_value(json_object_get(mul, "value"));
	double pps = 0, bps = 0, bpsl1 = 0, speed = (double)s->conf->speed_bps;

	if (type == NULL || !(value > 0) || !isfinite(value))
		return jsonrpc_fail(e, JSONRPC_PARAMS, "mul needs a type and a value above 0");
	for (size_t i = 0; i < p->n_streams; i++) {
		double one = stream_pps(&p->streams[i], speed);
		double size = p->streams[i].len + FRAME_FCS;

		if (!p->streams[i].enabled)
			continue;
		pps += one;
		bps += rate_bps_l2(one, size);
		bpsl1 += rate_bps_l1(one, size);
	}
	if (strcmp(type, "raw") == 0)
		*factor = value;
	else if (strcmp(type, "pps") == 0)
		*factor = value / pps;
	else if (strcmp(type, "bps") == 0)
		*factor = value / bps;
	else if (strcmp(type, "bpsl1") == 0)
		*factor = value / bpsl1;
	else if (strcmp(type, "percentage") == 0)
		*factor = value / 100 * speed / bpsl1;
	else
		return jsonrpc_fail(e, JSONRPC_PARAMS, "unknown multiplier type '%s'", type);
	return 0;
}

/* Frees runs that the worker has let go of. */
static void
sweep(struct server *s, unsigned id)
{
	struct server_port *p = &s->ports[id];
	const struct run *taken =
		atomic_load_explicit(&s->worker->ports[id].slots[0].taken, memory_order_acquire);

	for (size_t i = 0; i < SERVER_MAX_RETIRED; i++) {
		/* Once the worker has taken the current run it knows no older one. */
		if (p->retired[i] != NULL && taken == p->run && taken != p->retired[i]) {
			run_free(p->retired[i]);
			p->retired[i] = NULL;
		}
	}
}

static int
retire(struct server_port *p, struct jsonrpc_error *e)
{
	for (size_t i = 0; i < SERVER_MAX_RETIRED; i++) {
		if (p->retired[i] == NULL) {
			p->retired[i] = p->run;
			p->run = NULL;
			return 0;
		}
	}
	return jsonrpc_fail(e, JSONRPC_FAILED, "the data lcore does not answer");
}

static int
call_start_traffic(void *ctx, const json_t *params, json_t **result, struct jsonrpc_error *e)
{
	struct server *s = ctx;
	const json_t *x = json_object_get(params, "x_nfvchain");
	unsigned id;
	struct server_port *p = server_find_port(s, params, &id, e);
	struct run_conf conf = {
		.tx_port = (uint16_t)id,
		.stream_base = s->next_stream_base,
		.n_queues = (uint16_t)s->conf->queues,
		.speed_bps = (double)s->conf->speed_bps,
		.src_mac = s->worker->ports[id].addr,
		.dst_mac = s->worker->ports[id].dest,
		.flat_out = json_is_true(json_object_get(x, "flat_out")),
	};
	struct run *run;

	if (server_port_sends(s, id) || p->n_streams == 0)
		return jsonrpc_fail(e, JSONRPC_FAILED,
				    "command 'start' cannot be executed on current state: '%s on "
				    "profile_id(_).",
				    server_port_state(s, id));
	if (jsonrpc_double(params, "duration", &conf.duration_s, e) < 0 ||
	    read_factor(s, p, params, &conf.factor, e) < 0)
		return -EINVAL;
	run = run_new(p->streams, p->n_streams, &conf, e);
	if (run == NULL)
		return -EINVAL;
	sweep(s, id);
	if (p->run != NULL && retire(p, e) < 0) {
		run_free(run);
		return -EINVAL;
	}
	s->next_stream_base = (uint16_t)(s->next_stream_base + run->n_streams);
	p->run = run;
	gen_offer(&s->worker->ports[id], 0, run);
	*result = json_pack("{s:f, s:f}", "multiplier", conf.factor, "ts",
			    (double)clock_now_ns() / 1e9);
	return 0;
}

static int
call_stop_traffic(void *ctx, const json_t *params, json_t **result, struct jsonrpc_error *e)
{
	unsigned id;
	struct server_port *p = server_find_port(ctx, params, &id, e);

	(void)result;
	if (p->run != NULL)
		run_request_stop(p->run);
	return 0;
}

/* Rates since the last call that is at least 100 ms old. */
static void
update_rates(struct server_port *p, const struct gen_port *g)
{
	uint64_t now = clock_now_ns();
	uint64_t tx = counter_get(&g->opackets), rx = counter_get(&g->ipackets);
	uint64_t tx_bytes = counter_get(&g->obytes), rx_bytes = counter_get(&g->ibytes);
	double s = (double)(now - p->rate_ns) / 1e9;

	if (s < 0.1)
		return;
	if (p->rate_ns != 0) {
		p->tx_pps = (double)(tx - p->last_tx) / s;
		p->rx_pps = (double)(rx - p->last_rx) / s;
		p->tx_bps = 8 * (double)(tx_bytes - p->last_tx_bytes) / s;
		p->rx_bps = 8 * (double)(rx_bytes - p->last_rx_bytes) / s;
	}
	p->rate_ns = now;
	p->last_tx = tx;
	p->last_rx = rx;
	p->last_tx_bytes = tx_bytes;
	p->last_rx_bytes = rx_bytes;
}

static int
call_get_port_stats(void *ctx, const json_t *params, json_t **result, struct jsonrpc_error *e)
{
	struct server *s = ctx;
	unsigned id;
	struct server_port *p = server_find_port(s, params, &id, e);
	const struct gen_port *g;

	if (p == NULL)
		return -EINVAL;
	g = &s->worker->ports[id];
	update_rates(p, g);
	*result = json_pack(
		"{s:o, s:o, s:o, s:o, s:i, s:i, s:f, s:f, s:f, s:f, s:f}", "opackets",
		json_u64(counter_get(&g->opackets)), "ipackets",
		json_u64(counter_get(&g->ipackets)), "obytes", json_u64(counter_get(&g->obytes)),
		"ibytes", json_u64(counter_get(&g->ibytes)), "oerrors", 0, "ierrors", 0,
		"m_total_tx_pps", p->tx_pps, "m_total_rx_pps", p->rx_pps, "m_total_tx_bps",
		p->tx_bps, "m_total_rx_bps", p->rx_bps, "m_cpu_util", 0.0);
	return 0;
}

#define OWNED (RPC_NEEDS_API | RPC_NEEDS_OWNER)

const struct jsonrpc_method rpc_port[] = {
	{"acquire", call_acquire, RPC_NEEDS_API},
	{"release", call_release, OWNED},
	{"get_port_status", call_get_port_status, RPC_NEEDS_API},
	{"get_port_stats", call_get_port_stats, RPC_NEEDS_API},
	{"add_stream", call_add_stream, OWNED},
	{"remove_all_streams", call_remove_all_streams, OWNED},
	{"start_traffic", call_start_traffic, OWNED},
	{"stop_traffic", call_stop_traffic, OWNED},
};
const size_t rpc_n_port = N_ELEMS(rpc_port);
