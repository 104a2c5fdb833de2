/* SPDX-License-Identifier: MIT */
#include "show.h"

#include <stdio.h>
#include <string.h>

#include <rte_telemetry.h>

#include "base/clock.h"
#include "base/json.h"
#include "dpdk/compat.h"
#include "dpdk/tsc.h"
#include "engine.h"
#include "load.h"
#include "show_times.h"

static const char *const state_names[] = {"running", "paused", "stopping"};

static json_t *
ports_json(const struct fwd *fwd, const struct fwd_totals *t)
{
	json_t *ports = json_array();
	double tsc_ns = 1e9 / (double)tsc_hz();

	for (uint16_t p = 0; p < fwd->plan.n_ports; p++)
		json_array_append_new(
			ports,
			json_pack("{s:o, s:o, s:o, s:o}", "rx", json_u64(t->rx[p]), "tx",
				  json_u64(t->tx[p]), "miss", json_u64(t->miss[p]), "held_ns",
				  json_u64((uint64_t)((double)t->held_tsc[p] * tsc_ns))));
	return ports;
}

static void
add_gaps(json_t *lcore, const struct gaps *g, uint64_t window)
{
	json_object_set_new(lcore, "gap_max_ns", json_u64(gaps_max(g, window)));
	json_object_set_new(lcore, "wait_max_ns", json_u64(gaps_wait_max(g, window)));
	json_object_set_new(lcore, "gaps_20us", json_u64(counter_get(&g->n_20us)));
	json_object_set_new(lcore, "gaps_sum_ns", json_u64(counter_get(&g->sum_ns)));
	json_object_set_new(lcore, "gaps_1ms", json_u64(counter_get(&g->n_1ms)));
	json_object_set_new(lcore, "gaps_1ms_ns", json_u64(counter_get(&g->sum_1ms_ns)));
}

static uint64_t
received_by(const struct fwd_lcore *w)
{
	uint64_t n = 0;

	for (uint16_t p = 0; p < w->fwd->plan.n_ports; p++)
		n += counter_get(&w->rx[p]);
	return n;
}

/* The receive queues of a port that an lcore serves. */
static json_t *
rxqs_json(const struct fwd_lcore *w, uint16_t port)
{
	const struct plan *plan = &w->fwd->plan;
	json_t *rxqs = json_array();

	for (uint16_t i = 0; i < plan->n_links; i++)
		if (plan->link[i].lcore == w->index && plan->link[i].rx_port == port)
			json_array_append_new(rxqs, json_integer(plan->link[i].rxq));
	return rxqs;
}

/* An lcore has queues of its own, so that its counters are those of its queues. */
static json_t *
lcore_ports_json(const struct fwd_lcore *w)
{
	json_t *ports = json_array();
	double tsc_ns = 1e9 / (double)tsc_hz();

	for (uint16_t p = 0; p < w->fwd->plan.n_ports; p++)
		json_array_append_new(
			ports,
			json_pack("{s:o, s:o, s:o, s:o, s:o}", "rxqs", rxqs_json(w, p), "txq",
				  w->txq[p] < 0 ? json_null() : json_integer(w->txq[p]), "rx",
				  json_u64(counter_get(&w->rx[p])), "tx",
				  json_u64(counter_get(&w->tx[p])), "held_ns",
				  json_u64((uint64_t)((double)counter_get(&w->held_tsc[p]) *
						      tsc_ns))));
	return ports;
}

/* Those that there were. */
static json_t *
lcore_drops_json(const struct fwd_lcore *w)
{
	json_t *drops = json_object();

	for (unsigned r = 0; r < w->fwd->n_reasons; r++) {
		uint64_t n = counter_get(&w->drop[r]);

		if (n > 0)
			json_object_set_new(drops, w->fwd->reason[r], json_u64(n));
	}
	return drops;
}

