/* SPDX-License-Identifier: MIT */
#include "paired.h"

#include <errno.h>
#include <math.h>

#include "base/random.h"

#define NS_PER_S 1e9

/* What found a difference of 3 % most often in simulated sessions of five minutes: slices as short
 * as they can be without the switching between arms becoming part of the result; blocks of a run
 * and its mirror image; and, of rounds, 15 to 18.  With fewer the interval is one of few values,
 * which is wide; with more the restarts take the time. */
static const uint64_t slice_default_ns = 100000000;
static const unsigned slices_default = 2;
static const unsigned rounds_best = 18;

/* With fewer rounds Student's factor of the verdict's interval is above 5. */
static const unsigned rounds_least = 6;

/* Restarts may take this share of the time before rounds are given up for it: with 8 s each, 12
 * rounds in five minutes find more than 16. */
static const double restart_share = 0.3;

unsigned
paired_n_arms(const struct paired_plan *plan)
{
	return 1 + plan->n_b + plan->has_control;
}

char
paired_letter(const struct paired_plan *plan, unsigned arm)
{
	return arm == plan->n_b + 1 ? 'a' : (char)('A' + arm);
}

static uint64_t
block_ns(const struct paired_plan *plan)
{
	return plan->slice_ns * plan->slices_per_arm * paired_n_arms(plan);
}

uint64_t
paired_plan_ns(const struct paired_plan *plan)
{
	return block_ns(plan) * plan->blocks_per_round * plan->n_rounds;
}

unsigned
paired_place(const struct paired_plan *plan, unsigned round, unsigned arm)
{
	unsigned n_arms = paired_n_arms(plan);

	return (arm + n_arms - round % n_arms) % n_arms;
}

/* Rounds come in whole Latin squares, so that each arm has each place equally often. */
static unsigned
fewest_rounds(unsigned n_arms)
{
	return (rounds_least + n_arms - 1) / n_arms * n_arms;
}

static unsigned
rounds_that_fit(uint64_t wall_ns, uint64_t restart_ns, unsigned n_arms)
{
	double most = restart_share * (double)wall_ns / (double)(restart_ns + 1);

	most = fmin(fmax(most, fewest_rounds(n_arms)), rounds_best);
	return (unsigned)most / n_arms * n_arms;
}

int
paired_plan_fit(struct paired_plan *plan, unsigned n_b, uint64_t wall_ns, uint64_t restart_ns,
		struct err *err)
{
	uint64_t round_ns;
	unsigned n_arms, least;

	plan->n_b = n_b;
	plan->has_control = true;
	plan->slices_per_arm = slices_default;
	if (plan->slice_ns == 0)
		plan->slice_ns = slice_default_ns;
	if (n_b < 1 || n_b > PAIRED_MAX_B)
		return err_set(err, EINVAL, "%u programs to compare with the first: 1 to %u", n_b,
			       PAIRED_MAX_B);
	n_arms = paired_n_arms(plan);
	plan->n_rounds = rounds_that_fit(wall_ns, restart_ns, n_arms);
	/* Too short for these? */
	least = fewest_rounds(n_arms);
	while (plan->n_rounds >= least + n_arms &&
	       plan->n_rounds * (restart_ns + block_ns(plan)) > wall_ns)
		plan->n_rounds -= n_arms;
	round_ns = wall_ns / plan->n_rounds;
	if (round_ns < restart_ns + block_ns(plan))
		return err_set(err, EINVAL,
			       "%.3g s are too short: %u rounds of a restart and one block take "
			       "%.3g s",
			       (double)wall_ns / NS_PER_S, least,
			       least * (double)(restart_ns + block_ns(plan)) / NS_PER_S);
	plan->blocks_per_round = (unsigned)((round_ns - restart_ns) / block_ns(plan));
	return 0;
}

static void
reverse(const unsigned *from, unsigned n, unsigned *to)
{
	for (unsigned i = 0; i < n; i++)
		to[i] = from[n - 1 - i];
}

void
paired_order(uint64_t seed, unsigned block, unsigned n_arms, unsigned slices_per_arm,
	     unsigned *order)
{
	struct random r;

	random_init(&r, seed, block);
	for (unsigned run = 0; run < slices_per_arm; run++) {
		unsigned *at = order + (size_t)run * n_arms;

		if (run % 2 == 1) {
			reverse(at - n_arms, n_arms, at);
			continue;
		}
		for (unsigned arm = 0; arm < n_arms; arm++)
			at[arm] = arm;
		random_shuffle(&r, at, n_arms);
	}
}
