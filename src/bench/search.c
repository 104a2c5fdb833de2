/* SPDX-License-Identifier: MIT */
#include "search.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "probe.h"

/* More loads than this differ by less than any measurement tells. */
#define GRID_MAX 1000000

struct goal
search_goal(const struct search_conf *conf)
{
	return (struct goal){
		.trial_ns = conf->trial_ns,
		.sum_ns = conf->trial_ns * conf->needed,
		.loss_ratio = conf->max_loss_ratio,
		.width = 1 - 1 / conf->step_ratio,
	};
}

/* ---- the grid ---- */

size_t
search_grid_size(const struct search_conf *conf)
{
	double steps = log(conf->max_pps / conf->min_pps) / log(conf->step_ratio);

	/* A whole number of steps must not become one more by rounding. */
	return conf->max_pps > conf->min_pps ? 1 + (size_t)fmax(ceil(steps - 1e-9), 1) : 1;
}

double
search_grid_at(const struct search_conf *conf, size_t i)
{
	size_t n = search_grid_size(conf);

	if (i == 0)
		return conf->min_pps;
	if (i + 1 >= n)
		return conf->max_pps;
	return conf->min_pps * pow(conf->max_pps / conf->min_pps, (double)i / (double)(n - 1));
}

/* Loads that a bisection of 'n' undecided ones tries at most. */
static unsigned
bisection_depth(size_t n)
{
	unsigned depth = 0;

	for (; n > 0; n /= 2)
		depth++;
	return depth;
}

unsigned
search_trials_left(const struct search_conf *conf, size_t n)
{
	if (n == search_grid_size(conf))
		return conf->needed * (1 + bisection_depth(n - 1));
	return conf->needed * bisection_depth(n);
}

/* ---- the search ---- */

enum load_verdict { LOAD_ACCEPTED, LOAD_REJECTED, LOAD_GIVEN_UP };

/* What the valid trials at one load gave. */
struct load {
	double pps;
	unsigned passed;
	uint64_t intended;
	uint64_t lost;
	struct hist latency;
};

struct search {
	const struct search_conf *conf;
	struct search_result *result;
	struct probe probe;
	struct load *load;
};

static int
check_conf(const struct search_conf *conf, struct err *err)
{
	struct goal goal;

	if (!(conf->min_pps > 0 && conf->max_pps >= conf->min_pps && isfinite(conf->max_pps)))
		return err_usage(err, "no search between %g and %g frames a second", conf->min_pps,
				 conf->max_pps);
	if (!(conf->step_ratio > 1) ||
	    log(conf->max_pps / conf->min_pps) > GRID_MAX * log(conf->step_ratio))
		return err_usage(err, "a step of %g is too small", conf->step_ratio);
	goal = search_goal(conf);
	return goal_check(&goal, err);
}

static void
add_valid_trial(struct load *load, const struct trial *t)
{
	load->passed += t->verdict == TRIAL_PASS;
	load->intended += t->intended;
	load->lost += trial_lost(t);
	hist_add(&load->latency, &t->latency);
}

static void
take_load(struct search_result *result, const struct load *load)
{
	result->accepted_pps = load->pps;
	result->intended = load->intended;
	result->lost = load->lost;
	result->latency = load->latency;
}

/* Tries one load until it is decided; a negative errno when the measurer gave up. */
static int
try_load(struct search *s, double pps, struct err *err)
{
	struct load *load = s->load;

	*load = (struct load){.pps = pps};
	hist_init(&load->latency);
	while (load->passed < s->conf->needed) {
		int rc = probe_valid(&s->probe, pps, s->conf->trial_ns, err);

		if (rc != 0)
			return rc < 0 ? rc : LOAD_GIVEN_UP;
		add_valid_trial(load, s->probe.trial);
		if (s->probe.trial->verdict == TRIAL_FAIL) {
			s->result->rejected_pps = pps;
			return LOAD_REJECTED;
		}
	}
	take_load(s->result, load);
	return LOAD_ACCEPTED;
}

/* Loads below 'low' are accepted, from 'high' on they are not: the first of those was 'bound'. */
static int
bisect(struct search *s, size_t high, enum load_verdict bound, struct err *err)
{
	size_t low = 0;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int rc;

		if (probe_exhausted(&s->probe)) {
			bound = LOAD_GIVEN_UP;
			break;
		}
		rc = try_load(s, search_grid_at(s->conf, mid), err);
		if (rc < 0)
			return rc;
		if (rc == LOAD_ACCEPTED) {
			low = mid + 1;
		} else {
			high = mid;
			bound = (enum load_verdict)rc;
		}
	}
	if (bound == LOAD_REJECTED)
		s->result->end = low > 0 ? SEARCH_FOUND : SEARCH_BELOW_MIN;
	else if (low > 0)
		s->result->end = SEARCH_AT_LEAST;
	return 0;
}

static int
run_all(struct search *s, struct err *err)
{
	size_t top = search_grid_size(s->conf) - 1;
	int rc = try_load(s, search_grid_at(s->conf, top), err);

	if (rc < 0)
		return rc;
	if (rc == LOAD_ACCEPTED) {
		s->result->end = SEARCH_AT_MAX;
		return 0;
	}
	return bisect(s, top, (enum load_verdict)rc, err);
}

int
search_run(const struct search_conf *conf, const struct measurer *m, struct search_result *result,
	   struct err *err)
{
	struct search s = {
		.conf = conf,
		.result = result,
		.probe = {.m = m,
			  .max_loss_ratio = conf->max_loss_ratio,
			  .max_invalid = conf->max_invalid,
			  .max_trials = conf->max_trials},
	};
	int rc;

	search_result_init(result);
	rc = check_conf(conf, err);
	if (rc < 0)
		return rc;
	probe_init(&s.probe);
	s.load = xcalloc(1, sizeof(*s.load));
	rc = run_all(&s, err);
	result->n_trials = s.probe.n_trials;
	result->n_invalid = s.probe.n_invalid;
	free(s.load);
	probe_fini(&s.probe);
	return rc;
}
