/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/hist.h"

/* What a search, of whatever procedure, found for one goal. */

enum search_end {
	SEARCH_FOUND,	     /* regular: a load accepted, and one rejected within the width of it */
	SEARCH_AT_MAX,	     /* the highest load passed: the chain is at least that fast */
	SEARCH_BELOW_MIN,    /* the lowest load failed */
	SEARCH_AT_LEAST,     /* a load accepted, and none rejected next to it: too many invalid
			      * trials there, or in all */
	SEARCH_INCONCLUSIVE, /* too many invalid trials, and no load accepted */
};

struct search_result {
	enum search_end end;
	double accepted_pps;	/* highest load accepted (relevant lower bound), 0 when none */
	double rejected_pps;	/* lowest load rejected above it (relevant upper bound), 0: none */
	double conditional_pps; /* conditional throughput at accepted_pps (RFC 9971, 4.8.1); 0 when
				 * the procedure has none */
	size_t n_trials;	/* all */
	size_t n_invalid;
	uint64_t intended; /* frames over all valid trials at accepted_pps */
	uint64_t lost;
	struct hist latency; /* merged over the valid trials at accepted_pps */
};

/* Nothing found yet. */
void search_result_init(struct search_result *r);

/* "found", "at_max", "below_min", "at_least", "inconclusive" */
const char *search_end_name(enum search_end end);
