/* SPDX-License-Identifier: MIT */
#include "procedure.h"

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/assert_near.h"
#include "base/assert_within.h"
#include "base/clock.h"
#include "base/mem.h"
#include "preset.h"
#include "sim.h"

static struct procedure_result r;

/* ---- presets ---- */

static void
presets_have_the_published_goals(void **state)
{
	static const struct {
		const char *name, *procedure, *code, *second_code;
	} rows[] = {
		{"search", "binary", "1f3d0l0e", NULL},
		{"quick", "mlrsearch", "0.5f5.5d0l50e", "0.5f5.5d.5l50e"},
		{"csit-ndr", "mlrsearch", "1f21d0l50e", NULL},
		{"csit-pdr", "mlrsearch", "1f21d.5l50e", NULL},
		{"rfc2544", "rfc2544", "60f60d0l0e", NULL},
		{"tst009", "mlrsearch", "60f120d0l50e", NULL},
		{"tst009-z", "tst009", "60f60d0l0e", NULL},
		{"nfvbench", "binary", "60f60d.001l0e", "60f60d.1l0e"},
	};
	const struct preset *p;
	char code[64];

	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		assert_int_equal(preset_find(rows[i].name, &p, NULL), 0);
		assert_string_equal(p->name, rows[i].name);
		assert_string_equal(procedure_name(p->procedure.kind), rows[i].procedure);
		assert_int_equal(p->procedure.n_goals, rows[i].second_code == NULL ? 1 : 2);
		assert_string_equal(goal_code(code, sizeof(code), &p->procedure.goal[0]),
				    rows[i].code);
		if (rows[i].second_code != NULL)
			assert_string_equal(goal_code(code, sizeof(code), &p->procedure.goal[1]),
					    rows[i].second_code);
	}
	assert_int_equal(preset_find("rfc2544", &p, NULL), 0);
	assert_int_equal(p->drain_ns, 2 * NSEC_PER_S);
	assert_int_equal(p->rest_ns, 5 * NSEC_PER_S);
	assert_int_equal(preset_find("tst009-z", &p, NULL), 0);
	assert_int_equal(p->procedure.tries, 3);
	assert_int_equal(p->procedure.max_lost, 5000);
	/* Halving until it is less than 0.1 % of the maximum. */
	assert_int_equal(preset_find("nfvbench", &p, NULL), 0);
	assert_true(p->procedure.step_of_max == 1.0 / 1024);
}

static void
every_preset_is_found_and_explained(void **state)
{
	size_t n = 0;

	(void)state;
	for (const struct preset *row = preset_table(); row->name != NULL; row++, n++) {
		const struct preset *p = NULL;

		assert_int_equal(preset_find(row->name, &p, NULL), 0);
		assert_ptr_equal(p, row);
		assert_within(strlen(row->summary), 20, 80);
		assert_true(row->n_repeats > 0);
		assert_true(row->procedure.max_pps == 0);
		for (size_t i = 0; i < row->procedure.n_goals; i++)
			assert_int_equal(goal_check(&row->procedure.goal[i], NULL), 0);
	}
	assert_int_equal(n, 9);
}

static void
did_you_mean(void **state)
{
	const struct preset *p;
	struct err err;

	(void)state;
	assert_int_equal(preset_find("rfc-2544", &p, &err), -EINVAL);
	assert_string_equal(err.msg, "no preset 'rfc-2544' (did you mean 'rfc2544'?)");
	assert_int_equal(err.class, ERR_USAGE);
	assert_int_equal(preset_find("csit", &p, &err), -EINVAL);
	assert_int_equal(preset_find("something", &p, &err), -EINVAL);
	assert_string_equal(err.msg, "no preset 'something'");
	assert_int_equal(preset_find("", &p, &err), -EINVAL);
}

/* ---- procedures ---- */

static struct procedure_conf
conf_of(const char *name, double max_pps)
{
	const struct preset *p;
	struct procedure_conf conf;

	assert_int_equal(preset_find(name, &p, NULL), 0);
	conf = p->procedure;
	conf.max_pps = max_pps;
	return conf;
}

