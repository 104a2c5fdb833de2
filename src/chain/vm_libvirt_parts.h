/* SPDX-License-Identifier: MIT */
#pragma once

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

#include "base/err.h"

#include "vm_host.h"

/* What the files of the libvirt back end share. */

/* Records what libvirt said last in this thread: "WHAT: SENTENCE"; returns -'errnum'. */
int vm_libvirt_error(struct err *err, int errnum, const char *what);

/* libvirt tells of events and carries streams only while a loop runs: one thread for the process,
 * as long as anybody holds it.  To be held before a connection is opened. */
int vm_libvirt_loop_hold(struct err *err);
void vm_libvirt_loop_release(void);

/* The guest's port 'name' as a descriptor for the caller to close.  What it carries goes through
 * the connection, so it works with machines far away.  A connection that an earlier, dead client
 * left is taken over. */
int vm_libvirt_channel(virDomainPtr dom, const char *name, int *fd, struct err *err);

/* As vm_host_list and the removal of one thing of it. */
int vm_libvirt_find(virConnectPtr conn, const char *chain, struct vm_found **found, size_t *n,
		    struct err *err);
int vm_libvirt_drop(virConnectPtr conn, const struct vm_found *found, struct err *err);
