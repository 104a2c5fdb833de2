/* SPDX-License-Identifier: MIT */
#include "run_lanes.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "pkt/flow.h"
#include "run_frames.h"
#include "run_next.h"

/* Does more than one burst belong to it, or another stream? */
static bool
stays_together(const struct run_graph *g, const struct run_stream *whole, uint32_t i)
{
	return whole[i].n_bursts > 0 || g->next[i] != RUN_NO_STREAM || g->first[i] != i;
}

/* Writes for each flow of the stream which lane it is of. */
static void
hash_flows(const struct run_stream *s, uint16_t n_lanes, uint8_t *lane_of)
{
	uint8_t frame[STREAM_MAX_LEN];

	memcpy(frame, s->frame, s->len);
	for (uint32_t flow = 0; flow < s->flows; flow++) {
		/* What is sent as given has one flow, its own. */
		if (s->signature)
			template_set_flow(&s->tmpl, frame, flow);
		lane_of[flow] = (uint8_t)(flow_hash(frame, s->len) % n_lanes);
	}
}

/* The same for all streams: one flow's lane for all that stays together. */
static uint8_t **
deal(const struct run *run, const struct run_stream *whole, const struct run_graph *g)
{
	uint8_t **lane_of = xcalloc(g->n, sizeof(*lane_of));

	for (uint32_t i = 0; i < g->n; i++) {
		lane_of[i] = xcalloc(whole[i].flows, sizeof(*lane_of[i]));
		if (run->n_lanes > 1)
			hash_flows(&whole[i], run->n_lanes, lane_of[i]);
	}
	for (uint32_t i = 0; i < g->n; i++)
		if (stays_together(g, whole, i))
			memset(lane_of[i], lane_of[g->first[i]][0], whole[i].flows);
	return lane_of;
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
	run->trims |= s->vm != NULL && s->vm->trims;
	run->n_streams++;
	run->lane[id].n_streams++;
}

/* Streams that are paused are held, the others that start by themselves wait. */
static void
start_streams(struct run *run, struct run_lane *lane)
{
	for (uint16_t i = 0; i < lane->n_streams; i++) {
		struct run_stream *s = &lane->streams[i];

		if (s->state == RUN_STREAM_WAITING && s->paused) {
			s->state = RUN_STREAM_HELD;
			lane->n_held++;
		}
		if (!s->signature && s->continuous && s->state != RUN_STREAM_IDLE &&
		    run->duration_ns != UINT64_MAX)
			lane->open_until = run->duration_ns;
	}
}

/* One stream with one burst, or endless, and no other behind it. */
static bool
is_simple(const struct run_lane *lane)
{
	const struct run_stream *s = lane->streams;

	return lane->n_streams == 1 && s->n_bursts == 0 && s->next == RUN_NO_STREAM && !s->paused &&
	       !s->dummy;
}

static void
fill_lane(struct run *run, uint16_t id, const struct run_stream *whole, const struct run_graph *g,
	  uint8_t *const *lane_of)
{
	struct run_lane *lane = &run->lane[id];
	uint32_t *place = xcalloc(g->n, sizeof(*place));

	lane->run = run;
	lane->streams = run->streams + run->n_streams;
	for (uint32_t i = 0; i < g->n; i++) {
		place[i] = lane->n_streams;
		add_part(run, id, &whole[i], lane_of[i]);
	}
	/* A chain is all in one lane: what it is followed by is here too. */
	for (uint16_t i = 0; i < lane->n_streams; i++) {
		if (lane->streams[i].next == RUN_NO_STREAM)
			continue;
		lane->streams[i].next = place[lane->streams[i].next];
		lane->chained = true;
	}
	free(place);
	start_streams(run, lane);
	lane->simple = is_simple(lane);
	run_heap_init(&lane->heap, lane->n_streams);
	if (!lane->simple)
		run_rebuild(lane);
	run->n_sending = (uint16_t)(run->n_sending + (lane->n_streams > 0));
}

void
run_fill_lanes(struct run *run, const struct run_stream *whole, const struct run_graph *g)
{
	uint8_t **lane_of = deal(run, whole, g);

	for (uint16_t id = 0; id < run->n_lanes; id++)
		fill_lane(run, id, whole, g, lane_of);
	for (uint32_t i = 0; i < g->n; i++)
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
		run_frames_fini(s);
		free(s->flow_of);
		free(s->gap);
	}
	for (uint16_t i = 0; i < run->n_lanes; i++)
		run_heap_fini(&run->lane[i].heap);
	run->n_streams = 0;
}
