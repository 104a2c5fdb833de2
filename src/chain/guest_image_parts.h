/* SPDX-License-Identifier: MIT */
#pragma once

#include "guest_image.h"

/* What the files of guest_image.h share. */

/* Digits of an image's key, and a NUL. */
#define GUEST_IMAGE_KEY 17

/* The cache directory, for the caller to free; it may not exist yet. */
int guest_image_cache(char **path, struct err *err);

/* The root of our sources: $NFVCHAIN_SOURCE, else where this program was built from; for the caller
 * to free.  ERR_MACHINE when they are not there. */
int guest_image_source(char **path, struct err *err);

/* The key of the image of these sources. */
int guest_image_key(char key[GUEST_IMAGE_KEY], struct err *err);
