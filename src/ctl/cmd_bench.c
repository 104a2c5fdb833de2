/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "attribute.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/stats.h"
#include "base/units.h"
#include "bench_conf.h"
#include "bench_files.h"
#include "chain/backend_vm.h"
#include "chain/measure.h"
#include "chain/steps.h"
#include "chain/vm_facts.h"
#include "command.h"
#include "compare_peer.h"
#include "machine_grade.h"
#include "progress.h"
#include "report/environment.h"
#include "report/result.h"
#include "report/text.h"
#include "save.h"
#include "selftest.h"
#include "session.h"

/* nfvchain bench: self-test, bring up, measure, report, take down. */

#define FIXED_NS (5 * NSEC_PER_S)

/* One run of the command. */
struct bench {
	struct bench_conf conf;
	struct chain chain;
	struct selftest *selftest; /* one for each frame mix */
	struct session session;
	struct measure measure;
	struct faulted faulted; /* of a trial of fixed rate */
	json_t *result;
	char *dir;
	const char *frames; /* mix being measured */
	unsigned n_trials, total_trials;
	uint64_t started_ns, searching_ns;
	unsigned n_inconclusive, n_below_min, n_unbalanced;
};

static int
run_trial(void *ctx, const struct trial_spec *spec, struct trial *t, struct err *err)
{
	struct bench *b = ctx;
	int rc = measure_trial(&b->measure, spec, t, err);

	if (rc < 0) {
		/* Kept with the result, as what it is: no statement about the chain. */
		trial_judge(t, 0);
		result_add_trial(b->result, t);
	}
	return rc;
}

static void
note_trial(void *ctx, const struct trial *t)
{
	struct bench *b = ctx;
	double took_s = (double)(clock_now_ns() - b->searching_ns) / 1e9;
	double eta;

	b->n_trials++;
	if (b->n_trials > b->total_trials)
		b->total_trials = b->n_trials;
	eta = took_s / b->n_trials * (b->total_trials - b->n_trials);
	b->n_unbalanced += ledger_contradicts(&t->ledger);
	result_add_trial(b->result, t);
	progress_trial(b->frames, b->n_trials, b->total_trials, t, eta);
}

static struct tg_traffic
traffic_of(const struct bench *b, size_t i)
{
	return (struct tg_traffic){
		.frames = &b->chain.traffic.frames[i],
		.flows = b->chain.traffic.flows,
		.ipv6 = b->chain.traffic.ipv6,
		.vlan = b->chain.traffic.vlan,
	};
}

static uint64_t
fixed_ns(const struct bench *b)
{
	return b->conf.duration_ns > 0 ? b->conf.duration_ns : FIXED_NS;
}

/* Is the trial worth a timeline? */
static bool
is_watched(const struct bench *b)
{
	bool any = b->faulted.n_orders > 0;

	for (size_t i = 0; i < b->chain.n_hops; i++)
		any |= b->chain.hop[i].supervise;
	return any;
}

static int
read_faults(struct bench *b, struct err *err)
{
	int rc = 0;

	if (b->conf.faults.n > 0 && !b->chain.traffic.has_rate)
		return err_usage(err, "--fault is for a trial of fixed rate: give it a --rate");
	for (size_t i = 0; rc == 0 && i < b->conf.faults.n; i++)
		rc = err_wrap(err, faulted_add(&b->faulted, b->conf.faults.items[i], err),
			      "--fault");
	return rc == 0 ? faulted_check(&b->faulted, &b->chain, fixed_ns(b), err) : rc;
}

static int
run_fixed(struct bench *b, size_t i, struct err *err)
{
	static struct trial t;
	char length[32];
	const struct trial_spec spec = {
		.rate_pps = rate_pps(&b->chain.traffic.rate,
				     imix_mean_size(&b->chain.traffic.frames[i]),
				     b->selftest[i].max_pps),
		.duration_ns = fixed_ns(b),
	};
	int rc;

	b->total_trials = b->n_trials + 1;
	progress_step("one trial of %s", duration_print(length, sizeof(length), spec.duration_ns));
	result_begin_search(b->result);
	b->measure.faulted = is_watched(b) ? &b->faulted : NULL;
	rc = run_trial(b, &spec, &t, err);
	if (rc == 0) {
		trial_judge(&t, 0);
		note_trial(b, &t);
		b->n_inconclusive += t.verdict == TRIAL_INVALID;
	}
	if (b->measure.faulted != NULL)
		result_set_timeline(b->result, timeline_to_json(&b->faulted.timeline));
	b->measure.faulted = NULL;
	result_end_search(b->result, NULL, t.elapsed_s);
	return rc;
}

