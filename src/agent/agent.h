/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "base/channel.h"
#include "base/err.h"
#include "base/loop.h"
#include "base/tunnel.h"

#include "nics.h"
#include "programs.h"
#include "relay.h"

/* The guest's side of what the host asks: requests come as frames (base/framing.h), each is one row
 * of a table, and is answered at once or later. */

/* As chain/guest.h has it; the two are never of different versions by accident, for an image is
 * built from the sources of its host's program. */
#define AGENT_PROTOCOL 1
#define AGENT_MAX_PATH 256

/* Where things are: other places in tests. */
struct agent_conf {
	const char *run;   /* what the host may write below, and programs run in */
	const char *sys;   /* sysfs */
	const char *proc;  /* procfs */
	const char *image; /* facts of the image, JSON */
};

struct agent {
	struct agent_conf conf;
	struct loop *loop;
	struct channel *channel;
	struct tunnel *tunnel;
	struct nics nics;
	struct programs programs;
	struct relay *relays;
	unsigned epoch;		/* of the connection; grows when the host begins anew */
	bool is_going_off;	/* told to; ends once the answer is written */
	struct loop_watch *off; /* looks whether it is */
};

/* A request that is to be answered: once, unless the host has begun anew meanwhile, which nobody
 * notices but call_answer. */
struct call {
	struct agent *agent;
	uint32_t id;
	unsigned epoch;
};

/* Steals 'result'; NULL stands for {}. */
void call_answer(const struct call *call, json_t *result);
/* Says no, with the sentence in 'err' and errno -'rc'. */
void call_refuse(const struct call *call, int rc, const struct err *err);

/* Serves the channel at 'fd', which stays the caller's, in 'loop'.  'returns' as channel_open. */
int agent_open(struct agent *a, const struct agent_conf *conf, struct loop *loop, int fd,
	       bool returns, struct err *err);
/* Kills what it has started. */
void agent_close(struct agent *a);

/* Serves one request of 'len' bytes: what the channel does for each. */
void agent_serve(struct agent *a, uint32_t id, const char *text, size_t len);

/* The methods: 0 when the call is answered or will be, else negative with the reason. */
int call_hello(const struct call *call, const json_t *params, struct err *err);
int call_put(const struct call *call, const json_t *params, struct err *err);
int call_bind(const struct call *call, const json_t *params, struct err *err);
int call_start(const struct call *call, const json_t *params, struct err *err);
int call_stop(const struct call *call, const json_t *params, struct err *err);
int call_log(const struct call *call, const json_t *params, struct err *err);
int call_control(const struct call *call, const json_t *params, struct err *err);
int call_telemetry(const struct call *call, const json_t *params, struct err *err);

/* Refuses a path that is not below 'dir', or could lead out of it by "..". */
int agent_check_path(const char *path, const char *dir, struct err *err);
