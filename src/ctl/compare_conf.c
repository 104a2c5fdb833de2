/* SPDX-License-Identifier: MIT */
#include "compare_conf.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/mem.h"
#include "command.h"

#define DEFAULT_TIME_NS (120 * NSEC_PER_S)
#define MIN_SLICE_NS (5 * NSEC_PER_MS)
#define MAX_SLICE_NS (10 * NSEC_PER_S)
#define MIN_TIME_NS (1 * NSEC_PER_S)
#define MAX_TIME_NS (24 * 3600 * NSEC_PER_S)
#define MAX_ROUNDS 1000

static int
set_rate(void *field, const char *text, struct err *err)
{
	struct compare_conf *conf =
		(struct compare_conf *)((char *)field - OPT_FIELD(struct compare_conf, rate));

	conf->has_rate = true;
	return rate_parse(text, &conf->rate, err);
}

#define FIELD(member) OPT_FIELD(struct compare_conf, member)

static const char *const links[] = {"vhost-user", "memif", "veth", "veth-xdp", "tap", NULL};
static const char *const metrics[] = {"rate", "latency-p50", "latency-p99", NULL};

static const struct opt compare_opts[] = {
	{"metric", 'm', "NAME", "what is compared (rate)", opt_set_text, FIELD(metric), metrics, 0},
	{"rate", 'r', "RATE", "load at which latency is compared (100kpps)", set_rate, FIELD(rate),
	 NULL, OPT_NO_ENV},
	{"time", 't', "TIME", "all in all (2min)", opt_set_duration, FIELD(time_ns), NULL, 0},
	{"slice", 0, "TIME", "traffic of one turn of a side (6ms in turns, else 150ms)",
	 opt_set_duration, FIELD(slice_ns), NULL, 0},
	{"rounds", 0, "N", "restarts of all programs (as many as fit in)", opt_set_u32,
	 FIELD(rounds), NULL, 0},
	{"seed", 0, "N", "of the order of slices (from the clock)", opt_set_count, FIELD(seed),
	 NULL, 0},
	{"no-control", 0, NULL, "do not compare A with itself beside", opt_set_switch,
	 FIELD(no_control), NULL, 0},
	{"flat-out", 0, NULL, "compare rates by the wall clock, not of the hop's own CPU time",
	 opt_set_switch, FIELD(flat_out), NULL, 0},
	{"instructions", 0, NULL, "count instructions per frame too, under valgrind",
	 opt_set_switch, FIELD(instructions), NULL, 0},
	{"assert", 0, "CLAIM", "fail unless it holds, repeatable: 'loss_vs(baseline) < 3%'",
	 opt_set_list, FIELD(asserts), NULL, OPT_NO_ENV},
	{"frame-size", 's', "SIZE", "frames with FCS: 64, imix", opt_set_text, FIELD(frames), NULL,
	 0},
	{"flows", 'f', "N", "flows, 1 to 1000000 (1)", opt_set_count, FIELD(flows), NULL, 0},
	{"link", 0, "KIND", "links of sides that are no chain files", opt_set_text, FIELD(link),
	 links, 0},
	{"lcores", 0, "N", "lcores of sides that are exec:COMMAND (1)", opt_set_u32, FIELD(lcores),
	 NULL, 0},
	{"output", 'o', "DIR", "where results go (results)", opt_set_text, FIELD(output), NULL, 0},
	{"json", 0, NULL, "print result.json instead of the table", opt_set_switch, FIELD(json),
	 NULL, OPT_NO_ENV},
	{"quiet", 'q', NULL, "no progress on stderr", opt_set_switch, FIELD(quiet), NULL, 0},
	{"dry-run", 'n', NULL, "print both plans and touch nothing", opt_set_switch, FIELD(dry_run),
	 NULL, OPT_NO_ENV},
	{"verbose", 'v', NULL, "say each step; with --dry-run the command lines", opt_set_switch,
	 FIELD(verbose), NULL, 0},
};