static bool
is_inconclusive(const struct procedure_result *found)
{
	if (found->kind == PROCEDURE_MRR)
		return found->mrr.n == 0;
	return found->n_goals > 0 && found->found[0].end == SEARCH_INCONCLUSIVE;
}

static double
loosest_goal(const struct procedure_conf *conf)
{
	double most = 0;

	for (size_t i = 0; i < conf->n_goals; i++)
		most = fmax(most, conf->goal[i].loss_ratio);
	return most;
}

static void
note_progress(void *ctx, const struct mlr_progress *p)
{
	struct bench *b = ctx;

	b->total_trials = b->n_trials + (unsigned)ceil(p->trials_left);
}

static int
run_procedure(struct bench *b, size_t i, struct err *err)
{
	struct procedure_conf conf = bench_conf_procedure(&b->chain, b->selftest[i].scheduled_pps);
	const struct measurer m = {
		.ctx = b,
		.run = run_trial,
		.judged = note_trial,
		.watch_faults = true,
		.allowed_loss_ratio = loosest_goal(&conf),
	};
	static struct procedure_result found;
	uint64_t start = clock_now_ns();
	int rc;

	b->total_trials = b->n_trials + (unsigned)procedure_max_trials(&conf);
	conf.progress = note_progress;
	conf.progress_ctx = b;
	result_begin_search(b->result);
	rc = procedure_run(&conf, &m, &found, err);
	result_end_search(b->result, conf.n_goals > 0 ? found.found : NULL,
			  (double)(clock_now_ns() - start) / 1e9);
	result_set_curve(b->result, &found.curve);
	result_set_mrr(b->result, &found.mrr);
	b->n_inconclusive += rc == 0 && is_inconclusive(&found);
	b->n_below_min += rc == 0 && conf.n_goals > 0 && found.found[0].end == SEARCH_BELOW_MIN;
	return rc;
}

/* What mix number 'i' is asked; goals are those of 'conf', which the caller keeps. */
static struct result_asked
asked_of(const struct bench *b, size_t i, struct procedure_conf *conf)
{
	if (b->chain.traffic.has_rate)
		return (struct result_asked){.procedure = "fixed"};
	*conf = bench_conf_procedure(&b->chain, b->selftest[i].scheduled_pps);
	return (struct result_asked){
		.preset = bench_conf_preset(&b->chain)->name,
		.procedure = procedure_name(conf->kind),
		.goals = conf->goal,
		.n_goals = conf->n_goals,
	};
}

/* A chain in which nothing arrives is a result too: where frames stayed. */
static void
add_silent(struct bench *b)
{
	result_begin_search(b->result);
	result_add_trial(b->result, b->measure.silent);
	result_end_search(b->result, NULL, b->measure.silent->elapsed_s);
}

/* Which hop limits the chain; part of the measurement that has just ended. */
static int
attribute(struct bench *b, size_t i, struct err *err)
{
	const json_t *list = json_object_get(b->result, "measurements");
	json_t *m = json_array_get(list, json_array_size(list) - 1);
	struct attribute at = {
		.measure = &b->measure,
		.chain = &b->chain,
		.plan = &b->session.plan,
		.max_pps = b->selftest[i].max_pps,
	};

	return bench_conf_attributes(&b->conf, &b->chain) ? attribute_add(&at, m, err) : 0;
}

static int
measure_frames(struct bench *b, size_t i, struct err *err)
{
	const struct imix *mix = &b->chain.traffic.frames[i];
	const struct tg_traffic traffic = traffic_of(b, i);
	bool fixed = b->chain.traffic.has_rate;
	unsigned n = fixed ? 1 : bench_conf_repeats(&b->chain);
	struct procedure_conf conf;
	const struct result_asked asked = asked_of(b, i, &conf);
	static struct trial silent;
	int rc;

	trial_init(&silent, &(struct trial_spec){0});
	b->measure.silent = &silent;
	rc = measure_prepare(&b->measure, &traffic, err);
	b->frames = mix->name;
	result_add_measurement(b->result, mix->name, imix_mean_size(mix), &asked);
	if (rc == -EPIPE && silent.intended > 0)
		add_silent(b);
	for (unsigned k = 0; rc == 0 && k < n; k++)
		rc = fixed ? run_fixed(b, i, err) : run_procedure(b, i, err);
	result_end_measurement(b->result);
	return rc == 0 ? attribute(b, i, err) : rc;
}

/* A TRex tells no delays. */
static double
quantile(const struct hist *h, double q)
{
	return h->n > 0 ? (double)hist_quantile(h, q) : NAN;
}

