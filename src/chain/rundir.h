/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

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
/* Is there room for what 'n' programs keep in it?  DPDK maps files there, and a program whose file
 * cannot grow dies by SIGBUS.  Class ERR_MACHINE. */
int rundir_check_room(const struct rundir *dir, size_t n, struct err *err);
/* Is the file system full, or nearly? */
bool rundir_is_full(const struct rundir *dir);
/* Removes the directory with all in it and releases the lock. */
void rundir_close(struct rundir *dir);

/* The chain that is up in a run directory, as a file there says: what was asked for, not what
 * became of it.  For the caller to free. */
char *rundir_chain_path(const char *run_dir);

/* ---- of others, and of the dead ---- */

/* A run directory as it is now.  Whether it is up is told by who has the lock file open, and not by
 * what a file says: numbers of processes are used again. */
struct rundir_info {
	char *path;
	char *chain; /* as who locked it last said, or what the path says */
	bool exists; /* and carries our mark */
	pid_t owner; /* the nfvchain that has the lock, or 0 */
};

/* Fills in 'info', for rundir_info_fini; nothing is touched. */
void rundir_look(struct rundir_info *info, const char *path);
void rundir_info_fini(struct rundir_info *info);

/* Those that are there or up, where they lie by default; with $NFVCHAIN_RUN that one and its arms.
 * For rundir_list_free. */
int rundir_list(struct rundir_info **list, size_t *n, struct err *err);
void rundir_list_free(struct rundir_info *list, size_t n);
/* Is a run directory of that path among those that are meant?  All are without $NFVCHAIN_RUN. */
bool rundir_is_meant(const char *path);

/* Takes the lock of a directory, whether that exists or not, and leaves it as it is. */
int rundir_seize(struct rundir *dir, const char *path, const char *chain, struct err *err);
/* As rundir_close; '*removed' says whether there was a run directory.  One without our mark stays.
 */
int rundir_remove(struct rundir *dir, bool *removed, struct err *err);
