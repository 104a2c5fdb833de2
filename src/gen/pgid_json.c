/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/json.h"
#include "pgid_table.h"

/* What is told of packet groups: counts of both directions by port, rates, latency. */

#define MIN_INTERVAL_NS 100000000u

/* ---- what was sent ---- */

void
pgid_tx_begin(struct pgid_table *t)
{
	for (size_t i = 0; i < t->n_groups; i++) {
		struct pgid *g = t->groups[i];

		for (unsigned p = 0; p < PGID_PORTS; p++) {
			g->tx[p].pkts = g->tx[p].kept_pkts;
			g->tx[p].bytes = g->tx[p].kept_bytes;
		}
	}
}

/* The group that a run's stream was of when it began; NULL when that is gone, though another may
 * have its hw_id, and even its number. */
static struct pgid *
group_of(struct pgid_table *t, const struct stream *s)
{
	struct pgid *g = NULL;

	if (s->rule == RULE_STATS)
		g = t->stats[s->hw_id];
	else if (s->rule == RULE_LATENCY)
		g = t->timed[s->hw_id];
	if (g == NULL ||
	    (uint8_t)(s->flow_seq - g->first_flow) > (uint8_t)(g->flow - g->first_flow))
		return NULL;
	return g;
}

void
pgid_tx_add(struct pgid_table *t, const struct run *run)
{
	for (uint32_t i = 0; i < run->n_owned; i++) {
		struct pgid *g = group_of(t, &run->owned[i]);
		struct run_counters c;

		if (g == NULL || !run_stream_counters(run, run->owned[i].id, &c))
			continue;
		g->tx[run->tx_port].pkts += c.sent;
		g->tx[run->tx_port].bytes += c.sent_bytes;
	}
}

void
pgid_tx_keep(struct pgid_table *t, const struct run *run)
{
	for (uint32_t i = 0; i < run->n_owned; i++) {
		struct pgid *g = group_of(t, &run->owned[i]);
		struct run_counters c;

		if (g == NULL || !run_stream_counters(run, run->owned[i].id, &c))
			continue;
		g->tx[run->tx_port].kept_pkts += c.sent;
		g->tx[run->tx_port].kept_bytes += c.sent_bytes;
	}
}

/* ---- rates ---- */

static uint64_t
rx_pkts(const struct pgid_table *t, const struct pgid *g, unsigned port)
{
	return counter_get(&pgid_rx_count(t->rx, g, port)->pkts) - g->rx[port].base_pkts;
}

static uint64_t
rx_bytes(const struct pgid_table *t, const struct pgid *g, unsigned port)
{
	return counter_get(&pgid_rx_count(t->rx, g, port)->bytes) - g->rx[port].base_bytes;
}

/* The first figure counts whole. */
static double
low_pass(double old, double now)
{
	return old != 0 ? (old + now) / 2 : now;
}

static void
update_rate(struct pgid_rate *r, uint64_t pkts, uint64_t bytes, double seconds)
{
	if (seconds > 0) {
		r->pps = low_pass(r->pps, (double)(pkts - r->pkts) / seconds);
		r->bps = low_pass(r->bps, 8 * (double)(bytes - r->bytes) / seconds);
	}
	r->pkts = pkts;
	r->bytes = bytes;
}

void
pgid_update_rates(struct pgid_table *t, uint64_t now_ns)
{
	for (size_t i = 0; i < t->n_groups; i++) {
		struct pgid *g = t->groups[i];
		double seconds = g->rate_ns != 0 ? (double)(now_ns - g->rate_ns) / 1e9 : 0;

		if (g->rate_ns != 0 && now_ns - g->rate_ns < MIN_INTERVAL_NS)
			continue;
		for (unsigned p = 0; p < PGID_PORTS; p++) {
			update_rate(&g->tx[p].rate, g->tx[p].pkts, g->tx[p].bytes, seconds);
			update_rate(&g->rx[p].rate, rx_pkts(t, g, p), rx_bytes(t, g, p), seconds);
		}
		g->rate_ns = now_ns;
	}
}

/* ---- JSON ---- */

static json_t *
two_decimals(double v)
{
	return json_real(round(v * 100) / 100);
}

