/* SPDX-License-Identifier: MIT */
#include "compare_peer.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "compare.h"

#define CONTROL_NS (90 * NSEC_PER_S) /* a comparison of engines as long as this has a control */

static int
make_conf(struct compare_conf *conf, const struct bench_conf *bench, struct err *err)
{
	compare_conf_init(conf);
	free(conf->output);
	conf->output = xstrdup(bench->output);
	conf->frames = bench->frames != NULL ? xstrdup(bench->frames) : NULL;
	conf->link = bench->link != NULL ? xstrdup(bench->link) : NULL;
	conf->flows = bench->flows;
	conf->json = bench->json;
	conf->quiet = bench->quiet;
	conf->dry_run = bench->dry_run;
	conf->verbose = bench->verbose;
	if (bench->time_ns > 0)
		conf->time_ns = bench->time_ns;
	for (size_t i = 0; i < bench->asserts.n; i++)
		opt_set_list(&conf->asserts, bench->asserts.items[i], NULL);
	if (bench->has_rate)
		return err_usage(err, "--rate: rates are compared flat out (nfvchain "
				      "compare --metric latency-p50 --rate compares latency)");
	return compare_conf_check(conf, err);
}

int
compare_with_peer(const struct bench_conf *bench, const struct chain *chain, int argc, char **argv,
		  struct err *err)
{
	struct compare_side side[2] = {0};
	struct compare_conf conf;
	int rc = make_conf(&conf, bench, err);

	if (rc == 0)
		rc = err_wrap(err, compare_side_replace(&side[0], chain, bench->peer, &conf, err),
			      "--peer");
	if (rc == 0)
		rc = compare_side_copy(&side[1], chain,
				       bench->chain_path != NULL ? bench->chain_path : "nfvchain",
				       err);
	if (rc == 0)
		rc = compare_sides(&conf, side, 2, argc, argv, err);
	compare_side_fini(&side[0]);
	compare_side_fini(&side[1]);
	compare_conf_fini(&conf);
	return rc;
}

/* Sides of 'chain' with each engine of the list. */
static int
make_engine_sides(const struct bench_conf *bench, const struct chain *chain,
		  struct compare_side *side, unsigned *n, struct err *err)
{
	char *list = xstrdup(bench->engine), *save = NULL;
	int rc = 0;

	for (char *word = strtok_r(list, ",", &save); rc == 0 && word != NULL;
	     word = strtok_r(NULL, ",", &save)) {
		if (*n == COMPARE_MAX_SIDES) {
			rc = err_usage(err, "--engine: at most %d at a time", COMPARE_MAX_SIDES);
			break;
		}
		rc = compare_side_copy(&side[*n], chain, word, err);
		if (rc == 0)
			rc = chain_set_engine(&side[*n].chain, word, err);
		(*n)++;
	}
	free(list);
	if (rc == 0 && *n < 2)
		rc = err_usage(err, "--engine: '%s' names one engine only", bench->engine);
	return rc;
}

int
compare_engines(const struct bench_conf *bench, const struct chain *chain, int argc, char **argv,
		struct err *err)
{
	struct compare_side side[COMPARE_MAX_SIDES] = {0};
	struct compare_conf conf;
	unsigned n = 0;
	int rc = make_conf(&conf, bench, err);

	conf.only_tell = true;
	/* Engines differ by more than a short session's noise, and each chain more takes its time.
	 */
	conf.no_control = conf.time_ns < CONTROL_NS;
	if (rc == 0)
		rc = make_engine_sides(bench, chain, side, &n, err);
	if (rc == 0)
		rc = compare_sides(&conf, side, n, argc, argv, err);
	for (unsigned i = 0; i < n; i++)
		compare_side_fini(&side[i]);
	compare_conf_fini(&conf);
	return rc;
}
