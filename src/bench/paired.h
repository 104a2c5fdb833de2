/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "base/drift.h"
#include "base/err.h"

/* Is B faster than A?  A comparison that stays honest on a machine whose speed swings by half from
 * one second to the next: the arms take turns in short slices, so that what the machine does to one
 * it does to the other.
 *
 *     slice   one arm works for 0.1 to 0.2 s; its value is a rate, say
 *     block   every arm has 'slices_per_arm' slices, in a random and mirrored order (ABaaBA)
 *     round   'blocks_per_round' blocks between two restarts of all arms
 *
 * The arms are A, one or more Bs, and the control, which is A once more: what differs between A and
 * itself is the error of the method, measured in the same minutes.  Memory layout and the like are
 * drawn anew at each restart and differ between two starts of one program, so slices of one round
 * share their fate.  The round is therefore the unit that intervals are made of; no number of
 * slices in one round can tell a faster program from a luckier start.
 *
 * Usage: paired_init; for each round: (re)start all arms, let each run a slice that is not kept;
 * for each block of it: paired_begin, paired_order, then paired_add for each slice in that order;
 * at any time paired_judge, and then paired.result[]. */

#define PAIRED_MAX_B 6
#define PAIRED_MAX_ARMS (PAIRED_MAX_B + 2)
#define PAIRED_MAX_SLICES 16 /* per arm in one block */

/* Arms by number: 0 is A, 1 to n_b are the Bs, n_b + 1 is the control if there is one. */
#define PAIRED_A 0

/* What is done in which order; paired_plan_fit knows what is good. */
struct paired_plan {
	uint64_t seed;	   /* of the orders, and of nothing else; below 2^63, for JSON */
	uint64_t slice_ns; /* length of a slice */
	unsigned n_b;	   /* 1 to PAIRED_MAX_B */
	bool has_control;  /* without it nothing says when a session is too noisy */
	unsigned slices_per_arm;
	unsigned blocks_per_round;
	unsigned n_rounds;
};

/* How the values are judged. */
struct paired_conf {
	bool higher_is_better;
	double level;	       /* of the intervals to be shown: 0.95 */
	double verdict_level;  /* of those that decide: 0.995, so that A against A is called better
				* or worse in less than 1 of 100 sessions, also where the noise
				* is not what the intervals take it for */
	double equal_within;   /* "equal" is a ratio between 1 - this and 1 + this: 0.03 */
	double control_within; /* half-width of the control's interval, at 'level', from which on
				* the session is too noisy: 0.02 */
};

enum paired_verdict {
	PAIRED_UNDECIDED,
	PAIRED_BETTER, /* the whole interval is on the better side of 1 */
	PAIRED_WORSE,
	PAIRED_EQUAL, /* the whole interval is within 1 +- equal_within, and 1 is in it */
};

/* How one arm compares to A. */
struct paired_estimate {
	double ratio;	     /* of its values to A's; NaN when unknown, as are the others */
	double low, high;    /* interval at conf.level */
	double verdict_low;  /* interval at conf.verdict_level, wider where several Bs are */
	double verdict_high; /* compared (Holm): what the verdict goes by */
	double p;	     /* two-sided, of a true ratio of 1; Holm's adjustment included */
	size_t n_blocks;     /* valid ones */
	size_t n_rounds;     /* rounds with valid blocks */
	enum paired_verdict verdict;
	char reason[192]; /* of the verdict: one sentence */
};

/* One slice as measured. */
struct paired_slice {
	unsigned arm;
	double value;	 /* NaN: invalid */
	char reason[64]; /* why it is invalid; "" when it is not */
};

struct paired_block {
	unsigned round;
	size_t n_slices;
	struct paired_slice slice[PAIRED_MAX_ARMS * PAIRED_MAX_SLICES]; /* in the order measured */

	/* Filled in by paired_judge. */
	bool valid;	 /* each arm has at least half of its slices valid, and one at least */
	char reason[96]; /* why it is not */
	double ratio[PAIRED_MAX_ARMS]; /* of each arm to A; NaN when the block is not valid */
};

/* What a round comes to, its places taken out. */
struct paired_round {
	unsigned round;
	size_t n_valid;		       /* blocks */
	double ratio[PAIRED_MAX_ARMS]; /* of each arm to A (and the control, for Bs); NaN when the
					* round has too few valid blocks to count */
};

/* A claim about the comparison that the user asked to be checked ("ratio >= 0.97"). */
struct paired_assert {
	char text[96];
	int holds; /* 1 it does, 0 it does not, -1 nobody can tell */
	char sentence[192];
};

#define PAIRED_MAX_ASSERTS 8

/* What is compared, in words; the owner of struct paired fills it in, for JSON. */
struct paired_label {
	char label[64];
	char command[512];
	double instructions; /* per frame, say, counted beside the clock; NaN: unknown */
};