static int
run(const struct procedure_conf *conf, const struct sim_model *model, struct err *err)
{
	struct sim sim;
	struct measurer m = sim_measurer(&sim);
	int rc;

	sim_init(&sim, model, 1);
	rc = procedure_run(conf, &m, &r, err);
	assert_int_equal(r.n_trials, sim.n_trials);
	assert_int_equal(r.kind, conf->kind);
	return rc;
}

static void
each_fills_in_its_own(void **state)
{
	struct sim_model model = sim_steady(1e6);

	(void)state;
	for (const struct preset *row = preset_table(); row->name != NULL; row++) {
		struct procedure_conf conf = conf_of(row->name, 10e6);
		bool has_curve = strcmp(row->name, "rfc2544") == 0;
		bool has_mrr = strcmp(row->name, "mrr") == 0;

		assert_int_equal(run(&conf, &model, NULL), 0);
		assert_int_equal(r.n_goals, conf.n_goals);
		assert_int_equal(r.curve.n > 0, has_curve);
		assert_int_equal(r.mrr.n > 0, has_mrr);
		for (size_t i = 0; i < r.n_goals; i++) {
			double truth = 1e6 / (1 - conf.goal[i].loss_ratio);

			assert_int_equal(r.found[i].end, SEARCH_FOUND);
			assert_true(r.found[i].accepted_pps <= truth);
			assert_true(r.found[i].rejected_pps > truth);
		}
		/* An ETA is an upper bound, and not a wild one. */
		if (conf.kind != PROCEDURE_MLRSEARCH)
			assert_within(r.n_trials, procedure_max_trials(&conf) / 4,
				      procedure_max_trials(&conf));
	}
}

static void
trials_at_most(void **state)
{
	static const struct {
		const char *name;
		size_t most;
	} rows[] = {
		/* Of two loads, the lowest and a step above it; NFVbench has ten halvings. */
		{"search", 6}, {"rfc2544", 12}, {"tst009-z", 6}, {"nfvbench", 22}, {"mrr", 10},
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		struct procedure_conf conf = conf_of(rows[i].name, 1001);

		assert_int_equal(procedure_max_trials(&conf), rows[i].most);
		conf.kind = PROCEDURE_LOSS_CURVE;
		conf.curve_step = 0.03;
		assert_int_equal(procedure_max_trials(&conf), 34);
	}
}

static void
mrr_and_curve_have_no_goals(void **state)
{
	struct sim_model model = sim_steady(1e6);
	struct procedure_conf conf = conf_of("mrr", 2e6);

	(void)state;
	assert_int_equal(run(&conf, &model, NULL), 0);
	assert_near(r.mrr.median_pps, 1e6, 1e-3);
	assert_int_equal(r.n_goals, 0);
	conf = conf_of("rfc2544", 2e6);
	conf.kind = PROCEDURE_LOSS_CURVE;
	assert_int_equal(run(&conf, &model, NULL), 0);
	assert_int_equal(r.n_goals, 0);
	assert_int_equal(r.curve.n, 7);
	assert_string_equal(procedure_name(r.kind), "loss_curve");
	assert_true(isnan(r.mrr.median_pps));
	/* And rfc2544 need not have a curve. */
	conf.kind = PROCEDURE_RFC2544;
	conf.curve_step = 0;
	assert_int_equal(run(&conf, &model, NULL), 0);
	assert_int_equal(r.curve.n, 0);
	assert_int_equal(r.found[0].end, SEARCH_FOUND);
}

static void
count_call(void *ctx, const struct mlr_progress *p)
{
	++*(unsigned *)ctx;
}

static void
mlrsearch_has_its_limits(void **state)
{
	struct sim_model model = sim_steady(1e6);
	struct procedure_conf conf = conf_of("quick", 10e6);
	unsigned n_calls = 0;
	size_t n_trials;

	(void)state;
	conf.progress = count_call;
	conf.progress_ctx = &n_calls;
	assert_int_equal(run(&conf, &model, NULL), 0);
	n_trials = r.n_trials;
	assert_int_equal(n_calls, n_trials);
	/* Without coarser targets it goes another way. */
	conf.n_preceding = 0;
	assert_int_equal(run(&conf, &model, NULL), 0);
	assert_int_not_equal(r.n_trials, n_trials);
	/* Four trials of half a second, or two with as much between them. */
	conf.max_ns = 2 * NSEC_PER_S;
	assert_int_equal(run(&conf, &model, NULL), 0);
	assert_int_equal(r.n_trials, 4);
	conf.overhead_ns = NSEC_PER_S / 2;
	assert_int_equal(run(&conf, &model, NULL), 0);
	assert_int_equal(r.n_trials, 2);
	assert_int_not_equal(r.found[0].end, SEARCH_FOUND);
	conf.max_ns = 0;
	conf.max_trials = 3;
	assert_int_equal(run(&conf, &model, NULL), 0);
	assert_int_equal(r.n_trials, 3);
}

