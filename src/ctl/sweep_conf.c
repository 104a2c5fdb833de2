/* SPDX-License-Identifier: MIT */
#include "sweep_conf.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/mem.h"
#include "command.h"

#define DEFAULT_TIME_NS (300 * NSEC_PER_S)
#define DEFAULT_TURN_NS (40 * NSEC_PER_MS)
#define MIN_TURN_NS (10 * NSEC_PER_MS)
#define MAX_TURN_NS (10 * NSEC_PER_S)
#define MIN_TIME_NS (1 * NSEC_PER_S)
#define MAX_TIME_NS (24 * 3600 * NSEC_PER_S)
#define MAX_CLASSES 4096
#define MAX_VECTOR 64

/* What axes are in the map, and what else. */
static const struct {
	const char *map, *fixed;
} defaults[SWEEP_N_AXES] = {
	[SWEEP_WORK] = {"0,100,300,1000,2000", "300"},
	[SWEEP_FLOWS] = {"64", "64"},
	[SWEEP_STAGES] = {"2", "2"},
	[SWEEP_BURST] = {"32", "32"},
	[SWEEP_SKEW] = {"0,1,2", "0"},
	[SWEEP_LCORES] = {"1,2,4,8", "2"},
};

#define FIELD(member) OPT_FIELD(struct sweep_conf, member)
#define AXIS_SETTER(name, id)                                                 \
	static int set_##name(void *field, const char *text, struct err *err) \
	{                                                                     \
		return sweep_axis_parse(field, id, text, err);                \
	}

AXIS_SETTER(work, SWEEP_WORK)
AXIS_SETTER(flows, SWEEP_FLOWS)
AXIS_SETTER(stages, SWEEP_STAGES)
AXIS_SETTER(burst, SWEEP_BURST)
AXIS_SETTER(skew, SWEEP_SKEW)
AXIS_SETTER(lcores, SWEEP_LCORES)

static const char *const scheds[] = {"atomic", "ordered", "parallel", NULL};

static const struct opt sweep_opts[] = {
	{"work", 0, "LIST", "cycles of a frame, over all stages (0,100,300,1000,2000)", set_work,
	 FIELD(axis[SWEEP_WORK]), NULL, OPT_NO_ENV},
	{"skew", 0, "LIST", "how uneven that is among flows, 0 to 4 (0,1,2)", set_skew,
	 FIELD(axis[SWEEP_SKEW]), NULL, OPT_NO_ENV},
	{"lcores", 0, "LIST", "lcores, each on a CPU of its own (1,2,4,8)", set_lcores,
	 FIELD(axis[SWEEP_LCORES]), NULL, OPT_NO_ENV},
	{"stages", 0, "LIST", "functions in a row that share the work, 1 to 8 (2)", set_stages,
	 FIELD(axis[SWEEP_STAGES]), NULL, OPT_NO_ENV},
	{"flows", 'f', "LIST", "flows, 1 to 1000000 (64)", set_flows, FIELD(axis[SWEEP_FLOWS]),
	 NULL, OPT_NO_ENV},
	{"burst", 'b', "LIST", "frames received at once, 1 to 256 (32)", set_burst,
	 FIELD(axis[SWEEP_BURST]), NULL, OPT_NO_ENV},
	{"engine", 'e', "LIST",
	 "poll, event, pipeline; these with :sw, :dsw, :parallel, :all (all three)", opt_set_text,
	 FIELD(engines), NULL, OPT_NO_ENV},
	{"sched", 0, "TYPE", "how event engines serve a flow (atomic)", opt_set_text, FIELD(sched),
	 scheds, OPT_NO_ENV},
	{"vector", 0, "N", "up to N frames of a flow are one event, up to 64 (0)", opt_set_u32,
	 FIELD(vector), NULL, OPT_NO_ENV},
	{"classes", 0, "N", "of flows that cost the same, where work is skewed (64)", opt_set_count,
	 FIELD(classes), NULL, OPT_NO_ENV},
	{"flow-seed", 0, "N", "draw flows, as a network would, instead of neighbours",
	 opt_set_count, FIELD(flow_seed), NULL, OPT_NO_ENV},
	{"time", 't', "TIME", "all in all, about (5min)", opt_set_duration, FIELD(time_ns), NULL,
	 OPT_NO_ENV},
	{"turn", 0, "TIME", "for which an engine works at once (40ms)", opt_set_duration,
	 FIELD(turn_ns), NULL, OPT_NO_ENV},
	{"seed", 0, "N", "of the order of cells and turns (from the clock)", opt_set_count,
	 FIELD(seed), NULL, OPT_NO_ENV},
	{"output", 'o', "DIR", "where results go (results)", opt_set_text, FIELD(output), NULL, 0},
	{"json", 0, NULL, "print sweep.json instead of the tables", opt_set_switch, FIELD(json),
	 NULL, OPT_NO_ENV},
	{"quiet", 'q', NULL, "no progress on stderr", opt_set_switch, FIELD(quiet), NULL, 0},
	{"dry-run", 'n', NULL, "print what would be measured and touch nothing", opt_set_switch,
	 FIELD(dry_run), NULL, OPT_NO_ENV},
	{"verbose", 'v', NULL, "say each step; with --dry-run each command line", opt_set_switch,
	 FIELD(verbose), NULL, 0},
};

