/* SPDX-License-Identifier: MIT */
#include "stream.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/mem.h"
#include "base/rate.h"
#include "vm.h"

#define FLAG_SRC_MAC 1u /* of the packet */
#define FLAG_DST_MAC_SHIFT 1
#define FLAG_DST_MAC_MASK 3u /* 1 = of the packet */
#define FLAG_DUMMY 8u	     /* keeps time, sends nothing */
#define MIN_LEN 60

static int
parse_packet(struct stream *s, const json_t *object, struct jsonrpc_error *e)
{
	const char *binary =
		json_string_value(json_object_get(json_object_get(object, "packet"), "binary"));
	long len;

	if (binary == NULL)
		return jsonrpc_fail(e, JSONRPC_FAILED, "stream %u: packet.binary is missing",
				    s->id);
	s->frame = xcalloc(1, STREAM_MAX_LEN);
	len = base64_decode(binary, s->frame, STREAM_MAX_LEN);
	if (len < FRAME_L2)
		return jsonrpc_fail(e, JSONRPC_FAILED,
				    "stream %u: packet.binary is not base64 of %d to %d bytes",
				    s->id, FRAME_L2, STREAM_MAX_LEN);
	s->len = (uint16_t)(len < MIN_LEN ? MIN_LEN : len);
	return 0;
}

static int
parse_rate(struct stream *s, const json_t *mode, struct jsonrpc_error *e)
{
	static const char *const kinds[] = {"pps", "bps_L1", "bps_L2", "percentage"};
	const json_t *rate = json_object_get(mode, "rate");
	const char *type = json_string_value(json_object_get(rate, "type"));
	double value = json_number_value(json_object_get(rate, "value"));

	if (type == NULL || !(value > 0) || !isfinite(value))
		return jsonrpc_fail(e, JSONRPC_FAILED,
				    "stream %u: mode.rate needs a type and a value "
				    "above 0",
				    s->id);
	for (unsigned i = 0; i < N_ELEMS(kinds); i++) {
		if (strcmp(type, kinds[i]) == 0) {
			s->rate_kind = (enum stream_rate)i;
			s->rate = value;
			return 0;
		}
	}
	return jsonrpc_fail(e, JSONRPC_FAILED, "stream %u: unknown rate type '%s'", s->id, type);
}

/* Optional fields: absent ones are left as they are; one of another type is an error. */

static int
wrong_field(const struct stream *s, const char *name, const char *what, struct jsonrpc_error *e)
{
	return jsonrpc_fail(e, JSONRPC_FAILED, "stream %u: %s must be %s", s->id, name, what);
}

static int
parse_bool(const struct stream *s, const json_t *object, const char *name, bool *value,
	   struct jsonrpc_error *e)
{
	const json_t *v = json_object_get(object, name);

	if (v == NULL)
		return 0;
	if (!json_is_boolean(v))
		return wrong_field(s, name, "true or false", e);
	*value = json_is_true(v);
	return 0;
}

static int
parse_u32(const struct stream *s, const json_t *object, const char *name, uint32_t *value,
	  struct jsonrpc_error *e)
{
	const json_t *v = json_object_get(object, name);

	if (v == NULL)
		return 0;
	if (!json_is_integer(v) || json_integer_value(v) < 0 || json_integer_value(v) > UINT32_MAX)
		return wrong_field(s, name, "an integer from 0 to 4294967295", e);
	*value = (uint32_t)json_integer_value(v);
	return 0;
}

/* A time in us that a clock can count to. */
static int
parse_us(const struct stream *s, const json_t *object, const char *name, double *value,
	 struct jsonrpc_error *e)
{
	const json_t *v = json_object_get(object, name);

	if (v == NULL)
		return 0;
	*value = json_number_value(v);
	if (!json_is_number(v) || !(*value >= 0) || *value > 3.6e9)
		return jsonrpc_fail(e, JSONRPC_FAILED, "stream %u: %s is 0 to 3.6e9 us", s->id,
				    name);
	return 0;
}

static int
parse_single_burst(struct stream *s, const json_t *mode, struct jsonrpc_error *e)
{
	json_int_t n = json_integer_value(json_object_get(mode, "total_pkts"));

	s->mode = STREAM_SINGLE_BURST;
	if (n < 1)
		return jsonrpc_fail(e, JSONRPC_FAILED,
				    "stream %u: mode.total_pkts must be at least 1", s->id);
	s->total_pkts = (uint64_t)n;
	return 0;
}

