/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "base/err.h"

/* Where every frame of a trial went, over the whole chain.
 *
 *     sent + created = received + drops + miss + in_flight + lost
 *
 * 'sent' and 'received' are the generator's, both ports together, frames of the run only.  'lost'
 * is summed over the links and both directions from the counters at their ends, tx - rx - miss; it
 * is unknown as soon as one hop is.  A foreign hop tells only rx and tx: what it swallows is
 * 'inside' and part of 'drops', what it sends beyond what it received is part of 'created'.  It may
 * tell reasons of some of its drops; they explain a part of 'inside' and are not counted again.
 *
 * With these definitions the equation holds exactly when each exact hop balances by itself, so
 * 'residual' finds bugs in forwarders, and nothing else.  Whether the frames are really where the
 * counters say is checked against the receiver, which counts the sequence numbers never seen:
 *
 *     never_seen - unidentified = drops + miss + in_flight + lost - created + duplicates
 *
 * Each received frame is the first with its sequence, or another one (a duplicate), or cannot be
 * identified; each sequence sent was seen or not.  The law therefore holds whatever was duplicated,
 * dropped or damaged, a dropped duplicate too: it is +1 in drops and +1 in created.  What it cannot
 * tell then is which frame is meant: with a duplicate dropped, a loss ratio by this equation counts
 * a loss that no sequence shows; a copy damaged beyond recognition makes never_seen - unidentified
 * too small by one.  So figures per sequence are exact as long as nothing was created, and only the
 * sums are otherwise.
 *
 * Frames that are not of the run (a neighbour's ARP, say) count as -1 on the link where they come
 * in, and as +1 where they are dropped or reach the generator, which does not count them: they
 * cancel in the sums.
 *
 * Counters are differences over one trial, taken after the drain.  Port 0 of a hop faces the
 * generator's port 0, port 1 the generator's port 1. */

#define LEDGER_MAX_HOPS 16
#define LEDGER_MAX_REASONS 24

struct ledger_port {
	uint64_t rx;   /* frames the program received from the device */
	uint64_t tx;   /* frames the device took */
	uint64_t miss; /* frames the device had no descriptor for; they are not in rx */
};

struct ledger_reason {
	char name[32];
	uint64_t n;
};

struct ledger_hop {
	char name[32];
	bool known; /* counters of its ports could be read; if not, none is used */
	bool exact; /* drops by reason, created and in_flight are its own counts; a
		     * foreign hop has none, or the reasons of some drops; what it
		     * swallows is "inside" */
	struct ledger_port port[2];
	uint64_t created;   /* frames it made (duplicates on purpose) */
	uint64_t in_flight; /* counted inside it, after the drain */
	size_t n_drops;
	struct ledger_reason drop[LEDGER_MAX_REASONS];
};

/* What happened on the wire between two neighbours; known when both ends are.  Negative when more
 * came out than was put in. */
struct ledger_link {
	bool known;
	int64_t lost_forward; /* towards the generator's port 1: tx - rx - miss */
	int64_t lost_backward;
};

struct ledger {
	/* Filled in by the measurer. */
	struct ledger_port gen[2]; /* the generator's two ports, frames of the run only */
	bool seq_unknown;      /* the streams carry no signature: no never_seen, no unidentified,
				* no duplicates; nothing is compared with them */
	uint64_t never_seen;   /* sequence numbers sent and never received intact */
	uint64_t unidentified; /* corrupt or truncated frames whose sequence cannot be told: they
				* are in gen[].rx, and what they were is among never_seen */
	size_t n_hops;
	struct ledger_hop hop[LEDGER_MAX_HOPS];

	/* Derived by ledger_close. */
	struct ledger_link
		link[LEDGER_MAX_HOPS + 1]; /* link i is before hop i; the last after all */
	uint64_t sent, created, received, drops, miss, in_flight;
	bool lost_known;
	int64_t lost;	      /* sum over the links; over those that are known, if not all are */
	int64_t inside;	      /* foreign hops' rx - tx; positive ones are part of 'drops',
			       * negative ones of 'created' */
	int64_t unexplained;  /* 0 when lost_known, else what the equation lacks: frames that
			       * vanished in or beside hops that are not known */
	int64_t residual;     /* left side - right side of the equation, without 'unexplained';
			       * 0 in a good ledger */
	int64_t disagreement; /* left side - right side of the receiver's law, with 'unexplained'
			       * on the right; 0 in a good ledger and when seq_unknown */
	bool balanced;	      /* both are 0, every exact hop balances by itself, and nothing is
			       * unexplained */
};

/* Fills in the derived part.  'duplicates' are the frames that the receiver identified and that
 * were not the first with their sequence, whatever else was wrong with them, and those too old to
 * tell: the sum of 'duplicate' and 'stale' of its sequence trackers. */
void ledger_close(struct ledger *l, uint64_t duplicates);

/* Counters contradict each other, so that nothing built on them holds.  False for a ledger that
 * only knows too little to balance. */
bool ledger_contradicts(const struct ledger *l);

/* rx + created - tx - drops - in_flight of one hop: 0 for an exact hop that accounts for all. */
int64_t ledger_hop_residual(const struct ledger_hop *hop);
uint64_t ledger_hop_drops(const struct ledger_hop *hop);
/* rx - tx of a foreign hop without the drops that it gives a reason for. */
int64_t ledger_hop_unnamed(const struct ledger_hop *hop);
/* Adds 'n' to the reason 'name', making it if it is new; when there is no room for one more, to
 * the last, which is "other" from then on. */
void ledger_drop(struct ledger_hop *hop, const char *name, uint64_t n);

/* One sentence for what is wrong or where frames went: "vnf1 dropped 12 (tx_full); link 2 lost 3".
 * "every frame accounted for, none lost" when there is nothing to say.  Into 'buf', returned. */
char *ledger_explain(char *buf, size_t size, const struct ledger *l);

/* Unknown is null.  ledger_from_json reads the derived part too, it does not compute it anew. */
json_t *ledger_to_json(const struct ledger *l);
int ledger_from_json(struct ledger *l, const json_t *json, struct err *err);
