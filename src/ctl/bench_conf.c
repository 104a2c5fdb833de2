/* SPDX-License-Identifier: MIT */
#include "bench_conf.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "command.h"
#include "session.h"

#define MIN_TRIAL_NS (10 * NSEC_PER_MS)
#define MAX_TRIAL_NS (3600 * NSEC_PER_S)

static int
set_rate(void *field, const char *text, struct err *err)
{
	struct bench_conf *conf =
		(struct bench_conf *)((char *)field - OPT_FIELD(struct bench_conf, rate));

	conf->has_rate = true;
	return rate_parse(text, &conf->rate, err);
}

#define FIELD(member) OPT_FIELD(struct bench_conf, member)

static const char *const links[] = {"vhost-user", "memif", "ring", "veth", "veth-xdp", "tap", NULL};

static const char *const attributions[] = {"auto", "on", "off", NULL};

static const struct opt bench_opts[] = {
	{"rate", 'r', "RATE", "one trial at this load instead of a search: 1mpps, 100mbps, 50%",
	 set_rate, FIELD(rate), NULL, 0},
	{"duration", 'd', "TIME", "length of that trial (5s)", opt_set_duration, FIELD(duration_ns),
	 NULL, 0},
	{"frame-size", 's', "SIZES", "frames with FCS, each measured: 64,imix,64:1+1518:1",
	 opt_set_text, FIELD(frames), NULL, 0},
	{"flows", 'f', "N", "flows, 1 to 1000000 (1)", opt_set_count, FIELD(flows), NULL, 0},
	{"hops", 0, "N", "forwarders in the default chain (1)", opt_set_u32, FIELD(hops), NULL, 0},
	{"link", 0, "KIND", "links of the default chain", opt_set_text, FIELD(link), links, 0},
	{"engine", 0, "ENGINE",
	 "poll, event or pipeline; several are compared: poll,event,pipeline", opt_set_text,
	 FIELD(engine), NULL, 0},
	{"preset", 'p', "NAME", "how the rate is searched, and what for (" CHAIN_PRESET ")",
	 opt_set_text, FIELD(preset), preset_names, 0},
	{"trial", 0, "TIME", "length of its final trials (the preset's)", opt_set_duration,
	 FIELD(trial_ns), NULL, 0},
	{"repeat", 0, "N", "searches for each frame size (the preset's)", opt_set_u32,
	 FIELD(repeat), NULL, 0},
	{"peer", 0, "PEER",
	 "compare with testpmd, linux-bridge, ovs-dpdk, poll, exec:COMMAND or a chain file, in a "
	 "paired run",
	 opt_set_text, FIELD(peer), NULL, OPT_NO_ENV},
	{"assert", 0, "CLAIM", "about --peer, repeatable: 'loss_vs(baseline) < 3%'", opt_set_list,
	 FIELD(asserts), NULL, OPT_NO_ENV},
	{"time", 0, "TIME", "of a comparison (--peer, several engines), all in all (2min)",
	 opt_set_duration, FIELD(time_ns), NULL, OPT_NO_ENV},
	{"fault", 0, "FAULT",
	 "on purpose in the one trial of --rate, repeatable: 'kill vnf1 at 2s', 'stop vnf1 at 2s "
	 "for 300ms'; also slow, drop, flap, hog",
	 opt_set_list, FIELD(faults), NULL, OPT_NO_ENV},
	{"stage-times", 0, NULL, "where frames spend their time inside each nfvchain-fwd",
	 opt_set_switch, FIELD(stage_times), NULL, 0},
	{"attribution", 0, "WHEN", "look which hop limits the chain, for 5s; auto: of two or more",
	 opt_set_text, FIELD(attribution), attributions, 0},
	{"force", 0, NULL, "take the ports of a TRex that runs already from their owner",
	 opt_set_switch, FIELD(force), NULL, OPT_NO_ENV},
	{"accel", 0, "ACCEL", SESSION_ACCEL_HELP, opt_set_text, FIELD(accel), session_accels, 0},
	{"connect", 0, "URI", SESSION_CONNECT_HELP, opt_set_text, FIELD(connect), NULL, 0},
	{"output", 'o', "DIR", "where results go (results)", opt_set_text, FIELD(output), NULL, 0},
	{"json", 0, NULL, "print result.json instead of the table", opt_set_switch, FIELD(json),
	 NULL, OPT_NO_ENV},
	{"quiet", 'q', NULL, "no progress on stderr", opt_set_switch, FIELD(quiet), NULL, 0},
	{"dry-run", 'n', NULL, "print the plan and touch nothing", opt_set_switch, FIELD(dry_run),
	 NULL, OPT_NO_ENV},
	{"verbose", 'v', NULL, "say each step; with --dry-run the command lines", opt_set_switch,
	 FIELD(verbose), NULL, 0},
};

