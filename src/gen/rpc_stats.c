/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_mbuf.h>

#include "base/json.h"
#include "base/mem.h"
#include "rpc/wide.h"
#include "server.h"
#include "traffic.h"

/* Methods that read counters.  Bytes are with FCS, all counts since the start of the program. */

static int
call_get_port_stats(void *ctx, const json_t *params, json_t **result, struct jsonrpc_error *e)
{
	struct server *s = ctx;
	unsigned id;
	const struct server_port *p = server_find_port(s, params, &id, e);
	const struct gen_port *g;

	if (p == NULL)
		return -EINVAL;
	g = &s->worker->ports[id];
	*result = json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:f, s:f, s:f, s:f, s:f}", "opackets",
			    wide_json(counter_get(&g->opackets)), "ipackets",
			    wide_json(counter_get(&g->ipackets)), "obytes",
			    wide_json(counter_get(&g->obytes)), "ibytes",
			    wide_json(counter_get(&g->ibytes)), "oerrors",
			    wide_json(attr_tx_errors(server_device(s, id))), "ierrors",
			    wide_json(attr_rx_errors(server_device(s, id))), "m_total_tx_pps",
			    p->rates.tx.per_s, "m_total_rx_pps", p->rates.rx.per_s,
			    "m_total_tx_bps", 8 * p->rates.tx_bytes.per_s, "m_total_rx_bps",
			    8 * p->rates.rx_bytes.per_s, "m_cpu_util", s->cpu.smooth);
	return 0;
}

/* Sums over the ports. */
struct totals {
	uint64_t tx, rx, tx_bytes, rx_bytes, refused;
	double tx_pps, rx_pps, tx_bps, rx_bps;
};

static struct totals
sum_ports(const struct server *s)
{
	struct totals t = {0};

	for (unsigned i = 0; i < GEN_PORTS; i++) {
		const struct gen_port *g = &s->worker->ports[i];
		const struct port_rates *r = &s->ports[i].rates;

		t.tx += counter_get(&g->opackets);
		t.rx += counter_get(&g->ipackets);
		t.tx_bytes += counter_get(&g->obytes);
		t.rx_bytes += counter_get(&g->ibytes);
		t.refused += traffic_refused(s, i);
		t.tx_pps += r->tx.per_s;
		t.rx_pps += r->rx.per_s;
		t.tx_bps += 8 * r->tx_bytes.per_s;
		t.rx_bps += 8 * r->rx_bytes.per_s;
	}
	return t;
}

/* What is missing on the way, unless it may be the two not being read at once. */
static double
drop_bps(const struct totals *t)
{
	double lost = t->tx_bps - t->rx_bps;

	return lost > 0 && lost >= t->tx_bps / 10 ? lost : 0;
}

static void
set_rates(json_t *o, const struct server *s, const struct totals *t)
{
	double per_core = s->cpu.smooth > 0 ? 2 * t->tx_bps / 1e9 * 100 / s->cpu.smooth : 0;

	json_object_set_new(o, "m_cpu_util", json_real(s->cpu.smooth));
	json_object_set_new(o, "m_cpu_util_raw", json_real(s->cpu.now));
	json_object_set_new(o, "m_bw_per_core", json_real(per_core));
	json_object_set_new(o, "m_rx_core_pps", json_real(t->rx_pps));
	json_object_set_new(o, "m_platform_factor", json_real(1));
	json_object_set_new(o, "m_tx_bps", json_real(t->tx_bps));
	json_object_set_new(o, "m_rx_bps", json_real(t->rx_bps));
	json_object_set_new(o, "m_tx_pps", json_real(t->tx_pps));
	json_object_set_new(o, "m_rx_pps", json_real(t->rx_pps));
	json_object_set_new(o, "m_rx_drop_bps", json_real(drop_bps(t)));
}

/* TRex keeps them for its stateful mode, or for an address translation it learns. */
static void
set_zeros(json_t *o)
{
	static const char *const reals[] = {
		"m_rx_cpu_util",     "m_tx_cps",       "m_tx_expected_cps", "m_tx_expected_pps",
		"m_tx_expected_bps", "m_active_flows", "m_open_flows",	    "m_socket_util",
	};
	static const char *const integers[] = {
		"m_total_alloc_error", "m_total_clients",	  "m_total_servers",
		"m_active_sockets",    "m_total_nat_time_out",	  "m_total_nat_time_out_wait_ack",
		"m_total_nat_no_fid",  "m_total_nat_active",	  "m_total_nat_syn_wait",
		"m_total_nat_open",    "m_total_nat_learn_error",
	};

	for (size_t i = 0; i < N_ELEMS(reals); i++)
		json_object_set_new(o, reals[i], json_real(0));
	for (size_t i = 0; i < N_ELEMS(integers); i++)
		json_object_set_new(o, integers[i], json_integer(0));
}

