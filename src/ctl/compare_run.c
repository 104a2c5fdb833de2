/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/rate.h"
#include "base/units.h"
#include "compare.h"
#include "compare_slice.h"
#include "progress.h"
#include "selftest.h"

#define WARM_NS (200 * NSEC_PER_MS)
/* What the end of a trial costs: the chain must drain, counters are read. */
#define TRIAL_END_NS (160 * NSEC_PER_MS)
#define SLICE_NS (150 * NSEC_PER_MS)
/* In turns: shorter than the moods of a machine, which last for 30 ms or so where memory is shared
 * with strangers, and long enough for turns to be counted. */
#define TURNS_SLICE_NS (6 * NSEC_PER_MS)
#define TELL_NS (500 * NSEC_PER_MS)

/* Without time for a verdict, still something: rounds of a block of two slices for each arm. */
#define SHORT_ROUNDS 6
#define SHORT_SLICES 2

/* ---- one arm ---- */

static struct tg_traffic
traffic_of(const struct chain *chain)
{
	return (struct tg_traffic){
		.frames = &chain->traffic.frames[0],
		.flows = chain->traffic.flows,
		.ipv6 = chain->traffic.ipv6,
		.vlan = chain->traffic.vlan,
	};
}

static int
arm_up(struct compare *c, struct compare_arm *arm, struct err *err)
{
	const struct chain *chain = &arm->side->chain;
	const struct tg_traffic traffic = traffic_of(chain);
	int rc = session_up_arm(&arm->session, chain, arm->letter, false, err);

	arm->turns = (struct turns){0};
	arm->measure = (struct measure){.backend = &arm->session.backend, .warm_ns = WARM_NS};
	if (rc == 0)
		rc = measure_prepare(&arm->measure, &traffic, err);
	if (rc == 0)
		rc = compare_slice_warm_up(c, arm, err);
	return rc == -EINTR ? rc : err_wrap(err, rc, "%s", arm->side->label);
}

/* ---- all arms ---- */

static void
all_down(struct compare *c)
{
	for (unsigned i = 0; i < c->n_arms; i++)
		session_kill(&c->arm[i].session);
}

static struct compare_arm *
arm_at_place(struct compare *c, unsigned round, unsigned place)
{
	const struct paired_plan plan = {.n_b = c->n_sides - 1,
					 .has_control = c->n_arms > c->n_sides};
	unsigned i = 0;

	while (paired_place(&plan, round, i) != place)
		i++;
	return &c->arm[i];
}

static int
all_up(struct compare *c, unsigned round, struct err *err)
{
	uint64_t start = clock_now_ns();
	int rc = 0;

	progress_step("round %u: starting %u chains%s", round + 1, c->n_arms,
		      c->n_arms > c->n_sides ? ", A once more among them" : "");
	for (unsigned k = 0; rc == 0 && k < c->n_arms; k++) {
		struct compare_arm *arm = arm_at_place(c, round, k);

		rc = arm_up(c, arm, err);
		if (rc != -ETIMEDOUT)
			continue;
		/* On a machine that is so busy, once more is no bias: it did not get to measure. */
		LOG(WARN, "%s; once more", err->msg);
		session_kill(&arm->session);
		memset(err, 0, sizeof(*err));
		start = clock_now_ns();
		rc = arm_up(c, arm, err);
	}
	if (rc == 0)
		rc = compare_slice_begin_round(c, err);
	if (round == 0)
		c->restart_ns = clock_now_ns() - start;
	if (round == 0 && c->in_turns)
		c->restart_ns += c->n_arms * TRIAL_END_NS;
	return rc;
}

static uint64_t
slice_cost_ns(const struct compare *c)
{
	return c->in_turns ? c->slice_cost_ns : c->slice_ns + TRIAL_END_NS;
}

/* As many blocks as fit into a round. */
static void
fill_rounds(const struct compare *c, struct paired_plan *plan)
{
	uint64_t block_ns = c->n_arms * plan->slices_per_arm * slice_cost_ns(c);
	uint64_t round_ns = c->conf->time_ns / plan->n_rounds;
	uint64_t left_ns = round_ns > c->restart_ns ? round_ns - c->restart_ns : 0;

	plan->blocks_per_round = left_ns / block_ns > 0 ? (unsigned)(left_ns / block_ns) : 1;
}

static void
plan_short(const struct compare *c, struct paired_plan *plan)
{
	uint64_t least_ns = c->restart_ns + c->n_arms * SHORT_SLICES * slice_cost_ns(c);
	uint64_t n = c->conf->time_ns / least_ns;

	plan->slices_per_arm = SHORT_SLICES;
	plan->n_rounds = n < 1 ? 1 : n > SHORT_ROUNDS ? SHORT_ROUNDS : (unsigned)n;
	fill_rounds(c, plan);
}

/* Knows how long a restart takes, because the first one has just been. */
static int
make_plan(struct compare *c, struct err *err)
{
	struct paired_plan plan = {.slice_ns = slice_cost_ns(c), .n_b = c->n_sides - 1};
	struct paired_conf conf;
	struct err why = {0};

	plan.has_control = !c->conf->no_control;
	if (paired_plan_fit(&plan, c->n_sides - 1, c->conf->time_ns, c->restart_ns, &why) < 0)
		plan_short(c, &plan);
	if (c->conf->rounds > 0) {
		plan.n_rounds = c->conf->rounds;
		fill_rounds(c, &plan);
	}
	plan.seed = c->conf->seed;
	plan.slice_ns = c->slice_ns;
	plan.has_control = !c->conf->no_control;
	paired_conf_init(&conf);
	conf.higher_is_better = c->metric == COMPARE_RATE;
	return paired_init(&c->paired, &plan, &conf, err);
}

