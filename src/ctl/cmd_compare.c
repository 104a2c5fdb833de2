/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "command.h"
#include "compare.h"
#include "progress.h"
#include "report/environment.h"
#include "report/result.h"
#include "save.h"

/* nfvchain compare: A and B, in turns, until it is known which is better. */

static void
print_result(const struct compare_conf *conf, const json_t *result)
{
	if (conf->json) {
		json_write(result, stdout);
	} else {
		char *text = compare_text(result, isatty(1) && getenv("NO_COLOR") == NULL);

		fputs(text, stdout);
		free(text);
	}
	fflush(stdout);
}

static void
label(struct compare *c)
{
	struct paired *p = &c->paired;

	str_copy(p->metric, sizeof(p->metric), c->conf->metric);
	str_copy(p->unit, sizeof(p->unit), c->metric == COMPARE_RATE ? "pps" : "ns");
	for (unsigned i = 0; i < c->n_arms; i++) {
		const struct compare_side *side = c->arm[i].side;

		str_copy(p->arm[i].label, sizeof(p->arm[i].label), side->label);
		str_copy(p->arm[i].command, sizeof(p->arm[i].command), side->command);
	}
}

/* What the session comes to, for 'result': 0, or the exit code's error. */
static int
conclude(struct compare *c, int rc, json_t *result, struct err *err)
{
	if (rc == -EINTR || session_stop != 0)
		return session_interrupted(err);
	if (rc < 0)
		return rc;
	label(c);
	compare_add_to_result(c, result);
	if (c->n_unbalanced > 0)
		return err_class(err, ERR_ACCOUNTING,
				 "%u trials have frames that nobody accounts for (see result.json)",
				 c->n_unbalanced);
	return c->conf->only_tell ? 0 : compare_conclude(result, err);
}

static int
run(struct compare *c, int argc, char **argv, struct err *err)
{
	json_t *result = result_new(argc, argv, chain_to_json(&c->side[1].chain), NULL,
				    environment_capture(NULL));
	uint64_t start = clock_now_ns();
	char *dir = NULL;
	int rc = result_make_dir(c->conf->output, c->side[0].chain.name, &dir, err);

	if (rc == 0) {
		progress_init(c->conf->quiet ? PROGRESS_NONE : PROGRESS_AUTO);
		session_catch_signals();
		rc = conclude(c, compare_run(c, err), result, err);
		progress_done();
		result_finish(result, (double)(clock_now_ns() - start) / 1e9,
			      rc < 0 ? err_exit_code(err) : 0, rc < 0 ? err->msg : "");
		if (json_object_get(result, "comparison") != NULL)
			print_result(c->conf, result);
		rc = save_result(result, dir, c->conf->quiet, rc, err);
	}
	json_decref(result);
	free(dir);
	return rc;
}

static int
print_plans(const struct compare *c, struct err *err)
{
	int rc = 0;

	for (unsigned i = 0; rc == 0 && i < c->n_sides; i++) {
		struct chain_plan plan = {0};
		char *text;

		rc = session_plan_arm(&plan, &c->side[i].chain, (char)('a' + i), false,
				      c->conf->verbose, err);
		if (rc < 0)
			break;
		text = chain_plan_print(&plan, &c->side[i].chain);
		printf("%s%c: %s\n%s", i > 0 ? "\n" : "", 'A' + i, c->side[i].label, text);
		free(text);
		chain_plan_fini(&plan);
	}
	return rc;
}

static enum compare_metric
metric_of(const char *name)
{
	if (strcmp(name, "latency-p50") == 0)
		return COMPARE_P50;
	return strcmp(name, "latency-p99") == 0 ? COMPARE_P99 : COMPARE_RATE;
}

int
compare_sides(const struct compare_conf *conf, struct compare_side *side, unsigned n_sides,
	      int argc, char **argv, struct err *err)
{
	struct compare c = {
		.conf = conf,
		.n_sides = n_sides,
		.metric = metric_of(conf->metric),
	};
	int rc;

	memcpy(c.side, side, n_sides * sizeof(*side));
	memset(side, 0, n_sides * sizeof(*side));
	rc = compare_sides_check(c.side, n_sides, conf->verbose, err);

	if (rc == 0 && conf->verbose)
		log_init("nfvchain", LOG_INFO);
	if (rc == 0)
		rc = conf->dry_run ? print_plans(&c, err) : run(&c, argc, argv, err);
	paired_fini(&c.paired);
	json_decref(c.slices);
	json_decref(c.trials);
	json_decref(c.instructions);
	for (unsigned i = 0; i < n_sides; i++)
		compare_side_fini(&c.side[i]);
	return rc;
}

/* Two results that are there already. */
static int
compare_files(const struct compare_conf *conf, int argc, char **argv, struct err *err)
{
	json_t *comparison = NULL;
	int rc = compare_results(conf, &comparison, err);
	json_t *result;

	if (rc < 0)
		return rc;
	result = result_new(argc, argv, NULL, NULL, NULL);
	json_object_set_new(result, "comparison", comparison);
	rc = compare_conclude(result, err);
	result_finish(result, 0, rc < 0 ? err_exit_code(err) : 0, rc < 0 ? err->msg : "");
	print_result(conf, result);
	json_decref(result);
	return rc;
}

static int
compare(const struct compare_conf *conf, int argc, char **argv, struct err *err)
{
	struct compare_side side[COMPARE_MAX_SIDES] = {0};
	unsigned n_results = 0;
	int rc = 0;

	for (unsigned i = 0; i < conf->n_sides; i++)
		n_results += compare_is_result(conf->side[i]);
	if (n_results == 2 && conf->n_sides == 2)
		return compare_files(conf, argc, argv, err);
	if (n_results > 0)
		return err_usage(err,
				 "%u of these are results and %u are none: two results, or "
				 "two to %d sides to run",
				 n_results, conf->n_sides - n_results, COMPARE_MAX_SIDES);
	for (unsigned i = 0; rc == 0 && i < conf->n_sides; i++)
		rc = err_wrap(err, compare_side_make(&side[i], conf->side[i], conf, err), "%c",
			      'A' + (int)i);
	if (rc == 0)
		return compare_sides(conf, side, conf->n_sides, argc, argv, err);
	for (unsigned i = 0; i < conf->n_sides; i++)
		compare_side_fini(&side[i]);
	return rc;
}

int
cmd_compare(int argc, char **argv, struct err *err)
{
	struct compare_conf conf;
	int all_argc = argc, rc;
	char **all_argv = xcalloc((size_t)argc + 1, sizeof(*all_argv));

	memcpy(all_argv, argv, (size_t)argc * sizeof(*argv));
	rc = compare_conf_parse(&conf, argc, argv, err);
	if (rc == 0)
		rc = compare(&conf, all_argc, all_argv, err);
	compare_conf_fini(&conf);
	free(all_argv);
	return rc;
}
