/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "guest_overlay.h"

/* A TRex release as people unpack it: the folder with t-rex-64, _t-rex-64 and so/. */

/* Refuses a folder that is none, with what it lacks, or whose server lacks a library here. */
int trex_release_check(const char *dir, struct err *err);

/* What its server needs inside a guest, below TREX_GUEST_DIR: the server, its own libraries, and in
 * lib/ all those of this machine that it links to, with the loader: a guest's own C library may
 * lack parts, and does not go together with others' parts. */
#define TREX_GUEST_DIR "/opt/trex"
#define TREX_GUEST_LOADER TREX_GUEST_DIR "/lib/ld.so"
#define TREX_GUEST_LIBS TREX_GUEST_DIR ":" TREX_GUEST_DIR "/so/x86_64:" TREX_GUEST_DIR "/lib"
int trex_release_files(struct overlay *files, const char *dir, struct err *err);
