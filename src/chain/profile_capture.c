/* SPDX-License-Identifier: MIT */
/* Replay of captured frames: a stream of one frame each, one after the other. */
#include "profile_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/units.h"
#include "pkt/pcap.h"

struct replay {
	const char *file;
	double speed;	   /* 2 is twice as fast as captured */
	double gap_us;	   /* between frames instead, if above 0 */
	double min_gap_us; /* at least */
	uint64_t loops;	   /* 0: for ever */
	uint64_t limit;	   /* frames, at most */
	bool keep_macs;
};

static int
read_speed(const struct profile_reading *r, const struct yaml_node *map, double *speed,
	   struct err *err)
{
	const char *text = NULL;
	char *end = NULL;
	int rc = profile_word(r, map, "speed", &text, err);

	if (rc < 0 || text == NULL)
		return rc;
	*speed = strtod(text, &end);
	if (*end != '\0' || end == text || !(*speed > 0) || *speed > 1e6)
		return yaml_error(r->doc, yaml_get(map, "speed"), err,
				  "'speed' is a factor above 0, such as 2 or 0.5");
	return 0;
}

static int
read_replay(const struct profile_reading *r, const struct yaml_node *map, struct replay *p,
	    struct err *err)
{
	static const char *const keys[] = {"file",  "speed", "gap",  "min_gap",
					   "loops", "limit", "macs", NULL};
	const char *macs = "port";
	int rc = profile_map(r, map, "capture", keys, err);

	*p = (struct replay){.speed = 1, .loops = 1, .limit = PROFILE_MAX_STREAMS};
	if (rc == 0)
		rc = profile_word(r, map, "file", &p->file, err);
	if (rc == 0 && p->file == NULL)
		rc = yaml_error(r->doc, map, err, "which 'file'?");
	if (rc == 0)
		rc = read_speed(r, map, &p->speed, err);
	if (rc == 0)
		rc = profile_time_us(r, map, "gap", &p->gap_us, err);
	if (rc == 0)
		rc = profile_time_us(r, map, "min_gap", &p->min_gap_us, err);
	if (rc == 0)
		rc = profile_uint(r, map, "loops", 0, UINT32_MAX, &p->loops, err);
	if (rc == 0)
		rc = profile_uint(r, map, "limit", 1, PROFILE_MAX_STREAMS, &p->limit, err);
	if (rc == 0)
		rc = profile_word(r, map, "macs", &macs, err);
	if (rc == 0 && strcmp(macs, "port") != 0 && strcmp(macs, "file") != 0)
		rc = yaml_error(r->doc, yaml_get(map, "macs"), err,
				"'macs' is port, the port's own, or file, those captured");
	p->keep_macs = strcmp(macs, "file") == 0;
	return rc;
}

static double
gap_before(const struct replay *p, const struct pcap *pcap, size_t i)
{
	const struct pcap_frame *f = pcap->frames;
	double us = p->gap_us;

	if (i == 0)
		return 0;
	if (us <= 0)
		us = f[i].time_ns > f[i - 1].time_ns
			     ? (double)(f[i].time_ns - f[i - 1].time_ns) / 1000 / p->speed
			     : 0;
	return us > p->min_gap_us ? us : p->min_gap_us;
}

static int
check_frame(const struct profile_reading *r, const struct yaml_node *map,
	    const struct pcap_frame *f, size_t i, struct err *err)
{
	if (f->len < f->wire_len)
		return yaml_error(r->doc, map, err,
				  "frame %zu of the capture was cut from %u to %u bytes", i + 1,
				  f->wire_len, f->len);
	if (f->len < FRAME_L2 || f->len > FRAME_MAX_SIZE - FRAME_FCS)
		return yaml_error(r->doc, map, err,
				  "frame %zu of the capture has %u bytes, not %d to %d", i + 1,
				  f->len, FRAME_L2, FRAME_MAX_SIZE - FRAME_FCS);
	return 0;
}

static int
add_frames(struct profile_reading *r, const struct yaml_node *map, const struct replay *p,
	   const struct pcap *pcap, struct err *err)
{
	const size_t n = pcap->n < p->limit ? pcap->n : p->limit;
	const uint32_t first = (uint32_t)r->profile->n_streams + 1;

	if (n == 0)
		return yaml_error(r->doc, map, err, "the capture has no frames");
	if (n + r->profile->n_streams > PROFILE_MAX_STREAMS)
		return yaml_error(r->doc, map, err, "more than %d streams", PROFILE_MAX_STREAMS);
	for (size_t i = 0; i < n; i++) {
		const bool last = i + 1 == n;
		char name[32];
		json_t *o;
		int rc = check_frame(r, map, &pcap->frames[i], i, err);

		if (rc < 0)
			return rc;
		o = profile_object(pcap->frames[i].data, pcap->frames[i].len,
				   p->keep_macs ? 3u : 0u);
		json_object_set_new(o, "self_start", json_boolean(i == 0));
		json_object_set_new(o, "isg", json_real(gap_before(p, pcap, i)));
		json_object_set_new(o, "mode",
				    json_pack("{s:s, s:i, s:{s:s, s:f}}", "type", "single_burst",
					      "total_pkts", 1, "rate", "type", "percentage",
					      "value", 100.0));
		if (!last || p->loops != 1)
			json_object_set_new(o, "next_stream_id",
					    json_integer(last ? first : first + i + 1));
		if (last)
			json_object_set_new(o, "action_count", json_integer((json_int_t)p->loops));
		snprintf(name, sizeof(name), "frame%zu", i + 1);
		profile_add(r->profile, name, o);
	}
	return 0;
}

int
profile_capture(struct profile_reading *r, const struct yaml_node *node, struct err *err)
{
	struct replay p;
	struct pcap pcap = {0};
	struct err why = {0};
	char *path;
	int rc = read_replay(r, node, &p, err);

	if (rc < 0)
		return rc;
	path = p.file[0] == '/' ? xstrdup(p.file) : xasprintf("%s/%s", r->dir, p.file);
	if (pcap_load(&pcap, path, &why) < 0)
		rc = yaml_error(r->doc, yaml_get(node, "file"), err, "%s", why.msg);
	else
		rc = add_frames(r, node, &p, &pcap, err);
	pcap_unload(&pcap);
	free(path);
	return rc;
}