/* ---- rounds ---- */

static void
tell(struct compare *c, const struct compare_arm *arm, double value)
{
	const struct paired_plan *plan = &c->paired.plan;
	const struct paired_estimate *e = &c->paired.result[COMPARE_B];
	unsigned total = plan->n_rounds * plan->blocks_per_round * c->n_arms * plan->slices_per_arm;
	unsigned per_round = total / plan->n_rounds;
	uint64_t took_ns = clock_now_ns() - c->began_ns;
	char text[32] = "invalid", ratio[96] = "";
	double eta_s;

	c->n_slices++;
	if (clock_now_ns() - c->told_ns < TELL_NS && c->n_slices < total)
		return;
	c->told_ns = clock_now_ns();
	/* Restarts are a part of each round, and the first has been. */
	eta_s = (double)took_ns / 1e9 *
		((double)total / (double)(c->n_slices + (c->n_slices < per_round) * per_round / 2) -
		 1);
	if (!isnan(value) && c->metric == COMPARE_RATE)
		rate_print_pps(text, sizeof(text), value);
	else if (!isnan(value))
		duration_print(text, sizeof(text), (uint64_t)value);
	if (e->n_rounds > 1 && !isnan(e->low))
		snprintf(ratio, sizeof(ratio), "  B/A %.4f (%.4f to %.4f)", e->ratio, e->low,
			 e->high);
	progress_step("slice %u/%u  %c  %s%s  eta %.0f s", c->n_slices, total,
		      arm->side == &c->side[0] ? 'A' : arm->letter - 'a' + 'A', text, ratio,
		      fmax(0, ceil(eta_s)));
}

static int
run_block(struct compare *c, unsigned round, unsigned number, struct err *err)
{
	const struct paired_plan *plan = &c->paired.plan;
	unsigned order[COMPARE_MAX_ARMS * PAIRED_MAX_SLICES];
	int rc = 0;

	paired_begin(&c->paired, round);
	paired_order(plan->seed, number, c->n_arms, plan->slices_per_arm, order);
	for (unsigned i = 0; rc == 0 && i < c->n_arms * plan->slices_per_arm; i++) {
		struct compare_arm *arm = &c->arm[order[i]];
		double value;

		rc = compare_slice_run(c, arm, round, &value, err);
		if (rc == 0)
			tell(c, arm, value);
	}
	return rc;
}

static int
run_rounds(struct compare *c, struct err *err)
{
	int rc = all_up(c, 0, err);

	if (rc == 0)
		rc = make_plan(c, err);
	for (unsigned round = 0; rc == 0; round++) {
		const struct paired_plan *plan = &c->paired.plan;

		for (unsigned k = 0; rc == 0 && k < plan->blocks_per_round; k++)
			rc = run_block(c, round, round * plan->blocks_per_round + k, err);
		if (rc == 0)
			rc = compare_slice_end_round(c, round, err);
		all_down(c);
		paired_judge(&c->paired);
		if (rc < 0 || round + 1 == plan->n_rounds)
			break;
		rc = all_up(c, round + 1, err);
	}
	all_down(c);
	return rc;
}

/* Where the rate of a whole chain is compared, the generator may be the limit of both. */
static int
test_generator(struct compare *c, struct err *err)
{
	struct selftest *test = xcalloc(1, sizeof(*test));
	int rc;

	progress_step("self-test of the generator");
	rc = selftest_run(&c->side[0].chain, test, err);
	c->generator_pps = rc == 0 ? test->max_pps : NAN;
	free(test);
	return rc;
}

int
compare_run(struct compare *c, struct err *err)
{
	int rc = 0;

	c->n_arms = c->n_sides + !c->conf->no_control;
	c->slices = json_array();
	c->trials = json_array();
	c->generator_pps = NAN;
	c->in_turns = c->metric == COMPARE_RATE && !c->conf->flat_out;
	for (unsigned i = 0; i < c->n_sides; i++)
		c->in_turns &= c->side[i].chain.n_hops == 1 && !chain_has_vms(&c->side[i].chain) &&
			       !chain_hop_is_kernels(&c->side[i].chain, 0);
	c->slice_ns = c->conf->slice_ns;
	if (c->slice_ns == 0)
		c->slice_ns = c->in_turns ? TURNS_SLICE_NS : SLICE_NS;
	for (unsigned i = 0; i < c->n_arms; i++) {
		c->arm[i].letter = (char)('a' + i);
		c->arm[i].side = &c->side[i < c->n_sides ? i : PAIRED_A];
	}
	c->began_ns = clock_now_ns();
	if (c->metric == COMPARE_RATE && !c->in_turns)
		rc = test_generator(c, err);
	if (rc == 0)
		rc = run_rounds(c, err);
	if (rc == 0 && c->conf->instructions && c->n_sides == 2)
		rc = compare_instructions(c, err);
	return rc;
}
