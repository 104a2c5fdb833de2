/* SPDX-License-Identifier: MIT */
#pragma once

#include <sys/types.h>

#include "base/proc.h"

/* Children stopped where they are, with SIGSTOP. */

/* Stops a child with all its threads and its process group, and returns once none of them runs.
 * -ETIMEDOUT also when it is dead. */
int freeze_proc(const struct proc *p);
/* Lets it go on, if it lives. */
void freeze_thaw(struct proc *p);

/* The thread of a process that polls; the process itself when none does. */
pid_t freeze_busy_thread(pid_t pid);
