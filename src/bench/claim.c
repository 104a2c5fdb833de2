/* SPDX-License-Identifier: MIT */
#include "claim.h"

#include <ctype.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

enum unit { UNIT_PERCENT, UNIT_RATIO, UNIT_RATE };

static const struct quantity {
	const char *name;
	bool is_relative; /* "(baseline)" follows */
	enum unit unit;
	const char *missing; /* why it may be unknown */
} quantities[CLAIM_N_QUANTITIES] = {
	[CLAIM_LOSS] = {"loss_vs", true, UNIT_PERCENT,
			"no valid rates were compared (--metric rate)"},
	[CLAIM_P50] = {"p50_vs", true, UNIT_PERCENT,
		       "no valid latencies were compared (--metric latency-p50)"},
	[CLAIM_P99] = {"p99_vs", true, UNIT_PERCENT,
		       "no valid latencies were compared (--metric latency-p99)"},
	[CLAIM_RATIO] = {"ratio", false, UNIT_RATIO, "too little was measured"},
	[CLAIM_RATIO_LOW] = {"ratio_low", false, UNIT_RATIO, "too little was measured"},
	[CLAIM_RATIO_HIGH] = {"ratio_high", false, UNIT_RATIO, "too little was measured"},
	[CLAIM_RATE_A] = {"rate_a", false, UNIT_RATE,
			  "no valid rates were compared (--metric rate)"},
	[CLAIM_RATE_B] = {"rate_b", false, UNIT_RATE,
			  "no valid rates were compared (--metric rate)"},
};

static const char *const ops[] = {
	[CLAIM_LESS] = "<",
	[CLAIM_AT_MOST] = "<=",
	[CLAIM_MORE] = ">",
	[CLAIM_AT_LEAST] = ">=",
};

const char *
claim_quantity_name(enum claim_quantity q)
{
	static const char *const relative[] = {
		[CLAIM_LOSS] = "loss_vs(baseline)",
		[CLAIM_P50] = "p50_vs(baseline)",
		[CLAIM_P99] = "p99_vs(baseline)",
	};

	return quantities[q].is_relative ? relative[q] : quantities[q].name;
}

/* ---- reading ---- */

struct reader {
	const char *text;
	const char *at;
	struct err *err;
};

static void
skip_blanks(struct reader *r)
{
	while (*r->at == ' ' || *r->at == '\t')
		r->at++;
}

/* "column 5: expected a number, not '%'" */
static int
refuse(struct reader *r, const char *wanted)
{
	int len = 0;

	while (r->at[len] != '\0' && !isspace((unsigned char)r->at[len]) && len < 24)
		len++;
	if (len == 0)
		return err_usage(r->err, "column %zu: expected %s at the end",
				 (size_t)(r->at - r->text) + 1, wanted);
	return err_usage(r->err, "column %zu: expected %s, not '%.*s'",
			 (size_t)(r->at - r->text) + 1, wanted, len, r->at);
}

static size_t
word_len(const char *p)
{
	size_t n = 0;

	while (isalnum((unsigned char)p[n]) || p[n] == '_')
		n++;
	return n;
}

static bool
take(struct reader *r, const char *token)
{
	size_t len = strlen(token);

	skip_blanks(r);
	if (strncmp(r->at, token, len) != 0)
		return false;
	/* "and" is no beginning of "android". */
	if (isalpha((unsigned char)token[0]) && word_len(r->at) != len)
		return false;
	r->at += len;
	return true;
}

static int
refuse_quantity(struct reader *r)
{
	const char *names[CLAIM_N_QUANTITIES], *nearest;
	size_t len = word_len(r->at);
	char word[32];

	if (len == 0 || len >= sizeof(word))
		return refuse(r, "a quantity such as loss_vs(baseline)");
	memcpy(word, r->at, len);
	word[len] = '\0';
	for (size_t i = 0; i < CLAIM_N_QUANTITIES; i++)
		names[i] = quantities[i].name;
	nearest = str_nearest(word, names, CLAIM_N_QUANTITIES);
	if (nearest != NULL)
		return err_usage(r->err, "column %zu: unknown quantity '%s' (did you mean '%s'?)",
				 (size_t)(r->at - r->text) + 1, word, nearest);
	return refuse(r, "loss_vs, p50_vs, p99_vs, ratio, ratio_low, ratio_high, rate_a or rate_b");
}

static int
read_quantity(struct reader *r, enum claim_quantity *q)
{
	for (size_t i = 0; i < CLAIM_N_QUANTITIES; i++) {
		if (!take(r, quantities[i].name))
			continue;
		*q = (enum claim_quantity)i;
		if (!quantities[i].is_relative)
			return 0;
		if (!take(r, "("))
			return refuse(r, "'(baseline)'");
		if (!take(r, "baseline"))
			return refuse(r, "'baseline'");
		return take(r, ")") ? 0 : refuse(r, "')'");
	}
	return refuse_quantity(r);
}

static int
read_op(struct reader *r, enum claim_op *op)
{
	/* Longer ones first. */
	static const enum claim_op order[] = {CLAIM_AT_MOST, CLAIM_AT_LEAST, CLAIM_LESS,
					      CLAIM_MORE};

	for (size_t i = 0; i < N_ELEMS(order); i++) {
		if (take(r, ops[order[i]])) {
			*op = order[i];
			return 0;
		}
	}
	return refuse(r, "<, <=, > or >=");
}

