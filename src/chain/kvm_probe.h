/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

/* Whether KVM really runs guests.  That /dev/kvm opens and makes machines says little: under some
 * hypervisors it hands each instruction to an emulator, in which no usual kernel boots.  So a tiny
 * guest is run, on x86, and timed. */

struct kvm_probe {
	bool works;
	int errnum;    /* of the step that failed, 0 when none failed with one */
	char why[160]; /* one sentence: which step failed, or what was found */
};

void kvm_probe_run(struct kvm_probe *probe);
