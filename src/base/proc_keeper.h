/* SPDX-License-Identifier: MIT */
#pragma once

#include <sys/types.h>

/* A process that outlives us for a moment, to end a group of processes that nobody else would.
 *
 * The kernel can kill a child when its parent dies, but not what the child started: a program
 * behind a shell script would poll for ever.  A keeper costs a sleeping process; it holds nothing
 * of ours but the end of a pipe. */

/* Starts a keeper of the process group 'pgid'.  When all descriptors like '*hold_fd' are closed,
 * that is when we are dead, it kills the group.  A negative errno when it cannot be started. */
pid_t keeper_start(pid_t pgid, int *hold_fd);

/* Ends a keeper before it does anything; does nothing for 0. */
void keeper_end(pid_t keeper);
