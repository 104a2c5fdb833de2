/* SPDX-License-Identifier: MIT */
#pragma once

#include <jansson.h>

/* The result for a comment on GitHub or the summary of a job: the answer, rates, the ledger, the
 * machine, what is not sure.  Texts of others are escaped.  For the caller to free. */
char *markdown_render(const json_t *result);
