/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_version.h>

#include "base/log.h"
#include "base/mem.h"
#include "conf.h"
#include "dpdk/eal.h"
#include "dpdk/program.h"
#include "generator.h"
#include "server.h"
#include "trex_line.h"

/* nfvchain-gen [options] [-- EAL options]: options, launch, signals; nothing else. */

/* --lifeline is appended by whoever starts us, behind the EAL options: it moves to our own. */
static void
take_lifeline(struct gen_conf *conf, int *argc, char **argv)
{
	if (*argc >= 2 && strcmp(argv[*argc - 2], "--lifeline") == 0) {
		conf->lifeline = atoi(argv[*argc - 1]);
		*argc -= 2;
		argv[*argc] = NULL;
	}
}

static int
generate(const struct gen_conf *conf, int eal_argc, char **eal_argv, struct err *err)
{
	static struct gen_worker worker;
	static struct server server;
	struct eal eal = {0};
	int rc;

	program_block_signals();
	rc = eal_start(&eal, eal_argc, eal_argv, generator_memory_mb(conf), err);
	if (rc < 0)
		return rc;
	rc = generator_open(&worker, conf, eal.shares_cpus, err);
	if (rc == 0)
		rc = server_open(&server, conf, &worker, err);
	if (rc == 0) {
		LOG(NOTICE, "serving at %s", conf->rpc);
		worker_main(&worker);
	}
	server_close(&server);
	generator_close(&worker);
	eal_stop(&eal);
	return rc;
}

/* EAL's words: those of TRex's configuration, then those behind "--". */
static int
start(const struct gen_conf *conf, char *program, int n, char **words, struct err *err)
{
	char **argv = xcalloc(conf->eal.n + (size_t)n + 2, sizeof(*argv));
	int argc = 0, rc;

	argv[argc++] = program;
	for (size_t i = 0; i < conf->eal.n; i++)
		argv[argc++] = conf->eal.items[i];
	for (int i = 0; i < n; i++)
		argv[argc++] = words[i];
	rc = generate(conf, argc, argv, err);
	free(argv);
	return rc;
}

int
main(int argc, char **argv)
{
	struct gen_conf conf;
	struct err err = {0};
	char *program = argv[0];
	int sep = 1, rc;

	log_init("nfvchain-gen", LOG_NOTICE);
	gen_conf_init(&conf);
	take_lifeline(&conf, &argc, argv);
	while (sep < argc && strcmp(argv[sep], "--") != 0)
		sep++;
	rc = trex_line_is(argv[0]) ? trex_line_parse(&conf, sep, argv, &err)
				   : gen_conf_parse(&conf, sep, argv, &err);
	if (rc == 0 && conf.version)
		printf("nfvchain-gen %s, %s, gcc %s\n", NFVCHAIN_VERSION, rte_version(),
		       __VERSION__);
	if (rc == OPT_HELPED || (rc == 0 && conf.version)) {
		gen_conf_fini(&conf);
		return 0;
	}
	if (conf.verbose)
		log_init("nfvchain-gen", LOG_INFO);
	if (rc == 0)
		rc = start(&conf, program, argc > sep ? argc - sep - 1 : 0, argv + sep + 1, &err);
	if (rc < 0)
		LOG(ERR, "%s", err.msg);
	gen_conf_fini(&conf);
	return rc < 0 ? err_exit_code(&err) : 0;
}