const struct opt_command bench_command = {
	.name = "nfvchain bench",
	.positional = "[CHAIN]",
	.summary = "Brings a chain up, measures it, accounts for every frame, takes it down.",
	.examples = "nfvchain bench\n"
		    "nfvchain bench --rate 1mpps --frame-size 64,imix\n"
		    "nfvchain bench --rate 100kpps --fault 'kill vnf1 at 2s'\n"
		    "nfvchain bench chains/three.yaml --repeat 5\n"
		    "nfvchain bench --engine poll,event,pipeline\n",
	.env_prefix = "NFVCHAIN",
	.opts = bench_opts,
	.n_opts = N_ELEMS(bench_opts),
};

bool
bench_conf_has_engines(const struct bench_conf *conf)
{
	return conf->engine != NULL && strchr(conf->engine, ',') != NULL;
}

int
bench_conf_parse(struct bench_conf *conf, int argc, char **argv, struct err *err)
{
	int rc;

	*conf = (struct bench_conf){.output = xstrdup("results")};
	rc = opt_parse(&bench_command, &argc, &argv, conf, NULL, err);
	if (rc != 0)
		return rc;
	if (argc > 1)
		return err_usage(err, "one chain file at a time ('%s' is one too many)", argv[1]);
	conf->chain_path = argc > 0 ? argv[0] : NULL;
	if (conf->chain_path != NULL && (conf->hops > 0 || conf->link != NULL))
		return err_usage(err, "%s shapes the default chain; '%s' says its own",
				 conf->hops > 0 ? "--hops" : "--link", conf->chain_path);
	if (conf->hops > CHAIN_MAX_HOPS)
		return err_usage(err, "--hops: a chain has 1 to %d hops", CHAIN_MAX_HOPS);
	if (conf->flows > 1000000)
		return err_usage(err, "--flows: 1 to 1000000");
	if (conf->trial_ns != 0 && (conf->trial_ns < MIN_TRIAL_NS || conf->trial_ns > MAX_TRIAL_NS))
		return err_usage(err, "--trial: 10ms to 1h");
	if (conf->duration_ns != 0 &&
	    (conf->duration_ns < MIN_TRIAL_NS || conf->duration_ns > MAX_TRIAL_NS))
		return err_usage(err, "--duration: 10ms to 1h");
	if (conf->peer == NULL && conf->asserts.n > 0)
		return err_usage(err, "--assert is about a comparison: with --peer only");
	if (conf->peer == NULL && !bench_conf_has_engines(conf) && conf->time_ns > 0)
		return err_usage(err, "--time is of a comparison: with --peer or several engines");
	if (conf->peer != NULL && bench_conf_has_engines(conf))
		return err_usage(err, "--peer and several engines: one comparison at a time");
	if (conf->faults.n > 0 && (conf->peer != NULL || bench_conf_has_engines(conf)))
		return err_usage(err, "--fault is for one trial of a chain, not a comparison");
	if (conf->repeat > 100)
		return err_usage(err, "--repeat: 1 to 100");
	return 0;
}

