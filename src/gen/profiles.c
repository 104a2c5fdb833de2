/* SPDX-License-Identifier: MIT */
#include "profiles.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rate.h"

#define JSON_OVERHEAD 3072

static bool
is_taken(const struct profiles *ps, unsigned slot)
{
	for (size_t i = 0; i < ps->n; i++)
		if (ps->list[i]->slot == slot)
			return true;
	return false;
}

static struct profile *
append(struct profiles *ps, const char *id)
{
	struct profile *p = xcalloc(1, sizeof(*p));

	p->id = xstrdup(id);
	while (is_taken(ps, p->slot))
		p->slot++;
	return ps->list[ps->n++] = p;
}

static void
profile_free(struct profiles *ps, struct profile *p)
{
	profile_clear(ps, p);
	free(p->streams);
	free(p->slots);
	free(p->id);
	free(p);
}

void
profiles_init(struct profiles *ps, double speed_bps, size_t max_len)
{
	*ps = (struct profiles){.speed_bps = speed_bps, .max_len = max_len};
	append(ps, PROFILE_DEFAULT);
}

void
profiles_fini(struct profiles *ps)
{
	while (ps->n > 0)
		profile_free(ps, ps->list[--ps->n]);
	*ps = (struct profiles){0};
}

struct profile *
profiles_find(const struct profiles *ps, const char *id)
{
	for (size_t i = 0; i < ps->n; i++)
		if (strcmp(ps->list[i]->id, id) == 0)
			return ps->list[i];
	return NULL;
}

struct profile *
profiles_need(const struct profiles *ps, const char *id, struct jsonrpc_error *e)
{
	struct profile *p = profiles_find(ps, id);

	if (p == NULL)
		jsonrpc_fail(e, JSONRPC_FAILED, "profile_id %s does not exists", id);
	return p;
}

void
profiles_drop(struct profiles *ps, struct profile *p)
{
	size_t i = 1;

	while (ps->list[i] != p)
		i++;
	profile_free(ps, p);
	memmove(&ps->list[i], &ps->list[i + 1], (--ps->n - i) * sizeof(struct profile *));
}

/* Makes room by letting go of a profile that has nothing in it. */
static bool
drop_empty(struct profiles *ps)
{
	for (size_t i = 1; i < ps->n; i++) {
		if (ps->list[i]->state == PROFILE_IDLE && ps->list[i]->run == NULL) {
			profiles_drop(ps, ps->list[i]);
			return true;
		}
	}
	return false;
}

struct profile *
profiles_make(struct profiles *ps, const char *id, struct jsonrpc_error *e)
{
	struct profile *p = profiles_find(ps, id);

	if (p != NULL)
		return p;
	if (id[0] == '\0' || strlen(id) > PROFILE_MAX_ID || strcmp(id, "*") == 0) {
		jsonrpc_fail(e, JSONRPC_FAILED, "a profile_id has 1 to %d characters and is not *",
			     PROFILE_MAX_ID);
		return NULL;
	}
	if (ps->n == PROFILES_MAX && !drop_empty(ps)) {
		jsonrpc_fail(e, JSONRPC_FAILED, "more than %d profiles on a port", PROFILES_MAX);
		return NULL;
	}
	return append(ps, id);
}

enum profile_state
profiles_state(const struct profiles *ps)
{
	enum profile_state strongest = PROFILE_IDLE;

	for (size_t i = 0; i < ps->n; i++)
		if (ps->list[i]->state > strongest)
			strongest = ps->list[i]->state;
	return strongest;
}

const char *
profile_state_name(enum profile_state state)
{
	static const char *const names[] = {"IDLE", "STREAMS", "PAUSE", "TX"};

	return names[state];
}

uint32_t
profiles_max_stream_id(const struct profiles *ps)
{
	uint32_t max = 0;

	for (size_t i = 0; i < ps->n; i++)
		for (size_t k = 0; k < ps->list[i]->n_streams; k++)
			if (ps->list[i]->streams[k].id > max)
				max = ps->list[i]->streams[k].id;
	return max;
}

int
profile_check_state(const struct profile *p, unsigned states, const char *command,
		    struct jsonrpc_error *e)
{
	if (states & 1u << p->state)
		return 0;
	/* The quote that is never closed is TRex's. */
	return jsonrpc_fail(e, JSONRPC_FAILED,
			    "command '%s' cannot be executed on current state: '%s on "
			    "profile_id(%s).",
			    command, profile_state_name(p->state), p->id);
}

static size_t
hash(uint32_t id, size_t n_slots)
{
	return (id * 2654435761u >> 8) & (n_slots - 1);
}

/* The slot where the stream is, or where it would go. */
static uint32_t *
find_slot(const struct profile *p, uint32_t id)
{
	size_t i = hash(id, p->n_slots);

	while (p->slots[i] != 0 && p->streams[p->slots[i] - 1].id != id)
		i = (i + 1) & (p->n_slots - 1);
	return &p->slots[i];
}

struct stream *
profile_stream(const struct profile *p, uint32_t id)
{
	uint32_t slot = p->n_slots > 0 ? *find_slot(p, id) : 0;

	return slot != 0 ? &p->streams[slot - 1] : NULL;
}

/* Room for one more stream, with the slots at most half full. */
static void
grow(struct profile *p)
{
	if (p->n_streams < p->room)
		return;
	p->room = p->room > 0 ? p->room * 2 : 16;
	p->streams = xrealloc(p->streams, p->room, sizeof(*p->streams));
	free(p->slots);
	p->n_slots = p->room * 2;
	p->slots = xcalloc(p->n_slots, sizeof(*p->slots));
	for (size_t i = 0; i < p->n_streams; i++)
		*find_slot(p, p->streams[i].id) = (uint32_t)i + 1;
}

