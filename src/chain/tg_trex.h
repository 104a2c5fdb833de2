/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

#include "bench/trial.h"
#include "stl.h"
#include "tg.h"

/* What a real TRex tells of a trial, and how it is asked.  Frames carry no signature of ours; each
 * stream has flow statistics instead, by which frames of the run are known from others where they
 * arrive.
 *
 * - Sent is what the device took.  Slots that were due and found no room on the link are dropped
 *   and counted by TRex ("queue_drop"): they are what is called refused here.
 * - What it did not come to send it does not tell.  That is our arithmetic, from what was asked,
 *   and called late; see late_unknown in bench/trial.h.
 * - Order, duplicates, damage and delay stay unknown. */

struct tg_trex;

/* 'stl' stays the caller's. */
struct tg_trex *tg_trex_new(struct stl *stl);
void tg_trex_free(struct tg_trex *trex);

/* Makes a stream of ours, part 'part' of the mix, one of a TRex: flow statistics, and flows by its
 * field engine. */
int tg_trex_stream(json_t *stream, const struct tg_traffic *traffic, size_t part, struct err *err);

/* What 'frame' needs for that: call it before the stream is made. */
void tg_trex_frame(uint8_t *frame, const struct tg_traffic *traffic);

/* Flat out it is asked for more than any link carries, without end: it works off each slot,
 * however late, so that an end of its own would come when that is done. */
int tg_trex_start(struct tg_trex *trex, double pps, double duration_s, bool flat_out,
		  struct err *err);
/* Ends such a run when its time is over. */
int tg_trex_end(struct tg_trex *trex, struct err *err);
/* Ends whatever has not been seen to end: a TRex goes on sending for nobody. */
void tg_trex_quit(struct tg_trex *trex);
/* Somebody has asked whether port 0 sends: how long a run takes is known as well as that. */
void tg_trex_polled(struct tg_trex *trex, bool sends);

/* See tg.h. */
int tg_trex_begin(struct tg_trex *trex, struct err *err);
int tg_trex_finish(struct tg_trex *trex, const struct trial_spec *spec, struct trial *t,
		   struct err *err);
