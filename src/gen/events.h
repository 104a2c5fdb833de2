/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

/* What happens on the server, for clients that ask: each session has a queue of its own.
 *
 * TRex's client ends its own process when the sequence of its events has a gap, so an event gets
 * its number when it is handed out: whatever a full queue has lost before is lost without one.  A
 * session that does not ask for EVENTS_SILENT_NS is forgotten; when it comes back it counts from 0
 * again, which the client takes for a new server. */

enum event_type {
	EVENT_PORT_STARTED = 0,
	EVENT_PORT_STOPPED = 1,
	EVENT_PORT_PAUSED = 2,
	EVENT_PORT_RESUMED = 3,
	EVENT_PORT_JOB_DONE = 4,
	EVENT_PORT_ACQUIRED = 5,
	EVENT_PORT_RELEASED = 6,
	EVENT_PORT_ERROR = 7,
	EVENT_PORT_ATTR_CHANGED = 8,
	EVENT_PROFILE_STARTED = 10,
	EVENT_PROFILE_STOPPED = 11,
	EVENT_PROFILE_PAUSED = 12,
	EVENT_PROFILE_RESUMED = 13,
	EVENT_PROFILE_FINISHED = 14, /* by itself */
	EVENT_SERVER_STOPPED = 100,
};

#define EVENTS_MAX_SESSIONS 1024 /* beyond them the one silent for longest is forgotten */
#define EVENTS_MAX_QUEUED 256	 /* of a session; the oldest go first */
#define EVENTS_SILENT_NS 10000000000ull

struct events;

struct events *events_new(void);
void events_free(struct events *ev);

/* Makes the session known, if it is not. */
void events_join(struct events *ev, uint32_t session, uint64_t now_ns);
/* Queues an event for every session; steals 'data'. */
void events_emit(struct events *ev, enum event_type type, json_t *data, uint64_t now_ns);
/* Empties the session's queue into a new array of TRex's event objects; an unknown session becomes
 * known. */
json_t *events_take(struct events *ev, uint32_t session, uint64_t now_ns);

/* Sessions that have asked within EVENTS_SILENT_NS. */
size_t events_listeners(const struct events *ev, uint64_t now_ns);
/* Those of them that have not been handed all there is. */
size_t events_waiting(const struct events *ev, uint64_t now_ns);
