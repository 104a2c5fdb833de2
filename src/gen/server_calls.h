/* SPDX-License-Identifier: MIT */
#pragma once

#include "server_rig.h"

/* For tests of methods: what a client asks the rig's server, and what it must be told. */

#define CALLS_FRAME \
	"AAAAAQAAAAAAAgAACABFAAAuAAEAAEAROrcQAAAEMAAABAQBAAwAGgAAeHh4eHh4eHh4eHh4eHh4eHh4"
#define CALLS_CONTINUOUS "{\"type\":\"continuous\",\"rate\":{\"type\":\"pps\",\"value\":1}}"
#define CALLS_BURST \
	"{\"type\":\"single_burst\",\"total_pkts\":1000,\"rate\":{\"type\":\"pps\",\"value\":10}}"
#define CALLS_KPPS "{\"type\":\"pps\",\"value\":1000,\"op\":\"abs\"}"

/* Set-up and teardown; the state is the rig. */
int calls_init(void **state);
int calls_fini(void **state);

/* What the method returns, which must be no error; a new reference. */
json_t *calls_result(struct server_rig *r, const char *method, const char *params);
void calls_ok(struct server_rig *r, const char *method, const char *params);
void calls_refused(struct server_rig *r, const char *method, const char *params, int code,
		   const char *sentence);

/* By "ann" in session 7. */
void calls_acquire(struct server_rig *r, int port);
/* To port 0. */
void calls_add_stream(struct server_rig *r, const char *profile, int id, const char *mode);
/* Starts the profile on port 0, endless, and lets the worker take it. */
void calls_start(struct server_rig *r, const char *profile, const char *mul);

/* The types of the events that session 7 has waiting, as "10 0 ". */
const char *calls_events(struct server_rig *r);
/* Of port 0, and of a profile of it. */
void calls_assert_state(struct server_rig *r, const char *profile, const char *port_state,
			const char *profile_state);
