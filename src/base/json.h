/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <jansson.h>

#include "err.h"

/* Jansson with the path in the error: "streams[2].mode.rate: not a number". */

/* Follows 'path' ("a.b[2].c") from 'root'; NULL when a step is missing. */
const json_t *json_at(const json_t *root, const char *path);

/* The value at 'path', which must be there (else -ENOENT) and of that type (else -EINVAL). */
int json_get_u64(const json_t *root, const char *path, uint64_t *value, struct err *err);
int json_get_double(const json_t *root, const char *path, double *value, struct err *err);
int json_get_bool(const json_t *root, const char *path, bool *value, struct err *err);
/* Borrowed from 'root'. */
int json_get_text(const json_t *root, const char *path, const char **value, struct err *err);

/* An integer that JSON can carry, from an unsigned counter; values above 2^63 - 1 saturate. */
json_t *json_u64(uint64_t value);
/* A number, or null for NaN and infinity. */
json_t *json_number(double value);

/* Writes 'root' indented by 2, keys in the order they were set, ending in a newline: the same
 * bytes for the same value, always. */
int json_write(const json_t *root, FILE *out);
/* Writes to 'path' through a temporary file beside it, so that a reader never sees half. */
int json_save(const json_t *root, const char *path, struct err *err);
int json_load_path(json_t **root, const char *path, struct err *err);
