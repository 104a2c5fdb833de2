/* SPDX-License-Identifier: MIT */
#pragma once

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "base/err.h"

/* The image that guests boot: a kernel and an initramfs with DPDK, our programs and the agent,
 * built from Debian's packages and our sources.  One directory, read-only and the same for all
 * guests: CACHE/images/KEY/{kernel,initrd,manifest.json}, CACHE being /var/cache/nfvchain as root,
 * else $XDG_CACHE_HOME/nfvchain or ~/.cache/nfvchain.  KEY is made of the suite and of all that the
 * image is built from here, so another state of the sources has another image. */

#define GUEST_IMAGE_SUITE "forky"
/* What guests shall run: the release line of DPDK in the suite. */
#define GUEST_IMAGE_DPDK "25.11"

struct guest_image {
	char *dir;
	char *kernel;	  /* path, for QEMU's -kernel */
	char *initrd;	  /* path, for -initrd */
	json_t *manifest; /* NULL as long as none is there */
};

/* Where the image of these sources lies, built or not. */
int guest_image_find(struct guest_image *image, struct err *err);
/* Is it there, and are kernel and initrd what the manifest says?  -ENOENT when there is none,
 * -EBADMSG when it is damaged. */
int guest_image_verify(struct guest_image *image, struct err *err);

struct guest_image_conf {
	bool rebuild; /* also when there is a good one */
	/* Told from time to time: what is being done, and about how many seconds all of it will
	 * still take (negative: unknown).  May be NULL. */
	void (*progress)(void *arg, const char *step, double eta_s);
	void *arg;
	const volatile sig_atomic_t *stop; /* set by a signal handler; may be NULL */
};

/* The image of these sources, built first when it is missing or damaged: needs root, mmdebstrap and
 * about two minutes.  ERR_MACHINE when the machine or the suite cannot give it.  Only one of
 * several callers builds, the others wait for it.  On failure nothing half-built stays. */
int guest_image_need(struct guest_image *image, const struct guest_image_conf *conf,
		     struct err *err);
/* Removes the image of these sources; with 'all' every image and the build root too. */
int guest_image_remove(bool all, struct err *err);
void guest_image_fini(struct guest_image *image);

/* The kernel's command line for a guest with this many hugepages of 2 MiB, for the caller to free.
 */
char *guest_image_cmdline(unsigned hugepages);