const struct opt_command compare_command = {
	.name = "nfvchain compare",
	.positional = "A B...",
	.summary = "Says whether B is better, worse or equal to A: chains, programs or results.",
	.examples = "nfvchain compare before.yaml after.yaml --assert 'loss_vs(baseline) < 3%'\n"
		    "nfvchain compare testpmd poll --time 5m\n"
		    "nfvchain compare poll 'exec:./mine -l 1 {vdev0} {vdev1}' --link memif\n"
		    "nfvchain compare poll testpmd chains/exec.yaml\n"
		    "nfvchain compare results/monday results/latest\n",
	.env_prefix = "NFVCHAIN",
	.opts = compare_opts,
	.n_opts = N_ELEMS(compare_opts),
};

void
compare_conf_init(struct compare_conf *conf)
{
	*conf = (struct compare_conf){
		.metric = xstrdup("rate"),
		.output = xstrdup("results"),
		.time_ns = DEFAULT_TIME_NS,
	};
}

int
compare_conf_parse(struct compare_conf *conf, int argc, char **argv, struct err *err)
{
	int rc;

	compare_conf_init(conf);
	rc = opt_parse(&compare_command, &argc, &argv, conf, NULL, err);
	if (rc != 0)
		return rc;
	if (argc < 2 || argc > COMPARE_MAX_SIDES)
		return err_usage(err,
				 "two sides are wanted, A and B, or up to %d: chain files, "
				 "results, poll, testpmd, linux-bridge, ovs-dpdk or exec:COMMAND",
				 COMPARE_MAX_SIDES);
	conf->n_sides = (unsigned)argc;
	memcpy(conf->side, argv, conf->n_sides * sizeof(*argv));
	return compare_conf_check(conf, err);
}

static int
read_claims(struct compare_conf *conf, struct err *err)
{
	if (conf->asserts.n > COMPARE_MAX_CLAIMS)
		return err_usage(err, "--assert: at most %d of them", COMPARE_MAX_CLAIMS);
	for (size_t i = 0; i < conf->asserts.n; i++) {
		int rc = claim_parse(&conf->claim[i], conf->asserts.items[i], err);

		if (rc < 0)
			return err_wrap(err, rc, "--assert '%s'", conf->asserts.items[i]);
	}
	return 0;
}

static int
check_load(const struct compare_conf *conf, struct err *err)
{
	bool is_rate = strcmp(conf->metric, "rate") == 0;

	if (is_rate && conf->has_rate)
		return err_usage(err, "--rate is the load of a latency metric (--metric "
				      "latency-p50); rates are compared flat out");
	if (!is_rate && conf->flat_out)
		return err_usage(err, "--flat-out: latency is compared at a fixed --rate");
	if (conf->has_rate && (conf->rate.unit == RATE_PERCENT || conf->rate.unit == RATE_MAX))
		return err_usage(err, "--rate: 100kpps or 100mbps; there is nothing that it could "
				      "be a share of");
	return 0;
}

int
compare_conf_check(struct compare_conf *conf, struct err *err)
{
	size_t known = 0;
	int rc;

	while (metrics[known] != NULL && strcmp(metrics[known], conf->metric) != 0)
		known++;
	if (metrics[known] == NULL)
		return err_usage(err, "--metric: '%s' is none of rate, latency-p50, latency-p99",
				 conf->metric);
	if (conf->time_ns < MIN_TIME_NS || conf->time_ns > MAX_TIME_NS)
		return err_usage(err, "--time: 1s to 24h");
	if (conf->slice_ns != 0 && (conf->slice_ns < MIN_SLICE_NS || conf->slice_ns > MAX_SLICE_NS))
		return err_usage(err, "--slice: 5ms to 10s");
	if (conf->rounds > MAX_ROUNDS)
		return err_usage(err, "--rounds: 1 to %d", MAX_ROUNDS);
	if (conf->seed > INT64_MAX)
		return err_usage(err, "--seed: below 2^63");
	if (conf->flows > 1000000)
		return err_usage(err, "--flows: 1 to 1000000");
	rc = check_load(conf, err);
	if (rc == 0)
		rc = read_claims(conf, err);
	if (conf->seed == 0)
		conf->seed = (uint64_t)time(NULL);
	return rc;
}

void
compare_conf_fini(struct compare_conf *conf)
{
	free(conf->metric);
	free(conf->frames);
	free(conf->link);
	free(conf->output);
	opt_list_fini(&conf->asserts);
}