static void
note_selftests(struct bench *b)
{
	for (size_t i = 0; i < b->chain.traffic.n_frames; i++) {
		const struct selftest *t = &b->selftest[i];
		const struct result_selftest r = {
			.frames = b->chain.traffic.frames[i].name,
			.max_pps = t->max_pps,
			.scheduled_pps = t->scheduled_pps,
			.pacing_p50_ns = t->pacing_p50_ns,
			.pacing_p99_ns = t->pacing_p99_ns,
			.latency_floor_p50_ns = quantile(&t->paced.latency, 0.5),
			.latency_floor_p99_ns = quantile(&t->paced.latency, 0.99),
			.at_pps = t->at_pps,
			.flat_out = &t->flat_out,
			.paced = &t->paced,
		};

		result_add_selftest(b->result, &r);
	}
}

static void
note_version(struct bench *b)
{
	const char *version = b->session.backend.dpdk_version;

	if (version[0] != '\0')
		json_object_set_new(json_object_get(b->result, "environment"), "dpdk_version",
				    json_string(version));
	/* A guest that did not come up under KVM was started again without. */
	if (backend_vms_accel(&b->session.backend) != NULL)
		json_object_set_new(json_object_get(b->result, "environment"), "accelerator",
				    vm_accel_to_json(backend_vms_accel(&b->session.backend)));
}

/* What the guests say of themselves, as the figures depend on it: when frames have passed them, for
 * a program may still be at work on its ports when it can be asked. */
static void
note_guests(struct bench *b)
{
	if (b->session.up && b->session.plan.n_vms > 0)
		json_object_set_new(json_object_get(b->result, "environment"), "guests",
				    vm_facts(&b->session.backend));
}

/* That of the headlines; pauses are the preset's, whatever its goal. */
static void
set_goal(struct bench *b)
{
	const struct preset *preset = bench_conf_preset(&b->chain);
	const struct procedure_conf conf =
		bench_conf_procedure(&b->chain, b->selftest[0].scheduled_pps);

	if (b->chain.traffic.has_rate)
		return;
	if (conf.n_goals > 0)
		result_set_goal(b->result, &conf.goal[0]);
	b->measure.drain_ns = preset->drain_ns;
	b->measure.rest_ns = preset->rest_ns;
}

static void
note_grade(struct bench *b, const struct chain_plan *plan)
{
	json_t *environment = json_object_get(b->result, "environment");

	progress_step("a look at the CPUs");
	json_object_set_new(environment, "grade", machine_grade(&b->chain, plan, environment));
	if (plan->n_vms > 0)
		json_object_set_new(environment, "accelerator", vm_accel_to_json(&plan->accel));
}

/* Machines take long enough to come up for each step to be told. */
static void
show_step(const char *text)
{
	progress_step("%s", text);
}

static void
note_steps(struct bench *b)
{
	json_object_set_new(json_object_get(b->result, "environment"), "bring_up", steps_to_json());
}

static int
test_generator(struct bench *b, struct err *err)
{
	int rc;

	progress_step("self-test of the generator");
	steps_phase("self-test");
	rc = selftest_shares(&b->chain)
		     ? selftest_run_sharing(&b->session, &b->chain, b->selftest, err)
		     : selftest_run(&b->chain, b->selftest, err);
	note_steps(b);
	if (rc == 0)
		note_selftests(b);
	return rc;
}

static int
bring_up(struct bench *b, struct err *err)
{
	uint64_t start = clock_now_ns();
	int rc;

	if (b->session.up)
		return 0;
	progress_step("bringing up %zu programs", b->chain.n_hops + 1);
	steps_phase("chain");
	rc = session_up(&b->session, &b->chain, false, err);
	if (rc == 0)
		steps_done("", "in all", start);
	return rc;
}

static int
measure_all(struct bench *b, const struct chain_plan *plan, struct err *err)
{
	size_t n = b->chain.traffic.n_frames;
	int rc;

	note_grade(b, plan);
	b->selftest = xcalloc(n, sizeof(*b->selftest));
	rc = test_generator(b, err);
	if (rc < 0)
		return rc;
	set_goal(b);
	rc = bring_up(b, err);
	b->measure.backend = &b->session.backend;
	note_steps(b);
	note_version(b);
	b->searching_ns = clock_now_ns();
	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = measure_frames(b, i, err);
	if (rc != -EINTR && rc != -ECHILD)
		note_guests(b);
	session_down(&b->session);
	return rc;
}

