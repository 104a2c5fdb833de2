/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

#include "chain/live.h"

/* The live screen as text, made anew for each sample.  Pure: no terminal, no clock. */

#define LIVE_HISTORY 240 /* samples that a sparkline reaches back at most */

struct live_history {
	size_t n; /* samples so far; the last LIVE_HISTORY are kept, oldest first */
	double rx_pps[LIVE_HISTORY];
	double latency_us[LIVE_HISTORY]; /* below 0: unknown */
};

void live_remember(struct live_history *h, const struct live_sample *s);

struct live_view {
	const char *title;	       /* the chain, or the generator's address */
	const char *clock;	       /* as shown at the right: "12:34:56" */
	const struct live_sample *now; /* rates as of now, counters since the base */
	const struct live_history *history;
	double base_s;	     /* for how long the counters have been growing; below 0: always */
	const char *message; /* the last line but one, or NULL */
	const char *keys;    /* the last line, or NULL; without these two nothing is filled up */
	bool colours;
};

/* At most 'rows' lines of at most 'cols' columns, each ended by a newline; what has no room is left
 * out from the least important on, and says so.  For the caller to free. */
char *live_view_text(const struct live_view *v, unsigned cols, unsigned rows);

/* A line of block characters for the last 'width' of 'n' values, scaled to the largest of them; a
 * value below 0 is a gap.  For the caller to free. */
char *live_sparkline(const double *values, size_t n, size_t width);
