/* SPDX-License-Identifier: MIT */
/* Records what a chain that is up for a minute or two does from trial to trial, as CSV: what the
 * intervals that are made of such trials are tested on (src/bench/traces).
 *
 *     flat    all that the link takes, trial after trial
 *     loads   loads around the answer of a search, each once in a pass, in random order
 *     search  one search after the other
 *
 * A row is a trial, "trial,block,t_ms,load_pps,ms,intended,lost,received,p50_ns,p99_ns,class,
 * verdict", or where a search ended, "found,block,t_ms,goal,accepted_pps,rejected_pps"; the block
 * is the pass or the search. */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/opt.h"
#include "base/random.h"
#include "bench/preset.h"
#include "chain/measure.h"
#include "ctl/session.h"

/* The hop is the limit, by far, and not the generator. */
static const char hop_yaml[] = "version: 1\n"
			       "name: traces\n"
			       "hops: [{kind: nfvchain-fwd, nf: [l2fwd, \"work:600\"]}]\n";

/* Loads of a pass, from this share of the search's answer to that one. */
#define N_LOADS 14
#define FIRST_SHARE 0.5
#define LAST_SHARE 1.1

/* More than the preset's: a search that is cut short, or gives up a load, has no interval. */
#define MAX_TRIALS 200
#define MAX_INVALID 10

#define FLAT_OUT_NS (1000 * NSEC_PER_MS)

struct traces {
	uint64_t time_ns;
	uint64_t trial_ns;
	uint64_t seed;
	struct chain chain;
	struct session session;
	struct measure measure;
	double max_pps;
	double answer_pps; /* of the last search */
	uint64_t started_ns;
	unsigned block;
};

static double
since_ms(const struct traces *t)
{
	return (double)(clock_now_ns() - t->started_ns) / NSEC_PER_MS;
}

static bool
has_time(const struct traces *t)
{
	return clock_now_ns() - t->started_ns < t->time_ns && session_stop == 0;
}

static void
print_trial(void *ctx, const struct trial *trial)
{
	const struct traces *t = ctx;
	const struct trial_spec *spec = &trial->spec;
	uint64_t received = trial->ok + trial->overdue;

	printf("trial,%u,%.0f,%.0f,%.0f,%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64
	       ",%s,%s\n",
	       t->block, since_ms(t), spec->flat_out ? 0 : spec->rate_pps, trial->elapsed_s * 1000,
	       trial->intended, trial_lost(trial), received, hist_quantile(&trial->latency, 0.5),
	       hist_quantile(&trial->latency, 0.99), trial_class_name(trial->class),
	       trial_verdict_name(trial->verdict));
}

static int
run_trial(void *ctx, const struct trial_spec *spec, struct trial *trial, struct err *err)
{
	struct traces *t = ctx;

	return measure_trial(&t->measure, spec, trial, err);
}

static int
record_trial(struct traces *t, double pps, struct err *err)
{
	const struct trial_spec spec = {
		.rate_pps = pps > 0 ? pps : 1e6,
		.duration_ns = t->trial_ns,
		.flat_out = !(pps > 0),
	};
	static struct trial trial;
	int rc = run_trial(t, &spec, &trial, err);

	if (rc < 0)
		return rc;
	trial_judge(&trial, 0);
	print_trial(t, &trial);
	return 0;
}

/* ---- the series ---- */

static int
record_flat(struct traces *t, struct err *err)
{
	int rc = 0;

	while (rc == 0 && has_time(t))
		rc = record_trial(t, 0, err);
	return rc;
}

static int
record_one_search(struct traces *t, struct err *err)
{
	const struct preset_tune tune = {.trial_ns = t->trial_ns};
	const struct measurer m = {.ctx = t, .run = run_trial, .judged = print_trial};
	const struct preset *preset;
	struct procedure_conf conf;
	static struct procedure_result found;
	int rc = preset_find("quick", &preset, err);

	if (rc < 0)
		return rc;
	conf = preset_procedure(preset, &tune, t->max_pps);
	conf.max_trials = MAX_TRIALS;
	conf.max_invalid = MAX_INVALID;
	rc = procedure_run(&conf, &m, &found, err);
	for (size_t i = 0; rc == 0 && i < found.n_goals; i++)
		printf("found,%u,%.0f,%.3f,%.0f,%.0f\n", t->block, since_ms(t),
		       conf.goal[i].loss_ratio, found.found[i].accepted_pps,
		       found.found[i].rejected_pps);
	t->answer_pps = found.found[0].accepted_pps;
	return rc;
}

