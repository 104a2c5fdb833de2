/* SPDX-License-Identifier: MIT */
#include "run_next.h"

#include <math.h>

uint64_t
run_slots_within(const struct run *run, const struct run_time *due, const struct run_time *step)
{
	double step_ns = (double)step->ns + (double)step->frac / 4294967296.0, n;

	if (run->duration_ns == UINT64_MAX)
		return UINT64_MAX;
	if (due->ns >= run->duration_ns)
		return 0;
	n = ((double)(run->duration_ns - due->ns) - (double)due->frac / 4294967296.0) / step_ns;
	/* A rate or a time that a double tells a little too long is no slot more. */
	return n > 1e-6 ? (uint64_t)ceil(n - 1e-6) : 0;
}

/* A time between which and 'at' lie 'wait'. */
static struct run_time
later(run_fine_time at, const struct run_time *wait)
{
	return run_time_of(at + run_time_fine(wait));
}

/* The stream that the end of 's' starts, or NULL. */
static struct run_stream *
started_by(struct run_lane *lane, struct run_stream *s)
{
	struct run_stream *next;

	if (s->next == RUN_NO_STREAM)
		return NULL;
	next = &lane->streams[s->next];
	if (s->actions_left > 0 && --s->actions_left == 0) {
		s->next = RUN_NO_STREAM;
		return NULL;
	}
	return next->state == RUN_STREAM_IDLE ? next : NULL;
}

/* The stream starts as if the one before it had ended at 'at'. */
static void
start(const struct run *run, struct run_lane *lane, struct run_stream *s, run_fine_time at)
{
	s->due = later(at, &s->isg);
	s->first_ns = s->due.ns;
	s->bursts_left = s->n_bursts;
	s->slots_left = s->burst_slots;
	s->state = RUN_STREAM_WAITING;
	if (s->continuous) {
		s->slots_left = run_slots_within(run, &s->due, &s->step);
		if (run->duration_ns != UINT64_MAX)
			lane->open_until = run->duration_ns;
	}
}

/* Puts into the place of the first what its end started, or nothing. */
static void
replace_first(struct run_lane *lane, struct run_stream *next, uint64_t now_ns)
{
	if (next != NULL && next->state == RUN_STREAM_WAITING && next->paused) {
		next->state = RUN_STREAM_HELD;
		next->held_ns = now_ns;
		lane->n_held++;
	}
	if (next != NULL && next->state == RUN_STREAM_WAITING && next->slots_left > 0)
		run_heap_replace(&lane->heap, next->due.ns, (uint32_t)(next - lane->streams));
	else
		run_heap_remove_first(&lane->heap);
}

void
run_settle(const struct run *run, struct run_lane *lane)
{
	struct run_stream *s = run_first(lane), *next;
	run_fine_time last;

	if (s->slots_left > 0) {
		run_heap_replace(&lane->heap, s->due.ns, lane->heap.wait[0].stream);
		return;
	}
	/* Its time has moved on by a step, which lies between slots only. */
	last = run_time_fine(&s->due) - run_time_fine(&s->step);
	if (s->bursts_left > 0) {
		s->bursts_left -= s->bursts_left != UINT32_MAX;
		s->slots_left = s->burst_slots;
		s->due = later(last, &s->ibg);
		s->first_ns = s->due.ns;
		run_heap_replace(&lane->heap, s->due.ns, lane->heap.wait[0].stream);
		return;
	}
	/* One without bursts is through with the run, but another rate may give it slots again. */
	if (!s->continuous)
		s->state = RUN_STREAM_IDLE;
	next = started_by(lane, s);
	if (next != NULL)
		start(run, lane, next, last);
	replace_first(lane, next, (uint64_t)(last >> 64));
}

void
run_rebuild(struct run_lane *lane)
{
	lane->heap.n = 0;
	for (uint32_t i = 0; i < lane->n_streams; i++)
		if (lane->streams[i].state == RUN_STREAM_WAITING && lane->streams[i].slots_left > 0)
			run_heap_add(&lane->heap, lane->streams[i].due.ns, i);
}

void
run_close_lane(struct run_lane *lane)
{
	for (uint32_t i = 0; i < lane->n_streams; i++)
		lane->streams[i].state = RUN_STREAM_IDLE;
	lane->heap.n = 0;
	lane->n_held = 0;
}
