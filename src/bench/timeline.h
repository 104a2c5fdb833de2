/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "base/err.h"

/* A trial of fixed rate as it goes, in intervals, with what happened to the chain meanwhile: faults
 * on purpose, hops that died.  Pure: who samples and who disturbs is elsewhere.
 *
 * What was lost belongs to the event that came last before: frames that were due and have not
 * arrived are counted at each event, and what their number grew by until the next one, or the end,
 * is its loss.  Blocked time is that loss over the offered rate: how long the chain stood still, or
 * would have to lose as much. */

#define TIMELINE_INTERVAL_NS 100000000u
#define TIMELINE_MAX_EVENTS 512

struct timeline_step {
	uint64_t at_ns;	  /* since the trial began */
	uint64_t offered; /* frames due so far that the generator was there for: sent or refused */
	uint64_t sent;
	uint64_t received; /* at both ports */
};

struct timeline_event {
	uint64_t at_ns;
	uint64_t until_ns; /* when it was undone or healed; 0: not so far */
	char kind[16];	   /* "kill", "stop", ...; "died": nobody here did it */
	char hop[32];
	char what[160]; /* a sentence without a full stop */
	int64_t behind; /* frames due and not arrived when it began */
	uint64_t lost;	/* filled in by timeline_close */
	double blocked_s;
};

struct timeline {
	struct timeline_step *step;
	size_t n_steps, room;
	struct timeline_event event[TIMELINE_MAX_EVENTS];
	size_t n_events;
};

void timeline_fini(struct timeline *t);
void timeline_add(struct timeline *t, const struct timeline_step *step);
/* One that begins at the last step; NULL when there are too many. */
struct timeline_event *timeline_begin(struct timeline *t, const char *kind, const char *hop,
				      const char *what);
/* The last event of a hop that is not over, or NULL. */
struct timeline_event *timeline_open(struct timeline *t, const char *hop);
/* Shares out what the whole trial lost; what was lost before the first event is nobody's. */
void timeline_close(struct timeline *t, double offered_pps, uint64_t lost);

/* {interval_s, at_s: [...], offered_pps: [...], sent_pps: [...], received_pps: [...],
 * events: [{at_s, until_s, kind, hop, what, lost, blocked_s}], blocked_max_s}.  Each rate is that
 * of the interval that ends there. */
json_t *timeline_to_json(const struct timeline *t);
