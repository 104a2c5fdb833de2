/* SPDX-License-Identifier: MIT */
#include "run_graph.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* Ids and numbers of the streams, to find one by its id. */
struct name {
	uint32_t id, number;
};

static int
by_id(const void *a, const void *b)
{
	const struct name *x = a, *y = b;

	return (x->id > y->id) - (x->id < y->id);
}

/* The number of the stream with this id, or RUN_NO_STREAM. */
static uint32_t
find(const struct name *names, size_t n, uint32_t id)
{
	const struct name key = {.id = id};
	const struct name *found = bsearch(&key, names, n, sizeof(key), by_id);

	return found != NULL ? found->number : RUN_NO_STREAM;
}

/* Finds for each enabled stream the number of the one that its end starts; of continuous ones,
 * which have no end, as well. */
static int
find_next(const struct stream *streams, size_t n, uint32_t *next, struct jsonrpc_error *e)
{
	struct name *names = xcalloc(n + 1, sizeof(*names));
	int rc = 0;

	for (size_t i = 0; i < n; i++)
		names[i] = (struct name){streams[i].id, (uint32_t)i};
	qsort(names, n, sizeof(*names), by_id);
	for (size_t i = 0; rc == 0 && i < n; i++) {
		const struct stream *s = &streams[i];

		next[i] = RUN_NO_STREAM;
		if (!s->enabled || s->next_id < 0)
			continue;
		next[i] = find(names, n, (uint32_t)s->next_id);
		if (next[i] == RUN_NO_STREAM)
			rc = jsonrpc_fail(e, JSONRPC_FAILED,
					  "stream %u: its next stream %u is not in the profile",
					  s->id, (uint32_t)s->next_id);
		else if (!streams[next[i]].enabled)
			rc = jsonrpc_fail(e, JSONRPC_FAILED,
					  "stream %u: its next stream %u is disabled", s->id,
					  (uint32_t)s->next_id);
	}
	free(names);
	return rc;
}

/* Marks the streams that can come to their turn with a number from 1 on, in their order. */
static uint32_t
number_reached(const struct stream *streams, size_t n, const uint32_t *next, uint32_t *number)
{
	uint32_t count = 0;

	for (size_t i = 0; i < n; i++)
		if (streams[i].enabled && streams[i].self_start)
			for (uint32_t k = (uint32_t)i; k != RUN_NO_STREAM && number[k] == 0;
			     k = next[k])
				number[k] = 1;
	for (size_t i = 0; i < n; i++)
		if (number[i] != 0)
			number[i] = ++count;
	return count;
}

/* One that is never sent is a slip of its author. */
static int
check_reached(const struct stream *streams, size_t n, const uint32_t *number,
	      struct jsonrpc_error *e)
{
	for (size_t i = 0; i < n; i++)
		if (streams[i].enabled && number[i] == 0)
			return jsonrpc_fail(e, JSONRPC_FAILED,
					    "stream %u is unreachable from any other stream",
					    streams[i].id);
	return 0;
}

/* The first of those that 'i' has been joined with so far. */
static uint32_t
first_of(uint32_t *first, uint32_t i)
{
	while (first[i] != i) {
		first[i] = first[first[i]];
		i = first[i];
	}
	return i;
}

static void
join_chains(struct run_graph *g)
{
	for (uint32_t i = 0; i < g->n; i++)
		g->first[i] = i;
	for (uint32_t i = 0; i < g->n; i++) {
		uint32_t a, b;

		if (g->next[i] == RUN_NO_STREAM)
			continue;
		a = first_of(g->first, i);
		b = first_of(g->first, g->next[i]);
		g->first[a > b ? a : b] = a < b ? a : b;
	}
	for (uint32_t i = 0; i < g->n; i++)
		g->first[i] = first_of(g->first, i);
}

static void
fill(struct run_graph *g, const struct stream *streams, size_t n, const uint32_t *next,
     const uint32_t *number)
{
	g->of = xcalloc(g->n + 1, sizeof(*g->of));
	g->next = xcalloc(g->n + 1, sizeof(*g->next));
	g->first = xcalloc(g->n + 1, sizeof(*g->first));
	for (size_t i = 0; i < n; i++) {
		bool ends = streams[i].mode != STREAM_CONTINUOUS;

		if (number[i] == 0)
			continue;
		g->of[number[i] - 1] = (uint32_t)i;
		g->next[number[i] - 1] =
			ends && next[i] != RUN_NO_STREAM ? number[next[i]] - 1 : RUN_NO_STREAM;
	}
	join_chains(g);
}

int
run_graph_init(struct run_graph *g, const struct stream *streams, size_t n, struct jsonrpc_error *e)
{
	uint32_t *next = xcalloc(n + 1, sizeof(*next));
	uint32_t *number = xcalloc(n + 1, sizeof(*number));
	int rc;

	*g = (struct run_graph){0};
	rc = n > STREAM_MAX ? jsonrpc_fail(e, JSONRPC_FAILED, "more than %d streams", STREAM_MAX)
			    : find_next(streams, n, next, e);
	if (rc == 0) {
		g->n = number_reached(streams, n, next, number);
		rc = check_reached(streams, n, number, e);
		if (rc == 0 && g->n == 0)
			rc = jsonrpc_fail(e, JSONRPC_FAILED, "no stream is enabled");
	}
	if (rc == 0)
		fill(g, streams, n, next, number);
	free(next);
	free(number);
	return rc;
}

void
run_graph_fini(struct run_graph *g)
{
	free(g->of);
	free(g->next);
	free(g->first);
	*g = (struct run_graph){0};
}

/* Do all its slots take no time? */
static bool
is_instant(const struct run_stream *s)
{
	return !s->continuous && s->burst_slots == 1 &&
	       (s->n_bursts == 0 || run_time_fine(&s->ibg) == 0);
}

/* May the walk along a chain of instants go on behind it? */
static bool
passes_at_once(const struct run_stream *s)
{
	return is_instant(s) && run_time_fine(&s->isg) == 0 && s->actions_left == 0;
}

int
run_graph_check(const struct run_graph *g, const struct run_stream *streams,
		struct jsonrpc_error *e)
{
	uint32_t *seen = xcalloc(g->n, sizeof(*seen)), bad = RUN_NO_STREAM;

	/* Each walk goes over streams without a limit that take no time, and ends where it was
	 * before; where it meets itself, it would for ever. */
	for (uint32_t i = 0; bad == RUN_NO_STREAM && i < g->n; i++) {
		uint32_t k = i;

		if (is_instant(&streams[i]) && streams[i].n_bursts == UINT32_MAX)
			bad = i;
		while (k != RUN_NO_STREAM && seen[k] == 0 && passes_at_once(&streams[k])) {
			seen[k] = i + 1;
			k = g->next[k];
		}
		if (k != RUN_NO_STREAM && seen[k] == i + 1)
			bad = k;
	}
	free(seen);
	if (bad == RUN_NO_STREAM)
		return 0;
	return jsonrpc_fail(
		e, JSONRPC_FAILED,
		"stream %u: it would be sent without end at one instant: give it an isg or "
		"ibg, or an action_count",
		streams[bad].id);
}
