/* SPDX-License-Identifier: MIT */
#pragma once

#include <math.h>

#include "base/random.h"
#include "paired.h"

/* For unit tests: a simulated machine and whole sessions on it. */

struct session_noise {
	double stdev;	  /* of a slice, as a logarithm */
	double memory;	  /* how much of it the next slice inherits (AR(1)) */
	double gap_share; /* of slices hit by a gap */
	double gap_cost;  /* that takes up to this of the slice */
	double start;	  /* standard deviation of what a restart does to an arm */
	double place;	  /* by how much each later start in a round is faster */
	double bad_start; /* share of restarts that cost an arm 30 % */
	double two_modes; /* chance per slice that the machine picks anew between full and half
			   * speed */
};

/* A virtual machine on a shared host.  The memory is that of a machine whose speed stays what it is
 * for about half a second, at slices of 0.1 s: exp(-0.1 / 0.45). */
static const struct session_noise session_vm = {
	.stdev = 0.15,
	.memory = 0.8,
	.gap_share = 0.2,
	.gap_cost = 0.6,
	.start = 0.005,
	.place = 0.05,
};

struct session_machine {
	const struct session_noise *noise;
	struct random random;
	double speed; /* logarithm */
	bool slow;
};

static inline void
session_machine_init(struct session_machine *m, const struct session_noise *noise, uint64_t seed)
{
	*m = (struct session_machine){.noise = noise};
	random_init(&m->random, seed, 0);
}

/* The next slice of an arm whose own speed is 'arm', as a logarithm. */
static inline double
session_slice(struct session_machine *m, double arm)
{
	const struct session_noise *n = m->noise;
	double x;

	m->speed = n->memory * m->speed +
		   sqrt(1 - n->memory * n->memory) * n->stdev * random_normal(&m->random);
	if (random_unit(&m->random) < n->two_modes)
		m->slow = random_below(&m->random, 2);
	x = arm + m->speed - (m->slow ? log(2) : 0);
	if (random_unit(&m->random) < n->gap_share)
		x += log(1 - n->gap_cost * random_unit(&m->random));
	return 1e6 * exp(x);
}

static inline void
session_round(struct paired *p, struct session_machine *m, unsigned round, const double *ratio)
{
	unsigned order[PAIRED_MAX_ARMS * PAIRED_MAX_SLICES], n_arms = paired_n_arms(&p->plan);
	double arm[PAIRED_MAX_ARMS];

	for (unsigned i = 0; i < n_arms; i++) {
		arm[i] = log(ratio[i]) + m->noise->start * random_normal(&m->random) +
			 m->noise->place * paired_place(&p->plan, round, i);
		if (random_unit(&m->random) < m->noise->bad_start)
			arm[i] += log(0.7);
	}
	for (unsigned b = 0; b < p->plan.blocks_per_round; b++) {
		paired_begin(p, round);
		paired_order(p->plan.seed, round * p->plan.blocks_per_round + b, n_arms,
			     p->plan.slices_per_arm, order);
		for (unsigned i = 0; i < n_arms * p->plan.slices_per_arm; i++)
			paired_add(p, order[i], session_slice(m, arm[order[i]]), NULL);
	}
}

/* A whole session by p's plan, judged; 'ratio' of each arm to A. */
static inline void
session_run(struct paired *p, struct session_machine *m, const double *ratio)
{
	for (unsigned round = 0; round < p->plan.n_rounds; round++)
		session_round(p, m, round, ratio);
	paired_judge(p);
}
