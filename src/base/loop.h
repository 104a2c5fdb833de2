/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "err.h"

/* The event loop of a control thread, over libevent.  Everything runs in the thread that calls
 * loop_run; loop_stop may be called from any thread. */

struct loop;
struct loop_watch; /* a file descriptor, timer or signal being watched */

int loop_open(struct loop **loop, struct err *err);
void loop_close(struct loop *loop);

/* A watch lasts until loop_unwatch, which its own callback may call, or loop_close.  NULL when it
 * is refused, such as the descriptor of a plain file, which is always readable. */

/* Calls 'cb' whenever 'fd' is readable (level-triggered). */
struct loop_watch *loop_fd(struct loop *loop, int fd, void (*cb)(void *arg), void *arg);
/* Calls 'cb' whenever 'fd' takes more bytes (level-triggered): to be watched only while there is
 * something to write. */
struct loop_watch *loop_fd_writable(struct loop *loop, int fd, void (*cb)(void *arg), void *arg);
/* Calls 'cb' each 'period_ms', first after that time. */
struct loop_watch *loop_timer(struct loop *loop, uint64_t period_ms, void (*cb)(void *arg),
			      void *arg);
/* Calls 'cb' for each delivery of 'signum'. */
struct loop_watch *loop_signal(struct loop *loop, int signum, void (*cb)(void *arg), void *arg);
void loop_unwatch(struct loop_watch *watch);

/* Runs until loop_stop; one that came before ends the run at once.  Watched signals are unblocked
 * in the calling thread meanwhile: a program with several threads blocks them first, so that they
 * come here. */
void loop_run(struct loop *loop);
void loop_stop(struct loop *loop);
