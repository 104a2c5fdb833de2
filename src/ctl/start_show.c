/* SPDX-License-Identifier: MIT */
#include "start_show.h"

#include <string.h>

#include "base/json.h"
#include "base/rate.h"
#include "base/units.h"
#include "pkt/frame.h"

static double
number_at(const json_t *object, const char *key)
{
	return json_number_value(json_object_get(object, key));
}

double
start_growth(const json_t *before, const json_t *after, unsigned port, const char *key)
{
	return number_at(json_array_get(after, port), key) -
	       number_at(json_array_get(before, port), key);
}

/* "28 pps", in the unit the profile has it in. */
static void
print_rate(const json_t *mode, FILE *out)
{
	const json_t *rate = json_object_get(mode, "rate");
	const char *type = json_string_value(json_object_get(rate, "type"));
	const double value = number_at(rate, "value");
	char text[32];

	if (type == NULL || strcmp(type, "pps") == 0)
		fprintf(out, "%s", rate_print_pps(text, sizeof(text), value));
	else if (strcmp(type, "percentage") == 0)
		fprintf(out, "%g %%", value);
	else
		fprintf(out, "%s %s", rate_print_bps(text, sizeof(text), value),
			strcmp(type, "bps_L1") == 0 ? "L1" : "L2");
}

static void
print_mode(const json_t *mode, FILE *out)
{
	const char *type = json_string_value(json_object_get(mode, "type"));

	if (type != NULL && strcmp(type, "single_burst") == 0)
		fprintf(out, ", %.0f frames", number_at(mode, "total_pkts"));
	else if (type != NULL && strcmp(type, "multi_burst") == 0)
		fprintf(out, ", %.0f bursts of %.0f frames", number_at(mode, "count"),
			number_at(mode, "pkts_per_burst"));
}

void
start_show_stream(uint32_t id, const char *name, const json_t *stream, FILE *out)
{
	const json_t *mode = json_object_get(stream, "mode");
	const char *binary = json_string_value(json_at(stream, "packet.binary"));
	const size_t text = binary != NULL ? strlen(binary) : 0;
	const size_t pad = text > 0 ? strspn(binary + strcspn(binary, "="), "=") : 0;
	const json_int_t next = json_integer_value(json_object_get(stream, "next_stream_id"));
	size_t size = text / 4 * 3 - pad + FRAME_FCS;

	size = size < FRAME_MIN_SIZE ? FRAME_MIN_SIZE : size;
	fprintf(out, "  stream %-3u %-10s %4zu B, ", id, name, size);
	print_rate(mode, out);
	print_mode(mode, out);
	if (json_array_size(json_at(stream, "vm.instructions")) > 0)
		fprintf(out, ", varied");
	if (next >= 0)
		fprintf(out, ", then stream %lld", (long long)next);
	fprintf(out, "\n");
}

void
start_show_streams(const struct profile *profile, FILE *out)
{
	for (size_t i = 0; i < profile->n_streams; i++) {
		const struct profile_stream *s = &profile->streams[i];

		start_show_stream(s->id, s->name, s->object, out);
	}
}

static double
sum_of(json_t *by_port)
{
	const char *port;
	json_t *value;
	double sum = 0;

	json_object_foreach(by_port, port, value)
		sum += json_number_value(value);
	return sum;
}

static void
print_latency(const json_t *latency, FILE *out)
{
	const json_t *lat = json_object_get(latency, "lat"), *er = json_object_get(latency, "er");

	if (lat == NULL)
		return;
	fprintf(out, "           latency average %.1f us, max %.0f us, jitter %.0f us",
		number_at(lat, "average"), number_at(lat, "total_max"), number_at(lat, "jit"));
	fprintf(out, "; dropped %.0f, out of order %.0f, duplicated %.0f\n", number_at(er, "drp"),
		number_at(er, "ooo"), number_at(er, "dup"));
}

void
start_show_flows(const json_t *flows, FILE *out)
{
	json_t *stats = json_object_get(flows, "flow_stats");
	const char *id;
	json_t *flow;

	json_object_foreach(stats, id, flow) {
		const double tx = sum_of(json_object_get(flow, "tp"));
		const double rx = sum_of(json_object_get(flow, "rp"));

		if (strcmp(id, "g") == 0)
			continue;
		fprintf(out, "  flow %-4s sent %.0f, received %.0f, lost %.0f\n", id, tx, rx,
			tx - rx);
		print_latency(json_object_get(json_object_get(flows, "latency"), id), out);
	}
}

void
start_show_result(const struct start_result *r, FILE *out)
{
	for (unsigned i = 0; i < json_array_size(r->after); i++) {
		const double tx = start_growth(r->before, r->after, i, "opackets");
		const double rx = start_growth(r->before, r->after, i, "ipackets");
		const double bits = 8 * start_growth(r->before, r->after, i, "obytes");
		char count[2][32], pps[32], bps[32];

		fprintf(out, "  port %u     sent %s, received %s", i,
			count_print(count[0], sizeof(count[0]), (uint64_t)tx),
			count_print(count[1], sizeof(count[1]), (uint64_t)rx));
		if (i == r->port && r->seconds > 0)
			fprintf(out, "; %s, %s", rate_print_pps(pps, sizeof(pps), tx / r->seconds),
				rate_print_bps(bps, sizeof(bps), bits / r->seconds));
		fprintf(out, "\n");
	}
	start_show_slots(r, out);
	start_show_flows(r->flows, out);
}

json_t *
start_result_json(const struct start_result *r)
{
	static const char *const keys[] = {"opackets", "ipackets", "obytes",
					   "ibytes",   "oerrors",  "ierrors"};
	json_t *ports = json_array();

	for (unsigned i = 0; i < json_array_size(r->after); i++) {
		json_t *one = json_object();

		for (size_t k = 0; k < sizeof(keys) / sizeof(keys[0]); k++)
			json_object_set_new(
				one, keys[k],
				json_u64((uint64_t)start_growth(r->before, r->after, i, keys[k])));
		json_array_append_new(ports, one);
	}
	return json_pack("{s:i, s:f, s:f, s:o, s:O?, s:O?}", "port", (int)r->port, "elapsed_s",
			 r->seconds, "factor", r->factor, "ports", ports, "flows", r->flows,
			 "slots", r->streams);
}
