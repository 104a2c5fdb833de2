/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "base/err.h"

/* For tests: a client of a running generator, and traffic that runs while others misbehave.  What
 * must not fail fails the test. */

#define CLIENT_CALL_MS 5000

struct client {
	struct zmq_client *zmq;
	unsigned port; /* that its calls are about */
	char api_h[16];
	char handler[16];
	uint32_t session;
	const char *user;
};

struct client client_enter(const char *endpoint, const char *user, uint32_t session, unsigned port);
void client_leave(struct client *c);

/* Calls a method with the client's port, handle and handler; steals 'params'. */
int client_try(struct client *c, const char *method, json_t *params, json_t **result,
	       struct err *err);
/* The same for what must succeed; the result is a new reference. */
json_t *client_call(struct client *c, const char *method, json_t *params);
/* And for what is of no interest when it has succeeded. */
void client_do(struct client *c, const char *method, json_t *params);

int client_acquire(struct client *c, bool force);

/* One stream of 64-byte frames on the client's port in the place of all others; signed ones are
 * accounted for one by one. */
void client_set_stream(struct client *c, bool is_signed);
/* Ends after 'duration_s', or never if that is negative. */
void client_start(struct client *c, double pps, double duration_s);
void client_wait_for_end(struct client *c, uint64_t *slowest_ns);

/* A counter of a trial's. */
uint64_t client_count(const json_t *trial, const char *name);

/* Of the process, in kB. */
uint64_t resident_kb(int pid);
/* Whether the process was built with AddressSanitizer, which keeps what was freed for a while. */
bool is_sanitized(int pid);

/* Signed frames from the client's port until background_end(), which fails the test unless each one
 * sent was received once, in order and whole.  Between them background_next() does both, so that
 * there are several runs.
 *
 * Others, who share the machine, make frames late too, but not all the time: what is asked of the
 * frames is that of the run with the fewest late ones no more were late than of one without
 * anybody, and a share that is allowed. */
void background_begin(struct client *c, double pps);
void background_next(struct client *c, const char *while_what);
void background_end(struct client *c, const char *while_what);
