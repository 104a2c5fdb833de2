/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"

/* Processes of chains among all of the machine, told by the environment that they were started
 * with: NFVCHAIN_ID=CHAIN/NAME, and RUNTIME_DIRECTORY=RUN/rt/NAME, which says in which run
 * directory.  What a marked process starts has its mark too.  Those of other users are not ours. */

struct marked {
	pid_t pid;
	char *chain;
	char *name;
	char *run_dir; /* "" when it does not say */
	char *program; /* its name as the kernel has it, cut at 15 characters */
};

/* Those of 'chain' (NULL: of any) in 'run_dir' (NULL: in any), for marked_free. */
int marked_find(const char *chain, const char *run_dir, struct marked **found, size_t *n,
		struct err *err);
void marked_free(struct marked *found, size_t n);

/* Fills in 'm' when process 'pid' is marked; release it by marked_fini. */
bool marked_look(pid_t pid, struct marked *m);
void marked_fini(struct marked *m);

/* Ends them: SIGTERM, up to 'ms' of patience with all of them together, SIGKILL.  One whose number
 * is another process's by now is left alone. */
int marked_end(const struct marked *found, size_t n, int ms, struct err *err);

/* All of a file of /proc/PID with a NUL behind it, for the caller to free, or NULL. */
char *marked_read(pid_t pid, const char *file, size_t *len);
