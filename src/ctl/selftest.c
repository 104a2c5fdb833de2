/* SPDX-License-Identifier: MIT */
#include "selftest.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "chain/measure.h"
#include "chain/steps.h"
#include "session.h"

#define FLAT_OUT_NS (1000 * NSEC_PER_MS)
#define PACED_NS (300 * NSEC_PER_MS)
#define PACED_SHARE 0.1
#define TRY_NS (300 * NSEC_PER_MS)
#define TRY_STEP 0.8
#define TRIES 3	     /* all of them: a load near the limit is kept in a good moment only */
#define TRY_STEPS 10 /* to a tenth: below that the machine is the limit, or the chain */

static char *
copy_text(const char *text)
{
	return text != NULL ? xstrdup(text) : NULL;
}

static void
copy_generator(struct chain_generator *copy, const struct chain_generator *gen)
{
	*copy = *gen;
	copy->at = copy_text(gen->at);
	copy->dir = copy_text(gen->dir);
	for (size_t i = 0; i < gen->n_sockets; i++)
		copy->socket[i] = xstrdup(gen->socket[i]);
}

/* One hop, 'name', that passes frames untouched, where the chain's first hop would be. */
static void
make_chain(struct chain *wire, const struct chain *chain, const char *name)
{
	chain_default(wire, 1);
	free(wire->name);
	wire->name = xstrdup(chain->name);
	free(wire->hop[0].name);
	wire->hop[0].name = xstrdup(name);
	for (size_t i = 0; i < wire->hop[0].n_nf; i++)
		free(wire->hop[0].nf[i]);
	wire->hop[0].nf[0] = xstrdup("wire");
	wire->hop[0].n_nf = 1;
	wire->hop[0].cpus = chain->hop[0].cpus;
	copy_generator(&wire->generator, &chain->generator);
	/* Beside the generator, in whose place its links are. */
	wire->hop[0].place = chain->generator.place;
	/* A guest's NIC filters addresses, and what the wire passes on is for the generator. */
	if (chain->generator.place == PLACE_VM)
		(void)chain_add_arg(wire, "--promiscuous", NULL);
	wire->link[0] = chain->link[0];
	wire->link[1] = chain->link[chain->n_hops];
	wire->traffic = chain->traffic;
}

static int
read_pacing(struct session *s, struct selftest *t, struct err *err)
{
	json_t *json = NULL;
	struct hist *h;
	int rc;

	t->pacing_p50_ns = t->pacing_p99_ns = NAN;
	if (tg_is_trex(s->backend.tg))
		return 0;
	h = xcalloc(1, sizeof(*h));
	rc = tg_trial(s->backend.tg, &json, err);
	if (rc == 0)
		rc = hist_from_json(h, json_object_get(json, "pacing"), err);
	if (rc == 0) {
		t->pacing_p50_ns = (double)hist_quantile(h, 0.5);
		t->pacing_p99_ns = (double)hist_quantile(h, 0.99);
	}
	free(h);
	json_decref(json);
	return rc;
}

/* Can the generator keep a schedule of 'pps'?  1, 0, or a negative errno. */
static int
keeps_schedule(struct measure *m, double pps, struct err *err)
{
	const struct trial_spec spec = {.rate_pps = pps, .duration_ns = TRY_NS};
	static struct trial t;

	for (unsigned i = 0; i < TRIES; i++) {
		int rc = measure_trial(m, &spec, &t, err);

		if (rc < 0)
			return rc;
		trial_judge(&t, 0);
		if (t.verdict == TRIAL_INVALID)
			return 0;
	}
	return 1;
}

/* A schedule costs more than none, and a machine that takes the CPU away costs a schedule most:
 * what was not sent then is late. */
/* The first of the steps below the maximum that it keeps, tried from the top: a bad moment costs
 * one step.  TRY_STEPS + 1 when it keeps none. */
static int
step_down(struct measure *m, double max_pps, int *good, struct err *err)
{
	int rc = 0;

	for (*good = 0; *good <= TRY_STEPS; (*good)++) {
		rc = keeps_schedule(m, max_pps * pow(TRY_STEP, *good), err);
		if (rc != 0)
			break;
	}
	return rc;
}

