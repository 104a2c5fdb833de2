/* SPDX-License-Identifier: MIT */
#include "compare_side.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "bench_conf.h"
#include "chain/plan.h"
#include "session.h"

#define EXEC "exec:"

/* An engine of our forwarder. */
static bool
is_engine(const char *spec)
{
	return strcmp(spec, "poll") == 0 || strcmp(spec, "event") == 0 ||
	       strcmp(spec, "pipeline") == 0;
}

/* A hop that is known by its kind alone. */
static bool
is_foreign(const char *spec)
{
	return strcmp(spec, "linux-bridge") == 0 || strcmp(spec, "ovs-dpdk") == 0;
}

static bool
is_program(const char *spec)
{
	return is_engine(spec) || strcmp(spec, "testpmd") == 0 || is_foreign(spec) ||
	       strncmp(spec, EXEC, strlen(EXEC)) == 0;
}

static int
not_a_side(const char *spec, struct err *err)
{
	static const char *const words[] = {"poll",    "event",	       "pipeline",
					    "testpmd", "linux-bridge", "ovs-dpdk"};
	const char *nearest = str_nearest(spec, words, N_ELEMS(words));

	return err_usage(err,
			 "'%s' is no chain file, no result, and none of poll, event, pipeline, "
			 "testpmd, linux-bridge, ovs-dpdk and exec:COMMAND%s%s%s",
			 spec, nearest ? " (did you mean '" : "", nearest ? nearest : "",
			 nearest ? "'?)" : "");
}

static void
free_words(char **words, size_t *n)
{
	while (*n > 0)
		free(words[--*n]);
}

/* Makes the hop what 'spec' says; name, CPUs and place in the chain stay. */
static void
set_hop(struct chain_hop *hop, const char *spec, const struct compare_conf *conf)
{
	free_words(hop->nf, &hop->n_nf);
	free_words(hop->args, &hop->n_args);
	free(hop->command);
	hop->command = NULL;
	hop->lcores = 1;
	if (is_engine(spec)) {
		hop->kind = HOP_FWD;
		free(hop->engine);
		hop->engine = xstrdup(spec);
		hop->nf[hop->n_nf++] = xstrdup("l2fwd");
	} else if (strcmp(spec, "testpmd") == 0) {
		hop->kind = HOP_TESTPMD;
	} else if (is_foreign(spec)) {
		(void)hop_kind_parse(spec, &hop->kind, NULL);
	} else {
		hop->kind = HOP_EXEC;
		hop->command = xstrdup(spec + strlen(EXEC));
		hop->lcores = conf->lcores > 0 ? conf->lcores : 1;
	}
}

static int
make_chain(struct compare_side *side, const char *path, const struct compare_conf *conf,
	   struct err *err)
{
	const struct bench_conf bench = {
		.chain_path = path,
		.link = path == NULL ? conf->link : NULL,
		.frames = conf->frames,
		.flows = conf->flows,
	};

	return bench_conf_chain(&bench, &side->chain, err);
}

int
compare_side_make(struct compare_side *side, const char *spec, const struct compare_conf *conf,
		  struct err *err)
{
	int rc;

	*side = (struct compare_side){.label = xstrdup(spec)};
	if (!is_program(spec) && access(spec, F_OK) != 0)
		return not_a_side(spec, err);
	rc = make_chain(side, is_program(spec) ? NULL : spec, conf, err);
	if (rc < 0 || !is_program(spec))
		return rc;
	set_hop(&side->chain.hop[0], spec, conf);
	return err_wrap(err, chain_check(&side->chain, err), "'%s'", spec);
}

int
compare_side_copy(struct compare_side *side, const struct chain *chain, const char *label,
		  struct err *err)
{
	char *text = chain_print(chain);
	int rc;

	*side = (struct compare_side){.label = xstrdup(label)};
	rc = chain_parse(&side->chain, label, text, strlen(text), err);
	free(text);
	return rc;
}

int
compare_side_replace(struct compare_side *side, const struct chain *chain, const char *spec,
		     const struct compare_conf *conf, struct err *err)
{
	int rc;

	if (!is_program(spec))
		return compare_side_make(side, spec, conf, err);
	rc = compare_side_copy(side, chain, spec, err);
	if (rc < 0)
		return rc;
	if (chain->n_hops != 1)
		return err_usage(err,
				 "'%s' replaces the hop of a chain that has one; this one has %zu "
				 "(give a chain file)",
				 spec, chain->n_hops);
	set_hop(&side->chain.hop[0], spec, conf);
	return err_wrap(err, chain_check(&side->chain, err), "'%s'", spec);
}

static bool
same_traffic(const struct chain_traffic *a, const struct chain_traffic *b)
{
	return strcmp(a->frames[0].name, b->frames[0].name) == 0 && a->flows == b->flows &&
	       a->ipv6 == b->ipv6 && a->vlan == b->vlan;
}

static void
note_lcores(struct compare_side *side, const struct chain_plan *plan)
{
	side->n_lcores = side->n_cpus = 0;
	for (size_t i = 0; i < side->chain.n_hops; i++) {
		bool kernels = chain_hop_is_kernels(&side->chain, (int)i);
		unsigned n = kernels ? 0 : side->chain.hop[i].lcores,
			 n_cpus = (unsigned)plan->proc[i + 1].cpus.n;

		side->n_lcores += n;
		side->n_cpus += n < n_cpus ? n : n_cpus;
	}
}

/* The command line of each hop, as one could read it. */
static int
note_command(struct compare_side *side, char letter, bool verbose, struct err *err)
{
	struct chain_plan plan = {0};
	struct str s = {0};
	int rc = session_plan_arm(&plan, &side->chain, letter, false, verbose, err);

	for (size_t i = 1; rc == 0 && i < plan.n_procs; i++)
		for (size_t k = 0; k < plan.proc[i].argc; k++)
			str_addf(&s, "%s%s", s.len > 0 ? " " : "", plan.proc[i].argv[k]);
	for (int i = 0; rc == 0 && plan.warnings[i] != NULL; i++)
		LOG(WARN, "%c: %s", letter, plan.warnings[i]);
	side->command = str_take(&s);
	if (rc == 0)
		note_lcores(side, &plan);
	chain_plan_fini(&plan);
	return rc;
}

static int
check_against(const struct chain *a, const struct chain *b, char letter, struct err *err)
{
	if (b->traffic.n_frames != 1)
		return err_usage(err, "one frame size at a time is compared (--frame-size 64)");
	if (!same_traffic(&a->traffic, &b->traffic))
		return err_usage(err,
				 "A and %c ask for different traffic: say --frame-size and "
				 "--flows for both",
				 letter);
	if (a->link[0].kind != b->link[0].kind || a->n_hops != b->n_hops)
		LOG(WARN, "A and %c differ in %s, which is a part of what is compared", letter,
		    a->n_hops != b->n_hops ? "their number of hops" : "their links");
	return 0;
}

int
compare_sides_check(struct compare_side *side, unsigned n_sides, bool verbose, struct err *err)
{
	int rc = 0;

	for (unsigned i = 0; rc == 0 && i < n_sides; i++)
		rc = check_against(&side[0].chain, &side[i].chain, (char)('A' + i), err);
	for (unsigned i = 0; rc == 0 && i < n_sides; i++)
		rc = err_wrap(err, note_command(&side[i], (char)('a' + i), verbose, err), "%c",
			      'A' + (int)i);
	return rc;
}

void
compare_side_fini(struct compare_side *side)
{
	free(side->label);
	free(side->command);
	if (side->label != NULL)
		chain_fini(&side->chain);
	*side = (struct compare_side){0};
}
