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
#include "progress.h"
#include "selftest.h"

#define WARM_NS (200 * NSEC_PER_MS)
#define WARM_UP_TRIALS 2
/* Beside its traffic a slice costs this much: the chain must drain, counters are read. */
#define SLICE_EXTRA_NS (160 * NSEC_PER_MS)
#define LATENCY_PPS 100e3
#define FLAT_OUT_PPS 1e6 /* not looked at */

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

static struct trial_spec
spec_of(const struct compare *c)
{
	const struct chain *chain = &c->side[0].chain;
	struct trial_spec spec = {.rate_pps = FLAT_OUT_PPS, .duration_ns = c->conf->slice_ns};

	spec.flat_out = c->metric == COMPARE_RATE;
	if (!spec.flat_out)
		spec.rate_pps = c->conf->has_rate
					? rate_pps(&c->conf->rate,
						   imix_mean_size(&chain->traffic.frames[0]), 0)
					: LATENCY_PPS;
	return spec;
}

/* The value of a slice, NaN and a reason when it has none.  Which slices are valid must not depend
 * on how fast they were. */
static double
value_of(const struct compare *c, const struct compare_arm *arm, const struct trial *t,
	 const char **reason)
{
	*reason = t->reason;
	if (t->interrupted || t->fault[0] != '\0' || ledger_contradicts(&t->ledger) || t->ok == 0)
		return NAN;
	*reason = "too few turns with frames enough and CPU time of its own";
	if (c->in_turns)
		return turns_rate(&arm->turns);
	*reason = t->reason;
	if (c->metric == COMPARE_RATE)
		return t->elapsed_s > 0 ? (double)t->ok / t->elapsed_s : NAN;
	if (t->verdict == TRIAL_INVALID)
		return NAN;
	return (double)hist_quantile(&t->latency, c->metric == COMPARE_P50 ? 0.5 : 0.99);
}

static void
note_slice(struct compare *c, const struct compare_arm *arm, const struct trial *t, unsigned round,
	   double value)
{
	char text[256];
	bool contradicts = ledger_contradicts(&t->ledger);
	json_t *s = json_object();

	json_object_set_new(s, "arm", json_stringn(&arm->letter, 1));
	json_object_set_new(s, "round", json_integer(round));
	json_object_set_new(s, "value", json_number(value));
	json_object_set_new(s, "sent", json_u64(t->sent));
	json_object_set_new(s, "ok", json_u64(t->ok));
	json_object_set_new(s, "lost", json_u64(trial_lost(t)));
	json_object_set_new(s, "balanced", json_boolean(!contradicts));
	if (contradicts)
		json_object_set_new(s, "contradiction",
				    json_string(ledger_explain(text, sizeof(text), &t->ledger)));
	if (c->in_turns) {
		json_object_set_new(s, "turns", json_integer(arm->turns.n));
		json_object_set_new(s, "turns_dry", json_integer(arm->turns.n_dry));
		json_object_set_new(s, "turns_frames", json_u64(arm->turns.frames));
		json_object_set_new(s, "turns_cpu_ns", json_u64(arm->turns.cpu_ns));
		json_object_set_new(s, "ring_room", json_u64(arm->turns.room));
	}
	json_object_set_new(s, "run_delay_ns", json_u64(t->noise.run_delay_ns));
	json_object_set_new(s, "steal_ns", json_u64(t->noise.steal_ns));
	json_array_append_new(c->slices, s);
	c->n_unbalanced += contradicts;
}

/* One trial of an arm that sleeps before and after it. */
static int
run_slice(struct compare *c, struct compare_arm *arm, struct trial *t, struct err *err)
{
	struct backend *b = &arm->session.backend;
	const struct trial_spec spec = spec_of(c);
	int rc;

	backend_thaw(b);
	rc = measure_trial(&arm->measure, &spec, t, err);
	if (rc == 0) {
		trial_judge(t, 0);
		rc = backend_freeze(b, err);
	}
	return rc == -EINTR ? rc : err_wrap(err, rc, "%c", arm->letter);
}

static int
arm_up(struct compare *c, struct compare_arm *arm, struct err *err)
{
	const struct chain *chain = &arm->side->chain;
	const struct tg_traffic traffic = traffic_of(chain);
	static struct trial t;
	int rc = session_up_arm(&arm->session, chain, arm->letter, false, err);

	arm->turns = (struct turns){0};
	arm->measure = (struct measure){
		.backend = &arm->session.backend,
		.warm_ns = WARM_NS,
		.turns = c->in_turns ? &arm->turns : NULL,
	};
	/* The first turns find out how long a turn should be. */
	if (rc == 0) {
		arm->measure.turns = NULL;
		rc = measure_prepare(&arm->measure, &traffic, err);
		arm->measure.turns = c->in_turns ? &arm->turns : NULL;
	}
	for (int i = 0; rc == 0 && i < WARM_UP_TRIALS; i++)
		rc = run_slice(c, arm, &t, err);
	return rc == -EINTR ? rc : err_wrap(err, rc, "%s", arm->side->label);
}