void
bench_conf_fini(struct bench_conf *conf)
{
	free(conf->link);
	free(conf->frames);
	free(conf->preset);
	free(conf->peer);
	free(conf->engine);
	opt_list_fini(&conf->faults);
	opt_list_fini(&conf->asserts);
	free(conf->attribution);
	free(conf->accel);
	free(conf->connect);
	free(conf->output);
}

/* "64,imix,64:1+1518:1": mixes are separated by commas, so their own parts are joined by '+'. */
static int
apply_frames(const char *text, struct chain_traffic *t, struct err *err)
{
	char *copy = xstrdup(text), *save = NULL;
	int rc = 0;

	t->n_frames = 0;
	for (char *word = strtok_r(copy, ",", &save); rc == 0 && word != NULL;
	     word = strtok_r(NULL, ",", &save)) {
		for (char *p = word; *p != '\0'; p++)
			*p = *p == '+' ? ',' : *p;
		if (t->n_frames == N_ELEMS(t->frames))
			rc = err_usage(err, "at most %zu frame sizes", N_ELEMS(t->frames));
		else
			rc = imix_parse(word, &t->frames[t->n_frames++], err);
	}
	if (rc == 0 && t->n_frames == 0)
		rc = err_usage(err, "'%s' names no size", text);
	free(copy);
	return err_wrap(err, rc, "--frame-size");
}

int
bench_conf_chain(const struct bench_conf *conf, struct chain *chain, struct err *err)
{
	int rc = 0;

	if (conf->chain_path != NULL)
		rc = chain_open(chain, conf->chain_path, err);
	else
		chain_default(chain, conf->hops > 0 ? conf->hops : 1);
	if (rc == 0 && conf->link != NULL)
		rc = chain_set_links(chain, conf->link, err);
	if (rc == 0 && conf->engine != NULL && !bench_conf_has_engines(conf))
		rc = chain_set_engine(chain, conf->engine, err);
	if (rc == 0 && conf->stage_times)
		rc = err_wrap(err, chain_add_arg(chain, "--stage-times", err), "--stage-times");
	if (rc == 0 && conf->frames != NULL)
		rc = apply_frames(conf->frames, &chain->traffic, err);
	if (rc < 0)
		return rc;
	if (conf->flows > 0)
		chain->traffic.flows = (uint32_t)conf->flows;
	if (conf->has_rate) {
		chain->traffic.rate = conf->rate;
		chain->traffic.has_rate = true;
	}
	if (conf->preset != NULL) {
		free(chain->bench.preset);
		chain->bench.preset = xstrdup(conf->preset);
	}
	if (conf->trial_ns > 0)
		chain->bench.trial_ns = conf->trial_ns;
	if (conf->repeat > 0)
		chain->bench.repeat = conf->repeat;
	return chain_check(chain, err);
}

bool
bench_conf_attributes(const struct bench_conf *conf, const struct chain *chain)
{
	const char *when = conf->attribution != NULL ? conf->attribution : "auto";

	return strcmp(when, "on") == 0 || (strcmp(when, "auto") == 0 && chain->n_hops >= 2);
}

const struct preset *
bench_conf_preset(const struct chain *chain)
{
	const struct preset *preset;

	if (preset_find(chain->bench.preset, &preset, NULL) < 0)
		return preset_table(); /* the chain was checked */
	return preset;
}

struct procedure_conf
bench_conf_procedure(const struct chain *chain, double max_pps)
{
	const struct preset_tune tune = {
		.trial_ns = chain->bench.trial_ns,
		.step_ratio = chain->bench.step_ratio,
	};

	return preset_procedure(bench_conf_preset(chain), &tune, max_pps);
}

unsigned
bench_conf_repeats(const struct chain *chain)
{
	return chain->bench.repeat > 0 ? chain->bench.repeat : bench_conf_preset(chain)->n_repeats;
}
