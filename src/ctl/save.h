/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

#include <jansson.h>

#include "base/err.h"

/* Writes result.json and report.html into 'dir' and says on stderr, unless 'quiet', where they are.
 * 'rc' is what the command comes to, and is returned; one that went well has failed all the same
 * when its result cannot be written, for whoever reads it next would find an older one. */
int save_result(const json_t *result, const char *dir, bool quiet, int rc, struct err *err);
/* The same for the last step: '*why' is why something was not written, or has no message. */
int save_conclude(int rc, const struct err *why, const char *dir, struct err *err);
