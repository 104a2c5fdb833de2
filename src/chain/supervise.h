/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "backend.h"

/* Hops with `supervise: true`: one that dies while the chain is up is started again, by the same
 * command line, and the neighbour that was connected to it attaches its port again.  Nobody else is
 * touched.  One that dies again and again is given up.
 *
 * All of it happens in small steps inside backend_check, so that who waits for something else, a
 * trial to end, say, heals the chain meanwhile. */

#define SUPERVISE_STABLE_MS 1000 /* who lived so long has come up well */
#define SUPERVISE_GIVE_UP 5	 /* deaths in a row of one that had not */

enum supervise_what {
	SUPERVISE_DIED,
	SUPERVISE_STARTED,  /* again, and answers */
	SUPERVISE_HEALED,   /* its neighbours are connected to it too */
	SUPERVISE_GIVEN_UP, /* until supervise_retry */
};

struct supervise_event {
	enum supervise_what what;
	size_t hop;
	uint64_t at_ns;	  /* of clock_now_ns */
	const char *text; /* a sentence without a full stop */
};

/* Called for each event, from inside backend_check: not to wait for anything. */
typedef void supervise_tell(void *arg, const struct supervise_event *event);

/* Begins to watch over a chain that is up; nothing when no hop asks for it. */
void supervise_begin(struct backend *b);
void supervise_end(struct backend *b);

/* Who is told, instead of the log. */
void supervise_hear(struct backend *b, supervise_tell *tell, void *arg);
/* One that is given up leaves the others as they are; else backend_check fails then. */
void supervise_keep_others(struct backend *b);

/* Is the death of process 'i' of the plan no matter of the caller's? */
bool supervise_has(const struct backend *b, size_t i);
/* May its descriptor be waited for? */
bool supervise_is_running(const struct backend *b, size_t i);
/* Is anything under way? */
bool supervise_is_busy(const struct backend *b);
/* Looks for the dead, and goes on with those that are being started again.  -ECHILD with a sentence
 * when one is given up. */
int supervise_step(struct backend *b, struct err *err);

/* Waits until hop 'i' can be asked again.  -ECHILD with a sentence when it cannot, -EINTR. */
int supervise_settle(struct backend *b, size_t i, struct err *err);
/* A call to hop 'i' failed: because it died, so that it is worth another?  It may die within the
 * moment, for a dying one closes its sockets first. */
bool supervise_has_died(struct backend *b, size_t i);

/* How often hop 'i' was started again. */
unsigned supervise_restarts(const struct backend *b, size_t i);
/* Why hop 'i' is given up, or NULL. */
const char *supervise_given_up(const struct backend *b, size_t i);
/* Does hop 'i' run, with its neighbours? */
bool supervise_is_up(const struct backend *b, size_t i);
/* Tries those again that were given up; how many there were. */
size_t supervise_retry(struct backend *b);