const struct opt_command sweep_command = {
	.name = "nfvchain sweep",
	.summary = "Measures engines over work, skew, lcores and more: which one suits where.",
	.examples = "nfvchain sweep\n"
		    "nfvchain sweep --stages 1..8 --work 2000 --time 1min\n"
		    "nfvchain sweep --work 300,2000 --flows 1,4,64 --engine poll,event:all\n"
		    "nfvchain sweep --dry-run\n",
	.env_prefix = "NFVCHAIN",
	.opts = sweep_opts,
	.n_opts = N_ELEMS(sweep_opts),
};

static int
read_arms(struct sweep_conf *conf, struct err *err)
{
	char *copy = xstrdup(conf->engines), *rest = copy, *word;
	int rc = 0;

	while (rc == 0 && (word = strsep(&rest, ",")) != NULL) {
		if (conf->n_arms == SWEEP_MAX_ARMS) {
			rc = err_usage(err, "--engine: at most %d of them", SWEEP_MAX_ARMS);
			break;
		}
		rc = err_wrap(err, sweep_arm_parse(&conf->arm[conf->n_arms], word, err),
			      "--engine '%s'", word);
		for (unsigned i = 0; rc == 0 && i < conf->n_arms; i++)
			if (strcmp(conf->arm[i].label, word) == 0)
				rc = err_usage(err, "--engine: '%s' stands there twice", word);
		conf->n_arms++;
	}
	free(copy);
	return rc;
}

/* Axes that were not given: those of the map, unless one that was given varies already. */
static int
fill_axes(struct sweep_conf *conf, unsigned n_cpus, struct err *err)
{
	bool varies = false;
	int rc = 0;

	for (size_t i = 0; i < SWEEP_N_AXES; i++)
		varies |= conf->axis[i].n > 1;
	for (size_t i = 0; rc == 0 && i < SWEEP_N_AXES; i++) {
		const char *text = varies ? defaults[i].fixed : defaults[i].map;

		if (conf->axis[i].n > 0)
			continue;
		if (i == SWEEP_LCORES && varies && n_cpus < 2)
			text = "1";
		rc = sweep_axis_parse(&conf->axis[i], (enum sweep_axis_id)i, text, err);
	}
	return rc;
}

static int
check(struct sweep_conf *conf, struct err *err)
{
	size_t known = 0;

	while (scheds[known] != NULL && strcmp(scheds[known], conf->sched) != 0)
		known++;
	if (scheds[known] == NULL)
		return err_usage(err, "--sched: '%s' is none of atomic, ordered, parallel",
				 conf->sched);
	if (conf->time_ns < MIN_TIME_NS || conf->time_ns > MAX_TIME_NS)
		return err_usage(err, "--time: 1s to 24h");
	if (conf->turn_ns < MIN_TURN_NS || conf->turn_ns > MAX_TURN_NS)
		return err_usage(err, "--turn: 10ms to 10s");
	if (conf->classes < 1 || conf->classes > MAX_CLASSES)
		return err_usage(err, "--classes: 1 to %d", MAX_CLASSES);
	if (conf->vector > MAX_VECTOR)
		return err_usage(err, "--vector: 0 to %d", MAX_VECTOR);
	if (conf->seed > INT64_MAX || conf->flow_seed > INT64_MAX)
		return err_usage(err, "--seed, --flow-seed: below 2^63");
	if (conf->seed == 0)
		conf->seed = (uint64_t)time(NULL);
	return 0;
}

int
sweep_conf_parse(struct sweep_conf *conf, int argc, char **argv, unsigned n_cpus, struct err *err)
{
	int rc;

	*conf = (struct sweep_conf){
		.engines = xstrdup("poll,event,pipeline"),
		.sched = xstrdup("atomic"),
		.classes = 64,
		.time_ns = DEFAULT_TIME_NS,
		.turn_ns = DEFAULT_TURN_NS,
		.output = xstrdup("results"),
	};
	rc = opt_parse(&sweep_command, &argc, &argv, conf, NULL, err);
	if (rc != 0)
		return rc;
	rc = read_arms(conf, err);
	if (rc == 0)
		rc = fill_axes(conf, n_cpus, err);
	return rc == 0 ? check(conf, err) : rc;
}

void
sweep_conf_fini(struct sweep_conf *conf)
{
	free(conf->engines);
	free(conf->sched);
	free(conf->output);
}
