/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

#include "bench/trial.h"

/* Where a benchmark stands, on stderr: one live line on a terminal, a plain line per trial
 * elsewhere, nothing with --quiet.  Results go to stdout and never mix with this. */

enum progress_mode { PROGRESS_AUTO, PROGRESS_PLAIN, PROGRESS_NONE };

void progress_init(enum progress_mode mode);
/* "bringing up 3 programs": a step without trials. */
void progress_step(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* One judged trial: number 'k' of about 'total', what it said, seconds to go (negative: unknown).
 */
void progress_trial(const char *frames, unsigned k, unsigned total, const struct trial *t,
		    double eta_s);
/* Ends the live line, so that other output starts on a line of its own. */
void progress_done(void);
