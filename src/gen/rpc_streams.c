/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "base/json.h"
#include "base/mem.h"
#include "server.h"

/* x_nfvchain_streams {port_id, profile_id, buckets}: what came of the slots of each stream of a
 * port's profile, in its last run, and how punctual its frames were.
 *
 *     {state, elapsed_s, intended, sent, sent_bytes, refused, late, lateness: {...}, jitter: {...},
 *      streams: [{id, intended, sent, sent_bytes, refused, late, lateness: {...}, jitter: {...}},
 *                ...]}
 *
 * intended = sent + refused + late, of each stream and of all, once 'state' is "sent"; until then
 * some are under way.  Bytes are with FCS.  'lateness' and 'jitter' (run_times.h) are quantiles,
 * and with 'buckets' those of the run the whole histograms.  They are null before the end, without
 * a schedule, and those of streams where a run has more of them than are kept apart.
 *
 * Streams come by number, each once, whatever queues send it. */

static json_t *
counters_json(const struct run_counters *c)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:o}", "intended", json_u64(c->intended), "sent",
			 json_u64(c->sent), "sent_bytes", json_u64(c->sent_bytes), "refused",
			 json_u64(c->refused), "late", json_u64(c->late));
}

static json_t *
stream_json(const struct run *run, uint32_t id, bool timed)
{
	struct run_counters c;
	struct run_times times;
	json_t *one;

	(void)run_stream_counters(run, id, &c);
	one = counters_json(&c);
	timed = timed && run_times_of(run, id, &times);
	json_object_set_new(one, "id", json_u64(id));
	json_object_set_new(one, "lateness", timed ? hist_summary(&times.lateness) : json_null());
	json_object_set_new(one, "jitter", timed ? hist_summary(&times.jitter) : json_null());
	return one;
}

static json_t *
streams_json(const struct run *run, bool timed)
{
	json_t *streams = json_array();

	for (uint16_t i = 0; i < run->n_streams; i++) {
		const uint32_t id = run->streams[run->by_id[i]].id;

		/* A stream may have a part on each of several queues. */
		if (i > 0 && run->streams[run->by_id[i - 1]].id == id)
			continue;
		json_array_append_new(streams, stream_json(run, id, timed));
	}
	return streams;
}

static json_t *
run_json(const struct run *run, bool buckets)
{
	json_t *(*to_json)(const struct hist *) = buckets ? hist_to_json : hist_summary;
	/* First: of what has ended by then all else is final. */
	const char *state = run_state_name(run);
	const bool timed = run_is_sent(run) && !run->flat_out;
	const struct run_counters all = {
		.intended = run_intended(run),
		.sent = run_sent(run),
		.sent_bytes = counter_get(&run->sent_bytes),
		.refused = run_refused(run),
		.late = run_late(run),
	};
	json_t *root = counters_json(&all);
	struct run_times times;

	run_times_all(run, &times);
	json_object_set_new(root, "state", json_string(state));
	json_object_set_new(root, "elapsed_s",
			    json_real((double)counter_get(&run->elapsed_ns) / 1e9));
	json_object_set_new(root, "lateness", timed ? to_json(&times.lateness) : json_null());
	json_object_set_new(root, "jitter", timed ? to_json(&times.jitter) : json_null());
	json_object_set_new(root, "streams", streams_json(run, timed));
	return root;
}

static int
call_streams(void *ctx, const json_t *params, json_t **result, struct jsonrpc_error *e)
{
	unsigned id;
	bool buckets = false;
	const struct profile *p = server_find_profile(ctx, params, &id, e);

	if (p == NULL || (json_object_get(params, "buckets") != NULL &&
			  jsonrpc_bool(params, "buckets", &buckets, e) < 0))
		return -EINVAL;
	if (p->run == NULL)
		return jsonrpc_fail(e, JSONRPC_FAILED, "port %u has sent nothing yet", id);
	*result = run_json(p->run, buckets);
	return 0;
}

static const struct jsonrpc_method methods[] = {
	{"x_nfvchain_streams", call_streams, RPC_NEEDS_API},
};
const struct rpc_table rpc_streams = {methods, N_ELEMS(methods)};
