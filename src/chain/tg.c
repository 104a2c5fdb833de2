/* SPDX-License-Identifier: MIT */
#include "tg.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/json.h"
#include "base/mem.h"
#include "pkt/frame.h"
#include "stl.h"
#include "tg_trex.h"

/* Each question costs a TRex that has one CPU for everything a piece of its schedule. */
#define POLL_MS 10
#define TREX_POLL_MS 50
/* Its counters are collected now and then. */
#define QUIET_MS 50
#define OPEN_CALL_MS 3000
#define TREX_QUIET_MS 600

#define FACTS_MS 5000

struct tg {
	struct stl *stl;
	struct tg_trex *trex; /* NULL: ours */
	bool has_dest;
	uint8_t dest[6];
};

static int
call_port(struct tg *tg, unsigned port, const char *method, json_t *params, json_t **result,
	  struct err *err)
{
	return stl_call_port(tg->stl, port, method, params, result, err);
}

/* Ours says so by its methods. */
static int
find_kind(struct tg *tg, struct err *err)
{
	json_t *methods = NULL;
	bool is_ours = false;
	const json_t *name;
	size_t i;
	int rc = stl_call(tg->stl, "get_supported_cmds", NULL, OPEN_CALL_MS, &methods, err);

	json_array_foreach(methods, i, name)
		is_ours |= json_is_string(name) &&
			   strcmp(json_string_value(name), "x_nfvchain_trial") == 0;
	json_decref(methods);
	if (rc == 0 && !is_ours)
		tg->trex = tg_trex_new(tg->stl);
	return rc;
}

int
tg_open(struct tg **tg, const char *endpoint, int timeout_ms, struct err *err)
{
	return tg_open_shared(tg, endpoint, timeout_ms, true, err);
}

int
tg_open_shared(struct tg **out, const char *endpoint, int timeout_ms, bool force, struct err *err)
{
	struct tg *tg = xcalloc(1, sizeof(*tg));
	int rc = stl_open(&tg->stl, endpoint, timeout_ms, err);

	if (rc == 0 && stl_ports(tg->stl) < 2)
		rc = err_machine(err, "%s: %u port, and a chain takes two", endpoint,
				 stl_ports(tg->stl));
	if (rc == 0)
		rc = find_kind(tg, err);
	for (unsigned i = 0; rc == 0 && i < 2; i++) {
		rc = stl_acquire(tg->stl, i, force, err);
		if (rc < 0 && !force)
			err_wrap(err, rc, "port %u (--force takes it all the same)", i);
	}
	*out = tg;
	if (rc < 0) {
		tg_close(tg);
		*out = NULL;
	}
	return rc;
}

void
tg_be_patient(struct tg *tg, int call_ms)
{
	stl_be_patient(tg->stl, call_ms);
}

void
tg_release(struct tg *tg)
{
	stl_release(tg->stl);
}

void
tg_close(struct tg *tg)
{
	if (tg == NULL)
		return;
	if (tg->trex != NULL) {
		tg_trex_quit(tg->trex);
		tg_trex_free(tg->trex);
	}
	stl_close(tg->stl);
	free(tg);
}

bool
tg_is_trex(const struct tg *tg)
{
	return tg->trex != NULL;
}

void
tg_set_dest(struct tg *tg, const uint8_t mac[6])
{
	memcpy(tg->dest, mac, sizeof(tg->dest));
	tg->has_dest = true;
}

int
tg_ping(struct tg *tg, int timeout_ms, struct err *err)
{
	int rc = stl_call(tg->stl, "ping", NULL, timeout_ms, NULL, err);

	return rc == -ETIMEDOUT ? err_wrap(err, rc, "the generator is gone or stands still") : rc;
}

int
tg_link_is_up(struct tg *tg, unsigned port, bool *up, struct err *err)
{
	json_t *status = NULL;
	int rc = call_port(tg, port, "get_port_status", NULL, &status, err);

	if (rc == 0)
		rc = json_get_bool(status, "attr.link.up", up, err);
	json_decref(status);
	return rc;
}

int
tg_poll_ms(const struct tg *tg)
{
	return tg->trex != NULL ? TREX_POLL_MS : POLL_MS;
}

int
tg_quiet_ms(const struct tg *tg)
{
	return tg->trex != NULL ? TREX_QUIET_MS : QUIET_MS;
}

static json_t *
stream_object(const struct tg_traffic *t, size_t part, const uint8_t *frame, int len)
{
	const struct imix *mix = t->frames;
	char *binary = base64_encode(frame, (size_t)len);
	/* Departures of the streams interleave instead of coinciding: in periods of one frame of
	 * the mix, stream i starts i / n later.  At factor 1 the mix has 1 Mpps, so isg is exact
	 * for one rate only and a fraction of a period at others. */
	json_t *stream = json_pack(
		"{s:i, s:b, s:b, s:f, s:i, s:{s:s, s:{s:s, s:f}}, s:{s:s, s:s}, s:{s:[]}, s:{s:b}, "
		"s:{s:b, s:I}}",
		"flags", t->dst_mac != NULL ? 2 : 0, "enabled", 1, "self_start", 1, "isg",
		(double)part / (double)mix->n, "next_stream_id", -1, "mode", "type", "continuous",
		"rate", "type", "pps", "value", 1e6 * imix_share(mix, part), "packet", "binary",
		binary, "meta", "", "vm", "instructions", "flow_stats", "enabled", 0, "x_nfvchain",
		"signature", 1, "flows", (json_int_t)t->flows);

	free(binary);
	return stream;
}

