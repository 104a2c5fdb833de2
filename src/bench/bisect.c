/* SPDX-License-Identifier: MIT */
#include "bisect.h"

#include <stdlib.h>

#include "base/mem.h"
#include "probe.h"

enum load_verdict { LOAD_ACCEPTED, LOAD_REJECTED, LOAD_GIVEN_UP };

/* What the valid trials at one load gave. */
struct load {
	size_t index; /* in the grid */
	bool given_up;
	bool bad[BISECT_MAX_GOALS]; /* the last trial */
	uint64_t last_lost;	    /* the last trial */
	uint64_t intended;
	uint64_t lost;
	struct hist latency;
};

struct bisect {
	const struct bisect_conf *conf;
	struct search_result *result; /* of the goal that is searched for now */
	size_t goal;
	struct probe probe;
	/* Those tried so far when a load takes one trial, for the next goals; else the last. */
	struct load *load;
	size_t n_loads;
};

static int
check_conf(const struct bisect_conf *conf, struct err *err)
{
	struct goal goal = {
		.trial_ns = conf->trial_ns,
		.sum_ns = conf->trial_ns * conf->needed,
		.width = 0.5,
	};
	int rc = grid_check(&conf->grid, err);

	if (rc == 0 && (conf->n_goals == 0 || conf->n_goals > BISECT_MAX_GOALS))
		return err_usage(err, "a search has 1 to %u goals, not %zu", BISECT_MAX_GOALS,
				 conf->n_goals);
	for (size_t i = 0; i < conf->n_goals && rc == 0; i++) {
		goal.loss_ratio = conf->loss_ratio[i];
		rc = goal_check(&goal, err);
	}
	return rc;
}

static double
strictest(const struct bisect_conf *conf)
{
	double ratio = conf->loss_ratio[0];

	for (size_t i = 1; i < conf->n_goals; i++)
		if (conf->loss_ratio[i] < ratio)
			ratio = conf->loss_ratio[i];
	return ratio;
}

/* ---- one load ---- */

static bool
is_decided_by_one_trial(const struct bisect_conf *conf)
{
	return conf->needed == 1 && conf->retries == 0;
}

static struct load *
find_load(struct bisect *b, size_t index)
{
	for (size_t i = 0; i < b->n_loads; i++)
		if (b->load[i].index == index)
			return &b->load[i];
	return NULL;
}

static struct load *
new_load(struct bisect *b, size_t index)
{
	struct load *load;

	if (!is_decided_by_one_trial(b->conf))
		b->n_loads = 0;
	b->load = xrealloc(b->load, b->n_loads + 1, sizeof(*b->load));
	load = &b->load[b->n_loads++];
	*load = (struct load){.index = index};
	hist_init(&load->latency);
	return load;
}

static void
add_valid_trial(struct bisect *b, struct load *load)
{
	const struct trial *t = b->probe.trial;

	for (size_t i = 0; i < b->conf->n_goals; i++)
		load->bad[i] = trial_exceeds(t, b->conf->loss_ratio[i]);
	load->last_lost = trial_lost(t);
	load->intended += t->intended;
	load->lost += load->last_lost;
	hist_add(&load->latency, &t->latency);
}

static int
accept_load(struct bisect *b, const struct load *load)
{
	struct search_result *result = b->result;

	result->accepted_pps = grid_at(&b->conf->grid, load->index);
	result->intended = load->intended;
	result->lost = load->lost;
	result->latency = load->latency;
	return LOAD_ACCEPTED;
}

static int
reject_load(struct bisect *b, const struct load *load)
{
	b->result->rejected_pps = grid_at(&b->conf->grid, load->index);
	return LOAD_REJECTED;
}

