/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

/* What a measurement found for one goal, from whichever keys the file has. */
struct found {
	const char *code; /* of the goal; NULL when it is not known */
	double max_loss_ratio;
	double exceed_ratio; /* share of the trials that may lose more */
	double trial_s;
	double rate_pps; /* NaN: none */
	double low_pps;	 /* NaN when there is no interval, or when it is open below */
	double high_pps;
	double level; /* of the interval, such as 0.95; NaN: lowest and highest of 'n' searches */
	bool is_lower_bound; /* "at least" */
	bool is_mrr;	     /* what came through at full load, whatever was lost */
	size_t n;	     /* searches behind it */
	const char *path;    /* of rate_pps in the measurement, for html_value */
};

/* Goals that are reported, at least one: the first is the headline. */
size_t found_count(const json_t *m);
/* 'found->path' is for the caller to free with found_fini. */
void found_get(struct found *found, const json_t *result, const json_t *m, size_t i);
void found_fini(struct found *found);

/* "median of 3 searches, 8.2 to 8.6 Mpps", "95 % interval 8.2 to 8.6 Mpps", "one search"; with
 * glue, for the caller to free. */
char *found_spread(const struct found *found);
/* "zero loss", "at most 0.5 % lost in at least 50 % of trials of 1 s"; with glue, for the caller to
 * free. */
char *found_loss(const struct found *found);

/* Why it is not more, in one sentence without a full stop, as far as trials and ledgers tell;
 * begins with "unknown" when they do not.  With glue, for the caller to free. */
char *limit_reason(const json_t *result, const json_t *m);