static json_t *
lcores_json(const struct fwd *fwd)
{
	json_t *lcores = json_array();

	for (uint16_t i = 0; i < fwd->plan.n_lcores; i++) {
		const struct fwd_lcore *w = &fwd->lcore[i];
		json_t *lcore = json_pack("{s:i, s:o, s:o, s:o, s:o, s:o}", "lcore", w->lcore_id,
					  "busy_tsc", json_u64(counter_get(&w->busy_tsc)),
					  "idle_tsc", json_u64(counter_get(&w->idle_tsc)), "rounds",
					  json_u64(counter_get(&w->rounds)), "bursts",
					  json_u64(counter_get(&w->bursts)), "yields",
					  json_u64(counter_get(&w->idle.yields)));

		json_object_set_new(lcore, "rx", json_u64(received_by(w)));
		json_object_set_new(lcore, "busy_gap_tsc", json_u64(counter_get(&w->busy_gap_tsc)));
		json_object_set_new(lcore, "ports", lcore_ports_json(w));
		json_object_set_new(lcore, "drops", lcore_drops_json(w));
		json_object_set_new(lcore, "tid", json_integer(atomic_load(&w->tid)));
		add_gaps(lcore, &w->gaps, counter_get(&fwd->window));
		json_array_append_new(lcores, lcore);
	}
	return lcores;
}

/* Frames that the functions of each stage have seen, over all lcores. */
static json_t *
stages_json(const struct fwd *fwd)
{
	json_t *stages = json_array();

	for (unsigned s = 0; s < fwd->plan.roles.n_stages; s++) {
		uint64_t n = 0;

		for (uint16_t i = 0; i < fwd->plan.n_lcores; i++)
			n += counter_get(&fwd->lcore[i].stage_frames[s]);
		json_array_append_new(stages, json_pack("{s:o}", "frames", json_u64(n)));
	}
	return stages;
}

json_t *
show_counters(const struct fwd *fwd, bool buckets)
{
	const struct fault *fault = &fwd_fault_lcore(fwd)->fault;
	uint64_t at_ns = clock_now_ns(), took_ns;
	struct fwd_totals t;
	json_t *drops = json_object(), *root, *load;

	fwd_totals(fwd, &t);
	took_ns = clock_now_ns() - at_ns;
	load = load_to_json(fwd);
	for (unsigned r = 0; r < fwd->n_reasons; r++)
		json_object_set_new(drops, fwd->reason[r], json_u64(t.drop[r]));
	root = json_pack("{s:o, s:s, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "epoch",
			 json_u64(fwd->epoch), "state", state_names[atomic_load(&fwd->state)],
			 "residual", (json_int_t)fwd_residual(&t), "ports", ports_json(fwd, &t),
			 "drops", drops, "created", json_u64(t.created), "in_flight",
			 json_u64(t.in_flight), "busy_tsc", json_u64(t.busy_tsc), "idle_tsc",
			 json_u64(t.idle_tsc), "tsc_hz", json_u64(tsc_hz()), "faults_left",
			 json_u64(atomic_load(&fault->armed) ? fault->left : 0), "lcores",
			 lcores_json(fwd));
	if (fwd->plan.roles.n_stages > 0)
		json_object_set_new(root, "stages", stages_json(fwd));
	show_times_add(fwd, root, buckets);
	json_object_set_new(root, "burst", json_integer(fwd->conf->burst));
	/* When that was, for who makes a rate of two such answers. */
	json_object_set_new(root, "at_ns", json_u64(at_ns + took_ns / 2));
	json_object_set_new(root, "took_ns", json_u64(took_ns));
	if (load != NULL)
		json_object_set_new(root, "load", load);
	return root;
}

void
show_period(const struct fwd *fwd, struct show_last *last)
{
	uint64_t now_ns = clock_now_ns();
	double s = last->at_ns > 0 ? (double)(now_ns - last->at_ns) / 1e9 : 0;
	const char *hop = fwd->conf->in_row ? fwd->conf->hop : "";
	struct fwd_totals t;

	fwd_totals(fwd, &t);
	for (uint16_t p = 0; p < fwd->plan.n_ports && s > 0; p++)
		if (fwd->plan.enabled[p])
			printf("%s%sport %u: rx %llu (%.0f pps) tx %llu (%.0f pps) missed %llu\n",
			       hop, hop[0] != '\0' ? " " : "", p, (unsigned long long)t.rx[p],
			       (double)(t.rx[p] - last->totals.rx[p]) / s,
			       (unsigned long long)t.tx[p],
			       (double)(t.tx[p] - last->totals.tx[p]) / s,
			       (unsigned long long)t.miss[p]);
	if (s > 0)
		printf("%s%sdropped %llu, busy %.0f %%\n", hop, hop[0] != '\0' ? " " : "",
		       (unsigned long long)t.drop_all,
		       100.0 * (double)(t.busy_tsc - last->totals.busy_tsc) /
			       (double)(t.busy_tsc + t.idle_tsc - last->totals.busy_tsc -
					last->totals.idle_tsc + 1));
	fflush(stdout);
	last->totals = t;
	last->at_ns = now_ns;
}

