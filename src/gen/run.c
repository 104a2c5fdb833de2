/* SPDX-License-Identifier: MIT */
#include "run.h"

#include <errno.h>
#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "run_lanes.h"

#define REFUSED_WAIT_NS 10000 /* or one frame, if that is longer */

/* What fell due while the worker was away is sent all the same, if it is not older than this: more
 * than a hypervisor usually takes a CPU away for, and as long as a forwarder holds frames.  The
 * signature's lateness saturates at 4.2 ms; latency, which counts from the intended time, does not.
 */
#define LATE_NS 10000000

static struct run_time
time_from_ns(double ns)
{
	double whole = floor(ns);

	return (struct run_time){(uint64_t)whole, (uint32_t)((ns - whole) * 4294967296.0)};
}

/* A client's "for ever" may be any number below 0, or one that no clock counts to. */
static bool
is_endless(const struct run_conf *conf)
{
	return conf->duration_s < 0 || conf->duration_s > 1e9;
}

/* The frame of the run's own copy of the stream. */
static const uint8_t *
own_stream(struct run *run, const struct stream *s, const struct run_conf *conf)
{
	struct stream *copy = &run->owned[run->n_owned++];

	stream_clone(copy, s);
	if (!s->keep_dst_mac)
		memcpy(copy->frame, conf->dst_mac, 6);
	if (!s->keep_src_mac)
		memcpy(copy->frame + 6, conf->src_mac, 6);
	return copy->frame;
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

/* What of a stream this version does not send, by name: a client must not believe it is done. */
static int
refuse_unbuilt(const struct stream *s, struct jsonrpc_error *e)
{
	const char *what = NULL;

	if (s->vm != NULL)
		what = "field engine is";
	else if (s->rule != RULE_NONE)
		what = "flow statistics are";
	else if (s->next_id >= 0)
		what = "chained streams are";
	else if (s->start_paused)
		what = "paused streams are";
	else if (s->dummy)
		what = "dummy streams are";
	else if (s->mode == STREAM_MULTI_BURST)
		what = "several bursts are";
	return what == NULL ? 0
			    : jsonrpc_fail(e, JSONRPC_FAILED, "stream %u: %s not built yet", s->id,
					   what);
}

static int
compile(struct run *run, struct run_stream *rs, const struct stream *s, const struct run_conf *conf,
	struct jsonrpc_error *e)
{
	double pps = stream_pps(s, conf->speed_bps) * conf->factor;
	struct err err = {0};

	if (refuse_unbuilt(s, e) < 0)
		return -EINVAL;
	if (!(pps >= 0.001) || pps > 1e9)
		return jsonrpc_fail(e, JSONRPC_FAILED,
				    "stream %u: %g frames a second is not within 0.001 and 1e9",
				    s->id, pps);
	rs->frame = own_stream(run, s, conf);
	rs->id = s->id;
	rs->len = s->len;
	rs->signature = s->signature;
	rs->flows = s->flows;
	rs->due = time_from_ns(s->isg_us * 1000);
	rs->step = time_from_ns(1e9 / pps);
	rs->slots_left = s->mode == STREAM_SINGLE_BURST ? s->total_pkts : UINT64_MAX;
	if (s->mode == STREAM_CONTINUOUS && !is_endless(conf) && !conf->flat_out)
		rs->slots_left = (uint64_t)ceil(pps * conf->duration_s - 1e-6);
	if (run->max_len < s->len)
		run->max_len = s->len;
	if (conf->flat_out || 1e9 / pps > (double)run->wait_ns)
		run->wait_ns = conf->flat_out ? REFUSED_WAIT_NS : (uint64_t)(1e9 / pps);
	if (!s->signature)
		return 0;
	if (frame_template_init(&rs->tmpl, rs->frame, rs->len, &err) < 0)
		return jsonrpc_fail(e, JSONRPC_FAILED, "stream %u: %s", s->id, err.msg);
	rs->usual_payload = has_usual_payload(rs);
	return 0;
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
	hist_init(&run->pacing);
	hist_init(&run->rounds);
	run->tx_port = conf->tx_port;
	run->stream_base = conf->stream_base;
	run->flat_out = conf->flat_out;
	run->start_at_ns = conf->start_at_ns;
	run->wait_ns = REFUSED_WAIT_NS;
	run->duration_ns = is_endless(conf) ? UINT64_MAX : (uint64_t)ceil(conf->duration_s * 1e9);
	run->n_lanes = conf->n_queues;
	run->streams = xcalloc(n * conf->n_queues + 1, sizeof(*run->streams));
	run->owned = xcalloc(n + 1, sizeof(*run->owned));
	return run;
}

struct run *
run_new(const struct stream *streams, size_t n, const struct run_conf *conf,
	struct jsonrpc_error *e)
{
	struct run *run = new_run(n, conf);
	struct run_stream *whole = xcalloc(n + 1, sizeof(*whole));
	size_t n_whole = 0;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < n; i++)
		if (streams[i].enabled && streams[i].self_start)
			rc = compile(run, &whole[n_whole++], &streams[i], conf, e);
	run->late_ns = run->wait_ns > LATE_NS ? run->wait_ns : LATE_NS;
	if (rc == 0 && n_whole == 0)
		rc = jsonrpc_fail(e, JSONRPC_FAILED, "no stream is enabled");
	if (rc == 0)
		run_fill_lanes(run, whole, n_whole);
	free(whole);
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
	free(run->streams);
	free(run->owned);
	free(run);
}

void
run_request_stop(struct run *run)
{
	atomic_store(&run->stop, 1);
}

int
run_pause(struct run *run, bool pause, struct jsonrpc_error *e)
{
	(void)run;
	return jsonrpc_fail(e, JSONRPC_FAILED, "%s is not built yet", pause ? "pause" : "resume");
}

int
run_pause_streams(struct run *run, const uint32_t *ids, size_t n, bool pause,
		  struct jsonrpc_error *e)
{
	(void)ids;
	(void)n;
	return run_pause(run, pause, e);
}

int
run_set_factor(struct run *run, double factor, const uint32_t *ids, size_t n,
	       struct jsonrpc_error *e)
{
	(void)run;
	(void)factor;
	(void)ids;
	(void)n;
	return jsonrpc_fail(e, JSONRPC_FAILED, "update is not built yet");
}

bool
run_stream_counters(const struct run *run, uint32_t id, struct run_counters *c)
{
	bool found = false;

	*c = (struct run_counters){0};
	for (uint16_t i = 0; i < run->n_streams; i++) {
		const struct run_stream *s = &run->streams[i];

		if (s->id != id)
			continue;
		c->intended += counter_get(&s->intended);
		c->sent += counter_get(&s->sent);
		c->sent_bytes += counter_get(&s->sent_bytes);
		c->refused += counter_get(&s->refused);
		c->late += counter_get(&s->late);
		found = true;
	}
	return found;
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
