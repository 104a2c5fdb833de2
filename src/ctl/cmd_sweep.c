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
#include "progress.h"
#include "report/csv.h"
#include "report/environment.h"
#include "report/html.h"
#include "report/result.h"
#include "report/sweep.h"
#include "report/text.h"
#include "save.h"
#include "session.h"
#include "sweep_run.h"

/* nfvchain sweep: which engine suits where. */

static void
print_result(const struct sweep_conf *conf, const json_t *result)
{
	if (conf->json) {
		json_write(result, stdout);
	} else {
		char *text = text_render(result, isatty(1) && getenv("NO_COLOR") == NULL);

		fputs(text, stdout);
		free(text);
	}
	fflush(stdout);
}

/* Writes 'text', which it frees, beside the others. */
static void
save_text(const char *dir, const char *name, char *text, bool quiet, struct err *err)
{
	char *path = xasprintf("%s/%s", dir, name);

	if (result_save_text(text, path, err) == 0 && !quiet)
		LOG(NOTICE, "%s", path);
	free(text);
	free(path);
}

static int
save(const json_t *result, const char *dir, bool quiet, int rc, struct err *err)
{
	char *path = xasprintf("%s/" RESULT_SWEEP, dir);
	struct sweep_view view;
	struct err why = {0};

	if (json_save(result, path, &why) == 0 && !quiet)
		LOG(NOTICE, "%s", path);
	free(path);
	if (sweep_view_init(&view, result)) {
		struct str svg = {0};

		sweep_svg(&svg, &view, true);
		save_text(dir, "sweep.svg", str_take(&svg), quiet, &why);
	}
	save_text(dir, "sweep.csv", csv_render(result), quiet, &why);
	save_text(dir, RESULT_REPORT, html_render(result), quiet, &why);
	return save_conclude(rc, &why, dir, err);
}

/* What the sweep comes to: 0, or the exit code's error. */
static int
conclude(const struct sweep *s, int rc, struct err *err)
{
	if (rc == -EINTR || session_stop != 0)
		return session_interrupted(err);
	if (rc == 0 && s->n_unbalanced > 0)
		return err_class(err, ERR_ACCOUNTING, "%s (%u starts have such books)",
				 s->unbalanced, s->n_unbalanced);
	return rc;
}

static bool
has_turns(const struct sweep *s)
{
	for (size_t i = 0; i < s->n_cells; i++)
		if (s->cell[i].n_turns > 0)
			return true;
	return false;
}

static int
run(struct sweep *s, int argc, char **argv, struct err *err)
{
	json_t *result = result_new(argc, argv, NULL, NULL, environment_capture(NULL));
	uint64_t start = clock_now_ns();
	char *dir = NULL;
	int rc = result_make_dir(s->conf->output, "sweep", &dir, err);

	if (rc == 0) {
		progress_init(s->conf->quiet ? PROGRESS_NONE : PROGRESS_AUTO);
		session_catch_signals();
		rc = conclude(s, sweep_run(s, err), err);
		progress_done();
		json_object_set_new(result, "sweep", sweep_to_json(s));
		result_finish(result, (double)(clock_now_ns() - start) / 1e9,
			      rc < 0 ? err_exit_code(err) : 0, rc < 0 ? err->msg : "");
		if (has_turns(s))
			print_result(s->conf, result);
		rc = save(result, dir, s->conf->quiet, rc, err);
	}
	json_decref(result);
	free(dir);
	return rc;
}

/* ---- dry run ---- */

static void
print_commands(const struct sweep *s, const struct sweep_cell *cell)
{
	for (unsigned arm = 0; arm < s->conf->n_arms; arm++) {
		char **words = sweep_arm_words(&s->conf->arm[arm], s->conf, &cell->point);
		const struct alone_spec spec = sweep_spec(s, cell, arm, words);
		char *command = alone_command(&spec);

		printf("    %s\n", command);
		free(command);
		sweep_words_free(words);
	}
}

static int
dry_run(const struct sweep *s)
{
	json_t *json;

	if (s->conf->json) {
		json = sweep_to_json(s);
		json_write(json, stdout);
		json_decref(json);
		return 0;
	}
	printf("%zu cells of %zu can be measured on %zu CPUs, %u engines in each: ",
	       s->n_measurable, s->n_cells, s->allowed.n, s->conf->n_arms);
	for (unsigned arm = 0; arm < s->conf->n_arms; arm++)
		printf("%s%s", arm > 0 ? ", " : "", s->conf->arm[arm].label);
	printf("\n%u rounds of %u blocks, about %.0f s\n\n", s->plan.n_rounds,
	       s->plan.blocks_per_round, (double)s->plan.total_ns / 1e9);
	for (size_t i = 0; i < s->n_cells; i++) {
		char *name = sweep_cell_name(s, &s->cell[i]);

		printf("  %s%s\n", name[0] != '\0' ? name : "one cell",
		       s->cell[i].measurable ? "" : "  not measured: too few CPUs");
		if (s->conf->verbose && s->cell[i].measurable)
			print_commands(s, &s->cell[i]);
		free(name);
	}
	return 0;
}

static int
sweep(const struct sweep_conf *conf, const struct chain_cpus *allowed, int argc, char **argv,
      struct err *err)
{
	struct sweep s;
	int rc = sweep_init(&s, conf, allowed, err);

	if (conf->verbose)
		log_init("nfvchain", LOG_INFO);
	if (rc == 0)
		rc = conf->dry_run ? dry_run(&s) : run(&s, argc, argv, err);
	sweep_fini(&s);
	return rc;
}

int
cmd_sweep(int argc, char **argv, struct err *err)
{
	struct sweep_conf conf;
	struct chain_cpus allowed;
	int all_argc = argc, rc = session_allowed_cpus(&allowed, err);
	char **all_argv;

	if (rc < 0)
		return rc;
	all_argv = xcalloc((size_t)argc + 1, sizeof(*all_argv));
	memcpy(all_argv, argv, (size_t)argc * sizeof(*argv));
	rc = sweep_conf_parse(&conf, argc, argv, (unsigned)allowed.n, err);
	if (rc == 0)
		rc = sweep(&conf, &allowed, all_argc, all_argv, err);
	sweep_conf_fini(&conf);
	free(all_argv);
	return rc;
}
