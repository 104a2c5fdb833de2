/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* What "the chain carries this load" is to mean: a search goal (RFC 9971, section 4.6).  A rate
 * without its goal says nothing: the same chain "loses nothing" at very different rates in trials
 * of 1 s and of 60 s. */
struct goal {
	uint64_t trial_ns;   /* final trial duration: what a trial must last to count in full */
	uint64_t initial_ns; /* a search may begin with trials this short; 0 = trial_ns */
	uint64_t sum_ns;     /* a load is decided by so much time of trials */
	double loss_ratio;   /* a trial that loses more is a bad one; 0 to 1 */
	double exceed_ratio; /* share of that time in which trials may be bad; 0 to 1 */
	double width;	     /* (upper - lower) / upper at which a search may end; above 0 */
};

/* "1f21d.5l50e": trials of 1 s, 21 s in sum, 0.5 % lost, 50 % may exceed; as CSIT writes it. */
char *goal_code(char *buf, size_t size, const struct goal *g);

/* -EINVAL and a sentence when no load could ever meet, or fail, the goal. */
int goal_check(const struct goal *g, struct err *err);