/* The same by halves, where each try takes long: a bad moment may cost several. */
static int
step_by_halves(struct measure *m, double max_pps, int *good, struct err *err)
{
	int bad = 0, rc = keeps_schedule(m, max_pps, err);

	*good = rc > 0 ? 0 : TRY_STEPS + 1;
	while (rc >= 0 && *good - bad > 1) {
		int middle = (*good + bad) / 2;

		rc = keeps_schedule(m, max_pps * pow(TRY_STEP, middle), err);
		if (rc > 0)
			*good = middle;
		else
			bad = middle;
	}
	return rc;
}

static int
test_schedule(struct measure *m, struct selftest *t, struct err *err)
{
	const bool is_slow = m->backend->chain->generator.place == PLACE_VM;
	int good, rc = is_slow ? step_by_halves(m, t->max_pps, &good, err)
			       : step_down(m, t->max_pps, &good, err);

	t->scheduled_pps = t->max_pps * pow(TRY_STEP, good);
	return rc < 0 ? rc : 0;
}

static int
test_one(struct session *s, const struct chain *chain, size_t i, struct selftest *t,
	 struct err *err)
{
	struct measure m = {.backend = &s->backend};
	const struct tg_traffic traffic = {
		.frames = &chain->traffic.frames[i],
		.flows = chain->traffic.flows,
		.ipv6 = chain->traffic.ipv6,
		.vlan = chain->traffic.vlan,
		.dst_mac = s->plan.gen_mac[1],
	};
	struct trial_spec spec = {.rate_pps = 1e6, .duration_ns = FLAT_OUT_NS, .flat_out = true};
	int rc = measure_prepare(&m, &traffic, err);

	if (rc == 0)
		rc = measure_trial(&m, &spec, &t->flat_out, err);
	if (rc < 0)
		return rc;
	trial_judge(&t->flat_out, 0);
	t->max_pps = t->flat_out.elapsed_s > 0 ? (double)t->flat_out.ok / t->flat_out.elapsed_s : 0;
	if (t->max_pps < 1)
		return err_set(err, 0, "the generator's self-test received nothing: %s",
			       t->flat_out.reason);
	t->at_pps = t->max_pps * PACED_SHARE;
	spec = (struct trial_spec){.rate_pps = t->at_pps, .duration_ns = PACED_NS};
	rc = measure_trial(&m, &spec, &t->paced, err);
	if (rc == 0)
		trial_judge(&t->paced, 0);
	if (rc == 0)
		rc = read_pacing(s, t, err);
	return rc == 0 ? test_schedule(&m, t, err) : rc;
}

static int
test_all(struct session *s, const struct chain *chain, struct selftest *tests, struct err *err)
{
	uint64_t start = clock_now_ns();
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < chain->traffic.n_frames; i++)
		rc = test_one(s, chain, i, &tests[i], err);
	if (rc == 0)
		steps_done("", "trials of the generator", start);
	return rc;
}

int
selftest_run(const struct chain *chain, struct selftest *tests, struct err *err)
{
	uint64_t start = clock_now_ns();
	struct session s = {0};
	struct chain wire;
	int rc;

	make_chain(&wire, chain, "wire");
	rc = session_up(&s, &wire, false, err);
	if (rc == 0)
		rc = test_all(&s, chain, tests, err);
	session_down(&s);
	if (rc == 0)
		steps_done("", "in all", start);
	chain_fini(&wire);
	return err_wrap(err, rc, "self-test");
}

bool
selftest_shares(const struct chain *chain)
{
	return chain->n_hops == 1 && chain->hop[0].lcores == 1 &&
	       chain->generator.place == PLACE_VM && chain->hop[0].place == PLACE_VM;
}

int
selftest_run_sharing(struct session *s, const struct chain *chain, struct selftest *tests,
		     struct err *err)
{
	uint64_t start = clock_now_ns();
	struct chain wire;
	int rc;

	make_chain(&wire, chain, chain->hop[0].name);
	rc = session_up(s, &wire, false, err);
	if (rc == 0)
		rc = test_all(s, chain, tests, err);
	err_wrap(err, rc, "self-test");
	if (rc == 0) {
		steps_done("", "in all", start);
		steps_phase("chain");
		rc = session_become(s, chain, err);
	}
	if (rc < 0)
		session_down(s);
	chain_fini(&wire);
	return rc;
}
