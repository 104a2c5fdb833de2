/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

#include <jansson.h>

/* Writes result.json and report.html into 'dir' and says on stderr, unless 'quiet', where they are.
 * What cannot be written is said, and takes nothing away from what was measured. */
void save_result(const json_t *result, const char *dir, bool quiet);
