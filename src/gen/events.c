/* SPDX-License-Identifier: MIT */
#include "events.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"

struct event {
	enum event_type type;
	json_t *data; /* shared by the sessions */
};

struct session {
	uint32_t id;
	bool asked; /* not only joined */
	uint64_t seen_ns;
	uint64_t seq;
	size_t first; /* of a ring of EVENTS_MAX_QUEUED */
	size_t n;
	struct event *queue; /* NULL until there is something to queue */
};

struct events {
	size_t n;
	struct session sessions[EVENTS_MAX_SESSIONS];
};

struct events *
events_new(void)
{
	return xcalloc(1, sizeof(struct events));
}

static void
pop(struct session *s)
{
	json_decref(s->queue[s->first].data);
	s->first = (s->first + 1) % EVENTS_MAX_QUEUED;
	s->n--;
}

static void
forget(struct events *ev, size_t i)
{
	struct session *s = &ev->sessions[i];

	while (s->n > 0)
		pop(s);
	free(s->queue);
	*s = ev->sessions[--ev->n];
}

void
events_free(struct events *ev)
{
	if (ev == NULL)
		return;
	while (ev->n > 0)
		forget(ev, ev->n - 1);
	free(ev);
}

static bool
is_silent(const struct session *s, uint64_t now_ns)
{
	return now_ns - s->seen_ns >= EVENTS_SILENT_NS;
}

static void
forget_silent(struct events *ev, uint64_t now_ns)
{
	for (size_t i = ev->n; i-- > 0;)
		if (is_silent(&ev->sessions[i], now_ns))
			forget(ev, i);
}

static void
forget_longest_silent(struct events *ev)
{
	size_t oldest = 0;

	for (size_t i = 1; i < ev->n; i++)
		if (ev->sessions[i].seen_ns < ev->sessions[oldest].seen_ns)
			oldest = i;
	forget(ev, oldest);
}

static struct session *
find(struct events *ev, uint32_t session)
{
	for (size_t i = 0; i < ev->n; i++)
		if (ev->sessions[i].id == session)
			return &ev->sessions[i];
	return NULL;
}

static struct session *
find_or_make(struct events *ev, uint32_t session, uint64_t now_ns)
{
	struct session *s;

	forget_silent(ev, now_ns);
	s = find(ev, session);
	if (s == NULL) {
		if (ev->n == EVENTS_MAX_SESSIONS)
			forget_longest_silent(ev);
		s = &ev->sessions[ev->n++];
		*s = (struct session){.id = session};
	}
	s->seen_ns = now_ns;
	return s;
}

void
events_join(struct events *ev, uint32_t session, uint64_t now_ns)
{
	(void)find_or_make(ev, session, now_ns);
}

void
events_emit(struct events *ev, enum event_type type, json_t *data, uint64_t now_ns)
{
	forget_silent(ev, now_ns);
	for (size_t i = 0; i < ev->n; i++) {
		struct session *s = &ev->sessions[i];

		if (s->queue == NULL)
			s->queue = xcalloc(EVENTS_MAX_QUEUED, sizeof(*s->queue));
		if (s->n == EVENTS_MAX_QUEUED)
			pop(s);
		s->queue[(s->first + s->n++) % EVENTS_MAX_QUEUED] =
			(struct event){type, json_incref(data)};
	}
	json_decref(data);
}

json_t *
events_take(struct events *ev, uint32_t session, uint64_t now_ns)
{
	struct session *s = find_or_make(ev, session, now_ns);
	json_t *array = json_array();

	s->asked = true;
	while (s->n > 0) {
		const struct event *e = &s->queue[s->first];

		json_array_append_new(array, json_pack("{s:s, s:i, s:O, s:o}", "name", "trex-event",
						       "type", (int)e->type, "data", e->data, "seq",
						       json_u64(s->seq++)));
		pop(s);
	}
	return array;
}

static bool
listens(const struct session *s, uint64_t now_ns)
{
	return s->asked && !is_silent(s, now_ns);
}

size_t
events_listeners(const struct events *ev, uint64_t now_ns)
{
	size_t n = 0;

	for (size_t i = 0; i < ev->n; i++)
		n += listens(&ev->sessions[i], now_ns);
	return n;
}

size_t
events_waiting(const struct events *ev, uint64_t now_ns)
{
	size_t n = 0;

	for (size_t i = 0; i < ev->n; i++)
		n += listens(&ev->sessions[i], now_ns) && ev->sessions[i].n > 0;
	return n;
}
