/* SPDX-License-Identifier: MIT */
#include "graph.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* The graph in the making. */
struct maker {
	struct graph *g;
	const struct graph_stream **by_id; /* the enabled ones */
	uint32_t *seen;			   /* number of the root that last came by */
	size_t n;
	size_t room; /* for events */
};

static int
compare_ids(const void *a, const void *b)
{
	uint32_t x = (*(const struct graph_stream *const *)a)->id;
	uint32_t y = (*(const struct graph_stream *const *)b)->id;

	return x < y ? -1 : x > y;
}

/* Ties keep the order of making: a stream that starts where another ends comes after it, so the
 * two are no peak together. */
static int
compare_events(const void *a, const void *b)
{
	const struct graph_event *x = a, *y = b;

	if (x->time_us != y->time_us)
		return x->time_us < y->time_us ? -1 : 1;
	if ((x->diff.pps < 0) != (y->diff.pps < 0))
		return x->diff.pps < 0 ? -1 : 1;
	return x->stream_id < y->stream_id ? -1 : x->stream_id > y->stream_id;
}

static void
add_to(struct graph_rate *sum, const struct graph_rate *r)
{
	sum->pps += r->pps;
	sum->bps_l2 += r->bps_l2;
	sum->bps_l1 += r->bps_l1;
}

static void
raise_to(struct graph_rate *max, const struct graph_rate *r)
{
	max->pps = r->pps > max->pps ? r->pps : max->pps;
	max->bps_l2 = r->bps_l2 > max->bps_l2 ? r->bps_l2 : max->bps_l2;
	max->bps_l1 = r->bps_l1 > max->bps_l1 ? r->bps_l1 : max->bps_l1;
}

static int
add_event(struct maker *m, double time_us, const struct graph_stream *s, double sign,
	  struct jsonrpc_error *e)
{
	struct graph *g = m->g;

	if (g->n_events == GRAPH_MAX_EVENTS)
		return jsonrpc_fail(e, JSONRPC_FAILED,
				    "the chains of streams are too long to follow: more than %d "
				    "changes of rate",
				    GRAPH_MAX_EVENTS);
	if (g->n_events == m->room) {
		m->room = m->room > 0 ? m->room * 2 : 64;
		g->events = xrealloc(g->events, m->room, sizeof(*g->events));
	}
	g->events[g->n_events++] = (struct graph_event){
		.time_us = time_us,
		.diff = {sign * s->rate.pps, sign * s->rate.bps_l2, sign * s->rate.bps_l1},
		.stream_id = s->id,
	};
	return 0;
}

/* Index of the enabled stream 'id' in by_id, or -1. */
static long
find(const struct maker *m, int64_t id)
{
	struct graph_stream key = {.id = (uint32_t)id};
	const struct graph_stream *pkey = &key;
	const struct graph_stream **found;

	if (id < 0 || id > UINT32_MAX)
		return -1;
	found = bsearch(&pkey, m->by_id, m->n, sizeof(*m->by_id), compare_ids);
	return found != NULL ? found - m->by_id : -1;
}

/* The stream's changes; '*offset_us' moves to where the next one starts. */
static int
add_stream(struct maker *m, const struct graph_stream *s, double *offset_us,
	   struct jsonrpc_error *e)
{
	double start_us = *offset_us + s->isg_us;
	int rc;

	if (s->endless)
		m->g->duration_us = -1;
	if (s->fixed) {
		add_to(&m->g->fixed, &s->rate);
		return 0;
	}
	rc = add_event(m, start_us, s, 1, e);
	if (rc < 0 || s->endless)
		return rc;
	*offset_us = start_us + s->length_us;
	return add_event(m, *offset_us, s, -1, e);
}

static int
follow(struct maker *m, long i, uint32_t root, struct jsonrpc_error *e)
{
	double offset_us = 0;

	while (true) {
		const struct graph_stream *s = m->by_id[i];
		int rc = add_stream(m, s, &offset_us, e);

		m->seen[i] = root;
		if (rc < 0 || s->next_id < 0 || s->endless)
			return rc;
		i = find(m, s->next_id);
		if (i < 0)
			return jsonrpc_fail(e, JSONRPC_FAILED, "stream id %lld does not exists",
					    (long long)s->next_id);
		if (m->seen[i] == root) {
			m->g->duration_us = -1;
			return 0;
		}
	}
}

static void
find_peak(struct graph *g)
{
	struct graph_rate now = {0};

	if (g->n_events > 0)
		qsort(g->events, g->n_events, sizeof(*g->events), compare_events);
	for (size_t i = 0; i < g->n_events; i++) {
		add_to(&now, &g->events[i].diff);
		raise_to(&g->variable, &now);
	}
	if (g->n_events > 0 && g->duration_us >= 0)
		g->duration_us = g->events[g->n_events - 1].time_us;
}

int
graph_init(struct graph *g, const struct graph_stream *streams, size_t n, struct jsonrpc_error *e)
{
	struct maker m = {.g = g};
	int rc = 0;

	memset(g, 0, sizeof(*g));
	m.by_id = xcalloc(n + 1, sizeof(struct graph_stream *));
	m.seen = xcalloc(n + 1, sizeof(*m.seen));
	for (size_t i = 0; i < n; i++)
		if (streams[i].enabled)
			m.by_id[m.n++] = &streams[i];
	qsort(m.by_id, m.n, sizeof(struct graph_stream *), compare_ids);
	for (size_t i = 0; rc == 0 && i < m.n; i++)
		if (m.by_id[i]->self_start)
			rc = follow(&m, (long)i, (uint32_t)i + 1, e);
	free(m.by_id);
	free(m.seen);
	if (rc < 0) {
		graph_fini(g);
		return rc;
	}
	find_peak(g);
	return 0;
}

void
graph_fini(struct graph *g)
{
	free(g->events);
	*g = (struct graph){0};
}

struct graph_rate
graph_peak(const struct graph *g, double factor)
{
	return (struct graph_rate){
		.pps = g->variable.pps * factor + g->fixed.pps,
		.bps_l2 = g->variable.bps_l2 * factor + g->fixed.bps_l2,
		.bps_l1 = g->variable.bps_l1 * factor + g->fixed.bps_l1,
	};
}
