/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

/* The trials of a measurement as the reports look at them: in the order they were run, and by load.
 * 'm' is one of the result's measurements; everything borrowed from it. */

enum trials_verdict { TRIALS_PASS, TRIALS_FAIL, TRIALS_INVALID, TRIALS_UNKNOWN };

struct trials_one {
	const json_t *json;
	size_t search; /* index of its search */
	double pps;    /* intended load; NaN when it had none or it is not known */
	enum trials_verdict verdict;
};

struct trials {
	struct trials_one *one;
	size_t n;
};

void trials_init(struct trials *list, const json_t *m);
void trials_fini(struct trials *list);

/* "pass", "fail", "invalid" or "?" */
const char *trials_verdict_name(enum trials_verdict v);
/* "valid", "overload", "fault", "noisy"; of an older file, "valid" or "invalid" by the verdict. */
const char *trials_class(const json_t *trial);

/* Quantiles that are shown by load. */
#define TRIALS_QUANTILES 4
extern const char *const trials_quantile_keys[TRIALS_QUANTILES];  /* "p50_ns" .. */
extern const char *const trials_quantile_names[TRIALS_QUANTILES]; /* "p50" .. */

/* All trials of one load together. */
struct load {
	double pps;
	size_t n[TRIALS_UNKNOWN + 1]; /* by verdict */
	double loss_ratio;	      /* over its valid trials; NaN without any */
	double ns[TRIALS_QUANTILES];  /* medians of the valid trials' quantiles; NaN: unknown */
};

struct loads {
	struct load *load; /* lowest load first */
	size_t n;
};

void loads_init(struct loads *loads, const struct trials *list);
void loads_fini(struct loads *loads);
