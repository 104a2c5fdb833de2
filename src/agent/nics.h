/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>

#include <jansson.h>

#include "base/err.h"

/* The guest's network interfaces on PCI, by MAC.  A MAC can be read only while the kernel's network
 * driver has the device, so each that was ever seen is remembered. */

#define NICS_MAX 32

struct nic {
	char mac[18]; /* "52:54:00:00:02:00" */
	char pci[16]; /* "0000:00:04.0" */
};

struct nics {
	const char *sys; /* where sysfs is mounted */
	struct nic nic[NICS_MAX];
	size_t n;
	/* How a file of sysfs is written: 0 or -errno.  Tests put a kernel of their own here. */
	int (*write)(void *arg, const char *path, const char *text);
	void *arg;
};

void nics_init(struct nics *nics, const char *sys);
void nics_fini(struct nics *nics);

/* Looks at all devices again, and returns [{"mac", "pci", "driver"}]; 'driver' is null where none
 * has the device, 'mac' where it was never seen. */
json_t *nics_list(struct nics *nics);

/* Gives the device with this MAC, or at this PCI address where the kernel has no driver that could
 * have read a MAC, to 'driver' and reads back that it has it.  '*pci' is its address
 * and lasts as long as 'nics'. */
int nics_bind(struct nics *nics, const char *which, const char *driver, const char **pci,
	      struct err *err);
