/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "vm_libvirt_parts.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static bool registered; /* libvirt takes an implementation once, for good */
static unsigned n_holders;
static pthread_t thread;
static int waker = -1; /* a timeout that makes the loop turn */
static atomic_bool stopping;

static void
on_wake(int timer, void *opaque)
{
	virEventUpdateTimeout(timer, -1);
}

static void *
run(void *arg)
{
	while (!atomic_load(&stopping))
		if (virEventRunDefaultImpl() < 0)
			break;
	return NULL;
}

/* libvirt prints each error on stderr unless it is told otherwise. */
static void
be_silent(void *arg, virErrorPtr error)
{
}

static int
start(struct err *err)
{
	sigset_t all, before;
	int rc;

	if (!registered) {
		virSetErrorFunc(NULL, be_silent);
		if (virInitialize() < 0 || virEventRegisterDefaultImpl() < 0)
			return vm_libvirt_error(err, EIO, "libvirt's event loop");
		registered = true;
		waker = virEventAddTimeout(-1, on_wake, NULL, NULL);
	}
	atomic_store(&stopping, false);
	/* Signals are for the thread that waits for them. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = pthread_create(&thread, NULL, run, NULL);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return rc == 0 ? 0 : err_set(err, rc, "a thread for libvirt: %s", strerror(rc));
}

int
vm_libvirt_loop_hold(struct err *err)
{
	int rc = 0;

	pthread_mutex_lock(&lock);
	if (n_holders == 0)
		rc = start(err);
	if (rc == 0)
		n_holders++;
	pthread_mutex_unlock(&lock);
	return rc;
}

void
vm_libvirt_loop_release(void)
{
	pthread_mutex_lock(&lock);
	if (--n_holders == 0) {
		atomic_store(&stopping, true);
		virEventUpdateTimeout(waker, 0);
		pthread_join(thread, NULL);
	}
	pthread_mutex_unlock(&lock);
}
