/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "base/err.h"
#include "profile.h"

/* A client of a stateless TRex server, ours or a real one: what a person does by hand with TRex's
 * console.  Nothing of x_nfvchain is needed. */

struct stl;

/* Connects to 'endpoint', retrying until 'timeout_ms'. */
int stl_open(struct stl **stl, const char *endpoint, int timeout_ms, struct err *err);
/* Gives the ports back, for other clients to take. */
void stl_release(struct stl *stl);
/* The same, and ends the session. */
void stl_close(struct stl *stl);

/* Waits so long for each answer from now on, instead of 3 s. */
void stl_be_patient(struct stl *stl, int call_ms);

/* Ports of the server. */
unsigned stl_ports(const struct stl *stl);
/* Makes 'port' ours, from its owner if 'force'. */
int stl_acquire(struct stl *stl, unsigned port, bool force, struct err *err);
/* Do we hold it, as far as we know? */
bool stl_owns(const struct stl *stl, unsigned port);
/* Somebody else has taken it. */
void stl_forget(struct stl *stl, unsigned port);

/* Replaces the streams of 'port'. */
int stl_load(struct stl *stl, unsigned port, const struct profile *profile, struct err *err);

/* How much, in TRex's words: "2" times the profile's rates, "10kpps", "100mbps", "5gbpsl1", "50%".
 */
struct stl_mult {
	const char *type; /* raw, pps, bps, bpsl1, percentage */
	double value;
};
int stl_mult_parse(const char *text, struct stl_mult *mult, struct err *err);

/* Below 0, 'duration_s' is for ever.  '*factor' is what the profile's rates are multiplied with. */
int stl_start(struct stl *stl, unsigned port, const struct stl_mult *mult, double duration_s,
	      bool force, double *factor, struct err *err);
int stl_stop(struct stl *stl, unsigned port, struct err *err);
/* The same at the end of everything: a server that does not answer soon is left alone. */
void stl_end(struct stl *stl, unsigned port);
/* Whether the port still transmits. */
int stl_sends(struct stl *stl, unsigned port, bool *sends, struct err *err);

/* get_port_stats and get_pgid_stats as they are: new references. */
int stl_port_stats(struct stl *stl, unsigned port, json_t **stats, struct err *err);
int stl_pgid_stats(struct stl *stl, json_t **stats, struct err *err);

/* x_nfvchain_streams as it is, a new reference; NULL of a server that has no such method. */
int stl_streams(struct stl *stl, unsigned port, json_t **streams, struct err *err);

/* Any method, of which an answer is expected within 'timeout_ms'; steals 'params' (NULL for none).
 * -ETIMEDOUT when none came. */
int stl_call(struct stl *stl, const char *method, json_t *params, int timeout_ms, json_t **result,
	     struct err *err);
/* The same about 'port', with our handles. */
int stl_call_port(struct stl *stl, unsigned port, const char *method, json_t *params,
		  json_t **result, struct err *err);
