/* SPDX-License-Identifier: MIT */
#include "tg.h"

#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/json.h"
#include "base/mem.h"
#include "pkt/frame.h"
#include "stl.h"

#define FACTS_MS 5000

struct tg {
	struct stl *stl;
};

static int
call_port(struct tg *tg, unsigned port, const char *method, json_t *params, json_t **result,
	  struct err *err)
{
	return stl_call_port(tg->stl, port, method, params, result, err);
}

int
tg_open(struct tg **out, const char *endpoint, int timeout_ms, struct err *err)
{
	struct tg *tg = xcalloc(1, sizeof(*tg));
	int rc = stl_open(&tg->stl, endpoint, timeout_ms, err);

	for (unsigned i = 0; rc == 0 && i < 2; i++)
		rc = stl_acquire(tg->stl, i, true, err);
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
	stl_close(tg->stl);
	free(tg);
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
	int len;

	frame_spec_init(&spec);
	spec.size = t->frames->part[part].size;
	spec.ipv6 = t->ipv6;
	spec.vlan = t->vlan;
	if (t->dst_mac != NULL)
		memcpy(spec.dst_mac, t->dst_mac, 6);
	if (spec.size < frame_min_signed_size(&spec))
		return err_usage(err,
				 "frames of %u bytes have no room for a signature (%u is the "
				 "smallest with these headers)",
				 spec.size, frame_min_signed_size(&spec));
	len = frame_build(&spec, frame, sizeof(frame), err);
	if (len < 0)
		return len;
	return call_port(tg, 0, "add_stream",
			 json_pack("{s:I, s:o}", "stream_id", (json_int_t)part + 1, "stream",
				   stream_object(t, part, frame, len)),
			 NULL, err);
}

int
tg_set_streams(struct tg *tg, const struct tg_traffic *traffic, struct err *err)
{
	int rc = call_port(tg, 0, "remove_all_streams", NULL, NULL, err);

	for (size_t i = 0; rc == 0 && i < traffic->frames->n; i++)
		rc = add_stream(tg, traffic, i, err);
	return rc;
}

int
tg_start(struct tg *tg, double pps, double duration_s, bool flat_out, struct err *err)
{
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
	int rc = call_port(tg, 0, "get_port_status", NULL, &status, err);

	*received = 0;
	if (rc == 0) {
		const char *state = json_string_value(json_object_get(status, "state"));

		*sent = state != NULL && strcmp(state, "TX") != 0;
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