static json_t *
group_json(const struct pgid_table *t, const struct pgid *g)
{
	json_t *root = json_object();
	json_t *maps[8];
	static const char *const names[8] = {"tp", "tb", "rp", "rb", "tps", "tbs", "rps", "rbs"};

	for (unsigned i = 0; i < 8; i++)
		json_object_set_new(root, names[i], maps[i] = json_object());
	for (unsigned p = 0; p < PGID_PORTS; p++) {
		const char port[2] = {(char)('0' + p), '\0'};

		json_object_set_new(maps[0], port, json_u64(g->tx[p].pkts));
		json_object_set_new(maps[1], port, json_u64(g->tx[p].bytes));
		json_object_set_new(maps[2], port, json_u64(rx_pkts(t, g, p)));
		json_object_set_new(maps[3], port, json_u64(rx_bytes(t, g, p)));
		json_object_set_new(maps[4], port, two_decimals(g->tx[p].rate.pps));
		json_object_set_new(maps[5], port, two_decimals(g->tx[p].rate.bps));
		json_object_set_new(maps[6], port, two_decimals(g->rx[p].rate.pps));
		json_object_set_new(maps[7], port, two_decimals(g->rx[p].rate.bps));
	}
	return root;
}

static json_t *
latency_json(const struct pgid_table *t, const struct pgid *g, bool hdrh)
{
	const struct latency_rx *l = atomic_load(&t->rx->latency[g->hw_id]);
	json_t *root = json_pack("{s:o}", "lat", latency_to_json(l, &g->view, hdrh));
	json_t *er = latency_errors_to_json(l);

	if (er != NULL)
		json_object_set_new(root, "er", er);
	return root;
}

/* The errors of no group, or null. */
static json_t *
global_json(const struct pgid_table *t)
{
	uint64_t bad = counter_get(&t->rx->bad_header), old = counter_get(&t->rx->old_flow);
	json_t *g;

	if (bad == 0 && old == 0)
		return json_null();
	g = json_object();
	if (bad > 0)
		json_object_set_new(g, "bad_hdr", json_u64(bad));
	if (old > 0)
		json_object_set_new(g, "old_flow", json_u64(old));
	return g;
}

struct answer {
	json_t *flow_stats, *latency, *ver_id;
	bool hdrh;
};

static void
add_group(struct answer *a, const struct pgid_table *t, const struct pgid *g)
{
	char key[16];

	snprintf(key, sizeof(key), "%u", g->pg_id);
	json_object_set_new(a->flow_stats, key, group_json(t, g));
	json_object_set_new(a->ver_id, key, json_u64(g->ver_id));
	if (g->rule == RULE_LATENCY)
		json_object_set_new(a->latency, key, latency_json(t, g, a->hdrh));
}

static bool
is_asked(const uint32_t *ids, size_t n, uint32_t pg_id)
{
	for (size_t i = 0; i < n; i++)
		if (ids[i] == pg_id)
			return true;
	return n == 0;
}

json_t *
pgid_stats(const struct pgid_table *t, const uint32_t *ids, size_t n, bool hdrh)
{
	struct answer a = {json_object(), json_object(), json_object(), hdrh};
	bool none = true;

	for (size_t i = 0; i < t->n_groups; i++) {
		if (!is_asked(ids, n, t->groups[i]->pg_id))
			continue;
		add_group(&a, t, t->groups[i]);
		none = false;
	}
	json_object_set_new(a.latency, "g", global_json(t));
	if (none) {
		json_decref(a.flow_stats);
		json_decref(a.ver_id);
		a.flow_stats = json_null();
		a.ver_id = json_null();
	}
	return json_pack("{s:o, s:o, s:o}", "flow_stats", a.flow_stats, "latency", a.latency,
			 "ver_id", a.ver_id);
}

static int
compare_ids(const void *a, const void *b)
{
	uint32_t x = (*(const struct pgid *const *)a)->pg_id,
		 y = (*(const struct pgid *const *)b)->pg_id;

	return (x > y) - (x < y);
}

json_t *
pgid_active(const struct pgid_table *t)
{
	json_t *stats = json_array(), *timed = json_array();
	struct pgid *sorted[CLASSIFY_N_STATS + CLASSIFY_N_LATENCY];

	for (size_t i = 0; i < t->n_groups; i++)
		sorted[i] = t->groups[i];
	qsort(sorted, t->n_groups, sizeof(sorted[0]), compare_ids);
	for (size_t i = 0; i < t->n_groups; i++)
		json_array_append_new(sorted[i]->rule == RULE_LATENCY ? timed : stats,
				      json_integer(sorted[i]->pg_id));
	return json_pack("{s:{s:o, s:o}}", "ids", "flow_stats", stats, "latency", timed);
}
