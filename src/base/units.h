/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "err.h"

/* Numbers as people write them.  Parsers take the whole string, case-insensitively, and refuse
 * garbage, negative values, NaN and overflow with a sentence that quotes the input.  Fractions such
 * as "1.5k" are taken as long as the result is a whole number. */

/* "10", "90s", "250ms", "50us", "5m", "1h" to nanoseconds; a bare number is seconds. */
int duration_parse(const char *text, uint64_t *ns, struct err *err);

/* "64", "9k", "2m" to bytes; k, m and g are binary (1024). */
int size_parse(const char *text, uint64_t *bytes, struct err *err);

/* "1000", "10k", "1m" to a count; k, m and g are decimal (1000). */
int count_parse(const char *text, uint64_t *count, struct err *err);

/* Unsigned integer between 'min' and 'max', decimal, or hexadecimal with 0x. */
int uint_parse(const char *text, uint64_t min, uint64_t max, uint64_t *value, struct err *err);

/* "02:00:00:00:00:01" to 6 bytes. */
int mac_parse(const char *text, uint8_t mac[6], struct err *err);

/* Printers write into 'buf', always NUL-terminated, and return it. */
char *duration_print(char *buf, size_t size, uint64_t ns); /* "1.25 ms", "90 s" */
char *count_print(char *buf, size_t size, uint64_t count); /* "1 234 567" */
char *mac_print(char *buf, size_t size, const uint8_t mac[6]);
/* Four significant digits and the unit that fits: 'units' are steps of 1000, smallest first, ending
 * in NULL. */
char *scaled_print(char *buf, size_t size, double value, const char *const *units);