static void
conservation_json(const struct fwd *fwd, const struct fwd_totals *t, unsigned leaked)
{
	json_t *root = show_counters(fwd, false);

	if (fwd->conf->in_row)
		json_object_set_new(root, "hop", json_string(fwd->conf->hop));
	json_object_set_new(root, "leaked_buffers", json_integer((json_int_t)leaked));
	json_object_set_new(root, "rx", json_u64(t->rx_all));
	json_object_set_new(root, "tx", json_u64(t->tx_all));
	json_object_set_new(root, "dropped", json_u64(t->drop_all));
	json_dumpf(root, stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(root);
}

bool
show_conservation(const struct fwd *fwd, const struct fwd_totals *t, unsigned leaked)
{
	int64_t residual = fwd_residual(t);

	if (fwd->conf->json) {
		conservation_json(fwd, t, leaked);
	} else {
		if (fwd->conf->in_row)
			printf("%s: ", fwd->conf->hop);
		printf("rx %llu + created %llu = tx %llu + dropped %llu + in flight %llu",
		       (unsigned long long)t->rx_all, (unsigned long long)t->created,
		       (unsigned long long)t->tx_all, (unsigned long long)t->drop_all,
		       (unsigned long long)t->in_flight);
		for (unsigned r = 0; r < fwd->n_reasons; r++)
			if (t->drop[r] > 0)
				printf(" · %s %llu", fwd->reason[r],
				       (unsigned long long)t->drop[r]);
		if (residual != 0)
			printf(" · UNACCOUNTED %lld", (long long)residual);
		if (leaked != 0)
			printf(" · LEAKED BUFFERS %u", leaked);
		putchar('\n');
	}
	fflush(stdout);
	return residual == 0 && leaked == 0 && t->in_flight == 0;
}

static struct fwd *const *telemetry_hops;
static unsigned telemetry_n_hops;

/* The hop that is named, else the first. */
static const struct fwd *
telemetry_hop(const char *name)
{
	for (unsigned i = 0; name != NULL && i < telemetry_n_hops; i++)
		if (telemetry_hops[i]->conf->hop != NULL &&
		    strcmp(telemetry_hops[i]->conf->hop, name) == 0)
			return telemetry_hops[i];
	return telemetry_hops[0];
}

static int
telemetry_ports(const char *cmd, const char *params, struct rte_tel_data *d)
{
	const struct fwd *fwd = telemetry_hop(params);
	struct fwd_totals t;
	char name[32];

	(void)cmd;
	fwd_totals(fwd, &t);
	rte_tel_data_start_dict(d);
	for (uint16_t p = 0; p < fwd->plan.n_ports; p++) {
		snprintf(name, sizeof(name), "port%u_rx", p);
		compat_tel_dict_uint(d, name, t.rx[p]);
		snprintf(name, sizeof(name), "port%u_tx", p);
		compat_tel_dict_uint(d, name, t.tx[p]);
		snprintf(name, sizeof(name), "port%u_miss", p);
		compat_tel_dict_uint(d, name, t.miss[p]);
	}
	compat_tel_dict_uint(d, "created", t.created);
	compat_tel_dict_uint(d, "in_flight", t.in_flight);
	return 0;
}

static int
telemetry_drops(const char *cmd, const char *params, struct rte_tel_data *d)
{
	const struct fwd *fwd = telemetry_hop(params);
	struct fwd_totals t;

	(void)cmd;
	fwd_totals(fwd, &t);
	rte_tel_data_start_dict(d);
	for (unsigned r = 0; r < fwd->n_reasons; r++)
		compat_tel_dict_uint(d, fwd->reason[r], t.drop[r]);
	return 0;
}

void
show_register_telemetry(struct fwd *const *hops, unsigned n)
{
	telemetry_hops = hops;
	telemetry_n_hops = n;
	rte_telemetry_register_cmd(
		"/nfvchain/ports", telemetry_ports,
		"Frames received, sent and missed. Parameter: a hop, of several");
	rte_telemetry_register_cmd("/nfvchain/drops", telemetry_drops,
				   "Frames dropped, by reason. Parameter: a hop, of several");
	show_times_register(hops[0]);
}
