/* SPDX-License-Identifier: MIT */
#include "bench_files.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "chain/files.h"
#include "report/result.h"
#include "session.h"

#define RESULT_FILES "files.json"
#define SCHEMA_VERSION 1

static void
print_hop(const struct ledger_hop *hop)
{
	printf("  %-14s %14" PRIu64 " %14" PRIu64 " %10" PRIu64 " %10" PRIu64 "\n", hop->name,
	       hop->port[0].rx, hop->port[1].tx, hop->port[0].miss, ledger_hop_drops(hop));
}

static void
print_drops(const struct ledger_hop *hop)
{
	for (size_t i = 0; i < hop->n_drops; i++)
		if (hop->drop[i].n > 0)
			printf("  %s dropped %" PRIu64 ": %s\n", hop->name, hop->drop[i].n,
			       hop->drop[i].name);
}

static void
print_text(const struct ledger *l, const struct files_facts *facts, const struct chain *chain)
{
	char text[1024];

	printf("%s: %" PRIu64 " frames of '%s', each once; not a rate measurement\n\n", chain->name,
	       facts->n, chain->link[0].file);
	printf("  %-14s %14s %14s %10s %10s\n", "", "rx", "tx", "miss", "drops");
	printf("  %-14s %14s %14" PRIu64 "\n", "read", "", l->gen[0].tx);
	for (size_t i = 0; i < l->n_hops; i++)
		print_hop(&l->hop[i]);
	printf("  %-14s %14" PRIu64 "   '%s'\n", "written", l->gen[1].rx,
	       chain->link[chain->n_hops].file);
	for (size_t i = 0; i < l->n_hops; i++)
		print_drops(&l->hop[i]);
	printf("  %s\n", ledger_explain(text, sizeof(text), l));
	if (facts->cut > 0)
		printf("  %" PRIu64 " frames are cut in '%s', and went as they are there\n",
		       facts->cut, chain->link[0].file);
}

static json_t *
to_json(const struct ledger *l, const struct files_facts *facts, const struct chain *chain)
{
	json_t *json = json_object();

	json_object_set_new(json, "schema_version", json_integer(SCHEMA_VERSION));
	json_object_set_new(json, "chain", chain_to_json(chain));
	json_object_set_new(json, "read", json_u64(facts->n));
	json_object_set_new(json, "read_cut", json_u64(facts->cut));
	json_object_set_new(json, "written", json_u64(l->gen[1].rx));
	json_object_set_new(json, "ledger", ledger_to_json(l));
	return json;
}

static int
save(const struct bench_conf *conf, const struct chain *chain, const json_t *json, struct err *err)
{
	char *dir = NULL, *path;
	int rc = result_make_dir(conf->output, chain->name, &dir, err);

	if (rc < 0)
		return rc;
	path = xasprintf("%s/" RESULT_FILES, dir);
	rc = json_save(json, path, err);
	if (rc == 0 && !conf->quiet)
		fprintf(stderr, "%s\n", path);
	free(path);
	free(dir);
	return rc;
}

static int
tell(const struct bench_conf *conf, const struct chain *chain, const struct files_facts *facts,
     const struct ledger *l, struct err *err)
{
	json_t *json = to_json(l, facts, chain);
	char text[1024];
	int rc;

	if (conf->json)
		json_write(json, stdout);
	else
		print_text(l, facts, chain);
	fflush(stdout);
	rc = save(conf, chain, json, err);
	json_decref(json);
	if (rc == 0 && (ledger_contradicts(l) || l->lost != 0))
		rc = err_class(err, ERR_ACCOUNTING, "%s", ledger_explain(text, sizeof(text), l));
	return rc;
}

static int
run(const struct bench_conf *conf, const struct chain *chain, struct err *err)
{
	struct files_facts facts = {0};
	static struct ledger ledger;
	struct session s = {0};
	int rc = files_look(&facts, chain, err);

	if (rc < 0)
		return rc;
	session_catch_signals();
	rc = session_up_files(&s, chain, err);
	for (int i = 0; rc == 0 && s.plan.warnings[i] != NULL; i++)
		LOG(WARN, "%s", s.plan.warnings[i]);
	if (rc == 0)
		rc = files_run(&s.backend, &facts, &ledger, err);
	session_down(&s);
	if (rc == -EINTR || session_stop != 0)
		return session_interrupted(err);
	if (rc == 0)
		rc = files_close(&ledger, chain, err);
	return rc == 0 ? tell(conf, chain, &facts, &ledger, err) : rc;
}

int
bench_files(const struct bench_conf *conf, const struct chain *chain, struct err *err)
{
	struct chain_plan plan = {0};
	char *text;
	int rc;

	if (conf->peer != NULL || bench_conf_has_engines(conf))
		return err_usage(err,
				 "a comparison needs a generator, and chain '%s' lies between "
				 "two files",
				 chain->name);
	if (!conf->dry_run)
		return run(conf, chain, err);
	rc = session_plan(&plan, chain, false, conf->verbose, err);
	if (rc == 0) {
		text = chain_plan_print(&plan, chain);
		fputs(text, stdout);
		free(text);
	}
	chain_plan_fini(&plan);
	return rc;
}