static int
parse_multi_burst(struct stream *s, const json_t *mode, struct jsonrpc_error *e)
{
	s->mode = STREAM_MULTI_BURST;
	if (json_object_get(mode, "count") == NULL || json_object_get(mode, "ibg") == NULL)
		return jsonrpc_fail(e, JSONRPC_FAILED,
				    "stream %u: mode needs a count of bursts and an ibg", s->id);
	if (parse_u32(s, mode, "count", &s->bursts, e) < 0 ||
	    parse_u32(s, mode, "pkts_per_burst", &s->pkts_per_burst, e) < 0 ||
	    parse_us(s, mode, "ibg", &s->ibg_us, e) < 0)
		return -EINVAL;
	if (s->pkts_per_burst == 0)
		return jsonrpc_fail(e, JSONRPC_FAILED,
				    "stream %u: mode.pkts_per_burst must be at least 1", s->id);
	return 0;
}

static int
parse_mode(struct stream *s, const json_t *object, struct jsonrpc_error *e)
{
	const json_t *mode = json_object_get(object, "mode");
	const char *type = json_string_value(json_object_get(mode, "type"));
	int rc = 0;

	if (type == NULL)
		return jsonrpc_fail(e, JSONRPC_FAILED, "stream %u: mode.type is missing", s->id);
	if (strcmp(type, "continuous") == 0)
		s->mode = STREAM_CONTINUOUS;
	else if (strcmp(type, "single_burst") == 0)
		rc = parse_single_burst(s, mode, e);
	else if (strcmp(type, "multi_burst") == 0)
		rc = parse_multi_burst(s, mode, e);
	else
		rc = jsonrpc_fail(e, JSONRPC_FAILED,
				  "stream %u: mode '%s' is none of continuous, single_burst, "
				  "multi_burst",
				  s->id, type);
	return rc < 0 ? rc : parse_rate(s, mode, e);
}

static int
parse_extension(struct stream *s, const json_t *object, struct jsonrpc_error *e)
{
	const json_t *x = json_object_get(object, "x_nfvchain");
	const json_t *flows = json_object_get(x, "flows");
	struct err err = {0};
	struct frame_template t;

	s->flows = 1;
	s->signature = json_is_true(json_object_get(x, "signature"));
	if (!s->signature)
		return 0;
	if (flows != NULL && (!json_is_integer(flows) || json_integer_value(flows) < 1 ||
			      json_integer_value(flows) > FRAME_MAX_FLOWS))
		return jsonrpc_fail(e, JSONRPC_FAILED, "stream %u: flows are 1 to %u", s->id,
				    FRAME_MAX_FLOWS);
	if (flows != NULL)
		s->flows = (uint32_t)json_integer_value(flows);
	if (frame_template_init(&t, s->frame, s->len, &err) < 0)
		return jsonrpc_fail(e, JSONRPC_FAILED, "stream %u: %s", s->id, err.msg);
	return 0;
}

static int
parse_next(struct stream *s, const json_t *object, struct jsonrpc_error *e)
{
	const json_t *next = json_object_get(object, "next_stream_id");

	s->next_id = -1;
	if (next == NULL)
		return 0;
	if (!json_is_integer(next) || json_integer_value(next) < -1 ||
	    json_integer_value(next) > UINT32_MAX)
		return wrong_field(s, "next_stream_id", "the id of a stream, or -1", e);
	s->next_id = json_integer_value(next);
	return 0;
}

/* There is one data lcore, so streams can be pinned to nothing but that. */
static int
parse_core(struct stream *s, const json_t *object, struct jsonrpc_error *e)
{
	const json_t *core = json_object_get(object, "core_id");
	json_int_t id = json_integer_value(core);

	s->core_id = -1;
	if (core == NULL)
		return 0;
	if (!json_is_integer(core) || id > 0)
		return jsonrpc_fail(e, JSONRPC_FAILED,
				    "stream %u: core_id: there is one data core, which is 0",
				    s->id);
	s->core_id = id < 0 ? -1 : 0;
	return 0;
}

static int
parse_rule(struct stream *s, const json_t *object, struct jsonrpc_error *e)
{
	const json_t *stats = json_object_get(object, "flow_stats");
	const char *type = json_string_value(json_object_get(stats, "rule_type"));

	if (!json_is_true(json_object_get(stats, "enabled")))
		return 0;
	if (json_object_get(stats, "stream_id") == NULL || type == NULL)
		return jsonrpc_fail(e, JSONRPC_FAILED,
				    "stream %u: flow_stats needs a stream_id and a rule_type",
				    s->id);
	if (json_is_true(json_object_get(stats, "ieee_1588")))
		return jsonrpc_fail(e, JSONRPC_FAILED, "Driver doesn't support IEEE-1588.");
	if (strcmp(type, "stats") != 0 && strcmp(type, "latency") != 0)
		return jsonrpc_fail(e, JSONRPC_FAILED,
				    "stream %u: rule_type '%s' is neither stats nor latency", s->id,
				    type);
	s->rule = strcmp(type, "stats") == 0 ? RULE_STATS : RULE_LATENCY;
	if (s->rule == RULE_LATENCY && s->core_id >= 0)
		return jsonrpc_fail(e, JSONRPC_FAILED,
				    "stream %u: a latency stream cannot be pinned by core_id",
				    s->id);
	return parse_u32(s, stats, "stream_id", &s->pg_id, e);
}

