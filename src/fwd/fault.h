/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

#include <rte_mbuf.h>

/* Faults on purpose: the stage between the functions and the transmission that proves the
 * accounting of everybody else.  Off, it costs one load and a branch per burst.  Orders come from
 * the control thread while 'armed' is 0 and belong to the lcore from then on until it is 0 again.
 */

enum fault_kind {
	FAULT_NONE,
	FAULT_DROP,	 /* freed and counted under "fault" */
	FAULT_LOSE,	 /* freed and not counted: a bug in a function, to be found */
	FAULT_DUPLICATE, /* sent twice, counted as created */
	FAULT_REORDER,	 /* sent after 'distance' later frames of its port */
	FAULT_CORRUPT,	 /* a bit of the payload flipped */
	FAULT_TRUNCATE,	 /* four bytes short */
	FAULT_WRONG_MAC, /* sent to an address of nobody */
	FAULT_SLOW,	 /* sent 'cycles' later */
};

#define FAULT_ROOM 32	 /* frames a fault may add to a burst */
#define FAULT_MAX_HELD 1 /* frames a reorder keeps back */

struct fault {
	_Atomic int armed;
	enum fault_kind kind;
	_Atomic uint32_t left; /* frames still to treat; others look at it */
	uint32_t skip;	       /* frames to let pass first */
	uint32_t spacing;      /* frames between two treated ones, at least 1 */
	uint32_t distance;     /* for FAULT_REORDER */
	uint32_t share_ppm;    /* of frames to treat, spread evenly; 0: by 'spacing' */
	uint32_t share_sum;    /* towards the next one */
	uint32_t cycles;       /* for FAULT_SLOW, a frame */
	uint64_t until_tsc;    /* it ends then; 0: by its number alone */
	uint32_t wait;	       /* frames until the next treated one */
	struct rte_mbuf *kept; /* by FAULT_REORDER */
	uint8_t kept_verdict;
	uint32_t kept_left; /* frames of its port that still go first */
	_Atomic uint64_t done;
};

int fault_kind_parse(const char *word, enum fault_kind *kind);
const char *fault_kind_name(enum fault_kind kind);

struct fwd_lcore;
/* Treats the 'n' frames of a burst in place; there is room for FAULT_ROOM more.  Verdicts move with
 * their frames.  Returns the new number of frames. */
uint16_t fault_apply(struct fwd_lcore *w, struct rte_mbuf **frames, uint8_t *verdict, uint16_t n);
/* Gives back a frame that was kept and its verdict, or NULL; called when the lcore comes to rest.
 */
struct rte_mbuf *fault_flush(struct fwd_lcore *w, uint8_t *verdict);
