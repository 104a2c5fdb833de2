/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "graph.h"
#include "stream.h"

/* The sets of streams of a port.  A profile is added to, started, paused and stopped by itself;
 * "_" is the one that clients mean who name none, and is always there. */

struct run;

#define PROFILES_MAX 16
#define PROFILE_MAX_STREAMS STREAM_MAX
#define PROFILE_MAX_ID 128		/* characters */
#define PROFILES_MAX_BYTES (256u << 20) /* streams of a port, frames and JSON */
#define PROFILE_DEFAULT "_"

/* Ascending: the state of a port is that of its strongest profile. */
enum profile_state { PROFILE_IDLE, PROFILE_STREAMS, PROFILE_PAUSE, PROFILE_TX };

struct profile {
	char *id;
	enum profile_state state;
	struct stream *streams; /* in no order */
	size_t n_streams;
	size_t room;	 /* for streams */
	uint32_t *slots; /* hash of ids: index + 1 of a stream, 0 = empty */
	size_t n_slots;	 /* a power of two, or 0 */
	size_t bytes;	 /* of the streams */
	unsigned slot;	 /* of the port's slots, its own */
	struct run *run; /* the last one, or NULL; the server's */
	double factor;	 /* of the run */
	bool timed;	 /* it was given a duration */
};

struct profiles {
	struct profile *list[PROFILES_MAX]; /* the first is "_" */
	size_t n;
	size_t bytes;
	double speed_bps; /* of the port, for rates in percent */
	size_t max_len;	  /* of a frame, without FCS */
};

void profiles_init(struct profiles *ps, double speed_bps, size_t max_len);
/* The runs must be gone. */
void profiles_fini(struct profiles *ps);

/* NULL when there is none. */
struct profile *profiles_find(const struct profiles *ps, const char *id);
/* The same with an error. */
struct profile *profiles_need(const struct profiles *ps, const char *id, struct jsonrpc_error *e);
/* Makes it if need be, in the place of an empty one without a run if there are too many. */
struct profile *profiles_make(struct profiles *ps, const char *id, struct jsonrpc_error *e);

/* Forgets a profile, not "_", that has no run. */
void profiles_drop(struct profiles *ps, struct profile *p);

enum profile_state profiles_state(const struct profiles *ps);
/* "IDLE", "STREAMS", "PAUSE", "TX". */
const char *profile_state_name(enum profile_state state);
uint32_t profiles_max_stream_id(const struct profiles *ps);

/* 0 if the profile is in one of the states ('1u << PROFILE_TX | ...'), else TRex's sentence. */
int profile_check_state(const struct profile *p, unsigned states, const char *command,
			struct jsonrpc_error *e);

/* NULL when there is none. */
struct stream *profile_stream(const struct profile *p, uint32_t id);
/* Parses and keeps 'object'; NULL with an error when it is bad, or there are too many. */
struct stream *profile_add_stream(struct profiles *ps, struct profile *p, uint32_t id,
				  json_t *object, struct jsonrpc_error *e);
void profile_remove_stream(struct profiles *ps, struct profile *p, struct stream *s);
void profile_clear(struct profiles *ps, struct profile *p);

/* The rates of the profile's streams over time. */
int profile_graph(const struct profiles *ps, const struct profile *p, struct graph *g,
		  struct jsonrpc_error *e);
/* The same of one stream, as if it were alone and started by itself. */
int profile_graph_of(const struct profiles *ps, const struct stream *s, struct graph *g,
		     struct jsonrpc_error *e);
/* Do all its streams go on for ever? */
bool profile_is_continuous(const struct profile *p);
