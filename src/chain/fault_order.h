/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* A fault on purpose, as people write it:
 *
 *     KIND HOP [by AMOUNT] at TIME [for TIME]
 *
 * "kill vnf1 at 2s", "stop vnf1 at 2s for 300ms", "slow vnf1 by 5000 at 1s for 1s",
 * "drop vnf2 by 2% at 1s", "flap vnf1 at 1s for 200ms", "hog vnf1 at 1s for 500ms". */

enum fault_order_kind {
	FAULT_ORDER_KILL, /* SIGKILL */
	FAULT_ORDER_STOP, /* SIGSTOP, and SIGCONT after the time */
	FAULT_ORDER_SLOW, /* so many cycles more for each frame */
	FAULT_ORDER_FLAP, /* port 0 closed, and opened after the time */
	FAULT_ORDER_DROP, /* a share of the frames, counted under "fault" */
	FAULT_ORDER_HOG,  /* a busy process on the hop's CPUs */
};

#define FAULT_ORDER_KINDS 6

struct fault_order {
	enum fault_order_kind kind;
	char hop[32];
	uint64_t at_ns;	 /* since the trial began */
	uint64_t for_ns; /* 0: it is over at once */
	double amount;	 /* slow: cycles a frame; drop: a ratio */
};

/* 'at_ns' may be missing: then it is 0. */
int fault_order_parse(struct fault_order *order, const char *text, struct err *err);

int fault_order_kind_parse(const char *word, enum fault_order_kind *kind, struct err *err);
const char *fault_order_kind_name(enum fault_order_kind kind);
/* Fills in what was left open, and refuses what the kind has not. */
void fault_order_init(struct fault_order *order, enum fault_order_kind kind);
int fault_order_set_amount(struct fault_order *order, const char *text, struct err *err);
int fault_order_set_for(struct fault_order *order, uint64_t ns, struct err *err);
/* "stop vnf1 for 300 ms", "drop vnf2 by 2 %": without its time.  Into 'buf', returned. */
char *fault_order_print(char *buf, size_t size, const struct fault_order *order);
