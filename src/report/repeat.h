/* SPDX-License-Identifier: MIT */
#pragma once

#include <jansson.h>

/* The command line behind a result, quoted for a shell: "nfvchain bench --rate 1mpps"; "?" when the
 * result does not say.  For the caller to free. */
char *repeat_command(const json_t *result);
