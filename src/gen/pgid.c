/* SPDX-License-Identifier: MIT */
#include "pgid.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "pgid_table.h"

struct pgid_table *
pgid_open(struct pgid_rx *rx)
{
	struct pgid_table *t = xcalloc(1, sizeof(*t));

	t->rx = rx;
	for (unsigned i = 0; i < CLASSIFY_N_LATENCY; i++)
		t->timed_flow[i] = LATENCY_NO_FLOW;
	return t;
}

void
pgid_close(struct pgid_table *t)
{
	if (t == NULL)
		return;
	for (size_t i = 0; i < t->n_groups; i++)
		free(t->groups[i]);
	for (unsigned i = 0; i < CLASSIFY_N_LATENCY; i++)
		free(atomic_exchange(&t->rx->latency[i], NULL));
	for (size_t i = 0; i < t->n_old; i++)
		free(t->old[i].latency);
	free(t->old);
	free(t);
}

static struct pgid **
place_of(struct pgid_table *t, enum stream_rule rule, uint16_t hw_id)
{
	return rule == RULE_LATENCY ? &t->timed[hw_id] : &t->stats[hw_id];
}

static struct pgid *
find(const struct pgid_table *t, uint32_t pg_id)
{
	for (size_t i = 0; i < t->n_groups; i++)
		if (t->groups[i]->pg_id == pg_id)
			return t->groups[i];
	return NULL;
}

/* ---- what may be a group's stream ---- */

static int
check_payload(const struct stream *s, struct jsonrpc_error *e)
{
	size_t n = classify_payload_len(s->frame, s->len);

	if (n < TRAILER_SIZE)
		return jsonrpc_fail(e, JSONRPC_FAILED,
				    "Need at least %u payload bytes for payload rules. Packet only "
				    "has %zu bytes",
				    TRAILER_SIZE, n);
	return 0;
}

static int
check_stream(const struct stream *s, struct classify_ip *ip, struct jsonrpc_error *e)
{
	bool has_ip = classify_ip(s->frame, s->len, ip);

	if (s->signature)
		return jsonrpc_fail(e, JSONRPC_FAILED,
				    "stream %u: flow_stats and a signature exclude each other",
				    s->id);
	if (s->rule == RULE_LATENCY)
		return check_payload(s, e);
	if (!has_ip)
		return jsonrpc_fail(e, JSONRPC_FAILED,
				    "Failed parsing given packet for flow stat.  NIC does not "
				    "support given L2 header type");
	return 0;
}

static int
check_group(const struct pgid *g, const struct stream *s, const struct classify_ip *ip,
	    struct jsonrpc_error *e)
{
	if (s->rule == RULE_LATENCY || g->rule == RULE_LATENCY)
		return jsonrpc_fail(e, JSONRPC_FAILED,
				    "For payload rules: Can't have two streams with same pg_id, or "
				    "same stream on more than one port");
	if (g->proto != ip->proto)
		return jsonrpc_fail(e, JSONRPC_FAILED,
				    "Can't use same pg_id for streams with different l4 protocol");
	return 0;
}

/* ---- groups come and go ---- */

static int
free_hw_id(struct pgid_table *t, enum stream_rule rule, uint16_t *hw_id, struct jsonrpc_error *e)
{
	unsigned n = rule == RULE_LATENCY ? CLASSIFY_N_LATENCY : CLASSIFY_N_STATS;

	for (unsigned i = 0; i < n; i++) {
		if (*place_of(t, rule, (uint16_t)i) == NULL) {
			*hw_id = (uint16_t)i;
			return 0;
		}
	}
	return jsonrpc_fail(e, JSONRPC_FAILED,
			    "Failed allocating statistic counter. Probably all are used for this "
			    "rule type.");
}

/* A new incarnation of the group's hw_id. */
static void
next_flow(struct pgid_table *t, struct pgid *g)
{
	uint8_t *flow =
		g->rule == RULE_LATENCY ? &t->timed_flow[g->hw_id] : &t->stats_flow[g->hw_id];

	if (++*flow == LATENCY_NO_FLOW)
		++*flow;
	g->flow = *flow;
}

