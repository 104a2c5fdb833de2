/* SPDX-License-Identifier: MIT */
#pragma once

#include "vm_host.h"

/* QEMUs of ours among the processes of the machine, by their marks: see marks.h.  Those of a chain
 * of the same name in another run directory are not this one's. */
int vm_qemu_find(const char *chain, const char *run_dir, struct vm_found **found, size_t *n,
		 struct err *err);
/* Kills one, unless its number is another process's by now. */
int vm_qemu_kill(const struct vm_found *found, struct err *err);
