/* SPDX-License-Identifier: MIT */
#include "run.h"

#include <errno.h>
#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "run_ask.h"
#include "run_frames.h"
#include "run_graph.h"
#include "run_lanes.h"
#include "run_next.h"

#define REFUSED_WAIT_NS 10000 /* or one frame, if that is longer */

/* What fell due while the worker was away is sent all the same, if it is not older than this: more
 * than a hypervisor usually takes a CPU away for, and as long as a forwarder holds frames.  The
 * signature's lateness saturates at 4.2 ms; latency, which counts from the intended time, does not.
 */
#define LATE_NS 10000000

/* A client's "for ever" may be any number below 0, or one that no clock counts to. */
static bool
is_endless(const struct run_conf *conf)
{
	return conf->duration_s < 0 || conf->duration_s > 1e9;
}

/* The run's own copy of the stream, with its addresses. */
static struct stream *
own_stream(struct run *run, const struct stream *s, const struct run_conf *conf)
{
	struct stream *copy = &run->owned[run->n_owned++];

	stream_clone(copy, s);
	if (!s->keep_dst_mac)
		memcpy(copy->frame, conf->dst_mac, 6);
	if (!s->keep_src_mac)
		memcpy(copy->frame + 6, conf->src_mac, 6);
	return copy;
}

/* Clients may put what they like behind the signature; only the usual pattern can be left in a
 * buffer for the next frame. */
static bool
has_usual_payload(const struct run_stream *rs)
{
	uint8_t usual[FRAME_MAX_SIZE];
	size_t len = (size_t)rs->len - rs->tmpl.payload;

	frame_fill(usual, SIG_SIZE, len);
	return memcmp(rs->frame + rs->tmpl.payload + SIG_SIZE, usual + SIG_SIZE, len - SIG_SIZE) ==
	       0;
}

/* Refuses what contradicts itself. */
static int
check_stream(const struct stream *s, double pps, const struct run_conf *conf,
	     struct jsonrpc_error *e)
{
	if (!(pps >= 0.001) || pps > 1e9)
		return jsonrpc_fail(e, JSONRPC_FAILED,
				    "stream %u: %g frames a second is not within 0.001 and 1e9",
				    s->id, pps);
	if (conf->flat_out && (s->dummy || s->start_paused))
		return jsonrpc_fail(e, JSONRPC_FAILED,
				    "stream %u: without a schedule nothing is paused or dummy",
				    s->id);
	if (s->signature && (s->dummy || s->vm != NULL || s->rule != RULE_NONE))
		return jsonrpc_fail(e, JSONRPC_FAILED,
				    "stream %u: frames with a signature have no field engine, no "
				    "flow statistics and are not dummies",
				    s->id);
	return 0;
}

/* The bursts of the stream, and how it goes on behind them. */
static void
compile_bursts(const struct run *run, struct run_stream *rs, const struct stream *s, double pps,
	       const struct run_conf *conf)
{
	rs->continuous = s->mode == STREAM_CONTINUOUS;
	rs->burst_slots = s->mode == STREAM_SINGLE_BURST  ? s->total_pkts
			  : s->mode == STREAM_MULTI_BURST ? s->pkts_per_burst
							  : UINT64_MAX;
	if (s->mode == STREAM_MULTI_BURST)
		rs->n_bursts = s->bursts == 0 ? UINT32_MAX : s->bursts - 1;
	rs->ibg = run_time_from(s->ibg_us * 1000);
	rs->isg = run_time_from(s->isg_us * 1000);
	rs->actions_left = s->action_count;
	rs->next = RUN_NO_STREAM;
	rs->due = rs->isg;
	rs->first_ns = rs->due.ns;
	rs->bursts_left = rs->n_bursts;
	rs->slots_left = rs->burst_slots;
	if (rs->continuous && !is_endless(conf) && !conf->flat_out)
		rs->slots_left = s->isg_us > 0 ? run_slots_within(run, &rs->due, &rs->step)
					       : (uint64_t)ceil(pps * conf->duration_s - 1e-6);
	rs->paused = s->start_paused;
}

static int
compile(struct run *run, struct run_stream *rs, const struct stream *s, const struct run_conf *conf,
	struct jsonrpc_error *e)
{
	double factor = stream_is_variable(s) ? conf->factor : 1, pps;
	struct stream *own;
	struct err err = {0};

	rs->pps = stream_pps(s, conf->speed_bps);
	pps = rs->pps * factor;
	if (check_stream(s, pps, conf, e) < 0)
		return -EINVAL;
	rs->id = s->id;
	own = own_stream(run, s, conf);
	rs->frame = own->frame;
	rs->len = s->len;
	rs->signature = s->signature;
	rs->flows = s->flows;
	rs->dummy = s->dummy;
	rs->variable = stream_is_variable(s);
	rs->step = run_time_from(1e9 / pps);
	compile_bursts(run, rs, s, pps, conf);
	if (run->max_len < s->len)
		run->max_len = s->len;
	if (!s->signature)
		return run_frames_init(rs, own, own->frame, e);
	if (frame_template_init(&rs->tmpl, rs->frame, rs->len, &err) < 0)
		return jsonrpc_fail(e, JSONRPC_FAILED, "stream %u: %s", s->id, err.msg);
	rs->usual_payload = has_usual_payload(rs);
	return 0;
}

