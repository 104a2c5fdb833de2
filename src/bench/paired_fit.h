/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>

/* What each arm of a paired comparison did in each round, freed of what the machine did: the
 * logarithm of a slice's value is taken as
 *
 *     effect of its arm in its round + speed of the machine around it + noise
 *
 * and fitted robustly.  The machine's speed at a slice is told from the two slices before and the
 * two behind it, whatever their arms, as far as neighbours resemble each other at all, which the
 * slices say themselves; slices that fall far out of the noise (a gap hit them) weigh little or
 * nothing (Tukey's biweight).  Nothing in it knows which arm is which, so it cannot favour one. */

struct paired_point {
	unsigned round; /* ascending from 0 */
	unsigned block; /* ascending from 0, each within one round */
	unsigned arm;
	double y; /* logarithm of the value; NaN: invalid, keeps its place in time */

	/* Filled in by paired_fit_run. */
	double machine; /* speed of the machine, as a logarithm */
	double weight;	/* 1 = like most, 0 = far out, or invalid */
};

struct paired_fit {
	size_t n_points;
	struct paired_point *point; /* the caller's, in the order measured */
	unsigned n_arms;
	unsigned n_rounds;
	double *effect; /* [round * n_arms + arm]; NaN: no valid point.  Owned. */
};

/* 'point' must outlive 'fit'. */
void paired_fit_init(struct paired_fit *fit, struct paired_point *point, size_t n_points,
		     unsigned n_arms, unsigned n_rounds);
void paired_fit_run(struct paired_fit *fit);
void paired_fit_fini(struct paired_fit *fit);
