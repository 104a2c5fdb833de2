/* SPDX-License-Identifier: MIT */
#pragma once

#include "backend.h"
#include "bench/hop_work.h"
#include "bench/noise.h"

/* Reads what may have disturbed a trial: the gaps that the chain's lcores noted, and what the
 * kernel knows of its threads and CPUs.
 *
 *     sensors_begin   just before the trial
 *     sensors_end     just after its last frame was sent: the kernel's figures
 *     sensors_finish  after the drain, when every lcore has come to rest once, so that one that was
 *                     stopped has noted that it was
 */

struct sensors;

struct sensors *sensors_new(struct backend *b);
void sensors_free(struct sensors *s);

/* What cannot be read stays unknown, for a trial is worth having without it; only a program of ours
 * that does not answer is an error. */
int sensors_begin(struct sensors *s, struct err *err);
void sensors_end(struct sensors *s);
int sensors_finish(struct sensors *s, struct trial_noise *noise, struct err *err);

/* What hop 'hop' did between both; not known of one that is not ours. */
void sensors_work(const struct sensors *s, size_t hop, struct hop_work *work);

/* Name of a hop of which another process answered at the end of the trial than at its start, or
 * NULL. */
const char *sensors_restarted(const struct sensors *s);

/* Frames that the shortest ring of the chain takes. */
uint64_t sensors_ring_slots(const struct chain *chain);