void
run_set_patience(struct run *run)
{
	uint64_t longest = 0, shortest = UINT64_MAX;

	for (uint16_t i = 0; i < run->n_streams; i++) {
		uint64_t step_ns = run->streams[i].step.ns;

		longest = step_ns > longest ? step_ns : longest;
		shortest = step_ns < shortest ? step_ns : shortest;
	}
	/* A client's slow stream is no reason to let the frames of a fast one grow old. */
	run->wait_ns = run->n_signed > 0 ? longest : shortest;
	if (run->flat_out || run->wait_ns < REFUSED_WAIT_NS)
		run->wait_ns = REFUSED_WAIT_NS;
	run->late_ns = run->wait_ns > LATE_NS ? run->wait_ns : LATE_NS;
}

/* A run of no streams yet, with room for 'n'. */
static struct run *
new_run(size_t n, const struct run_conf *conf)
{
	struct run *run = aligned_alloc(64, (sizeof(*run) + 63) / 64 * 64);

	if (run == NULL)
		abort();
	memset(run, 0, sizeof(*run));
	hist_init(&run->latency);
	hist_init(&run->rounds);
	run->tx_port = conf->tx_port;
	run->stream_base = conf->stream_base;
	run->flat_out = conf->flat_out;
	run->start_at_ns = conf->start_at_ns;
	run->wait_ns = REFUSED_WAIT_NS;
	run->duration_ns =
		is_endless(conf) ? UINT64_MAX : (uint64_t)ceil(conf->duration_s * 1e9 - 1e-3);
	run->n_lanes = conf->n_queues;
	run->streams = xcalloc(n * conf->n_queues + 1, sizeof(*run->streams));
	run->owned = xcalloc(n + 1, sizeof(*run->owned));
	return run;
}

/* Compiles the streams that the graph has, in their order. */
static int
compile_all(struct run *run, struct run_stream *whole, const struct stream *streams,
	    const struct run_graph *g, const struct run_conf *conf, struct jsonrpc_error *e)
{
	unsigned n_signed = 0;

	for (uint32_t i = 0; i < g->n; i++) {
		const struct stream *s = &streams[g->of[i]];

		n_signed += s->signature;
		if (n_signed > STREAM_MAX_SIGNED)
			return jsonrpc_fail(e, JSONRPC_FAILED,
					    "more than %d streams with a signature",
					    STREAM_MAX_SIGNED);
		if (compile(run, &whole[i], s, conf, e) < 0)
			return -EINVAL;
		whole[i].next = g->next[i];
		whole[i].state = s->self_start ? RUN_STREAM_WAITING : RUN_STREAM_IDLE;
	}
	return 0;
}

struct run *
run_new(const struct stream *streams, size_t n, const struct run_conf *conf,
	struct jsonrpc_error *e)
{
	struct run_stream *whole = NULL;
	struct run_graph graph;
	struct run *run;
	int rc;

	if (run_graph_init(&graph, streams, n, e) < 0)
		return NULL;
	run = new_run(graph.n, conf);
	whole = xcalloc(graph.n, sizeof(*whole));
	rc = compile_all(run, whole, streams, &graph, conf, e);
	if (rc == 0)
		rc = run_graph_check(&graph, whole, e);
	if (rc == 0) {
		run_fill_lanes(run, whole, &graph);
		run_index(run);
		run_times_init(run);
		run_set_patience(run);
	}
	for (uint32_t i = 0; rc < 0 && i < graph.n; i++)
		run_frames_fini(&whole[i]);
	free(whole);
	run_graph_fini(&graph);
	if (rc == 0)
		return run;
	run_free(run);
	return NULL;
}

void
run_free(struct run *run)
{
	if (run == NULL)
		return;
	run_empty_lanes(run);
	for (uint16_t i = 0; i < run->n_owned; i++)
		stream_fini(&run->owned[i]);
	run_forget_changes(run);
	run_times_fini(run);
	free(run->by_id);
	free(run->streams);
	free(run->owned);
	free(run);
}

/* Sum of one of the lanes' counters. */
static uint64_t
sum_of_lanes(const struct run *run, size_t offset)
{
	uint64_t n = 0;

	for (uint16_t i = 0; i < run->n_lanes; i++)
		n += counter_get((const counter_t *)((const char *)&run->lane[i] + offset));
	return n;
}

uint64_t
run_intended(const struct run *run)
{
	return sum_of_lanes(run, offsetof(struct run_lane, intended));
}

uint64_t
run_sent(const struct run *run)
{
	return sum_of_lanes(run, offsetof(struct run_lane, sent));
}

uint64_t
run_refused(const struct run *run)
{
	return sum_of_lanes(run, offsetof(struct run_lane, refused));
}

uint64_t
run_late(const struct run *run)
{
	return sum_of_lanes(run, offsetof(struct run_lane, late));
}

uint64_t
run_never_seen(const struct run *run)
{
	uint64_t n = 0;

	for (uint16_t i = 0; i < run->n_streams; i++)
		if (run->streams[i].signature)
			n += seqtrack_never_seen(&run->streams[i].track, run->streams[i].seq);
	return n;
}

uint64_t
run_reordered(const struct run *run)
{
	uint64_t n = 0;

	for (uint16_t i = 0; i < run->n_streams; i++)
		n += run->streams[i].track.reordered;
	return n;
}

uint64_t
run_repeated(const struct run *run)
{
	uint64_t n = 0;

	for (uint16_t i = 0; i < run->n_streams; i++)
		n += run->streams[i].track.duplicate + run->streams[i].track.stale;
	return n;
}
