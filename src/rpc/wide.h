/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

/* JSON text with integers up to 2^64 - 1, as TRex's clients send them (a core mask of all ones, the
 * limits of 8-byte field variables).  Jansson's integers end at 2^63 - 1 and a real would round, so
 * inside the program an integer above that is "wide": a string that starts with a Unicode
 * noncharacter, reserved for private use such as this.  On the wire, both ways, it is a number. */

/* json_loadb; integers that not even 64 bits hold become reals. */
json_t *wide_loadb(const char *text, size_t len, size_t flags, json_error_t *error);
/* json_dumps, without JSON_ENSURE_ASCII. */
char *wide_dumps(const json_t *json, size_t flags);

/* The integer 'value': wide only when it has to be. */
json_t *wide_json(uint64_t value);
bool wide_is(const json_t *json);
/* The value of an integer that is not negative, wide or not; false for anything else. */
bool wide_u64(const json_t *json, uint64_t *value);
