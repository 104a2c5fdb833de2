/* SPDX-License-Identifier: MIT */
#include "stream.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rate.h"

#define FLAG_SRC_MAC 1u /* of the packet */
#define FLAG_DST_MAC_SHIFT 1
#define FLAG_DST_MAC_MASK 3u /* 1 = of the packet */
#define FLAG_DUMMY 8u	     /* keeps time, sends nothing */
#define MIN_LEN 60
#define MAX_LEN (FRAME_MAX_SIZE - FRAME_FCS)

static int
decode_digit(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* RFC 4648 base64, with or without padding, into 'out'; the number of bytes, or -1. */
static long
decode_base64(const char *text, uint8_t *out, size_t size)
{
	uint32_t bits = 0;
	unsigned have = 0;
	size_t n = 0;

	for (; *text != '\0' && *text != '='; text++) {
		int digit = decode_digit(*text);

		if (digit < 0)
			return -1;
		bits = bits << 6 | (uint32_t)digit;
		have += 6;
		if (have >= 8) {
			have -= 8;
			if (n == size)
				return -1;
			out[n++] = (uint8_t)(bits >> have);
		}
	}
	return strspn(text, "=") == strlen(text) && have != 6 ? (long)n : -1;
}

static int
parse_packet(struct stream *s, const json_t *object, struct jsonrpc_error *e)
{
	const char *binary =
		json_string_value(json_object_get(json_object_get(object, "packet"), "binary"));
	long len;

	if (binary == NULL)
		return jsonrpc_fail(e, JSONRPC_FAILED, "stream %u: packet.binary is missing",
				    s->id);
	s->frame = xcalloc(1, MAX_LEN);
	len = decode_base64(binary, s->frame, MAX_LEN);
	if (len < FRAME_L2)
		return jsonrpc_fail(e, JSONRPC_FAILED,
				    "stream %u: packet.binary is not base64 of %d to %d bytes",
				    s->id, FRAME_L2, MAX_LEN);
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

static int
parse_mode(struct stream *s, const json_t *object, struct jsonrpc_error *e)
{
	const json_t *mode = json_object_get(object, "mode");
	const char *type = json_string_value(json_object_get(mode, "type"));

	if (type == NULL)
		return jsonrpc_fail(e, JSONRPC_FAILED, "stream %u: mode.type is missing", s->id);
	if (strcmp(type, "continuous") == 0) {
		s->mode = STREAM_CONTINUOUS;
	} else if (strcmp(type, "single_burst") == 0) {
		json_int_t n = json_integer_value(json_object_get(mode, "total_pkts"));

		s->mode = STREAM_SINGLE_BURST;
		if (n < 1)
			return jsonrpc_fail(e, JSONRPC_FAILED,
					    "stream %u: mode.total_pkts must be at least 1", s->id);
		s->total_pkts = (uint64_t)n;
	} else {
		return jsonrpc_fail(e, JSONRPC_FAILED, "stream %u: mode '%s' is not built yet",
				    s->id, type);
	}
	return parse_rate(s, mode, e);
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

/* What of the object this version does not do, by name: a client must not believe it is done. */
static int
refuse_unbuilt(const struct stream *s, const json_t *object, struct jsonrpc_error *e)
{
	const json_t *vm = json_object_get(json_object_get(object, "vm"), "instructions");
	const json_t *stats = json_object_get(json_object_get(object, "flow_stats"), "enabled");
	const json_t *next = json_object_get(object, "next_stream_id");
	const json_t *flags = json_object_get(object, "flags");
	const char *what = NULL;

	if (json_array_size(vm) > 0)
		what = "field engine is";
	else if (json_is_true(stats))
		what = "flow statistics are";
	else if (next != NULL && json_integer_value(next) >= 0)
		what = "chained streams are";
	else if (json_is_true(json_object_get(object, "start_paused")))
		what = "paused streams are";
	else if ((unsigned)json_integer_value(flags) & FLAG_DUMMY)
		what = "dummy streams are";
	return what == NULL ? 0
			    : jsonrpc_fail(e, JSONRPC_FAILED, "stream %u: %s not built yet", s->id,
					   what);
}

static int
parse_rest(struct stream *s, const json_t *object, struct jsonrpc_error *e)
{
	const json_t *enabled = json_object_get(object, "enabled");
	const json_t *self_start = json_object_get(object, "self_start");
	unsigned flags = (unsigned)json_integer_value(json_object_get(object, "flags"));

	s->enabled = enabled == NULL || json_is_true(enabled);
	s->self_start = self_start == NULL || json_is_true(self_start);
	s->isg_us = json_number_value(json_object_get(object, "isg"));
	s->keep_src_mac = flags & FLAG_SRC_MAC;
	s->keep_dst_mac = (flags >> FLAG_DST_MAC_SHIFT & FLAG_DST_MAC_MASK) == 1;
	if (!(s->isg_us >= 0) || s->isg_us > 3.6e9)
		return jsonrpc_fail(e, JSONRPC_FAILED, "stream %u: isg is 0 to 3.6e9 us", s->id);
	return refuse_unbuilt(s, object, e);
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
	free(s->frame);
	json_decref(s->json);
	*s = (struct stream){0};
}

double
stream_pps(const struct stream *s, double speed_bps)
{
	double size = s->len + FRAME_FCS;

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
