/* SPDX-License-Identifier: MIT */
#include "search.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"

/* More loads than this differ by less than any measurement tells. */
#define GRID_MAX 1000000

const char *
search_end_name(enum search_end end)
{
	static const char *const names[] = {
		[SEARCH_FOUND] = "found",
		[SEARCH_AT_MAX] = "at_max",
		[SEARCH_BELOW_MIN] = "below_min",
		[SEARCH_AT_LEAST] = "at_least",
		[SEARCH_INCONCLUSIVE] = "inconclusive",
	};

	return names[end];
}

/* A decimal number in as few characters as it takes, never with an exponent, whose 'e' would mean
 * something else here. */
static char *
print_number(char *buf, size_t size, double v)
{
	size_t len = (size_t)snprintf(buf, size, "%.9f", v);

	while (buf[len - 1] == '0')
		buf[--len] = '\0';
	if (buf[len - 1] == '.')
		buf[len - 1] = '\0';
	return buf;
}

char *
search_goal_code(char *buf, size_t size, const struct search_conf *conf)
{
	double trial_s = (double)conf->trial_ns / NSEC_PER_S;
	char trial[48], sum[48], loss[48];
	const char *percent;

	print_number(trial, sizeof(trial), trial_s);
	print_number(sum, sizeof(sum), trial_s * conf->needed);
	percent = print_number(loss, sizeof(loss), 100 * conf->max_loss_ratio);
	/* Half a percent is ".5l" in the codes of others. */
	if (percent[0] == '0' && percent[1] == '.')
		percent++;
	snprintf(buf, size, "%sf%sd%sl0e", trial, sum, percent);
	return buf;
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
	unsigned invalid_in_row;
	uint64_t intended;
	uint64_t lost;
	struct hist latency;
};

struct search {
	const struct search_conf *conf;
	const struct measurer *m;
	struct search_result *result;
	struct trial *trial; /* room for one; too large for a stack */
	struct load *load;
};

static int
check_conf(const struct search_conf *conf, struct err *err)
{
	if (!(conf->min_pps > 0 && conf->max_pps >= conf->min_pps && isfinite(conf->max_pps)))
		return err_usage(err, "no search between %g and %g frames a second", conf->min_pps,
				 conf->max_pps);
	if (!(conf->step_ratio > 1) ||
	    log(conf->max_pps / conf->min_pps) > GRID_MAX * log(conf->step_ratio))
		return err_usage(err, "a step of %g is too small", conf->step_ratio);
	if (conf->needed == 0 || conf->trial_ns == 0)
		return err_usage(err, "a search needs trials, and trials need time");
	if (!(conf->max_loss_ratio >= 0 && conf->max_loss_ratio < 1))
		return err_usage(err, "loss ratio %g is not from 0 to 1", conf->max_loss_ratio);
	return 0;
}

static int
run_trial(struct search *s, struct err *err)
{
	const struct trial_spec spec = {
		.rate_pps = s->load->pps,
		.duration_ns = s->conf->trial_ns,
	};
	int rc;

	trial_init(s->trial, &spec);
	rc = s->m->run(s->m->ctx, &spec, s->trial, err);
	if (rc < 0)
		return rc;
	trial_judge(s->trial, s->conf->max_loss_ratio);
	s->result->n_trials++;
	if (s->m->judged != NULL)
		s->m->judged(s->m->ctx, s->trial);
	return 0;
}

static void
add_valid_trial(struct load *load, const struct trial *t)
{
	load->invalid_in_row = 0;
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
		int rc = run_trial(s, err);

		if (rc < 0)
			return rc;
		if (s->trial->verdict == TRIAL_INVALID) {
			s->result->n_invalid++;
			if (++load->invalid_in_row >= s->conf->max_invalid)
				return LOAD_GIVEN_UP;
			continue;
		}
		add_valid_trial(load, s->trial);
		if (s->trial->verdict == TRIAL_FAIL) {
			s->result->rejected_pps = pps;
			return LOAD_REJECTED;
		}
	}
	take_load(s->result, load);
	return LOAD_ACCEPTED;
}

/* Is there no point in going on?  Too many trials in all, or not one that was valid. */
static bool
exhausted(const struct search *s)
{
	const struct search_result *r = s->result;

	return (s->conf->max_trials > 0 && r->n_trials >= s->conf->max_trials) ||
	       (r->n_invalid == r->n_trials && r->n_trials >= 2 * s->conf->max_invalid);
}

/* Loads below 'low' are accepted, from 'high' on they are not: the first of those was 'bound'. */
static int
bisect(struct search *s, size_t high, enum load_verdict bound, struct err *err)
{
	size_t low = 0;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int rc;

		if (exhausted(s)) {
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
	struct search s = {.conf = conf, .m = m, .result = result};
	int rc;

	*result = (struct search_result){.end = SEARCH_INCONCLUSIVE};
	hist_init(&result->latency);
	rc = check_conf(conf, err);
	if (rc < 0)
		return rc;
	s.trial = xcalloc(1, sizeof(*s.trial));
	s.load = xcalloc(1, sizeof(*s.load));
	rc = run_all(&s, err);
	free(s.trial);
	free(s.load);
	return rc;
}
