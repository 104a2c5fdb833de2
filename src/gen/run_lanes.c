/* SPDX-License-Identifier: MIT */
#include "run_lanes.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "pkt/flow.h"

/* Writes for each flow of the stream which lane it is of. */
static void
hash_flows(const struct run_stream *s, uint16_t n_lanes, uint8_t *lane_of)
{
	uint8_t frame[FRAME_MAX_SIZE];

	memcpy(frame, s->frame, s->len);
	for (uint32_t flow = 0; flow < s->flows; flow++) {
		/* What is sent as given has one flow, its own. */
		if (s->signature)
			template_set_flow(&s->tmpl, frame, flow);
		lane_of[flow] = (uint8_t)(flow_hash(frame, s->len) % n_lanes);
	}
}

/* Makes 's', a copy of a whole stream, the part of it that lane 'id' has: 'n' of its flows. */
static void
keep_flows(struct run_stream *s, const uint8_t *lane_of, uint16_t id, uint32_t n)
{
	const uint32_t whole = s->flows;
	const uint64_t slots = s->slots_left;
	uint32_t at = 0;

	s->flow_of = xcalloc(n, sizeof(*s->flow_of));
	s->gap = xcalloc(n, sizeof(*s->gap));
	for (uint32_t flow = 0; flow < whole; flow++)
		if (lane_of[flow] == id)
			s->flow_of[at++] = flow;
	for (uint32_t i = 0; i + 1 < n; i++)
		s->gap[i] = s->flow_of[i + 1] - s->flow_of[i];
	s->gap[n - 1] = s->flow_of[0] + whole - s->flow_of[n - 1];
	s->flows = n;
	run_skip(s, s->flow_of[0]);
	if (slots == UINT64_MAX)
		return;
	s->slots_left = slots / whole * n;
	for (uint32_t i = 0; i < n; i++)
		s->slots_left += s->flow_of[i] < slots % whole;
}

/* Appends to the lane what it has of the stream. */
static void
add_part(struct run *run, uint16_t id, const struct run_stream *whole, const uint8_t *lane_of)
{
	struct run_stream *s = &run->streams[run->n_streams];
	uint32_t n = 0;

	for (uint32_t flow = 0; flow < whole->flows; flow++)
		n += lane_of[flow] == id;
	if (n == 0)
		return;
	*s = *whole;
	if (n < whole->flows)
		keep_flows(s, lane_of, id, n);
	s->sig_word = sig_stream_word((uint16_t)(run->stream_base + run->n_streams));
	if (s->signature)
		seqtrack_init(&s->track, s->flows);
	run->n_signed = (uint16_t)(run->n_signed + s->signature);
	run->n_streams++;
	run->lane[id].n_streams++;
}

void
run_fill_lanes(struct run *run, const struct run_stream *whole, size_t n)
{
	uint8_t **lane_of = xcalloc(n, sizeof(*lane_of));

	for (size_t i = 0; i < n; i++) {
		lane_of[i] = xcalloc(whole[i].flows, sizeof(*lane_of[i]));
		if (run->n_lanes > 1)
			hash_flows(&whole[i], run->n_lanes, lane_of[i]);
	}
	for (uint16_t id = 0; id < run->n_lanes; id++) {
		run->lane[id].streams = run->streams + run->n_streams;
		for (size_t i = 0; i < n; i++)
			add_part(run, id, &whole[i], lane_of[i]);
		run->n_sending = (uint16_t)(run->n_sending + (run->lane[id].n_streams > 0));
	}
	for (size_t i = 0; i < n; i++)
		free(lane_of[i]);
	free(lane_of);
}

void
run_empty_lanes(struct run *run)
{
	for (uint16_t i = 0; i < run->n_streams; i++) {
		struct run_stream *s = &run->streams[i];

		if (s->signature)
			seqtrack_fini(&s->track);
		free(s->flow_of);
		free(s->gap);
	}
	run->n_streams = 0;
}
