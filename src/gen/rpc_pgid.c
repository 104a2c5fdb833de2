/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "pgid.h"
#include "rpc_rx.h"
#include "rx_state.h"

/* Methods about packet groups, and what streams have to do with them. */

void
rpc_rx_open(struct server *s)
{
	s->rx = xcalloc(1, sizeof(*s->rx));
	s->rx->groups = pgid_open(&s->worker->pgid);
}

void
rpc_rx_close(struct server *s)
{
	if (s->rx == NULL)
		return;
	rx_state_fini(s->rx);
	pgid_close(s->rx->groups);
	free(s->rx);
	s->rx = NULL;
}

void
rpc_rx_describe(const struct server *s, unsigned port, json_t *info)
{
	(void)s, (void)port;
	json_object_set_new(info, "rx",
			    json_pack("{s:[s, s, s], s:i}", "caps", "flow_stats", "latency",
				      "rx_bytes", "counters", (int)CLASSIFY_N_STATS));
}

void
rpc_rx_status(const struct server *s, unsigned port, json_t *status, json_t *attr)
{
	const struct rx_port *p = &s->rx->ports[port];
	bool latency = atomic_load(&s->worker->pgid.n_latency) > 0;
	json_t *queue = json_pack("{s:b}", "is_active", p->queued);

	if (p->queued) {
		json_object_set_new(queue, "size", json_integer((json_int_t)p->queue.limit));
		json_object_set_new(queue, "count", json_integer((json_int_t)p->queue.n));
	}
	json_object_set_new(status, "service", json_boolean(p->service));
	json_object_set_new(status, "service_filtered", json_boolean(p->filtered));
	json_object_set_new(status, "rx_info",
			    json_pack("{s:{s:b}, s:o, s:{s:b}, s:{s:b}, s:{s:b}, s:{s:b}}",
				      "latency", "is_active", latency, "queue", queue, "stack",
				      "is_active", 1, "grat_arp", "is_active", 0, "capture_port",
				      "is_active", 0, "capwap_proxy", "is_active", 0));
	/* As TRex says it: in service mode all that a port receives is looked at. */
	json_object_set_new(attr, "rx_filter_mode", json_string(p->service ? "all" : "hw"));
}

int
rpc_rx_add_stream(struct server *s, unsigned port, struct stream *stream, struct jsonrpc_error *e)
{
	(void)port;
	return pgid_add(s->rx->groups, stream, e);
}

void
rpc_rx_remove_stream(struct server *s, unsigned port, struct stream *stream)
{
	(void)port;
	pgid_remove(s->rx->groups, stream);
}

int
rpc_rx_start_profile(struct server *s, unsigned port, struct profile *p, struct jsonrpc_error *e)
{
	(void)port, (void)e;
	for (size_t i = 0; i < p->n_streams; i++)
		pgid_start(s->rx->groups, &p->streams[i]);
	return 0;
}

/* What was counted stays until the streams are removed, and what still arrives is counted. */
void
rpc_rx_stop_profile(struct server *s, unsigned port, struct profile *p)
{
	(void)s, (void)port, (void)p;
}

void
rpc_rx_run_gone(struct server *s, const struct run *run)
{
	if (s->rx != NULL)
		pgid_tx_keep(s->rx->groups, run);
}

/* What all runs have sent, those that wait to be freed as well. */
static void
sum_sent(struct server *s)
{
	pgid_tx_begin(s->rx->groups);
	for (unsigned port = 0; port < GEN_PORTS; port++) {
		const struct server_port *p = &s->ports[port];

		for (size_t i = 0; i < SERVER_MAX_RETIRED; i++)
			if (p->retired[i].run != NULL)
				pgid_tx_add(s->rx->groups, p->retired[i].run);
		for (size_t i = 0; i < p->profiles.n; i++)
			if (p->profiles.list[i]->run != NULL)
				pgid_tx_add(s->rx->groups, p->profiles.list[i]->run);
	}
}

void
rpc_rx_tick(struct server *s, uint64_t now_ns)
{
	sum_sent(s);
	pgid_update_rates(s->rx->groups, now_ns);
	pgid_tick(s->rx->groups, counter_get(&s->worker->rounds));
}

static int
call_get_active_pgids(void *ctx, const json_t *params, json_t **result, struct jsonrpc_error *e)
{
	const struct server *s = ctx;

	(void)params, (void)e;
	*result = pgid_active(s->rx->groups);
	return 0;
}

static int
read_ids(const json_t *list, uint32_t *ids, struct jsonrpc_error *e)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		json_int_t id = json_integer_value(json_array_get(list, i));

		if (!json_is_integer(json_array_get(list, i)) || id < 0 || id > UINT32_MAX)
			return jsonrpc_fail(e, JSONRPC_PARAMS,
					    "parameter 'pgids' must be an array of numbers");
		ids[i] = (uint32_t)id;
	}
	return 0;
}

static int
call_get_pgid_stats(void *ctx, const json_t *params, json_t **result, struct jsonrpc_error *e)
{
	struct server *s = ctx;
	const json_t *list = json_object_get(params, "pgids");
	uint32_t ids[PGID_MAX_ASKED];

	if (!json_is_array(list))
		return jsonrpc_fail(e, JSONRPC_PARAMS, "parameter 'pgids' must be an array");
	if (json_array_size(list) > PGID_MAX_ASKED)
		return jsonrpc_fail(e, JSONRPC_FAILED,
				    "Asking information for too many packet group IDs. Max allowed "
				    "is %d",
				    PGID_MAX_ASKED);
	if (read_ids(list, ids, e) < 0)
		return -EINVAL;
	sum_sent(s);
	*result = pgid_stats(s->rx->groups, ids, json_array_size(list), true);
	return 0;
}

static const struct jsonrpc_method methods[] = {
	{"get_active_pgids", call_get_active_pgids, RPC_NEEDS_API},
	{"get_pgid_stats", call_get_pgid_stats, RPC_NEEDS_API},
};
const struct rpc_table rpc_rx = {methods, N_ELEMS(methods)};
