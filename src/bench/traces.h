/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* For unit tests: what perf/traces and a comparison recorded, from the files in traces/. */

/* 'recording' counts the files of a series: between two of them minutes passed.  'block' counts
 * passes or searches within one. */
struct traced_trial {
	unsigned recording, block;
	double load_pps; /* 0: flat out */
	double duration_s;
	double intended, lost, received; /* frames */
	double p99_ns;
	bool valid;
};

struct traced_search {
	unsigned recording, block;
	double loss_ratio; /* of the goal */
	double accepted_pps, rejected_pps;
};

struct traced_slice {
	unsigned recording, round;
	char arm; /* 'A', 'B', or 'a', the control */
	double value;
};

struct traces {
	unsigned n_recordings;
	size_t n_trials, n_searches, n_slices;
	struct traced_trial *trial;
	struct traced_search *search;
	struct traced_slice *slice;
};

/* Reads 'series'-1.csv and those that follow; fails the test when there is none, or a row that is
 * no row.  traces_fini releases it. */
void traces_read(struct traces *t, const char *series);
void traces_fini(struct traces *t);

/* The values of the flat-out trials of one recording, from 'value'; the caller frees them. */
double *traces_series(const struct traces *t, unsigned recording,
		      double (*value)(const struct traced_trial *trial), size_t *n);