/* Counts of the groups that had the id before are not this one's. */
static void
note_bases(struct pgid_table *t, struct pgid *g)
{
	for (unsigned i = 0; i < PGID_PORTS; i++) {
		const struct pgid_count *c = pgid_rx_count(t->rx, g, i);

		g->rx[i].base_pkts = counter_get(&c->pkts);
		g->rx[i].base_bytes = counter_get(&c->bytes);
	}
}

static int
new_group(struct pgid_table *t, const struct stream *s, const struct classify_ip *ip,
	  struct pgid **group, struct jsonrpc_error *e)
{
	struct pgid *g;
	uint16_t hw_id = 0;

	if (free_hw_id(t, s->rule, &hw_id, e) < 0)
		return -EINVAL;
	g = xcalloc(1, sizeof(*g));
	g->pg_id = s->pg_id;
	g->rule = s->rule;
	g->hw_id = hw_id;
	g->proto = ip->proto;
	g->ver_id = t->next_ver_id++;
	note_bases(t, g);
	next_flow(t, g);
	g->first_flow = g->flow;
	*place_of(t, g->rule, hw_id) = g;
	t->groups[t->n_groups++] = g;
	if (g->rule == RULE_LATENCY) {
		atomic_store_explicit(&t->rx->latency[hw_id], latency_new(g->flow),
				      memory_order_release);
		atomic_fetch_add(&t->rx->n_latency, 1);
	}
	atomic_fetch_add(&t->rx->active, 1);
	*group = g;
	return 0;
}

int
pgid_add(struct pgid_table *t, struct stream *s, struct jsonrpc_error *e)
{
	struct pgid *g = find(t, s->pg_id);
	struct classify_ip ip;

	if (s->rule == RULE_NONE)
		return 0;
	if (check_stream(s, &ip, e) < 0)
		return -EINVAL;
	if (g != NULL ? check_group(g, s, &ip, e) < 0 : new_group(t, s, &ip, &g, e) < 0)
		return -EINVAL;
	g->n_streams++;
	s->hw_id = g->hw_id;
	s->flow_seq = g->flow;
	return 0;
}

/* The worker may be at it still. */
static void
retire_latency(struct pgid_table *t, uint16_t hw_id)
{
	struct latency_rx *l =
		atomic_exchange_explicit(&t->rx->latency[hw_id], NULL, memory_order_acq_rel);

	t->old = xrealloc(t->old, t->n_old + 1, sizeof(*t->old));
	t->old[t->n_old++] = (struct pgid_old){.latency = l};
}

static void
drop_group(struct pgid_table *t, struct pgid *g)
{
	*place_of(t, g->rule, g->hw_id) = NULL;
	atomic_fetch_sub(&t->rx->active, 1);
	if (g->rule == RULE_LATENCY) {
		atomic_fetch_sub(&t->rx->n_latency, 1);
		retire_latency(t, g->hw_id);
	}
	for (size_t i = 0; i < t->n_groups; i++)
		if (t->groups[i] == g)
			t->groups[i] = t->groups[--t->n_groups];
	free(g);
}

void
pgid_remove(struct pgid_table *t, const struct stream *s)
{
	struct pgid *g = s->rule != RULE_NONE ? find(t, s->pg_id) : NULL;

	if (g != NULL && --g->n_streams == 0)
		drop_group(t, g);
}

void
pgid_start(struct pgid_table *t, struct stream *s)
{
	struct pgid *g = s->rule == RULE_LATENCY ? find(t, s->pg_id) : NULL;

	if (g == NULL)
		return;
	/* The first time the incarnation is new already. */
	if (g->started) {
		next_flow(t, g);
		latency_expect(atomic_load(&t->rx->latency[g->hw_id]), g->flow);
	}
	g->started = true;
	s->flow_seq = g->flow;
}

void
pgid_tick(struct pgid_table *t, uint64_t rounds)
{
	size_t kept = 0;

	for (unsigned i = 0; i < CLASSIFY_N_LATENCY; i++)
		if (t->timed[i] != NULL)
			latency_end_period(atomic_load(&t->rx->latency[i]), &t->timed[i]->view);
	for (size_t i = 0; i < t->n_old; i++) {
		struct pgid_old *old = &t->old[i];

		/* A round that began later cannot have found it. */
		if (!old->dated)
			*old = (struct pgid_old){old->latency, rounds, true};
		if (rounds > old->rounds + 1)
			free(old->latency);
		else
			t->old[kept++] = *old;
	}
	t->n_old = kept;
}
