/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* The loss-free rate against the length of trials: R(d) is the load at which half of the trials of
 * d seconds lose nothing.  Figures of 1 s and of 60 s trials differ by factors on machines that
 * stall now and then; this is the curve between them, from whatever trials there are.
 *
 * What is assumed: losses come independently in time, so that a trial of d seconds at a load is
 * clean with probability exp(-lambda d); and lambda does not fall with load.  Nothing else: the fit
 * is the most likely monotone lambda, which takes any shape, because capacity that varies makes a
 * cliff and stalls a slope, and a formula for one is wrong by factors for the other.
 *
 * The intervals are what a likelihood ratio test does not reject: the loads that R(d) may be
 * without making the trials much less likely than the best fit does.  A bound is always a load that
 * was tried.  They are wide rather than wrong: of simulated chains 97 to 100 % have the truth in
 * them.  A chain that drifts has no one truth, and its intervals do not tell. */

struct lossfree_trial {
	double pps;
	double duration_s;
	bool lossy;
};

struct lossfree_rate {
	double duration_s;
	/* R(d), NaN when the trials do not tell: when one of the bounds is unknown. */
	double rate_pps;
	/* Interval of 95 % at least; NaN where no load that was tried is known to be low, or high,
	 * enough. */
	double low_pps;
	double high_pps;
	/* No trial was so long, or so short: this stands on losses being independent in time. */
	bool extrapolated;
};

/* The trial lengths for which results are told, in seconds: those of short trials here and in CSIT,
 * and RFC 2544's. */
#define LOSSFREE_N_DURATIONS 5
extern const double lossfree_durations_s[LOSSFREE_N_DURATIONS];

/* Fills in rates[i] for lossfree_durations_s[i] from the 'n' 'trials', valid ones in any order;
 * those without load or length are left out. */
void lossfree_estimate(const struct lossfree_trial *trials, size_t n,
		       struct lossfree_rate rates[LOSSFREE_N_DURATIONS]);
