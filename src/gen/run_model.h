/* SPDX-License-Identifier: MIT */
#pragma once

#include "run.h"

/* For tests: what streams mean, done slot by slot over a plain list, to compare a run with.  Knows
 * the streams as clients give them and nothing of how a run keeps them. */

#define RUN_MODEL_STREAMS 16

struct run_model_stream {
	const struct stream *s;
	enum { MODEL_IDLE, MODEL_WAITS, MODEL_HELD } state;
	unsigned __int128 due, step; /* 2^-64 ns */
	uint64_t left;		     /* of the burst; endless: UINT64_MAX */
	uint64_t bursts;	     /* behind this one; endless: UINT64_MAX */
	uint32_t ends;		     /* so often has it ended */
	uint64_t first_ns;	     /* slot of the burst: what it waits for longer is the rate's */
	uint64_t held_ns;
	bool paused;
	uint64_t intended, late;
};

struct run_model {
	struct run_model_stream streams[RUN_MODEL_STREAMS];
	unsigned n;
	double speed_bps;
	uint64_t duration_ns; /* UINT64_MAX: endless */
	uint64_t late_ns;
};

/* A slot that is to be sent. */
struct run_model_slot {
	unsigned stream;
	uint64_t due_ns;
};

void run_model_init(struct run_model *m, const struct stream *streams, unsigned n, double factor,
		    double speed_bps, uint64_t duration_ns);
/* Puts the slots that are due at 'now_ns' into 'slots', up to 'most', and returns how many. */
unsigned run_model_plan(struct run_model *m, uint64_t now_ns, struct run_model_slot *slots,
			unsigned most);
/* Is there anything that may still come? */
bool run_model_goes_on(const struct run_model *m);
void run_model_pause(struct run_model *m, unsigned stream, bool pause, uint64_t now_ns);
void run_model_set_factor(struct run_model *m, unsigned stream, double factor, uint64_t now_ns);
