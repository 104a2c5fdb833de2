/* SPDX-License-Identifier: MIT */
#include "timeline.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"

void
timeline_fini(struct timeline *t)
{
	free(t->step);
	*t = (struct timeline){0};
}

void
timeline_add(struct timeline *t, const struct timeline_step *step)
{
	if (t->n_steps == t->room) {
		t->room = t->room > 0 ? 2 * t->room : 64;
		t->step = xrealloc(t->step, t->room, sizeof(*t->step));
	}
	t->step[t->n_steps++] = *step;
}

static int64_t
behind(const struct timeline_step *step)
{
	return (int64_t)(step->offered - step->received);
}

struct timeline_event *
timeline_begin(struct timeline *t, const char *kind, const char *hop, const char *what)
{
	struct timeline_event *e = &t->event[t->n_events];

	if (t->n_events == N_ELEMS(t->event))
		return NULL;
	*e = (struct timeline_event){0};
	if (t->n_steps > 0) {
		e->at_ns = t->step[t->n_steps - 1].at_ns;
		e->behind = behind(&t->step[t->n_steps - 1]);
	}
	str_copy(e->kind, sizeof(e->kind), kind);
	str_copy(e->hop, sizeof(e->hop), hop);
	str_copy(e->what, sizeof(e->what), what);
	t->n_events++;
	return e;
}

struct timeline_event *
timeline_open(struct timeline *t, const char *hop)
{
	for (size_t i = t->n_events; i > 0; i--) {
		struct timeline_event *e = &t->event[i - 1];

		if (e->until_ns == 0 && strcmp(e->hop, hop) == 0)
			return e;
	}
	return NULL;
}

void
timeline_close(struct timeline *t, double offered_pps, uint64_t lost)
{
	for (size_t i = 0; i < t->n_events; i++) {
		struct timeline_event *e = &t->event[i];
		int64_t end = i + 1 < t->n_events ? e[1].behind : (int64_t)lost;

		/* Frames that were under way, or came twice. */
		e->lost = end > e->behind ? (uint64_t)(end - e->behind) : 0;
		e->blocked_s = offered_pps > 0 ? (double)e->lost / offered_pps : NAN;
	}
}

/* ---- JSON ---- */

static double
seconds(uint64_t ns)
{
	return (double)ns / 1e9;
}

static void
add_rate(json_t *list, uint64_t now, uint64_t before, double s)
{
	json_array_append_new(list, json_number(s > 0 ? (double)(now - before) / s : NAN));
}

static void
add_steps(json_t *json, const struct timeline *t)
{
	json_t *at = json_array(), *offered = json_array(), *sent = json_array(),
	       *received = json_array();
	const struct timeline_step *before = t->step;

	for (size_t i = 1; i < t->n_steps; i++) {
		const struct timeline_step *now = &t->step[i];
		double s = seconds(now->at_ns - before->at_ns);

		/* One just before an event is for the event: it is too short to tell a rate. */
		if (now->at_ns - before->at_ns < TIMELINE_INTERVAL_NS / 4)
			continue;
		json_array_append_new(at, json_number(seconds(now->at_ns)));
		add_rate(offered, now->offered, before->offered, s);
		add_rate(sent, now->sent, before->sent, s);
		add_rate(received, now->received, before->received, s);
		before = now;
	}
	json_object_set_new(json, "at_s", at);
	json_object_set_new(json, "offered_pps", offered);
	json_object_set_new(json, "sent_pps", sent);
	json_object_set_new(json, "received_pps", received);
}

static json_t *
event_to_json(const struct timeline_event *e)
{
	json_t *json = json_object();

	json_object_set_new(json, "at_s", json_number(seconds(e->at_ns)));
	json_object_set_new(json, "until_s",
			    json_number(e->until_ns > 0 ? seconds(e->until_ns) : NAN));
	json_object_set_new(json, "kind", json_string(e->kind));
	json_object_set_new(json, "hop", json_string(e->hop));
	json_object_set_new(json, "what", json_string(e->what));
	json_object_set_new(json, "lost", json_u64(e->lost));
	json_object_set_new(json, "blocked_s", json_number(e->blocked_s));
	return json;
}

json_t *
timeline_to_json(const struct timeline *t)
{
	json_t *json = json_object(), *events = json_array();
	double most = t->n_events > 0 ? 0 : NAN;

	json_object_set_new(json, "interval_s", json_number(seconds(TIMELINE_INTERVAL_NS)));
	add_steps(json, t);
	for (size_t i = 0; i < t->n_events; i++) {
		json_array_append_new(events, event_to_json(&t->event[i]));
		most = fmax(most, t->event[i].blocked_s);
	}
	json_object_set_new(json, "events", events);
	json_object_set_new(json, "blocked_max_s", json_number(most));
	return json;
}