static void
what_makes_no_sense_is_refused(void **state)
{
	struct sim_model model = sim_steady(1e6);
	struct procedure_conf conf;
	struct err err;

	(void)state;
	conf = conf_of("search", 10e6);
	conf.n_goals = 0;
	assert_int_equal(run(&conf, &model, &err), -EINVAL);
	assert_string_equal(err.msg, "procedure 'binary' takes 1 to 4 goals, not 0");
	conf.n_goals = PROCEDURE_MAX_GOALS + 1;
	assert_int_equal(run(&conf, &model, &err), -EINVAL);
	assert_int_equal(r.n_goals, 0);
	conf = conf_of("tst009-z", 10e6);
	conf.n_goals = 2;
	assert_int_equal(run(&conf, &model, &err), -EINVAL);
	conf = conf_of("nfvbench", 10e6);
	conf.goal[1].trial_ns = NSEC_PER_S;
	assert_int_equal(run(&conf, &model, &err), -EINVAL);
	/* Presets know no maximum. */
	for (const struct preset *row = preset_table(); row->name != NULL; row++) {
		conf = conf_of(row->name, 0);
		assert_int_equal(run(&conf, &model, &err), -EINVAL);
	}
}

static void
interruptions_are_passed_on(void **state)
{
	struct sim_model model = sim_steady(1e6);

	(void)state;
	for (const struct preset *row = preset_table(); row->name != NULL; row++) {
		struct procedure_conf conf = conf_of(row->name, 10e6);
		struct sim sim;
		struct measurer m = sim_measurer(&sim);
		struct err err = {0};

		sim_init(&sim, &model, 1);
		sim.stop_after = 5;
		assert_int_equal(procedure_run(&conf, &m, &r, &err), -EINTR);
		assert_string_equal(err.msg, "stopped");
		assert_int_equal(r.n_trials, 5);
	}
}

static void
a_tuned_preset_needs_as_many_trials_as_before(void **state)
{
	const struct preset_tune tune = {.trial_ns = 200000000, .step_ratio = 1.1};
	const struct preset *preset;
	struct procedure_conf conf;
	char code[64];

	(void)state;
	assert_int_equal(preset_find("quick", &preset, NULL), 0);
	conf = preset_procedure(preset, &tune, 1e6);
	assert_string_equal(goal_code(code, sizeof(code), &conf.goal[1]), "0.2f2.2d.5l50e");
	assert_near(conf.goal[0].width, 1 - 1 / 1.1, 1e-12);
	assert_near(conf.max_pps, 1e6, 0);
	/* Nothing asked for changes nothing. */
	conf = preset_procedure(preset, &(struct preset_tune){0}, 1500);
	assert_string_equal(goal_code(code, sizeof(code), &conf.goal[1]), "0.5f5.5d.5l50e");
	assert_near(conf.min_pps, 750, 0);
	for (size_t i = 0; preset_names[i] != NULL; i++)
		assert_string_equal(preset_names[i], preset_table()[i].name);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(presets_have_the_published_goals),
		cmocka_unit_test(every_preset_is_found_and_explained),
		cmocka_unit_test(a_tuned_preset_needs_as_many_trials_as_before),
		cmocka_unit_test(did_you_mean),
		cmocka_unit_test(each_fills_in_its_own),
		cmocka_unit_test(trials_at_most),
		cmocka_unit_test(mrr_and_curve_have_no_goals),
		cmocka_unit_test(mlrsearch_has_its_limits),
		cmocka_unit_test(what_makes_no_sense_is_refused),
		cmocka_unit_test(interruptions_are_passed_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
