/* SPDX-License-Identifier: MIT */
#pragma once

#include "base/err.h"
#include "base/loop.h"

#include "programs.h"

/* What the first process of a guest does before and beside its service. */

/* Mounts what programs expect, loads the modules that MODULES lists, brings lo up.  What fails is
 * logged, on the console, and the guest goes on: hello tells what is missing. */
void init_system(void);

/* One path of a module a line, in the order they are to be loaded. */
#define INIT_MODULES "/etc/nfvchain/modules"

/* Opens the virtio-serial port of this name; waits for it up to 'timeout_ms'. */
int init_open_port(const char *name, int timeout_ms, struct err *err);

/* Collects orphans from now on, which become the first process's children. */
struct loop_watch *init_collect(struct loop *loop, struct programs *programs);

/* Switches the machine off; returns only when that fails. */
void init_power_off(void);
