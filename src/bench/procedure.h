/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "goal.h"
#include "measurer.h"
#include "mlr.h"
#include "mrr.h"
#include "rfc2544.h"
#include "search_result.h"

/* One benchmarking procedure of any kind, run by its settings. */

enum procedure_kind {
	PROCEDURE_BINARY,     /* plain binary search */
	PROCEDURE_MLRSEARCH,  /* RFC 9971 */
	PROCEDURE_TST009,     /* binary search with loss verification */
	PROCEDURE_RFC2544,    /* throughput, and the loss curve if curve_step is set */
	PROCEDURE_LOSS_CURVE, /* that alone */
	PROCEDURE_MRR,
};

#define PROCEDURE_MAX_GOALS MLR_MAX_GOALS

struct procedure_conf {
	enum procedure_kind kind;
	struct goal goal[PROCEDURE_MAX_GOALS]; /* the first is the headline */
	size_t n_goals; /* 0 for those that search nothing: loss curve and MRR, whose
			 * trials last goal[0].trial_ns all the same */
	double min_pps;
	double max_pps;	      /* the generator's own maximum */
	unsigned max_invalid; /* in a row, before a load is given up */
	unsigned max_trials;  /* 0 for no limit */

	/* Of some kinds only. */
	double step_of_max;   /* binary, TST009: loads are multiples of this share of max_pps;
			       * 0 for a logarithmic grid as fine as the first goal's width */
	unsigned needed;      /* binary: good trials that accept a load */
	unsigned n_preceding; /* MLRsearch: coarser targets before each goal */
	uint64_t max_ns;      /* MLRsearch: no trial starts that would end later; 0 for no limit */
	uint64_t overhead_ns; /* MLRsearch: time between trials, for that limit */
	/* MLRsearch: called before each trial; may be NULL. */
	void (*progress)(void *ctx, const struct mlr_progress *p);
	void *progress_ctx;
	unsigned tries;	       /* TST009: trials at a load until one passes */
	uint64_t max_lost;     /* TST009: a trial that lost more frames is the last at its load */
	bool try_last;	       /* TST009: decide the last load too */
	double curve_step;     /* RFC 2544, loss curve: share of max_pps, 0.1 or less */
	unsigned n_mrr_trials; /* MRR */
};

struct procedure_result {
	enum procedure_kind kind;
	size_t n_goals;
	struct search_result found[PROCEDURE_MAX_GOALS]; /* of each goal */
	struct loss_curve curve;			 /* n = 0 where there is none */
	struct mrr mrr;					 /* n = 0 where there is none */
	size_t n_trials;				 /* of everything together */
	size_t n_invalid;
};

/* "binary", "mlrsearch", "tst009", "rfc2544", "loss_curve", "mrr" */
const char *procedure_name(enum procedure_kind kind);

/* Trials that it takes at most when none is invalid, for an ETA; 0 when there is no telling, as of
 * MLRsearch, which calls 'progress' instead. */
size_t procedure_max_trials(const struct procedure_conf *conf);

/* Runs it.  Negative errno only when the settings make no sense or the measurer can go on no more;
 * 'result' then holds what was found so far. */
int procedure_run(const struct procedure_conf *conf, const struct measurer *m,
		  struct procedure_result *result, struct err *err);
