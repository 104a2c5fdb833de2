/* SPDX-License-Identifier: MIT */
#include "compare_peer.h"

#include <stdlib.h>

#include "base/mem.h"
#include "compare.h"

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
		return err_usage(err, "--rate: with --peer rates are compared flat out (nfvchain "
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
		rc = compare_sides(&conf, side, argc, argv, err);
	compare_side_fini(&side[0]);
	compare_side_fini(&side[1]);
	compare_conf_fini(&conf);
	return rc;
}
