/* SPDX-License-Identifier: MIT */
/* Streams of a profile, as TRex's objects. */
#include <errno.h>

#include "base/mem.h"
#include "base/rate.h"
#include "profile_parts.h"

static int
read_rate(const struct profile_reading *r, const struct yaml_node *map, json_t **rate,
	  struct err *err)
{
	static const char *const types[] = {[RATE_PPS] = "pps",
					    [RATE_BPS_L2] = "bps_L2",
					    [RATE_BPS_L1] = "bps_L1",
					    [RATE_PERCENT] = "percentage"};
	const char *text = "1pps";
	struct rate value;
	struct err why = {0};
	int rc = profile_word(r, map, "rate", &text, err);

	if (rc < 0)
		return rc;
	if (rate_parse(text, &value, &why) < 0 || value.unit == RATE_MAX)
		return yaml_error(r->doc, yaml_get(map, "rate"), err, "rate: %s",
				  why.msg[0] != '\0' ? why.msg : "max is no rate of a stream");
	*rate = json_pack("{s:s, s:f}", "type", types[value.unit], "value", value.value);
	return 0;
}

static int
read_bursts(const struct profile_reading *r, const struct yaml_node *map, json_t *mode,
	    struct err *err)
{
	static const char *const keys[] = {"count", "frames", "gap", NULL};
	uint64_t count = 0, frames = 1;
	double gap_us = 0;
	int rc = profile_map(r, map, "bursts", keys, err);

	if (rc == 0)
		rc = profile_uint(r, map, "count", 0, UINT32_MAX, &count, err);
	if (rc == 0)
		rc = profile_uint(r, map, "frames", 1, UINT32_MAX, &frames, err);
	if (rc == 0)
		rc = profile_time_us(r, map, "gap", &gap_us, err);
	json_object_set_new(mode, "type", json_string("multi_burst"));
	json_object_set_new(mode, "pkts_per_burst", json_integer((json_int_t)frames));
	json_object_set_new(mode, "count", json_integer((json_int_t)count));
	json_object_set_new(mode, "ibg", json_real(gap_us));
	return rc;
}

static int
read_mode(const struct profile_reading *r, const struct yaml_node *map, json_t *object,
	  struct err *err)
{
	json_t *mode = json_object(), *rate = NULL;
	uint64_t burst = 0;
	int rc = read_rate(r, map, &rate, err);

	json_object_set_new(object, "mode", mode);
	json_object_set_new(mode, "type", json_string("continuous"));
	if (rate != NULL)
		json_object_set_new(mode, "rate", rate);
	if (rc == 0 && yaml_get(map, "burst") != NULL && yaml_get(map, "bursts") != NULL)
		return yaml_error(r->doc, yaml_get(map, "bursts"), err,
				  "a stream has 'burst' or 'bursts', not both");
	if (rc == 0)
		rc = profile_uint(r, map, "burst", 1, UINT32_MAX, &burst, err);
	if (rc == 0 && burst > 0) {
		json_object_set_new(mode, "type", json_string("single_burst"));
		json_object_set_new(mode, "total_pkts", json_integer((json_int_t)burst));
	}
	if (rc == 0 && yaml_get(map, "bursts") != NULL)
		rc = read_bursts(r, yaml_get(map, "bursts"), mode, err);
	return rc;
}

static int
read_statistics(const struct profile_reading *r, const struct yaml_node *map, json_t *object,
		struct err *err)
{
	static const char *const keys[] = {"stats", "latency"};
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < N_ELEMS(keys); i++) {
		uint64_t id = UINT64_MAX;

		rc = profile_uint(r, map, keys[i], 0, UINT32_MAX, &id, err);
		if (rc < 0 || id == UINT64_MAX)
			continue;
		if (json_is_true(json_object_get(json_object_get(object, "flow_stats"), "enabled")))
			return yaml_error(r->doc, map, err,
					  "a stream has 'stats' or 'latency', not both");
		json_object_set_new(object, "flow_stats",
				    json_pack("{s:b, s:I, s:s, s:b}", "enabled", 1, "stream_id",
					      (json_int_t)id, "rule_type", keys[i], "vxlan", 0));
	}
	return rc;
}

