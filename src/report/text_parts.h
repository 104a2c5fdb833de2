/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "base/str.h"
#include "bench/trial.h"

/* What the files of the text report share.  'm' is one of the result's measurements. */

/* Value at a path: NaN, 0 and "?" when it is missing, null or something else. */
double text_number(const json_t *json, const char *path);
uint64_t text_count(const json_t *json, const char *path);
const char *text_word(const json_t *json, const char *path);

bool text_is_fixed(const json_t *m);
/* "64 B", "imix"; for the caller to free. */
char *text_label(const json_t *m);

/* The trial of a measurement that is shown in full. */
struct text_shown {
	const json_t *json;
	bool accepted; /* at the load that its search accepted */
	bool only;
	struct trial t;
};

/* The last trial that was accepted, else the last of all; NULL when there is none to be read.  The
 * caller frees it. */
struct text_shown *text_find_shown(const json_t *m);

void text_answer(struct str *page, const json_t *result, const json_t *m);
/* The answer alone, with marks and glue, each goal on a line; for the caller to free. */
char *text_answer_lines(const json_t *result, const json_t *m);
/* What the guests of the chain are, if it has any. */
void text_guests(struct str *page, const json_t *result);
void text_doubts(struct str *page, const json_t *result);
/* What is not sure, as a list of texts with glue; the caller owns it. */
json_t *text_doubt_list(const json_t *result);
/* The self-test with the frames of a measurement, or NULL. */
const json_t *text_selftest(const json_t *result, const json_t *m);

/* The slots and frames of a trial, each kind on a line of its own. */
void text_frames(struct str *page, const struct trial *t);
/* What happened to the chain meanwhile, of a trial that was watched; 'trial' is of the result. */
void text_timeline(struct str *page, const json_t *trial);
/* Where frames spent their time inside the hops, if those told it. */
void text_times(struct str *page, const struct trial *t);
/* The same of hop 'i', and what share of the latency was inside: with glue, for the caller to free;
 * NULL when it is not known. */
char *text_times_hop(const struct trial *t, size_t i);
char *text_times_share(const struct trial *t);
/* What limits the chain, and where frames wait, if a measurement has looked for it. */
void text_attrib(struct str *page, const json_t *m);
/* The sentence on each, with marks and glue, for the caller to free; NULL when there is none. */
char *text_attribution(const json_t *m);
char *text_pressure(const json_t *m);
/* Hop by hop along the chain, the equation, and what it says in words. */
void text_ledger(struct str *page, const struct trial *t);
