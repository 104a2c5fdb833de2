/* SPDX-License-Identifier: MIT */
#pragma once

#include "backend.h"

/* What one hop can forward when frames never run out, whoever feeds it: its capacity, in frames for
 * each second of CPU time that it gets.
 *
 * A program that polls is busy whether or not frames come, and one hop is often faster than any
 * generator on the same machine, so neither its CPU time nor the rate of the chain says what a
 * frame costs it.  Therefore it gets the CPU in turns.  It is stopped, and the generator, which
 * sends all that the link takes, fills the ring before it.  Then it runs for a moment and is
 * stopped again: when it has forwarded fewer frames than lay in the ring at the start, it never
 * looked into an empty ring, and all its CPU time of that turn was spent on these frames.  A turn
 * that took more is not counted.  What the hypervisor or other processes take away is no CPU time
 * of the hop.
 *
 * The cost includes going to sleep and waking up, a few microseconds in each turn.  It works with
 * any program, on any number of CPUs, and takes a chain of one hop.  The exception are threads that
 * share a CPU and poll: they wait for each other longer than a turn lasts, so in many turns nothing
 * is forwarded, and the others show what one of these threads costs. */

#define TURNS_MAX 256

struct turns_counts {
	uint64_t sent, received;
};

struct turns {
	/* Found out on the way, and kept for the next trial. */
	uint64_t on_ns; /* length of a turn that empties half the ring; 0: not known yet */
	uint64_t room;	/* frames that fit in before the hop; 0: not known yet */

	/* Of the trial. */
	uint64_t base;		    /* sent before it and never received */
	bool is_full;		    /* the ring before the hop has been filled */
	struct turns_counts counts; /* when it last was */

	/* Of the last run. */
	uint64_t frames;	   /* forwarded in turns that count */
	uint64_t cpu_ns;	   /* CPU time of the hop in them */
	unsigned n;		   /* turns that count */
	unsigned n_dry;		   /* turns in which frames may have run out */
	uint64_t idle_ns;	   /* CPU time of turns in which none came through */
	double cost_ns[TURNS_MAX]; /* of a frame, in each that counts */
};

/* Fewer turns than this say little. */
#define TURNS_MIN 2

/* Stops the hop, before the generator starts to send. */
int turns_begin(struct turns *t, struct backend *b, struct err *err);
/* Gives it its turns for 'duration_ns', while the generator sends flat out; afterwards both stand
 * still (backend_resume_hop, backend_resume_generator).  -EINTR and -ECHILD as backend_check. */
int turns_run(struct turns *t, struct backend *b, uint64_t duration_ns, struct err *err);

/* Did it have CPU time in which it forwarded nothing, and more than a small part of all? */
bool turns_is_stalled(const struct turns *t);
/* Frames for each second of CPU time in the middle half of the turns: those that the hypervisor or
 * a cold cache made dear, or luck cheap, are left out.  NaN when too few turns count, or stalled.
 */
double turns_rate(const struct turns *t);

/* Waits until the generator, which sends flat out, has filled the ring before a hop that stands
 * still and emptied the one behind it, the first time with more patience; then so many frames were
 * sent, and have come through, since its start. */
int turns_settle(struct backend *b, bool first, uint64_t *sent, uint64_t *received,
		 struct err *err);

/* Does one turn count?  'backlog' frames lay before the hop at its start, 'frames' were forwarded.
 * (For tests.) */
bool turns_is_full(uint64_t backlog, uint64_t frames);
/* How long the next turn should be, when one of 'on_ns' forwarded 'frames' and 'room' fit in.  (For
 * tests.) */
uint64_t turns_next_ns(uint64_t on_ns, uint64_t room, uint64_t frames);
