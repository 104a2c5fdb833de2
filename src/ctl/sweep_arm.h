/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "bench/sweep.h"

/* One side of a sweep: an engine, and what is special about it.
 *
 *     ENGINE[:WORD]...   poll, event, pipeline; sw or dsw (the event device), atomic, ordered or
 *                        parallel, and all: every lcore works, the first one receives and
 *                        schedules beside (event_sw gives it these roles alone otherwise) */

struct sweep_conf;

struct sweep_arm {
	char label[48]; /* as the user names it */
	const char *engine;
	const char *device; /* "event_dsw0", or NULL for the engine's own choice */
	const char *sched;  /* or NULL for that of all */
	bool all;
};

int sweep_arm_parse(struct sweep_arm *arm, const char *text, struct err *err);

/* The forwarder's options for an arm in a cell, NULL-terminated; sweep_words_free takes them. */
char **sweep_arm_words(const struct sweep_arm *arm, const struct sweep_conf *conf,
		       const struct sweep_point *point);
void sweep_words_free(char **words);
