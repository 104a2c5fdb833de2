/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "measurer.h"

/* A simulated chain behind 'struct measurer', for tests.
 *
 * Frames are a fluid.  In each slot of time the chain carries what a normal variable says, and the
 * load above that is lost.  Beside that the chain stalls: at random (Poisson), for a random time
 * (exponential); a ring holds 'ring_frames' of what comes in meanwhile, the rest is lost.  What is
 * drawn are slots and stalls, not frames, so a trial of a minute costs microseconds.  What comes
 * out is counted in whole frames, rounded up: the least loss is a lost frame.
 *
 * bench/sim_law.h has the probabilities of all this in closed form. */

struct sim_model {
	double capacity_pps;	  /* mean */
	double capacity_sd_ratio; /* standard deviation of a slot, as share of the mean */
	double slot_s;		  /* capacity is drawn anew so often */
	double stalls_per_s;
	double stall_s; /* mean length */
	double ring_frames;
	double loss_ratio;    /* lost at any load */
	double drift_per_s;   /* share of the capacity gained in each second of trials */
	double invalid_ratio; /* share of trials in which the generator is late */
	double invalid_above; /* from this load on it always is; 0 for no such load */
};

/* The three systems on which published procedures are compared: a quiet machine of its own, a
 * virtual machine with noisy neighbours, and one with few. */
struct sim_model sim_bare_metal(void);
struct sim_model sim_noisy_vm(void);
struct sim_model sim_mild_vm(void);
/* Carries 'capacity_pps' and not a frame more, always. */
struct sim_model sim_steady(double capacity_pps);
/* Some system, always the same of the same seed: 50 kpps to 10 Mpps, noise of 0.1 to 1 %, and
 * stalls of 20 us to 5 ms up to once a second. */
struct sim_model sim_random(uint64_t seed);

struct sim {
	struct sim_model model;
	uint64_t random; /* state */
	size_t n_trials;
	double time_s;	   /* of all trials so far */
	size_t stop_after; /* the user stops everything after so many trials; 0 for never */
	size_t n_judged;
	size_t n_failed; /* by that judgement */
	/* If not NULL, the first 'max_seen' valid trials go there. */
	struct sim_seen *seen;
	size_t max_seen;
	size_t n_seen;
};

struct sim_seen {
	double pps;
	double duration_s;
	bool lossy;
};

void sim_init(struct sim *sim, const struct sim_model *model, uint64_t seed);
/* Valid as long as 'sim' is. */
struct measurer sim_measurer(struct sim *sim);

/* For measurers of other kinds: a trial in which 'late' frames were not sent in time, and 'lost' of
 * the others vanished on the only link. */
void sim_fill(struct trial *t, uint64_t intended, uint64_t late, uint64_t lost);

/* Random numbers of a simulation: from 0 up to, but not, 1, and the next whole one. */
double sim_unit(uint64_t *random);
uint64_t sim_next(uint64_t *random);
