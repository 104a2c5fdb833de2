/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

#include "base/err.h"

/* Starting and ending DPDK in a process. */

struct eal {
	bool started;
	bool shares_cpus; /* more lcores than CPUs */
};

/* Initialises EAL with the user's arguments, completed (eal_args.h); prints the effective line at
 * INFO.  'need_mb' is the memory the program will ask for. */
int eal_start(struct eal *eal, int argc, char **argv, unsigned need_mb, struct err *err);
void eal_stop(struct eal *eal);

/* Binds the calling thread to the CPUs of this process that no lcore runs on, if there are any. */
void eal_bind_control_thread(void);
