/* SPDX-License-Identifier: MIT */
#pragma once

#include <jansson.h>

#include "bench/claim.h"
#include "bench/paired.h"
#include "chain/measure.h"
#include "compare_conf.h"
#include "compare_side.h"
#include "session.h"

/* A paired comparison while it runs.  A, the Bs and the control, which is A once more, are up at
 * the same time on the same CPUs, and all but one are frozen; in each slice one of them works. What
 * the order is, and what the values say, is bench/paired.h's business. */

#define COMPARE_MAX_ARMS (COMPARE_MAX_SIDES + 1)
#define COMPARE_B 1 /* number of B among the arms of struct paired, C is 2 ... */

/* Generator's own rate over that of the chain, from which on the chain is the limit. */
#define COMPARE_HEAD_ROOM 1.3

enum compare_metric { COMPARE_RATE, COMPARE_P50, COMPARE_P99 };

struct compare_arm {
	char letter; /* of its run directory: a, b, c */
	const struct compare_side *side;
	struct session session;
	struct measure measure;
	struct turns turns;
};

struct compare {
	const struct compare_conf *conf;
	unsigned n_sides;
	struct compare_side side[COMPARE_MAX_SIDES];
	enum compare_metric metric;
	bool in_turns; /* the hop's own capacity is measured: see chain/turns.h */
	struct compare_arm arm[COMPARE_MAX_ARMS]; /* a side each, and A once more */
	unsigned n_arms;
	double generator_pps; /* its self-test, where the rate of the chain is measured; NaN */

	struct paired paired;
	uint64_t slice_ns;
	uint64_t slice_cost_ns; /* of one in turns, going to sleep included, as measured */

	json_t *slices;	      /* what each slice saw */
	json_t *trials;	      /* what each trial saw that was open for a whole round */
	json_t *instructions; /* or NULL */
	unsigned n_slices, n_unbalanced;
	uint64_t began_ns;
	uint64_t told_ns;    /* when progress was last shown */
	uint64_t restart_ns; /* of all arms with their warm-up, the first time */
};

/* Brings the arms up, measures and takes them down, round by round, into c->paired and c->slices.
 * Whatever happens, nothing is left running. */
int compare_run(struct compare *c, struct err *err);

/* Counts instructions per frame of both sides into c->instructions: null with a reason where that
 * cannot be done.  -EINTR when the user stops everything. */
int compare_instructions(struct compare *c, struct err *err);

/* Is the generator the limit of what was measured, so that differences hide behind it? */
bool compare_is_limited(const struct compare *c);
/* Middle of an arm's valid slices, NaN without any. */
double compare_median(const struct paired *p, unsigned arm);
/* Judges the assertions of 'conf' by 'facts', into p->asserts. */
void compare_judge_claims(const struct compare_conf *conf, const struct claim_facts *facts,
			  struct paired *p);
/* What is known of side 'b' for the assertions; 'p' has been judged. */
void compare_facts(const struct compare *c, unsigned b, struct claim_facts *facts);

/* Judges the assertions and sets "comparison" in result.json: B against A, and with more sides
 * "comparisons", one for each of them against A, the first being the same. */
void compare_add_to_result(struct compare *c, json_t *result);
/* The comparisons of a result as text, for the caller to free. */
char *compare_text(const json_t *result, bool colour);

/* The exit code and its sentence: assertions when there are any, else the verdict; of several
 * comparisons the first that is not good. */
int compare_conclude(const json_t *result, struct err *err);

/* Compares two results that are there already; fills in 'comparison'. */
int compare_results(const struct compare_conf *conf, json_t **comparison, struct err *err);
/* Is this a result file, or a directory with one? */
bool compare_is_result(const char *path);

/* Runs 'n_sides' against the first of them; they are taken over.  Prints and saves.  What `nfvchain
 * compare`, `nfvchain bench --peer` and `--engine` have in common. */
int compare_sides(const struct compare_conf *conf, struct compare_side *side, unsigned n_sides,
		  int argc, char **argv, struct err *err);