static int
parse_vm(struct stream *s, const json_t *object, struct jsonrpc_error *e)
{
	const json_t *vm = json_object_get(object, "vm");

	if (json_array_size(json_object_get(vm, "instructions")) == 0)
		return 0;
	if (vm_parse(&s->vm, vm, s->frame, s->len, e) < 0)
		return -EINVAL;
	/* Frames that carry their time are all made. */
	if (s->vm != NULL && s->rule == RULE_LATENCY)
		vm_set_cache(s->vm, 0);
	if (s->vm != NULL) {
		s->vm_users = xcalloc(1, sizeof(*s->vm_users));
		*s->vm_users = 1;
	}
	return 0;
}

static int
parse_flags(struct stream *s, const json_t *object, struct jsonrpc_error *e)
{
	uint32_t flags = 0;

	if (parse_u32(s, object, "flags", &flags, e) < 0)
		return -EINVAL;
	s->keep_src_mac = flags & FLAG_SRC_MAC;
	s->keep_dst_mac = (flags >> FLAG_DST_MAC_SHIFT & FLAG_DST_MAC_MASK) == 1;
	s->dummy = flags & FLAG_DUMMY;
	return 0;
}

static int
parse_rest(struct stream *s, const json_t *object, struct jsonrpc_error *e)
{
	s->enabled = s->self_start = true;
	if (parse_bool(s, object, "enabled", &s->enabled, e) < 0 ||
	    parse_bool(s, object, "self_start", &s->self_start, e) < 0 ||
	    parse_bool(s, object, "start_paused", &s->start_paused, e) < 0 ||
	    parse_us(s, object, "isg", &s->isg_us, e) < 0 ||
	    parse_u32(s, object, "action_count", &s->action_count, e) < 0 ||
	    parse_u32(s, object, "random_seed", &s->random_seed, e) < 0 ||
	    parse_flags(s, object, e) < 0 || parse_next(s, object, e) < 0 ||
	    parse_core(s, object, e) < 0 || parse_rule(s, object, e) < 0)
		return -EINVAL;
	return parse_vm(s, object, e);
}

int
stream_parse(struct stream *s, uint32_t id, json_t *object, struct jsonrpc_error *e)
{
	int rc;

	*s = (struct stream){.id = id};
	if (!json_is_object(object))
		return jsonrpc_fail(e, JSONRPC_FAILED, "stream %u: not an object", id);
	rc = parse_packet(s, object, e);
	if (rc == 0)
		rc = parse_mode(s, object, e);
	if (rc == 0)
		rc = parse_rest(s, object, e);
	if (rc == 0)
		rc = parse_extension(s, object, e);
	if (rc < 0) {
		stream_fini(s);
		return rc;
	}
	s->json = json_incref(object);
	return 0;
}

void
stream_fini(struct stream *s)
{
	if (s->vm != NULL && --*s->vm_users == 0) {
		vm_free(s->vm);
		free(s->vm_users);
	}
	free(s->frame);
	json_decref(s->json);
	*s = (struct stream){0};
}

void
stream_clone(struct stream *to, const struct stream *from)
{
	*to = *from;
	to->json = NULL;
	to->frame = xcalloc(1, from->len);
	memcpy(to->frame, from->frame, from->len);
	if (to->vm != NULL)
		++*to->vm_users;
}

bool
stream_is_variable(const struct stream *s)
{
	return s->rule != RULE_LATENCY;
}

double
stream_mean_size(const struct stream *s)
{
	return (s->vm != NULL ? vm_mean_len(s->vm, s->len) : s->len) + FRAME_FCS;
}

double
stream_pps(const struct stream *s, double speed_bps)
{
	double size = stream_mean_size(s);

	switch (s->rate_kind) {
	case STREAM_BPS_L1:
		return s->rate / (8 * (size + RATE_L1_OVERHEAD));
	case STREAM_BPS_L2:
		return s->rate / (8 * size);
	case STREAM_PERCENT:
		return s->rate / 100 * speed_bps / (8 * (size + RATE_L1_OVERHEAD));
	default:
		return s->rate;
	}
}
