/* SPDX-License-Identifier: MIT */
#pragma once

#include "backend.h"
#include "bench/measurer.h"
#include "faulted.h"
#include "turns.h"

/* The real measurer: one trial against a chain that is up. */

struct measure {
	struct backend *backend;
	uint64_t drain_ns; /* wait at least so long for frames under way */
	uint64_t rest_ns;  /* and so long before each trial */
	uint64_t warm_ns;  /* of measure_prepare's warm-up; 0: 500 ms */
	/* Where measure_prepare leaves the last trial of a chain in which nothing arrives, which
	 * says how far frames came; NULL: nowhere. */
	struct trial *silent;
	/* Watches trials that are not flat out, and does faults on purpose; NULL: none. */
	struct faulted *faulted;

	struct ledger_hop before[LEDGER_MAX_HOPS]; /* counters when the trial began */
	uint64_t missed[2];		    /* and what was dropped before the generator's ports */
	unsigned restarts[LEDGER_MAX_HOPS]; /* of hops, when the trial began */
	double answer_ns; /* that the generator takes for an answer, usually; 0: not known */
};

/* Makes 'traffic' what trials send from now on, and sends a few frames until one has come through
 * the chain: a chain in which nothing arrives is an error, -EPIPE, that says how far frames came.
 * Then a moment flat out, so that no trial pays for what happens once. */
int measure_prepare(struct measure *m, const struct tg_traffic *traffic, struct err *err);

/* Runs one trial; see bench/measurer.h. */
int measure_trial(struct measure *m, const struct trial_spec *spec, struct trial *t,
		  struct err *err);

/* A trial flat out in which the one hop gets the CPU in turns (see turns.h), whenever the caller
 * says so, while other chains may have it in between: measure_open, turns_run as often as wanted,
 * measure_close.  An open trial is over within the hour. */
int measure_open(struct measure *m, struct turns *turns, struct err *err);
/* Ends it and closes its books: 't' is as that of measure_trial. */
int measure_close(struct measure *m, struct trial *t, struct err *err);
