/* SPDX-License-Identifier: MIT */
#pragma once

#include "backend.h"
#include "bench/timeline.h"
#include "bench/trial.h"
#include "fault_act.h"
#include "fault_order.h"

/* A trial that is watched in intervals, while faults are done to the chain at their times and hops
 * that die are noted: what it leaves is a timeline. */

#define FAULTED_MAX 256

struct faulted {
	struct fault_order order[FAULTED_MAX]; /* by time */
	size_t n_orders;

	/* Of the trial that runs, or ran last. */
	struct timeline timeline;
	struct backend *backend;
	uint64_t began_ns;
	size_t next;	   /* order */
	unsigned n_missed; /* answers of the generator, in a row */
	struct {
		struct fault_act act;
		size_t hop;
		uint64_t until_ns; /* of clock_now_ns; 0: none goes on */
	} act[FAULTED_MAX];
};

/* Reads "kill vnf1 at 2s" and its like, and sorts them by time. */
int faulted_add(struct faulted *f, const char *text, struct err *err);
/* Refuses what a chain, or a trial of that length, has not; a hop that is to be killed is to be
 * started again. */
int faulted_check(struct faulted *f, struct chain *chain, uint64_t duration_ns, struct err *err);
void faulted_fini(struct faulted *f);

/* Watches a trial from its start for its length, and does what is due.  Whatever comes of it, all
 * is undone. */
int faulted_watch(struct faulted *f, struct backend *b, uint64_t duration_ns, struct err *err);
/* When 't' is known: closes the timeline, and hears no more of hops. */
void faulted_end(struct faulted *f, const struct trial *t);
