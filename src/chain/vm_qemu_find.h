/* SPDX-License-Identifier: MIT */
#pragma once

#include "vm_host.h"

/* QEMUs of ours among the processes of the machine: those with NFVCHAIN_ID=CHAIN/NAME in their
 * environment.  Others' are not readable, and so not ours. */
int vm_qemu_find(const char *chain, struct vm_found **found, size_t *n, struct err *err);
/* Kills one, unless its number is another process's by now. */
int vm_qemu_kill(const struct vm_found *found, struct err *err);