/* What the whole comes to: the exit code and its sentence, unless something went wrong before. */
static int
conclude(const struct bench *b, int rc, struct err *err)
{
	if (rc == -EINTR || session_stop != 0)
		return session_interrupted(err);
	if (rc < 0)
		return rc;
	if (b->n_unbalanced > 0)
		return err_class(err, ERR_ACCOUNTING,
				 "%u trials have frames that nobody accounts for (see result.json)",
				 b->n_unbalanced);
	if (b->n_inconclusive > 0)
		return err_class(err, ERR_INCONCLUSIVE,
				 "too many trials were invalid on this machine for a verdict");
	if (b->n_below_min > 0)
		return err_set(err, EIO, "the chain loses frames even at the lowest load");
	return 0;
}

static int
open_result(struct bench *b, const struct chain_plan *plan, int argc, char **argv, struct err *err)
{
	b->result = result_new(argc, argv, chain_to_json(&b->chain),
			       chain_plan_to_json(plan, &b->chain), environment_capture(NULL));
	return result_make_dir(b->conf.output, b->chain.name, &b->dir, err);
}

static void
print_result(const struct bench *b)
{
	if (b->conf.json) {
		json_write(b->result, stdout);
	} else {
		char *text = text_render(b->result, isatty(1) && getenv("NO_COLOR") == NULL);

		fputs(text, stdout);
		free(text);
	}
	fflush(stdout);
}

static int
bench(struct bench *b, int argc, char **argv, const struct chain_plan *plan, struct err *err)
{
	int rc = open_result(b, plan, argc, argv, err);

	if (rc < 0)
		return rc;
	b->started_ns = clock_now_ns();
	for (int i = 0; plan->warnings[i] != NULL; i++)
		LOG(WARN, "%s", plan->warnings[i]);
	progress_init(b->conf.quiet ? PROGRESS_NONE : PROGRESS_AUTO);
	session_catch_signals();
	if (plan->n_vms > 0)
		steps_hear(show_step);
	rc = conclude(b, measure_all(b, plan, err), err);
	progress_done();
	result_finish(b->result, (double)(clock_now_ns() - b->started_ns) / 1e9,
		      rc < 0 ? err_exit_code(err) : 0, rc < 0 ? err->msg : "");
	print_result(b);
	return save_result(b->result, b->dir, b->conf.quiet, rc, err);
}

static int
bench_alone(struct bench *b, int argc, char **argv, struct err *err)
{
	struct chain_plan plan = {0};
	int rc = session_plan(&plan, &b->chain, false, b->conf.verbose, err);

	if (rc == 0 && b->conf.dry_run) {
		char *text = chain_plan_print(&plan, &b->chain);

		fputs(text, stdout);
		free(text);
	} else if (rc == 0) {
		rc = bench(b, argc, argv, &plan, err);
	}
	chain_plan_fini(&plan);
	return rc;
}

int
cmd_bench(int argc, char **argv, struct err *err)
{
	struct bench b = {0};
	int all_argc = argc, rc;
	char **all_argv = xcalloc((size_t)argc + 1, sizeof(*all_argv));

	memcpy(all_argv, argv, (size_t)argc * sizeof(*argv));
	rc = bench_conf_parse(&b.conf, argc, argv, err);
	if (rc == 0 && b.conf.verbose)
		log_init("nfvchain", LOG_INFO);
	if (rc == 0)
		rc = session_set_vms(b.conf.accel, b.conf.connect, err);
	session_force_ports = b.conf.force;
	if (rc == 0)
		rc = bench_conf_chain(&b.conf, &b.chain, err);
	if (rc == 0)
		rc = read_faults(&b, err);
	if (rc == 0 && b.chain.generator.kind == GENERATOR_TREX &&
	    (b.conf.peer != NULL || bench_conf_has_engines(&b.conf)))
		rc = err_usage(err, "a comparison needs nfvchain-gen as generator, not a TRex");
	if (rc == 0 && chain_has_files(&b.chain))
		rc = bench_files(&b.conf, &b.chain, err);
	else if (rc == 0 && b.conf.peer != NULL)
		rc = compare_with_peer(&b.conf, &b.chain, all_argc, all_argv, err);
	else if (rc == 0 && bench_conf_has_engines(&b.conf))
		rc = compare_engines(&b.conf, &b.chain, all_argc, all_argv, err);
	else if (rc == 0)
		rc = bench_alone(&b, all_argc, all_argv, err);
	chain_fini(&b.chain);
	bench_conf_fini(&b.conf);
	json_decref(b.result);
	free(b.selftest);
	free(b.dir);
	faulted_fini(&b.faulted);
	free(all_argv);
	return rc;
}
