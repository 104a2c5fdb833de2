/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

#include "base/err.h"

/* The run directory of a chain: $NFVCHAIN_RUN, else $XDG_RUNTIME_DIR/nfvchain/CHAIN, as root
 * /run/nfvchain/CHAIN, else /tmp/nfvchain-UID/CHAIN.  Mode 0700, ours, locked while in use. */

struct rundir {
	char *path;
	int lock_fd;
};

/* The path alone, for plans; for the caller to free. */
char *rundir_path(const char *chain);

/* The same for one of several chains that are up at once, of the same name perhaps: the path ends
 * in
 * "-a" for arm 'a'; arm 0 is no arm. */
char *rundir_path_arm(const char *chain, char arm);

/* Makes it and takes the lock.  What an earlier run that died left inside is removed first.
 * Refused: a directory of somebody else, a symbolic link, a lock that is held ("chain 'snake' is up
 * (pid 7)").
 */
int rundir_open(struct rundir *dir, const char *chain, struct err *err);
int rundir_open_arm(struct rundir *dir, const char *chain, char arm, struct err *err);
/* Removes the directory with all in it and releases the lock. */
void rundir_close(struct rundir *dir);