/* Takes the stream at 'slot' out of the hash: those that a search would find only past the hole
 * move up. */
static void
empty_slot(struct profile *p, uint32_t *slot)
{
	size_t mask = p->n_slots - 1, hole = (size_t)(slot - p->slots);

	for (size_t i = (hole + 1) & mask; p->slots[i] != 0; i = (i + 1) & mask) {
		size_t home = hash(p->streams[p->slots[i] - 1].id, p->n_slots);

		if (((i - home) & mask) >= ((i - hole) & mask)) {
			p->slots[hole] = p->slots[i];
			hole = i;
		}
	}
	p->slots[hole] = 0;
}

/* Memory of a stream: its frame, its JSON as text, and what jansson's objects add to that. */
static size_t
bytes_of(const struct stream *s)
{
	return sizeof(*s) + s->len + json_dumpb(s->json, NULL, 0, JSON_COMPACT) + JSON_OVERHEAD;
}

static int
check_fit(const struct profiles *ps, const struct stream *s, struct jsonrpc_error *e)
{
	if (s->len > ps->max_len)
		return jsonrpc_fail(e, JSONRPC_FAILED,
				    "stream %u: larger than --max-frame %zu of this generator",
				    s->id, ps->max_len + FRAME_FCS);
	if (ps->bytes + bytes_of(s) > PROFILES_MAX_BYTES)
		return jsonrpc_fail(e, JSONRPC_FAILED,
				    "stream %u: the streams of a port take up to %u MB together",
				    s->id, PROFILES_MAX_BYTES >> 20);
	return 0;
}

struct stream *
profile_add_stream(struct profiles *ps, struct profile *p, uint32_t id, json_t *object,
		   struct jsonrpc_error *e)
{
	struct stream s;

	if (profile_check_state(p, 1u << PROFILE_IDLE | 1u << PROFILE_STREAMS, "add_stream", e) < 0)
		return NULL;
	if (p->n_streams >= PROFILE_MAX_STREAMS) {
		jsonrpc_fail(e, JSONRPC_FAILED, "Reached limit of %d streams at the port.",
			     PROFILE_MAX_STREAMS);
		return NULL;
	}
	if (stream_parse(&s, id, object, e) < 0)
		return NULL;
	if (check_fit(ps, &s, e) < 0) {
		stream_fini(&s);
		return NULL;
	}
	grow(p);
	p->streams[p->n_streams] = s;
	*find_slot(p, id) = (uint32_t)++p->n_streams;
	p->bytes += bytes_of(&s);
	ps->bytes += bytes_of(&s);
	p->state = PROFILE_STREAMS;
	return &p->streams[p->n_streams - 1];
}

void
profile_remove_stream(struct profiles *ps, struct profile *p, struct stream *s)
{
	size_t bytes = bytes_of(s);
	uint32_t *last;

	p->bytes -= bytes;
	ps->bytes -= bytes;
	empty_slot(p, find_slot(p, s->id));
	stream_fini(s);
	if (s != &p->streams[--p->n_streams]) {
		last = find_slot(p, p->streams[p->n_streams].id);
		*s = p->streams[p->n_streams];
		*last = (uint32_t)(s - p->streams) + 1;
	}
	if (p->n_streams == 0)
		p->state = PROFILE_IDLE;
}

void
profile_clear(struct profiles *ps, struct profile *p)
{
	for (size_t i = 0; i < p->n_streams; i++)
		stream_fini(&p->streams[i]);
	if (p->n_slots > 0)
		memset(p->slots, 0, p->n_slots * sizeof(*p->slots));
	ps->bytes -= p->bytes;
	p->bytes = 0;
	p->n_streams = 0;
	p->state = PROFILE_IDLE;
}

static struct graph_stream
graph_stream_of(const struct profiles *ps, const struct stream *s)
{
	double pps = stream_pps(s, ps->speed_bps);
	double size = stream_mean_size(s);
	struct graph_stream g = {
		.id = s->id,
		.enabled = s->enabled,
		.self_start = s->self_start,
		.fixed = !stream_is_variable(s),
		.isg_us = s->isg_us,
		.length_us = (double)s->total_pkts / pps * 1e6,
		.next_id = s->next_id,
	};

	if (s->mode == STREAM_MULTI_BURST)
		g.length_us = s->bursts * (s->pkts_per_burst / pps * 1e6 + s->ibg_us);
	g.endless =
		s->mode == STREAM_CONTINUOUS || (s->mode == STREAM_MULTI_BURST && s->bursts == 0);
	if (!s->dummy)
		g.rate = (struct graph_rate){pps, rate_bps_l2(pps, size), rate_bps_l1(pps, size)};
	return g;
}

int
profile_graph(const struct profiles *ps, const struct profile *p, struct graph *g,
	      struct jsonrpc_error *e)
{
	struct graph_stream *list = xcalloc(p->n_streams + 1, sizeof(*list));
	int rc;

	for (size_t i = 0; i < p->n_streams; i++)
		list[i] = graph_stream_of(ps, &p->streams[i]);
	rc = graph_init(g, list, p->n_streams, e);
	free(list);
	return rc;
}

int
profile_graph_of(const struct profiles *ps, const struct stream *s, struct graph *g,
		 struct jsonrpc_error *e)
{
	struct graph_stream alone = graph_stream_of(ps, s);

	alone.self_start = true;
	alone.next_id = -1;
	return graph_init(g, &alone, 1, e);
}

bool
profile_is_continuous(const struct profile *p)
{
	for (size_t i = 0; i < p->n_streams; i++)
		if (p->streams[i].enabled && p->streams[i].mode != STREAM_CONTINUOUS)
			return false;
	return true;
}
