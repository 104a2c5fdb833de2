/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* How sure is the rate that a search found?  What it looks for is the load at which a trial is bad
 * with the probability that its goal allows (exceed ratio); its trials tell how sharply that load
 * is known. */

struct rate_trial {
	double load_pps;
	bool bad; /* trial_exceeds of the goal */
};

/* Where one search ended. */
struct rate_bracket {
	double accepted_pps;
	double rejected_pps; /* 0: none */
};

struct rate_interval {
	double low_pps; /* NaN: unknown, as high_pps */
	double high_pps;
	const char *method; /* "profile", "student", "bracket", "none" */
};

/* The 95 % interval, from one search, or from several of the same chain and goal.
 *
 * "student": of 3 searches and more, from how much their results differ, at least as wide as the
 * middle bracket; 'trial' is not looked at.
 * "profile": of one or two searches with the 'n_trials' valid trials of full length of them all, in
 * the order measured, at least 5 of them at each end of a bracket: the loads that explain the
 * trials not much worse than the best one does, if the chance of a bad trial rises with the
 * logarithm of the load like a normal distribution of unknown width; at least as wide as the
 * brackets.  Trials that resemble those before them count for less.  What takes longer to change
 * than a search takes, one search cannot see: rate_interval_test.c tells how often it is right.
 * "bracket": the lowest accepted and the highest rejected load, with no claim to 95 %: of a goal
 * that allows no bad trial (there is no load at which 0 % of trials are bad, only one at which none
 * was), when there are too few trials, or when results of searches differ by more than 5 %.
 * high_pps is NaN when a search rejected nothing.
 * "none": nothing is known. */
struct rate_interval rate_interval_of(const struct rate_bracket *search, size_t n_searches,
				      const struct rate_trial *trial, size_t n_trials,
				      double exceed_ratio);
