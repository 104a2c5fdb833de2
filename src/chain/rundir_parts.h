/* SPDX-License-Identifier: MIT */
#pragma once

/* What the files of the run directory share. */

/* Says that a directory is a run directory, and so may be emptied. */
#define MARK ".nfvchain-run"

/* $NFVCHAIN_RUN, the user's own choice, or NULL. */
const char *rundir_chosen(void);