struct paired {
	struct paired_plan plan;
	struct paired_conf conf;
	char metric[32]; /* "rate" */
	char unit[16];	 /* "pps" */
	struct paired_label arm[PAIRED_MAX_ARMS];
	size_t n_asserts;
	struct paired_assert asserts[PAIRED_MAX_ASSERTS];

	size_t n_blocks;
	struct paired_block *block; /* owned */

	/* Filled in by paired_judge. */
	struct paired_estimate result[PAIRED_MAX_ARMS]; /* result[PAIRED_A] is not used */
	bool too_noisy;					/* the control left a B undecided */
	size_t n_rounds;
	struct paired_round *round; /* owned: what the intervals are made of */
	unsigned n_places;
	double place[PAIRED_MAX_ARMS]; /* of being started first, second ...: logarithm of what it
					* did to the values, taken out; their mean is 0 */
	struct drift level_drift; /* of A's value over the rounds, as a ratio to its median: the
				   * machine changed, which the turns cancel */
	struct drift ratio_drift; /* of the first B's ratio over the rounds: the answer changed */
};

/* The settings as their comments above say; higher is better. */
void paired_conf_init(struct paired_conf *conf);

/* The plan for comparing 'n_b' Bs and the control with A in 'wall_ns' all in all, when one restart
 * of all arms with their warm-up slices takes 'restart_ns': slice_ns is 100 ms, or the given one
 * when it is not 0.  -EINVAL and a sentence when the time is too short for 6 rounds. */
int paired_plan_fit(struct paired_plan *plan, unsigned n_b, uint64_t wall_ns, uint64_t restart_ns,
		    struct err *err);
/* Time of all slices of the plan, without the restarts. */
uint64_t paired_plan_ns(const struct paired_plan *plan);
unsigned paired_n_arms(const struct paired_plan *plan);
/* 'A', 'B' ... 'G', and 'a' for the control. */
char paired_letter(const struct paired_plan *plan, unsigned arm);

/* Which arm works in each of the n_arms * slices_per_arm slices of block number 'block' (counted
 * over the whole session).  Consecutive slices form runs in which each arm appears once, in random
 * order; every second run mirrors the one before, so that a steady drift within the pair favours
 * nobody.  The same arguments give the same order, on any machine. */
void paired_order(uint64_t seed, unsigned block, unsigned n_arms, unsigned slices_per_arm,
		  unsigned *order);

/* When 'arm' is (re)started in 'round': 0 is first.  Each arm has each place in turn (a cyclic
 * Latin square), because the place matters: who starts first gets the scattered pages that the arms
 * of the round before left, who starts last gets what is whole, and was found 10 % faster for it,
 * round by round.  The judgement takes the mean effect of each place out. */
unsigned paired_place(const struct paired_plan *plan, unsigned round, unsigned arm);

/* Takes 'plan' and 'conf' as they are; the rest is empty.  -EINVAL when they make no sense.
 * paired_fini releases and empties, also what is zeroed. */
int paired_init(struct paired *p, const struct paired_plan *plan, const struct paired_conf *conf,
		struct err *err);
void paired_fini(struct paired *p);

/* Begins the next block, of round 'round' (from 0, never falling). */
void paired_begin(struct paired *p, unsigned round);
/* The next slice of that block.  'value' NaN, 0 or less = invalid, and 'reason' says why (NULL
 * otherwise).  Whether a slice is valid must never depend on how fast it was. */
void paired_add(struct paired *p, unsigned arm, double value, const char *reason);

/* Takes back all slices of a round: what they counted turned out to be wrong. */
void paired_void_round(struct paired *p, unsigned round, const char *reason);

/* Judges all that was added, from the start: may be called again after more was added, though
 * looking often and stopping at the first verdict one likes raises the rate of false alarms. */
void paired_judge(struct paired *p);

const char *paired_verdict_name(enum paired_verdict v); /* "undecided", "better" ... */

/* The "comparison" of result.json, of B number 'b' (1 to n_b) with A: {metric, unit, better, a, b,
 * level, verdict_level, n_blocks, n_valid, n_rounds, ratio, ratio_low, ratio_high, verdict_low,
 * verdict_high, p, verdict, reason, too_noisy, equal_within, control_within, control, drift, place,
 * plan, rounds, blocks, instructions, asserts}; unknown is null.  The order of a block leaves out
 * other Bs.
 */
json_t *paired_to_json(const struct paired *p, unsigned b);
/* Reads it back as a comparison of one B with A, its judgement as it was written: it stays right
 * also where other Bs had a part in it.  paired_fini takes what it made, also when it failed. */
int paired_from_json(struct paired *p, const json_t *json, struct err *err);
