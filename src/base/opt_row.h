/* SPDX-License-Identifier: MIT */
#pragma once

#include "opt.h"

/* How a row of an option table reads, for the printers of base/opt*.c only. */

/* "NFVCHAIN_FRAME_SIZE"; the caller frees it. */
char *opt_env_name(const struct opt_command *cmd, const struct opt *row);
/* Help and, behind it, the words that can be given; the caller frees it. */
char *opt_row_text(const struct opt *row);
