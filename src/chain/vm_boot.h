/* SPDX-License-Identifier: MIT */
#pragma once

#include <signal.h>

#include <jansson.h>

#include "base/err.h"

#include "vm_host.h"

/* Which accelerator a VM gets, and a boot that does not trust the choice: KVM is taken when a timed
 * probe ran a guest, and left for emulation when the real one does not come up all the same. */

enum vm_accel_want { VM_WANT_AUTO, VM_WANT_KVM, VM_WANT_TCG };

struct vm_accel_choice {
	enum vm_accel_want want;
	enum vm_accel accel;
	char why[320]; /* one sentence, for people and for results */
};

/* "auto", "kvm" or "tcg". */
int vm_accel_parse(const char *word, enum vm_accel_want *want, struct err *err);

/* Decides by what the probe found.  KVM that was asked for and does not work is refused with the
 * probe's reason, class ERR_MACHINE. */
int vm_accel_choose(struct vm_accel_choice *choice, enum vm_accel_want want,
		    const struct kvm_probe *probe, struct err *err);
/* {wanted, used, reason}, as the environment of a result has it. */
json_t *vm_accel_to_json(const struct vm_accel_choice *choice);

struct vm_boot_conf {
	int start_ms;	 /* for QEMU to run, once its peers are there */
	int hello_ms[2]; /* for the agent to say hello after that, by enum vm_accel */
	/* Called when the VM's sockets are there, for the peers to be started; may be NULL.  Called
	 * again for a second try. */
	int (*listening)(void *arg, struct err *err);
	/* Waits for the agent's hello on 'fd', which it may keep if it returns 0.  -EINTR as soon
	 * as
	 * '*gone' is set: the VM has ended, or the user wants to stop. */
	int (*hello)(void *arg, int fd, int ms, struct err *err);
	void *arg;
	volatile sig_atomic_t *gone;	   /* the caller's */
	const volatile sig_atomic_t *stop; /* may be NULL */
};

/* Waits for the hello of a VM that runs, by conf->hello; -ECHILD with the reason when it ends
 * before.  For who lets several boot at a time: their hello then returns at once, and is called
 * again by this. */
int vm_boot_hello(struct vm *vm, int fd, const struct vm_boot_conf *conf, struct err *err);

/* Starts a VM and waits until its agent is there; the descriptor that it was heard on is '*fd', for
 * the caller to close.  A VM that under KVM stands still, ends, or is not heard in time is
 * destroyed and started once more under emulation, with a warning; 'spec' and 'choice' then say so.
 * Not when KVM was asked for. */
int vm_boot(struct vm **vm, int *fd, struct vm_host *host, struct vm_spec *spec,
	    struct vm_accel_choice *choice, const struct vm_boot_conf *conf, struct err *err);
