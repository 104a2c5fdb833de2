/* SPDX-License-Identifier: MIT */
#pragma once

#include "server.h"

/* For tests and fuzzing: the server without sockets, threads and EAL, over a worker that does
 * nothing but take runs and let go of them when it is asked to. */

struct server_rig {
	struct gen_conf conf;
	struct gen_worker worker;
	struct server server;
};

struct server_rig *server_rig_new(void);
void server_rig_free(struct server_rig *r);

/* The server's reply to a method, a new reference.  'params' is JSON text; the handle, and the
 * handler of the port it names, are added where it has none. */
json_t *server_rig_call(struct server_rig *r, const char *method, const char *params);

/* A round of the worker: takes what is offered, ends what is to stop. */
void server_rig_work(struct server_rig *r);
/* The run in the slot of the port comes to its end. */
void server_rig_end(struct server_rig *r, unsigned port, unsigned slot);
