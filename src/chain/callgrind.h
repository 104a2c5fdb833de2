/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/proc.h"
#include "plan.h"

/* A program of the chain under valgrind's callgrind, unmodified and without symbols, and how many
 * instructions each of its threads has executed so far.
 *
 * Callgrind is asked while the program works: it answers between two of its instructions and then
 * holds it for CALLGRIND_HOLD_MS, in which the caller stops it, so that the answer belongs to the
 * very point at which it stands.  Everything lies in the run directory. */

#define CALLGRIND_MAX_THREADS 128
#define CALLGRIND_HOLD_MS 40

struct callgrind_counts {
	uint64_t thread[CALLGRIND_MAX_THREADS]; /* by valgrind's number, from 1; 0: not there */
};

struct callgrind {
	char *argv[16];	   /* who asks, by pipes in the run directory */
	char *answer_path; /* what it was told */
	struct proc vgdb;  /* the question that is being asked */
};

/* Makes the process run under callgrind when it is started; it counts as foreign then, and dies at
 * once with us.  Ours is told to do without hugepages, a foreign one's options are its own.  Class
 * ERR_MACHINE when valgrind is not installed. */
int callgrind_wrap(struct plan_proc *pp, const char *run_dir, struct err *err);

/* 'p' runs, and was wrapped. */
void callgrind_open(struct callgrind *c, const struct proc *p, const char *run_dir);
/* Releases everything; takes a zeroed one. */
void callgrind_close(struct callgrind *c);

/* Asks.  The program may be stopped; then it answers when it goes on. */
int callgrind_ask(struct callgrind *c, struct err *err);
/* Is the answer there?  Then the program is held. */
bool callgrind_answered(const struct callgrind *c, struct callgrind_counts *counts);
/* Has it gone on since the answer, or could it have? */
bool callgrind_went_on(struct callgrind *c);

enum callgrind_answer { CALLGRIND_NOTHING, CALLGRIND_HELD, CALLGRIND_WENT_ON };

/* Reads what callgrind has said so far; 'counts' are those of its first answer.  (For tests.) */
enum callgrind_answer callgrind_parse(const char *text, struct callgrind_counts *counts);

/* Between two counts: instructions of the thread that executed the most of them, and of all. */
uint64_t callgrind_busiest(const struct callgrind_counts *from, const struct callgrind_counts *to,
			   uint64_t *all);