static int
add_stream(struct tg *tg, const struct tg_traffic *t, size_t part, struct err *err)
{
	uint8_t frame[FRAME_MAX_SIZE];
	struct frame_spec spec;
	json_t *stream;
	int len, rc = 0;

	frame_spec_init(&spec);
	spec.size = t->frames->part[part].size;
	spec.ipv6 = t->ipv6;
	spec.vlan = t->vlan;
	if (t->dst_mac != NULL)
		memcpy(spec.dst_mac, t->dst_mac, 6);
	if (tg->trex == NULL && spec.size < frame_min_signed_size(&spec))
		return err_usage(err,
				 "frames of %u bytes have no room for a signature (%u is the "
				 "smallest with these headers)",
				 spec.size, frame_min_signed_size(&spec));
	len = frame_build(&spec, frame, sizeof(frame), err);
	if (len < 0)
		return len;
	if (tg->trex != NULL && !t->ipv6)
		tg_trex_frame(frame, t);
	stream = stream_object(t, part, frame, len);
	if (tg->trex != NULL)
		rc = tg_trex_stream(stream, t, part, err);
	if (rc < 0) {
		json_decref(stream);
		return rc;
	}
	return call_port(
		tg, 0, "add_stream",
		json_pack("{s:I, s:o}", "stream_id", (json_int_t)part + 1, "stream", stream), NULL,
		err);
}

int
tg_set_streams(struct tg *tg, const struct tg_traffic *traffic, struct err *err)
{
	struct tg_traffic sent = *traffic;
	int rc = 0;

	if (sent.dst_mac == NULL && tg->has_dest)
		sent.dst_mac = tg->dest;
	/* A TRex keeps the streams of a port that sends, whoever made it do so. */
	if (tg->trex != NULL)
		rc = tg_stop(tg, err);
	if (rc == 0)
		rc = call_port(tg, 0, "remove_all_streams", NULL, NULL, err);
	for (size_t i = 0; rc == 0 && i < traffic->frames->n; i++)
		rc = add_stream(tg, &sent, i, err);
	return rc;
}

int
tg_start(struct tg *tg, double pps, double duration_s, bool flat_out, struct err *err)
{
	if (tg->trex != NULL)
		return tg_trex_start(tg->trex, pps, duration_s, flat_out, err);
	return call_port(tg, 0, "start_traffic",
			 json_pack("{s:{s:s, s:f, s:s}, s:f, s:b, s:{s:b}}", "mul", "type", "pps",
				   "value", pps, "op", "abs", "duration", duration_s, "force", 1,
				   "x_nfvchain", "flat_out", flat_out),
			 NULL, err);
}

int
tg_stop(struct tg *tg, struct err *err)
{
	return call_port(tg, 0, "stop_traffic", NULL, NULL, err);
}

static int
port_count(struct tg *tg, unsigned port, const char *name, uint64_t *n, struct err *err)
{
	json_t *stats = NULL;
	int rc = call_port(tg, port, "get_port_stats", NULL, &stats, err);

	if (rc == 0)
		rc = json_get_u64(stats, name, n, err);
	json_decref(stats);
	return rc;
}

int
tg_counts(struct tg *tg, uint64_t *sent, uint64_t *received, struct err *err)
{
	int rc = port_count(tg, 0, "opackets", sent, err);

	return rc == 0 ? port_count(tg, 1, "ipackets", received, err) : rc;
}

int
tg_poll(struct tg *tg, bool *sent, uint64_t *received, struct err *err)
{
	json_t *status = NULL, *stats = NULL;
	uint64_t n;
	int rc = tg->trex != NULL ? tg_trex_end(tg->trex, err) : 0;

	if (rc == 0)
		rc = call_port(tg, 0, "get_port_status", NULL, &status, err);
	*received = 0;
	if (rc == 0) {
		const char *state = json_string_value(json_object_get(status, "state"));

		*sent = state != NULL && strcmp(state, "TX") != 0;
		if (tg->trex != NULL)
			tg_trex_polled(tg->trex, !*sent);
	}
	for (unsigned port = 0; rc == 0 && port < 2; port++) {
		rc = call_port(tg, port, "get_port_stats", NULL, &stats, err);
		if (rc == 0)
			rc = json_get_u64(stats, "ipackets", &n, err);
		if (rc == 0)
			*received += n;
		json_decref(stats);
		stats = NULL;
	}
	json_decref(status);
	return rc;
}

int
tg_begin(struct tg *tg, struct err *err)
{
	return tg->trex != NULL ? tg_trex_begin(tg->trex, err) : 0;
}

int
tg_finish(struct tg *tg, const struct trial_spec *spec, struct trial *t, struct err *err)
{
	return tg_trex_finish(tg->trex, spec, t, err);
}

int
tg_trial(struct tg *tg, json_t **result, struct err *err)
{
	return call_port(tg, 0, "x_nfvchain_trial", NULL, result, err);
}

int
tg_facts(struct tg *tg, json_t **facts, struct err *err)
{
	json_t *version = NULL, *devices = json_array();
	int rc = stl_call(tg->stl, "get_version", NULL, FACTS_MS, &version, err);

	*facts = NULL;
	for (unsigned port = 0; rc == 0 && port < 2; port++) {
		json_t *status = NULL;

		rc = call_port(tg, port, "get_port_status", NULL, &status, err);
		json_array_append_new(devices,
				      json_pack("{s:O?}", "promiscuous",
						json_at(status, "attr.promiscuous.enabled")));
		json_decref(status);
	}
	if (rc == 0)
		*facts = json_pack("{s:O?, s:O}", "dpdk", json_at(version, "x_nfvchain.dpdk"),
				   "devices", devices);
	json_decref(version);
	json_decref(devices);
	return rc;
}
