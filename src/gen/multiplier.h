/* SPDX-License-Identifier: MIT */
#pragma once

#include "graph.h"

/* TRex's rate multiplier: what a client asks the streams of a profile to become together.  Only
 * the variable ones follow; what the fixed ones send is taken off first.  Pure. */

enum multiplier_type {
	MULTIPLIER_RAW,
	MULTIPLIER_BPS, /* L2 */
	MULTIPLIER_BPSL1,
	MULTIPLIER_PPS,
	MULTIPLIER_PERCENTAGE, /* of the link; with add and sub, of what is sent now */
};

enum multiplier_op { MULTIPLIER_ABS, MULTIPLIER_ADD, MULTIPLIER_SUB };

struct multiplier {
	enum multiplier_type type;
	enum multiplier_op op;
	double value;
};

/* What the factor is found from. */
struct multiplier_link {
	double speed_bps; /* L1; 0: unknown */
	double current;	  /* the factor now, for add and sub */
	bool force;	  /* may exceed the link */
};

/* Reads params.mul. */
int multiplier_parse(struct multiplier *m, const json_t *params, struct jsonrpc_error *e);
/* The same for a start: absolute and above 0. */
int multiplier_parse_start(struct multiplier *m, const json_t *params, struct jsonrpc_error *e);

/* The factor that the variable streams get; 1 where there are none. */
int multiplier_factor(const struct multiplier *m, const struct graph *g,
		      const struct multiplier_link *link, double *factor, struct jsonrpc_error *e);
