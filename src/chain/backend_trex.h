/* SPDX-License-Identifier: MIT */
#pragma once

#include "backend.h"

/* The part of a chain that is a real TRex. */

/* Waits, when process 0 is one, until its server answers.  Nobody may connect to its links before:
 * they would be lost while it sets its ports up. */
int backend_greet_trex(struct backend *b, struct err *err);
/* Everything else is up: waits until its links are too, and takes its ports. */
int backend_await_trex(struct backend *b, struct err *err);

/* Makes the initrd of a guest with a TRex: the image's, and the release. */
int backend_make_initrd(struct backend *b, const struct plan_vm *vm, struct err *err);

/* Writes what a process reads at its start. */
int backend_write_file(const struct plan_proc *pp, struct err *err);

/* MAC addresses of the two ports of a TRex that runs at 'endpoint'. */
int backend_trex_macs(const char *endpoint, uint8_t mac[2][6], struct err *err);