/* Runs trials at one load until it is decided; a negative errno when the measurer gave up. */
static int
measure_load(struct bisect *b, struct load *load, struct err *err)
{
	const struct bisect_conf *conf = b->conf;
	double pps = grid_at(&conf->grid, load->index);
	unsigned n_good = 0, n_bad = 0;

	for (;;) {
		int rc = probe_valid(&b->probe, pps, conf->trial_ns, err);

		if (rc < 0)
			return rc;
		if (rc > 0) {
			load->given_up = true;
			return LOAD_GIVEN_UP;
		}
		add_valid_trial(b, load);
		if (!load->bad[b->goal]) {
			if (++n_good == conf->needed)
				return accept_load(b, load);
		} else if (++n_bad > conf->retries || load->last_lost > conf->max_lost) {
			return reject_load(b, load);
		}
	}
}

static int
try_load(struct bisect *b, size_t index, struct err *err)
{
	struct load *load = NULL;

	if (is_decided_by_one_trial(b->conf))
		load = find_load(b, index);
	if (load == NULL)
		return measure_load(b, new_load(b, index), err);
	if (load->given_up)
		return LOAD_GIVEN_UP;
	return load->bad[b->goal] ? reject_load(b, load) : accept_load(b, load);
}

/* ---- the search ---- */

/* Loads below 'low' are accepted, from 'high' on they are not: the first of those was 'bound', or
 * is beyond the grid.  Those between are undecided. */
struct range {
	size_t low, high;
	enum load_verdict bound;
	bool exhausted; /* there was no point in going on */
};

static int
narrow(struct bisect *b, struct range *r, size_t index, struct err *err)
{
	int rc = try_load(b, index, err);

	if (rc < 0)
		return rc;
	if (rc == LOAD_ACCEPTED) {
		r->low = index + 1;
	} else {
		r->high = index;
		r->bound = (enum load_verdict)rc;
	}
	return 0;
}

static int
narrow_all(struct bisect *b, struct range *r, struct err *err)
{
	size_t n = r->high, left = b->conf->leave_last && n > 1 ? 1 : 0;
	int rc = b->conf->max_first ? narrow(b, r, n - 1, err) : 0;

	while (rc == 0 && r->high - r->low > left) {
		r->exhausted = probe_exhausted(&b->probe);
		if (r->exhausted)
			break;
		rc = narrow(b, r, r->low + (r->high - 1 - r->low) / 2, err);
	}
	return rc;
}

static enum search_end
end_of(const struct range *r, size_t n)
{
	if (r->low == n)
		return SEARCH_AT_MAX;
	if (r->high < n && r->bound == LOAD_REJECTED && !r->exhausted)
		return r->low > 0 ? SEARCH_FOUND : SEARCH_BELOW_MIN;
	return r->low > 0 ? SEARCH_AT_LEAST : SEARCH_INCONCLUSIVE;
}

static int
search_goal_of(struct bisect *b, size_t goal, struct search_result *result, struct err *err)
{
	size_t n = grid_size(&b->conf->grid);
	struct range r = {.high = n};
	int rc;

	b->goal = goal;
	b->result = result;
	rc = narrow_all(b, &r, err);
	if (rc == 0)
		result->end = end_of(&r, n);
	return rc;
}

int
bisect_run(const struct bisect_conf *conf, const struct measurer *m, struct search_result *result,
	   struct err *err)
{
	struct bisect b = {
		.conf = conf,
		.probe = {.m = m, .max_invalid = conf->max_invalid, .max_trials = conf->max_trials},
	};
	int rc;

	for (size_t i = 0; i < conf->n_goals && i < BISECT_MAX_GOALS; i++)
		search_result_init(&result[i]);
	rc = check_conf(conf, err);
	if (rc < 0)
		return rc;
	b.probe.max_loss_ratio = strictest(conf);
	probe_init(&b.probe);
	for (size_t i = 0; i < conf->n_goals && rc == 0; i++)
		rc = search_goal_of(&b, i, &result[i], err);
	for (size_t i = 0; i < conf->n_goals; i++) {
		result[i].n_trials = b.probe.n_trials;
		result[i].n_invalid = b.probe.n_invalid;
	}
	free(b.load);
	probe_fini(&b.probe);
	return rc;
}
