/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

/* Files that one guest has beside its image: an archive behind the image's own, as the kernel's
 * initramfs allows.  No network and no disk is needed for it. */

#define OVERLAY_MAX 128

struct overlay {
	size_t n;
	struct overlay_file {
		char *from; /* here */
		char *to;   /* there, from /; its folders are made */
	} file[OVERLAY_MAX];
};

/* Takes a copy of both paths; what is too much is refused. */
int overlay_add(struct overlay *o, const char *from, const char *to, struct err *err);
void overlay_fini(struct overlay *o);
/* Bytes of all files. */
int overlay_size(const struct overlay *o, uint64_t *bytes, struct err *err);

/* Writes 'path': what is in 'initrd', and then the files, regular ones all of them, with mode 0755.
 */
int overlay_write(const struct overlay *o, const char *initrd, const char *path, struct err *err);
