/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

#include <jansson.h>

/* The result as text for a terminal, at most 80 columns wide; for the caller to free.  'colour'
 * adds ANSI colours. */
char *text_render(const json_t *result, bool colour);