static int
call_get_global_stats(void *ctx, const json_t *params, json_t **result, struct jsonrpc_error *e)
{
	const struct server *s = ctx;
	const struct totals t = sum_ports(s);
	json_t *o = json_object();

	(void)params, (void)e;
	set_zeros(o);
	set_rates(o, s, &t);
	json_object_set_new(o, "m_total_queue_full", wide_json(t.refused));
	json_object_set_new(o, "m_total_queue_drop", wide_json(t.refused));
	json_object_set_new(o, "m_total_tx_pkts", wide_json(t.tx));
	json_object_set_new(o, "m_total_rx_pkts", wide_json(t.rx));
	json_object_set_new(o, "m_total_tx_bytes", wide_json(t.tx_bytes));
	json_object_set_new(o, "m_total_rx_bytes", wide_json(t.rx_bytes));
	*result = o;
	return 0;
}

static int
call_get_port_xstats_names(void *ctx, const json_t *params, json_t **result,
			   struct jsonrpc_error *e)
{
	struct server *s = ctx;
	json_t *names;
	unsigned id;

	if (server_find_port(s, params, &id, e) == NULL)
		return -EINVAL;
	names = json_array();
	for (size_t i = 0; i < s->xstats.n; i++)
		json_array_append_new(names, json_string(s->xstats.names[i]));
	*result = json_pack("{s:o}", "xstats_names", names);
	return 0;
}

static int
call_get_port_xstats_values(void *ctx, const json_t *params, json_t **result,
			    struct jsonrpc_error *e)
{
	struct server *s = ctx;
	json_t *list;
	uint64_t *values;
	unsigned id;

	if (server_find_port(s, params, &id, e) == NULL)
		return -EINVAL;
	values = xcalloc(s->xstats.n + 1, sizeof(*values));
	attr_values(&s->xstats, id, values);
	list = json_array();
	for (size_t i = 0; i < s->xstats.n; i++)
		json_array_append_new(list, wide_json(values[i]));
	free(values);
	*result = json_pack("{s:o}", "xstats_values", list);
	return 0;
}

/* TRex's name for buffers of that room: clients read the size out of it. */
static const char *
size_name(uint32_t room)
{
	static const struct {
		uint32_t room;
		const char *name;
	} sizes[] = {{2048, "2048b"}, {4096, "4096b"}};

	for (size_t i = 0; i < N_ELEMS(sizes); i++)
		if (room <= sizes[i].room)
			return sizes[i].name;
	return "9kb";
}

/* Our two pools as one: [free, all]. */
static json_t *
pools_json(const struct gen_worker *w)
{
	uint32_t room = 0;
	json_int_t n_free = 0, n = 0;

	for (int i = 0; i < 2; i++) {
		struct rte_mempool *pool = i == 0 ? w->tx_pool : w->rx_pool;

		if (pool == NULL)
			continue;
		room = rte_pktmbuf_data_room_size(pool) - RTE_PKTMBUF_HEADROOM;
		n_free += rte_mempool_avail_count(pool);
		n += pool->size;
	}
	return n > 0 ? json_pack("{s:[I, I]}", size_name(room), n_free, n) : json_object();
}

static int
call_get_utilization(void *ctx, const json_t *params, json_t **result, struct jsonrpc_error *e)
{
	const struct server *s = ctx;
	json_t *history = json_array();

	(void)params, (void)e;
	for (int i = 0; i < CPU_HISTORY; i++)
		json_array_append_new(history, json_integer(s->cpu.history[i]));
	*result = json_pack("{s:[{s:o, s:[i, i]}], s:{s:o}}", "cpu", "history", history, "ports", 0,
			    1, "mbuf_stats", "cpu-socket-0", pools_json(s->worker));
	return 0;
}

static const struct jsonrpc_method methods[] = {
	{"get_global_stats", call_get_global_stats, RPC_NEEDS_API},
	{"get_port_stats", call_get_port_stats, RPC_NEEDS_API},
	{"get_port_xstats_names", call_get_port_xstats_names, RPC_NEEDS_API},
	{"get_port_xstats_values", call_get_port_xstats_values, RPC_NEEDS_API},
	{"get_utilization", call_get_utilization, RPC_NEEDS_API},
};
const struct rpc_table rpc_stats = {methods, N_ELEMS(methods)};
