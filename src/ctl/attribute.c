/* SPDX-License-Identifier: MIT */
#include "attribute.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/rate.h"
#include "base/str.h"
#include "bench/attrib.h"
#include "progress.h"

#define N_PAIRS 15
#define LOW_EVERY 3 /* pairs have the same low one: it only tells what a burst costs */
#define N_TRIALS (N_PAIRS + N_PAIRS / LOW_EVERY)
#define LOW 0.25 /* of what the chain carries */
#define TRIAL_NS (100 * NSEC_PER_MS)
#define DRAIN_NS (10 * NSEC_PER_MS)
#define AROUND_S 0.12 /* about what a trial takes beside its frames */

/* Is there anything to find? */
static bool
can(const struct chain *chain)
{
	bool any = false;

	for (size_t i = 0; i < chain->n_hops; i++)
		any |= chain->hop[i].kind == HOP_FWD;
	return any && chain->n_hops <= LEDGER_MAX_HOPS &&
	       chain->generator.kind == GENERATOR_NFVCHAIN;
}

/* What the chain surely carries, of a measurement that has ended; NaN: nothing. */
static double
carried_pps(const json_t *m)
{
	double rate = json_number_value(json_object_get(m, "rate_pps"));
	double forwarded = json_number_value(json_object_get(m, "forwarding_pps"));

	if (!(rate > 0))
		return NAN;
	return forwarded > 0 ? fmin(rate, forwarded) : rate;
}

/* The limit of the chain that was found; NaN: the load was given, or the generator's is below it.
 */
static double
limit_pps(const json_t *m)
{
	const char *kind = json_string_value(json_object_get(m, "kind"));

	if (kind == NULL || strcmp(kind, "search") != 0 ||
	    json_is_true(json_object_get(m, "rate_is_lower_bound")))
		return NAN;
	return json_number_value(json_object_get(m, "rate_pps"));
}

/* Where each hop works.  CPUs of a guest are others than those of this machine. */
static void
find_places(struct attrib *found, const struct attribute *a)
{
	found->n_hops = a->chain->n_hops;
	for (size_t i = 0; i < found->n_hops; i++) {
		const struct plan_proc *proc = &a->plan->proc[i + 1];
		struct attrib_place *place = &found->place[i];

		str_copy(place->name, sizeof(place->name), a->chain->hop[i].name);
		for (size_t k = 0; !proc->in_vm && k < proc->cpus.n && k < ATTRIB_MAX_CPUS; k++) {
			place->cpu[place->n_cpus++] = proc->cpus.cpu[k];
			for (size_t g = 0; g < a->plan->proc[0].cpus.n; g++)
				place->with_generator |=
					a->plan->proc[0].cpus.cpu[g] == proc->cpus.cpu[k];
		}
	}
}

/* A load of 0 is as much as the first link takes: then the hop that limits the chain has as much to
 * do as it can, and works in full bursts. */
static int
run_one(struct attribute *a, double pps, struct trial *t, struct err *err)
{
	const struct trial_spec spec = {
		.rate_pps = pps > 0 ? pps : a->max_pps,
		.duration_ns = TRIAL_NS,
		.flat_out = !(pps > 0),
	};
	int rc = measure_trial(a->measure, &spec, t, err);

	if (rc == 0)
		trial_judge(t, 0);
	return rc;
}

static int
run_pairs(struct attribute *a, double low_pps, struct attrib *found, json_t **losses,
	  struct err *err)
{
	static struct trial low, high;
	int rc = 0;

	for (unsigned k = 0; rc == 0 && k < N_PAIRS; k++) {
		if (k % LOW_EVERY == 0)
			rc = run_one(a, low_pps, &low, err);
		if (rc == 0)
			rc = run_one(a, 0, &high, err);
		if (rc == 0)
			attrib_add_pair(found, &low, &high);
	}
	if (rc == 0)
		*losses = attrib_losses(&high);
	return rc;
}

/* No pause of a preset's: what comes before these trials does them no harm. */
static int
run_at_once(struct attribute *a, double low_pps, struct attrib *found, json_t **losses,
	    struct err *err)
{
	uint64_t rest_ns = a->measure->rest_ns, drain_ns = a->measure->drain_ns;
	int rc;

	a->measure->rest_ns = 0;
	a->measure->drain_ns = DRAIN_NS;
	rc = run_pairs(a, low_pps, found, losses, err);
	a->measure->rest_ns = rest_ns;
	a->measure->drain_ns = drain_ns;
	return rc;
}

int
attribute_add(struct attribute *a, json_t *m, struct err *err)
{
	static struct attrib found;
	double low_pps = LOW * carried_pps(m);
	uint64_t start = clock_now_ns();
	json_t *losses = NULL, *json;
	char low[32];
	int rc;

	if (!can(a->chain) || isnan(low_pps))
		return 0;
	progress_step("which hop limits it: %d trials, at %s and as much as goes in, about %.0f s",
		      N_TRIALS, rate_print_pps(low, sizeof(low), low_pps),
		      N_TRIALS * ((double)TRIAL_NS / NSEC_PER_S + AROUND_S));
	attrib_init(&found);
	find_places(&found, a);
	found.limit_pps = limit_pps(m);
	found.offer_pps = a->max_pps;
	rc = run_at_once(a, low_pps, &found, &losses, err);
	if (rc < 0)
		return rc;
	attrib_close(&found);
	json = attrib_to_json(&found);
	json_object_set_new(json, "low_pps", json_real(low_pps));
	json_object_set_new(json, "trial_s", json_real((double)TRIAL_NS / NSEC_PER_S));
	json_object_set_new(json, "losses", losses);
	json_object_set_new(json, "took_s",
			    json_real((double)(clock_now_ns() - start) / NSEC_PER_S));
	json_object_set_new(m, "attribution", json);
	return 0;
}
