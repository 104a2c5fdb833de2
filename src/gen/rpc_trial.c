/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "server.h"

/* x_nfvchain_trial: everything known about the last run of a port's profile.
 *
 *     {state: "new"|"active"|"paused"|"sent", elapsed_s, intended, sent, refused, late,
 *      ok, duplicate, reordered, corrupt, truncated, misdelivered, reflected, overdue, foreign,
 *      received, ports: [{rx, tx}, {rx, tx}], queues: [{intended, sent, refused, late}, ...],
 *      never_seen, unidentified, repeated, latency: {...}, latency_accuracy_ns, pacing: {...},
 *      noise: {gap_max_ns, gaps_20us, gaps_sum_ns, gaps_1ms, gaps_1ms_ns, nivcsw}}
 *
 * 'queues' are the transmit queues of the port.  Counters are a snapshot; never_seen, reordered and
 * the latency histogram are exact only once the run has been sent and nothing arrives any more, and
 * are null before.  The worker does not yield while a run is being sent, so all of nivcsw is
 * others' doing. */

static json_t *
ports_json(const struct run *run)
{
	json_t *ports = json_array();

	for (unsigned i = 0; i < GEN_PORTS; i++)
		json_array_append_new(ports,
				      json_pack("{s:o, s:o}", "rx",
						json_u64(counter_get(&run->rx_port[i])), "tx",
						json_u64(run->tx_port == i ? run_sent(run) : 0)));
	return ports;
}

/* What each transmit queue of the port did. */
static json_t *
queues_json(const struct run *run)
{
	json_t *queues = json_array();

	for (uint16_t i = 0; i < run->n_lanes; i++) {
		const struct run_lane *lane = &run->lane[i];

		json_array_append_new(queues,
				      json_pack("{s:o, s:o, s:o, s:o}", "intended",
						json_u64(counter_get(&lane->intended)), "sent",
						json_u64(counter_get(&lane->sent)), "refused",
						json_u64(counter_get(&lane->refused)), "late",
						json_u64(counter_get(&lane->late))));
	}
	return queues;
}

static void
add_counters(json_t *root, const struct run *run)
{
	static const char *const kinds[RX_KINDS] = {
		[RX_OK] = "ok",
		[RX_DUPLICATE] = "duplicate",
		[RX_CORRUPT] = "corrupt",
		[RX_TRUNCATED] = "truncated",
		[RX_MISDELIVERED] = "misdelivered",
		[RX_REFLECTED] = "reflected",
	};
	uint64_t received = 0;

	json_object_set_new(root, "intended", json_u64(run_intended(run)));
	json_object_set_new(root, "sent", json_u64(run_sent(run)));
	json_object_set_new(root, "refused", json_u64(run_refused(run)));
	json_object_set_new(root, "late", json_u64(run_late(run)));
	for (unsigned k = 0; k < RX_KINDS; k++) {
		json_object_set_new(root, kinds[k], json_u64(counter_get(&run->rx[k])));
		received += counter_get(&run->rx[k]);
	}
	json_object_set_new(root, "received", json_u64(received));
	json_object_set_new(root, "unidentified", json_u64(counter_get(&run->unidentified)));
	json_object_set_new(root, "overdue", json_u64(counter_get(&run->overdue)));
	json_object_set_new(root, "foreign", json_u64(counter_get(&run->foreign)));
}

static json_t *
noise_json(const struct run *run, bool sent)
{
	const struct gaps *g = &run->gaps;

	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "gap_max_ns", json_u64(gaps_max(g, 0)),
			 "gaps_20us", json_u64(counter_get(&g->n_20us)), "gaps_sum_ns",
			 json_u64(counter_get(&g->sum_ns)), "gaps_1ms",
			 json_u64(counter_get(&g->n_1ms)), "gaps_1ms_ns",
			 json_u64(counter_get(&g->sum_1ms_ns)), "nivcsw",
			 sent ? json_u64(counter_get(&run->nivcsw)) : json_null());
}

static void
add_analysis(json_t *root, const struct run *run)
{
	bool sent = run_is_sent(run);
	struct run_times times;

	run_times_all(run, &times);
	json_object_set_new(root, "never_seen", sent ? json_u64(run_never_seen(run)) : json_null());
	json_object_set_new(root, "repeated", sent ? json_u64(run_repeated(run)) : json_null());
	json_object_set_new(root, "pacing", sent ? hist_to_json(&times.lateness) : json_null());
	json_object_set_new(root, "reordered", sent ? json_u64(run_reordered(run)) : json_null());
	json_object_set_new(root, "latency", sent ? hist_to_json(&run->latency) : json_null());
	json_object_set_new(root, "latency_accuracy_ns",
			    sent ? json_u64(hist_quantile(&run->rounds, 0.99)) : json_null());
	json_object_set_new(root, "noise", noise_json(run, sent));
}

static int
call_trial(void *ctx, const json_t *params, json_t **result, struct jsonrpc_error *e)
{
	unsigned id;
	const struct profile *p = server_find_profile(ctx, params, &id, e);
	const struct run *run;

	if (p == NULL)
		return -EINVAL;
	run = p->run;
	if (run == NULL)
		return jsonrpc_fail(e, JSONRPC_FAILED, "port %u has sent nothing yet", id);
	*result = json_object();
	json_object_set_new(*result, "state", json_string(run_state_name(run)));
	json_object_set_new(*result, "elapsed_s",
			    json_real((double)counter_get(&run->elapsed_ns) / 1e9));
	add_counters(*result, run);
	json_object_set_new(*result, "ports", ports_json(run));
	json_object_set_new(*result, "queues", queues_json(run));
	add_analysis(*result, run);
	return 0;
}

static const struct jsonrpc_method methods[] = {
	{"x_nfvchain_trial", call_trial, RPC_NEEDS_API},
};
const struct rpc_table rpc_trial = {methods, N_ELEMS(methods)};
