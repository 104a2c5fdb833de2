/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "base/err.h"
#include "base/loop.h"

/* The programs that the host starts in the guest, each with a name, a log and a socket that tells
 * that it is ready.  They outlive the host's connection. */

#define PROGRAMS_MAX 16

struct program;

struct programs {
	struct loop *loop;
	const char *dir; /* of their logs, where they run */
	struct program *program[PROGRAMS_MAX];
	size_t n;
};

void programs_init(struct programs *programs, struct loop *loop, const char *dir);
/* Kills those that run. */
void programs_fini(struct programs *programs);

/* The socket that a program is asked at; '*path' is borrowed. */
int programs_socket(const struct programs *programs, const char *name, const char **path,
		    struct err *err);

/* {"name", "state"} of program 'i', such as "is running" or "exited with 1". */
json_t *programs_json(const struct programs *programs, size_t i);

/* Process 'pid' is one of them, or the keeper of one: whoever collects orphans leaves it alone. */
bool programs_own(const struct programs *programs, int pid);
