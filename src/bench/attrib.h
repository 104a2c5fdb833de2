/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/interval.h"
#include "trial.h"

/* What limits a chain, and what it would carry without that.
 *
 * What a frame costs a hop is measured in busy cycles, in pairs of trials at a low and a high load
 * that follow each other: so all hops have the same of whatever the machine does meanwhile.  A
 * round of a hop's loop costs so much for its burst and so much for each of its frames; at a low
 * load bursts are small, at a high one large, and the difference tells the two apart:
 *
 *     busy cycles = burst cycles * bursts + frame cycles * frames
 *
 * 'cycles' is what a frame costs in a full burst, which is how a hop works that is at its limit.
 * 'marginal' is what one frame more costs at these loads: the difference quotient.  Polling that
 * found nothing is in neither.
 *
 * Hops that share CPUs are limited together: by the sum of their cycles on these CPUs.  The group
 * with the most cycles a frame for each CPU limits the chain, and its dearest hop is the
 * bottleneck, if it is dearer than any other by more than ATTRIB_MARGIN, surely; else it is a tie.
 */

#define ATTRIB_MAX_PAIRS 32
#define ATTRIB_LEVEL 0.95
#define ATTRIB_MAX_CPUS 64

/* Hops of the same program, function and link differ by so much: by where their memory lies, and by
 * which of their ports is which end of a link. */
#define ATTRIB_MARGIN 0.03

/* Of the pairs this share is used, those in which the chain's frames were cheapest. */
#define ATTRIB_USED 0.6

/* Frames that wait for room at a port for more than this share of the time push back. */
#define ATTRIB_HELD 0.05

/* Where a hop works, and what it is called. */
struct attrib_place {
	char name[32];
	size_t n_cpus; /* 0: not known */
	int cpu[ATTRIB_MAX_CPUS];
	bool with_generator; /* which takes a part of them, nobody knows how much */
};

/* A hop in a trial. */
struct attrib_point {
	bool known;
	double busy, bursts, frames; /* of a second */
	double burst, tsc_hz;
	double held[2]; /* share of the time that frames waited for room at each port */
};

struct attrib_pair {
	double sent; /* frames of a second that the first link took at the high load */
	struct attrib_point low[LEDGER_MAX_HOPS], high[LEDGER_MAX_HOPS];
};

enum attrib_verdict { ATTRIB_UNKNOWN, ATTRIB_BOTTLENECK, ATTRIB_TIE };

/* NaN is unknown. */
struct attrib_hop {
	bool known;
	double cycles; /* a frame, in full bursts: the median of the pairs */
	struct interval interval;
	double marginal;     /* cycles of one frame more */
	double burst_cycles; /* of a burst */
	double busy;	     /* share of the CPU time at the high load, 0 to 1 */
	double held[2]; /* share of the time that frames waited at each port, at the high load */
	double capacity_pps; /* of its CPUs, for it and who shares them */
	size_t group;	     /* index of the first hop that it shares CPUs with, perhaps itself */
	bool tied;	     /* one of those that a tie is between */
};

struct attrib {
	/* Filled in by the caller. */
	size_t n_hops;
	struct attrib_place place[LEDGER_MAX_HOPS];
	size_t n_pairs;
	struct attrib_pair pair[ATTRIB_MAX_PAIRS];
	double limit_pps; /* what the chain was found to carry; NaN: not known */
	double offer_pps; /* what the generator can send */

	/* Derived. */
	size_t n_used; /* of the pairs, which are now in the order of what frames cost in them */
	struct attrib_hop hop[LEDGER_MAX_HOPS];
	enum attrib_verdict verdict;
	bool by_pressure;  /* named by who holds frames back, for its cycles are unknown */
	size_t bottleneck; /* of a tie: the dearest */
	size_t next;	   /* the dearest of the others, of those it was compared with */
	double ratio;	   /* of the bottleneck's cycles to the next one's; the median */
	struct interval ratio_interval;
	double without_pps; /* predicted rate without the bottleneck */
	struct interval without_interval;

	double refused; /* share of what the generator can send that the first link did not take */
	bool pushed_back; /* frames waited before the chain, or in it */
	size_t pressure;  /* hop at which the waiting ends: 'n_hops' is the generator */
};

/* Nothing is known yet. */
void attrib_init(struct attrib *a);

/* A hop's part in a trial. */
void attrib_point_of(struct attrib_point *p, const struct trial *t, size_t hop);
/* Adds two trials that followed each other; no more than ATTRIB_MAX_PAIRS. */
void attrib_add_pair(struct attrib *a, const struct trial *low, const struct trial *high);

/* Fills in the rest, once all pairs are there. */
void attrib_close(struct attrib *a);

/* "hop", "tie", "unknown" */
const char *attrib_verdict_name(enum attrib_verdict v);

/* {"verdict", "bottleneck", "next", "tied": [..], "by", "ratio", "ratio_low", "ratio_high",
 * "without_pps", "without_low_pps", "without_high_pps", "limit_pps", "n_pairs",
 * "pressure": {"hop", "refused_ratio"}, "hops": [{"name", "cycles", "cycles_low", "cycles_high",
 * "marginal_cycles", "burst_cycles", "busy", "held": [..], "capacity_pps", "shares_with": [..]}]};
 * unknown is null. */
json_t *attrib_to_json(const struct attrib *a);

/* What a trial lost, and where: [{"at", "queue", "cause", "frames"}] along the chain; "at" is
 * "link 0", a hop's name or "generator", "queue" the lcore whose queue it was, null where there is
 * but one or nobody tells. */
json_t *attrib_losses(const struct trial *t);