/* ---- all arms ---- */

static void
all_down(struct compare *c)
{
	for (unsigned i = 0; i < c->n_arms; i++)
		session_kill(&c->arm[i].session);
}

/* Who starts first gets other memory than who starts last, and was found a few percent slower or
 * faster for it: each arm has each place in turn. */
static int
all_up(struct compare *c, unsigned round, struct err *err)
{
	uint64_t start = clock_now_ns();
	int rc = 0;

	progress_step("round %u: starting A, B%s", round + 1, c->n_arms > 2 ? " and A again" : "");
	for (unsigned k = 0; rc == 0 && k < c->n_arms; k++) {
		unsigned i = (k + round) % c->n_arms;

		rc = arm_up(c, &c->arm[i], err);
		if (rc != -ETIMEDOUT)
			continue;
		/* On a machine that is so busy, once more is no bias: it did not get to measure. */
		LOG(WARN, "%s; once more", err->msg);
		session_kill(&c->arm[i].session);
		memset(err, 0, sizeof(*err));
		start = clock_now_ns();
		rc = arm_up(c, &c->arm[i], err);
	}
	if (round == 0)
		c->restart_ns = clock_now_ns() - start;
	return rc;
}

static uint64_t
slice_cost_ns(const struct compare *c)
{
	return c->conf->slice_ns + SLICE_EXTRA_NS;
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

	plan->n_b = 1;
	plan->slices_per_arm = SHORT_SLICES;
	plan->n_rounds = n < 1 ? 1 : n > SHORT_ROUNDS ? SHORT_ROUNDS : (unsigned)n;
	fill_rounds(c, plan);
}

/* Knows how long a restart takes, because the first one has just been. */
static int
make_plan(struct compare *c, struct err *err)
{
	struct paired_plan plan = {.slice_ns = slice_cost_ns(c)};
	struct paired_conf conf;
	struct err why = {0};

	plan.has_control = !c->conf->no_control;
	if (paired_plan_fit(&plan, 1, c->conf->time_ns, c->restart_ns, &why) < 0)
		plan_short(c, &plan);
	if (c->conf->rounds > 0) {
		plan.n_rounds = c->conf->rounds;
		fill_rounds(c, &plan);
	}
	plan.seed = c->conf->seed;
	plan.slice_ns = c->conf->slice_ns;
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
		      arm->letter == 'c' ? 'A' : arm->letter - 'a' + 'A', text, ratio,
		      fmax(0, ceil(eta_s)));
}

static int
run_block(struct compare *c, unsigned round, unsigned number, struct err *err)
{
	const struct paired_plan *plan = &c->paired.plan;
	unsigned order[COMPARE_ARMS * PAIRED_MAX_SLICES];
	static struct trial t;
	int rc = 0;

	paired_begin(&c->paired, round);
	paired_order(plan->seed, number, c->n_arms, plan->slices_per_arm, order);
	for (unsigned i = 0; rc == 0 && i < c->n_arms * plan->slices_per_arm; i++) {
		struct compare_arm *arm = &c->arm[order[i]];
		const char *reason;
		double value;

		rc = run_slice(c, arm, &t, err);
		if (rc < 0)
			break;
		value = value_of(c, arm, &t, &reason);
		paired_add(&c->paired, order[i], value, isnan(value) ? reason : NULL);
		note_slice(c, arm, &t, round, value);
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

	c->n_arms = c->conf->no_control ? 2 : 3;
	c->slices = json_array();
	c->generator_pps = NAN;
	c->in_turns = c->metric == COMPARE_RATE && !c->conf->flat_out &&
		      c->side[0].chain.n_hops == 1 && c->side[1].chain.n_hops == 1;
	for (unsigned i = 0; i < c->n_arms; i++) {
		c->arm[i].letter = (char)('a' + i);
		c->arm[i].side = &c->side[i == COMPARE_B];
	}
	c->began_ns = clock_now_ns();
	if (c->metric == COMPARE_RATE && !c->in_turns)
		rc = test_generator(c, err);
	if (rc == 0)
		rc = run_rounds(c, err);
	if (rc == 0 && c->conf->instructions)
		rc = compare_instructions(c, err);
	return rc;
}
