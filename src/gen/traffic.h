/* SPDX-License-Identifier: MIT */
#pragma once

#include "multiplier.h"
#include "server.h"

/* Transmissions of profiles, from the RPC thread's side: it hands runs to the worker, notices when
 * they have ended, and publishes what changed. */

struct traffic_start {
	struct multiplier mul;
	double duration_s; /* below 0: endless */
	bool force;	   /* no check of link, rate or destination */
	bool flat_out;
	double start_at_s; /* of the clock of 'ping'; 0: now */
};

int traffic_start(struct server *s, unsigned port, struct profile *p,
		  const struct traffic_start *how, struct jsonrpc_error *e);
/* Harmless when it does not send. */
void traffic_stop(struct server *s, unsigned port, struct profile *p);
int traffic_pause(struct server *s, unsigned port, struct profile *p, struct jsonrpc_error *e);
int traffic_resume(struct server *s, unsigned port, struct profile *p, struct jsonrpc_error *e);
int traffic_update(struct server *s, unsigned port, struct profile *p, const struct multiplier *m,
		   bool force, struct jsonrpc_error *e);
/* Makes each of some of its streams what 'm' names. */
int traffic_update_streams(struct server *s, unsigned port, struct profile *p, const uint32_t *ids,
			   size_t n, const struct multiplier *m, bool force,
			   struct jsonrpc_error *e);

/* Notices the runs that have ended by themselves, and frees those that nobody needs any more. */
void traffic_settle(struct server *s);
/* Does any profile send or pause? */
bool traffic_any(const struct server *s);
/* Publishes the state of the port, if it is another than before; 'ended': by itself. */
void traffic_publish(struct server *s, unsigned port, bool ended);
/* Lets go of the last run of a profile that does not send, and of what is known of it. */
void traffic_forget(struct server *s, unsigned port, struct profile *p);
/* Frames for which the port's link had no room, since the start. */
uint64_t traffic_refused(const struct server *s, unsigned port);
/* Frees all runs; for the end, when the worker is gone. */
void traffic_fini(struct server *s);
