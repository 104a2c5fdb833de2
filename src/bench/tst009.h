/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "goal.h"
#include "measurer.h"
#include "search_result.h"

/* Binary search with loss verification (ETSI GS NFV-TST 009, 12.3.3): a load at which a trial lost
 * frames is tried again, up to 'max_trials_at_load' times, and is accepted as soon as one trial
 * loses nothing.  A trial that lost more than 'max_lost' frames needs no second opinion.
 *
 * Accepting what passes once of r times finds higher loads than RFC 2544 does: a load that loses
 * frames in half of its trials is accepted in 7 of 8 searches with r = 3.
 *
 * The published loop, S[m] = (m + 1) steps, halves an interval of indices until one load is left,
 * which it does not try.  So its answer may be a step too low, and it never tells that the highest
 * load passes.  'try_last' tries that one too. */
struct tst009_conf {
	double step_pps;   /* above 0: the linear loads of the text, up to max_pps */
	double step_ratio; /* else neighbours differ by this, from min_pps to max_pps */
	double min_pps;
	double max_pps;
	uint64_t trial_ns;	     /* 60 s */
	double loss_ratio;	     /* 0 */
	unsigned max_trials_at_load; /* MAXr, 3 */
	uint64_t max_lost;	     /* MAXz, 5 000 frames; BISECT_NO_LIMIT for none */
	bool try_last;
	unsigned max_invalid; /* in a row, before a load is given up */
	unsigned max_trials;  /* of all loads together, 0 for no limit */
};

/* What PROX's sample tests set, of all but the loads: 60 s trials, r = 3, z = 5 000. */
struct tst009_conf tst009_usual(void);

/* The end is as bisect_run's with or without 'leave_last'. */
int tst009_run(const struct tst009_conf *conf, const struct measurer *m,
	       struct search_result *result, struct err *err);