/* The unit behind a number, as a factor. */
static int
read_unit(struct reader *r, enum unit unit, double *factor)
{
	static const struct {
		const char *word;
		double factor;
	} rates[] = {{"gpps", 1e9}, {"mpps", 1e6}, {"kpps", 1e3}, {"pps", 1},
		     {"g", 1e9},    {"m", 1e6},	   {"k", 1e3}};
	bool is_percent = take(r, "%");

	*factor = is_percent && unit == UNIT_RATIO ? 0.01 : 1;
	if (unit == UNIT_PERCENT && !is_percent)
		return refuse(r, "'%', for it is a percentage,");
	if (unit != UNIT_RATE)
		return 0;
	if (is_percent) {
		r->at--;
		return refuse(r, "frames a second");
	}
	for (size_t i = 0; i < N_ELEMS(rates); i++) {
		if (take(r, rates[i].word)) {
			*factor = rates[i].factor;
			return 0;
		}
	}
	return 0;
}

/* Decimal only: strtod alone would take "inf", "nan" and hexadecimal numbers too. */
static int
read_number(struct reader *r, enum unit unit, double *value)
{
	char buf[40];
	size_t n = 0;
	double factor;
	char *end;
	int rc;

	skip_blanks(r);
	while (r->at[n] != '\0' && strchr("0123456789.-+", r->at[n]) != NULL)
		n++;
	if (n == 0 || n >= sizeof(buf))
		return refuse(r, "a number");
	memcpy(buf, r->at, n);
	buf[n] = '\0';
	*value = strtod(buf, &end);
	if (*end != '\0' || end == buf)
		return refuse(r, "a number");
	r->at += n;
	rc = read_unit(r, unit, &factor);
	*value *= factor;
	return rc;
}

static int
read_term(struct reader *r, struct claim_term *term)
{
	int rc = read_quantity(r, &term->quantity);

	if (rc == 0)
		rc = read_op(r, &term->op);
	return rc == 0 ? read_number(r, quantities[term->quantity].unit, &term->limit) : rc;
}

int
claim_parse(struct claim *claim, const char *text, struct err *err)
{
	struct reader r = {.text = text, .at = text, .err = err};
	int rc;

	claim->n = 0;
	do {
		if (claim->n == CLAIM_MAX_TERMS)
			return err_usage(err, "column %zu: more than %d terms",
					 (size_t)(r.at - r.text) + 1, CLAIM_MAX_TERMS);
		rc = read_term(&r, &claim->term[claim->n]);
		if (rc < 0)
			return rc;
		claim->n++;
	} while (take(&r, "and"));
	skip_blanks(&r);
	return *r.at == '\0' ? 0 : refuse(&r, "'and' or nothing more");
}

/* ---- judging ---- */

void
claim_facts_init(struct claim_facts *facts)
{
	for (size_t i = 0; i < CLAIM_N_QUANTITIES; i++)
		facts->fact[i] = (struct claim_fact){NAN, NAN, NAN};
}

void
claim_set_percent(struct claim_facts *facts, enum claim_quantity q, double ratio, double low,
		  double high)
{
	struct claim_fact *f = &facts->fact[q];

	if (q == CLAIM_LOSS)
		*f = (struct claim_fact){100 * (1 - ratio), 100 * (1 - high), 100 * (1 - low)};
	else
		*f = (struct claim_fact){100 * (ratio - 1), 100 * (low - 1), 100 * (high - 1)};
}

static bool
satisfies(double value, const struct claim_term *t)
{
	switch (t->op) {
	case CLAIM_LESS:
		return value < t->limit;
	case CLAIM_AT_MOST:
		return value <= t->limit;
	case CLAIM_MORE:
		return value > t->limit;
	default:
		return value >= t->limit;
	}
}

static int
judge_term(const struct claim_term *t, const struct claim_fact *f)
{
	bool low, high;

	if (isnan(f->value) || isnan(f->low) || isnan(f->high))
		return -1;
	low = satisfies(f->low, t);
	high = satisfies(f->high, t);
	return low == high ? low : -1;
}

static void
print_value(struct str *s, enum unit unit, double value)
{
	if (unit == UNIT_PERCENT)
		str_addf(s, "%.2f %%", value);
	else if (unit == UNIT_RATIO)
		str_addf(s, "%.4f", value);
	else
		str_addf(s, "%.4g Mpps", value / 1e6);
}

static void
print_term(struct str *s, const struct claim_term *t, const struct claim_fact *f, int holds)
{
	const struct quantity *q = &quantities[t->quantity];

	str_addf(s, "%s is ", claim_quantity_name(t->quantity));
	if (isnan(f->value) || isnan(f->low) || isnan(f->high)) {
		str_addf(s, "not known: %s", q->missing);
		return;
	}
	print_value(s, q->unit, f->value);
	if (f->low < f->high) {
		str_addf(s, " (");
		print_value(s, q->unit, f->low);
		str_addf(s, " to ");
		print_value(s, q->unit, f->high);
		str_addf(s, ")");
	}
	str_addf(s,
		 holds < 0 ? ", which may or may not be %s "
		 : holds   ? ", %s "
			   : ", not %s ",
		 ops[t->op]);
	print_value(s, q->unit, t->limit);
}

int
claim_judge(const struct claim *claim, const struct claim_facts *facts, char *sentence, size_t size)
{
	const struct claim_term *shown = &claim->term[claim->n - 1];
	struct str s = {0};
	int all = 1;

	/* One that is violated settles it, whatever the others are. */
	for (size_t i = 0; i < claim->n; i++) {
		const struct claim_term *t = &claim->term[i];
		int holds = judge_term(t, &facts->fact[t->quantity]);

		if (holds == 0 ? all != 0 : holds < 0 && all == 1) {
			all = holds;
			shown = t;
		}
	}
	print_term(&s, shown, &facts->fact[shown->quantity], all);
	str_copy(sentence, size, str_text(&s));
	str_fini(&s);
	return all;
}
