/* SPDX-License-Identifier: MIT */
#include "fault_watch.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Loads that differ by less say too little about any load. */
#define SPAN 10.0
/* Shares of loss count as the same within so much of their mean, either way. */
#define SAME 0.2
/* Fewer lost frames give no share: 25 are uncertain by a fifth, if they are independent. */
#define LEAST_LOST 25
/* A path that loses a share of everything delivers in proportion to the load, one at its limit does
 * not; this is half-way enough, whatever else the trials lost. */
#define LEAST_GROWTH 0.5

void
fault_watch_init(struct fault_watch *w)
{
	memset(w, 0, sizeof(*w));
}

static size_t
n_seen(const struct fault_watch *w)
{
	return w->n < FAULT_WATCH_MAX ? w->n : FAULT_WATCH_MAX;
}

static double
loss_at(const struct fault_watch *w, size_t i)
{
	return (double)w->seen[i].lost / (double)w->seen[i].intended;
}

/* Is the loss the same at all loads between those of two trials? */
static bool
is_same_between(const struct fault_watch *w, size_t low, size_t high)
{
	double mean = (loss_at(w, low) + loss_at(w, high)) / 2;

	for (size_t i = 0; i < n_seen(w); i++)
		if (w->seen[i].pps >= w->seen[low].pps && w->seen[i].pps <= w->seen[high].pps &&
		    fabs(loss_at(w, i) - mean) > SAME * mean)
			return false;
	return true;
}

static bool
is_share(const struct fault_watch *w, size_t low, size_t high)
{
	double span = w->seen[high].pps / w->seen[low].pps;
	double growth = span * (1 - loss_at(w, high)) / (1 - loss_at(w, low));

	return w->seen[low].lost >= LEAST_LOST && w->seen[high].lost >= LEAST_LOST &&
	       growth >= LEAST_GROWTH * span && is_same_between(w, low, high);
}

static void
note(struct fault_watch *w, const struct trial *t)
{
	size_t i = w->n++ % FAULT_WATCH_MAX;

	w->seen[i].pps = t->spec.rate_pps;
	w->seen[i].intended = t->intended;
	w->seen[i].lost = trial_lost(t);
	w->seen[i].dead = t->sent > 0 && t->received == 0;
}

static const char *
load_text(char buf[32], double pps)
{
	static const struct {
		double from;
		const char *unit;
	} units[] = {{1e6, "Mpps"}, {1e3, "kpps"}, {0, "pps"}};
	size_t i = 0;

	while (pps < units[i].from)
		i++;
	snprintf(buf, 32, "%.4g %s", pps / (units[i].from > 0 ? units[i].from : 1), units[i].unit);
	return buf;
}

static bool
say(const struct fault_watch *w, size_t low, size_t high, char *sentence, size_t size)
{
	char from[32], to[32];

	load_text(from, w->seen[low].pps);
	load_text(to, w->seen[high].pps);
	if (w->seen[low].dead && w->seen[high].dead)
		snprintf(sentence, size,
			 "nothing arrives at any load (%s to %s): the path is broken, not slow",
			 from, to);
	else
		snprintf(sentence, size,
			 "the path loses %.3g %% at any load (%s to %s): a fault, not a limit of "
			 "its speed",
			 50 * (loss_at(w, low) + loss_at(w, high)), from, to);
	return true;
}

bool
fault_watch_add(struct fault_watch *w, const struct trial *t, char *sentence, size_t size)
{
	size_t last, n;

	/* Other trials say nothing about the chain, or nothing about its loss at a load. */
	if (t->verdict == TRIAL_INVALID || t->class == TRIAL_NOISY || t->spec.flat_out ||
	    t->intended == 0)
		return false;
	note(w, t);
	last = (w->n - 1) % FAULT_WATCH_MAX;
	n = n_seen(w);
	for (size_t i = 0; i < n; i++) {
		bool below = w->seen[i].pps < w->seen[last].pps;
		size_t low = below ? i : last, high = below ? last : i;

		if (w->seen[high].pps < SPAN * w->seen[low].pps)
			continue;
		if ((w->seen[low].dead && w->seen[high].dead) || is_share(w, low, high))
			return say(w, low, high, sentence, size);
	}
	return false;
}