static int
record_searches(struct traces *t, struct err *err)
{
	int rc = 0;

	for (; rc == 0 && has_time(t); t->block++)
		rc = record_one_search(t, err);
	return rc;
}

static int
record_loads(struct traces *t, struct err *err)
{
	unsigned order[N_LOADS];
	struct random random;
	int rc = record_one_search(t, err);

	if (rc == 0 && !(t->answer_pps > 0))
		return err_set(err, EIO, "the search found nothing");
	random_init(&random, t->seed, 0);
	while (rc == 0 && has_time(t)) {
		t->block++;
		for (unsigned i = 0; i < N_LOADS; i++)
			order[i] = i;
		random_shuffle(&random, order, N_LOADS);
		for (unsigned i = 0; rc == 0 && i < N_LOADS; i++) {
			double share = FIRST_SHARE *
				       pow(LAST_SHARE / FIRST_SHARE, order[i] / (N_LOADS - 1.0));

			rc = record_trial(t, share * t->answer_pps, err);
		}
	}
	return rc;
}

static const struct series {
	const char *name;
	int (*record)(struct traces *t, struct err *err);
} series[] = {
	{"flat", record_flat},
	{"loads", record_loads},
	{"search", record_searches},
};

static const struct series *
find_series(const char *name)
{
	for (size_t i = 0; i < N_ELEMS(series); i++)
		if (strcmp(series[i].name, name) == 0)
			return &series[i];
	return NULL;
}

/* ---- the whole ---- */

/* Twice what the hop forwards flat out just now, for it may be twice as fast in the next moment. */
static int
find_max(struct traces *t, struct err *err)
{
	const struct trial_spec spec = {
		.rate_pps = 1e6, .duration_ns = FLAT_OUT_NS, .flat_out = true};
	static struct trial trial;
	int rc = run_trial(t, &spec, &trial, err);

	t->max_pps = 2 * (double)trial.ok / (trial.elapsed_s > 0 ? trial.elapsed_s : 1);
	return rc;
}

static int
record(struct traces *t, const struct series *s, struct err *err)
{
	struct tg_traffic traffic;
	int rc = chain_parse(&t->chain, "traces", hop_yaml, strlen(hop_yaml), err);

	if (rc == 0)
		rc = session_up(&t->session, &t->chain, false, err);
	if (rc < 0)
		return rc;
	t->measure.backend = &t->session.backend;
	traffic = (struct tg_traffic){.frames = &t->chain.traffic.frames[0],
				      .flows = t->chain.traffic.flows};
	rc = measure_prepare(&t->measure, &traffic, err);
	if (rc == 0)
		rc = find_max(t, err);
	t->started_ns = clock_now_ns();
	if (rc == 0)
		rc = s->record(t, err);
	session_down(&t->session);
	return rc;
}

#define FIELD(member) OPT_FIELD(struct traces, member)

static const struct opt opts[] = {
	{"time", 't', "TIME", "how long (90s)", opt_set_duration, FIELD(time_ns), NULL, 0},
	{"trial", 0, "TIME", "length of a trial (100ms)", opt_set_duration, FIELD(trial_ns), NULL,
	 0},
	{"seed", 0, "N", "of the order of loads (1)", opt_set_count, FIELD(seed), NULL, 0},
};

static const struct opt_command command = {
	.name = "traces",
	.positional = "flat|loads|search",
	.summary = "Records the trials of a chain as CSV.",
	.opts = opts,
	.n_opts = N_ELEMS(opts),
};

int
main(int argc, char **argv)
{
	static struct traces t = {
		.time_ns = 90 * NSEC_PER_S,
		.trial_ns = 100 * NSEC_PER_MS,
		.seed = 1,
	};
	const struct series *s = NULL;
	struct err err = {0};
	int rc;

	log_init("traces", LOG_NOTICE);
	rc = opt_parse(&command, &argc, &argv, &t, NULL, &err);
	if (rc == OPT_HELPED)
		return 0;
	if (rc == 0)
		s = argc == 1 ? find_series(argv[0]) : NULL;
	if (rc == 0 && s == NULL)
		rc = err_usage(&err, "one of flat, loads, search is wanted");
	session_catch_signals();
	if (rc == 0)
		rc = record(&t, s, &err);
	if (rc < 0)
		LOG(ERR, "%s", err.msg);
	chain_fini(&t.chain);
	return rc < 0 ? err_exit_code(&err) : 0;
}
