/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/opt.h"
#include "chain/chain.h"
#include "chain/plan.h"

#include "command.h"
#include "session.h"

/* nfvchain plan: what would run where, before anything does. */

struct plan_conf {
	uint32_t hops;
	char *link;
	char *engine;
	char *accel;
	char *connect;
	bool json;
	bool yaml;
	bool verbose;
};

#define FIELD(member) OPT_FIELD(struct plan_conf, member)

static const char *const links[] = {"vhost-user", "memif", "ring", "veth", "veth-xdp", "tap", NULL};

static const struct opt plan_opts[] = {
	{"hops", 0, "N", "forwarders in the default chain (1)", opt_set_u32, FIELD(hops), NULL, 0},
	{"link", 0, "KIND", "links of the default chain", opt_set_text, FIELD(link), links, 0},
	{"engine", 0, "ENGINE", "of all our forwarders: poll, event, pipeline", opt_set_text,
	 FIELD(engine), NULL, 0},
	{"accel", 0, "ACCEL", SESSION_ACCEL_HELP, opt_set_text, FIELD(accel), session_accels, 0},
	{"connect", 0, "URI", SESSION_CONNECT_HELP, opt_set_text, FIELD(connect), NULL, 0},
	{"json", 0, NULL, "print the plan as JSON, with the command lines", opt_set_switch,
	 FIELD(json), NULL, OPT_NO_ENV},
	{"yaml", 0, NULL, "print the chain as a complete file, every default written out",
	 opt_set_switch, FIELD(yaml), NULL, OPT_NO_ENV},
	{"verbose", 'v', NULL, "print the command lines too, as one could type them",
	 opt_set_switch, FIELD(verbose), NULL, 0},
};

const struct opt_command plan_command = {
	.name = "nfvchain plan",
	.positional = "[CHAIN]",
	.summary =
		"Says what would run where: processes, CPUs, links, addresses.  Touches nothing.",
	.examples = "nfvchain plan --hops 3 --verbose\n"
		    "nfvchain plan chains/snake.yaml --json\n"
		    "nfvchain plan --hops 2 --yaml >mine.yaml\n"
		    "nfvchain plan chains/vm-snake.yaml --accel tcg\n",
	.env_prefix = "NFVCHAIN",
	.opts = plan_opts,
	.n_opts = N_ELEMS(plan_opts),
};

static int
check_conf(const struct plan_conf *conf, int argc, char **argv, const enum opt_origin *origin,
	   struct err *err)
{
	if (conf->yaml && conf->json)
		return err_usage(err, "--yaml prints the chain, --json the plan: one of them");
	if (argc > 1)
		return err_usage(err, "one chain file at a time ('%s' is one too many)", argv[1]);
	/* What is set in the environment, for any chain, is no contradiction. */
	if (argc > 0 && (origin[0] == OPT_FLAG || origin[1] == OPT_FLAG))
		return err_usage(err, "%s shapes the default chain; '%s' says its own",
				 origin[0] == OPT_FLAG ? "--hops" : "--link", argv[0]);
	if (origin[0] != OPT_DEFAULT && (conf->hops < 1 || conf->hops > CHAIN_MAX_HOPS))
		return err_usage(err, "--hops: a chain has 1 to %d hops", CHAIN_MAX_HOPS);
	return 0;
}

static int
make_default(struct chain *chain, const struct plan_conf *conf, struct err *err)
{
	int rc = 0;

	chain_default(chain, conf->hops > 0 ? conf->hops : 1);
	if (conf->link != NULL)
		rc = chain_set_links(chain, conf->link, err);
	return rc < 0 ? rc : chain_check(chain, err);
}

static void
print(const struct chain_plan *plan, const struct chain *chain, const struct plan_conf *conf)
{
	if (conf->yaml) {
		char *text = chain_print(chain);

		fputs(text, stdout);
		free(text);
	} else if (conf->json) {
		json_t *json = chain_plan_to_json(plan, chain);

		json_write(json, stdout);
		json_decref(json);
	} else {
		char *text = chain_plan_print(plan, chain);

		fputs(text, stdout);
		free(text);
	}
}

int
cmd_plan(int argc, char **argv, struct err *err)
{
	enum opt_origin origin[N_ELEMS(plan_opts)];
	struct plan_conf conf = {0};
	struct chain_plan plan = {0};
	struct chain chain = {0};
	int rc = opt_parse(&plan_command, &argc, &argv, &conf, origin, err);

	if (rc == 0)
		rc = check_conf(&conf, argc, argv, origin, err);
	if (rc == 0)
		rc = argc > 0 ? chain_open(&chain, argv[0], err) : make_default(&chain, &conf, err);
	if (rc == 0 && conf.engine != NULL)
		rc = chain_set_engine(&chain, conf.engine, err);
	if (rc == 0)
		rc = session_set_vms(conf.accel, conf.connect, err);
	if (rc == 0)
		rc = session_plan(&plan, &chain, false, conf.verbose, err);
	if (rc == 0)
		print(&plan, &chain, &conf);
	chain_plan_fini(&plan);
	chain_fini(&chain);
	free(conf.link);
	free(conf.engine);
	free(conf.accel);
	free(conf.connect);
	return rc;
}
