/* SPDX-License-Identifier: MIT */
#include "selftest.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "chain/measure.h"
#include "session.h"

#define FLAT_OUT_NS (1000 * NSEC_PER_MS)
#define PACED_NS (300 * NSEC_PER_MS)
#define PACED_SHARE 0.1

/* One hop that passes frames untouched, where the chain's first hop would be. */
static void
make_chain(struct chain *wire, const struct chain *chain)
{
	chain_default(wire, 1);
	free(wire->name);
	wire->name = xstrdup(chain->name);
	free(wire->hop[0].name);
	wire->hop[0].name = xstrdup("wire");
	for (size_t i = 0; i < wire->hop[0].n_nf; i++)
		free(wire->hop[0].nf[i]);
	wire->hop[0].nf[0] = xstrdup("wire");
	wire->hop[0].n_nf = 1;
	wire->hop[0].cpus = chain->hop[0].cpus;
	wire->generator.cpus = chain->generator.cpus;
	wire->link[0] = chain->link[0];
	wire->link[1] = chain->link[chain->n_hops];
	wire->traffic = chain->traffic;
}

static int
read_pacing(struct session *s, struct selftest *t, struct err *err)
{
	json_t *json = NULL;
	struct hist *h = xcalloc(1, sizeof(*h));
	int rc = tg_trial(s->backend.tg, &json, err);

	if (rc == 0)
		rc = hist_from_json(h, json_object_get(json, "pacing"), err);
	if (rc == 0) {
		t->pacing_p50_ns = (double)hist_quantile(h, 0.5);
		t->pacing_p99_ns = (double)hist_quantile(h, 0.99);
	}
	free(h);
	json_decref(json);
	return rc;
}

static int
test_one(struct session *s, const struct chain *chain, size_t i, struct selftest *t,
	 struct err *err)
{
	struct measure m = {.backend = &s->backend};
	const struct tg_traffic traffic = {
		.frames = &chain->traffic.frames[i],
		.flows = chain->traffic.flows,
		.ipv6 = chain->traffic.ipv6,
		.vlan = chain->traffic.vlan,
		.dst_mac = s->plan.gen_mac[1],
	};
	struct trial_spec spec = {.rate_pps = 1e6, .duration_ns = FLAT_OUT_NS, .flat_out = true};
	int rc = measure_prepare(&m, &traffic, err);

	if (rc == 0)
		rc = measure_trial(&m, &spec, &t->flat_out, err);
	if (rc < 0)
		return rc;
	trial_judge(&t->flat_out, 0);
	t->max_pps = t->flat_out.elapsed_s > 0 ? (double)t->flat_out.ok / t->flat_out.elapsed_s : 0;
	if (t->max_pps < 1)
		return err_set(err, 0, "the generator's self-test received nothing");
	t->at_pps = t->max_pps * PACED_SHARE;
	spec = (struct trial_spec){.rate_pps = t->at_pps, .duration_ns = PACED_NS};
	rc = measure_trial(&m, &spec, &t->paced, err);
	if (rc == 0)
		trial_judge(&t->paced, 0);
	return rc == 0 ? read_pacing(s, t, err) : rc;
}

int
selftest_run(const struct chain *chain, struct selftest *tests, struct err *err)
{
	struct session s = {0};
	struct chain wire;
	int rc;

	make_chain(&wire, chain);
	rc = session_up(&s, &wire, false, err);
	for (size_t i = 0; rc == 0 && i < chain->traffic.n_frames; i++)
		rc = test_one(&s, chain, i, &tests[i], err);
	session_down(&s);
	chain_fini(&wire);
	return err_wrap(err, rc, "self-test");
}
