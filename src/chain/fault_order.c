/* SPDX-License-Identifier: MIT */
#include "fault_order.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/units.h"

#define MAX_WORDS 9
#define MAX_FOR_NS (600 * NSEC_PER_S)
#define MAX_CYCLES 10000000u

/* What each kind has, and takes when nothing is said. */
static const struct {
	const char *name;
	uint64_t for_ns; /* 0: it has no time */
	double amount;	 /* 0: it has none */
} kinds[FAULT_ORDER_KINDS] = {
	[FAULT_ORDER_KILL] = {"kill", 0, 0},
	[FAULT_ORDER_STOP] = {"stop", 300 * NSEC_PER_MS, 0},
	[FAULT_ORDER_SLOW] = {"slow", NSEC_PER_S, 10000},
	[FAULT_ORDER_FLAP] = {"flap", 200 * NSEC_PER_MS, 0},
	[FAULT_ORDER_DROP] = {"drop", NSEC_PER_S, 0.01},
	[FAULT_ORDER_HOG] = {"hog", 500 * NSEC_PER_MS, 0},
};

const char *
fault_order_kind_name(enum fault_order_kind kind)
{
	return kinds[kind].name;
}

int
fault_order_kind_parse(const char *word, enum fault_order_kind *kind, struct err *err)
{
	for (size_t i = 0; i < N_ELEMS(kinds); i++) {
		if (strcasecmp(word, kinds[i].name) == 0) {
			*kind = (enum fault_order_kind)i;
			return 0;
		}
	}
	return err_usage(err, "there is no fault '%s' (kill, stop, slow, flap, drop and hog are)",
			 word);
}

void
fault_order_init(struct fault_order *order, enum fault_order_kind kind)
{
	*order = (struct fault_order){
		.kind = kind, .for_ns = kinds[kind].for_ns, .amount = kinds[kind].amount};
}

int
fault_order_set_for(struct fault_order *order, uint64_t ns, struct err *err)
{
	if (kinds[order->kind].for_ns == 0)
		return err_usage(err, "%s is over at once, it takes no time",
				 kinds[order->kind].name);
	if (ns < NSEC_PER_MS || ns > MAX_FOR_NS)
		return err_usage(err, "a fault lasts from 1ms to 10m");
	order->for_ns = ns;
	return 0;
}

static int
set_cycles(struct fault_order *order, const char *text, struct err *err)
{
	uint64_t cycles;
	int rc = count_parse(text, &cycles, err);

	if (rc == 0 && (cycles < 1 || cycles > MAX_CYCLES))
		rc = err_usage(err, "slow: 1 to %u cycles a frame", MAX_CYCLES);
	if (rc == 0)
		order->amount = (double)cycles;
	return rc;
}

/* "2%", "0.02". */
static int
set_share(struct fault_order *order, const char *text, struct err *err)
{
	char *end;
	double share = strtod(text, &end);

	if (end != text && strcmp(end, "%") == 0) {
		share /= 100;
		end++;
	}
	if (end == text || *end != '\0' || !(share >= 1e-6 && share <= 1))
		return err_usage(err, "drop: '%s' is no share of the frames, as 2%% or 0.02", text);
	order->amount = share;
	return 0;
}

int
fault_order_set_amount(struct fault_order *order, const char *text, struct err *err)
{
	if (order->kind == FAULT_ORDER_SLOW)
		return set_cycles(order, text, err);
	if (order->kind == FAULT_ORDER_DROP)
		return set_share(order, text, err);
	return err_usage(err, "%s takes no amount ('%s')", kinds[order->kind].name, text);
}

/* Words behind the name of the hop come in pairs. */
static int
take_pair(struct fault_order *order, const char *word, const char *value, struct err *err)
{
	uint64_t ns;
	int rc;

	if (strcasecmp(word, "by") == 0)
		return fault_order_set_amount(order, value, err);
	if (strcasecmp(word, "at") != 0 && strcasecmp(word, "for") != 0)
		return err_usage(err, "'%s' is none of by, at and for", word);
	rc = duration_parse(value, &ns, err);
	if (rc < 0)
		return rc;
	if (strcasecmp(word, "for") == 0)
		return fault_order_set_for(order, ns, err);
	order->at_ns = ns;
	return 0;
}

static int
take_words(struct fault_order *order, char **word, size_t n, struct err *err)
{
	enum fault_order_kind kind;
	int rc;

	if (n < 2 || n % 2 != 0)
		return err_usage(err, "a fault is KIND HOP [by AMOUNT] [at TIME] [for TIME]");
	rc = fault_order_kind_parse(word[0], &kind, err);
	if (rc < 0)
		return rc;
	fault_order_init(order, kind);
	if (strlen(word[1]) >= sizeof(order->hop))
		return err_usage(err, "there is no hop '%s'", word[1]);
	str_copy(order->hop, sizeof(order->hop), word[1]);
	for (size_t i = 2; rc == 0 && i < n; i += 2)
		rc = take_pair(order, word[i], word[i + 1], err);
	return rc;
}

int
fault_order_parse(struct fault_order *order, const char *text, struct err *err)
{
	char *copy = xstrdup(text), *save = NULL, *word[MAX_WORDS];
	size_t n = 0;
	int rc;

	for (char *w = strtok_r(copy, " \t", &save); w != NULL && n < MAX_WORDS;
	     w = strtok_r(NULL, " \t", &save))
		word[n++] = w;
	rc = take_words(order, word, n, err);
	free(copy);
	return err_wrap(err, rc, "'%s'", text);
}

char *
fault_order_print(char *buf, size_t size, const struct fault_order *order)
{
	char length[32], amount[32] = "";

	duration_print(length, sizeof(length), order->for_ns);
	if (order->kind == FAULT_ORDER_SLOW)
		snprintf(amount, sizeof(amount), " by %.0f cycles", order->amount);
	if (order->kind == FAULT_ORDER_DROP)
		snprintf(amount, sizeof(amount), " by %g %%", order->amount * 100);
	snprintf(buf, size, "%s %s%s%s%s", kinds[order->kind].name, order->hop, amount,
		 order->for_ns > 0 ? " for " : "", order->for_ns > 0 ? length : "");
	return buf;
}