static int
read_flow(const struct profile_reading *r, const struct yaml_node *map, json_t *object,
	  struct err *err)
{
	bool waits = false, dummy = false, paused = false;
	uint64_t times = 0, seed = 0;
	double delay_us = 0;
	int rc = profile_time_us(r, map, "delay", &delay_us, err);

	if (rc == 0)
		rc = profile_flag(r, map, "waits", &waits, err);
	if (rc == 0)
		rc = profile_flag(r, map, "dummy", &dummy, err);
	if (rc == 0)
		rc = profile_flag(r, map, "paused", &paused, err);
	if (rc == 0)
		rc = profile_uint(r, map, "times", 0, UINT32_MAX, &times, err);
	if (rc == 0)
		rc = profile_uint(r, map, "seed", 0, UINT32_MAX, &seed, err);
	json_object_set_new(object, "isg", json_real(delay_us));
	json_object_set_new(object, "self_start", json_boolean(!waits));
	json_object_set_new(object, "start_paused", json_boolean(paused));
	json_object_set_new(object, "action_count", json_integer((json_int_t)times));
	if (seed > 0)
		json_object_set_new(object, "random_seed", json_integer((json_int_t)seed));
	if (dummy)
		json_object_set_new(
			object, "flags",
			json_integer(json_integer_value(json_object_get(object, "flags")) | 8));
	return rc;
}

static int
read_engine(const struct profile_reading *r, const struct yaml_node *map, const struct packet *p,
	    json_t *object, struct err *err)
{
	json_t *vm = json_object_get(object, "vm"), *instructions = NULL;
	uint64_t cache = 0;
	int rc = profile_vary(r, yaml_get(map, "vary"), p, &instructions, err);

	if (rc < 0)
		return rc;
	json_object_set_new(vm, "instructions", instructions);
	rc = profile_uint(r, map, "cache", 0, 5000, &cache, err);
	if (rc == 0 && cache > 0)
		json_object_set_new(vm, "cache", json_integer((json_int_t)cache));
	return rc;
}

int
profile_stream(struct profile_reading *r, const struct yaml_node *map, struct err *err)
{
	static const char *const keys[] = {"name",   "only",	"frame",   "rate",  "burst",
					   "bursts", "delay",	"then",	   "times", "waits",
					   "dummy",  "paused",	"vary",	   "cache", "seed",
					   "stats",  "latency", "capture", NULL};
	const char *name = "";
	struct packet p;
	unsigned own = 0;
	bool taken = true;
	json_t *object;
	int rc = profile_map(r, map, "stream", keys, err);

	if (rc == 0)
		rc = profile_only(r, map, &taken, err);
	if (rc < 0 || !taken)
		return rc;
	if (yaml_get(map, "capture") != NULL)
		return profile_capture(r, yaml_get(map, "capture"), err);
	if (r->profile->n_streams == PROFILE_MAX_STREAMS)
		return yaml_error(r->doc, map, err, "more than %d streams", PROFILE_MAX_STREAMS);
	if (yaml_get(map, "frame") == NULL)
		return yaml_error(r->doc, map, err, "a stream has a 'frame' or a 'capture'");
	rc = profile_word(r, map, "name", &name, err);
	if (rc == 0)
		rc = profile_frame(r, yaml_get(map, "frame"), &p, &own, err);
	if (rc < 0)
		return rc;
	object = profile_object(p.bytes, p.len, own);
	profile_add(r->profile, name, object);
	rc = read_mode(r, map, object, err);
	if (rc == 0)
		rc = read_flow(r, map, object, err);
	if (rc == 0)
		rc = read_statistics(r, map, object, err);
	return rc == 0 ? read_engine(r, map, &p, object, err) : rc;
}
