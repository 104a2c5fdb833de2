/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>

#include "base/err.h"

/* What somebody wants a comparison to show, as they write it:
 *
 *     loss_vs(baseline) < 3%
 *     ratio_low >= 0.97 and rate_b > 2m
 *
 * Terms joined by 'and'; each has a quantity, one of < <= > >=, and a number.  Measured quantities
 * have an interval: a term holds when the whole interval satisfies it, is violated when the whole
 * interval violates it, and else nobody can tell. */

enum claim_quantity {
	CLAIM_LOSS,	 /* loss_vs(baseline): how much slower B is than A, % */
	CLAIM_P50,	 /* p50_vs(baseline): how much higher B's median latency is, % */
	CLAIM_P99,	 /* p99_vs(baseline) */
	CLAIM_RATIO,	 /* ratio: of B's value to A's, whatever the metric */
	CLAIM_RATIO_LOW, /* ratio_low, ratio_high: ends of its interval, plain numbers */
	CLAIM_RATIO_HIGH,
	CLAIM_RATE_A, /* rate_a, rate_b: frames a second; in a claim k, m, g and pps may follow */
	CLAIM_RATE_B,
	CLAIM_N_QUANTITIES,
};

enum claim_op { CLAIM_LESS, CLAIM_AT_MOST, CLAIM_MORE, CLAIM_AT_LEAST };

#define CLAIM_MAX_TERMS 8

struct claim_term {
	enum claim_quantity quantity;
	enum claim_op op;
	double limit; /* in the quantity's unit: percent, ratio, or frames a second */
};

struct claim {
	size_t n;
	struct claim_term term[CLAIM_MAX_TERMS];
};

/* -EINVAL and a sentence with the column, counted from 1, at which it goes wrong. */
int claim_parse(struct claim *claim, const char *text, struct err *err);

/* A quantity as measured; NaN: it was not. */
struct claim_fact {
	double value;
	double low, high; /* interval; both the value when it is a plain number */
};

/* What judging needs; the owner fills in what it has, and the rest is NaN (claim_facts_init). */
struct claim_facts {
	struct claim_fact fact[CLAIM_N_QUANTITIES];
};
void claim_facts_init(struct claim_facts *facts);
/* loss_vs, p50_vs and p99_vs from the ratio of B to A with its interval: quantity 'q' is how many
 * percent B is above A, or for CLAIM_LOSS below. */
void claim_set_percent(struct claim_facts *facts, enum claim_quantity q, double ratio, double low,
		       double high);

/* 1 holds, 0 violated, -1 nobody can tell; and why, in one sentence: the first term that is
 * violated or cannot be told, or the last. */
int claim_judge(const struct claim *claim, const struct claim_facts *facts, char *sentence,
		size_t size);

const char *claim_quantity_name(enum claim_quantity q); /* "loss_vs(baseline)" */
